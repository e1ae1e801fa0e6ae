"""Creating portals and looking after them: names, first admins, and that somebody stays."""

import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client

from accounts.models import AuditEntry, Invitation, OutgoingMail, User
from portals import management
from portals.management import AlreadyAdmin, AlreadyInvited, LastAdmin
from portals.models import InvitedPortalMember, Portal, PortalMember
from tests.factories import (
    AuthorityFactory,
    InvitationFactory,
    PortalFactory,
    PortalMemberFactory,
    UserFactory,
    germany,
)

pytestmark = pytest.mark.django_db
SITE = "https://zsk.example"


@pytest.fixture
def operations(client: Client) -> User:
    person: User = UserFactory(is_operations=True)
    client.force_login(person)
    return person


def form(**changes: str) -> dict[str, str]:
    return {
        "name": "Nordportal",
        "kuerzel": "nord",
        "authority": "Land Nord",
        "url": "",
        "email": "",
        **changes,
    }


# --- Operations --------------------------------------------------------------------------------------


def test_a_portal_is_created_with_its_first_admin(client: Client, operations: User) -> None:
    authority = AuthorityFactory(name="Land Nord", region=germany())
    answer = client.post("/betrieb/portale/neu", form(authority="land nord", email="Nora@nord.example"))
    portal = Portal.objects.get(kuerzel="nord")
    assert answer.headers["Location"] == "/betrieb/portale/nord/"
    assert portal.authority == authority
    assert Invitation.objects.get().email == "nora@nord.example"
    assert InvitedPortalMember.objects.get().portal == portal
    assert AuditEntry.objects.filter(action="Portal angelegt", target="Nordportal").exists()
    assert "Portal-Admin von Nordportal" in OutgoingMail.objects.get().body


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "südportal"}, "Ein Portal mit diesem Namen"),
        ({"kuerzel": "sued"}, "Dieses Kürzel hat schon ein anderes Portal."),
        ({"kuerzel": "Nord West"}, "Nur kleine Buchstaben"),
        ({"kuerzel": "neu"}, "Nur kleine Buchstaben"),
        ({"authority": "Land Fern"}, "Eine Behörde mit diesem Namen gibt es nicht"),
        ({"url": "kein link"}, "Das ist keine vollständige Adresse"),
        ({"email": "nora"}, "keine vollständige E-Mail-Adresse"),
    ],
)
def test_a_faulty_portal_is_not_created(
    client: Client, operations: User, changes: dict[str, str], message: str
) -> None:
    AuthorityFactory(name="Land Nord")
    PortalFactory(name="Südportal", kuerzel="sued")
    answer = client.post("/betrieb/portale/neu", form(**changes))
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert Portal.objects.count() == 1


def test_a_change_says_what_was_before(client: Client, operations: User) -> None:
    portal = PortalFactory(name="Alt", kuerzel="nord", authority__name="Land Nord")
    client.post("/betrieb/portale/nord/", form(name="Neu", kuerzel="anders"))
    portal.refresh_from_db()
    assert (portal.name, portal.kuerzel) == ("Neu", "nord")
    assert "Name: Neu statt Alt" in AuditEntry.objects.get(action="Portal geändert").detail


def test_operations_invite_admins_later(client: Client, operations: User) -> None:
    portal = PortalFactory(kuerzel="nord")
    client.post("/betrieb/portale/nord/", {"einladen": "1", "email": "nora@nord.example"})
    assert management.open_invitations(portal).count() == 1
    answer = client.post("/betrieb/portale/nord/", {"einladen": "1", "email": "nora@nord.example"})
    assert answer.status_code == 422
    assert "schon eine Einladung" in answer.content.decode()


# --- Admins ------------------------------------------------------------------------------------------


def test_admins_of_another_portal_may_not() -> None:
    portal, stranger = PortalFactory(), PortalMemberFactory().user
    member = PortalMemberFactory(portal=portal)
    with pytest.raises(PermissionDenied):
        management.add_or_invite(portal=portal, email="x@example.org", by=stranger, site=SITE)
    with pytest.raises(PermissionDenied):
        management.remove_admin(portal=portal, member=member.pk, by=stranger, site=SITE)


def test_a_colleague_joins_at_once_others_are_invited() -> None:
    portal = PortalFactory()
    admin = PortalMemberFactory(portal=portal, user__authority=portal.authority).user
    colleague, stranger = UserFactory(authority=portal.authority), UserFactory()
    for person in (colleague, stranger):
        management.add_or_invite(portal=portal, email=person.email, by=admin, site=SITE)
    assert set(portal.members.all()) == {admin, colleague}
    assert Invitation.objects.get().email == stranger.email
    with pytest.raises(AlreadyAdmin):
        management.add_or_invite(portal=portal, email=colleague.email, by=admin, site=SITE)
    with pytest.raises(AlreadyInvited):
        management.add_or_invite(portal=portal, email=stranger.email, by=admin, site=SITE)


def test_the_last_admin_stays(client: Client) -> None:
    portal = PortalFactory(kuerzel="nord")
    only = PortalMemberFactory(portal=portal)
    PortalMemberFactory(portal=portal, user__is_active=False)
    client.force_login(only.user)
    address = f"/meine/portale/nord/mitglieder/{only.pk}/entfernen"
    assert "Das geht noch nicht" in client.get(address).content.decode()
    assert client.post(address).status_code == 409
    assert PortalMember.objects.filter(pk=only.pk).exists()


def test_who_leaves_loses_the_pages(client: Client) -> None:
    portal = PortalFactory(kuerzel="nord")
    one, _other = PortalMemberFactory(portal=portal), PortalMemberFactory(portal=portal)
    client.force_login(one.user)
    answer = client.post(f"/meine/portale/nord/mitglieder/{one.pk}/entfernen")
    assert answer.headers["Location"] == "/meine/"
    assert client.get("/meine/portale/nord/").status_code == 403


def test_invitations_are_sent_again_and_withdrawn(client: Client) -> None:
    portal = PortalFactory(kuerzel="nord")
    invited = InvitedPortalMember.objects.create(invitation=InvitationFactory(), portal=portal)
    before = invited.invitation.token_hash
    client.force_login(PortalMemberFactory(portal=portal).user)
    address = f"/meine/portale/nord/mitglieder/einladungen/{invited.pk}/"
    client.post(f"{address}erneut")
    invited.invitation.refresh_from_db()
    assert invited.invitation.token_hash != before
    client.post(f"{address}zurueckziehen")
    invited.invitation.refresh_from_db()
    assert invited.invitation.withdrawn_at
    text = client.post(f"{address}zurueckziehen", follow=True).content.decode()
    assert "Diese Einladung ist nicht mehr offen." in text


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_leave_at_once_one_stays() -> None:
    portal = PortalFactory()
    both = [PortalMemberFactory(portal=portal) for _number in range(2)]
    barrier, results = threading.Barrier(2), []

    def leave(member: PortalMember) -> None:
        try:
            barrier.wait()
            management.remove_admin(portal=portal, member=member.pk, by=member.user, site=SITE)
            results.append("fort")
        except LastAdmin:
            results.append("bleibt")
        finally:
            connection.close()

    threads = [threading.Thread(target=leave, args=(member,)) for member in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["bleibt", "fort"]
