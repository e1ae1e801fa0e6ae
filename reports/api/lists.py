"""`/api/v1/onlineservices`, `/regionen`, `/leistungen`: lists for everyone, whole or what changed since."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from ozgsync.models import Leistung, Level, RegionVersion
from reports.api import description
from reports.api.views import OpenView, page
from reports.caching import Version
from reports.queries import open_lists
from services.models import NUMBER, OnlineService
from transactions import api_parameters as parameters
from transactions.problems import ApiProblem, absolute

LEVELS = {
    "bund": Level.BUND, "land": Level.LAND, "regierungsbezirk": Level.REGBEZ, "kreis": Level.KREIS,
    "gemeindeverband": Level.VERBAND, "gemeinde": Level.GEMEINDE,
}  # fmt: skip
LEVEL_NAMES = {level.value: name for name, level in LEVELS.items()}
EVERY = "alle"
_VERSION = re.compile(r"(\d{12})-(\d{4}-\d{2}-\d{2})", re.ASCII)


class ServicesView(OpenView):
    query_fields = frozenset(
        {"suche", "leistung", "themenfeld", "portal", "ars", "geaendert_seit", "limit", "nach"}
    )

    @extend_schema(**description.SERVICES)
    def get(self, request: Request) -> HttpResponseBase:
        return self.respond(request)

    def answer(self, request: Request, version: Version) -> dict[str, Any]:
        limit = parameters.limit(request)
        after = parameters.text(request, "nach")
        match = NUMBER.match(after)
        if after and not match:
            raise _moved()
        found = open_lists.services(
            search=parameters.text(request, "suche"),
            leistung=_digits(request, "leistung"),
            themenfeld=parameters.text(request, "themenfeld"),
            portal=parameters.text(request, "portal"),
            within=parameters.ars_within(request) if parameters.text(request, "ars") else None,
            since=parameters.moment(request),
            after=int(match[1]) if match else 0,
            limit=limit + 1,
        )
        return page(
            request,
            found,
            limit=limit,
            line=lambda row: _service(request, row),
            cursor=lambda row: row.number,
        )


class RegionsView(OpenView):
    query_fields = frozenset({"suche", "ebene", "ars", "am", "geaendert_seit", "limit", "nach"})

    @extend_schema(**description.REGIONS)
    def get(self, request: Request) -> HttpResponseBase:
        return self.respond(request)

    def answer(self, request: Request, version: Version) -> dict[str, Any]:
        limit = parameters.limit(request)
        since = parameters.moment(request)
        found = open_lists.regions(
            search=parameters.text(request, "suche"),
            level=LEVELS.get(parameters.choice(request, "ebene", list(LEVELS))),
            within=parameters.ars_within(request),
            on=self._day(request, since),
            since=since,
            after=_version_after(request),
            limit=limit + 1,
        )
        return page(
            request, found, limit=limit, line=lambda row: _region(request, row),
            cursor=lambda row: f"{row.region_id}-{row.valid_from}",
        )  # fmt: skip

    def _day(self, request: Request, since: dt.datetime | None) -> dt.date | None:
        """Who asks for changes wants to know of what has ended as well."""
        given = parameters.text(request, "am")
        if given == EVERY or (since and not given):
            return None
        return parameters.day(request, "am") or timezone.localdate()


class LeistungenView(OpenView):
    query_fields = frozenset(
        {"suche", "schluessel", "typisierung", "themenfeld", "ozg_id", "geaendert_seit", "limit", "nach"}
    )

    @extend_schema(**description.LEISTUNGEN)
    def get(self, request: Request) -> HttpResponseBase:
        return self.respond(request)

    def answer(self, request: Request, version: Version) -> dict[str, Any]:
        limit = parameters.limit(request)
        found = open_lists.leistungen(
            search=parameters.text(request, "suche"),
            key=_digits(request, "schluessel"),
            kind=parameters.text(request, "typisierung"),
            themenfeld=parameters.text(request, "themenfeld"),
            ozg_id=parameters.text(request, "ozg_id"),
            since=parameters.moment(request),
            after=_digits(request, "nach"),
            limit=limit + 1,
        )
        return page(request, found, limit=limit, line=_leistung, cursor=lambda row: row.schluessel)


def _moved() -> ApiProblem:
    return ApiProblem("nicht_lesbar", _("nach muss so bleiben, wie es in „weiter“ steht."))


def _version_after(request: Request) -> tuple[str, dt.date] | None:
    given = parameters.text(request, "nach")
    if not given:
        return None
    if match := _VERSION.fullmatch(given):
        with contextlib.suppress(ValueError):
            return match[1], dt.date.fromisoformat(match[2])
    raise _moved()


def _digits(request: Request, name: str) -> str:
    """A key of a Leistung or its first digits, written with or without blanks."""
    given = parameters.text(request, name).replace(" ", "")
    if given and not (given.isascii() and given.isdecimal() and len(given) <= 14):
        detail = _("%(name)s muss ein Leistungsschlüssel mit 14 Ziffern sein oder dessen erste Ziffern.")
        raise ApiProblem("nicht_lesbar", detail % {"name": name})
    return given


def _service(request: Request, row: Any) -> dict[str, Any]:
    service: OnlineService = row
    leistung = service.leistung
    state = getattr(service, "state", None)
    return {
        "onlineservice": service.number,
        "name": service.name,
        "behoerde": service.authority.name,
        "leistungsschluessel": leistung.schluessel,
        "leistung": leistung.name,
        "weitere_leistungen": [more.schluessel for more in service.more_leistungen.all()],
        **_classified(leistung),
        "meldeebene": service.reporting_level,
        "einzugsgebiet": [region.ars for region in service.area.all()],
        "portal": row.held_by[0].portal.kuerzel if row.held_by else None,
        "adresse": service.url or None,
        "in_betrieb_seit": service.live_from,
        "ausser_betrieb_seit": service.ended_on,
        "regionen_bis": LEVEL_NAMES[service.published_depth],
        "letzter_monat": f"{state.last_month:%Y-%m}" if state and state.last_month else None,
        "veroeffentlicht_am": parameters.zulu(service.published_at),
        "geaendert_am": parameters.zulu(service.changed_at),
        "url": absolute(request, service.get_absolute_url()),
    }


def _classified(leistung: Leistung) -> dict[str, Any]:
    bundle = leistung.ozg_leistung
    return {
        "typisierung": leistung.types,
        "aufforderung": leistung.invitation.value or None,
        "ozg_id": bundle.ozg_id if bundle else None,
        "themenfeld": bundle.themenfeld_id if bundle else None,
    }


def _region(request: Request, version: RegionVersion) -> dict[str, Any]:
    region = version.region
    return {
        "ars": region.ars,
        "name": version.name,
        "art": version.kind or None,
        "ebene": LEVEL_NAMES[region.level_top],
        "ebene_bis": LEVEL_NAMES[region.level_bottom],
        "uebergeordnet": version.parent_id,
        "einwohner": version.inhabitants,
        "gueltig_ab": version.valid_from,
        "gueltig_bis": version.valid_to,
        "geaendert_am": parameters.zulu(version.changed_at),
        "url": absolute(request, reverse("reports:region", args=[region.ars])),
    }


def _leistung(leistung: Leistung) -> dict[str, Any]:
    bundle = leistung.ozg_leistung
    return {
        "leistungsschluessel": leistung.schluessel,
        "name": leistung.name,
        **_classified(leistung),
        "ozg_leistung": bundle.name if bundle else None,
        "fokus": leistung.focus,
        "gueltig_ab": leistung.valid_from,
        "gueltig_bis": leistung.valid_to,
        "nachfolger": [change.new_id for change in leistung.changes_from.all()],
        "geaendert_am": parameters.zulu(leistung.changed_at),
    }
