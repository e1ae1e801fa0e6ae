"""The list of portals and a portal's page: whose services, in which months, and their files."""

import csv
import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portals.models import Portal
from services.models import OnlineService
from tests.factories import PortalFactory, PortalServiceFactory, ServiceFactory, UserFactory
from tests.reports.conftest import HESSEN, SAARLAND, Deliver

pytestmark = pytest.mark.usefixtures("regions", "today")


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def rows(client: Client, address: str) -> list[dict[str, str]]:
    content = client.get(address).content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content), delimiter=";"))


@pytest.fixture
def portal() -> Portal:
    made: Portal = PortalFactory(name="Serviceportal Nord", kuerzel="nord")
    return made


@pytest.fixture
def held(portal: Portal, deliver_counts: Deliver) -> OnlineService:
    """A published service of the portal: 110 in May 2026, 100 a year before."""
    service: OnlineService = ServiceFactory(name="Wohngeld", published=True, portal=portal)
    deliver_counts(service, {("2025-05", HESSEN): 100, ("2026-05", HESSEN): 70, ("2026-05", SAARLAND): 40})
    return service


def test_what_is_not_published_only_signed_in_people_see(
    client: Client, portal: Portal, held: OnlineService, deliver_counts: Deliver
) -> None:
    hidden = ServiceFactory(name="Geheimer Dienst", portal=portal)
    deliver_counts(hidden, {("2026-05", HESSEN): 1000})
    public = [
        "/portale/",
        "/portale/nord/",
        "/portale/nord/onlineservices.json",
        "/portale/nord/verlauf.json",
    ]
    for address in public:
        assert not re.search(r"Geheimer|1\.110|1110", page(client, address)), address
    client.force_login(UserFactory())
    for address in public:
        assert re.search(r"Geheimer|1\.110|1110", page(client, address)), address
    assert "nicht veröffentlicht" in page(client, "/portale/nord/")


def test_what_does_not_exist(client: Client, held: OnlineService) -> None:
    for address in (
        "gibt-es-nicht/",
        "gibt-es-nicht/verlauf.csv",
        "nord/onlineservices.svg",
        "nord/verlauf.exe",
    ):
        assert client.get(f"/portale/{address}").status_code == 404
    assert client.get("/portale/nord/?monat=2020-01").status_code == 404
    assert client.get("/portale/nord/verlauf.csv?monat=quatsch").status_code == 404


def test_the_page_says_the_month_and_its_change(client: Client, held: OnlineService) -> None:
    text = page(client, "/portale/nord/")
    assert "Im Mai 2026 wurden <b>110</b> Transaktionen gezählt." in text
    assert "Gegenüber Mai 2025 (100): +10,0\u00a0%" in client.get("/portale/nord/").content.decode()
    assert f'href="/onlineservices/{held.number}/?monat=2026-05"' in text
    assert "geliefert" in text
    listed = page(client, "/portale/")
    assert 'href="/portale/nord/"' in listed
    assert ">110<" in listed


def test_a_month_counts_for_the_portal_that_held_the_service_then(
    client: Client, portal: Portal, deliver_counts: Deliver
) -> None:
    """It moved on 15 April: April counts for the new one, March for the old one."""
    other, moved = PortalFactory(kuerzel="sued"), ServiceFactory(name="Umzug", published=True)
    PortalServiceFactory(service=moved, portal=portal, until=dt.date(2026, 4, 15))
    PortalServiceFactory(service=moved, portal=other, since=dt.date(2026, 4, 15))
    deliver_counts(moved, {("2026-03", HESSEN): 3, ("2026-04", HESSEN): 4, ("2026-05", HESSEN): 5})
    found = {
        name: {row["monat"]: row["anzahl"] for row in rows(client, f"/portale/{name}/verlauf.csv")}
        for name in ("nord", "sued")
    }
    assert found["nord"]["2026-03"] == "3"
    assert set(found["nord"].values()) & {"4", "5"} == set()
    assert (found["sued"]["2026-04"], found["sued"]["2026-05"]) == ("4", "5")
    assert "2026-03" not in found["sued"]
    assert rows(client, "/portale/nord/onlineservices.csv") == []
    assert "Umzug" in page(client, "/portale/nord/?monat=2026-03")


def test_the_rows_add_up_to_the_number(client: Client, portal: Portal, held: OnlineService) -> None:
    ServiceFactory(name="Ohne Zahlen", published=True, portal=portal)
    found = rows(client, "/portale/nord/onlineservices.csv")
    assert (found[0]["name"], found[0]["anzahl"], found[0]["vorjahr"]) == ("Wohngeld", "110", "100")
    assert found[1]["lieferstatus"] == "nie"
    assert "keine Angabe" in page(client, "/portale/nord/")
    assert client.get("/portale/nord/onlineservices.xlsx").content[:2] == b"PK"
    assert b"<svg" in client.get("/portale/nord/verlauf.svg").content


def test_a_portal_without_numbers_says_so(client: Client, portal: Portal) -> None:
    assert "noch keine Zahlen" in page(client, "/portale/nord/")
    assert rows(client, "/portale/nord/verlauf.csv") == []


def test_the_answer_is_kept_until_something_changes(
    client: Client, portal: Portal, held: OnlineService
) -> None:
    for address in ("/portale/", "/portale/nord/"):
        etag = client.get(address).headers["ETag"]
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
        PortalFactory()
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_queries_do_not_grow(client: Client, portal: Portal, held: OnlineService) -> None:
    found = []
    for _size in range(2):
        for address in ("/portale/", "/portale/nord/"):
            with CaptureQueriesContext(connection) as captured:
                page(client, address)
            found.append(len(captured))
        for service in ServiceFactory.create_batch(12, published=True):
            PortalServiceFactory(service=service, portal=PortalFactory())
            ServiceFactory(published=True, portal=portal)
    assert found[:2] == found[2:]


def test_the_service_and_the_account_lead_here(client: Client, portal: Portal, held: OnlineService) -> None:
    assert '<a href="/portale/nord/">Serviceportal Nord</a>' in page(
        client, f"/onlineservices/{held.number}/"
    )
    person = UserFactory()
    portal.members.add(person)
    client.force_login(person)
    assert 'href="/portale/nord/"' in page(client, "/konto/")
