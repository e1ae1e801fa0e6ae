"""One answer to many questions: counts of one service, a portal or all, in a region, by period and parts.

Every number comes from the partitions that the pages read: a service's totals and facts, the totals across
services, and for portals the totals of the services that each held in the month.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import Max, Q

from ozgsync.models import Level, RegionVersion, ars_prefix
from ozgsync.today import joined
from portals.models import Portal
from reports.queries import corrections, service_counts
from reports.queries.portal_page import HELD
from reports.queries.regions import Area, Divided, Place, divided_areas
from services.models import OnlineService, ServiceState, service_number
from transactions import totals
from transactions.publication import SHOWN_REGION
from zsk import months

# Sums by month, then by part: the leading digits of a region, or a service's number.
Found = dict[dt.date, dict[str, int]]


# Four months of all Gemeinden: what one answer takes a second for.
MOST_VALUES = 50_000


@dataclass
class TooMuch(Exception):
    """The answer would have more than `MOST_VALUES`: parts times months."""

    values: int


@dataclass(frozen=True, slots=True)
class Question:
    """`parts`: the level that the region is divided into; `by_service` divides by services instead.

    `today`: a day whose regions the numbers are given for (heutiger Gebietsstand), not each month's own.
    """

    first: dt.date
    last: dt.date
    grain: str
    place: Place
    parts: Level | None = None
    by_service: bool = False
    service: OnlineService | None = None
    portal: Portal | None = None
    today: dt.date | None = None

    @property
    def span(self) -> list[dt.date]:
        return months.span(self.first, self.last)

    @property
    def depth_today(self) -> Level | None:
        """Of one service the level down to which its regions go their ways; None by each month's regions."""
        return Level(self.service.published_depth) if self.service and self.today else None

    @property
    def digits(self) -> int:
        """How many leading digits of a key name a part."""
        return len(self.place.prefix) if self.parts is None else len(ars_prefix("0" * 12, self.parts))


@dataclass(frozen=True, slots=True)
class Cell:
    """A period's sum of one part. `reported` of `months` have a value; None is no value in any of them.

    `key` is an ARS or a service's number, empty for the whole; None for what is in none of the parts: with
    `divided` what was reported for that region, which a reform divided since, without it the rest.
    `corrected`: something of it was changed after its month was closed.
    """

    period: str
    key: str | None
    name: str
    value: int | None
    reported: int
    months: int
    running: bool
    corrected: bool = False
    divided: Divided | None = None


def period_of(month: dt.date, grain: str) -> str:
    if grain == "jahr":
        return f"{month:%Y}"
    return f"{month:%Y}-Q{(month.month + 2) // 3}" if grain == "quartal" else f"{month:%Y-%m}"


def evaluate(question: Question) -> list[Cell]:
    """By period, within it by part. At most six queries. Raises TooMuch before the numbers are read."""
    regions = _regions(question)
    _refuse_too_much(question, len(regions))
    found, corrected = _found(question), _corrected(question)
    cells: list[Cell] = []
    split = _divided(question, {region.part for region in regions})
    services = _services(found) if question.by_service else []
    for name, span in _periods(question):
        sums = [found.get(month, {}) for month in span]
        fixed = {part for month in span for part in corrected.get(month, ())}
        period = _Period(name, span, sums, fixed, months.running() in span)
        if question.by_service:
            cells += [period.cell(*service) for service in services]
        elif question.parts is None:
            cells.append(period.cell("", "", question.place.prefix))
        else:
            there = [region for region in regions if question.today or region.there(span)]
            cells += _parts(period, there, [found for month, found in split if month in span])
    return cells


def _periods(question: Question) -> list[tuple[str, list[dt.date]]]:
    periods: dict[str, list[dt.date]] = defaultdict(list)
    for month in question.span:
        periods[period_of(month, question.grain)].append(month)
    return list(periods.items())


