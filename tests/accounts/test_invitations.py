"""Invitations: what they give, once, and to whom."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts import invitations
from accounts.invitations import InvitationUnusable, State
from accounts.local import AddressTaken
from accounts.models import AuditEntry, Invitation, User
from tests.accounts.conftest import Arrivals, link_in
from tests.factories import AccessRequestFactory, AuthorityFactory, InvitationFactory, UserFactory

pytestmark = pytest.mark.django_db
SITE = "http://testserver"


def token_in(message: object) -> str:
    return link_in(message).split("/")[2]  # type: ignore[arg-type]


def test_only_the_mail_knows_the_token(arrivals: Arrivals) -> None:
    inviter = UserFactory(first_name="Olga", last_name="Owner")
    with arrivals() as inbox:
        made = invitations.invite(
            email=" Anna@Kappeln.example ", by=inviter, site=SITE, roles=["Lieferant von Hundesteuer"]
        )
    token = token_in(inbox[0])
    assert invitations.by_token(token) == made
    assert token not in made.token_hash
    assert inbox[0].to == ["anna@kappeln.example"]
    assert "Olga Owner lädt Sie" in str(inbox[0].body)
    assert "- Lieferant von Hundesteuer" in str(inbox[0].body)
    entry = AuditEntry.objects.get(action="Einladung verschickt")
    assert (entry.user, entry.target, entry.detail) == (inviter, made.email, "Lieferant von Hundesteuer")


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, State.OPEN),
        ({"expires_at": timezone.now() - dt.timedelta(seconds=1)}, State.EXPIRED),
        ({"withdrawn_at": timezone.now()}, State.WITHDRAWN),
        ({"accepted_at": timezone.now()}, State.ACCEPTED),
    ],
)
def test_only_an_open_invitation_can_be_accepted(values: dict[str, object], state: State) -> None:
    invitation, person = InvitationFactory(**values), UserFactory()
    assert invitations.state_of(invitation) is state
    if state is State.OPEN:
        invitations.accept(invitation=invitation, person=person)
        return
    with pytest.raises(InvitationUnusable) as refused:
        invitations.accept(invitation=invitation, person=person)
    assert refused.value.state is state
    with pytest.raises(InvitationUnusable):
        invitations.accept_as_new_person(
            invitation=invitation, first_name="Anna", last_name="Antrag", password="geheim-genug-4711"
        )
    assert not User.objects.filter(email=invitation.email).exists()


def test_accepting_twice_counts_once() -> None:
    invitation, first, second = InvitationFactory(), UserFactory(), UserFactory(authority=None)
    invitations.accept(invitation=invitation, person=first)
    with pytest.raises(InvitationUnusable):
        invitations.accept(invitation=invitation, person=second)
    second.refresh_from_db()
    assert second.authority is None
    assert AuditEntry.objects.filter(action="Einladung angenommen").count() == 1


def test_an_invitation_fills_a_gap_but_only_an_approval_changes_the_authority() -> None:
    old, new = AuthorityFactory(), AuthorityFactory()
    without, settled, moving = (
        UserFactory(authority=None),
        UserFactory(authority=old),
        UserFactory(authority=old),
    )
    invitations.accept(invitation=InvitationFactory(authority=new), person=without)
    invitations.accept(invitation=InvitationFactory(authority=new), person=settled)
    approved = InvitationFactory(authority=new, request=AccessRequestFactory())
    invitations.accept(invitation=approved, person=moving)
    assert [User.objects.get(pk=person.pk).authority for person in (without, settled, moving)] == [
        new,
        old,
        new,
    ]


def test_a_new_person_gets_a_local_account_with_a_confirmed_address() -> None:
    invitation = InvitationFactory(email="anna@kappeln.example")
    person = invitations.accept_as_new_person(
        invitation=invitation, first_name="Anna", last_name="Antrag", password="geheim-genug-4711"
    )
    assert person.check_password("geheim-genug-4711")
    assert (person.email, person.authority) == ("anna@kappeln.example", invitation.authority)
    assert person.emailaddress_set.get().verified  # type: ignore[attr-defined]
    invitation.refresh_from_db()
    assert invitation.accepted_by == person
    assert AuditEntry.objects.filter(action="Person angelegt", target="Anna Antrag").exists()


@pytest.mark.parametrize("address", ["anna@kappeln.example", "ANNA@kappeln.example"])
def test_no_account_is_given_away(address: str) -> None:
    owner = UserFactory(email=address)
    invitation = InvitationFactory(email="anna@kappeln.example")
    with pytest.raises(AddressTaken):
        invitations.accept_as_new_person(
            invitation=invitation, first_name="Anna", last_name="Antrag", password="geheim-genug-4711"
        )
    invitation.refresh_from_db()
    owner.refresh_from_db()
    assert invitation.accepted_at is None
    assert not owner.check_password("geheim-genug-4711")


def test_sending_again_makes_the_old_link_worthless(arrivals: Arrivals) -> None:
    operator = UserFactory()
    with arrivals() as first:
        made = invitations.invite(email="anna@kappeln.example", by=operator, site=SITE)
    Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(days=1))
    with arrivals() as second:
        invitations.resend(invitation=made, by=operator, site=SITE)
    assert invitations.by_token(token_in(first[0])) is None
    renewed = invitations.by_token(token_in(second[0]))
    assert renewed is not None
    assert invitations.state_of(renewed) is State.OPEN
    assert AuditEntry.objects.filter(action="Einladung erneut verschickt").exists()


def test_withdrawing_tells_the_person(arrivals: Arrivals) -> None:
    invitation = InvitationFactory()
    with arrivals() as inbox:
        invitations.withdraw(invitation=invitation, by=UserFactory(), site=SITE)
    invitation.refresh_from_db()
    assert invitations.state_of(invitation) is State.WITHDRAWN
    assert inbox[0].to == [invitation.email]
    for change in (invitations.withdraw, invitations.resend):
        with pytest.raises(InvitationUnusable):
            change(invitation=invitation, by=UserFactory(), site=SITE)
