"""One answer to many questions: counts of one service, a portal or all, in a region, by period and parts.

Every number comes from the partitions that the pages read: a service's totals and facts, the totals across
services, and for portals the totals of the services that each held in the month.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Max, Q

from ozgsync.models import Level, RegionVersion, ars_prefix
from portals.models import Portal
from reports.queries import corrections, service_counts
from reports.queries.portal_page import HELD
from reports.queries.regions import Area, Place
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
    """`parts`: the level that the region is divided into; `by_service` divides by services instead."""

    first: dt.date
    last: dt.date
    grain: str
    place: Place
    parts: Level | None = None
    by_service: bool = False
    service: OnlineService | None = None
    portal: Portal | None = None

    @property
    def span(self) -> list[dt.date]:
        return months.span(self.first, self.last)

    @property
    def digits(self) -> int:
        """How many leading digits of a key name a part."""
        return len(self.place.prefix) if self.parts is None else len(ars_prefix("0" * 12, self.parts))


@dataclass(frozen=True, slots=True)
class Cell:
    """A period's sum of one part. `reported` of `months` have a value; None is no value in any of them.

    `key` is an ARS or a service's number, empty for the whole; None for what is in none of the parts.
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


def period_of(month: dt.date, grain: str) -> str:
    if grain == "jahr":
        return f"{month:%Y}"
    return f"{month:%Y}-Q{(month.month + 2) // 3}" if grain == "quartal" else f"{month:%Y-%m}"


def evaluate(question: Question) -> list[Cell]:
    """By period, within it by part. At most four queries. Raises TooMuch before the numbers are read."""
    regions = _regions(question)
    _refuse_too_much(question, len(regions))
    found, corrected = _found(question), _corrected(question)
    cells: list[Cell] = []
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
            cells += _parts(period, [region for region in regions if region.there(span)])
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

    def rest(self, known: set[str]) -> Cell | None:
        """What was found for none of the parts."""
        beyond = [[value for part, value in sums.items() if part not in known] for sums in self.found]
        values = [sum(month) for month in beyond if month]
        return self._cell(None, "", values, False) if values else None

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


def _parts(period: _Period, there: Sequence[_Region]) -> list[Cell]:
    """The regions that there were at some time in the period, by their last name in it, and the rest."""
    newest = {region.ars: region for region in there}
    cells = [period.cell(region.ars, region.title, region.part) for region in newest.values()]
    rest = period.rest({region.part for region in there})
    return [*cells, rest] if rest else cells


def _refuse_too_much(question: Question, regions: int) -> None:
    parts = OnlineService.objects.published().count() if question.by_service else regions
    if (values := parts * len(question.span)) > MOST_VALUES:
        raise TooMuch(values)


def _found(question: Question) -> Found:
    within = question.place.prefix
    if question.service:
        counts = service_counts.counts(
            service=question.service.pk, months_wanted=question.span, digits=question.digits, within=within
        )
        return _by_month((month, part, total) for (month, part), total in counts.items())
    if question.portal is None and not question.by_service:
        rows = totals.by_area(first=question.first, last=question.last, digits=question.digits, within=within)
        return _by_month((row.month, row.area, row.total) for row in rows)
    return _summed(question, "monthly_total")


def _corrected(question: Question) -> Found:
    """Months and parts that hold a value changed after its month was closed; the sums say nothing."""
    if question.service:
        places = corrections.of_service(
            question.service.pk, question.span, digits=question.digits, within=question.place.prefix
        )
        return _by_month((month, part, 0) for month, part in places)
    return _summed(question, "(SELECT service_id, month, ars AS region, 0 AS total FROM count_correction)")


def _by_month(rows: Iterable[tuple[dt.date, str, int]]) -> Found:
    found: Found = defaultdict(dict)
    for month, part, total in rows:
        found[month][part] = total
    return found


def _summed(question: Question, table: str) -> Found:
    """From rows of each published service; where only Länder are published, Kreise do not show it."""
    statement = f"""
        SELECT month, {"service_id" if question.by_service else "left(area, %(digits)s)"}, sum(total)::bigint
          FROM (
            SELECT m.service_id, m.month, m.total, {SHOWN_REGION} AS area
              FROM {table} m
              JOIN services_onlineservice o ON o.id = m.service_id AND o.published_at IS NOT NULL
              {_held(question, "m.service_id")}
             WHERE m.month BETWEEN %(first)s AND %(last)s
        ) AS shown WHERE area BETWEEN %(low)s AND %(high)s GROUP BY 1, 2
    """
    within = question.place.prefix
    params = {
        **_params(question), "first": question.first, "last": question.last, "digits": question.digits,
        "low": within.ljust(12, "0"), "high": within.ljust(12, "9"),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows = cursor.fetchall()
    return _by_month(
        (month, service_number(part) if question.by_service else part, total) for month, part, total in rows
    )


def _held(question: Question, service: str) -> str:
    """A portal's services, each in the months in which it belonged to it; `m` is the month's table."""
    if question.portal is None:
        return ""
    return (
        f"JOIN services_portalservice h ON h.service_id = {service} AND h.portal_id = %(portal)s AND {HELD}"
    )


def _params(question: Question) -> dict[str, Any]:
    return {
        "portal": question.portal.pk if question.portal else None,
        "service": question.service.pk if question.service else None,
    }


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
        Q(valid_to__isnull=True) | Q(valid_to__gt=question.first),
        valid_from__lte=question.last,
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
        cursor.execute(statement, {**_params(question), "months": question.span})
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
