"""Registering a service step by step: nothing typed is lost, and every fault says what would be right."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from ozgsync.models import OzgOnlineService, Region
from services.models import OnlineService, PortalService, RegistrationDraft, ServiceMember
from services.queries import drafts_of
from services.registration import register_draft
from services.registration_forms import judge
from tests.factories import (
    AuthorityFactory,
    LeistungFactory,
    PortalFactory,
    PortalMemberFactory,
    PortalServiceFactory,
    ServiceFactory,
    UserFactory,
    api_key,
)
from tests.services.registering import (
    GERMANY,
    HESSEN,
    KASSEL,
    KEY,
    START,
    at,
    catalogue,
    draft_of,
    page,
    signed_in,
    whole,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    catalogue()
    return UserFactory(
        authority=AuthorityFactory(name="Stadt Kassel"), first_name="Petra", last_name="Lindner"
    )


@pytest.fixture
def client(person: User) -> Client:
    return signed_in(person)


def send(client: Client, draft: RegistrationDraft, slug: str, **values: Any) -> Any:
    return client.post(at(draft, slug), values)


def stored(draft: RegistrationDraft) -> dict[str, Any]:
    draft.refresh_from_db()
    return draft.data


# --- Who may ------------------------------------------------------------------------------------------


def test_the_public_logs_in_first() -> None:
    assert Client().get(START)["Location"] == f"/anmelden/?next={START}"


@pytest.mark.parametrize("slug", ["", "leistung", "pruefen", "verwerfen"])
def test_a_draft_is_its_owners_alone(person: User, slug: str) -> None:
    draft = draft_of(person)
    for other in (UserFactory(), UserFactory(is_operations=True)):
        stranger = signed_in(other)
        assert stranger.get(at(draft, slug)).status_code == 404
        assert stranger.post(at(draft, slug or "pruefen")).status_code == 404
    assert OnlineService.objects.count() == 0
    assert RegistrationDraft.objects.count() == 1


# --- The way through ----------------------------------------------------------------------------------


def test_the_whole_way_from_nothing_to_a_registered_service(client: Client, person: User) -> None:
    response = client.post(START, {"origin": "eigen"})
    draft = RegistrationDraft.objects.get()
    assert response["Location"] == at(draft, "leistung")
    typed = whole(person)
    steps = {
        "leistung": ("leistung", "more_leistungen"),
        "beschreibung": ("name", "authority", "url", "contact"),
        "gebiet": ("area", "reporting_level"),
        "betrieb": ("live_from", "ended_on"),
    }
    following = ["beschreibung", "gebiet", "betrieb", "pruefen"]
    for (slug, names), then in zip(steps.items(), following, strict=True):
        assert client.get(at(draft, slug)).status_code == 200
        response = send(client, draft, slug, **{name: typed[name] for name in names})
        assert response["Location"] == at(draft, then)
    said = page(client, at(draft, "pruefen"))
    for text in (
        "99 102 013 104 000 · Typ 5 · Steuern &amp; Zoll",
        "zur Lieferung eingeladen",
        "Hessen",
        "1. Mai 2026",
    ):
        assert text in said
    response = send(client, draft, "pruefen")
    service = OnlineService.objects.get()
    assert response["Location"] == f"/meine/onlineservices/{service.number}/"
    assert (service.name, service.leistung_id, service.authority) == (
        "Hundesteuer online",
        KEY,
        person.authority,
    )
    assert (service.url, service.contact) == ("https://www.hund.de/antrag", "hund@amt.de")
    assert (service.reporting_level, service.live_from, service.ended_on) == (
        "kreis",
        dt.date(2026, 5, 1),
        None,
    )
    assert [region.ars for region in service.area.all()] == [HESSEN]
    assert service.memberships.get().role == ServiceMember.Role.RESPONSIBLE
    assert service.published_at is None
    assert AuditEntry.objects.filter(action="Onlineservice registriert", user=person).count() == 1
    said = page(client, response["Location"])
    assert f"hat die Nummer {service.number}" in said
    assert "Schlüssel anlegen" in said


def test_reused_services_are_not_registered(client: Client) -> None:
    said = client.post(START, {"origin": "nachgenutzt"}).content.decode()
    assert "brauchen Sie nicht zu registrieren" in said
    assert RegistrationDraft.objects.count() == 0


def test_an_empty_draft_is_used_again(client: Client) -> None:
    for _time in range(3):
        client.post(START, {"origin": "eigen"})
    assert RegistrationDraft.objects.count() == 1


def test_a_registered_draft_leads_to_its_service_and_registers_nothing_more(
    client: Client, person: User
) -> None:
    draft = draft_of(person)
    first = send(client, draft, "pruefen")["Location"]
    assert send(client, draft, "pruefen")["Location"] == first
    assert client.get(at(draft, "leistung"))["Location"] == first
    assert OnlineService.objects.count() == 1
    assert drafts_of(person) == []


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_register_once(person: User) -> None:
    draft = draft_of(person)
    data = judge(draft.data, user=person).data
    assert data is not None
    both, found = threading.Barrier(2), []

    def click() -> None:
        both.wait()
        found.append(register_draft(draft=draft, data=data, portal=None, kennung="", by=person).pk)
        connection.close()

    threads = [threading.Thread(target=click) for _time in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(set(found)) == 1
    assert OnlineService.objects.count() == 1


# --- Drafts -------------------------------------------------------------------------------------------


def test_what_was_typed_wrongly_is_kept_as_it_was(client: Client, person: User) -> None:
    draft = draft_of(person, name="", contact="")
    response = send(
        client, draft, "beschreibung", name="ab", authority="Gibt es nicht", contact="kaputt", url="htp:/x"
    )
    assert response.status_code == 422
    said = response.content.decode()
    for text in ("ab", "Gibt es nicht", "kaputt", "htp:/x"):
        assert f'value="{text}"' in said
        assert f'value="{text}"' in page(client, at(draft, "beschreibung"))
    assert stored(draft)["leistung"] == KEY


@pytest.mark.parametrize(("button", "there"), [("zurueck", "leistung"), ("spaeter", None)])
def test_leaving_a_step_keeps_it_unjudged(
    client: Client, person: User, button: str, there: str | None
) -> None:
    draft = draft_of(person)
    response = send(client, draft, "beschreibung", name="x", **{button: "1"})
    assert response["Location"] == (at(draft, there) if there else START)
    assert stored(draft)["name"] == "x"


def test_drafts_are_listed_continued_and_discarded(client: Client, person: User) -> None:
    draft = draft_of(person, contact="kaputt")
    RegistrationDraft.objects.create(user=UserFactory(), data={"name": "Fremder Entwurf"})
    said = page(client, START)
    assert "Hundesteuer online" in said
    assert "Fremder Entwurf" not in said
    assert client.get(at(draft))["Location"] == at(draft, "beschreibung")
    assert "Hundesteuer online" in page(client, at(draft, "verwerfen"))
    assert client.post(at(draft, "verwerfen"))["Location"] == START
    assert RegistrationDraft.objects.filter(user=person).count() == 0


def test_the_list_of_drafts_costs_the_same_for_many(person: User, django_assert_num_queries: Any) -> None:
    for number in (1, 20):
        for _time in range(number):
            draft_of(person)
        with django_assert_num_queries(2):
            assert {draft.title for draft in drafts_of(person)} == {"Hundesteuer online"}


def test_a_draft_without_name_is_called_by_its_leistung(person: User) -> None:
    draft_of(person, name="")
    assert [draft.title for draft in drafts_of(person)] == ["Hundesteuer Anmeldung"]


def test_no_more_than_reasonable_is_kept(client: Client, person: User) -> None:
    draft = draft_of(person)
    send(client, draft, "beschreibung", name="x\0" * 5000, authority="a", contact="b", url="c")
    assert stored(draft)["name"] == "x" * 2000
    send(client, draft, "gebiet", area=["0"] * 900)
    assert len(stored(draft)["area"]) == 600


@pytest.mark.parametrize(
    ("missing", "slug"), [("leistung", "leistung"), ("contact", "beschreibung"), ("area", "gebiet")]
)
def test_a_later_step_leads_back_to_what_is_missing(
    client: Client, person: User, missing: str, slug: str
) -> None:
    draft = draft_of(person, **{missing: []})
    response = client.get(at(draft, "pruefen"), follow=True)
    assert response.redirect_chain[-1][0] == f"{at(draft, slug)}?fehlt="
    said = response.content.decode()
    assert "Bitte ergänzen Sie zuerst diesen Schritt" in said
    assert "Bitte prüfen Sie Ihre Eingabe" in said
    assert send(client, draft, "pruefen").status_code == 302
    assert OnlineService.objects.count() == 0


# --- Searching inside a step --------------------------------------------------------------------------


@pytest.mark.parametrize("button", [{"suchen": "leistung"}, {}], ids=["button", "Enter"])
def test_leistungen_are_found_in_the_step(client: Client, person: User, button: dict[str, str]) -> None:
    other = LeistungFactory(name="Hundesteuer Befreiung")
    draft = draft_of(person, leistung="")
    response = send(client, draft, "leistung", suche_leistung="hundesteuer", **button)
    assert response.status_code == 200
    said = response.content.decode()
    assert "2 Treffer" in said
    assert f'value="{other.pk}"' in said
    assert "zur Lieferung eingeladen" in said


def test_a_text_that_was_searched_for_does_not_hold_up(client: Client, person: User) -> None:
    draft = draft_of(person)
    sent = {"leistung": KEY, "suche_leistung": "hund", "gesucht_leistung": "hund"}
    assert send(client, draft, "leistung", **sent)["Location"] == at(draft, "beschreibung")


def test_the_only_hit_is_chosen_already(client: Client, person: User) -> None:
    draft = draft_of(person, leistung="")
    said = send(client, draft, "leistung", suche_leistung="99 102 013").content.decode()
    assert f'id="id_leistung-treffer-{KEY}" checked' in said


def test_what_is_chosen_stays_chosen_while_searching_on(client: Client, person: User) -> None:
    draft = draft_of(person)
    said = send(client, draft, "gebiet", area=[HESSEN], suche_area="Kassel").content.decode()
    assert f'id="id_area-gewaehlt-{HESSEN}" checked' in said
    assert f'id="id_area-treffer-{KASSEL}"' in said
    assert stored(draft)["area"] == [HESSEN]


def test_names_are_proposed_and_taken_over_with_the_rest_kept(client: Client, person: User) -> None:
    OzgOnlineService.objects.create(ozg_number="7", name="Hund & Halter", leistung_id=KEY)
    draft = draft_of(person, name="")
    said = page(client, at(draft, "beschreibung"))
    assert 'value="name:Hund &amp; Halter"' in said
    assert 'value="name:Hundesteuer Anmeldung"' in said
    said = send(client, draft, "beschreibung", setzen="name:Hund & Halter", contact="halb").content.decode()
    assert 'value="Hund &amp; Halter"' in said
    assert 'value="halb"' in said


def test_an_authority_is_proposed_where_none_has_that_name(client: Client, person: User) -> None:
    draft = draft_of(person)
    said = send(
        client, draft, "beschreibung", **{**whole(person), "authority": "Kasseler Stadtverwaltung"}
    ).content.decode()
    assert "kennt die ZSK nicht" in said
    assert 'value="authority:Stadt Kassel"' in said


def test_ones_own_authority_is_filled_in(client: Client, person: User) -> None:
    draft = RegistrationDraft.objects.create(user=person)
    assert 'value="Stadt Kassel"' in page(client, at(draft, "beschreibung"))


def test_the_tree_offers_laender_with_their_kreise(client: Client, person: User) -> None:
    said = page(client, at(draft_of(person, area=[]), "gebiet"))
    for text in ("ganz Deutschland", "Hessen: ein Kreis", f'value="{KASSEL}"'):
        assert text in said


# --- Bad input ----------------------------------------------------------------------------------------

FAULTS = [
    ("leistung", {"leistung": ""}, "Suchen Sie die Leistung und wählen Sie sie aus."),
    ("leistung", {"leistung": "991020"}, "Er hat 14 Ziffern und beginnt mit 99."),
    ("leistung", {"leistung": "Hund"}, "Er hat 14 Ziffern und beginnt mit 99."),
    ("leistung", {"leistung": "99999999999999"}, "gibt es im Katalog nicht. Suchen Sie nach dem Namen."),
    ("leistung", {"more_leistungen": ["99888888888888"]}, "gibt es im Katalog nicht: 99888888888888"),
    ("beschreibung", {"name": ""}, "Geben Sie dem Onlineservice einen Namen."),
    ("beschreibung", {"name": "ab"}, "Der Name ist zu kurz"),
    ("beschreibung", {"name": "a" * 151}, "Er hat 151 Zeichen, erlaubt sind 150."),
    ("beschreibung", {"authority": ""}, "Nennen Sie die Behörde"),
    ("beschreibung", {"url": "https://"}, "Das ist keine vollständige Adresse"),
    ("beschreibung", {"url": "ftp://amt.de/hund"}, "Die Adresse beginnt mit https://"),
    ("beschreibung", {"url": "javascript:alert(1)"}, "keine vollständige Adresse"),
    ("beschreibung", {"contact": ""}, "Nennen Sie ein Postfach"),
    ("beschreibung", {"contact": "hund@"}, "Das ist keine vollständige E-Mail-Adresse"),
    ("gebiet", {"area": []}, "Wählen Sie mindestens eine Region."),
    ("gebiet", {"area": ["123", "x"]}, "Diese Regionalschlüssel gibt es nicht: 123, x."),
    ("gebiet", {"reporting_level": ""}, "Wählen Sie, auf welcher Ebene Sie Zahlen liefern."),
    ("gebiet", {"reporting_level": "planet"}, "Wählen Sie eine der Meldeebenen."),
    ("gebiet", {"area": [KASSEL], "reporting_level": "land"}, "Für Kassel lassen sich auf der Ebene Land"),
    ("betrieb", {"live_from": ""}, "Nennen Sie den Tag, seit dem"),
    ("betrieb", {"live_from": "31.02.2026"}, "Dieses Datum gibt es nicht."),
    ("betrieb", {"live_from": "01.05.0026"}, "Das Jahr 26 kann nicht stimmen."),
    ("betrieb", {"ended_on": "30.04.2026"}, ") liegt vor dem Beginn (1. Mai 202"),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "changed", "text"), FAULTS, ids=lambda value: str(value)[:40])
def test_every_fault_says_what_would_be_right(
    client: Client, person: User, slug: str, changed: dict[str, Any], text: str
) -> None:
    draft = draft_of(person)
    response = send(client, draft, slug, **{**whole(person), **changed})
    assert response.status_code == 422
    assert text in response.content.decode()
    assert stored(draft)["leistung"] == changed.get("leistung", KEY)
    assert judge(draft.data, user=person).missing is not None


@pytest.mark.parametrize("key", ["99 102 013 104 000", "99.102.013.104.000", KEY])
def test_a_key_may_have_blanks(client: Client, person: User, key: str) -> None:
    draft = draft_of(person)
    assert send(client, draft, "leistung", leistung=key)["Location"] == at(draft, "beschreibung")


def test_regions_inside_another_and_the_main_leistung_among_the_further_ones_are_left_out(
    person: User,
) -> None:
    further = LeistungFactory()
    data = whole(person, area=[KASSEL, HESSEN, GERMANY], more_leistungen=[KEY, further.pk])
    judged = judge(data, user=person).data
    assert judged is not None
    assert [region.ars for region in judged.area] == [GERMANY]
    assert judged.more_leistungen == (further,)


# --- Portals ------------------------------------------------------------------------------------------


@pytest.fixture
def portal(person: User) -> Any:
    authority = AuthorityFactory(region=Region.objects.get(pk=HESSEN))
    return PortalMemberFactory(
        user=person, portal=PortalFactory(name="Hessenportal", authority=authority)
    ).portal


def test_only_portals_that_one_administers_are_offered(client: Client, person: User) -> None:
    foreign = PortalFactory(name="Fremdes Portal")
    draft = draft_of(person)
    said = page(client, at(draft, "betrieb"))
    assert "Gehört er zu einem Portal?" in said
    assert "Fremdes Portal" not in said
    send(client, draft, "betrieb", **{**whole(person), "portal": foreign.pk})
    send(client, draft, "pruefen")
    assert PortalService.objects.count() == 0


def test_a_foreign_portal_is_refused(client: Client, person: User, portal: Any) -> None:
    response = send(client, draft_of(person), "betrieb", **{**whole(person), "portal": PortalFactory().pk})
    assert "Dieses Portal verwalten Sie nicht." in response.content.decode()


def test_a_service_joins_the_portal_from_its_beginning(client: Client, person: User, portal: Any) -> None:
    draft = draft_of(person, portal=str(portal.pk), kennung="hund-1", live_from="01.05.2024")
    assert "Kennung hund-1" in page(client, at(draft, "pruefen"))
    send(client, draft, "pruefen")
    held = PortalService.objects.get()
    assert (held.portal, held.kennung, held.since, held.until) == (
        portal,
        "hund-1",
        dt.date(2024, 5, 1),
        None,
    )
    credential, _key = api_key(portal=portal)
    assert list(OnlineService.objects.deliverable_by(credential)) == [held.service]


def test_a_service_that_begins_later_is_the_portals_today(client: Client, person: User, portal: Any) -> None:
    send(client, draft_of(person, portal=str(portal.pk), live_from="01.05.2099"), "pruefen")
    assert PortalService.objects.get().since == timezone.localdate()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"area": [GERMANY]}, "reicht über das des Portals Hessenportal hinaus: Hessen"),
        ({"kennung": "vergeben"}, "Diese Kennung trägt im Portal schon Älterer"),
        ({"kennung": "OS-000123"}, "sieht aus wie eine Nummer der ZSK"),
        ({"kennung": "k" * 101}, "Die Kennung ist zu lang"),
        ({"portal": "", "kennung": "allein"}, "Eine Kennung gibt es nur in einem Portal."),
    ],
)
def test_faults_about_the_portal(
    client: Client, person: User, portal: Any, changed: dict[str, Any], text: str
) -> None:
    PortalServiceFactory(portal=portal, kennung="vergeben", service=ServiceFactory(name="Älterer"))
    draft = draft_of(person, **changed)
    response = send(client, draft, "betrieb", **{**whole(person), "portal": portal.pk, **changed})
    assert response.status_code == 422
    assert text in response.content.decode()


def test_a_kennung_that_somebody_else_took_meanwhile(
    client: Client, person: User, portal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = draft_of(person, portal=str(portal.pk), kennung="hund-1")
    PortalServiceFactory(portal=portal, kennung="hund-1")
    services = OnlineService.objects.count()
    # As if it had been taken between the check and the writing.
    monkeypatch.setattr("services.registration_forms._refuse_taken", lambda *_given: None)
    response = send(client, draft, "pruefen")
    assert response["Location"] == f"{at(draft, 'betrieb')}?fehlt="
    assert OnlineService.objects.count() == services
    monkeypatch.undo()
    assert "trägt im Portal schon" in client.get(response["Location"]).content.decode()


# --- Duplicates ---------------------------------------------------------------------------------------


@pytest.fixture
def twin(person: User) -> OnlineService:
    service: OnlineService = ServiceFactory(name="Hundesteuer", leistung_id=KEY)
    service.area.set([HESSEN])
    return service


def test_a_possible_duplicate_must_be_confirmed(client: Client, person: User, twin: OnlineService) -> None:
    draft = draft_of(person)
    said = page(client, at(draft, "pruefen"))
    assert twin.get_absolute_url() in said
    assert "gleiche Leistung, Gebiet überschneidet sich" in said
    for values in ({}, {"gesehen": twin.pk}, {"bestaetigt": "1"}):
        assert send(client, draft, "pruefen", **values).status_code == 422
    assert OnlineService.objects.count() == 1
    assert send(client, draft, "pruefen", gesehen=twin.pk, bestaetigt="1").status_code == 302
    assert OnlineService.objects.count() == 2


def test_a_duplicate_that_came_meanwhile_is_shown_first(
    client: Client, person: User, twin: OnlineService
) -> None:
    draft = draft_of(person)
    newer = ServiceFactory(leistung_id=KEY)
    newer.area.set([KASSEL])
    response = send(client, draft, "pruefen", gesehen=twin.pk, bestaetigt="1")
    assert response.status_code == 422
    assert newer.number in response.content.decode()


def test_a_search_stays_when_nothing_was_chosen(client: Client, person: User) -> None:
    draft = draft_of(person, leistung="")
    sent = {"suche_leistung": "pferdesteuer", "gesucht_leistung": "pferdesteuer"}
    answer = send(client, draft, "leistung", **sent)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="pferdesteuer" maxlength' in text
    assert "Zu „pferdesteuer“ ist nichts zu finden." in text
