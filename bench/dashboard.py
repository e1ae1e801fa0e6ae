"""`dashboard_vs_fact_scan`: the dashboard from its totals against the same answers from the facts.

In a scratch database of its own: 2 million facts made by `generate_series`, and the totals that deliveries
would have kept beside them, one service's whole history still waiting to be folded. Both sides run the
dashboard's own query function; for the facts, views of the same names stand in for the totals, so the
answers are comparable to the last digit, and are compared.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from reports.queries.overview import Overview

FACTS = 2_000_000
SERVICES, MONTHS = 60, 48
REPEATS = 7

_FILL = """
    CREATE TEMP TABLE area AS
        SELECT ars, row_number() OVER (ORDER BY md5(ars)) - 1 AS place
        FROM ozgsync_region WHERE level_bottom = 5;
    INSERT INTO transaction_count (service_id, month, ars, count, delivery)
        SELECT s.id, m::date, a.ars, (hashtext(s.id::text || m || a.ars) & 1023), '{delivery}'
        FROM services_onlineservice s
        CROSS JOIN generate_series(%(first)s::date, %(last)s::date, interval '1 month') m
        JOIN area a ON (a.place + s.id * 97) %% (SELECT count(*) FROM area) < %(areas)s;
    INSERT INTO monthly_total (service_id, month, region, total, rows)
        SELECT service_id, month, CASE WHEN r.level_top <= 3 THEN ars ELSE left(ars, 5) || '0000000' END,
               sum(count), count(*)
        FROM transaction_count JOIN ozgsync_region r USING (ars) GROUP BY 1, 2, 3;
    INSERT INTO service_month (service_id, month, total, rows, first_delivered_at, last_delivered_at)
        SELECT service_id, month, sum(total), sum(rows), '{at}', '{at}' FROM monthly_total GROUP BY 1, 2;
    INSERT INTO region_total_delta (month, region, total, rows)
        SELECT month, region, total, rows FROM monthly_total
        WHERE service_id = (SELECT min(id) FROM services_onlineservice);
    INSERT INTO region_total (month, region, total, rows)
        SELECT month, region, sum(total), sum(rows) FROM monthly_total
        WHERE service_id > (SELECT min(id) FROM services_onlineservice) GROUP BY 1, 2;
    INSERT INTO service_state (service_id, version, last_month, last_delivered_at)
        SELECT service_id, 1, max(month), '{at}' FROM service_month GROUP BY 1
""".replace("{at}", "2026-01-01T00:00:00Z").replace("{delivery}", "00000000-0000-0000-0000-000000000000")

# The totals' names as views on the facts: what the same question costs without totals.
_VIEWS = """
    CREATE SCHEMA from_facts;
    CREATE VIEW from_facts.region_total AS
        SELECT month, ars AS region, count AS total, 1 AS rows FROM public.transaction_count
        JOIN public.services_onlineservice s ON s.id = service_id AND s.published_at IS NOT NULL;
    CREATE VIEW from_facts.region_total_delta AS SELECT * FROM from_facts.region_total WHERE false;
    CREATE VIEW from_facts.service_month AS
        SELECT service_id, month, sum(count)::bigint AS total, count(*)::int AS rows,
               timestamptz '2026-01-01T00:00:00Z' AS first_delivered_at,
               timestamptz '2026-01-01T00:00:00Z' AS last_delivered_at
        FROM public.transaction_count GROUP BY 1, 2
"""


@contextmanager
def scratch_database() -> Iterator[None]:
    """A database of its own on the configured server; dropped at the end, whatever happens."""
    from django.core.management import call_command
    from django.db import connection

    home, name = connection.settings_dict["NAME"], f"zsk_bench_{os.getpid()}"
    _execute(f'CREATE DATABASE "{name}"')
    _switch(name)
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        _switch(home)
        _execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _switch(name: str) -> None:
    from django.db import connection

    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name


def _execute(*statements: str, **values: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values or None)


def fill() -> int:
    """Published services with the same number of Gemeinden each; returns how many facts there are."""
    from django.core.management import call_command

    from transactions.models import TransactionCount
    from zsk import months

    call_command("load_reference", verbosity=0, stdout=io.StringIO())
    _publish_services()
    span = {"first": months.shift(months.running(), 1 - MONTHS), "last": months.running()}
    areas = -(-FACTS // (SERVICES * MONTHS))
    for statement in _FILL.split(";"):
        _execute(statement, **span, areas=areas)
    _execute(_VIEWS, "ANALYZE")
    return TransactionCount.objects.count()


def _publish_services() -> None:
    from django.utils import timezone

    from accounts.models import Authority
    from ozgsync.models import GERMANY, Leistung
    from services.models import OnlineService

    authority = Authority.objects.create(name="Messung", level="bund", region_id=GERMANY)
    leistung = Leistung.objects.create(schluessel="99999999999999", name="Messung", types=["2"])
    common = {"authority": authority, "leistung": leistung, "published_at": timezone.now()}
    OnlineService.objects.bulk_create(
        OnlineService(name=f"Messung {number}", **common) for number in range(SERVICES)
    )


def best(act: Callable[[], Overview | None]) -> tuple[float, Overview | None]:
    """Seconds of the fastest of several runs, and the answer."""
    times = []
    for _run in range(REPEATS):
        start = time.perf_counter()
        answer = act()
        times.append(time.perf_counter() - start)
    return min(times), answer


def _earliest_fact() -> Any:
    from django.db.models import Min

    from transactions.models import TransactionCount

    return TransactionCount.objects.aggregate(month=Min("month"))["month"]


def measure() -> dict[str, Any]:
    from reports.queries.overview import overview
    from zsk import months

    with scratch_database():
        facts = fill()

        def dashboard() -> Overview | None:
            return overview(month=months.last_full())

        from_totals, answer = best(dashboard)
        _execute("SET search_path = from_facts, public")
        # Nobody would ask for the first month by way of the view.
        with mock.patch("transactions.totals.first_month", _earliest_fact):
            from_facts, same = best(dashboard)
    if answer is None or answer != same:
        raise AssertionError("Totals and facts give different answers.")
    return {
        "name": "dashboard_vs_fact_scan",
        "ratio": round(from_facts / from_totals, 1),
        "totals_ms": round(from_totals * 1000, 1),
        "facts_ms": round(from_facts * 1000, 1),
        "facts": facts,
        "equal": True,
        "aim": ">= 10",
    }


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zsk.settings")
    django.setup()
    print(json.dumps(measure()), flush=True)


if __name__ == "__main__":
    main()
