"""Deliveries of a million rows, from the file to the committed report, with all real Gemeinden.

- `delivery_vs_bare_upsert`: its time over that of `INSERT … SELECT … ON CONFLICT DO UPDATE` of the same rows
  from the staging table, both into an empty fact table, in turns.
- `delivery_repeat_vs_first`: the same file again, over the first time.
- `delivery_memory_mb`, `delivery_memory_5m_mb`: what a fresh process takes at its peak for one of a million
  and of five million rows.
"""

from __future__ import annotations

import itertools
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench import scratch

if TYPE_CHECKING:
    from services.models import OnlineService
    from transactions.models import Delivery

ROWS = 1_000_000
ROUNDS = 3
_TABLES = "transaction_count, count_revision, monthly_total, service_month, region_total, region_total_delta"


def main() -> None:
    with scratch.database(), tempfile.TemporaryDirectory() as folder:
        service = make_service("gemeinde")
        path, larger = Path(folder) / "million.csv", Path(folder) / "five.csv"
        write_file(path, [service], ROWS)
        write_file(larger, [service, *make_services("gemeinde", 4)], 5 * ROWS)
        rounds = [measure_round(path, service) for _round in range(ROUNDS)]
        bare, first, repeat = (statistics.median(times) for times in zip(*rounds, strict=True))
        scratch.report(
            delivery_vs_bare_upsert=first / bare,
            delivery_repeat_vs_first=repeat / first,
            delivery_memory_mb=memory(path),
            delivery_memory_5m_mb=memory(larger),
            delivery_seconds=first,
            bare_upsert_seconds=bare,
        )


def make_service(level: str) -> OnlineService:
    return make_services(level, 1)[0]


def make_services(level: str, number: int) -> list[OnlineService]:
    from django.utils import timezone

    from accounts.models import Authority
    from ozgsync.models import GERMANY, Leistung
    from services.models import OnlineService, ServiceState

    authority, _new = Authority.objects.get_or_create(name="Messung", level="bund", region_id=GERMANY)
    leistung, _new = Leistung.objects.get_or_create(
        schluessel="99999999999999", defaults={"name": "Messung", "types": ["2"]}
    )
    made = OnlineService.objects.bulk_create(
        OnlineService(
            name="Messung", authority=authority, leistung=leistung, reporting_level=level,
            published_at=timezone.now(),
        )
        for _number in range(number)
    )  # fmt: skip
    ServiceState.objects.bulk_create(ServiceState(service=service) for service in made)
    return made


def gemeinden() -> list[str]:
    """The keys that were valid in every month since 2016."""
    from ozgsync.models import Level, Region
    from zsk import months

    since_2016 = Region.objects.filter(versions__valid_from="2016-01-01", versions__valid_to=None)
    return list(since_2016.at_level(Level.GEMEINDE).valid_in(months.running()).values_list("ars", flat=True))


def write_file(path: Path, services: list[OnlineService], rows: int) -> None:
    """Region by region, each with its months: not the order in which the database keeps them."""
    from zsk import months

    keys = gemeinden()
    number = -(-rows // len(keys) // len(services))
    texts = [f"{months.shift(months.last_full(), -index):%Y-%m}" for index in range(number)]
    cells = itertools.product(keys, [service.number for service in services], texts)
    with path.open("w", encoding="utf-8") as file:
        file.write("onlineservice;ars;monat;anzahl\n")
        for index, (ars, service, month) in enumerate(itertools.islice(cells, rows)):
            file.write(f"{service};{ars};{month};{(index * 7919) % 5000}\n")


def deliver_file(path: Path) -> Delivery:
    from accounts.models import User
    from transactions.checks import check
    from transactions.delivery import deliver
    from transactions.models import Delivery
    from transactions.sources import delimited

    with path.open("rb") as file:
        rows = delimited.read(file, single_service=False)
    checked = check(rows, by=User(is_operations=True, is_active=True))
    del rows
    return deliver(checked, Delivery(channel=Delivery.Channel.FILE, actor="Messung"))


def measure_round(path: Path, service: OnlineService) -> tuple[float, float, float]:
    """Seconds of the bare upsert, of the delivery, and of the delivery once more."""
    empty()
    bare = upsert(path)
    empty()
    first = seconds(lambda: deliver_file(path))
    return bare, first, seconds(lambda: deliver_file(path))


def empty() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_TABLES}, staged_count")


def seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def upsert(path: Path) -> float:
    """The bare upsert of the file's rows; staging them does not count."""
    from django.db import connection

    from accounts.models import User
    from transactions import staging
    from transactions.checks import check
    from transactions.sources import delimited

    delivery = uuid.uuid4()
    with path.open("rb") as file:
        rows = delimited.read(file, single_service=False)
    staging.stage(check(rows, by=User(is_operations=True, is_active=True)), delivery)
    with connection.cursor() as cursor:
        return seconds(lambda: cursor.execute(_UPSERT, {"delivery": delivery}))


_UPSERT = """
    INSERT INTO transaction_count (service_id, month, ars, count, delivery)
    SELECT service_id, month, ars, count, delivery FROM staged_count WHERE delivery = %(delivery)s
    ON CONFLICT (service_id, month, ars) DO UPDATE SET count = excluded.count, delivery = excluded.delivery
"""


def memory(path: Path) -> float:
    """Megabytes of a process of its own at its peak, delivering the file anew."""
    empty()
    command = [sys.executable, "-m", "bench.deliveries", str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def deliver_once(path: Path) -> None:
    import django

    django.setup()
    deliver_file(path)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        deliver_once(Path(sys.argv[1]))
    else:
        main()
