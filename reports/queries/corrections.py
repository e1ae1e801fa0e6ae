"""Where numbers were changed after their month was closed; few, and found by their own table's keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import connection

Places = frozenset[tuple[dt.date, str]]

_OF = "month = ANY(%(months)s) AND ars BETWEEN %(low)s AND %(high)s"


def of_service(service: int, months: Collection[dt.date], *, digits: int, within: str = "") -> Places:
    """Months and areas, the leading `digits` of the ARS, of a service that hold a corrected value."""
    return _places(f"service_id = %(service)s AND {_OF}", months, digits, within, service=service)


def of_published(months: Collection[dt.date], *, digits: int, within: str = "") -> Places:
    """The same for all published services together."""
    return _places(
        f"{_OF} AND service_id IN (SELECT id FROM services_onlineservice WHERE published_at IS NOT NULL)",
        months, digits, within,
    )  # fmt: skip


def _places(condition: str, months: Collection[dt.date], digits: int, within: str, **values: Any) -> Places:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT month, left(ars, %(digits)s) FROM count_correction WHERE {condition}",
            {"months": list(months), "digits": digits, "low": within.ljust(12, "0"),
             "high": within.ljust(12, "9"), **values},
        )  # fmt: skip
        return frozenset(cursor.fetchall())
