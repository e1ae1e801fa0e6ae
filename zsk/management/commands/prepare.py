"""`manage.py prepare`: bring an installation to the state of this release; safe to repeat."""

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

from ozgsync import sources
from ozgsync.models import SyncRun
from ozgsync.sync import running


class Command(BaseCommand):
    help = "Migriert die Datenbank und lädt die Referenzdaten; mit --demo auch die Demodaten."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="auch Demodaten und statische Dateien")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        # One process for all: each start of Django takes longer than most of these steps.
        self.stdout.write("  Tabellen …")
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write("  Referenzdaten …")
        call_command("load_reference")
        if demo:
            self.stdout.write("  Demodaten …")
            call_command("load_demo")
            first_sync()
            self.stdout.write("  Statische Dateien …")
            collect_static()


def first_sync() -> None:
    """One run that shows operations a difference to confirm."""
    if settings.SYNC_FEEDS["fim"].address and not SyncRun.objects.exists():
        running.run(sources.source("fim"), actor="Demo")


def collect_static() -> None:
    """Collect only after a change: to hash and compress all files takes longer than all the rest."""
    stamp = Path(settings.STATIC_ROOT) / ".fingerprint"
    wanted = _fingerprint()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted, encoding="utf-8")


def _fingerprint() -> str:
    digest = hashlib.sha256(repr(settings.STORAGES).encode())
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path}:{found.st_size}:{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
