"""The register of regions in memory is always that of the database."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ozgsync.models import Region, RegionVersion
from tests.transactions import country
from transactions import register

pytestmark = pytest.mark.django_db


def test_asked_again_it_costs_one_small_query(country_regions: None) -> None:
    first = register.current()
    with CaptureQueriesContext(connection) as captured:
        assert register.current() is first
    assert [query["sql"] for query in captured] == [register.STATE]


def test_whoever_writes_a_region_it_is_seen_at_once(country_regions: None) -> None:
    Region.objects.filter(pk=country.HESSEN).update(name="Neu-Hessen")
    assert register.current()[country.HESSEN].name == "Neu-Hessen"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE ozgsync_regionversion SET valid_to = '2026-01-01' WHERE ars = %s", [country.HESSEN]
        )
    assert register.current()[country.HESSEN].end == (2026 - 1970) * 12


def test_what_was_rolled_back_is_not_taken_for_what_came_after(country_regions: None) -> None:
    before = register.current()[country.HESSEN].name
    with transaction.atomic():
        Region.objects.filter(pk=country.HESSEN).update(name="Verworfen")
        assert register.current()[country.HESSEN].name == "Verworfen"
        transaction.set_rollback(True)
    assert register.current()[country.HESSEN].name == before
    Region.objects.filter(pk=country.HESSEN).update(name="Behalten")
    assert register.current()[country.HESSEN].name == "Behalten"


def test_without_regions_it_is_empty() -> None:
    RegionVersion.objects.all().delete()
    assert len(register.current()) == 0
