"""A service's own pages: its start, its master data, its history, its end."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry
from ozgsync.models import Region
from services.changes import events_of
from services.credentials import issue_api_key
from services.history import remember_all
from services.master_data import ChangedMeanwhile, change_master_data, master_data_of
from services.models import OnlineService, PortalMove, PortalService, ServiceMember, ServiceState
from tests.factories import (
    LeistungFactory,
    MemberFactory,
    Personas,
    PortalFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
    personas,
)
from tests.services.registering import HESSEN, KASSEL, KEY, catalogue, of, page, signed_in
from transactions.models import ServiceMonth
from zsk import months

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> OnlineService:
    found: OnlineService = ServiceFactory(
        leistung=catalogue(), name="Hundesteuer", reporting_level="kreis", contact="hund@amt.de",
        live_from=dt.date(2024, 5, 1), authority__name="Stadt Kassel",
    )  # fmt: skip
    found.area.set([HESSEN])
    return found


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


@pytest.fixture
def owner(people: Personas) -> Client:
    return signed_in(people.owner)


def filled(service: OnlineService, **changed: Any) -> dict[str, Any]:
    """The form as the page shows it."""
    service = OnlineService.objects.get(pk=service.pk)
    return {
        "revision": service.revision, "name": service.name, "authority": service.authority.name,
        "url": service.url, "contact": service.contact, "leistung": service.leistung_id,
        "more_leistungen": [one.pk for one in service.more_leistungen.all()],
        "area": [region.pk for region in service.area.all()], "reporting_level": service.reporting_level,
        "live_from": service.live_from or "", "ended_on": service.ended_on or "", **changed,
    }  # fmt: skip


def save(client: Client, service: OnlineService, **changed: Any) -> Any:
    return client.post(of(service, "stammdaten"), filled(service, **changed))


def delivered(service: OnlineService, count: int = 1) -> None:
    """As deliveries leave a service."""
    last = months.last_full()
    now = timezone.now()
    for number in range(count):
        ServiceMonth.objects.create(
            service=service, month=months.shift(last, -number), total=7, rows=1,
            first_delivered_at=now, last_delivered_at=now,
        )  # fmt: skip
    ServiceState.objects.filter(service=service).update(last_month=last, last_delivered_at=now)


# --- Who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["", "stammdaten", "verlauf", "beenden", "loeschen"])
def test_the_public_logs_in_and_strangers_are_told_why_not(
    service: OnlineService, people: Personas, part: str
) -> None:
    assert Client().get(of(service, part)).status_code == 302
    refused = signed_in(people.stranger).get(of(service, part))
    assert refused.status_code == 403
    assert "Onlineservice" in refused.content.decode()


@pytest.mark.parametrize("part", ["stammdaten", "beenden", "loeschen"])
def test_a_supplier_sees_the_service_and_changes_nothing(
    service: OnlineService, people: Personas, part: str
) -> None:
    client = signed_in(people.colleague)
    said = page(client, of(service))
    assert of(service, part) not in said
    assert client.post(of(service, part), filled(service, name="Anders")).status_code == 403
    assert OnlineService.objects.get().name == "Hundesteuer"


def test_an_admin_of_the_portal_that_held_it_once_may_no_more(service: OnlineService) -> None:
    admin = PortalMemberFactory()
    held = PortalService.objects.create(portal=admin.portal, service=service, since=dt.date(2024, 1, 1))
    client = signed_in(admin.user)
    assert client.get(of(service, "stammdaten")).status_code == 200
    held.until = timezone.localdate()
    held.save()
    assert client.get(of(service, "stammdaten")).status_code == 403


# --- The start ----------------------------------------------------------------------------------------


def test_the_start_says_where_the_service_stands_and_what_is_next(
    owner: Client, service: OnlineService
) -> None:
    said = page(owner, of(service))
    for text in (
        "nie geliefert",
        "nicht veröffentlicht",
        "noch keiner",
        "Erste Zahlen liefern",
        "Schlüssel anlegen",
    ):
        assert text in said
    for part in ("stammdaten", "mitglieder", "schluessel", "verlauf", "beenden"):
        assert f'href="{of(service, part)}"' in said


def test_what_is_done_is_not_asked_for(owner: Client, service: OnlineService, people: Personas) -> None:
    delivered(service)
    issue_api_key(service=service, name="Test", by=people.owner)
    OnlineService.objects.update(published_at=timezone.now())
    said = page(owner, of(service))
    assert "aktuell" in said
    assert "So geht es weiter" not in said


def test_a_supplier_is_not_sent_where_only_responsible_people_may_go(
    service: OnlineService, people: Personas
) -> None:
    client = signed_in(people.colleague)
    assert "Schlüssel anlegen" not in page(client, of(service))
    delivered(service)
    OnlineService.objects.update(published_at=timezone.now())
    said = page(client, of(service))
    assert "Schlüssel anlegen" not in said
    assert "So geht es weiter" not in said


def test_a_portals_question_stands_on_the_start(owner: Client, service: OnlineService) -> None:
    PortalMove.objects.create(
        portal=PortalFactory(name="Neues Portal"), service=service, since=timezone.localdate()
    )
    said = page(owner, of(service))
    assert "Das Portal Neues Portal möchte diesen Onlineservice aufnehmen" in said
    assert of(service, "portalanfrage") in said


def test_the_start_costs_the_same_with_many_members(
    owner: Client, service: OnlineService, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(14):
        page(owner, of(service))
    for _time in range(20):
        MemberFactory(service=service)
        issue = ServiceFactory()
        assert issue.pk != service.pk
    with django_assert_max_num_queries(14):
        page(owner, of(service))


# --- Editing ------------------------------------------------------------------------------------------


def test_a_change_is_saved_with_history_and_audit(owner: Client, service: OnlineService) -> None:
    further = LeistungFactory(name="Hundesteuer Befreiung")
    changed = {
        "name": "Hundesteuer online",
        "area": [KASSEL],
        "more_leistungen": [further.pk],
        "url": "hund.de",
    }
    response = save(owner, service, **changed)
    assert response["Location"] == of(service)
    found = OnlineService.objects.get()
    assert (found.name, found.url, found.revision) == ("Hundesteuer online", "https://hund.de", 2)
    assert [region.ars for region in found.area.all()] == [KASSEL]
    said = page(owner, of(service, "verlauf"))
    for text in (
        "Olga Owner hat den Namen von „Hundesteuer“ in „Hundesteuer online“ geändert.",
        "Olga Owner hat das Gebiet um Kassel erweitert.",
        "Olga Owner hat Hessen aus dem Gebiet genommen.",
        "Olga Owner hat als weitere Leistung eingetragen: Hundesteuer Befreiung.",
        "Olga Owner hat die Adresse eingetragen: „https://hund.de“.",
    ):
        assert text in said
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == (
        "Stammdaten geändert",
        "Name, Einzugsgebiet, weitere Leistungen, Adresse des Onlineservices",
    )


def test_the_same_data_change_nothing(owner: Client, service: OnlineService) -> None:
    response = owner.post(of(service, "stammdaten"), filled(service), follow=True)
    assert "Es war nichts zu ändern." in response.content.decode()
    assert OnlineService.objects.get().revision == 1
    assert OnlineService.history.count() == 0


def test_faults_keep_what_was_typed(owner: Client, service: OnlineService) -> None:
    response = save(owner, service, name="ab", contact="kaputt", ended_on="01.01.2020")
    assert response.status_code == 422
    said = response.content.decode()
    for text in (
        "Der Name ist zu kurz",
        'value="kaputt"',
        ") liegt vor dem Beginn (1. Mai 202",
        'value="01.01.2020"',
    ):
        assert text in said
    assert OnlineService.objects.get().revision == 1


def test_searching_in_the_form_keeps_what_was_typed(owner: Client, service: OnlineService) -> None:
    response = save(owner, service, name="Noch nicht gespeichert", suche_area="kassel", suchen="area")
    assert response.status_code == 200
    said = response.content.decode()
    assert 'value="Noch nicht gespeichert"' in said
    assert f'id="id_area-treffer-{KASSEL}"' in said
    assert OnlineService.objects.get().name == "Hundesteuer"


def test_another_meldeebene_is_confirmed_once_there_are_counts(owner: Client, service: OnlineService) -> None:
    assert save(owner, service, reporting_level="gemeinde").status_code == 302
    delivered(service)
    response = save(owner, service, reporting_level="kreis", name="Neu")
    assert response.status_code == 422
    said = response.content.decode()
    assert "Es gibt schon Zahlen auf der Ebene Gemeinde." in said
    assert 'value="Neu"' in said
    assert OnlineService.objects.get().reporting_level == "gemeinde"
    assert save(owner, service, reporting_level="kreis", confirmed="1").status_code == 302
    assert OnlineService.objects.get().reporting_level == "kreis"


def test_another_leistung_is_confirmed_once_there_are_counts(owner: Client, service: OnlineService) -> None:
    delivered(service)
    response = save(owner, service, leistung=LeistungFactory(name="Katzensteuer").pk)
    assert (
        "Alle Zahlen, auch die bisherigen, zählen dann zur Leistung „Katzensteuer“"
        in response.content.decode()
    )
    assert OnlineService.objects.get().leistung_id == KEY


# --- Two at once --------------------------------------------------------------------------------------


def test_the_second_of_two_sees_what_the_first_changed(owner: Client, service: OnlineService) -> None:
    colleague = MemberFactory(
        service=service, role=ServiceMember.Role.RESPONSIBLE, user__first_name="Rita", user__last_name="Rasch"
    )
    mine = filled(service, name="Mein Name", url="https://meine.de")
    save(signed_in(colleague.user), service, name="Ritas Name", contact="rita@amt.de", area=[KASSEL])
    response = owner.post(of(service, "stammdaten"), mine)
    assert response.status_code == 409
    said = response.content.decode()
    assert "war „Hundesteuer“, ist jetzt „Ritas Name“ (Rita Rasch," in said
    assert "Sie haben „Mein Name“ eingegeben" in said
    assert "war „Hessen“, ist jetzt „Kassel“ (Rita Rasch," in said
    # Own input is kept; what was not touched is as it is now.
    for text in (
        'value="Mein Name"',
        'value="https://meine.de"',
        'value="rita@amt.de"',
        'value="2"',
        f'id="id_area-gewaehlt-{KASSEL}"',
    ):
        assert text in said
    assert OnlineService.objects.get().name == "Ritas Name"
    again = {**mine, "revision": 2, "contact": "rita@amt.de", "area": [KASSEL]}
    assert owner.post(of(service, "stammdaten"), again).status_code == 302
    found = OnlineService.objects.get()
    assert (found.name, found.contact, found.url, found.revision) == (
        "Mein Name",
        "rita@amt.de",
        "https://meine.de",
        3,
    )


def test_an_old_revision_writes_nothing(service: OnlineService, people: Personas) -> None:
    data = master_data_of(service)
    OnlineService.objects.update(revision=2)
    with pytest.raises(ChangedMeanwhile):
        change_master_data(service=service, data=data, revision=1, by=people.owner)
    assert OnlineService.history.count() == 0


def test_a_change_in_the_admin_counts_as_one(owner: Client, service: OnlineService) -> None:
    operations = UserFactory(
        is_operations=True, is_staff=True, is_superuser=True, first_name="Bernd", last_name="Trieb"
    )
    mine = filled(service, name="Mein Name")
    form = {
        "name": "Vom Betrieb", "leistung": KEY, "authority": service.authority_id, "reporting_level": "kreis",
        "area": [KASSEL], "live_from": "01.05.2024", "contact": "hund@amt.de",
        **{f"{prefix}-TOTAL_FORMS": "0" for prefix in ("memberships", "portal_links")},
        **{f"{prefix}-INITIAL_FORMS": "0" for prefix in ("memberships", "portal_links")},
    }  # fmt: skip
    response = signed_in(operations).post(f"/admin/services/onlineservice/{service.pk}/change/", form)
    assert response.status_code == 302
    said = page(owner, of(service, "verlauf"))
    assert "Bernd Trieb hat den Namen von „Hundesteuer“ in „Vom Betrieb“ geändert." in said
    assert "Bernd Trieb hat Hessen aus dem Gebiet genommen." in said
    assert owner.post(of(service, "stammdaten"), mine).status_code == 409


# --- History ------------------------------------------------------------------------------------------


def test_the_history_holds_members_and_keys_of_this_service_only(
    owner: Client, service: OnlineService, people: Personas
) -> None:
    issue_api_key(service=service, name="Produktion", by=people.owner)
    other = ServiceFactory()
    issue_api_key(service=other, name="Fremder", by=people.stranger)
    said = page(owner, of(service, "verlauf"))
    assert "Zugangsschlüssel ausgestellt von Olga Owner: Produktion" in said
    assert "Fremder" not in said


def test_the_history_survives_its_people_and_costs_the_same_for_many_changes(
    owner: Client, service: OnlineService, django_assert_num_queries: Any
) -> None:
    rita = MemberFactory(
        service=service, role=ServiceMember.Role.RESPONSIBLE, user__first_name="Rita", user__last_name="Rasch"
    )
    client = signed_in(rita.user)
    save(client, service, name="Nummer 0")
    with django_assert_num_queries(7):
        assert len(events_of(service)) == 2
    for number in range(1, 6):
        save(client, service, name=f"Nummer {number}", area=[HESSEN if number % 2 else KASSEL])
    rita.user.delete()
    service.refresh_from_db()
    with django_assert_num_queries(7):
        told = events_of(service)
    assert told[0].sentences[0] == "Rita Rasch hat den Namen von „Nummer 4“ in „Nummer 5“ geändert."
    assert len(told) == 7


def test_thousands_are_remembered_with_as_many_queries_as_one(django_assert_num_queries: Any) -> None:
    service = ServiceFactory()
    service.area.set([Region.objects.create(ars=HESSEN, name="Hessen", level_top=1, level_bottom=1)])
    many = [service, *(ServiceFactory() for _time in range(20))]
    for some in ([service], many):
        with django_assert_num_queries(4):
            remember_all(some, by=None, kind="+")
    assert OnlineService.history.count() == 22


# --- The end ------------------------------------------------------------------------------------------


def test_a_service_is_ended_and_put_back_into_operation(owner: Client, service: OnlineService) -> None:
    assert "Alle bisherigen Zahlen bleiben" in page(owner, of(service, "beenden"))
    assert owner.post(of(service, "beenden"), {"ended_on": "01.06.2025"})["Location"] == of(service)
    assert OnlineService.objects.get().ended_on == dt.date(2025, 6, 1)
    assert "Seit 1. Juni 2025 außer Betrieb" in page(owner, of(service))
    owner.post(of(service, "beenden"), {"weiter": "1"})
    assert OnlineService.objects.get().ended_on is None
    said = page(owner, of(service, "verlauf"))
    assert "Olga Owner hat das Ende des Betriebs eingetragen: „1. Juni 2025“." in said
    assert "Olga Owner hat das Ende des Betriebs „1. Juni 2025“ entfernt." in said


@pytest.mark.parametrize("day", ["30.04.2024", "", "irgendwann"])
def test_an_end_that_cannot_be(owner: Client, service: OnlineService, day: str) -> None:
    assert owner.post(of(service, "beenden"), {"ended_on": day}).status_code == 422
    assert OnlineService.objects.get().ended_on is None


def test_a_service_without_counts_is_deleted_with_its_keys(
    owner: Client, service: OnlineService, people: Personas
) -> None:
    issue_api_key(service=service, name="Test", by=people.owner)
    assert owner.post(of(service, "loeschen"))["Location"] == "/meine/"
    assert not OnlineService.objects.exists()
    assert AuditEntry.objects.filter(action="Onlineservice gelöscht", user=people.owner).count() == 1


def test_a_service_with_counts_is_not_deleted_and_says_how_many_months(
    owner: Client, service: OnlineService, people: Personas
) -> None:
    issue_api_key(service=service, name="Test", by=people.owner)
    delivered(service, 3)
    for answer in (owner.get(of(service, "loeschen")), owner.post(of(service, "loeschen"))):
        said = answer.content.decode()
        assert "gibt es Zahlen für 3 Monate" in said
        assert of(service, "beenden") in said
    assert OnlineService.objects.get().credentials.count() == 1


def test_what_the_log_has_of_a_service_is_found_by_an_index(service: OnlineService) -> None:
    others = [
        AuditEntry(actor="System", action="Stammdaten geändert", target=f"Nr. {n}") for n in range(2_000)
    ]
    AuditEntry.objects.bulk_create(others)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_auditentry")
        cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as queries:
        events_of(service)
    (asked,) = [query["sql"] for query in queries.captured_queries if "accounts_auditentry" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {asked}")
        plan = " ".join(line for (line,) in cursor.fetchall())
    assert "Index Cond" in plan
    assert "audit_target_end" in plan
