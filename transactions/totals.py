"""Totals across published services (level 2): read exactly, and folded together in the background.

What a delivery or a publication changes is appended to `region_total_delta`; `region_total` holds what has
been folded. The exact value is the sum of both, always read in ONE statement, so that a fold that commits
in between can neither hide a delta nor count it twice.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from ozgsync.today import LEADING_IN, joined

_IN_RANGE = "region BETWEEN %(low)s AND %(high)s"


def _both(regions: str) -> str:
    """Both halves; `regions` is the condition on the regions of either."""
    return " UNION ALL ".join(
        f"SELECT month, region, total, rows FROM {table}"
        f" WHERE month BETWEEN %(first)s AND %(last)s AND ({regions})"
        for table in ("region_total", "region_total_delta")
    )


_BOTH = _both(_IN_RANGE)
# A Kreis goes its way as a whole: what its parts became is not in the totals.
_TODAY = f"""
    SELECT month, coalesce(t.today, region) AS region, total, rows, region AS reported, t.exact
      FROM ({_both(f"{_IN_RANGE} OR region IN ({LEADING_IN})")}) AS b LEFT JOIN {joined("region", "month")}
"""

_FOLD = """
    WITH taken AS (
        DELETE FROM region_total_delta WHERE id IN (
            SELECT id FROM region_total_delta ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ) RETURNING month, region, total, rows
    ), summed AS (
        INSERT INTO region_total AS kept (month, region, total, rows)
        SELECT month, region, sum(total), sum(rows) FROM taken GROUP BY month, region ORDER BY month, region
        ON CONFLICT (month, region) DO UPDATE
        SET total = kept.total + excluded.total, rows = kept.rows + excluded.rows
    )
    SELECT count(*) FROM taken
"""

# A total of deltas that are not all folded yet may have rows = 0 and still a sum to be taken back: it stays.
_CLEAR = """
    DELETE FROM region_total WHERE (month, region) IN (
        SELECT month, region FROM region_total WHERE rows = 0 AND total = 0 FOR UPDATE SKIP LOCKED
    ) AND rows = 0 AND total = 0
"""


@dataclass(frozen=True, slots=True)
class AreaTotal:
    """Sum of one month in one area; only areas with at least one reported value have one."""

    month: dt.date
    area: str
    total: int
    rows: int


def by_area(
    *, first: dt.date, last: dt.date, digits: int, within: str = "", today: bool = False
) -> list[AreaTotal]:
    """Exact totals of published services per month and area, an area being the leading `digits` of the ARS.

    `within` limits to areas whose key starts so. With 0 digits there is one area, `""`; with 2 the Länder,
    where `00` is what was reported for Germany as a whole; with 12 every region that stands in the totals.
    `today`: where the regions belong today.
    """
    statement = (
        "SELECT month, left(region, %(digits)s), sum(total)::bigint, sum(rows)::bigint "
        f"FROM ({_TODAY if today else _BOTH}) AS exact WHERE {_IN_RANGE} "
        "GROUP BY 1, 2 HAVING sum(rows) > 0 ORDER BY 1, 2"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"first": first, "last": last, "digits": digits, **_bounds(within)})
        return [AreaTotal(*row) for row in cursor.fetchall()]


def divided(*, first: dt.date, last: dt.date, within: str = "") -> list[tuple[dt.date, str, str, int]]:
    """Month, key, region of today and total of what a reform divided, where it lies in `within` today."""
    statement = (
        f"SELECT month, reported, region, sum(total)::bigint FROM ({_TODAY}) AS exact "
        f"WHERE NOT exact AND {_IN_RANGE} GROUP BY 1, 2, 3 HAVING sum(rows) > 0 ORDER BY 1, 2"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"first": first, "last": last, **_bounds(within)})
        return cursor.fetchall()


def _bounds(within: str) -> dict[str, str]:
    return {"low": within.ljust(12, "0"), "high": within.ljust(12, "9")}


def first_month() -> dt.date | None:
    """The earliest month that any published service has a number for; None in an empty portal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT month FROM (SELECT month, region, rows FROM region_total"
            " UNION ALL SELECT month, region, rows FROM region_total_delta) AS exact"
            " GROUP BY month, region HAVING sum(rows) > 0 ORDER BY month LIMIT 1"
        )
        found: tuple[dt.date] | None = cursor.fetchone()
    return found[0] if found else None


def fold(*, batch: int = 10_000) -> int:
    """Fold waiting deltas into the totals; returns how many were taken.

    Each batch is one statement, so readers see it wholly or not at all. Several workers may fold at once:
    they skip each other's deltas, and rows of the totals are locked in the order of their keys.
    """
    taken = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_FOLD, {"limit": batch})
            count = cursor.fetchone()[0]
            taken += count
            if count < batch:
                break
        if taken:
            cursor.execute(_CLEAR)
    return taken