@dataclass(frozen=True, slots=True)
class _Period:
    """`found` are the sums of each month of the span, by part; `corrected` are parts."""

    name: str
    span: Sequence[dt.date]
    found: Sequence[dict[str, int]]
    corrected: set[str]
    running: bool

    def cell(self, key: str | None, name: str, part: str) -> Cell:
        values = [sums[part] for sums in self.found if part in sums]
        return self._cell(key, name, values, part in self.corrected)

    def beyond(self, known: set[str], split: Sequence[Divided]) -> list[Cell]:
        """What was found for none of the parts: each region that a reform divided, and the rest."""
        outside = [[value for part, value in sums.items() if part not in known] for sums in self.found]
        values = [sum(month) for month in outside if month]
        by_area: dict[tuple[Area, Area], list[int]] = defaultdict(list)
        for found in split:
            by_area[found.area, found.onto].append(found.value)
        cells = [
            replace(self._cell(None, "", part, False), divided=Divided(*areas, sum(part)))
            for areas, part in by_area.items()
        ]
        if not values or (cells and sum(values) == sum(cell.value or 0 for cell in cells)):
            return cells
        remainder = self._cell(None, "", values, False)
        return [*cells, replace(remainder, value=sum(values) - sum(cell.value or 0 for cell in cells))]

    def _cell(self, key: str | None, name: str, values: Sequence[int], corrected: bool) -> Cell:
        total = sum(values) if values else None
        return Cell(self.name, key, name, total, len(values), len(self.span), self.running, corrected)


@dataclass(frozen=True, slots=True)
class _Region:
    """One version of a part."""

    ars: str
    title: str
    part: str
    valid_from: dt.date
    valid_to: dt.date | None

    def there(self, span: Sequence[dt.date]) -> bool:
        return self.valid_from <= span[-1] and (self.valid_to is None or self.valid_to > span[0])


def _parts(period: _Period, there: Sequence[_Region], split: Sequence[Divided]) -> list[Cell]:
    """The regions that there were at some time in the period, by their last name in it, and the rest."""
    newest = {region.ars: region for region in there}
    cells = [period.cell(region.ars, region.title, region.part) for region in newest.values()]
    return [*cells, *period.beyond({region.part for region in there}, split)]


def _divided(question: Question, parts: set[str]) -> list[tuple[dt.date, Divided]]:
    """By month what was reported for regions that a reform divided since and that lie in no part today."""
    if question.today is None or question.parts is None:
        return []
    within = question.place.prefix
    if question.service and question.depth_today is not None:
        found = service_counts.divided(
            service=question.service.pk, months_wanted=question.span, within=within,
            today=question.depth_today,
        )  # fmt: skip
    elif question.portal is None:
        found = totals.divided(first=question.first, last=question.last, within=within)
    else:
        found = _divided_of_portal(question)
    found = [row for row in found if row[2][: question.digits] not in parts]
    return list(zip((row[0] for row in found), divided_areas(found, parts, question.digits), strict=True))


def _refuse_too_much(question: Question, regions: int) -> None:
    parts = OnlineService.objects.published().count() if question.by_service else regions
    if (values := parts * len(question.span)) > MOST_VALUES:
        raise TooMuch(values)


def _found(question: Question) -> Found:
    within = question.place.prefix
    if question.service:
        counts = service_counts.counts(
            service=question.service.pk, months_wanted=question.span, digits=question.digits, within=within,
            today=question.depth_today,
        )  # fmt: skip
        return _by_month((month, part, total) for (month, part), total in counts.items())
    if question.portal is None and not question.by_service:
        rows = totals.by_area(
            first=question.first, last=question.last, digits=question.digits, within=within,
            today=question.today is not None,
        )  # fmt: skip
        return _by_month((row.month, row.area, row.total) for row in rows)
    return _summed(question, "monthly_total")


def _corrected(question: Question) -> Found:
    """Months and parts that hold a value changed after its month was closed; the sums say nothing."""
    if question.service:
        places = corrections.of_service(
            question.service.pk, question.span, digits=question.digits, within=question.place.prefix,
            today=question.depth_today,
        )  # fmt: skip
        return _by_month((month, part, 0) for month, part in places)
    return _summed(question, _CORRECTIONS)


def _by_month(rows: Iterable[tuple[dt.date, str, int]]) -> Found:
    found: Found = defaultdict(dict)
    for month, part, total in rows:
        found[month][part] = total
    return found


# A Kreis goes its way as a whole, as its totals do.
_CORRECTIONS = """
    (SELECT service_id, month, rpad(left(ars, 5), 12, '0') AS region, 0 AS total FROM count_correction)"""


