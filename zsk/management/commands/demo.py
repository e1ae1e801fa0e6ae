"""`manage.py demo`: the whole ZSK on this machine; the same as `make demo`."""

from typing import Any

from django.core.management.base import BaseCommand

from zsk import supervisor


class Command(BaseCommand):
    help = "Startet die Demo: Server, Webserver, Celery. Strg+C beendet alles."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        raise SystemExit(supervisor.main(["demo"]))
