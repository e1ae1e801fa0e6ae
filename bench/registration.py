"""Registering 5,000 services of a portal from one file.

- `register_5000_vs_bulk_insert`: from the kept file to the committed rows, checks, warnings and history
  included, over a bare `bulk_create` of the same services, areas, states and memberships; medians, in turns.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from bench import scratch

ROWS = 5_000
# The portal's authority has services already, which the file's are compared with.
THERE = 300
ROUNDS = 3
HEAD = "kennung;name;leistungsschluessel;meldeebene;gebiet;adresse;funktionspostfach;in_betrieb_seit"


def main() -> None:
    with scratch.database():
        from bench.deliveries import gemeinden

        keys = gemeinden()
        portal, person = _portal()
        _services_there(portal, keys)
        rounds = [(_bare(portal, keys), _register(portal, person, keys)) for _round in range(ROUNDS)]
        bare, register = (statistics.median(times) for times in zip(*rounds, strict=True))
        scratch.report(
            register_5000_vs_bulk_insert=register / bare,
            register_5000_seconds=register,
            bulk_insert_seconds=bare,
        )


def _portal() -> tuple[Any, Any]:
    from accounts.models import Authority, User
    from ozgsync.models import GERMANY
    from portals.models import Portal, PortalMember

    authority = Authority.objects.create(name="Messung", level="bund", region_id=GERMANY)
    portal = Portal.objects.create(name="Messung", kuerzel="messung", authority=authority)
    person = User.objects.create(username="messung")
    PortalMember.objects.create(portal=portal, user=person)
    return portal, person


def _leistungen() -> list[str]:
    from ozgsync.models import Leistung

    return list(Leistung.objects.order_by("pk").values_list("pk", flat=True))


def _services_there(portal: Any, keys: list[str]) -> None:
    from services.models import OnlineService

    made = OnlineService.objects.bulk_create(_rows(portal)[:THERE])
    _areas(made, keys)


def _rows(portal: Any) -> list[Any]:
    import datetime as dt

    from services.models import OnlineService

    leistungen = _leistungen()
    return [
        OnlineService(
            name=f"Onlineservice {number} der Messung", leistung_id=leistungen[number % len(leistungen)],
            authority=portal.authority, reporting_level="gemeinde", url=f"https://messung.example/{number}",
            contact="post@messung.example", live_from=dt.date(2024, 1, 15),
        )
        for number in range(ROWS)
    ]  # fmt: skip


def _areas(made: list[Any], keys: list[str]) -> None:
    from services.models import OnlineService

    through = OnlineService.area.through
    through.objects.bulk_create(
        [
            through(onlineservice_id=row.pk, region_id=keys[index % len(keys)])
            for index, row in enumerate(made)
        ]
    )


def _bare(portal: Any, keys: list[str]) -> float:
    """The four tables, and nothing else; taken back again."""
    from django.db import transaction

    from services.models import OnlineService, PortalService, ServiceState

    rows = _rows(portal)
    with transaction.atomic():
        start = time.perf_counter()
        made = OnlineService.objects.bulk_create(rows)
        _areas(made, keys)
        ServiceState.objects.bulk_create([ServiceState(service=row) for row in made])
        PortalService.objects.bulk_create(
            [
                PortalService(portal=portal, service=row, kennung=f"b-{row.pk}", since=row.live_from)
                for row in made
            ]
        )
        seconds = time.perf_counter() - start
        transaction.set_rollback(True)
    return seconds


def _register(portal: Any, person: Any, keys: list[str]) -> float:
    from django.db import transaction

    from services import bulk

    lines = [
        f"k-{number};{row.name};{row.leistung_id};{row.reporting_level};{keys[number % len(keys)]};{row.url};"
        f"{row.contact};{row.live_from}"
        for number, row in enumerate(_rows(portal))
    ]
    content = "\n".join([HEAD, *lines]).encode()
    with transaction.atomic():
        kept = bulk.keep(portal=portal, by=person, name="messung.csv", content=content)
        start = time.perf_counter()
        made = bulk.register(kept, by=person)
        seconds = time.perf_counter() - start
        transaction.set_rollback(True)
    if len(made) != ROWS:
        raise RuntimeError(f"{len(made)} services were registered")
    return seconds


if __name__ == "__main__":
    main()
