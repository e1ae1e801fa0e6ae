"""The Keycloak of the demo and the tests leaves nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from zsk.keycloak import Setup, free_port

RUN = """
import sys, time
from pathlib import Path
from zsk.keycloak import Server, Setup, prepare
setup = Setup(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), client_secret="")
prepare(setup, Path(sys.argv[4]))
server = Server(setup)
server.start()
server.wait_until_ready()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    setup = Setup(tmp_path / "keycloak", free_port(), free_port(), client_secret="")
    words = [setup.home, setup.port, setup.management_port, settings.BASE_DIR / ".zsk"]
    starter = subprocess.Popen(
        [sys.executable, "-c", RUN, *map(str, words)],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert starter.stdout
        assert starter.stdout.readline() == "ready\n"
    finally:
        starter.kill()
        starter.communicate()
    deadline = time.monotonic() + 20
    while running(setup.home):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def running(home: Path) -> list[str]:
    """Processes that were started from this folder."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if str(home) in line]
