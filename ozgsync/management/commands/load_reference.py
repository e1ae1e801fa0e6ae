"""`manage.py load_reference`: load the committed reference data; safe to repeat."""

from typing import Any

from django.core.management.base import BaseCommand

from ozgsync.loading import load_reference
from zsk import formats


class Command(BaseCommand):
    help = "Lädt Regionen, Gebietsänderungen, Themenfelder und Leistungen; sagt, was sich geändert hat."

    def handle(self, *args: Any, **options: Any) -> None:
        for table in load_reference():
            new, changed, same = (formats.number(count) for count in table[1:])
            self.stdout.write(f"{table.title}: {new} neu, {changed} geändert, {same} unverändert")
