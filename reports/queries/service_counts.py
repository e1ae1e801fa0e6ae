"""One service's counts by area and month: from its totals down to the Kreise, below them from its facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from ozgsync.models import Level, ars_prefix
from reports.queries import corrections
from reports.queries.regions import Area, AreaValue, areas
from zsk import months

KREIS_DIGITS = 5
Counts = dict[tuple[dt.date, str], int]


def counts(*, service: int, months_wanted: Sequence[dt.date], digits: int, within: str) -> Counts:
    """Sums by month and area; both sources are partitions, so all of them together are the whole of `within`.

    Months are given one by one, so that the index goes straight to each month's range of keys.
    """
    deep = digits > KREIS_DIGITS or len(within) > KREIS_DIGITS
    table, key, value = (
        ("transaction_count", "ars", "count") if deep else ("monthly_total", "region", "total")
    )
    statement = (
        f"SELECT month, left({key}, %(digits)s), sum({value})::bigint FROM {table} "
        f"WHERE service_id = %(service)s AND month = ANY(%(months)s) AND {key} BETWEEN %(low)s AND %(high)s "
        "GROUP BY 1, 2"
    )
    bounds = {"low": within.ljust(12, "0"), "high": within.ljust(12, "9")}
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {"service": service, "months": list(months_wanted), "digits": digits, **bounds}
        )
        return {(month, area): total for month, area, total in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Breakdown:
    """An area's month by the parts of one level. The rows and `undistributed` always add up to `total`."""

    level: Level
    whole: Area
    rows: tuple[AreaValue, ...]
    total: int | None
    before: int | None

    @property
    def undistributed(self) -> int | None:
        return None if self.total is None else self.total - sum(row.value or 0 for row in self.rows)

    @property
    def reported(self) -> list[AreaValue]:
        """Rows with a value, highest first."""
        known = [row for row in self.rows if row.value is not None]
        return sorted(known, key=lambda row: (-(row.value or 0), row.area.name))

    def rank(self, ars: str) -> int | None:
        """Equal values share a rank; None for an area without a value."""
        own = next((row.value for row in self.rows if row.area.ars == ars), None)
        return None if own is None else 1 + sum(1 for row in self.reported if (row.value or 0) > own)


def breakdown(*, service: int, month: dt.date, level: Level, whole: Area, within: str) -> Breakdown:
    """`within` are the leading digits of the whole; its parts without a value are rows too."""
    digits = len(ars_prefix("0" * 12, level))
    year_before = months.shift(month, -12)
    found = counts(service=service, months_wanted=[year_before, month], digits=digits, within=within)
    fixed = corrections.of_service(service, [month], digits=digits, within=within)
    rows = tuple(
        AreaValue(
            area,
            found.get((month, area.ars[:digits])),
            found.get((year_before, area.ars[:digits])),
            (month, area.ars[:digits]) in fixed,
        )
        for area in areas(level=level, month=month, within=within)
    )
    return Breakdown(level, whole, rows, _whole(found, month), _whole(found, year_before))


def _whole(found: Counts, month: dt.date) -> int | None:
    values = [value for (of, _area), value in found.items() if of == month]
    return sum(values) if values else None
