"""A file to fill in: a person's services, the regions that each reports, and the months that are missing."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from ozgsync.models import Region, ars_prefix
from services.models import OnlineService, ReportingLevel
from services.standing import TO_DO, missing_months, with_standing
from transactions.references import names, successors
from transactions.sources.tables import FIELDS
from zsk import formats, months
from zsk.kinds import CSV
from zsk.tables import Table

MOST_ROWS = 50_000
MOST_SERVICES = 1_000
_BATCH = 50  # services whose regions are read at once
HEADER = [*FIELDS, "bezeichnung"]


@dataclass(frozen=True)
class Part:
    """The rows of one service: every region in every month. `cut`: months that found no room."""

    service: OnlineService
    regions: list[str]
    months: list[dt.date]
    cut: int = 0

    def __len__(self) -> int:
        return len(self.regions) * len(self.months)

    @property
    def last_month(self) -> dt.date:
        return self.months[-1]


@dataclass(frozen=True)
class Blank:
    """`left_out` services have months to deliver but no room, `unknown` ones no region of their level."""

    parts: list[Part]
    left_out: int
    unknown: list[OnlineService]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def __bool__(self) -> bool:
        return True  # one without rows is an answer too

    @property
    def cut(self) -> list[Part]:
        return [part for part in self.parts if part.cut]


def make(by: User, *, service: OnlineService | None = None, span: Sequence[dt.date] | None = None) -> Blank:
    """What to fill in for one service, or for all that the person may deliver for; the most urgent first.

    `span` are the months; without it those that are missing, and for a service that lacks none the last full
    one. Some queries for each 50 services, until MOST_ROWS rows are full.
    """
    wanted = _wanted(by, service, span)
    parts: list[Part] = []
    unknown: list[OnlineService] = []
    room, left_out = MOST_ROWS, len(wanted[MOST_SERVICES:])
    for start in range(0, len(wanted[:MOST_SERVICES]), _BATCH):
        some = wanted[:MOST_SERVICES][start : start + _BATCH]
        regions = _regions([one for one, _missing in some]) if room else {}
        for one, missing in some:
            own = regions.get(one.pk, [])
            fitting = missing[: room // len(own)] if own else []
            if fitting:
                parts.append(Part(one, own, fitting, cut=len(missing) - len(fitting)))
                room -= len(parts[-1])
            elif own or not room:
                left_out += 1
            else:
                unknown.append(one)
    return Blank(parts, left_out, unknown)


def _wanted(
    by: User, service: OnlineService | None, span: Sequence[dt.date] | None
) -> list[tuple[OnlineService, list[dt.date]]]:
    """Services with the months to fill in, those without any left away."""
    services = with_standing(OnlineService.objects.deliverable_by(by))
    if service:
        services = services.filter(pk=service.pk)
    elif not span:
        services = services.filter(standing__in=TO_DO)
    chosen = services.select_related("state", "authority__region").prefetch_related("area")
    found = [
        (one, _months(one, span, alone=service is not None))
        for one in chosen.order_by("urgency", "name", "pk")
    ]
    return [(one, missing) for one, missing in found if missing]


def _months(service: OnlineService, span: Sequence[dt.date] | None, *, alone: bool) -> list[dt.date]:
    if not span:
        return missing_months(service) or ([months.last_full()] if alone else [])
    return [
        month
        for month in span
        if not (service.live_from and months.first_of(service.live_from) > month)
        and not (service.ended_on and service.ended_on <= month)
    ]


def _regions(services: Sequence[OnlineService]) -> dict[int, list[str]]:
    """The regions that each service reported last, as they are today; else its area at its level."""
    found = _valid(_reported(services))
    others = [service for service in services if not found.get(service.pk)]
    return found | _areas(others)


def _reported(services: Sequence[OnlineService]) -> dict[int, set[str]]:
    states = [service.state for service in services if hasattr(service, "state") and service.state.last_month]
    ids = [state.service_id for state in states]
    result: defaultdict[int, set[str]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_REPORTED, {"services": ids, "months": [state.last_month for state in states]})
        for service, ars in cursor.fetchall():
            result[service].add(ars)
    return result


# Services and months are named as lists as well, so that a distributed database need not fetch all facts.
_REPORTED = """
    SELECT f.service_id, f.ars FROM unnest(%(services)s::bigint[], %(months)s::date[]) AS last(service, month)
      JOIN transaction_count f ON f.service_id = last.service AND f.month = last.month
     WHERE f.service_id = ANY(%(services)s::bigint[]) AND f.month = ANY(%(months)s::date[])
