"""The page behind an invitation's link, and the roles that come with accepting it."""

import datetime as dt
import threading

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import invitations
from accounts.models import AuditEntry, Invitation, User
from portals.models import InvitedPortalMember, PortalMember
from services.joining import promises
from services.models import InvitedMember, OnlineService, ServiceMember
from tests.factories import (
    PASSWORD,
    AccessRequestFactory,
    AuthorityFactory,
    InvitationFactory,
    MemberFactory,
    PortalFactory,
    ServiceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
Role = ServiceMember.Role
LINK = "/einladung/token/"
NEW_PERSON = {
    "first_name": "Anna", "last_name": "Antrag",
    "password1": "vier-lange-worte-hier", "password2": "vier-lange-worte-hier",
}  # fmt: skip


@pytest.fixture
def service() -> OnlineService:
    made: OnlineService = ServiceFactory(name="Hundesteuer")
    return made


@pytest.fixture
def invitation(service: OnlineService) -> Invitation:
    """To deliver for a service, at the address of `LINK`."""
    made: Invitation = InvitationFactory(
        email="anna@kappeln.example", first_name="Anna", last_name="Antrag",
        token_hash=invitations.hash_of("token"),
    )  # fmt: skip
    InvitedMember.objects.create(invitation=made, service=service, role=Role.SUPPLIER)
    return made


def role_of(person: User, service: OnlineService) -> str:
    return ServiceMember.objects.get(user=person, service=service).role


# --- What comes with it ------------------------------------------------------------------------------


def test_accepting_gives_the_roles_that_hang_on_it(invitation: Invitation, service: OnlineService) -> None:
    portal, person = PortalFactory(name="Nordportal"), UserFactory(first_name="Anna", last_name="Antrag")
    InvitedPortalMember.objects.create(invitation=invitation, portal=portal)
    assert promises(invitation) == [
        f"Lieferant von Hundesteuer ({service.number})", "Portal-Admin von Nordportal",
    ]  # fmt: skip
    invitations.accept(invitation=invitation, person=person)
    assert role_of(person, service) == Role.SUPPLIER
    assert PortalMember.objects.filter(portal=portal, user=person).exists()
    entry = AuditEntry.objects.get(action="Mitglied hinzugefügt")
    assert (entry.target, entry.detail) == (str(service), "Anna Antrag: Lieferant")
    assert AuditEntry.objects.filter(action="Portal-Admin hinzugefügt", target="Nordportal").exists()


@pytest.mark.parametrize(
    ("has", "invited", "then"),
    [
        (Role.SUPPLIER, Role.RESPONSIBLE, Role.RESPONSIBLE),
        (Role.RESPONSIBLE, Role.SUPPLIER, Role.RESPONSIBLE),
        (Role.SUPPLIER, Role.SUPPLIER, Role.SUPPLIER),
    ],
)
def test_nobody_loses_by_accepting(service: OnlineService, has: Role, invited: Role, then: Role) -> None:
    person, invitation = UserFactory(), InvitationFactory()
    MemberFactory(user=person, service=service, role=has)
    InvitedMember.objects.create(invitation=invitation, service=service, role=invited)
    invitations.accept(invitation=invitation, person=person)
    assert role_of(person, service) == then
    changes = AuditEntry.objects.filter(target=str(service)).values_list("action", flat=True)
    assert list(changes) == (["Mitglied geändert"] if has != then else [])


# --- The page ----------------------------------------------------------------------------------------


def test_the_page_is_for_one_pair_of_eyes(client: Client, invitation: Invitation) -> None:
    answer = client.get(LINK)
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "anna@kappeln.example" in answer.content.decode()
    assert "Lieferant von Hundesteuer" in answer.content.decode()


def test_a_new_person_makes_an_account_and_is_signed_in(
    client: Client, invitation: Invitation, service: OnlineService
) -> None:
    answer = client.post(LINK, NEW_PERSON)
    assert answer.headers["Location"] == "/meine/"
    person = User.objects.get(email="anna@kappeln.example")
    assert client.session["_auth_user_id"] == str(person.pk)
    assert person.authority == invitation.authority
    assert role_of(person, service) == Role.SUPPLIER
    assert "Sie sind jetzt: Lieferant von Hundesteuer" in client.get("/meine/").content.decode()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"password2": "anders-und-lang-genug"}, "Die beiden Passwörter sind nicht gleich."),
        ({"password1": "kurz", "password2": "kurz"}, "kurz"),
        ({"last_name": ""}, "Nennen Sie Ihren Nachnamen."),
    ],
)
def test_a_faulty_form_comes_back(
    client: Client, invitation: Invitation, changed: dict[str, str], message: str
) -> None:
    answer = client.post(LINK, NEW_PERSON | changed)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert 'value="Anna"' in answer.content.decode()
    assert not User.objects.filter(email=invitation.email).exists()


