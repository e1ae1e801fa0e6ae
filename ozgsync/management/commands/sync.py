"""`manage.py sync <source>`: bring reference data in step with a register, or with a file in its format."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ozgsync import sources
from ozgsync.models import SyncRun
from ozgsync.sync import running
from zsk import formats


class Command(BaseCommand):
    help = "Gleicht Referenzdaten mit einer Quelle oder einer Datei in deren Format ab."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("quelle", choices=sources.names())
        parser.add_argument("--datei", type=Path, help="statt der Quelle diese Datei lesen")
        parser.add_argument(
            "--alles", action="store_true", help="nicht nur, was sich seit dem letzten Lauf geändert hat"
        )
        parser.add_argument(
            "--bestaetigen", action="store_true", help="auch übernehmen, wenn sich ungewöhnlich viel ändert"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, file = options["quelle"], options["datei"]
        if file is None and not settings.SYNC_FEEDS[name].address:
            raise CommandError(f"Für „{name}“ ist keine Adresse gesetzt (SYNC_{name.upper()}_URL).")
        if file is not None and not file.is_file():
            raise CommandError(f"Die Datei {file} gibt es nicht.")
        try:
            run = running.run(
                sources.source(name), actor="Kommandozeile", file=file.name if file else "",
                content=iter([file.read_bytes()]) if file else None, everything=options["alles"],
                confirmed=options["bestaetigen"], progress=self._progress,
            )  # fmt: skip
        except running.Busy:
            raise CommandError("Ein anderer Abgleich läuft gerade.") from None
        self._tell(run)

    def _progress(self, step: str, count: int) -> None:
        """One line that changes in place; nothing where no person is looking."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r{step} {count or ''}".ljust(40), ending="")

    def _tell(self, run: SyncRun) -> None:
        if sys.stderr.isatty():
            self.stderr.write("")
        if run.status == SyncRun.Status.FAILED:
            raise CommandError(run.error)
        counts = (run.new_count, run.changed_count, run.ended_count, run.same_count)
        words = ("neu", "geändert", "beendet", "unverändert")
        told = ", ".join(f"{formats.number(n)} {word}" for n, word in zip(counts, words, strict=True))
        self.stdout.write(f"{run.source}, Fassung {run.version}: {run.get_status_display()}: {told}")
        for warning in run.warnings:
            self.stdout.write(f"Hinweis: {warning}")
        if run.status == SyncRun.Status.WAITING:
            self.stdout.write("Es ändert sich ungewöhnlich viel: bitte unter /betrieb/abgleich/ bestätigen.")
