"""Pages of operations: deciding on requests, people, authorities, invitations, the audit log."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ObjectDoesNotExist
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import requests
from accounts.models import AccessRequest, AuditEntry, Authority, Invitation, OutgoingMail, User
from accounts.people import OwnRights, change_rights
from services.models import InvitedMember, ServiceMember
from tests.factories import (
    PASSWORD,
    AccessRequestFactory,
    AuthorityFactory,
    InvitationFactory,
    RegionFactory,
    ServiceFactory,
    UserFactory,
    land,
)
from zsk.operations import queries
from zsk.operations.log import sentence

pytestmark = pytest.mark.django_db
Status = AccessRequest.Status


@pytest.fixture
def operator(client: Client) -> User:
    person: User = UserFactory(first_name="Bernd", last_name="Trieb", is_operations=True)
    client.force_login(person)
    return person


def text_of(client: Client, address: str, **values: Any) -> str:
    answer = client.get(address, values)
    assert answer.status_code == 200
    return answer.content.decode()


# --- Start and queue ---------------------------------------------------------------------------------


def test_the_start_page_counts_what_waits(client: Client, operator: User) -> None:
    AccessRequestFactory.create_batch(2)
    AccessRequestFactory(status=Status.ASKED)
    AccessRequestFactory(status=Status.UNCONFIRMED)
    InvitationFactory(expires_at=timezone.now() - dt.timedelta(days=1))
    ServiceFactory(), ServiceFactory(published=True), ServiceFactory(withheld=True)
    OutgoingMail.objects.create(recipient="a@example.org", subject="x", body="y", next_try_at=None)
    page = text_of(client, "/betrieb/")
    assert "2 Anträge auf Zugang warten auf Sie." in page
    assert "1 warten auf Antwort, 1 auf Bestätigung" in page
    assert "Eine Einladung ist abgelaufen" in page
    assert "Ein Onlineservice ist nicht veröffentlicht" in page
    assert "Eine E-Mail ging nicht hinaus" in page


def test_with_nothing_to_do_the_start_page_says_so(client: Client, operator: User) -> None:
    assert "Nichts wartet auf Sie." in text_of(client, "/betrieb/")


def test_the_navigation_leads_operations_there(client: Client, operator: User) -> None:
    assert '<a href="/betrieb/"' in text_of(client, "/hilfe/")
    client.force_login(UserFactory())
    assert '<a href="/betrieb/"' not in text_of(client, "/hilfe/")


def test_the_queue_shows_the_longest_waiting_first(client: Client, operator: User) -> None:
    for days, name in ((1, "Jung"), (9, "Alt")):
        row = AccessRequestFactory(last_name=name)
        AccessRequest.objects.filter(pk=row.pk).update(created_at=timezone.now() - dt.timedelta(days=days))
    AccessRequestFactory(
        last_name="Fertig", status=Status.DECLINED, decided_at=timezone.now(), decided_by=operator
    )
    page = text_of(client, "/betrieb/antraege/")
    assert page.index("Anna Alt") < page.index("Anna Jung")
    assert "Anna Fertig" not in page
    assert "zu prüfen 2" in page
    assert "Anna Fertig" in text_of(client, "/betrieb/antraege/", status="abgelehnt")
    assert "Anna Alt" in text_of(client, "/betrieb/antraege/", status="gibt-es-nicht")


@pytest.mark.parametrize("address", ["antraege", "einladungen", "personen", "behoerden", "protokoll"])
def test_lists_need_the_same_number_of_queries_at_any_size(
    client: Client, operator: User, address: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def fill(number: int) -> None:
        for _row in range(number):
            AccessRequestFactory()
            made = InvitationFactory()
            InvitedMember.objects.create(
                invitation=made, service=ServiceFactory(), role=ServiceMember.Role.SUPPLIER
            )
            AuditEntry.objects.create(user=operator, actor="Bernd Trieb", action="Test", target="Ziel")

    fill(2)
    counted = _count_queries(client, f"/betrieb/{address}/")
    fill(12)
    assert _count_queries(client, f"/betrieb/{address}/") == counted


def _count_queries(client: Client, address: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries_made:
        text_of(client, address)
    return len(queries_made)


# --- One request -------------------------------------------------------------------------------------


def test_a_request_shows_what_is_known_already(client: Client, operator: User) -> None:
    UserFactory(email="anna@kappeln.example", first_name="Anna", last_name="Schonda")
    AuthorityFactory(name="Stadtverwaltung Kappeln")
    AccessRequestFactory(email="anna@kappeln.example", status=Status.DECLINED, decided_at=timezone.now())
    request = AccessRequestFactory(
        email="anna@kappeln.example", authority=None, new_authority="Stadt Kappeln",
        new_authority_level="kommune", new_authority_region=RegionFactory(),
    )  # fmt: skip
    page = text_of(client, f"/betrieb/antraege/{request.pk}/")
    assert "Anna Schonda" in page
    assert "Stadtverwaltung Kappeln" in page
    assert "Bewilligen" in page


def send(client: Client, request: AccessRequest, what: str, **values: str) -> Any:
    form = {"seen": requests.standing(request), **values}
    return client.post(f"/betrieb/antraege/{request.pk}/{what}", form)


def test_asking_back(client: Client, operator: User) -> None:
    request = AccessRequestFactory()
    assert send(client, request, "rueckfrage", text="").status_code == 422
    assert send(client, request, "rueckfrage", text="Für welchen?").status_code == 302
    request.refresh_from_db()
    assert request.status == Status.ASKED
    page = text_of(client, f"/betrieb/antraege/{request.pk}/")
    assert "Für welchen?" in page
    assert "wartet auf Antwort" in page


def test_declining_needs_a_reason(client: Client, operator: User) -> None:
    request = AccessRequestFactory()
    answer = send(client, request, "ablehnen", reason=" ")
    assert "Begründen Sie die Ablehnung." in answer.content.decode()
    assert send(client, request, "ablehnen", reason="Schon da.").status_code == 302
    assert "Schon da." in text_of(client, f"/betrieb/antraege/{request.pk}/")


def test_approving_takes_the_authority_asked_for(client: Client, operator: User) -> None:
    request = AccessRequestFactory(authority=AuthorityFactory(name="Stadt Kappeln"))
    assert 'value="Stadt Kappeln"' in text_of(client, f"/betrieb/antraege/{request.pk}/bewilligen")
    answer = send(client, request, "bewilligen", authority="Stadt Kappeln")
    assert answer.headers["Location"] == f"/betrieb/antraege/{request.pk}/"
    assert Invitation.objects.get().request == request
    assert "Noch einmal schicken" in text_of(client, f"/betrieb/antraege/{request.pk}/")


def test_approving_proposes_similar_authorities_before_a_new_one(client: Client, operator: User) -> None:
    known = AuthorityFactory(name="Stadtverwaltung Kappeln")
    region = RegionFactory(name="Kappeln")
    request = AccessRequestFactory(
        authority=None, new_authority="Stadt Kappeln", new_authority_level="kommune",
        new_authority_region=region,
    )  # fmt: skip
    page = text_of(client, f"/betrieb/antraege/{request.pk}/bewilligen")
    assert "Stadtverwaltung Kappeln" in page
    assert f'value="{region.ars}"' in page
    form = {"authority": "Stadt Kappeln", "level": "kommune", "region": region.ars}
    assert send(client, request, "bewilligen", **form).status_code == 422
    assert send(client, request, "bewilligen", **form, known=str(known.pk)).status_code == 302
    assert Invitation.objects.get().authority == known
    assert not Authority.objects.filter(name="Stadt Kappeln").exists()


def test_approving_enters_a_new_authority(client: Client, operator: User) -> None:
    region = RegionFactory(name="Kappeln")
    request = AccessRequestFactory(authority=None, new_authority="Hafenamt")
    form = {"authority": "Hafenamt", "level": "kommune", "region": "Kappeln"}
    assert send(client, request, "bewilligen", **form).status_code == 302
    assert Authority.objects.get(name="Hafenamt").region == region


def test_the_second_operator_reads_who_was_quicker(client: Client, operator: User) -> None:
    request = AccessRequestFactory()
    seen = requests.standing(request)
    requests.decline(request=request, reason="Nein.", by=operator, seen=seen, site="")
    second = Client()
    second.force_login(UserFactory(is_operations=True))
    answer = second.post(
        f"/betrieb/antraege/{request.pk}/bewilligen", {"seen": seen, "authority": request.authority.name}
    )
    assert answer.status_code == 409
    assert "Bernd Trieb hat den Antrag schon abgelehnt" in answer.content.decode()
    assert not Invitation.objects.exists()
    again = second.get(f"/betrieb/antraege/{request.pk}/ablehnen", follow=True)
    assert "Bernd Trieb hat den Antrag schon abgelehnt" in again.content.decode()


def test_a_message_that_came_meanwhile_is_shown_before_deciding(client: Client, operator: User) -> None:
    request = AccessRequestFactory()
    seen = requests.standing(request)
    requests.ask(request=request, text="Welcher Service?", by=operator, seen=seen, site="")
    answer = client.post(f"/betrieb/antraege/{request.pk}/ablehnen", {"seen": seen, "reason": "Mein Grund."})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Inzwischen kam eine Nachricht dazu" in page
    assert "Welcher Service?" in page
    assert "Mein Grund." in page
    request.refresh_from_db()
    assert f'value="{requests.standing(request)}"' in page


# --- Invitations -------------------------------------------------------------------------------------


def test_an_invitation_is_sent_again_and_withdrawn(client: Client, operator: User) -> None:
    invitation = InvitationFactory(expires_at=timezone.now() - dt.timedelta(days=1))
    assert "abgelaufen" in text_of(client, "/betrieb/einladungen/")
    client.post(f"/betrieb/einladungen/{invitation.pk}/erneut")
    invitation.refresh_from_db()
    assert invitation.expires_at > timezone.now()
    client.post(f"/betrieb/einladungen/{invitation.pk}/zurueckziehen")
    invitation.refresh_from_db()
    assert invitation.withdrawn_at
    answer = client.post(f"/betrieb/einladungen/{invitation.pk}/erneut", follow=True)
    assert "Diese Einladung ist schon zurückgezogen." in answer.content.decode()


# --- People ------------------------------------------------------------------------------------------


def test_people_are_found_by_name_address_and_authority(client: Client, operator: User) -> None:
    UserFactory(
        first_name="Petra", last_name="Lindner", email="p.l@kappeln.example",
        authority=AuthorityFactory(name="Stadt Kappeln"),
    )  # fmt: skip
    UserFactory(first_name="Karl", last_name="Kollege", is_active=False, authority=None)
    for text in ("lindner petra", "kappeln.example", "Stadt Kapp"):
        page = text_of(client, "/betrieb/personen/", q=text)
        assert "Petra Lindner" in page
        assert "Karl Kollege" not in page
    for kind in ("gesperrt", "ohne"):
        page = text_of(client, "/betrieb/personen/", art=kind)
        assert "Karl Kollege" in page
        assert "Petra Lindner" not in page
    assert "Niemand gefunden" in text_of(client, "/betrieb/personen/", q="gibtesnicht")


def test_locking_ends_a_session_and_is_in_the_log(client: Client, operator: User) -> None:
    person = UserFactory(first_name="Petra", last_name="Lindner")
    theirs = Client()
    theirs.force_login(person)
    answer = client.post(f"/betrieb/personen/{person.pk}/", {"authority": person.authority.name})
    assert answer.status_code == 302
    assert theirs.get("/konto/").status_code == 302
    entry = AuditEntry.objects.get(action="Rechte geändert")
    assert (entry.user, entry.target, entry.detail) == (operator, "Petra Lindner", "Konto gesperrt")
    log_in = Client().post("/anmelden/", {"login": person.username, "password": PASSWORD})
    assert log_in.status_code == 200


def test_authority_and_role_are_given(client: Client, operator: User) -> None:
    person, authority = UserFactory(), AuthorityFactory(name="Stadt Neu")
    form = {"authority": "stadt neu", "is_active": "on", "is_operations": "on"}
    client.post(f"/betrieb/personen/{person.pk}/", form)
    person.refresh_from_db()
    assert (person.authority, person.is_operations) == (authority, True)
    answer = client.post(f"/betrieb/personen/{person.pk}/", form, follow=True)
    assert "Es hat sich nichts geändert." in answer.content.decode()
    assert AuditEntry.objects.count() == 1


def test_an_unknown_authority_is_refused(client: Client, operator: User) -> None:
    person = UserFactory()
    answer = client.post(f"/betrieb/personen/{person.pk}/", {"authority": "Gibt es nicht", "is_active": "on"})
    assert answer.status_code == 422
    assert "Eine Behörde mit diesem Namen gibt es nicht." in answer.content.decode()


@pytest.mark.parametrize("form", [{"is_operations": "on"}, {"is_active": "on"}])
def test_nobody_locks_themselves_out(client: Client, operator: User, form: dict[str, str]) -> None:
    answer = client.post(f"/betrieb/personen/{operator.pk}/", form | {"authority": operator.authority.name})  # type: ignore[union-attr]
    assert answer.status_code == 422
    assert "Sich selbst können Sie weder sperren" in answer.content.decode()
    operator.refresh_from_db()
    assert operator.is_active
    assert operator.is_operations


def test_who_has_just_lost_the_role_takes_it_from_nobody() -> None:
    """The row is changed between the page and the button, as by somebody else at the same moment."""
    first, second = UserFactory(is_operations=True), UserFactory(is_operations=True)
    values = {"authority": None, "is_active": True, "is_operations": False}
    change_rights(person=first, by=second, **values)
    with pytest.raises(OwnRights):
        change_rights(person=second, by=first, **values)
    assert User.objects.filter(is_operations=True).get() == second


def test_where_keycloak_gives_the_role_it_cannot_be_given_here(
    client: Client, operator: User, settings: LazySettings
) -> None:
    settings.OIDC_ISSUER = "https://anmeldung.example.org/realms/zsk"
    person = UserFactory()
    client.post(f"/betrieb/personen/{person.pk}/", {"is_active": "on", "is_operations": "on"})
    person.refresh_from_db()
    assert not person.is_operations


# --- Authorities -------------------------------------------------------------------------------------


def test_an_authority_is_entered_and_changed(client: Client, operator: User) -> None:
    region, hessen = RegionFactory(name="Kappeln"), land()
    upper = AuthorityFactory(name="Land Hessen", level="land", region=hessen)
    form = {"name": "Hafenamt", "level": "kommune", "region": "Kappeln", "parent": ""}
    assert client.post("/betrieb/behoerden/neu", form).status_code == 302
    made = Authority.objects.get(name="Hafenamt")
    assert made.region == region
    changed = {"name": "Hafenamt Nord", "level": "land", "region": hessen.ars, "parent": "Land Hessen"}
    assert client.post(f"/betrieb/behoerden/{made.pk}/", changed).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.level, made.region, made.parent) == ("Hafenamt Nord", "land", hessen, upper)
    assert "vorher: Hafenamt, Kommune" in AuditEntry.objects.get(action="Behörde geändert").detail


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "Stadt Kappeln"}, "Eine Behörde mit diesem Namen gibt es schon."),
        ({"name": ""}, "Nennen Sie den Namen der Behörde."),
        ({"level": ""}, "Wählen Sie die Ebene der Behörde."),
        ({"region": "Nirgendwo"}, "Diese Region kennen wir auf dieser Ebene nicht."),
        ({"parent": "Gibt es nicht"}, "Eine Behörde mit diesem Namen gibt es nicht."),
        ({"parent": "Hafenamt"}, "steht selbst unter der, die Sie ändern"),
        ({"parent": "Unteramt"}, "steht selbst unter der, die Sie ändern"),
    ],
)
def test_faults_of_an_authority(
    client: Client, operator: User, changed: dict[str, str], message: str
) -> None:
    AuthorityFactory(name="Stadt Kappeln")
    authority = AuthorityFactory(name="Hafenamt", region=RegionFactory(name="Kappeln"))
    AuthorityFactory(name="Unteramt", parent=authority)
    form = {"name": "Hafenamt", "level": "kommune", "region": authority.region.ars, "parent": ""} | changed
    answer = client.post(f"/betrieb/behoerden/{authority.pk}/", form)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    authority.refresh_from_db()
    assert (authority.name, authority.parent) == ("Hafenamt", None)


def test_authorities_are_counted_without_multiplying() -> None:
    authority = AuthorityFactory()
    UserFactory.create_batch(3, authority=authority)
    ServiceFactory.create_batch(2, authority=authority)
    found = queries.authorities().get(pk=authority.pk)
    assert (found.people_count, found.service_count, found.portal_count) == (3, 2, 0)  # type: ignore[attr-defined]


# --- The audit log -----------------------------------------------------------------------------------


def entry(**values: Any) -> AuditEntry:
    days = values.pop("days_ago", 0)
    facts = {"actor": "Bernd Trieb", "action": "Zugang bewilligt", "target": "Anna Antrag", **values}
    made = AuditEntry.objects.create(**facts)
    AuditEntry.objects.filter(pk=made.pk).update(at=timezone.now() - dt.timedelta(days=days))
    return made


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("Zugang bewilligt", "Bernd Trieb hat Zugang bewilligt"),
        ("Veröffentlicht", "Bernd Trieb hat veröffentlicht"),
        ("Notfall-Anmeldung", "Bernd Trieb: Notfall-Anmeldung"),
    ],
)
def test_entries_are_sentences(action: str, text: str) -> None:
    assert sentence(entry(action=action)) == text


def test_the_log_is_filtered_by_what_stands_in_the_address(client: Client, operator: User) -> None:
    entry(target="Anna Antrag", detail="Stadt Kappeln")
    entry(actor="Petra Lindner", action="Rechte geändert", target="Karl Kollege", days_ago=10)
    day = timezone.localdate() - dt.timedelta(days=10)
    for values in (
        {"wer": "lindner"}, {"was": "Rechte geändert"}, {"woran": "kollege"}, {"von": day, "bis": day},
    ):  # fmt: skip
        page = text_of(client, "/betrieb/protokoll/", **values)
        assert "Karl Kollege" in page, values
        assert "Anna Antrag" not in page, values
    assert "Anna Antrag" in text_of(client, "/betrieb/protokoll/", woran="kappeln antrag")
    assert "Kein Eintrag gefunden" in text_of(client, "/betrieb/protokoll/", wer="niemand")


def test_a_date_that_is_none_filters_nothing(client: Client, operator: User) -> None:
    entry()
    page = text_of(client, "/betrieb/protokoll/", von="gestern")
    assert "Anna Antrag" in page


def test_the_export_holds_what_the_page_shows_and_runs_no_formula(client: Client, operator: User) -> None:
    entry(target="=HYPERLINK(1)")
    entry(actor="Petra Lindner")
    answer = client.get("/betrieb/protokoll.csv", {"wer": "Trieb"})
    content = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(content), delimiter=";"))
    assert [(row["wer"], row["woran"]) for row in rows] == [("Bernd Trieb", "'=HYPERLINK(1)")]
    assert "attachment" in answer.headers["Content-Disposition"]


def test_the_log_survives_a_person(client: Client, operator: User) -> None:
    person = UserFactory(first_name="Petra", last_name="Lindner")
    entry(user=person, actor=person.display_name)
    person.delete()
    with pytest.raises(ObjectDoesNotExist):
        person.refresh_from_db()
    assert "Petra Lindner hat Zugang bewilligt" in text_of(client, "/betrieb/protokoll/")
