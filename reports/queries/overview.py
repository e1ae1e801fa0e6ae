"""The open dashboard, from totals only: published services, one month, and the months around it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import Count, Max, OuterRef, Subquery

from ozgsync.models import Level
from reports.queries import corrections
from reports.queries.completeness import Completeness, completeness
from reports.queries.regions import Area, AreaValue, areas, germany
from reports.queries.series import CURVE_MONTHS, Comparable, Period, Point, curve_end, period, points
from services.models import ServiceState, service_number
from transactions import totals
from transactions.models import ServiceMonth
from zsk import months

TOP = 10


@dataclass(frozen=True, slots=True)
class Ranked:
    """A service of the ranking; `before` is None where it reported nothing a year before."""

    number: str
    name: str
    authority: str
    total: int
    before: int | None
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """The month that is not over: what has come in so far."""

    month: dt.date
    total: int | None
    services: int
    last_delivered_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Laender:
    """A month by Land. The rows and `undistributed` add up to `total`; both None without any number."""

    month: dt.date
    rows: tuple[AreaValue, ...]
    undistributed: int | None
    total: int | None
    germany: Area | None
    corrected: bool = False  # something, after the month was closed


@dataclass(frozen=True, slots=True)
class Overview:
    month: dt.date
    first_month: dt.date
    stand: dt.datetime | None
    value: int | None
    single: Period
    twelve: Period
    year: Period
    running: Running
    completeness: Completeness
    curve: tuple[Point, ...]
    laender: Laender
    top: tuple[Ranked, ...]


def overview(*, month: dt.date) -> Overview | None:
    """Everything the dashboard shows for a month; None while no published service has delivered anything."""
    first = totals.first_month()
    if first is None:
        return None
    end = curve_end(month)
    by_land = totals.by_area(first=months.shift(end, -CURVE_MONTHS - 12), last=months.running(), digits=2)
    values: dict[dt.date, int] = defaultdict(int)
    for row in by_land:
        values[row.month] += row.total
    values = dict(values)
    running = months.running()
    fixed = corrections.of_published(months.span(months.shift(end, 1 - CURVE_MONTHS), end), digits=2)
    return Overview(
        month=month,
        first_month=first,
        stand=stand(),
        value=values.get(month),
        single=_compared(period(values, [month])),
        twelve=_compared(period(values, months.span(months.shift(month, -11), month))),
        year=_compared(period(values, months.span(month.replace(month=1), month))),
        running=_running(running, values.get(running)),
        completeness=completeness(month=month),
        curve=tuple(points(values, first=first, last=end, corrected={of for of, _land in fixed})),
        laender=_laender(month, by_land, values.get(month), fixed),
        top=tuple(ranking(month=month, limit=TOP)),
    )


def _laender(
    month: dt.date, rows: Sequence[totals.AreaTotal], total: int | None, fixed: corrections.Places
) -> Laender:
    now = {row.area: row.total for row in rows if row.month == month}
    year_before = months.shift(month, -12)
    before = {row.area: row.total for row in rows if row.month == year_before}
    values = [
        AreaValue(area, now.get(area.ars[:2]), before.get(area.ars[:2]), (month, area.ars[:2]) in fixed)
        for area in areas(level=Level.LAND, month=month)
    ]
    # What is not in a known Land, so that rows and remainder add up whatever the register holds.
    remainder = None if total is None else total - sum(row.value or 0 for row in values)
    corrected = any(of == month for of, _land in fixed)
    return Laender(month, tuple(values), remainder, total, germany(), corrected)


def stand() -> dt.datetime | None:
    """When the numbers of published services last changed by a delivery."""
    published = ServiceState.objects.filter(service__published_at__isnull=False)
    newest: dt.datetime | None = published.aggregate(at=Max("last_delivered_at"))["at"]
    return newest


def _compared(whole: Period) -> Period:
    return replace(whole, comparable=comparable(months_compared=whole.compared)) if whole.compared else whole


def comparable(*, months_compared: Sequence[dt.date]) -> Comparable:
    """Published services with a value for every one of these months and for every same month a year before.

    A month counts as delivered when at least one region was reported for it, a reported 0 included.
    """
    before = [months.shift(month, -12) for month in months_compared]
    # The two periods do not overlap: none is longer than a year.
    wanted = [*months_compared, *before]
    statement = """
        SELECT count(*), coalesce(sum(now), 0)::bigint, coalesce(sum(before), 0)::bigint FROM (
            SELECT sum(total) FILTER (WHERE month = ANY(%(now)s)) AS now,
                   sum(total) FILTER (WHERE month = ANY(%(before)s)) AS before
            FROM service_month JOIN services_onlineservice ON id = service_id AND published_at IS NOT NULL
            WHERE month = ANY(%(wanted)s)
            GROUP BY service_id HAVING count(*) = %(count)s
        ) AS complete
    """
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {"now": list(months_compared), "before": before, "wanted": wanted, "count": len(wanted)},
        )
        return Comparable(*cursor.fetchone())


def _running(month: dt.date, total: int | None) -> Running:
    found = ServiceMonth.objects.filter(month=month, service__published_at__isnull=False).aggregate(
        services=Count("service"), at=Max("last_delivered_at")
    )
    return Running(month, total, found["services"], found["at"])


def ranking(*, month: dt.date, limit: int | None = None) -> list[Ranked]:
    """Published services with a value for the month, most used first."""
    before = ServiceMonth.objects.filter(service=OuterRef("service"), month=months.shift(month, -12))
    rows = (
        ServiceMonth.objects.filter(month=month, service__published_at__isnull=False)
        .annotate(
            before=Subquery(before.values("total")), corrected=corrections.in_month(month, service="service")
        )
        .order_by("-total", "service_id")
        .values_list(
            "service_id", "service__name", "service__authority__name", "total", "before", "corrected"
        )
    )
    return [Ranked(service_number(pk), *rest) for pk, *rest in rows[:limit]]
