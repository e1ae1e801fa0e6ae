"""What stands behind the `?` of an address of the interface: read, or refused with what would be right."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from ozgsync.models import Region
from transactions.api_description import DEFAULT_PAGE, MAX_PAGE
from transactions.problems import ApiProblem, absolute
from transactions.values import FIRST_MONTH
from zsk import months

ARS_DIGITS = 12


def refuse_unknown(request: Request, known: frozenset[str]) -> None:
    """A `?probelauf=true` that nobody reads would store what was meant to be tried."""
    if unknown := [name for name in request.query_params if name not in known]:
        detail = _("Den Parameter „%(name)s“ gibt es in dieser Adresse nicht.")
        allowed = _("Es gibt: %(names)s.") % {"names": ", ".join(sorted(known))} if known else ""
        raise ApiProblem("nicht_lesbar", f"{detail % {'name': unknown[0][:40]}} {allowed}".rstrip())


def text(request: Request, name: str, *, most: int = 100) -> str:
    """Empty where it is missing; a NUL, which PostgreSQL cannot read, is a blank."""
    return str(request.query_params.get(name, "")).replace("\0", " ").strip()[:most]


def limit(request: Request) -> int:
    given = request.query_params.get("limit", str(DEFAULT_PAGE))
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and 1 <= int(given) <= MAX_PAGE):
        detail = _("limit muss eine Zahl von 1 bis %(most)d sein.") % {"most": MAX_PAGE}
        raise ApiProblem("nicht_lesbar", detail)
    return int(given)


def choice(request: Request, name: str, choices: list[str], default: str = "") -> str:
    given = text(request, name)
    if given and given not in choices:
        raise ApiProblem(
            "nicht_lesbar",
            _("%(name)s muss eines davon sein: %(choices)s.") % {"name": name, "choices": ", ".join(choices)},
        )
    return given or default


def month(request: Request, name: str) -> dt.date | None:
    """A month that can be delivered, the running one included; None where it is missing."""
    if not (given := text(request, name)):
        return None
    found = months.parse(given)
    if found is None or not FIRST_MONTH <= found <= months.running():
        raise ApiProblem(
            "nicht_lesbar",
            _("%(name)s muss ein Monat von %(first)s bis %(last)s sein, zum Beispiel %(last)s.")
            % {"name": name, "first": f"{FIRST_MONTH:%Y-%m}", "last": f"{months.running():%Y-%m}"},
        )
    return found


def span(request: Request) -> tuple[dt.date | None, dt.date | None]:
    """`von` and `bis`, both included."""
    first, last = month(request, "von"), month(request, "bis")
    if first and last and first > last:
        raise ApiProblem("nicht_lesbar", _("von liegt nach bis."))
    return first, last


def moment(request: Request, name: str = "geaendert_seit") -> dt.datetime | None:
    """A day or a point in time; without a zone it is that of Germany."""
    if not (given := text(request, name)):
        return None
    try:
        # A plus that nobody encoded arrives as a blank.
        found = dt.datetime.fromisoformat(given.replace(" ", "+"))
        found = found if timezone.is_aware(found) else timezone.make_aware(found)
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise ApiProblem(
            "nicht_lesbar",
            _("%(name)s muss ein Tag oder Zeitpunkt sein, zum Beispiel 2026-05-01 oder 2026-05-01T08:00:00Z.")
            % {"name": name},
        ) from error


def day(request: Request, name: str) -> dt.date | None:
    if not (given := text(request, name)):
        return None
    try:
        return dt.date.fromisoformat(given)
    except ValueError as error:
        detail = _("%(name)s muss ein Tag sein, zum Beispiel 2026-05-01.") % {"name": name}
        raise ApiProblem("nicht_lesbar", detail) from error


def ars_within(request: Request, name: str = "ars") -> str:
    """The leading digits of a region and all within it: of a whole key by its level, else as they stand."""
    given = text(request, name)
    if not given:
        return ""
    if not (given.isascii() and given.isdecimal() and len(given) <= ARS_DIGITS):
        detail = _("%(name)s muss ein Regionalschlüssel mit 12 Ziffern sein oder dessen erste Ziffern.")
        raise ApiProblem("nicht_lesbar", detail % {"name": name})
    if len(given) < ARS_DIGITS:
        return given
    region = Region.objects.filter(ars=given).first()
    if region is None:
        detail = _("Die Region %(ars)s gibt es nicht.") % {"ars": given}
        raise ApiProblem("nicht_gefunden", detail)
    return region.prefix


def next_page(request: Request, address: str, **cursor: Any) -> str:
    """The address of the next page: the same question with another cursor."""
    asked = {name: value for name, value in request.query_params.items() if name not in cursor}
    return absolute(request, f"{address}?{urlencode({**asked, **cursor})}")


def zulu(value: dt.datetime | None) -> str | None:
    """A point in time that needs no encoding in an address: `2026-05-01T08:00:00.123456Z`."""
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if value else None
