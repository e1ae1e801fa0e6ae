"""Catalogue, completeness and regions."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from services.models import OnlineService
from tests.factories import AuthorityFactory, ServiceFactory, UserFactory
from tests.reports.conftest import BERLIN, GERMANY, HANAU, HESSEN, KREIS, MAINTAL, Deliver

pytestmark = pytest.mark.usefixtures("regions", "today")


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"[ \n]+", " ", answer.content.decode())


def test_the_catalogue_shows_unpublished_services_to_signed_in_people_only(client: Client) -> None:
    ServiceFactory(name="Geheimer Dienst")
    assert "Geheimer Dienst" not in page(client, "/onlineservices/")
    assert "Geheimer Dienst" not in page(client, "/onlineservices/?q=geheim")
    client.force_login(UserFactory())
    text = page(client, "/onlineservices/")
    assert "Geheimer Dienst" in text
    assert "nicht veröffentlicht" in text


@pytest.mark.parametrize("search", ["wohn", "WOHNGELD Kiel", "kiel", "{number}", "{leistung}"])
def test_the_search_finds_by_name_authority_number_and_leistung(
    client: Client, published: OnlineService, search: str
) -> None:
    other = ServiceFactory(name="Hundesteuer", published=True)
    OnlineService.objects.filter(pk=published.pk).update(authority=AuthorityFactory(name="Stadt Kiel"))
    text = page(
        client,
        "/onlineservices/?q=" + search.format(number=published.number, leistung=published.leistung_id),
    )
    assert published.number in text
    assert other.number not in text


def test_a_search_without_a_hit_says_so(client: Client, published: OnlineService) -> None:
    text = page(client, "/onlineservices/?q=%3Cscript%3Exyz")
    assert "Dazu gibt es keinen Onlineservice" in text
    assert "<script>" not in text


def test_the_catalogue_sorts_and_pages_in_the_address(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    services = ServiceFactory.create_batch(29, published=True)
    deliver_counts(services[28], {("2026-05", HESSEN): 77})
    first = page(client, "/onlineservices/?sort=anzahl")
    assert re.findall(r"OS-\d{6}", first)[0] == services[28].number
    assert first.count('role="rowheader"') == 25
    second = page(client, "/onlineservices/?sort=anzahl&seite=2")
    assert second.count('role="rowheader"') == 5
    assert page(client, "/onlineservices/?sort=kaputt&seite=x")


def test_the_catalogues_queries_do_not_grow(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    with CaptureQueriesContext(connection) as small:
        page(client, "/onlineservices/")
    for service in ServiceFactory.create_batch(12, published=True):
        deliver_counts(service, {("2026-05", HESSEN): 77, ("2026-04", HESSEN): 7})
    with CaptureQueriesContext(connection) as large:
        page(client, "/onlineservices/")
    assert len(large) == len(small)


def test_who_is_missing_stands_first(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    late = ServiceFactory(name="Zu spät", published=True)
    ServiceFactory(name="Geheimer Dienst")
    deliver_counts(published, {("2026-05", HESSEN): 1, ("2026-04", HESSEN): 1})
    deliver_counts(late, {("2026-03", HESSEN): 1})
    text = page(client, "/daten/vollstaendigkeit/?monat=2026-04")
    assert "1 von 2 Onlineservices haben für April 2026 geliefert." in text
    assert text.index("Zu spät") < text.index("Wohngeld online")
    assert "Geheimer" not in text
    assert "fällig" in page(client, "/daten/vollstaendigkeit/")
    assert client.get("/daten/vollstaendigkeit/?monat=2099-01").status_code == 404


def test_the_completeness_pages_queries_do_not_grow(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    with CaptureQueriesContext(connection) as small:
        page(client, "/daten/vollstaendigkeit/")
    for service in ServiceFactory.create_batch(9, published=True):
        deliver_counts(service, {("2026-05", HESSEN): 1})
    with CaptureQueriesContext(connection) as large:
        page(client, "/daten/vollstaendigkeit/")
    assert len(large) == len(small)


def test_a_region_shows_published_services_only(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(ServiceFactory(), {("2026-05", HESSEN): 4711})
    deliver_counts(published, {("2026-05", HESSEN): 5, ("2026-05", MAINTAL): 8, ("2026-05", HANAU): 0})
    text = page(client, f"/regionen/{HESSEN}/")
    assert "Im Mai 2026 wurden in Hessen <b>13</b> Transaktionen gezählt." in text
    assert "Nicht auf Kreise verteilt" in text
    assert "4.7" not in text
    assert f'href="/regionen/{KREIS}/?monat=2026-05"' in text
    assert f'href="/regionen/{GERMANY}/?monat=2026-05"' in text


def test_regions_at_every_level_have_a_page(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", MAINTAL): 8, ("2026-05", BERLIN): 2})
    assert "<b>10</b>" in page(client, f"/regionen/{GERMANY}/")
    assert "im Main-Kinzig-Kreis <b>8</b>" in page(client, f"/regionen/{KREIS}/")
    assert "in Berlin <b>2</b>" in page(client, f"/regionen/{BERLIN}/")
    assert "bis zur Ebene der Kreise" in page(client, f"/regionen/{MAINTAL}/")


@pytest.mark.parametrize("ars", ["999999999999", "06000000000", "0600000000000", "abc"])
def test_an_unknown_region_is_a_404(client: Client, ars: str) -> None:
    assert client.get(f"/regionen/{ars}/").status_code == 404


def test_a_region_without_numbers_says_so(client: Client, published: OnlineService) -> None:
    assert "noch kein veröffentlichter Onlineservice" in page(client, f"/regionen/{HESSEN}/")
