"""`manage.py load_demo`: load synthetic demo data into an installation without services."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from transactions.models import TransactionCount
from zsk import formats
from zsk.demo import LOGINS, subject
from zsk.demo.loading import DemoRefused, load_demo


class Command(BaseCommand):
    help = "Lädt synthetische Demodaten, wenn noch kein Onlineservice da ist."

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        try:
            loaded = load_demo()
        except DemoRefused as error:
            raise CommandError(str(error)) from error
        if User.objects.filter(username=LOGINS[0].username).exists():
            _write_logins()
            _bind_to_keycloak()
        if not loaded:
            self.stdout.write("Demodaten: schon da, nichts geändert")
            return
        count, seconds = formats.number(TransactionCount.objects.count()), time.monotonic() - began
        self.stdout.write(f"Demodaten: {count} synthetische Werte in {seconds:.0f} s")


def _bind_to_keycloak() -> None:
    """Where a Keycloak runs beside the demo, it knows the same people."""
    for login in LOGINS:
        User.objects.filter(username=login.username, sub=None).update(sub=subject(login.username))


def _write_logins() -> None:
    """For whoever starts the demo without Django, and shows them."""
    path = settings.DATA_DIR / "logins.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    width = max(len(login.username) for login in LOGINS)
    lines = [f"{login.username:<{width}}  {login.password:<18}{login.role}" for login in LOGINS]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
