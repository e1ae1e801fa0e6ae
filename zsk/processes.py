"""The processes of an installation. The demo starts them, and docker-compose.yml has the same words."""

import ctypes
import signal
import sys
from pathlib import Path

MIGRATE = ("python", "manage.py", "prepare")
WEB = ("gunicorn", "--config", "python:zsk.gunicorn", "zsk.wsgi")
# Gossip and mingle talk to other workers at the start; ours need nothing of one another.
WORKER = ("celery", "-A", "zsk", "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle")
PR_SET_PDEATHSIG = 1


def beat(folder: Path) -> tuple[str, ...]:
    """Exactly one beat per installation; it notes in `folder` when it last sent what."""
    return ("celery", "-A", "zsk", "beat", "--loglevel", "INFO", "--schedule", str(folder / "beat-schedule"))


def die_with_parent() -> None:
    """In a new child: ask the kernel for SIGTERM when its parent dies, be it by kill -9. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
