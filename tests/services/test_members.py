"""The people of a service: who may change them, invitations, roles, and that somebody stays responsible."""

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Invitation, OutgoingMail, User
from services import members
from services.members import AlreadyInvited, AlreadyMember, LastResponsible, Wish
from services.models import InvitedMember, OnlineService, ServiceMember
from tests.factories import (
    InvitationFactory,
    MemberFactory,
    Personas,
    PortalFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
    personas,
)

pytestmark = pytest.mark.django_db
Role = ServiceMember.Role
SITE = "https://zsk.example"


@pytest.fixture
def service() -> OnlineService:
    made: OnlineService = ServiceFactory(name="Hundesteuer")
    return made


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


def page(service: OnlineService) -> str:
    return f"/meine/onlineservices/{service.number}/mitglieder"


def membership(person: User, service: OnlineService) -> ServiceMember:
    return ServiceMember.objects.get(user=person, service=service)


def post(person: User, address: str, **data: object) -> object:
    client = Client()
    client.force_login(person)
    return client.post(address, data)


# --- Who may not -------------------------------------------------------------------------------------


def test_suppliers_see_the_list_and_change_nothing(
    client: Client, service: OnlineService, people: Personas
) -> None:
    client.force_login(people.colleague)
    text = client.get(page(service)).content.decode()
    assert "Olga Owner" in text
    assert "Person eintragen" not in text
    answer = client.post(page(service), {"email": "neu@example.org", "role": Role.SUPPLIER})
    assert answer.status_code == 403
    assert not Invitation.objects.exists()


def test_the_writer_asks_again_who_may(service: OnlineService, people: Personas) -> None:
    """The role may have been taken between the page and the change."""
    wish = Wish("neu@example.org", Role.SUPPLIER)
    with pytest.raises(PermissionDenied):
        members.add_or_invite(service=service, wish=wish, by=people.colleague, site=SITE)
    member = membership(people.owner, service)
    with pytest.raises(PermissionDenied):
        members.remove(service=service, member=member.pk, by=people.colleague, site=SITE)


def test_members_of_another_service_are_not_there(
    client: Client, service: OnlineService, people: Personas
) -> None:
    foreign = MemberFactory()
    client.force_login(people.owner)
    assert client.get(f"{page(service)}/{foreign.pk}/").status_code == 404
    assert client.post(f"{page(service)}/{foreign.pk}/entfernen").status_code == 404
    assert ServiceMember.objects.filter(pk=foreign.pk).exists()


# --- Adding and inviting -----------------------------------------------------------------------------


def test_a_colleague_joins_at_once_and_is_told(service: OnlineService, people: Personas) -> None:
    colleague = UserFactory(authority=service.authority, email="kollegin@amt.example")
    post(people.owner, page(service), email="Kollegin@amt.example", role=Role.RESPONSIBLE)
    assert membership(colleague, service).role == Role.RESPONSIBLE
    told = OutgoingMail.objects.get()
    assert told.recipient == "kollegin@amt.example"
    assert "Sie sind jetzt Verantwortlich von Hundesteuer" in told.subject
    entry = AuditEntry.objects.get(action="Mitglied hinzugefügt")
    assert (entry.user, entry.target) == (people.owner, str(service))


@pytest.mark.parametrize("has_account", [True, False])
def test_no_account_is_given_away(
    client: Client, service: OnlineService, people: Personas, has_account: bool
) -> None:
    """Somebody of another authority gets an invitation, with an account or without: same words, same list."""
    if has_account:
        UserFactory(email="fremd@amt.example", first_name="Geheim", last_name="Geheim")
    client.force_login(people.owner)
    form = {"email": "fremd@amt.example", "role": Role.SUPPLIER}
    text = client.post(page(service), form, follow=True).content.decode()
    assert "fremd@amt.example bekommt eine E-Mail und damit die Rolle „Lieferant“" in text
    assert "Geheim" not in text
    assert InvitedMember.objects.get(service=service).role == Role.SUPPLIER
    assert Invitation.objects.get().email == "fremd@amt.example"
    assert OutgoingMail.objects.get().subject.endswith("Einladung zur ZSK")


def test_two_accounts_with_one_address_are_invited(service: OnlineService, people: Personas) -> None:
    UserFactory.create_batch(2, authority=service.authority, email="doppelt@amt.example")
    post(people.owner, page(service), email="doppelt@amt.example", role=Role.SUPPLIER)
    assert Invitation.objects.filter(email="doppelt@amt.example").exists()


