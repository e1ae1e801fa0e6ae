"""Search over Leistungen and regions: what people type, and what they mean."""

import datetime as dt
from typing import Any

import pytest

from ozgsync.models import Level, OzgOnlineService
from ozgsync.search import digits_of, find_leistungen, find_regions, fold, regions_named
from tests.factories import LeistungFactory, OzgLeistungFactory, RegionFactory, kreis, land

pytestmark = pytest.mark.django_db
CountQueries = Any


@pytest.fixture
def dogs() -> None:
    bundle = OzgLeistungFactory(ozg_id="10292", name="Gassi-Gehen")
    LeistungFactory(schluessel="99102013000000", name="Hundesteuer", ozg_leistung=bundle)
    LeistungFactory(schluessel="99102013104000", name="Hundesteuer Anmeldung")
    LeistungFactory(schluessel="99102013010000", name="Befreiung von der Hundesteuer")
    LeistungFactory(schluessel="99108001001000", name="Bewohnerparkausweis für die Grüne Straße")


def keys(text: str, **options: Any) -> list[str]:
    return [leistung.pk for leistung in find_leistungen(text, **options)]


def arses(text: str, **options: Any) -> list[str]:
    return [region.ars for region in find_regions(text, **options)]


@pytest.mark.parametrize(
    "text", ["Hundesteuer", " HUNDESTEUER ", "99102013", "99 102 013", "99\u00a0102\u00a0013", "99.102.013"]
)
@pytest.mark.usefixtures("dogs")
def test_a_leistung_is_found_by_name_and_by_the_beginning_of_its_key(text: str) -> None:
    assert set(keys(text)) == {"99102013000000", "99102013010000", "99102013104000"}


@pytest.mark.parametrize(
    "text", ["gruene strasse", "GRÜNE STRASSE", "Straße grüne", "Gru\u0308ne", "99108001001000"]
)
@pytest.mark.usefixtures("dogs")
def test_umlauts_case_and_order_do_not_matter(text: str) -> None:
    assert keys(text) == ["99108001001000"]


@pytest.mark.usefixtures("dogs")
def test_the_very_name_comes_first_then_names_that_begin_so() -> None:
    assert keys("hundesteuer") == ["99102013000000", "99102013104000", "99102013010000"]
    assert keys("hundesteuer", limit=1) == ["99102013000000"]


@pytest.mark.parametrize("text", ["10292", "gassi gehen", "Wauwau"])
@pytest.mark.usefixtures("dogs")
def test_a_leistung_is_found_by_what_else_it_is_called(text: str) -> None:
    OzgOnlineService.objects.create(ozg_number="7", name="Wauwau digital", leistung_id="99102013000000")
    assert keys(text) == ["99102013000000"]


@pytest.mark.parametrize("text", ["", "   ", "\0", "Pferdesteuer", "98", "99 999", "%", "_", "\\"])
@pytest.mark.usefixtures("dogs")
def test_nothing_is_found_for_nothing(text: str) -> None:
    assert keys(text) == []
    assert arses(text) == []


@pytest.fixture
def places() -> None:
    land("090000000000", "Bayern"), land(), kreis("064350000000", "Main-Kinzig-Kreis")
    RegionFactory(ars="091620000000", name="München", level_top=Level.KREIS, level_bottom=Level.GEMEINDE)
    RegionFactory(ars="064350010010", name="Münchholzhausen")
    RegionFactory(ars="064350020020", name="Neuses am Berg, genannt München")


@pytest.mark.parametrize(
    "text", ["München", "muenchen", "09162", "09 1 62", "09162000", "9162000", "091620000000", "91620000000"]
)
@pytest.mark.usefixtures("places")
def test_a_region_is_found_by_name_ars_and_ags_also_without_its_zero(text: str) -> None:
    assert arses(text)[0] == "091620000000"


@pytest.mark.usefixtures("places")
def test_an_ags_is_not_mistaken_for_the_beginning_of_an_ars() -> None:
    assert arses("06435010") == ["064350010010"]


