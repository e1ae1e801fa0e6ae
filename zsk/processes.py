"""The processes of an installation. The demo starts them, and docker-compose.yml has the same words."""

from pathlib import Path

MIGRATE = ("python", "manage.py", "prepare")
WEB = ("gunicorn", "--config", "python:zsk.gunicorn", "zsk.wsgi")
# Gossip and mingle talk to other workers at the start; ours need nothing of one another.
WORKER = ("celery", "-A", "zsk", "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle")


def beat(folder: Path) -> tuple[str, ...]:
    """Exactly one beat per installation; it notes in `folder` when it last sent what."""
    return ("celery", "-A", "zsk", "beat", "--loglevel", "INFO", "--schedule", str(folder / "beat-schedule"))
