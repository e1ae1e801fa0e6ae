"""What the form of one service shows: which months and regions, and what is stored for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q

from ozgsync.models import Folded, Level, Region, RegionQuerySet
from services.models import OnlineService, ReportingLevel
from services.standing import missing_months, with_standing
from transactions import references, register
from transactions.models import ServiceMonth, TransactionCount
from zsk import months

Key = tuple[str, dt.date]


def due_months(service: OnlineService) -> list[dt.date]:
    """From the oldest missing month to the last full one, and the running one."""
    found: Any = with_standing(OnlineService.objects.filter(pk=service.pk)).get()
    first = next(iter(missing_months(found)), months.last_full())
    return months.span(first, months.running())


def usual_regions(service: OnlineService, first: dt.date) -> list[str]:
    """Those reported last, else those of the area at the reporting level.

    Where one ended before the `first` month shown, its successors take its place.
    """
    reported = last_reported(service)
    return _still_there(reported, first) if reported else area_regions(service)


def last_reported(service: OnlineService) -> list[str]:
    last = ServiceMonth.objects.filter(service=service, month__lte=months.last_full())
    month = last.order_by("-month").values_list("month", flat=True).first()
    if month is None:
        return []
    rows = TransactionCount.objects.filter(service=service, month=month)
    return list(rows.order_by("ars").values_list("ars_id", flat=True))


def _still_there(keys: list[str], first: dt.date) -> list[str]:
    number = references.month_number(first)
    spans = register.current().some(keys)
    ended = {key for key in keys if key in spans and spans[key].end <= number}
    successors = references.successors(ended, first) if ended else {}
    new = {ars for several in successors.values() for ars in several}
    return sorted((set(keys) - ended) | new)


def area_regions(service: OnlineService, limit: int | None = None) -> list[str]:
    """The first regions of the area at the reporting level; of `gemischt` those of the area itself."""
    area = list(service.area.all())
    level = ReportingLevel(service.reporting_level).level
    if level is None:
        return sorted(region.ars for region in area)[:limit]
    if area:
        return _keys(_within(area, level), limit)
    return _keys(_at(level), limit) if level <= Level.LAND else []


def expand(service: OnlineService, keys: Collection[str]) -> tuple[list[str], list[Region]]:
    """What these regions mean for the form, and those that are below the reporting level.

    A region above that level stands for all those in it that are of the level.
    """
    chosen = list(Region.objects.filter(pk__in=keys))
    level = ReportingLevel(service.reporting_level).level
    if level is None:
        return sorted(region.ars for region in chosen), []
    below = [region for region in chosen if region.level_top > level]
    above = [region for region in chosen if region.level_bottom < level]
    at = {region.ars for region in chosen if region.level_top <= level <= region.level_bottom}
    parts = _keys(_within(above, level)) if above else []
    return sorted(at | set(parts)), below


def named(service: OnlineService, folded: Collection[str]) -> dict[str, list[str]]:
    """The regions at the reporting level (any for `gemischt`) that have one of these folded names."""
    level = ReportingLevel(service.reporting_level).level
    regions = Region.objects.valid_in(months.running())
    if level is not None:
        regions = regions.at_level(level)
    found: dict[str, list[str]] = {}
    rows = regions.annotate(folded=Folded("name")).filter(folded__in=folded)
    for name, ars in rows.order_by("ars").values_list("folded", "ars"):
        found.setdefault(name, []).append(ars)
    return found


def reported(service: OnlineService, chosen: Collection[dt.date]) -> set[dt.date]:
    """Those of the months for which anything is reported."""
    rows = ServiceMonth.objects.filter(service=service, month__in=chosen)
    return set(rows.values_list("month", flat=True))


def stored(service: OnlineService, regions: Collection[str], chosen: Collection[dt.date]) -> dict[Key, int]:
    """The counts stored for the service in these regions and months."""
    rows = TransactionCount.objects.filter(service=service, month__in=chosen, ars__in=regions)
    return {(ars, month): count for ars, month, count in rows.values_list("ars_id", "month", "count")}


def _at(level: Level) -> RegionQuerySet:
    return Region.objects.valid_in(months.running()).at_level(level)


def _within(regions: Iterable[Region], level: Level) -> RegionQuerySet:
    inside = Q()
    for region in regions:
        inside |= Q(ars__startswith=region.prefix)
    return _at(level).filter(inside)


def _keys(regions: RegionQuerySet, limit: int | None = None) -> list[str]:
    return list(regions.order_by("ars").values_list("ars", flat=True)[:limit])