@pytest.mark.usefixtures("places")
def test_regions_say_where_they_lie() -> None:
    found = {region.ars: region.within for region in find_regions("Mün")}
    assert found["091620000000"] == "Bayern"
    assert found["064350010010"] == "Main-Kinzig-Kreis, Hessen"
    assert [region.name for region in regions_named(["064350000000", "060000000000"])] == [
        "Hessen",
        "Main-Kinzig-Kreis",
    ]


def test_regions_that_are_no_more_are_not_found_today() -> None:
    RegionFactory(ars="064350014014", name="Hanau", version__valid_to=dt.date(2026, 1, 1))
    assert arses("Hanau") == []
    assert arses("Hanau", on=dt.date(2025, 12, 31)) == ["064350014014"]


@pytest.mark.parametrize("count", [1, 30])
def test_a_search_costs_the_same_however_much_it_finds(
    count: int, django_assert_num_queries: CountQueries
) -> None:
    for number in range(count):
        LeistungFactory(name=f"Alles {number}", ozg_leistung=OzgLeistungFactory())
        RegionFactory(name=f"Alles {number}")
    with django_assert_num_queries(1):
        assert [
            one.ozg_leistung.themenfeld.name for one in find_leistungen("alles", limit=50) if one.ozg_leistung
        ]
    with django_assert_num_queries(2):
        assert len(find_regions("alles", limit=50)) == count


def test_both_sides_fold_alike() -> None:
    assert fold("Köln-SÜD Straße") == "koeln-sued strasse"
    assert digits_of("99 102 013") == "99102013"
    assert digits_of("99a") == ""


# --- typing errors -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Hundestuer", "hundesteur", "Hunde­steuer", "Humdesteuer", "Hundesteeur"])
@pytest.mark.usefixtures("dogs")
def test_a_typing_error_finds_what_was_meant(text: str) -> None:
    assert keys(text)[0] == "99102013000000"


@pytest.mark.usefixtures("dogs")
def test_only_the_wrong_word_is_replaced() -> None:
    assert keys("Befreiung Hundestuer") == ["99102013010000"]


@pytest.mark.usefixtures("dogs")
def test_what_is_right_is_not_mixed_with_what_is_near() -> None:
    LeistungFactory(schluessel="99102013999000", name="Hundeschule")
    assert keys("Hundesteuer Anmeldung") == ["99102013104000"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dithmarshen", "010510000000"), ("Ditmarschen", "010510000000"), ("Dihtmarschen", "010510000000"),
        ("Munchen", "091620000000"), ("Muenchen", "091620000000"), ("MÜNCHEN", "091620000000"),
        ("25746", "010510044044"),
    ],
)  # fmt: skip
def test_a_region_is_found_in_spite_of_typing_errors_and_by_postcode(text: str, expected: str) -> None:
    RegionFactory(ars="010510000000", name="Dithmarschen", level_top=Level.KREIS, level_bottom=Level.KREIS)
    RegionFactory(ars="091620000000", name="München", level_top=Level.KREIS, level_bottom=Level.GEMEINDE)
    heide = RegionFactory(
        ars="010510044044", name="Heide", level_top=Level.VERBAND, level_bottom=Level.GEMEINDE
    )
    type(heide).objects.filter(pk=heide.pk).update(postcode="25746")
    assert arses(text) == [expected]


def test_capital_umlauts_are_folded_as_well() -> None:
    LeistungFactory(schluessel="99102013000000", name="Ärztliche Prüfung")
    assert keys("aerztliche pruefung") == keys("ÄRZTLICHE") == ["99102013000000"]


@pytest.mark.usefixtures("dogs")
def test_a_typing_error_costs_two_queries_more(django_assert_num_queries: CountQueries) -> None:
    with django_assert_num_queries(1):
        keys("Hundesteuer")
    with django_assert_num_queries(4):  # all words are read once
        keys("Hundestuer")
    with django_assert_num_queries(3):
        keys("Hundestuer")
