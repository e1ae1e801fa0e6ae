"""The complete published numbers, row by row, for download."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from reports.queries.corrections import SHOWN_KREIS
from services.models import OnlineService, service_number

CHUNK = 5_000

# Where only the Länder are published, what was reported below them counts in its Land.
_STATEMENT = f"""
    SELECT t.service_id, s.name, s.leistung_id, t.area, coalesce(r.name, ''),
           to_char(t.month, 'YYYY-MM'), t.total, c.area IS NOT NULL
    FROM (
        SELECT m.service_id, m.month,
               CASE WHEN p.published_depth = %(land)s THEN rpad(left(m.region, 2), 12, '0')
                    ELSE m.region END AS area,
               sum(m.total)::bigint AS total
        FROM monthly_total m
        JOIN services_onlineservice p ON p.id = m.service_id AND p.published_at IS NOT NULL
        GROUP BY 1, 2, 3
    ) AS t
    JOIN services_onlineservice s ON s.id = t.service_id
    LEFT JOIN ozgsync_region r ON r.ars = t.area
    LEFT JOIN (SELECT DISTINCT service_id, month, {SHOWN_KREIS} AS area FROM count_correction) AS c
           ON c.service_id = t.service_id AND c.month = t.month AND c.area = t.area
    ORDER BY t.service_id, t.month, t.area
"""


def monthly_totals() -> Iterator[list[Any]]:
    """Rows of service, Leistung, region at Kreis or above, month, count and whether something of it was
    corrected, from a server-side cursor.

    To be read to the end in the transaction that it is called in: that is one state.
    """
    connection.ensure_connection()
    with transaction.atomic(), connection.connection.cursor(name="published_totals") as cursor:
        cursor.itersize = CHUNK
        cursor.execute(_STATEMENT, {"land": OnlineService.Depth.LAND.value})
        for pk, *rest in cursor:
            yield [service_number(pk), *rest]
