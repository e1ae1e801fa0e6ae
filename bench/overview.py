"""„Meine Onlineservices“ must not cost more for somebody with many of them.

- `overview_queries`: queries of the page for somebody responsible for 10 and for 10,000 services.
"""

from __future__ import annotations

import json
from typing import Any

from bench import scratch

SIZES = (10, 10_000)


def main() -> None:
    with scratch.database():
        found = [_queries(size) for size in SIZES]
        print(json.dumps({
            "name": "overview_queries", "value": found[-1],
            **{f"at_{size}": queries for size, queries in zip(SIZES, found, strict=True)},
        }), flush=True)  # fmt: skip
    if len(set(found)) != 1:
        raise AssertionError("The page costs more queries for more services.")


def _queries(services: int) -> int:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="localhost")
    client.force_login(_person(services))
    with CaptureQueriesContext(connection) as captured:
        answer = client.get("/meine/")
    if answer.status_code != 200:
        raise RuntimeError(f"/meine/ answers {answer.status_code}")
    return len(captured)


def _person(services: int) -> Any:
    """Somebody responsible for so many services, each with a year of counts."""
    from django.utils import timezone

    from accounts.models import Authority, User
    from ozgsync.models import GERMANY, Leistung
    from services.models import OnlineService, ServiceMember, ServiceState
    from transactions.models import ServiceMonth
    from zsk import months

    person = User.objects.create(username=f"messung-{services}")
    authority = Authority.objects.create(name=f"Messung {services}", level="bund", region_id=GERMANY)
    leistung, _new = Leistung.objects.get_or_create(schluessel="99999999999999", name="Messung")
    made = OnlineService.objects.bulk_create(
        OnlineService(name=f"Messung {number}", authority=authority, leistung=leistung)
        for number in range(services)
    )
    last = months.last_full()
    ServiceState.objects.bulk_create(ServiceState(service=row, version=1, last_month=last) for row in made)
    ServiceMember.objects.bulk_create(
        ServiceMember(service=row, user=person, role=ServiceMember.Role.RESPONSIBLE) for row in made
    )
    year = months.span(months.shift(last, -11), last)
    now = timezone.now()
    ServiceMonth.objects.bulk_create(
        (
            ServiceMonth(
                service=row, month=month, total=7, rows=1, first_delivered_at=now, last_delivered_at=now
            )
            for row in made
            for month in year
        ),
        batch_size=5_000,
    )
    return person


if __name__ == "__main__":
    main()
