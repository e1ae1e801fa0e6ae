"""Whether every total says what the facts say."""

import datetime as dt
from collections import Counter
from typing import Any

from ozgsync.models import Level, Region
from services.models import OnlineService
from transactions import totals
from transactions.models import MonthlyTotal, ServiceMonth, TransactionCount

Key = tuple[int, dt.date, str]
Facts = dict[Key, int]


def facts() -> Facts:
    """Count by service, month and region."""
    found = TransactionCount.objects.values_list("service_id", "month", "ars_id", "count")
    return {(service, month, ars): count for service, month, ars, count in found}


def sums(values: list[tuple[Any, ...]]) -> dict[Any, tuple[int, int]]:
    """(key, total, rows) summed by key; keys with neither are left out."""
    total: Counter[Any] = Counter()
    rows: Counter[Any] = Counter()
    for *key, value, number in values:
        total[tuple(key)] += value
        rows[tuple(key)] += number
    return {key: (total[key], rows[key]) for key in total if total[key] or rows[key]}


def kreis_or_above(ars: str) -> str:
    return ars[:5] + "0000000"


def shown_region(ars: str, depth: int) -> str:
    """Where only the Länder are public, what lies below them counts in its Land."""
    return ars[:2] + "0000000000" if depth == OnlineService.Depth.LAND else kreis_or_above(ars)


def assert_sums_are_right() -> None:
    """Level 1, the months of each service, and level 2 across the services that are published now."""
    published = dict(OnlineService.objects.published().values_list("pk", "published_depth"))
    stored = facts().items()
    level_1 = MonthlyTotal.objects.values_list("service_id", "month", "region_id", "total", "rows")
    assert sums(list(level_1)) == sums(
        [(service, month, kreis_or_above(ars), count, 1) for (service, month, ars), count in stored]
    )
    months = ServiceMonth.objects.values_list("service_id", "month", "total", "rows")
    assert sums(list(months)) == sums(
        [(service, month, count, 1) for (service, month, _ars), count in stored]
    )
    for month in ServiceMonth.objects.exclude(level=-1):
        regions = Region.objects.filter(counts__service=month.service_id, counts__month=month.month)
        assert not regions.exclude(pk__in=Region.objects.at_level(Level(month.level))).exists()
    assert not MonthlyTotal.objects.filter(rows=0).exists()
    assert not ServiceMonth.objects.filter(rows=0).exists()
    shown = totals.by_area(first=dt.date(2000, 1, 1), last=dt.date(2100, 1, 1), digits=12)
    assert sums([(area.month, area.area, area.total, area.rows) for area in shown]) == sums(
        [
            (month, shown_region(ars, published[service]), count, 1)
            for (service, month, ars), count in stored
            if service in published
        ]
    )