"""


def _valid(reported: dict[int, set[str]]) -> dict[int, list[str]]:
    """With the successors of regions that are no more."""
    keys = set[str]().union(*reported.values())
    valid = set(Region.objects.valid_in(months.last_full()).filter(pk__in=keys).values_list("pk", flat=True))
    later = successors(keys - valid, months.last_full())
    return {
        service: sorted(own & valid | set[str]().union(*(later.get(ars, ()) for ars in own - valid)))
        for service, own in reported.items()
    }


def _areas(services: Sequence[OnlineService]) -> dict[int, list[str]]:
    wanted = list(itertools.chain.from_iterable(map(_key_ranges, services)))
    result: dict[int, list[str]] = {}
    with connection.cursor() as cursor:
        columns = [list(column) for column in zip(*wanted, strict=True)] or [[]] * 4
        cursor.execute(_AREAS, [*columns, months.last_full(), months.last_full()])
        for service, ars in cursor.fetchall():
            result.setdefault(service, []).append(ars)
    return result


def _key_ranges(service: OnlineService) -> Iterator[tuple[int, str, str, int]]:
    """(service, first key, last key, level) for each part of the area, or of its authority's without one.

    Where a part is smaller than a region of the level, the region that it lies in.
    """
    level = ReportingLevel(service.reporting_level).level
    for region in service.area.all() or [service.authority.region]:
        if level is None or region.level_top <= level <= region.level_bottom:
            yield service.pk, region.ars, region.ars, level or region.level_top
        elif region.level_bottom < level:
            yield service.pk, region.prefix.ljust(12, "0"), region.prefix.ljust(12, "9"), level
        else:
            lies_in = ars_prefix(region.ars, level).ljust(12, "0")
            yield service.pk, lies_in, lies_in, level


_AREAS = """
    SELECT DISTINCT part.service, r.ars
      FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::int[]) AS part(service, first, last, level)
      JOIN ozgsync_region r ON r.ars BETWEEN part.first AND part.last
           AND part.level BETWEEN r.level_top AND r.level_bottom
      JOIN ozgsync_regionversion v ON v.ars = r.ars AND v.valid_from <= %s
           AND (v.valid_to IS NULL OR v.valid_to > %s)
     ORDER BY 1, 2
"""


def table(blank: Blank, kind: str) -> Table:
    """The file; `anzahl` is empty, and `bezeichnung`, which nobody reads on upload, names the region."""
    widths = {"onlineservice": 15, "ars": 16, "monat": 11, "anzahl": 14, "bezeichnung": 70}
    notes = _notes(blank) if kind != CSV else ()
    rows = enumerate(_rows(blank.parts), start=2)
    return Table(HEADER, rows, kind, sheet="Lieferung", numbers=["anzahl"], widths=widths, notes=notes)


def _rows(parts: Iterable[Part]) -> Iterator[list[str]]:
    named = names({ars for part in parts for ars in part.regions})
    for part in parts:
        for month in part.months:
            for ars in part.regions:
                label = f"{named.get(ars, '')}, {part.service.name}"
                yield [part.service.number, ars, f"{month:%Y-%m}", "", label]


_NOTES = (
    (
        gettext_lazy("So geht es"),
        gettext_lazy(
            "Tragen Sie im Blatt „Lieferung“ in die Spalte anzahl die Zahlen ein und laden Sie die Datei"
            " unter „Liefern“ hoch. Vor dem Speichern sehen Sie eine Vorschau."
        ),
    ),
    ("onlineservice", gettext_lazy("Nummer des Onlineservice in der ZSK. Nicht ändern.")),
    (
        "ars",
        gettext_lazy(
            "Amtlicher Regionalschlüssel mit 12 Ziffern. Die Spalte ist als Text formatiert, damit führende"
            " Nullen bleiben. Zeilen für weitere Regionen dürfen Sie ergänzen."
        ),
    ),
    ("monat", gettext_lazy("Jahr und Monat, zum Beispiel 2026-05.")),
    (
        "anzahl",
        gettext_lazy(
            "Ganze Zahl ab 0. Gab es keine Transaktion, schreiben Sie 0. Ist die Zahl nicht bekannt, löschen"
            " Sie die ganze Zeile: Leere Zellen werden abgelehnt."
        ),
    ),
    ("bezeichnung", gettext_lazy("Nur zur Orientierung: Region und Onlineservice. Wird nicht gelesen.")),
)


def _notes(blank: Blank) -> list[tuple[str, str]]:
    return [
        *((str(name), str(text)) for name, text in _NOTES),
        *((_("Nicht enthalten"), text) for text in left_out(blank)),
    ]


def left_out(blank: Blank) -> list[str]:
    """What the file leaves out, in sentences."""
    sentences = []
    if blank.left_out:
        words = {"count": formats.number(blank.left_out), "most": formats.number(MOST_ROWS)}
        text = _(
            "%(count)s weitere Onlineservices: Eine Vorlage hat höchstens %(most)s Zeilen."
            " Holen Sie für sie eine eigene."
        )
        sentences.append(text % words)
    for part in blank.cut:
        words = {"service": part.service.name, "first": formats.month(months.shift(part.last_month, 1))}
        sentences.append(_("%(service)s: die Monate ab %(first)s, für die der Platz nicht reicht.") % words)
    for service in blank.unknown:
        text = _(
            "%(service)s: Im Einzugsgebiet gibt es keine Region der Meldeebene. Prüfen Sie die Stammdaten."
        )
        sentences.append(text % {"service": service.name})
    return sentences
