"""One region's months across published services, and what lies below it in one month."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from ozgsync.models import Level
from reports.queries import corrections
from reports.queries.overview import stand
from reports.queries.regions import AreaValue, Place, place
from reports.queries.series import CURVE_MONTHS, Point, curve_end, points
from transactions import totals
from zsk import months


@dataclass(frozen=True, slots=True)
class RegionReport:
    """`rows` and `undistributed` add up to the month's value wherever the region has a breakdown."""

    place: Place
    month: dt.date
    first_month: dt.date | None
    curve: tuple[Point, ...]
    rows: tuple[AreaValue, ...]
    undistributed: int | None
    stand: dt.datetime | None

    @property
    def value(self) -> int | None:
        return next((point.value for point in self.curve if point.month == self.month), None)

    @property
    def before(self) -> int | None:
        return next((point.before for point in self.curve if point.month == self.month), None)


def region_report(*, ars: str, month: dt.date) -> RegionReport | None:
    """None for a key that no register holds. Below the Kreise there are no sums across services."""
    found = place(ars=ars, month=month)
    if found is None:
        return None
    first = totals.first_month()
    curve = _curve(found, month, first) if first and found.has_totals else []
    rows = _rows(found, month) if curve and found.below_level in {Level.LAND, Level.KREIS} else ()
    value = next((point.value for point in curve if point.month == month), None)
    return RegionReport(
        place=found,
        month=month,
        first_month=first,
        curve=tuple(curve),
        rows=rows,
        undistributed=None if value is None else value - sum(row.value or 0 for row in rows),
        stand=stand(),
    )


def _curve(found: Place, month: dt.date, first: dt.date) -> list[Point]:
    end = curve_end(month)
    rows = totals.by_area(
        first=months.shift(end, -CURVE_MONTHS - 12), last=end, digits=len(found.prefix), within=found.prefix
    )
    shown = months.span(months.shift(end, 1 - CURVE_MONTHS), end)
    fixed = corrections.of_published(shown, digits=len(found.prefix), within=found.prefix)
    values = {row.month: row.total for row in rows}
    return points(values, first=first, last=end, corrected={of for of, _area in fixed})


def _rows(found: Place, month: dt.date) -> tuple[AreaValue, ...]:
    """Länder by two digits, Kreise by five; Berlin and Hamburg are Kreis with the two digits of the Land."""
    digits = 2 if found.below_level == Level.LAND else 5
    year_before = months.shift(month, -12)
    read = totals.by_area(first=year_before, last=month, digits=digits, within=found.prefix)
    by_month = {(row.month, row.area): row.total for row in read}
    return tuple(
        AreaValue(
            area, by_month.get((month, area.ars[:digits])), by_month.get((year_before, area.ars[:digits]))
        )
        for area in found.below
    )
