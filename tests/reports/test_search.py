"""The search of every page."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from ozgsync.models import Level
from services.models import OnlineService
from tests.factories import LeistungFactory, PortalFactory, RegionFactory, ServiceFactory, UserFactory

pytestmark = pytest.mark.django_db


def page(client: Client, text: str) -> str:
    answer = client.get("/suche/", {"q": text})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def things() -> None:
    leistung = LeistungFactory(schluessel="99102013000000", name="Hundesteuer")
    ServiceFactory(name="Vierbeiner anmelden", leistung=leistung, published=True)
    ServiceFactory(name="Geheimer Service", leistung=leistung)
    RegionFactory(ars="010510000000", name="Dithmarschen", level_top=Level.KREIS, level_bottom=Level.KREIS)
    PortalFactory(name="Serviceportal Küste", kuerzel="kueste")


@pytest.mark.parametrize(
    "text",
    [
        "Hundesteuer",
        "Hundestuer",
        "99 102 013",
        "Vierbeiner",
        "VIERBEINER anmelden",
        "Vierbainer",
        "vierbeiner anmleden",
    ],
)
@pytest.mark.usefixtures("things")
def test_a_service_is_found_by_its_name_and_its_leistung(client: Client, text: str) -> None:
    assert "Vierbeiner anmelden" in page(client, text)


@pytest.mark.usefixtures("things")
@pytest.mark.parametrize("number", ["OS-{:06d}", "os-{:06d}", "OS-{}", "os {}", "OS{}"])
def test_a_service_is_found_by_its_number_as_people_type_it(client: Client, number: str) -> None:
    service = OnlineService.objects.get(name="Vierbeiner anmelden")
    text = page(client, number.format(service.pk))
    assert "Vierbeiner anmelden" in text
    assert "Ein Onlineservice" in text


@pytest.mark.usefixtures("things")
def test_what_is_not_published_is_found_by_those_who_may_see_it(client: Client) -> None:
    assert "Geheimer Service" not in page(client, "Hundesteuer")
    client.force_login(UserFactory())
    text = page(client, "Hundesteuer")
    assert "Geheimer Service" in text
    assert "nicht veröffentlicht" in text


@pytest.mark.usefixtures("things")
def test_regions_and_portals_are_found_too(client: Client) -> None:
    assert "/regionen/010510000000/" in page(client, "Dithmarshen")
    assert "/portale/kueste/" in page(client, "kueste")


@pytest.mark.parametrize("text", ["", "   ", "%", "gibtesnicht", "<script>", "\0", "x" * 500])
@pytest.mark.usefixtures("things")
def test_nothing_found_says_what_to_do(client: Client, text: str) -> None:
    answer = page(client, text)
    assert "<script>" not in answer.replace("<script src", "")
    assert "Dazu haben wir nichts gefunden" in answer or "Sie können Namen suchen" in answer


@pytest.mark.parametrize("number", [2, 12])
def test_the_search_costs_the_same_for_many_hits(
    client: Client, number: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    leistung = LeistungFactory(name="Hundesteuer")
    ServiceFactory.create_batch(number, leistung=leistung, published=True)
    with django_assert_max_num_queries(14):
        assert f"{number} Onlineservices" in page(client, "Hundesteuer")
