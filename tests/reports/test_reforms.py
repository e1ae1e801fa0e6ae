"""The pages of territorial reforms, and what regions and services say of them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from ozgsync.loading import load_reference, raise_version
from ozgsync.models import RegionChange, RegionVersion
from services.models import OnlineService
from tests.factories import RegionChangeFactory, RegionFactory, ServiceFactory, UserFactory
from tests.reports import test_gebietsstand as both
from tests.transactions.country import (
    EISENACH,
    EISENACH_OLD,
    GOETTINGEN,
    HANAU,
    HANAU_OLD,
    HESSEN,
    MAINTAL,
    MKK,
    OSTERODE,
    WARTBURG,
)  # fmt: skip

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]
LIST = "/regionen/aenderungen/"


def text(address: str, status: int = 200) -> str:
    answer = Client().get(address)
    assert answer.status_code == status
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]*>", "", answer.content.decode()))


@pytest.fixture
def there(db: None) -> None:
    both.build()


@pytest.fixture
def delivered(there: None) -> OnlineService:
    service: OnlineService = ServiceFactory(name="Wohngeld online", published=True)
    both.send(service, both.COUNTS, UserFactory(is_operations=True))
    return service


def test_the_reforms_of_the_committed_data(db: None) -> None:
    load_reference()
    found = text(LIST)
    assert "Eine Änderung 2026" in found
    assert "Hanau: neuer Schlüssel; Main-Kinzig-Kreis: ein Teil geht an Hanau" in found
    assert "Osterode" not in found
    assert "Zusammenschluss zu Göttingen: Göttingen und Osterode am Harz" in re.sub("Landkreis ", "", text(
        f"{LIST}?jahr=2016"
    ))  # fmt: skip
    assert "Eine Änderung 2026" in text(f"{LIST}?jahr=1900")
    found = text(f"{LIST}zsk-2026-hanau/")
    assert "statistisch wirksam ab 1. Januar 2026" in found
    assert "Zahlen für Hanau bis Dezember 2025 zählen zu Hanau." in found
    assert "Main-Kinzig-Kreis bis Dezember 2025 lassen sich nicht aufteilen. Sie zählen zu" in found
    assert "der Rest" in found
    assert "nicht bekannt" in found


@pytest.mark.parametrize(
    ("search", "hit"),
    [("osterode", True), ("031560000000", True), ("03156", True), ("goettingen", True),
     ("Goettingen", True), ("gibt es nicht", False), ("%00", False), ("x" * 300, False)],
)  # fmt: skip
def test_search_by_name_key_and_identifier(there: None, search: str, hit: bool) -> None:
    found = text(f"{LIST}?q={search}")
    assert ("Osterode am Harz: neuer Schlüssel" in found) == hit
    if not hit and search != "%00":
        assert "Dazu ist keine Gebietsänderung bekannt" in found


def test_without_changes_the_list_says_so(db: None) -> None:
    assert "Noch ist keine Gebietsänderung bekannt" in text(LIST)


def test_the_list_costs_the_same_however_long(
    there: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        RegionChangeFactory(change_id=f"06/2024/{number:04d}-R")
    with django_assert_max_num_queries(8):
        assert "40 Änderungen 2024" in text(f"{LIST}?jahr=2024")


def test_identifiers_of_destatis_are_addresses(there: None) -> None:
    RegionChange.objects.filter(change_id="hanau").update(change_id="06/2026/0001-S")
    assert "neuer Schlüssel" in text(f"{LIST}06/2026/0001-S/")
    assert f'href="{LIST}06/2026/0001-S/"' in Client().get(LIST).content.decode()
    assert text(f"{LIST}06/2026/0002-S/", 404)
    assert text(f"{LIST}%00/", 404)


def test_regions_say_where_they_came_from_and_went(there: None) -> None:
    assert "Seit 1. November 2016 unter neuem Schlüssel: Göttingen" in text(f"/regionen/{OSTERODE}/")
    assert "bestand bis zum 31. Oktober 2016" in text(f"/regionen/{OSTERODE}/")
    assert "Früher (bis 31. Oktober 2016): Osterode am Harz" in text(f"/regionen/{GOETTINGEN}/")
    assert "Am 1. Januar 2026 ging ein Teil an: Hanau" in text(f"/regionen/{MKK}/")
    assert "Früher (bis 31. Dezember 2025): Hanau" in text(f"/regionen/{HANAU}/")
    RegionChange.objects.filter(change_id="eisenach").update(kind="eingliederung")
    raise_version()
    assert "Seit 1. Juli 2021 unter neuem Schlüssel: Eisenach" in text(f"/regionen/{EISENACH_OLD}/")
    assert "Am 1. Juli 2021 kam hinzu: Eisenach" in text(f"/regionen/{EISENACH}/")


def test_what_is_still_to_come_stands_in_the_list_only(there: None) -> None:
    RegionChangeFactory(change_id="x", old_id=MAINTAL, new_id=MKK, effective=dt.date(2027, 1, 1))
    assert "1. Januar 2027" in text(LIST)
    assert "2027" not in text(f"/regionen/{MAINTAL}/")
    assert "bleiben auch im heutigen Gebietsstand" in text(f"{LIST}x/")


def test_a_former_name_is_told_as_it_is_written(there: None) -> None:
    RegionVersion.objects.filter(region=MAINTAL).update(name="100 % {Tal}", valid_to="2020-01-01")
    RegionVersion.objects.create(region_id=MAINTAL, name="Maintal", valid_from="2020-01-01")
    RegionChangeFactory(kind="umbenennung", old_id=MAINTAL, new_id=MAINTAL, effective=dt.date(2020, 1, 1))
    assert "Bis 31. Dezember 2019 hieß die Region 100 % {Tal}." in text(f"/regionen/{MAINTAL}/")


def test_an_ended_region_keeps_its_numbers(delivered: OnlineService) -> None:
    RegionVersion.objects.filter(region=EISENACH_OLD).update(valid_to="2021-06-01")
    raise_version()
    found = text(f"/regionen/{EISENACH_OLD}/")
    assert "Im Mai 2021 wurden in Eisenach 31 Transaktionen gezählt." in found
    # Where they belong today is a choice in the address.
    now = text(f"/regionen/{EISENACH_OLD}/?monat=2021-05&gebietsstand=heute")
    assert "Im Mai 2021" not in now
    assert "68 Transaktionen" in text(f"/regionen/{WARTBURG}/?monat=2021-05&gebietsstand=heute")


def test_the_pages_mark_what_a_reform_divided(delivered: OnlineService) -> None:
    sentence = "Aufgeteilt durch Reform: auf Darmstadt gezählt"
    query = f"region={HESSEN}&monat=2025-05"
    for address in (
        f"/regionen/{HESSEN}/?monat=2025-05",
        f"/onlineservices/{delivered.number}/?{query}",
    ):
        assert sentence not in text(address)
        assert sentence in text(f"{address}&gebietsstand=heute")


def test_downloads_follow_the_choice(delivered: OnlineService) -> None:
    base = f"/onlineservices/{delivered.number}/regionen"
    query = f"?region={HESSEN}&monat=2025-05"
    page = Client().get(f"/onlineservices/{delivered.number}/{query}&gebietsstand=heute").content.decode()
    assert f"{base}.csv{query}&gebietsstand=heute".replace("&", "&amp;") in page
    then, now = (
        Client().get(f"{base}.json{query}{more}").json() for more in ("", "&gebietsstand=heute")
    )  # fmt: skip
    assert now["meta"]["gebietsstand"] == "heutiger Gebietsstand"
    sums = [
        sum(row[5] or 0 for row in found["zeilen"] if row[1] == "Kreis") for found in (then, now)
    ]  # fmt: skip
    assert sums == [210, 210]
    # Hanau had no Kreis of its own then.
    assert [row[5] for row in now["zeilen"] if row[2] == HANAU] == [43]
    curve = f"/onlineservices/{delivered.number}/verlauf.svg{query}"
    assert "heutiger Gebietsstand" not in text(curve)
    assert "heutiger Gebietsstand" in text(f"{curve}&gebietsstand=heute")
    assert HANAU_OLD not in {row[2] for row in now["zeilen"]}


def test_both_views_of_a_page_are_kept_apart_and_change_with_the_reforms(delivered: OnlineService) -> None:
    client = Client()
    address = f"/regionen/{WARTBURG}/?monat=2021-05"
    first = client.get(f"{address}&gebietsstand=heute")
    unchanged = client.get(f"{address}&gebietsstand=heute", headers={"if-none-match": first["ETag"]})
    assert unchanged.status_code == 304
    RegionFactory(ars="160630200200")
    RegionChange.objects.filter(change_id="eisenach").update(share=None)
    raise_version()
    again = client.get(f"{address}&gebietsstand=heute", headers={"if-none-match": first["ETag"]})
    assert again.status_code == 200
