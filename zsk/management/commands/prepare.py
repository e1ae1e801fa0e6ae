"""`manage.py prepare`: bring an installation to the state of this release; safe to repeat."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migriert die Datenbank und lädt die Referenzdaten; mit --demo auch die Demodaten."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="auch Demodaten und statische Dateien")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        # One process for all: each start of Django takes longer than most of these steps.
        call_command("migrate", interactive=False, verbosity=options["verbosity"])
        call_command("load_reference")
        if demo:
            call_command("collectstatic", interactive=False, verbosity=0)
            call_command("load_demo")
