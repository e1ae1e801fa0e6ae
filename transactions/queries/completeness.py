"""The completeness map: what each month of a year is to each of some services."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from services.models import OnlineService
from services.standing import MonthStanding, expected_in, month_standings
from transactions.models import ServiceMonth
from zsk import months


@dataclass(frozen=True, slots=True)
class Cell:
    """`total` is None where nothing was reported."""

    month: dt.date
    standing: MonthStanding
    total: int | None


@dataclass(frozen=True, slots=True)
class Row:
    service: OnlineService
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class MonthShare:
    """How many services reported a month, of those that were to; both None while it is not over."""

    month: dt.date
    delivered: int | None
    expected: int | None


def span_of(year: int) -> list[dt.date]:
    return months.span(dt.date(year, 1, 1), dt.date(year, 12, 1))


def years() -> list[int]:
    """From the first month ever reported to today's, the newest first. One query."""
    first = ServiceMonth.objects.aggregate(first=Min("month"))["first"] or months.last_full()
    return list(range(months.running().year, first.year - 1, -1))


def rows(services: Sequence[OnlineService], year: int) -> list[Row]:
    """Services of `with_standing`; one query for all."""
    span = span_of(year)
    found: defaultdict[int, dict[dt.date, int]] = defaultdict(dict)
    reported = ServiceMonth.objects.filter(service__in=services, month__range=(span[0], span[-1]))
    for pk, month, total in reported.values_list("service", "month", "total"):
        found[pk][month] = total
    return [_row(service, span, found[service.pk]) for service in services]


def _row(service: OnlineService, span: list[dt.date], totals: dict[dt.date, int]) -> Row:
    standings = month_standings(service, span, totals)
    return Row(
        service,
        [Cell(month, each, totals.get(month)) for month, each in zip(span, standings, strict=True)],
    )


def missing_in(services: QuerySet[OnlineService], month: dt.date) -> QuerySet[OnlineService]:
    """Those that were to report the month and did not."""
    reported = ServiceMonth.objects.filter(service=OuterRef("pk"), month=month)
    return services.filter(expected_in(month), ~Exists(reported))


def shares(services: QuerySet[OnlineService], year: int) -> list[MonthShare]:
    """For all of the services together; one query. Who reports unasked counts as expected as well."""
    over = [month for month in span_of(year) if month < months.running()]
    wanted = {}
    for month in over:
        reported = Exists(ServiceMonth.objects.filter(service=OuterRef("pk"), month=month))
        wanted[f"delivered_{month.month}"] = Count("pk", filter=reported)
        wanted[f"missing_{month.month}"] = Count("pk", filter=expected_in(month) & Q(~reported))
    counts = services.order_by().aggregate(**wanted) if wanted else {}
    return [
        MonthShare(
            month,
            counts[f"delivered_{month.month}"],
            counts[f"delivered_{month.month}"] + counts[f"missing_{month.month}"],
        )
        if month in over
        else MonthShare(month, None, None)
        for month in span_of(year)
    ]
