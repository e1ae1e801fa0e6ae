"""What is stored for some services, value by value, in the order of the facts' key."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

Key = tuple[int, dt.date, str]


@dataclass(frozen=True, slots=True)
class StoredValue:
    """`count` is None for a value that was taken back; `changed_at` is when its delivery was taken over."""

    service: int
    month: dt.date
    ars: str
    count: int | None
    delivery: uuid.UUID
    changed_at: dt.datetime | None

    @property
    def key(self) -> Key:
        return self.service, self.month, self.ars


@dataclass(frozen=True, slots=True)
class Wanted:
    """`within` are the leading digits of the ARS; with `since` what was changed from then on."""

    services: Sequence[int]
    first: dt.date | None = None
    last: dt.date | None = None
    within: str = ""
    since: dt.datetime | None = None


def stored(wanted: Wanted, *, after: Key | None = None, limit: int) -> list[StoredValue]:
    """The next values after a key. One query; without `since` it reads only what it returns."""
    statement = _ALL if wanted.since is None else _CHANGED
    params = {
        "services": [pk for pk in wanted.services if after is None or pk >= after[0]],
        "first": wanted.first or dt.date.min, "last": wanted.last or dt.date.max,
        "low": wanted.within.ljust(12, "0"), "high": wanted.within.ljust(12, "9"),
        "since": wanted.since, "limit": limit, **_cursor(after),
    }  # fmt: skip
    filters = _FILTERS + (_AFTER if after else "")
    with connection.cursor() as cursor:
        cursor.execute(statement.format(filters=filters), params)
        return [StoredValue(*row) for row in cursor.fetchall()]


def _cursor(after: Key | None) -> dict[str, Any]:
    return dict(zip(("service", "month", "ars"), after, strict=True)) if after else {}


_FILTERS = """
    x.service_id = ANY(%(services)s) AND x.month BETWEEN %(first)s AND %(last)s
    AND x.ars BETWEEN %(low)s AND %(high)s
"""
_AFTER = " AND (x.service_id, x.month, x.ars) > (%(service)s, %(month)s, %(ars)s)"

_ALL = """
    SELECT f.service_id, f.month, f.ars, f.count, f.delivery, d.finished_at
      FROM (SELECT * FROM transaction_count x WHERE {filters}
             ORDER BY service_id, month, ars LIMIT %(limit)s) f
      LEFT JOIN transactions_delivery d ON d.id = f.delivery
     ORDER BY f.service_id, f.month, f.ars
"""

# A value taken back is known by its revision alone: the last one of a key that has no value.
_CHANGED = """
    WITH touched AS MATERIALIZED (
        SELECT p.service_id, d.id, d.finished_at, d.first_month, d.last_month
          FROM transactions_deliveryservice p JOIN transactions_delivery d ON d.id = p.delivery_id
         WHERE p.service_id = ANY(%(services)s) AND d.finished_at >= %(since)s
           AND p.new_count + p.changed_count + p.deleted_count > 0
    ), bounds AS (
        SELECT min(first_month) AS first, max(last_month) AS last FROM touched
    )
    SELECT x.service_id, x.month, x.ars, x.count, x.delivery, t.finished_at
      FROM transaction_count x JOIN touched t ON t.service_id = x.service_id AND t.id = x.delivery
     WHERE {filters} AND x.month BETWEEN (SELECT first FROM bounds) AND (SELECT last FROM bounds)
     UNION ALL
    SELECT x.service_id, x.month, x.ars, NULL, x.delivery, t.finished_at
      FROM count_revision x JOIN touched t ON t.service_id = x.service_id AND t.id = x.delivery
     WHERE {filters} AND x.month BETWEEN (SELECT first FROM bounds) AND (SELECT last FROM bounds)
       AND x.new IS NULL
       AND NOT EXISTS (SELECT FROM transaction_count f
                        WHERE f.service_id = x.service_id AND f.month = x.month AND f.ars = x.ars)
       AND NOT EXISTS (SELECT FROM count_revision r WHERE r.service_id = x.service_id
                          AND r.month = x.month AND r.ars = x.ars AND r.number > x.number)
     ORDER BY 1, 2, 3 LIMIT %(limit)s
"""
