"""Services that may be the same: what warns, and what does not."""

import datetime as dt
from typing import Any

import pytest

from ozgsync.models import Leistung, Region
from services.duplicates import Candidate, duplicates_of_all, possible_duplicates
from services.models import OnlineService
from tests.factories import (
    AuthorityFactory,
    LeistungChangeFactory,
    LeistungFactory,
    RegionFactory,
    ServiceFactory,
    germany,
    kreis,
    land,
)

pytestmark = pytest.mark.django_db
SAME_LEISTUNG, SAME_ADDRESS, SIMILAR = (
    "gleiche Leistung, Gebiet überschneidet sich",
    "gleiche Adresse",
    "ähnlicher Name",
)


@pytest.fixture
def leistung() -> Leistung:
    return LeistungFactory()


def registered(leistung: Leistung, *area: Region, **values: Any) -> OnlineService:
    service: OnlineService = ServiceFactory(leistung=leistung, **values)
    service.area.set(area)
    return service


def reasons(candidate: Candidate) -> dict[int, tuple[str, ...]]:
    return {found.service.pk: found.reasons for found in possible_duplicates(candidate)}


def candidate(leistung: Leistung, *prefixes: str, **values: Any) -> Candidate:
    given = {"name": "Ganz anders", "authority": 0, **values}
    return Candidate(leistung=leistung.pk, prefixes=prefixes, **given)


@pytest.mark.parametrize("prefix", ["", "06", "06435", "064350010", "064350010010"])
def test_areas_that_hold_one_another_overlap(leistung: Leistung, prefix: str) -> None:
    service = registered(leistung, kreis())
    assert reasons(candidate(leistung, prefix)) == {service.pk: (SAME_LEISTUNG,)}


@pytest.mark.parametrize("prefix", ["05", "06436", "0643", "064"])
def test_areas_beside_one_another_do_not(leistung: Leistung, prefix: str) -> None:
    registered(leistung, RegionFactory(ars="064370010010"))
    assert reasons(candidate(leistung, prefix if len(prefix) in {2, 5} else "05")) == {}


def test_a_service_for_all_of_germany_overlaps_with_every_one(leistung: Leistung) -> None:
    service = registered(leistung, germany())
    assert reasons(candidate(leistung, "064350010010")) == {service.pk: (SAME_LEISTUNG,)}


def test_another_leistung_in_the_same_area_does_not_matter(leistung: Leistung) -> None:
    registered(LeistungFactory(), land())
    assert reasons(candidate(leistung, "06")) == {}


@pytest.mark.parametrize("url", ["https://www.hund.de/antrag", "http://HUND.de/antrag/"])
def test_the_same_address_in_other_words(leistung: Leistung, url: str) -> None:
    service = registered(LeistungFactory(), url="https://hund.de/antrag")
    assert reasons(candidate(leistung, url=url)) == {service.pk: (SAME_ADDRESS,)}
    assert reasons(candidate(leistung, url="https://hund.de/")) == {}
    assert reasons(candidate(leistung, url="")) == {}


@pytest.mark.parametrize(
    ("name", "warns"),
    [("Hundesteuer anmelden", True), ("HUNDESTEUER: Anmelden!", True), ("Hundesteuer abmelden", True),
     ("Wohngeld", False)],
)  # fmt: skip
def test_similar_names_of_one_authority(leistung: Leistung, name: str, warns: bool) -> None:
    service = registered(LeistungFactory(), name="Hundesteuer anmelden")
    found = reasons(candidate(leistung, name=name, authority=service.authority_id))
    assert found == ({service.pk: (SIMILAR,)} if warns else {})


def test_the_same_name_in_two_towns_is_no_duplicate(leistung: Leistung) -> None:
    registered(leistung, kreis(), name="Hundesteuer anmelden")
    other = candidate(leistung, "05315", name="Hundesteuer anmelden", authority=AuthorityFactory().pk)
    assert reasons(other) == {}


def test_the_likeliest_comes_first_with_all_its_reasons(leistung: Leistung) -> None:
    first = registered(leistung, land(), name="Wohngeld")
    second = registered(
        leistung, land(), name="Hundesteuer", url="https://hund.de", authority=first.authority
    )
    found = possible_duplicates(
        candidate(leistung, "06", name="Hundesteuer", url="https://hund.de/", authority=first.authority_id)
    )
    assert [(one.service.pk, len(one.reasons)) for one in found] == [(second.pk, 3), (first.pk, 1)]


def test_services_out_of_operation_do_not_count_nor_does_the_service_itself(leistung: Leistung) -> None:
    registered(leistung, land(), ended_on=dt.date(2024, 1, 1))
    service = registered(leistung, land())
    assert possible_duplicates(candidate(leistung, "06"), but=service.pk) == []


def test_thousands_cost_as_many_queries_as_one(leistung: Leistung, django_assert_num_queries: Any) -> None:
    registered(leistung, land())
    for count in (1, 50):
        with django_assert_num_queries(3):
            found = duplicates_of_all([candidate(leistung, "06")] * count)
        assert [len(duplicates) for duplicates in found] == [1] * count


def test_a_service_of_the_leistung_before_is_one_too(leistung: Leistung) -> None:
    oldest, old, other = LeistungFactory(), LeistungFactory(), LeistungFactory()
    LeistungChangeFactory(old=oldest, new=old), LeistungChangeFactory(old=old, new=leistung)
    service = registered(oldest, kreis())
    registered(other, kreis())
    assert reasons(candidate(leistung, "06435")) == {service.pk: (SAME_LEISTUNG,)}
    assert reasons(candidate(oldest, "06435")) == {service.pk: (SAME_LEISTUNG,)}