def test_an_address_with_an_account_logs_in_first(client: Client, invitation: Invitation) -> None:
    owner = UserFactory(username="anna", email="Anna@kappeln.example")
    page = client.get(LINK).content.decode()
    assert "Melden Sie sich zuerst an" in page
    assert "id_password1" not in page
    answer = client.post(LINK, NEW_PERSON)
    assert answer.status_code == 409
    assert "_auth_user_id" not in client.session
    log_in = client.post("/anmelden/", {"login": "anna", "password": PASSWORD, "next": LINK})
    assert log_in.headers["Location"] == LINK
    client.post(LINK)
    invitation.refresh_from_db()
    assert invitation.accepted_by == owner


def test_somebody_signed_in_sees_both_addresses_and_accepts(
    client: Client, invitation: Invitation, service: OnlineService
) -> None:
    person = UserFactory(email="privat@example.org")
    client.force_login(person)
    page = client.get(LINK).content.decode()
    assert "Zwei verschiedene Adressen" in page
    assert "privat@example.org" in page
    assert not ServiceMember.objects.filter(user=person).exists()
    assert client.post(LINK).headers["Location"] == "/meine/"
    assert role_of(person, service) == Role.SUPPLIER
    person.refresh_from_db()
    assert person.email == "privat@example.org"


def test_the_right_address_is_not_asked_about(client: Client, invitation: Invitation) -> None:
    client.force_login(UserFactory(email="ANNA@kappeln.example"))
    assert "Zwei verschiedene Adressen" not in client.get(LINK).content.decode()


def test_a_change_of_authority_is_said_beforehand(client: Client) -> None:
    InvitationFactory(
        authority=AuthorityFactory(name="Stadt Neu"), request=AccessRequestFactory(),
        token_hash=invitations.hash_of("token"),
    )  # fmt: skip
    client.force_login(UserFactory(authority=AuthorityFactory(name="Stadt Alt")))
    assert "danach zu Stadt Neu, nicht mehr zu Stadt Alt" in client.get(LINK).content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"expires_at": timezone.now() - dt.timedelta(days=1)}, "ist abgelaufen"),
        ({"withdrawn_at": timezone.now()}, "wurde zurückgezogen"),
        ({"accepted_at": timezone.now()}, "ist schon angenommen"),
    ],
)
def test_a_link_that_is_over_says_why(
    client: Client, invitation: Invitation, values: dict[str, object], message: str, method: str
) -> None:
    Invitation.objects.update(**values)
    answer = getattr(client, method)(LINK, NEW_PERSON if method == "post" else {})
    assert answer.status_code == 410
    assert message in answer.content.decode()
    assert not User.objects.filter(email=invitation.email).exists()


def test_who_opens_the_accepted_link_again_is_told_the_way(client: Client, invitation: Invitation) -> None:
    client.post(LINK, NEW_PERSON)
    answer = client.get(LINK)
    assert answer.status_code == 200
    assert "Sie haben diese Einladung schon angenommen" in answer.content.decode()
    other = Client()
    other.force_login(UserFactory())
    assert other.post(LINK).status_code == 410


def test_an_unknown_link_tells_nothing(client: Client, invitation: Invitation) -> None:
    answer = client.get("/einladung/falsch/")
    assert answer.status_code == 404
    assert "Diesen Link kennen wir nicht" in answer.content.decode()
    assert invitation.email not in answer.content.decode()


def test_with_keycloak_there_is_no_password_of_ours(
    client: Client, invitation: Invitation, settings: LazySettings
) -> None:
    settings.OIDC_ISSUER = "https://anmeldung.example.org/realms/zsk"
    page = client.get(LINK).content.decode()
    assert "/anmelden/keycloak/?next=%2Feinladung%2Ftoken%2F" in page
    assert "id_password1" not in page
    assert client.session["invitation"] == invitation.pk
    client.post(LINK, NEW_PERSON)
    assert not User.objects.filter(email=invitation.email).exists()


@pytest.mark.django_db(transaction=True)
def test_a_link_opened_by_two_at_once_is_good_once() -> None:
    service, invitation = ServiceFactory(), InvitationFactory()
    InvitedMember.objects.create(invitation=invitation, service=service, role=Role.SUPPLIER)
    barrier, results = threading.Barrier(2), []

    def accept(person: User) -> None:
        try:
            barrier.wait()
            invitations.accept(invitation=invitation, person=person)
            results.append("angenommen")
        except invitations.InvitationUnusable as late:
            results.append(f"zu spät: {late.state}")
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=(UserFactory(),)) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["angenommen", "zu spät: angenommen"]
    assert ServiceMember.objects.count() == 1