def test_only_who_works_there_gets_the_authority(service: OnlineService, people: Personas) -> None:
    post(people.owner, page(service), email="a@x.example", role=Role.SUPPLIER, at_authority="on")
    post(people.owner, page(service), email="b@x.example", role=Role.SUPPLIER)
    authorities = dict(Invitation.objects.values_list("email", "authority"))
    assert authorities == {"a@x.example": service.authority_id, "b@x.example": None}


def test_doubled_wishes_are_refused(service: OnlineService, people: Personas) -> None:
    wish = Wish("neu@example.org", Role.SUPPLIER)
    members.add_or_invite(service=service, wish=wish, by=people.owner, site=SITE)
    with pytest.raises(AlreadyInvited):
        members.add_or_invite(service=service, wish=wish, by=people.owner, site=SITE)
    again = Wish(people.colleague.email.upper(), Role.RESPONSIBLE)
    with pytest.raises(AlreadyMember):
        members.add_or_invite(service=service, wish=again, by=people.owner, site=SITE)
    Invitation.objects.update(expires_at=timezone.now())
    members.add_or_invite(service=service, wish=wish, by=people.owner, site=SITE)
    assert Invitation.objects.count() == 2


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"email": "", "role": "lieferant"}, "Nennen Sie die E-Mail-Adresse"),
        ({"email": "kein-at", "role": "lieferant"}, "keine vollständige E-Mail-Adresse"),
        ({"email": "a@b.example", "role": "chef"}, "Wählen Sie eine der beiden Rollen"),
    ],
)
def test_a_faulty_form_comes_back(
    client: Client, service: OnlineService, people: Personas, form: dict[str, str], message: str
) -> None:
    client.force_login(people.owner)
    answer = client.post(page(service), form)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert f'value="{form["email"]}"' in answer.content.decode() or not form["email"]


# --- Invitations -------------------------------------------------------------------------------------


@pytest.fixture
def invited(service: OnlineService) -> InvitedMember:
    invitation = InvitationFactory(email="neu@example.org")
    return InvitedMember.objects.create(invitation=invitation, service=service, role=Role.SUPPLIER)


def test_a_new_link_replaces_the_old(
    service: OnlineService, people: Personas, invited: InvitedMember
) -> None:
    before = invited.invitation.token_hash
    post(people.owner, f"{page(service)}/einladungen/{invited.pk}/erneut")
    invited.invitation.refresh_from_db()
    assert invited.invitation.token_hash != before
    assert "Lieferant von Hundesteuer" in OutgoingMail.objects.get().body


def test_a_withdrawn_invitation_is_over(
    service: OnlineService, people: Personas, invited: InvitedMember
) -> None:
    post(people.owner, f"{page(service)}/einladungen/{invited.pk}/zurueckziehen")
    invited.invitation.refresh_from_db()
    assert invited.invitation.withdrawn_at
    assert not members.open_invitations(service).exists()


def test_an_invitation_that_brings_more_stays(
    service: OnlineService, people: Personas, invited: InvitedMember
) -> None:
    other = ServiceFactory()
    InvitedMember.objects.create(invitation=invited.invitation, service=other, role=Role.SUPPLIER)
    members.withdraw(service=service, invited=invited.pk, by=people.owner, site=SITE)
    invited.invitation.refresh_from_db()
    assert invited.invitation.withdrawn_at is None
    assert [row.service for row in InvitedMember.objects.all()] == [other]


def test_a_foreign_invitation_is_not_there(service: OnlineService, people: Personas) -> None:
    foreign = InvitedMember.objects.create(
        invitation=InvitationFactory(), service=ServiceFactory(), role=Role.SUPPLIER
    )
    post(people.owner, f"{page(service)}/einladungen/{foreign.pk}/zurueckziehen")
    foreign.invitation.refresh_from_db()
    assert foreign.invitation.withdrawn_at is None


# --- Roles -------------------------------------------------------------------------------------------


def test_a_role_is_changed_with_mail_and_entry(service: OnlineService, people: Personas) -> None:
    member = membership(people.colleague, service)
    post(people.owner, f"{page(service)}/{member.pk}/", role=Role.RESPONSIBLE)
    assert membership(people.colleague, service).role == Role.RESPONSIBLE
    assert OutgoingMail.objects.get().recipient == people.colleague.email
    assert AuditEntry.objects.get(action="Mitglied geändert").detail == "Karl Kollege: Verantwortlich"


