"""`make help` tells everything that make can do, and the CI runs what the README names."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def targets() -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert found
    return found[1].split()


def test_help_lists_every_target() -> None:
    printed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    described = {line.split()[1]: line.split()[2:] for line in printed.splitlines() if "make " in line}
    assert set(described) == set(targets())
    assert all(described.values())


def test_help_is_the_default() -> None:
    default = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert default == subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout


def test_ci_lints_and_then_tests() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").split("\n")
    assert [line for line in lines if line.startswith("make ")] == ["make lint", "make test"]


def test_lock_files_name_no_address() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text(encoding="utf-8")
