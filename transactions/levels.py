"""Stored values of another level than the one that a service reports at by now.

Where the Meldeebene was changed, a month can hold Kreise while its Länder are delivered: both would count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ozgsync.models import Level
from transactions.references import month_of
from zsk.statements import array, ask

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Delivered:
    """Rows of services with a fixed level, sorted by service and month; `level` is the one they report at."""

    service: Ints
    month: Ints  # since 1970-01
    ars: npt.NDArray[np.bytes_]
    level: npt.NDArray[np.int8]

    def days(self) -> list[dt.date]:
        return [month_of(number) for number in self.month.tolist()]


def ask_stored_at_others(
    wanted: Delivered, removed: Delivered
) -> Callable[[], dict[tuple[int, dt.date], Level]]:
    """The service-months that still hold values of another level, and which; `wanted` has a row for each.

    `removed`: what the delivery takes back does not count. One query, which reads only those months of which
    it is not known that all of their values are of that level.
    """
    if not len(wanted.service):
        return dict
    answer = ask(
        _STORED_AT_OTHERS,
        {
            "services": array(wanted.service.tolist()), "months": array(wanted.days()),
            "levels": array(wanted.level.tolist()), "gone_services": array(removed.service.tolist()),
            "gone_months": array(removed.days()),
            "gone_ars": array(ars.decode() for ars in removed.ars.tolist()),
        },
    )  # fmt: skip
    return lambda: {(service, month): Level(level) for service, month, level in answer()}


# Month by month, so that nothing else is read of those that are known. The facts are named by the months at
# hand as a list as well, so that a distributed database need not fetch all of them.
_STORED_AT_OTHERS = """
    SELECT unsure.service_id, unsure.month, found.level
      FROM (SELECT wanted.*
              FROM unnest(%(services)s::bigint[], %(months)s::date[], %(levels)s::int[])
                   AS wanted(service_id, month, level)
              JOIN service_month m
                   ON m.service_id = wanted.service_id AND m.month = wanted.month AND m.level <> wanted.level
             WHERE m.service_id = ANY(%(services)s::bigint[]) AND m.month = ANY(%(months)s::date[])
            OFFSET 0) unsure
     CROSS JOIN LATERAL (
            SELECT min(r.level_bottom) AS level
              FROM transaction_count f
              JOIN ozgsync_region r
                   ON r.ars = f.ars AND unsure.level NOT BETWEEN r.level_top AND r.level_bottom
              LEFT JOIN unnest(%(gone_services)s::bigint[], %(gone_months)s::date[], %(gone_ars)s::text[])
                   AS gone(service_id, month, ars)
                   ON gone.service_id = f.service_id AND gone.month = f.month AND gone.ars = f.ars
             WHERE f.service_id = unsure.service_id AND f.month = unsure.month
               AND f.service_id = ANY(%(services)s::bigint[]) AND f.month = ANY(%(months)s::date[])
               AND gone.ars IS NULL) found
     WHERE found.level IS NOT NULL
"""