def _summed(question: Question, table: str) -> Found:
    """From rows of each published service; where only Länder are published, Kreise do not show it."""
    part = "service_id" if question.by_service else "left(area, %(digits)s)"
    statement = f"""
        SELECT month, {part}, sum(total)::bigint FROM ({_shown(question, table)}) AS shown
         WHERE area BETWEEN %(low)s AND %(high)s GROUP BY 1, 2
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, _params(question))
        rows = cursor.fetchall()
    return _by_month(
        (month, service_number(part) if question.by_service else part, total) for month, part, total in rows
    )


def _shown(question: Question, table: str) -> str:
    """SQL: rows of the table by the area that they are shown at, with the region that was reported."""
    shown = f"""
        SELECT m.service_id, m.month, m.total, {SHOWN_REGION} AS area
          FROM {table} m
          JOIN services_onlineservice o ON o.id = m.service_id AND o.published_at IS NOT NULL
          {_held(question, "m.service_id")}
         WHERE m.month BETWEEN %(first)s AND %(last)s
    """
    if question.today is None:
        return shown
    return f"""
        SELECT service_id, month, total, coalesce(t.today, area) AS area, area AS reported, t.exact
          FROM ({shown}) AS reported LEFT JOIN {joined("area", "month")}
    """


def _divided_of_portal(question: Question) -> list[tuple[dt.date, str, str, int]]:
    statement = f"""
        SELECT month, reported, area, sum(total)::bigint
          FROM ({_shown(question, "monthly_total")}) AS shown
         WHERE NOT exact AND area BETWEEN %(low)s AND %(high)s GROUP BY 1, 2, 3 ORDER BY 1, 2
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, _params(question))
        return cursor.fetchall()


def _held(question: Question, service: str) -> str:
    """A portal's services, each in the months in which it belonged to it; `m` is the month's table."""
    if question.portal is None:
        return ""
    return (
        f"JOIN services_portalservice h ON h.service_id = {service} AND h.portal_id = %(portal)s AND {HELD}"
    )


def _params(question: Question) -> dict[str, Any]:
    within = question.place.prefix
    return {
        "portal": question.portal.pk if question.portal else None,
        "service": question.service.pk if question.service else None,
        "first": question.first, "last": question.last, "months": question.span, "digits": question.digits,
        "low": within.ljust(12, "0"), "high": within.ljust(12, "9"),
    }  # fmt: skip


def _services(found: Found) -> list[tuple[str, str, str]]:
    """Number, name and part of the services with any number in question."""
    keys = {int(number.removeprefix("OS-")) for sums in found.values() for number in sums}
    names = OnlineService.objects.filter(pk__in=keys).order_by("pk").values_list("pk", "name")
    return [(service_number(pk), name, service_number(pk)) for pk, name in names]


def _regions(question: Question) -> list[_Region]:
    """The parts that there were at some time in question; the latest version of a key last."""
    if question.parts is None:
        return []
    versions = RegionVersion.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=question.today or question.first),
        valid_from__lte=question.today or question.last,
        region__ars__startswith=question.place.prefix,
        region__level_top__lte=question.parts,
        region__level_bottom__gte=question.parts,
    ).order_by("region", "valid_from")
    return [
        _Region(ars, Area(ars, name, None, kind).title, ars[: question.digits], valid_from, valid_to)
        for ars, name, kind, valid_from, valid_to in versions.values_list(
            "region", "name", "kind", "valid_from", "valid_to"
        )
    ]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Service-months: how many were expected in the period, and how many of those came."""

    delivered: int
    expected: int


def coverage(question: Question) -> Coverage:
    """Of published services, whatever the region; who delivered without being expected counts as both."""
    statement = f"""
        SELECT count(t.month), count(*)
          FROM unnest(%(months)s::date[]) AS m (month)
          JOIN services_onlineservice s ON s.published_at IS NOT NULL
               AND (%(service)s::bigint IS NULL OR s.id = %(service)s)
          {_held(question, "s.id")}
          LEFT JOIN service_month t ON t.service_id = s.id AND t.month = m.month
         WHERE t.month IS NOT NULL
            OR (coalesce(s.live_from <= m.month, true) AND coalesce(s.ended_on > m.month, true))
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, _params(question))
        return Coverage(*cursor.fetchone())


def stand(question: Question) -> dt.datetime | None:
    """When the numbers in question last changed by a delivery."""
    states = ServiceState.objects.filter(service__published_at__isnull=False)
    if question.service:
        states = states.filter(service=question.service)
    if question.portal:
        states = states.filter(service__portal_links__portal=question.portal)
    newest: dt.datetime | None = states.aggregate(at=Max("last_delivered_at"))["at"]
    return newest
