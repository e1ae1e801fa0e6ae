"""A small country, services and keys in an installation, and a machine that pushes over real HTTP."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ozgsync.models import Level, Region, RegionVersion
from services.models import OnlineService, ReportingLevel
from tests.factories import LONG_AGO, PortalFactory, ServiceFactory, api_key, germany, kreis, land
from tests.transactions.sums import Facts, Key
from transactions import publication

KREIS = "064350000000"
MONTHS = [dt.date(2025, month, 1) for month in range(1, 11)]


@dataclass(frozen=True)
class Sent:
    """An answer; `status` 0: none came."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(frozen=True)
class Push:
    """One delivery: counts by service, month and region; `scope` is replaced as a whole."""

    rows: Facts
    scope: frozenset[tuple[int, dt.date]] = frozenset()
    key: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def body(self) -> bytes:
        message: dict[str, Any] = {
            "zeilen": [
                {"onlineservice": f"OS-{service:06d}", "ars": ars, "monat": f"{month:%Y-%m}", "anzahl": count}
                for (service, month, ars), count in self.rows.items()
            ]
        }
        if self.scope:
            scope = [{"onlineservice": f"OS-{pk:06d}", "monat": f"{month:%Y-%m}"} for pk, month in self.scope]
            message |= {"modus": "ersetzen", "umfang": scope}
        return json.dumps(message).encode()

    def after(self, before: Facts) -> Facts:
        """What is stored after it, where `before` was stored before it."""
        kept = {key: count for key, count in before.items() if key[:2] not in self.scope}
        return kept | self.rows


@dataclass(frozen=True)
class Market:
    """Services of one portal, of which some are published, and the Gemeinden that they report for."""

    services: list[OnlineService]
    regions: list[str]
    token: str
    port: int

    @classmethod
    def open(cls, *, port: int, services: int, regions: int) -> Market:
        germany(), land(), kreis(KREIS)
        portal = PortalFactory()
        made = [
            ServiceFactory(reporting_level=ReportingLevel.GEMEINDE, portal=portal) for _ in range(services)
        ]
        for service in made[::2]:
            publication.publish(service, by=None)
        return cls(made, _gemeinden(regions), api_key(portal=portal)[1], port)

    def push(self, accident: random.Random, *, count: int, share: float = 1) -> Push:
        """Counts of about `share` of the regions in some months of a service; every third one replaces."""
        service, months = (
            accident.choice(self.services),
            accident.sample(MONTHS, accident.randint(1, len(MONTHS))),
        )
        regions = [ars for ars in self.regions if accident.random() < share]
        rows: Facts = {(service.pk, month, ars): count for month in months for ars in regions}
        scope = frozenset((service.pk, month) for month in months)
        return Push(rows, scope if accident.random() < 1 / 3 or not rows else frozenset())

    def one(self, service: OnlineService, ars: str, count: int) -> Push:
        return Push({(service.pk, MONTHS[0], ars): count})

    def send(self, push: Push, *, later: bool = False) -> Sent:
        headers = {
            "Authorization": f"Bearer {self.token}", "Content-Type": "application/json",
            "Idempotency-Key": push.key, **({"Prefer": "respond-async"} if later else {}),
        }  # fmt: skip
        request = Request(f"http://127.0.0.1:{self.port}/api/v1/lieferungen", push.body, headers)
        try:
            with urlopen(request, timeout=120) as answer:
                return Sent(answer.status, json.load(answer), dict(answer.headers))
        except HTTPError as error:
            with error:
                return Sent(error.code, json.load(error), dict(error.headers))
        except (OSError, HTTPException, ValueError):
            return Sent(0, {}, {})


def _gemeinden(number: int) -> list[str]:
    keys = [f"{KREIS[:5]}{index // 1000:04d}{index % 1000:03d}" for index in range(1, number + 1)]
    Region.objects.bulk_create(
        Region(ars=ars, name=f"Ort {ars}", level_top=Level.GEMEINDE, level_bottom=Level.GEMEINDE)
        for ars in keys
    )
    RegionVersion.objects.bulk_create(
        RegionVersion(region_id=ars, name=f"Ort {ars}", valid_from=LONG_AGO) for ars in keys
    )
    return keys


__all__ = ["MONTHS", "Facts", "Key", "Market", "Push", "Sent"]
