"""One service's counts by area and month: from its totals down to the Kreise, below them from its facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from ozgsync.models import Level, ars_prefix
from ozgsync.today import LEADING_IN, joined
from reports.queries import corrections
from reports.queries.regions import Area, AreaValue, Divided, areas, divided_areas, rest
from zsk import months

KREIS_DIGITS = 5
Counts = dict[tuple[dt.date, str], int]


def counts(
    *,
    service: int,
    months_wanted: Sequence[dt.date],
    digits: int,
    within: str,
    today: Level | None = None,
) -> Counts:
    """Sums by month and area; both sources are partitions, so all of them together are the whole of `within`.

    `today`: by the areas that the regions belong to today, and what lies in `within` today. Its level is the
    deepest that may be seen: above the Gemeinden regions of that level go as a whole, or the difference of
    both views would tell what lies below. Months are given one by one, so that the index goes straight to
    each month's range of keys.
    """
    deep = digits > KREIS_DIGITS or len(within) > KREIS_DIGITS
    if today is None:
        source = _FACTS if deep else _TOTALS
    elif today < Level.GEMEINDE:
        source = _WHOLES_TODAY
    else:
        source = _FACTS_TODAY if deep else _TOTALS_TODAY
    statement = (
        f"SELECT month, left(key, %(digits)s), sum(total)::bigint FROM ({source}) AS found "
        "WHERE key BETWEEN %(low)s AND %(high)s GROUP BY 1, 2 HAVING sum(rows) > 0"
    )
    params = {**_params(service, months_wanted, within, today), "digits": digits}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {(month, area): total for month, area, total in cursor.fetchall()}


def _params(
    service: int, months_wanted: Sequence[dt.date], within: str, today: Level | None
) -> dict[str, Any]:
    bounds = {"low": within.ljust(12, "0"), "high": within.ljust(12, "9")}
    shown = len(ars_prefix("0" * 12, Level.GEMEINDE if today is None else today))
    return {"service": service, "months": list(months_wanted), "shown": shown, **bounds}


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
_WHOLES_TODAY = f"""
    SELECT month, coalesce(t.today, c.ars) AS key, total, rows, c.ars, t.exact
      FROM (SELECT month, rpad(left(region, %(shown)s), 12, '0') AS ars, total, rows
              FROM monthly_total WHERE {_OF}) AS c
      LEFT JOIN {joined("c.ars", "month")}
"""
_DIVIDED_FACTS = f"""
    SELECT month, c.ars, t.today AS key, count AS total, t.exact
      FROM transaction_count c JOIN {joined("c.ars", "month")}
     WHERE {_OF} AND c.ars = ANY(ARRAY(
           SELECT ars FROM ozgsync_regiontoday WHERE NOT exact AND today {_IN_RANGE}))
"""


def divided(
    *, service: int, months_wanted: Sequence[dt.date], within: str, today: Level
) -> list[tuple[dt.date, str, str, int]]:
    """Month, key, region of today and count of what a reform divided, where it lies in `within` today.

    `today` as in `counts`.
    """
    source = _WHOLES_TODAY if today < Level.GEMEINDE else _DIVIDED_FACTS
    statement = (
        f"SELECT month, ars, key, sum(total)::bigint FROM ({source}) AS found "
        f"WHERE NOT exact AND key {_IN_RANGE} GROUP BY 1, 2, 3 ORDER BY 1, 2"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, _params(service, months_wanted, within, today))
        return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Breakdown:
    """An area's month by the parts of one level.

    The rows, what reforms divided and `undistributed` always add up to `total`, which
    `corrected` speaks of.
    """

    level: Level
    whole: Area
    rows: tuple[AreaValue, ...]
    total: int | None
    before: int | None
    divided: tuple[Divided, ...] = ()
    corrected: bool = False

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
    *, service: int, month: dt.date, level: Level, whole: Area, within: str, today: Level | None = None
) -> Breakdown:
    """`within` are the leading digits of the whole; its parts without a value are rows too.

    `today`: the parts that there are today, with what belongs to them now; as in `counts`.
    """
    digits = len(ars_prefix("0" * 12, level))
    year_before = months.shift(month, -12)
    found = counts(
        service=service, months_wanted=[year_before, month], digits=digits, within=within, today=today
    )
    fixed = corrections.of_service(service, [month], digits=digits, within=within, today=today)
    day = month if today is None else timezone.localdate()
    rows = tuple(
        AreaValue(
            area,
            found.get((month, area.ars[:digits])),
            found.get((year_before, area.ars[:digits])),
            (month, area.ars[:digits]) in fixed,
        )
        for area in areas(level=level, month=day, within=within)
    )
    marked: tuple[Divided, ...] = ()
    if today is not None:
        split = divided(service=service, months_wanted=[month], within=within, today=today)
        marked = divided_areas(split, {row.area.ars[:digits] for row in rows}, digits)
    return Breakdown(
        level, whole, rows, _whole(found, month), _whole(found, year_before), marked, bool(fixed)
    )


def _whole(found: Counts, month: dt.date) -> int | None:
    values = [value for (of, _area), value in found.items() if of == month]
    return sum(values) if values else None
