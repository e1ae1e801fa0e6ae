"""What a delivery costs must not grow with what is stored.

- `cost_per_row_growth`: time per row of deliveries of one month of all Gemeinden, with 10⁷ facts stored, over
  the same with 10⁵ stored. The facts are of other services, filled by `generate_series`, with their totals.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import scratch
from bench.deliveries import deliver_file, gemeinden, make_service, seconds

SIZES = (100_000, 10_000_000)
MONTHS = 10
ROUNDS = 9


def main() -> None:
    with scratch.database(), tempfile.TemporaryDirectory() as folder:
        service = make_service("gemeinde")
        keys = gemeinden()
        months = _months()
        times = []
        stored = 0
        for size in SIZES:
            stored = fill(stored, size // (len(keys) * MONTHS), service)
            rounds = [_deliver(Path(folder), service, keys, next(months)) for _round in range(ROUNDS)]
            times.append(statistics.median(rounds) / len(keys))
        scratch.report(
            cost_per_row_growth=times[1] / times[0],
            us_per_row_at_100k=times[0] * 1e6,
            us_per_row_at_10m=times[1] * 1e6,
        )


def _months() -> Iterator[str]:
    from zsk import months

    return (f"{months.shift(months.last_full(), -index):%Y-%m}" for index in range(100))


def _deliver(folder: Path, service: Any, keys: list[str], month: str) -> float:
    path = folder / "month.csv"
    lines = (f"{service.number};{ars};{month};{index % 5000}\n" for index, ars in enumerate(keys))
    path.write_text("onlineservice;ars;monat;anzahl\n" + "".join(lines), encoding="utf-8")
    return seconds(lambda: deliver_file(path))


def fill(there: int, wanted: int, like: Any) -> int:
    """Adds services with counts of all Gemeinden until there are so many; returns how many there are."""
    from django.db import connection

    from services.models import OnlineService

    made = OnlineService.objects.bulk_create(
        OnlineService(
            name=f"Messung {number}", authority=like.authority, leistung=like.leistung,
            reporting_level="gemeinde", published_at=like.published_at,
        )
        for number in range(there, wanted)
    )  # fmt: skip
    with connection.cursor() as cursor:
        for statement in _FILL.split(";"):
            values = {"services": [row.pk for row in made], "months": MONTHS}
            cursor.execute(statement, values if "%(" in statement else None)
        for table in ("transaction_count", "monthly_total", "service_month"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return wanted


# The server's own vacuum would run beside what is measured.
_FILL = """
    ALTER TABLE transaction_count SET (autovacuum_enabled = off);
    ALTER TABLE monthly_total SET (autovacuum_enabled = off);
    INSERT INTO transaction_count (service_id, month, ars, count, delivery)
        SELECT s, date '2016-01-01' + m * interval '1 month', v.ars, (hashtext(v.ars) & 1023),
               '00000000-0000-0000-0000-000000000000'
        FROM unnest(%(services)s::bigint[]) s CROSS JOIN generate_series(0, %(months)s - 1) m
        CROSS JOIN (SELECT v.ars FROM ozgsync_regionversion v JOIN ozgsync_region r USING (ars)
                     WHERE v.valid_from = '2016-01-01' AND v.valid_to IS NULL
                       AND 5 BETWEEN r.level_top AND r.level_bottom) v
        ORDER BY 1, 2, 3;
    INSERT INTO monthly_total (service_id, month, region, total, rows)
        SELECT service_id, month, left(ars, 5) || '0000000', sum(count), count(*)
        FROM transaction_count WHERE service_id = ANY(%(services)s::bigint[]) GROUP BY 1, 2, 3;
    INSERT INTO service_month (service_id, month, total, rows, first_delivered_at, last_delivered_at)
        SELECT service_id, month, sum(total), sum(rows), now(), now()
        FROM monthly_total WHERE service_id = ANY(%(services)s::bigint[]) GROUP BY 1, 2
"""


if __name__ == "__main__":
    main()
