"""A day in June 2026, a small Germany, and deliveries that go in as every delivery does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from ozgsync.models import Level, Region, RegionVersion
from services.models import OnlineService
from tests.factories import RegionFactory, ServiceFactory, UserFactory, germany, kreis, land
from transactions.checks import check
from transactions.delivery import deliver
from transactions.models import Delivery
from transactions.rows import Rows

TODAY = dt.date(2026, 6, 10)
GERMANY, HESSEN, SAARLAND, BERLIN = "0" * 12, "060000000000", "100000000000", "110000000000"
HANAU, KREIS = "064150000000", "064350000000"
MAINTAL = "064350019019"
Deliver = Callable[[OnlineService, Mapping[tuple[str, str], int | None]], Delivery]


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> dt.date:
    """The last full month is May 2026, due on 15 June; June runs."""
    real = timezone.localdate

    def localdate(value: dt.datetime | None = None, timezone: Any = None) -> dt.date:
        return real(value, timezone) if value else TODAY

    monkeypatch.setattr(timezone, "localdate", localdate)
    return TODAY


@pytest.fixture
def regions(db: None) -> dict[str, Region]:
    """Germany, three Länder (Berlin is Kreis and Gemeinde as well), two Kreise and a Gemeinde of Hessen."""
    found = [
        germany(),
        land(),
        land(SAARLAND, "Saarland"),
        RegionFactory(ars=BERLIN, name="Berlin", level_top=Level.LAND, level_bottom=Level.GEMEINDE),
        kreis(),
        RegionFactory(ars=HANAU, name="Hanau", level_top=Level.KREIS, level_bottom=Level.GEMEINDE),
        RegionFactory(ars=MAINTAL, name="Maintal"),
    ]
    for ars, inhabitants in {GERMANY: 10_000_000, HESSEN: 6_000_000, BERLIN: 3_000_000}.items():
        RegionVersion.objects.filter(region=ars).update(inhabitants=inhabitants)
    RegionVersion.objects.filter(region=KREIS).update(kind="Landkreis")
    return {region.ars: region for region in found}


@pytest.fixture
def operations(db: None) -> User:
    return UserFactory(is_operations=True)


@pytest.fixture
def deliver_counts(regions: dict[str, Region], operations: User, today: dt.date) -> Deliver:
    """`deliver_counts(service, {("2026-05", ars): 12})`; None takes a value back."""

    def act(service: OnlineService, values: Mapping[tuple[str, str], int | None]) -> Delivery:
        rows = Rows.of(
            service=[service.number] * len(values),
            ars=[ars for _month, ars in values],
            month=[month for month, _ars in values],
            count=["löschen" if value is None else str(value) for value in values.values()],
        )
        delivery = Delivery(channel=Delivery.Channel.FILE, user=operations, actor="Test")
        return deliver(check(rows, by=operations), delivery)

    return act


@pytest.fixture
def published(regions: dict[str, Region]) -> OnlineService:
    return ServiceFactory(name="Wohngeld online", published=True)