def test_giving_up_ones_own_role_asks_once_more(
    client: Client, service: OnlineService, people: Personas
) -> None:
    MemberFactory(service=service, role=Role.RESPONSIBLE)
    client.force_login(people.owner)
    address = f"{page(service)}/{membership(people.owner, service).pk}/"
    text = client.post(address, {"role": Role.SUPPLIER}).content.decode()
    assert "Eigene Rolle abgeben?" in text
    assert membership(people.owner, service).role == Role.RESPONSIBLE
    client.post(address, {"role": Role.SUPPLIER, "bestaetigt": "1"})
    assert membership(people.owner, service).role == Role.SUPPLIER


@pytest.mark.parametrize("action", ["demote", "leave"])
def test_the_last_responsible_person_stays(
    client: Client, service: OnlineService, people: Personas, action: str
) -> None:
    """Somebody else who is locked does not count."""
    MemberFactory(service=service, role=Role.RESPONSIBLE, user__is_active=False)
    client.force_login(people.owner)
    address = f"{page(service)}/{membership(people.owner, service).pk}/"
    if action == "demote":
        answer = client.post(address, {"role": Role.SUPPLIER, "bestaetigt": "1"})
        assert answer.status_code == 422
    else:
        answer = client.post(f"{address}entfernen")
        assert answer.status_code == 409
    assert membership(people.owner, service).role == Role.RESPONSIBLE


def test_operations_cannot_take_the_last_one_either(service: OnlineService, people: Personas) -> None:
    operator = UserFactory(is_operations=True)
    member = membership(people.owner, service)
    with pytest.raises(LastResponsible):
        members.remove(service=service, member=member.pk, by=operator, site=SITE)


def test_leaving_is_for_everyone_and_loses_the_pages(
    client: Client, service: OnlineService, people: Personas
) -> None:
    client.force_login(people.colleague)
    member = membership(people.colleague, service)
    answer = client.post(f"{page(service)}/{member.pk}/entfernen")
    assert answer.headers["Location"] == "/meine/"
    assert client.get(page(service)).status_code == 403
    assert AuditEntry.objects.get(action="Mitgliedschaft beendet").user == people.colleague
    assert not OutgoingMail.objects.exists()


def test_who_is_taken_out_is_told(service: OnlineService, people: Personas) -> None:
    member = membership(people.colleague, service)
    post(people.owner, f"{page(service)}/{member.pk}/entfernen")
    assert not ServiceMember.objects.filter(user=people.colleague).exists()
    assert "nicht mehr eingetragen" in OutgoingMail.objects.get().subject


def test_admins_of_the_portal_are_listed_with_where_they_come_from(client: Client) -> None:
    portal = PortalFactory(name="Nordportal")
    service = ServiceFactory(portal=portal)
    admin = PortalMemberFactory(portal=portal, user__first_name="Nora", user__last_name="Nord").user
    client.force_login(admin)
    text = client.get(page(service)).content.decode()
    assert "Nora Nord (Sie)" in text
    assert "Portal Nordportal" in text


def test_the_list_costs_the_same_for_many(client: Client, service: OnlineService, people: Personas) -> None:
    client.force_login(people.owner)
    with CaptureQueriesContext(connection) as few:
        client.get(page(service))
    MemberFactory.create_batch(20, service=service)
    with CaptureQueriesContext(connection) as many:
        client.get(page(service))
    assert len(many) == len(few)


# --- At once -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ["leave", "demote"])
def test_of_two_who_give_up_at_once_one_stays(action: str) -> None:
    service = ServiceFactory()
    both = [MemberFactory(service=service, role=Role.RESPONSIBLE) for _number in range(2)]
    barrier, results = threading.Barrier(2), []

    def give_up(member: ServiceMember) -> None:
        try:
            barrier.wait()
            if action == "leave":
                members.remove(service=service, member=member.pk, by=member.user, site=SITE)
            else:
                members.change_role(
                    service=service, member=member.pk, role=Role.SUPPLIER, by=member.user, site=SITE
                )
            results.append("fort")
        except LastResponsible:
            results.append("bleibt")
        finally:
            connection.close()

    threads = [threading.Thread(target=give_up, args=(member,)) for member in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["bleibt", "fort"]
    assert ServiceMember.objects.filter(service=service, role=Role.RESPONSIBLE).count() == 1
