"""The demo as people start it: one at a time, clear refusals, and nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.zsk.conftest import plain_environment, reachable_home
from zsk import embedded, supervisor

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def environment(home: Path, free_port: int) -> dict[str, str]:
    return plain_environment(home) | {"PORT": str(free_port)}


@pytest.fixture(scope="module")
def demo_home() -> Iterator[Path]:
    """One folder for all runs of the whole demo: to load its data takes most of the time."""
    with reachable_home() as folder:
        yield folder


@pytest.fixture
def demo_environment(demo_home: Path, free_port: int) -> dict[str, str]:
    return plain_environment(demo_home) | {"PORT": str(free_port)}


@pytest.fixture
def demo(demo_environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command("demo"), cwd=ROOT, env=demo_environment, **pipe)
    wait_until_running(process)
    yield process
    process.kill()
    process.communicate()


def command(word: str) -> list[str]:
    return [sys.executable, "-m", "zsk.supervisor", word]


def run(word: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(word), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_until_running(demo: "subprocess.Popen[str]") -> None:
    assert demo.stdout
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line)
        if "Beenden:" in line:
            return
    pytest.fail("".join(lines))


def processes_of(home: Path) -> list[str]:
    """Every process that was started for `home`, told by its environment or its words."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            content = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(home) in content:
            found.append(f"{process.name} {(process / 'cmdline').read_bytes()!r}")
    return found


def test_port_in_use_names_a_way_out(environment: dict[str, str], home: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        refused = run("demo", environment | {"PORT": str(port)})
    assert refused.returncode == 1
    assert f"Port {port} ist belegt" in refused.stderr
    assert "make demo" in refused.stderr
    assert processes_of(home) == []


@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1"])
def test_port_that_is_none(environment: dict[str, str], port: str) -> None:
    refused = run("demo", environment | {"PORT": port})
    assert refused.returncode == 1
    assert "keine Portnummer" in refused.stderr


def test_leftovers_of_a_killed_run_are_ended(home: Path) -> None:
    home.mkdir()
    orphan = subprocess.Popen(["sleep", "60"], start_new_session=True)
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    started = supervisor._start_time(orphan.pid)
    note = home / "demo.json"
    note.write_text(json.dumps({"children": {str(orphan.pid): started, str(stranger.pid): started - 1}}))
    supervisor.end_leftovers(note)
    assert orphan.wait(timeout=5) == -signal.SIGTERM
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_clean_without_anything_is_quiet(environment: dict[str, str], home: Path) -> None:
    assert run("clean", environment).returncode == 0
    assert not home.exists()


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind(
    demo: "subprocess.Popen[str]", demo_environment: dict[str, str], demo_home: Path
) -> None:
    second = run("demo", demo_environment)
    assert second.returncode == 1
    assert f"läuft in diesem Ordner schon: http://127.0.0.1:{demo_environment['PORT']}/" in second.stderr
    check = [sys.executable, "manage.py", "check", "--database", "default"]
    assert subprocess.run(check, cwd=ROOT, env=demo_environment).returncode == 0
    demo.send_signal(signal.SIGINT)
    printed, _errors = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert "Alles ist beendet" in printed
    assert processes_of(demo_home) == []


@pytest.mark.slow
def test_killed_demo_takes_its_children_along(demo: "subprocess.Popen[str]", demo_home: Path) -> None:
    demo.kill()
    wait_for(lambda: processes_of(demo_home) == [])
    assert not embedded.are_ready(demo_home)


@pytest.mark.slow
def test_child_that_dies_stops_the_demo(demo: "subprocess.Popen[str]", demo_home: Path) -> None:
    children = json.loads((demo_home / "demo.json").read_text())["children"]
    os.kill(int(list(children)[1]), signal.SIGKILL)  # after the stand-ins for the registers
    printed, _errors = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "„web“ ist ausgefallen" in printed
    assert processes_of(demo_home) == []


@pytest.mark.slow
def test_clean_ends_a_running_demo(
    demo: "subprocess.Popen[str]", demo_environment: dict[str, str], demo_home: Path
) -> None:
    assert run("clean", demo_environment).returncode == 0
    assert demo.wait(timeout=60) == 0
    assert processes_of(demo_home) == []
    assert not demo_home.exists()


def test_jobs_know_the_address_that_links_in_their_mails_begin_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = supervisor.Demo(tmp_path, 8123)
    monkeypatch.delenv("SITE_URL", raising=False)
    assert demo._environment("worker")["SITE_URL"] == "http://127.0.0.1:8123"
    # The web takes that of the request.
    assert "SITE_URL" not in demo._environment("web")
    monkeypatch.setenv("SITE_URL", "https://zsk.example")
    assert demo._environment("worker")["SITE_URL"] == "https://zsk.example"
