"""Leistungen that have ended: refused with their successor, and offered to services that name them."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from ozgsync.models import Leistung
from ozgsync.succession import successors_of
from services import bulk, bulk_checks
from services.changes import events_of
from services.models import OnlineService, RegistrationDraft
from services.pickers import leistung_picker
from services.superseded import superseded_in, with_superseded
from tests.factories import (
    AuthorityFactory,
    LeistungChangeFactory,
    LeistungFactory,
    PortalFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
    germany,
    land,
    personas,
)
from tests.services.registering import KEY, at, catalogue, draft_of, of, page, signed_in

pytestmark = pytest.mark.django_db
CountQueries = Any
OLD = "99102013001000"
ENDED = dt.date(2024, 1, 1)
SENTENCE = (
    f"Der Leistungsschlüssel {OLD} („Hundesteuer alt“) gilt seit 1. Januar 2024 nicht mehr."
    f" Nachfolger: Hundesteuer Anmeldung ({KEY})."
)


@pytest.fixture
def new() -> Leistung:
    return catalogue()


@pytest.fixture
def old(new: Leistung) -> Leistung:
    found: Leistung = LeistungFactory(schluessel=OLD, name="Hundesteuer alt", valid_to=ENDED)
    LeistungChangeFactory(old=found, new=new)
    return found


@pytest.fixture
def person() -> User:
    found: User = UserFactory(authority=AuthorityFactory(name="Stadt Kassel"))
    return found


# --- Successors ---------------------------------------------------------------------------------------


def test_a_chain_leads_to_what_is_valid_on_the_day(old: Leistung, new: Leistung) -> None:
    newest = LeistungFactory()
    Leistung.objects.filter(pk=new.pk).update(valid_to=dt.date(2025, 1, 1))
    LeistungChangeFactory(old=new, new=newest, effective=dt.date(2025, 1, 1))
    assert successors_of([OLD], on=dt.date(2024, 6, 1)) == {OLD: [new]}
    assert successors_of([OLD], on=dt.date(2025, 6, 1)) == {OLD: [newest]}
    assert successors_of([OLD], on=dt.date(2023, 6, 1)) == {}


def test_a_divided_leistung_has_all_its_parts_and_a_circle_ends(old: Leistung, new: Leistung) -> None:
    part = LeistungFactory()
    LeistungChangeFactory(old=old, new=part)
    LeistungChangeFactory(old=new, new=old)
    assert successors_of([OLD], on=dt.date(2026, 1, 1)) == {OLD: [new, part]}


# --- The search of forms ------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [OLD, "99 102 013 001 000", "Hundesteuer alt"])
@pytest.mark.usefixtures("old")
def test_the_old_key_is_found_and_leads_to_its_successor(text: str) -> None:
    picker = leistung_picker("leistung", text=text, chosen=[], single=True)
    assert [option.value for option in picker.found] == [KEY]
    assert picker.found[0].marks[0] == "Nachfolger von 99 102 013 001 000"
    assert picker.preselected == KEY


@pytest.mark.usefixtures("old")
def test_what_is_found_anyhow_is_offered_once() -> None:
    picker = leistung_picker("leistung", text="Hundesteuer", chosen=[], single=True)
    assert [option.value for option in picker.found] == [KEY]
    chosen = leistung_picker("leistung", text="Hundesteuer", chosen=[KEY], single=True)
    assert chosen.found == []


def test_an_end_without_successor_is_said(person: User) -> None:
    LeistungFactory(schluessel=OLD, name="Hundesteuer alt", valid_to=ENDED)
    text = page(signed_in(person), f"/meine/onlineservices/neu/auswahl/leistung?suche_leistung={OLD}")
    assert "gilt seit 1. Januar 2024 nicht mehr. Einen Nachfolger nennt der Katalog nicht." in text
    assert "nichts zu finden" not in text
    assert f'value="{OLD}"' not in text.replace('name="gesucht_leistung" value', "")


def test_the_picker_costs_the_same_for_many_ended(django_assert_num_queries: CountQueries) -> None:
    for _number in range(15):
        LeistungChangeFactory(old__name="Alles", new__name="Neu")
    with django_assert_num_queries(4):
        assert len(leistung_picker("leistung", text="alles", chosen=["x"], single=True).found) == 15


# --- Registering --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("old")
def test_registering_refuses_it_and_one_click_takes_the_successor(person: User) -> None:
    client, draft = signed_in(person), draft_of(person, leistung=OLD)
    answer = client.post(at(draft, "leistung"), {"leistung": OLD})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert SENTENCE in text
    assert f'id="id_leistung-nachfolger-{KEY}"' in text
    answer = client.post(at(draft, "leistung"), {"leistung": KEY})
    assert answer.headers["Location"] == at(draft, "beschreibung")


@pytest.mark.usefixtures("old")
def test_a_key_that_ended_while_the_draft_lay_is_not_registered(person: User) -> None:
    client, draft = signed_in(person), draft_of(person, leistung=OLD, more_leistungen=[OLD])
    assert client.post(at(draft, "pruefen")).headers["Location"] == f"{at(draft, 'leistung')}?fehlt="
    assert not OnlineService.objects.exists()
    assert RegistrationDraft.objects.get().data["leistung"] == OLD


@pytest.mark.usefixtures("old")
def test_a_further_leistung_is_refused_too(person: User) -> None:
    draft = draft_of(person)
    answer = signed_in(person).post(at(draft, "leistung"), {"leistung": KEY, "more_leistungen": [OLD]})
    assert answer.status_code == 422
    assert SENTENCE in answer.content.decode()


def test_a_key_of_the_future_is_refused_until_it_begins(person: User, new: Leistung) -> None:
    Leistung.objects.filter(pk=new.pk).update(valid_from=dt.date(2999, 1, 1))
    answer = signed_in(person).post(at(draft_of(person), "leistung"), {"leistung": KEY})
    assert "gilt erst ab 1. Januar 2999." in answer.content.decode()


# --- A file of services -------------------------------------------------------------------------------


@pytest.fixture
def waiting(old: Leistung) -> Any:
    germany(), land()
    portal = PortalFactory(kuerzel="hessen", authority__region=land())
    admin = PortalMemberFactory(portal=portal).user
    head = "name;leistungsschluessel;meldeebene;gebiet"
    content = f"{head}\nHund;{OLD};Land;060000000000\nKatze;{KEY};Land;060000000000\n"
    return bulk.keep(portal=portal, by=admin, name="a.csv", content=content.encode())


def test_a_file_names_the_successor_and_takes_it_when_asked(waiting: Any) -> None:
    address = f"/meine/portale/hessen/sammelregistrierung/{waiting.pk}/"
    client = signed_in(waiting.user)
    checked = bulk_checks.check(waiting)
    assert [finding.message for finding in checked.faults] == [SENTENCE]
    assert "Ein Leistungsschlüssel gilt nicht mehr" in page(client, address)
    client.post(f"{address}nachfolger")
    text = page(client, address)
    assert f"Wird als Nachfolger Hundesteuer Anmeldung ({KEY}) registriert." in text
    assert not OnlineService.objects.exists()
    client.post(f"{address}registrieren")
    assert set(OnlineService.objects.values_list("name", "leistung")) == {("Hund", KEY), ("Katze", KEY)}


def test_of_several_successors_none_is_taken_unasked(waiting: Any, old: Leistung) -> None:
    LeistungChangeFactory(old=old)
    bulk.take_successors(waiting)
    waiting.refresh_from_db()
    checked = bulk_checks.check(waiting)
    assert checked.curable == 0
    assert "Nachfolger sind: " in checked.faults[0].message


# --- Registered services ------------------------------------------------------------------------------


@pytest.fixture
def service(old: Leistung) -> OnlineService:
    found: OnlineService = ServiceFactory(leistung=old, name="Hundesteuer", authority__name="Stadt Kassel")
    found.area.set([land()])
    return found


def test_a_registered_service_is_offered_the_change(service: OnlineService, new: Leistung) -> None:
    people = personas(service)
    owner = signed_in(people.owner)
    assert SENTENCE in page(owner, of(service))
    assert "Eine Leistung gilt nicht mehr" in page(owner, "/meine/")
    answer = owner.post(of(service, "nachfolger"), {"nachfolger": f"{OLD}:{KEY}"}, follow=True)
    assert "Der Nachfolger ist eingetragen." in answer.content.decode()
    service.refresh_from_db()
    assert service.leistung == new
    assert superseded_in(service) == []
    assert "Leistung gilt nicht mehr" not in page(owner, "/meine/")
    sentences = [sentence for event in events_of(service) for sentence in event.sentences]
    assert any(
        "hat die Leistung von „Hundesteuer alt“ in „Hundesteuer Anmeldung“" in one for one in sentences
    )


def test_whoever_only_delivers_reads_of_it_without_a_button(service: OnlineService) -> None:
    people = personas(service)
    assert "Leistung gilt nicht mehr" not in page(signed_in(people.colleague), "/meine/")
    text = page(signed_in(people.colleague), of(service))
    assert SENTENCE in text
    assert "nachfolger" not in text.replace("Nachfolger", "")
    assert signed_in(people.colleague).post(of(service, "nachfolger")).status_code == 403


def test_only_a_successor_is_taken_and_only_for_what_has_ended(service: OnlineService) -> None:
    other = LeistungFactory()
    owner = signed_in(personas(service).owner)
    for sent in (f"{OLD}:{other.pk}", f"{KEY}:{OLD}", OLD, "", ":", "\0"):
        answer = owner.post(of(service, "nachfolger"), {"nachfolger": sent}, follow=True)
        assert "Nichts geändert" in answer.content.decode(), sent
    service.refresh_from_db()
    assert service.leistung_id == OLD


def test_a_further_leistung_is_changed_where_it_stands(service: OnlineService, new: Leistung) -> None:
    main = LeistungFactory()
    OnlineService.objects.filter(pk=service.pk).update(leistung=main)
    service.more_leistungen.set([OLD])
    signed_in(personas(service).owner).post(of(service, "nachfolger"), {"nachfolger": f"{OLD}:{KEY}"})
    service.refresh_from_db()
    assert service.leistung == main
    assert list(service.more_leistungen.all()) == [new]


def test_other_master_data_can_be_changed_while_the_key_has_ended(service: OnlineService) -> None:
    client = signed_in(personas(service).owner)
    sent = {
        "revision": service.revision, "name": "Neuer Name", "authority": "Stadt Kassel", "url": "",
        "contact": "a@b.de", "leistung": OLD, "area": ["060000000000"], "reporting_level": "land",
        "live_from": "01.01.2023",
    }  # fmt: skip
    answer = client.post(of(service, "stammdaten"), sent)
    assert answer.status_code == 302, answer.content.decode()
    other = LeistungFactory(valid_to=ENDED)
    service.refresh_from_db()
    sent |= {"revision": service.revision, "leistung": other.pk}
    assert client.post(of(service, "stammdaten"), sent).status_code == 422


def test_services_to_look_at_are_those_in_operation(service: OnlineService, new: Leistung) -> None:
    fine = ServiceFactory(leistung=new)
    further = ServiceFactory(leistung=new)
    further.more_leistungen.set([OLD])
    ServiceFactory(leistung=service.leistung, ended_on=dt.date(2024, 6, 1))
    assert set(with_superseded(OnlineService.objects.all())) == {service, further}
    assert fine not in with_superseded(OnlineService.objects.all())


@pytest.mark.usefixtures("service")
def test_the_catalogue_goes_on_showing_it(client: Client, service: OnlineService) -> None:
    client.force_login(UserFactory())
    assert "Hundesteuer alt" in page(client, f"/onlineservices/{service.number}/")
    assert service.number in page(client, "/onlineservices/")
