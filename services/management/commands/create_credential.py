"""`manage.py create_credential OS-000001 --name Test`: make an API key and show it once."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from portals.models import Portal
from services.credentials import CredentialError, issue_api_key
from services.key_example import command
from services.models import NUMBER, OnlineService
from zsk import site


class Command(BaseCommand):
    help = "Stellt einen Zugangsschlüssel für einen Onlineservice oder ein Portal aus und zeigt ihn einmal."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", nargs="?", help="Nummer des Onlineservices, zum Beispiel OS-000001")
        parser.add_argument("--portal", help="Kürzel des Portals, statt der Nummer")
        parser.add_argument("--name", required=True, help="woran Menschen den Schlüssel erkennen")
        parser.add_argument("--expires", help="letzter Tag der Gültigkeit, zum Beispiel 2027-01-31")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["number"]) == bool(options["portal"]):
            raise CommandError(_("Nennen Sie entweder die Nummer eines Onlineservices oder --portal."))
        portal = _portal(options["portal"]) if options["portal"] else None
        service = None if portal else _service(options["number"])
        expires = _end_of_day(options["expires"]) if options["expires"] else None
        try:
            credential, key = issue_api_key(
                service=service, portal=portal, name=options["name"], by=None, expires_at=expires
            )
        except CredentialError as error:
            raise CommandError(str(error)) from error
        say = self.stdout.write
        say(
            _("Zugangsschlüssel „%(name)s“ für %(owner)s")
            % {"name": credential.name, "owner": service or portal}
        )
        say("\n" + key + "\n")
        say(_("Er wird nur dieses eine Mal gezeigt; gespeichert ist nur ein Prüfwert."))
        say(_("So probieren Sie ihn aus (ohne „probelauf“ wird gespeichert):"))
        say("\n" + command(key=key, site=site.local_address(), service=service, portal=portal))


def _service(number: str) -> OnlineService:
    match = NUMBER.fullmatch(number)
    service = match and OnlineService.objects.filter(pk=int(match[1])).first()
    if not service:
        raise CommandError(
            _("Den Onlineservice %(number)s gibt es nicht; eine Nummer sieht so aus: OS-000123.")
            % {"number": number}
        )
    return service


def _portal(kuerzel: str) -> Portal:
    if portal := Portal.objects.filter(kuerzel=kuerzel).first():
        return portal
    known = ", ".join(Portal.objects.order_by("kuerzel").values_list("kuerzel", flat=True)) or "–"
    raise CommandError(
        _("Das Portal %(kuerzel)s gibt es nicht; bekannt sind: %(known)s.")
        % {"kuerzel": kuerzel, "known": known}
    )


def _end_of_day(text: str) -> dt.datetime:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(_("--expires erwartet einen Tag wie 2027-01-31, nicht „%s“.") % text) from error
    if day < timezone.localdate():
        raise CommandError(_("--expires %s liegt in der Vergangenheit.") % text)
    return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))
