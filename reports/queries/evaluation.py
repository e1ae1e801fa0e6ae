"""One answer to many questions: counts of one service, a portal or all, in a region, by period and parts.

Every number comes from the partitions that the pages read: a service's totals and facts, the totals across
services, and for portals the totals of the services that each held in the month.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Max, Q

from ozgsync.models import Level, RegionVersion, ars_prefix
from portals.models import Portal
from reports.queries import service_counts
from reports.queries.portal_page import HELD
from reports.queries.regions import Area, Place
from services.models import OnlineService, ServiceState, service_number
from transactions import totals
from transactions.publication import SHOWN_REGION
from zsk import months

Found = dict[tuple[dt.date, str], int]


# A year of all Gemeinden is one question; ten years of them are ten.
MOST_VALUES = 150_000


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
    """

    period: str
    key: str | None
    name: str
    value: int | None
    reported: int
    months: int
    running: bool


def period_of(month: dt.date, grain: str) -> str:
    if grain == "jahr":
        return f"{month:%Y}"
    return f"{month:%Y}-Q{(month.month + 2) // 3}" if grain == "quartal" else f"{month:%Y-%m}"


def evaluate(question: Question) -> list[Cell]:
    """By period, within it by part. At most three queries. Raises TooMuch before the numbers are read."""
    versions = _versions(question)
    _refuse_too_much(question, len(versions))
    found = _found(question)
    periods: dict[str, list[dt.date]] = defaultdict(list)
    for month in question.span:
        periods[period_of(month, question.grain)].append(month)
    if question.by_service:
        names = _service_names(found)
        return [
            _cell(period, key, name, key, span, found)
            for period, span in periods.items()
            for key, name in names.items()
        ]
    if question.parts is None:
        key = question.place.prefix
        return [_cell(period, "", "", key, span, found) for period, span in periods.items()]
    return [
        cell for period, span in periods.items() for cell in _parts(question, period, span, versions, found)
    ]


def _refuse_too_much(question: Question, regions: int) -> None:
    parts = OnlineService.objects.published().count() if question.by_service else regions
    if (values := parts * len(question.span)) > MOST_VALUES:
        raise TooMuch(values)


def _parts(
    question: Question, period: str, span: Sequence[dt.date], versions: Sequence[RegionVersion], found: Found
) -> list[Cell]:
    """The regions that there were at some time in the period, and what was reported for none of them."""
    there = {
        version.region_id: Area(version.region_id, version.name, None, version.kind)
        for version in versions
        if version.valid_from <= span[-1] and (version.valid_to is None or version.valid_to > span[0])
    }
    cells = [
        _cell(period, ars, area.title, ars[: question.digits], span, found) for ars, area in there.items()
    ]
    known = {ars[: question.digits] for ars in there}
    wanted = set(span)
    rest = [(month, value) for (month, key), value in found.items() if month in wanted and key not in known]
    if rest:
        reported = len({month for month, _value in rest})
        value = sum(value for _month, value in rest)
        cells.append(Cell(period, None, "", value, reported, len(span), months.running() in wanted))
    return cells


def _cell(
    period: str, key: str, name: str, found_as: str, span: Sequence[dt.date], found: Found
) -> Cell:  # fmt: skip
    values = [found[month, found_as] for month in span if (month, found_as) in found]
    return Cell(
        period, key, name, sum(values) if values else None, len(values), len(span), months.running() in span
    )


def _found(question: Question) -> Found:
    within = question.place.prefix
    if question.service:
        return service_counts.counts(
            service=question.service.pk, months_wanted=question.span, digits=question.digits, within=within
        )
    if question.portal is None and not question.by_service:
        rows = totals.by_area(first=question.first, last=question.last, digits=question.digits, within=within)
        return {(row.month, row.area): row.total for row in rows}
    return _summed(question)


def _summed(question: Question) -> Found:
    """From the totals of each published service; where only Länder are published, Kreise do not show it."""
    statement = f"""
        SELECT month, {"service_id" if question.by_service else "left(area, %(digits)s)"}, sum(total)::bigint
          FROM (
            SELECT m.service_id, m.month, m.total, {SHOWN_REGION} AS area
              FROM monthly_total m
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
    return {(month, service_number(key) if question.by_service else key): total for month, key, total in rows}


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


def _service_names(found: Found) -> dict[str, str]:
    """Services with any number in question, by number."""
    keys = {int(number.removeprefix("OS-")) for _month, number in found}
    names = OnlineService.objects.filter(pk__in=keys).order_by("pk").values_list("pk", "name")
    return {service_number(pk): name for pk, name in names}


def _versions(question: Question) -> list[RegionVersion]:
    """The parts that there were at some time in question; the latest of a key last."""
    if question.parts is None:
        return []
    return list(
        RegionVersion.objects.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gt=question.first),
            valid_from__lte=question.last,
            region__ars__startswith=question.place.prefix,
            region__level_top__lte=question.parts,
            region__level_bottom__gte=question.parts,
        ).order_by("region", "valid_from")
    )


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
