"""What numbers are compared with for plausibility: what services reported before, and their master data.

One statement for all of it, whatever the size of a delivery; of single regions' pasts only the largest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from transactions.closing import HOLD
from zsk.statements import array, ask, pipeline

Series = dict[int, int]  # by month since 1970-01


@dataclass(frozen=True)
class Past:
    """One service: its months, the pasts of the regions asked for, and what its master data say."""

    live_from: dt.date | None
    ended_on: dt.date | None
    area: list[str]
    totals: Series = field(default_factory=dict)
    rows: Series = field(default_factory=dict)
    regions: dict[str, Series] = field(default_factory=dict)


_MONTH = "(extract(year FROM month)::int - 1970) * 12 + extract(month FROM month)::int - 1"

# The regions' values are looked up one by one by their full key, for months that the service has reported:
# a join would read all regions of these months. What became of an area's regions belongs to it as well.
_READ = f"""
    SELECT o.id, o.live_from, o.ended_on, area.keys, past.months, past.totals, past.rows,
           own.ars, own.months, own.counts,
           (SELECT array_agg(month ORDER BY month) FROM closed_month WHERE month = ANY(%(changed)s::date[]))
      FROM services_onlineservice o
      LEFT JOIN (
            SELECT onlineservice_id, array_agg(region_id) || array_agg(c.new) || array_agg(b.old) AS keys
              FROM services_onlineservice_area a
              LEFT JOIN ozgsync_regionchange c ON c.old = a.region_id
              LEFT JOIN ozgsync_regionchange b ON b.new = a.region_id
             WHERE onlineservice_id = ANY(%(services)s::bigint[]) GROUP BY 1) area
           ON area.onlineservice_id = o.id
      LEFT JOIN (
            SELECT service_id, array_agg({_MONTH}) AS months, array_agg(total) AS totals,
                   array_agg(rows) AS rows
              FROM service_month
             WHERE service_id = ANY(%(services)s::bigint[])
               AND month BETWEEN %(first)s AND %(last)s GROUP BY 1) past
           ON past.service_id = o.id
      LEFT JOIN (
            SELECT service_id, array_agg(ars) AS ars, array_agg({_MONTH}) AS months,
                   array_agg(count) AS counts
              FROM (SELECT m.service_id, m.month, w.ars,
                           (SELECT f.count FROM transaction_count f
                             WHERE f.service_id = m.service_id AND f.month = m.month AND f.ars = w.ars)
                      FROM unnest(%(of)s::bigint[], %(keys)s::text[]) AS w(service_id, ars)
                      JOIN service_month m ON m.service_id = w.service_id
                     WHERE m.service_id = ANY(%(services)s::bigint[]) AND m.month = ANY(%(near)s::date[])) f
             WHERE count IS NOT NULL GROUP BY 1) own
           ON own.service_id = o.id
     WHERE o.id = ANY(%(services)s::bigint[])
"""


@dataclass(frozen=True)
class Before:
    """What is there before a delivery; `closed` are those of the months it changes that are closed.

    `regions`: those of services whose values were asked for.
    """

    of: dict[int, Past]
    closed: list[dt.date]
    regions: Sequence[tuple[int, str]]


def ask_before(
    services: Collection[int],
    *,
    changed: Collection[dt.date],
    since: dt.date,
    regions: Sequence[tuple[int, str]],
    near: Collection[dt.date],
) -> Callable[[], Before]:
    """Each service's months from `since` on; of `regions`, pairs of service and ARS, the values in `near`.

    Inside a transaction none of the months in `changed` can be closed until its end.
    """
    params: dict[str, Any] = {
        "services": array(services), "changed": array(changed), "near": array(near),
        "first": since, "last": max(changed),
        "of": array(service for service, _ars in regions), "keys": array(ars for _service, ars in regions),
    }  # fmt: skip
    with pipeline():
        ask(HOLD, ())
        answer = ask(_READ, params)
    return lambda: _before(answer(), regions)


def _before(rows: list[tuple[Any, ...]], regions: Sequence[tuple[int, str]]) -> Before:
    closed = rows[0][-1] or [] if rows else []
    return Before({row[0]: _past(*row[1:-1]) for row in rows}, closed, regions)


def stored(pairs: Collection[tuple[int, dt.date]]) -> dict[tuple[int, dt.date], dict[str, int]]:
    """All values of these service-months."""
    found: dict[tuple[int, dt.date], dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT service_id, month, ars, count FROM transaction_count"
            " JOIN unnest(%s::bigint[], %s::date[]) AS wanted(service_id, month) USING (service_id, month)",
            [[service for service, _month in pairs], [month for _service, month in pairs]],
        )
        for service, month, ars, count in cursor.fetchall():
            found.setdefault((service, month), {})[ars] = count
    return found


def _past(
    live_from: dt.date | None,
    ended_on: dt.date | None,
    area: list[str | None] | None,
    months: list[int] | None,
    totals: list[int] | None,
    rows: list[int] | None,
    of: list[str] | None,
    of_months: list[int] | None,
    counts: list[int] | None,
) -> Past:
    regions: dict[str, Series] = {}
    for ars, month, count in zip(of or [], of_months or [], counts or [], strict=True):
        regions.setdefault(ars, {})[month] = count
    known = (
        dict(zip(months or [], totals or [], strict=True)),
        dict(zip(months or [], rows or [], strict=True)),
    )
    return Past(live_from, ended_on, sorted({key for key in area or [] if key}), *known, regions)
