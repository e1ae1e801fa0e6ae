"""One region's months across published services, and what lies below it in one month."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from ozgsync.models import Level
from reports.queries import corrections
from reports.queries.overview import stand
from reports.queries.regions import AreaValue, Divided, Place, divided_areas, place, rest
from reports.queries.series import CURVE_MONTHS, InCurve, Point, curve_end, points
from transactions import totals
from zsk import months


@dataclass(frozen=True, slots=True)
class RegionReport(InCurve):
    """`rows`, `divided` and `undistributed` add up to the month's value wherever there is a breakdown."""

    place: Place
    month: dt.date
    first_month: dt.date | None
    curve: tuple[Point, ...]
    rows: tuple[AreaValue, ...]
    undistributed: int | None
    stand: dt.datetime | None
    divided: tuple[Divided, ...] = ()
    today: bool = False


def region_report(*, ars: str, month: dt.date, today: bool = False) -> RegionReport | None:
    """None for a key that no register holds. Below the Kreise there are no sums across services.

    `today`: the region as it is today, with what belongs to it now (heutiger Gebietsstand); a Kreis that was
    divided is told apart.
    """
    found = place(ars=ars, month=timezone.localdate() if today else month)
    if found is None:
        return None
    first = totals.first_month()
    curve = _curve(found, month, first, today=today) if first and found.has_totals else []
    broken_down = bool(curve) and found.below_level in {Level.LAND, Level.KREIS}
    rows = _rows(found, month, today=today) if broken_down else ()
    divided = _divided(found, month) if broken_down and today else ()
    value = next((point.value for point in curve if point.month == month), None)
    return RegionReport(
        place=found,
        month=month,
        first_month=first,
        curve=tuple(curve),
        rows=rows,
        undistributed=rest(value, rows, divided),
        stand=stand(),
        divided=divided,
        today=today,
    )


def _curve(found: Place, month: dt.date, first: dt.date, *, today: bool) -> list[Point]:
    end = curve_end(month)
    digits, within = len(found.prefix), found.prefix
    rows = totals.by_area(
        first=months.shift(end, -CURVE_MONTHS - 12), last=end, digits=digits, within=within, today=today
    )
    shown = months.span(months.shift(end, 1 - CURVE_MONTHS), end)
    fixed = corrections.of_published(shown, digits=digits, within=within, today=today)
    values = {row.month: row.total for row in rows}
    return points(values, first=first, last=end, corrected={of for of, _area in fixed})


def _digits(found: Place) -> int:
    """Länder by two digits, Kreise by five; Berlin and Hamburg are Kreis with the two digits of the Land."""
    return 2 if found.below_level == Level.LAND else 5


def _rows(found: Place, month: dt.date, *, today: bool) -> tuple[AreaValue, ...]:
    digits = _digits(found)
    year_before = months.shift(month, -12)
    read = totals.by_area(first=year_before, last=month, digits=digits, within=found.prefix, today=today)
    by_month = {(row.month, row.area): row.total for row in read}
    fixed = corrections.of_published([month], digits=digits, within=found.prefix, today=today)
    keys = [(area, area.ars[:digits]) for area in found.below]
    return tuple(
        AreaValue(area, by_month.get((month, key)), by_month.get((year_before, key)), (month, key) in fixed)
        for area, key in keys
    )


def _divided(found: Place, month: dt.date) -> tuple[Divided, ...]:
    digits = _digits(found)
    split = totals.divided(first=month, last=month, within=found.prefix)
    return divided_areas(split, {area.ars[:digits] for area in found.below}, digits)
