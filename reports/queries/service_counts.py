"""One service's counts by area and month: from its totals down to the Kreise, below them from its facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from ozgsync.models import Level, ars_prefix
from ozgsync.today import LEADING_IN, joined
from reports.queries import corrections
from reports.queries.regions import Area, AreaValue, Divided, areas, divided_areas, rest
from zsk import months

KREIS_DIGITS = 5
Counts = dict[tuple[dt.date, str], int]


def counts(
    *, service: int, months_wanted: Sequence[dt.date], digits: int, within: str, today: bool = False
) -> Counts:
    """Sums by month and area; both sources are partitions, so all of them together are the whole of `within`.

    `today`: by the areas that the regions belong to today, and what lies in `within` today. Months are given
    one by one, so that the index goes straight to each month's range of keys.
    """
    deep = digits > KREIS_DIGITS or len(within) > KREIS_DIGITS
    now, then = (_FACTS_TODAY, _FACTS) if deep else (_TOTALS_TODAY, _TOTALS)
    source = now if today else then
    statement = (
        f"SELECT month, left(key, %(digits)s), sum(total)::bigint FROM ({source}) AS found "
        "WHERE key BETWEEN %(low)s AND %(high)s GROUP BY 1, 2 HAVING sum(rows) > 0"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {**_params(service, months_wanted, within), "digits": digits})
        return {(month, area): total for month, area, total in cursor.fetchall()}


def _params(service: int, months_wanted: Sequence[dt.date], within: str) -> dict[str, Any]:
    bounds = {"low": within.ljust(12, "0"), "high": within.ljust(12, "9")}
    return {"service": service, "months": list(months_wanted), **bounds}


_OF = "service_id = %(service)s AND month = ANY(%(months)s)"
_IN_RANGE = "BETWEEN %(low)s AND %(high)s"
_FACTS = f"SELECT month, ars AS key, count AS total, 1 AS rows FROM transaction_count WHERE {_OF}"
_TOTALS = f"SELECT month, region AS key, total, rows FROM monthly_total WHERE {_OF}"
_FACTS_TODAY = f"""
    SELECT month, coalesce(t.today, c.ars) AS key, count AS total, 1 AS rows
      FROM (SELECT month, ars, count FROM transaction_count WHERE {_OF} AND ars {_IN_RANGE}
            UNION ALL
            SELECT month, ars, count FROM transaction_count
             WHERE {_OF} AND ars = ANY(ARRAY({LEADING_IN})) AND NOT ars {_IN_RANGE}) AS c
      LEFT JOIN {joined("c.ars", "month")}
"""
# A Kreis's total holds all of its Gemeinden: facts that belong to another area today are taken from there.
_TOTALS_TODAY = f"""
    WITH moved AS (
        SELECT month, c.ars, t.today, count FROM transaction_count c JOIN {joined("c.ars", "month")}
         WHERE {_OF} AND c.ars = ANY(ARRAY(
               SELECT ars FROM ozgsync_regiontoday WHERE left(ars, %(digits)s) <> left(today, %(digits)s)
                  AND (ars {_IN_RANGE} OR today {_IN_RANGE})))
           AND left(c.ars, %(digits)s) <> left(t.today, %(digits)s))
    SELECT month, region AS key, total, rows FROM monthly_total WHERE {_OF} AND region {_IN_RANGE}
    UNION ALL SELECT month, ars, -count, -1 FROM moved WHERE ars {_IN_RANGE}
    UNION ALL SELECT month, today, count, 1 FROM moved
"""
_DIVIDED = f"""
    SELECT month, c.ars, t.today, count FROM transaction_count c JOIN {joined("c.ars", "month")}
     WHERE {_OF} AND c.ars = ANY(ARRAY(
           SELECT ars FROM ozgsync_regiontoday WHERE NOT exact AND today {_IN_RANGE}))
       AND c.ars = rpad(left(c.ars, %(deepest)s), 12, '0')
       AND NOT t.exact AND t.today {_IN_RANGE}
     ORDER BY month, c.ars
"""


def divided(
    *, service: int, months_wanted: Sequence[dt.date], within: str, depth: Level
) -> list[tuple[dt.date, str, str, int]]:
    """Month, key, region of today and count of what a reform divided, where it lies in `within` today.

    Of a region deeper than `depth` the count must not be told: it is in the rest.
    """
    params = {**_params(service, months_wanted, within), "deepest": len(ars_prefix("0" * 12, depth))}
    with connection.cursor() as cursor:
        cursor.execute(_DIVIDED, params)
        return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Breakdown:
    """An area's month by the parts of one level.

    The rows, what reforms divided and `undistributed` always add up to `total`.
    """

    level: Level
    whole: Area
    rows: tuple[AreaValue, ...]
    total: int | None
    before: int | None
    divided: tuple[Divided, ...] = ()

    @property
    def undistributed(self) -> int | None:
        return rest(self.total, self.rows, self.divided)

    @property
    def reported(self) -> list[AreaValue]:
        """Rows with a value, highest first."""
        known = [row for row in self.rows if row.value is not None]
        return sorted(known, key=lambda row: (-(row.value or 0), row.area.name))

    def rank(self, ars: str) -> int | None:
        """Equal values share a rank; None for an area without a value."""
        own = next((row.value for row in self.rows if row.area.ars == ars), None)
        return None if own is None else 1 + sum(1 for row in self.reported if (row.value or 0) > own)


def breakdown(
    *, service: int, month: dt.date, level: Level, whole: Area, within: str, depth: Level,
    today: dt.date | None = None,
) -> Breakdown:  # fmt: skip
    """`within` are the leading digits of the whole; its parts without a value are rows too. `depth`: the
    deepest level that may be shown.

    `today`: the parts that there are on that day, with what belongs to them then.
    """
    digits = len(ars_prefix("0" * 12, level))
    year_before = months.shift(month, -12)
    moved = today is not None
    found = counts(
        service=service, months_wanted=[year_before, month], digits=digits, within=within, today=moved
    )
    fixed = corrections.of_service(service, [month], digits=digits, within=within, today=moved)
    rows = tuple(
        AreaValue(
            area,
            found.get((month, area.ars[:digits])),
            found.get((year_before, area.ars[:digits])),
            (month, area.ars[:digits]) in fixed,
        )
        for area in areas(level=level, month=today or month, within=within)
    )
    split = divided(service=service, months_wanted=[month], within=within, depth=depth) if moved else []
    marked = divided_areas(split, {row.area.ars[:digits] for row in rows}, digits)
    return Breakdown(level, whole, rows, _whole(found, month), _whole(found, year_before), marked)


def _whole(found: Counts, month: dt.date) -> int | None:
    values = [value for (of, _area), value in found.items() if of == month]
    return sum(values) if values else None
