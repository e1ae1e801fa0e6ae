"""Where numbers were changed after their month was closed; few, and found by their own table's keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from ozgsync.models import Level, ars_prefix
from ozgsync.today import joined
from services.models import OnlineService
from transactions.models import CountCorrection

# Where only the Länder of a service are public, nothing below them says that it was corrected there.
SHOWN_KREIS = f"""
    rpad(left(ars, CASE WHEN service_id IN (SELECT id FROM services_onlineservice
                                             WHERE published_depth = {OnlineService.Depth.LAND.value})
                        THEN 2 ELSE 5 END), 12, '0')"""
Places = frozenset[tuple[dt.date, str]]


def of_service(
    service: int,
    months: Collection[dt.date],
    *,
    digits: int,
    within: str = "",
    today: Level | None = None,
) -> Places:
    """Months and areas, the leading `digits` of the ARS, of a service that hold a corrected value.

    `today`: areas that the values belong to today; as in `service_counts.counts`.
    """
    shown = len(ars_prefix("0" * 12, Level.GEMEINDE if today is None else today))
    key = f"rpad(left(ars, {shown}), 12, '0')"
    moved = today is not None
    return _places("service_id = %(service)s", key, months, digits, within, moved, service=service)


def of_published(
    months: Collection[dt.date], *, digits: int, within: str = "", today: bool = False
) -> Places:
    """The same for all published services together, down to the Kreise, each of which goes as a whole."""
    return _places(
        "service_id IN (SELECT id FROM services_onlineservice WHERE published_at IS NOT NULL)",
        SHOWN_KREIS, months, digits, within, today,
    )  # fmt: skip


def in_month(month: dt.date, *, service: str = "pk") -> Exists:
    """Whether a service, named by that field, holds a corrected value in the month, wherever it lies."""
    return Exists(CountCorrection.objects.filter(service=OuterRef(service), month=month))


def _places(
    condition: str, key: str, months: Collection[dt.date], digits: int, within: str, today: bool,
    **values: Any,
) -> Places:  # fmt: skip
    source = (
        f"(SELECT month, {key} AS ars FROM count_correction WHERE {condition} AND month = ANY(%(months)s))"
    )
    if today:
        source = (
            f"(SELECT month, coalesce(t.today, c.ars) AS ars FROM {source} AS c"
            f" LEFT JOIN {joined('c.ars', 'month')})"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT month, left(ars, %(digits)s) FROM {source} AS c"
            " WHERE ars BETWEEN %(low)s AND %(high)s",
            {"months": list(months), "digits": digits, "low": within.ljust(12, "0"),
             "high": within.ljust(12, "9"), **values},
        )  # fmt: skip
        return frozenset(cursor.fetchall())
