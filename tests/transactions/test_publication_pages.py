"""Operations publish: the list, chosen services, and the release rules."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from services.models import OnlineService, ReleaseRule
from tests.factories import AuthorityFactory, LeistungFactory, ServiceFactory, UserFactory
from tests.reports.conftest import HESSEN, KREIS, Deliver
from tests.reports.conftest import deliver_counts as deliver_counts
from tests.reports.conftest import operations as operations
from tests.reports.conftest import regions as regions
from tests.reports.conftest import today as today

pytestmark = pytest.mark.django_db
LIST = "/betrieb/veroeffentlichung/"
PUBLISH, WITHDRAW = f"{LIST}veroeffentlichen", f"{LIST}zuruecknehmen"
RULES, REVIEW = f"{LIST}regeln/", f"{LIST}regeln/pruefen"
Depth = OnlineService.Depth


@pytest.fixture
def operator(client: Client) -> User:
    person: User = UserFactory(is_operations=True)
    client.force_login(person)
    return person


def text_of(client: Client, address: str, **values: Any) -> str:
    answer = client.get(address, values)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def followed(client: Client, address: str, **values: Any) -> str:
    answer = client.post(address, values, follow=True)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def service_of(*types: str, **values: Any) -> OnlineService:
    service: OnlineService = ServiceFactory(leistung=LeistungFactory(types=list(types)), **values)
    return service


@pytest.mark.parametrize("address", [LIST, PUBLISH, WITHDRAW, RULES, REVIEW])
def test_nobody_but_operations_may(client: Client, address: str) -> None:
    service = ServiceFactory()
    values = {"service": service.number, "depth": "3"}
    assert client.post(address, values).status_code == 302
    assert client.get(address, values).headers["Location"].startswith("/anmelden/")
    client.force_login(UserFactory())
    assert client.get(address, values).status_code == 403
    assert client.post(address, values).status_code == 403
    assert not OnlineService.objects.published().exists()


# --- The list ----------------------------------------------------------------------------------------


def test_the_list_shows_first_what_is_to_decide(client: Client, operator: User) -> None:
    ServiceFactory(name="Neuer Dienst")
    ServiceFactory(name="Offener Dienst", published=True)
    ServiceFactory(name="Verborgener Dienst", withheld=True)
    shown = {"": "Neuer", "oeffentlich": "Offener", "zurueckgehalten": "Verborgener", "kaputt": "Neuer"}
    for state, name in shown.items():
        page = text_of(client, LIST, **({"stand": state} if state else {}))
        found = re.findall(r"(\w+) Dienst", page)
        assert set(found) == {name}, state
    assert text_of(client, LIST, stand="alle").count('role="rowheader"') == 3


@pytest.mark.parametrize("search", ["wohn", "WOHNGELD Kiel", "{number}", "{leistung}"])
def test_the_search_and_the_type_narrow_the_list(client: Client, operator: User, search: str) -> None:
    wanted = service_of("2", name="Wohngeld", authority=AuthorityFactory(name="Stadt Kiel"))
    service_of("5", name="Hundesteuer")
    text = search.format(number=wanted.number, leistung=wanted.leistung_id)
    assert "Hundesteuer" not in text_of(client, LIST, q=text)
    assert "Wohngeld" in text_of(client, LIST, q=text)
    assert "Wohngeld" not in text_of(client, LIST, typ="5")
    assert "Kein Onlineservice gefunden" in text_of(client, LIST, q="xyz", typ="5")


def test_the_list_pages_and_its_queries_do_not_grow(
    client: Client, operator: User, deliver_counts: Deliver
) -> None:
    deliver_counts(ServiceFactory(), {("2026-05", HESSEN): 7})
    with CaptureQueriesContext(connection) as small:
        text_of(client, LIST)
    for service in ServiceFactory.create_batch(54):
        deliver_counts(service, {("2026-05", HESSEN): 77, ("2026-04", HESSEN): 7})
    with CaptureQueriesContext(connection) as large:
        assert text_of(client, LIST).count('role="rowheader"') == 50
    assert len(large) == len(small)
    assert text_of(client, LIST, seite="2").count('role="rowheader"') == 5


def test_the_start_page_leads_here(client: Client, operator: User) -> None:
    assert f'href="{LIST}"' in text_of(client, "/betrieb/")


# --- Chosen services ---------------------------------------------------------------------------------


def test_publishing_says_the_consequence_first_and_the_outcome_after(
    client: Client, operator: User, deliver_counts: Deliver
) -> None:
    first, second = ServiceFactory.create_batch(2)
    deliver_counts(first, {("2026-04", HESSEN): 1200, ("2026-05", KREIS): 30})
    chosen = [first.number, second.number]
    page = text_of(client, PUBLISH, service=chosen, zurueck="stand=alle&q=x")
    assert "2 Onlineservices veröffentlichen?" in page
    assert "2 Monatswerte aus der Zeit von April 2026 bis Mai 2026, zusammen 1.230 Transaktionen" in page
    assert not OnlineService.objects.published().exists()
    answer = client.post(PUBLISH, {"service": chosen, "depth": "3", "zurueck": "q=&stand=alle&evil=1"})
    assert answer.headers["Location"] == f"{LIST}?q=&stand=alle"
    page = text_of(client, LIST, stand="alle")
    told = (
        "2 Onlineservices sind öffentlich, Regionen bis Kreis: 2 Monatswerte, zusammen 1.230 Transaktionen."
    )
    assert told in page
    assert {s.published_depth for s in OnlineService.objects.published()} == {Depth.KREIS}
    assert AuditEntry.objects.filter(action="Veröffentlicht", user=operator).count() == 2


def test_a_public_one_only_changes_its_depth(client: Client, operator: User) -> None:
    service = ServiceFactory(published=True, published_depth=Depth.LAND)
    page = text_of(client, PUBLISH, service=service.number)
    assert "bei ihm ändert sich nur die Ebene" in page
    assert re.search(r'value="1"[^>]* checked', page)
    assert "Es hat sich nichts geändert." in followed(client, PUBLISH, service=service.number, depth="1")
    followed(client, PUBLISH, service=service.number, depth="5")
    service.refresh_from_db()
    assert service.published_depth == Depth.GEMEINDE


def test_withdrawing_keeps_the_rules_away(client: Client, operator: User, deliver_counts: Deliver) -> None:
    service, hidden = service_of("2", published=True), service_of("2")
    deliver_counts(service, {("2026-05", HESSEN): 5})
    ReleaseRule.objects.create(type="2")
    chosen = [service.number, hidden.number]
    page = text_of(client, WITHDRAW, service=chosen)
    assert "1 Monatswert aus der Zeit von Mai 2026 bis Mai 2026, zusammen 5 Transaktionen" in page
    assert "Ein Onlineservice ist nicht öffentlich; er wird zurückgehalten." in page
    page = followed(client, WITHDRAW, service=chosen)
    assert "1 Onlineservice ist nicht mehr öffentlich: 1 Monatswert, zusammen 5 Transaktionen." in page
    assert "1 Onlineservice wird zurückgehalten" in page
    assert OnlineService.objects.filter(published_at=None, withheld=True).count() == 2


@pytest.mark.parametrize("address", [PUBLISH, WITHDRAW])
def test_nothing_chosen_and_what_does_not_exist(client: Client, operator: User, address: str) -> None:
    assert "Kreuzen Sie mindestens einen" in followed(client, address)
    for number in ("OS-999999", "quatsch"):
        assert client.get(address, {"service": [ServiceFactory().number, number]}).status_code == 404


@pytest.mark.parametrize("depth", ["", "7", "x"])
def test_a_depth_is_needed(client: Client, operator: User, depth: str) -> None:
    service = ServiceFactory(name="Wohngeld")
    answer = client.post(PUBLISH, {"service": service.number, "depth": depth})
    assert answer.status_code == 422
    assert "Wohngeld" in answer.content.decode()
    assert not OnlineService.objects.published().exists()


# --- Release rules -----------------------------------------------------------------------------------


def test_a_rule_shows_what_it_would_publish_before_it_does(
    client: Client, operator: User, deliver_counts: Deliver
) -> None:
    service, other = service_of("2", "3a", name="Wohngeld"), service_of("2", "5", name="Hundesteuer")
    deliver_counts(service, {("2026-05", HESSEN): 5})
    wanted = {"2": "5", "3a": "1", "seen": ""}
    page = text_of(client, REVIEW, **wanted)
    assert "Ein Onlineservice wird dadurch sofort öffentlich: 1 Monatswert" in page
    assert "Typ 2, 3a · Regionen bis Land" in page
    assert "Hundesteuer" not in page
    assert not OnlineService.objects.published().exists()
    page = followed(client, REVIEW, **wanted)
    assert "2 Regeln sind geändert. 1 Onlineservice ist dadurch öffentlich geworden." in page
    assert "davon öffentlich" in page
    assert list(OnlineService.objects.published()) == [service]
    assert AuditEntry.objects.filter(action="Freigaberegel eingetragen", user=operator).count() == 2
    other.refresh_from_db()
    assert other.published_at is None


def test_taking_a_rule_away_says_that_nothing_is_withdrawn(client: Client, operator: User) -> None:
    service = service_of("2", published=True)
    ReleaseRule.objects.create(type="2", depth=Depth.KREIS)
    page = text_of(client, REVIEW, seen="2:3")
    assert "Heute wird dadurch kein Onlineservice öffentlich." in page
    assert "Typ 2 ist nicht mehr freigegeben. Was schon öffentlich ist, bleibt es." in page
    followed(client, REVIEW, seen="2:3")
    assert not ReleaseRule.objects.exists()
    assert list(OnlineService.objects.published()) == [service]


def test_the_second_of_two_who_change_rules_is_told(client: Client, operator: User) -> None:
    ReleaseRule.objects.create(type="4", depth=Depth.LAND)
    page = followed(client, REVIEW, **{"2": "5", "seen": ""})
    assert "Inzwischen hat jemand die Regeln geändert." in page
    assert list(ReleaseRule.objects.values_list("type", flat=True)) == ["4"]
    assert client.get(REVIEW, {"2": "5", "seen": ""}).status_code == 302


def test_unchanged_rules_and_ones_that_make_no_sense(client: Client, operator: User) -> None:
    ReleaseRule.objects.create(type="2/3", depth=Depth.LAND)
    assert 'name="2/3"' in text_of(client, RULES)
    answer = client.get(REVIEW, {"2/3": "1", "seen": "2/3:1"}, follow=True)
    assert "Es hat sich nichts geändert." in answer.content.decode()
    assert client.get(REVIEW, {"2/3": "99", "seen": "2/3:1"}).status_code == 422
