"""The documents lead where they say, and none is left out of the lists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/*.md"),
    *ROOT.glob("ozgsync/data/*.md"), *ROOT.glob("templates/operator/*.md"),
]  # fmt: skip


def linked(document: Path) -> set[Path]:
    """Files of ours that it links to."""
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    return {(document.parent / target).resolve() for target in targets if "://" not in target}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    assert [path for path in linked(document) if not path.exists()] == []


def test_the_readme_leads_to_every_document() -> None:
    assert {*ROOT.glob("docs/*.md")} - linked(ROOT / "README.md") == set()


def test_the_architecture_lists_every_decision() -> None:
    assert {*ROOT.glob("docs/decisions/*.md")} - linked(ROOT / "docs" / "architecture.md") == set()


def test_the_readme_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in targets.split() if f"`make {name}`" not in readme] == []
