"""Invitations of people who come by Keycloak."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.binding import SomebodyElses, bind_subject
from accounts.invitations import InvitationUnusable, State
from accounts.models import AuditEntry, Invitation, User
from tests.factories import AuthorityFactory, UserFactory

pytestmark = pytest.mark.django_db
CLAIMS = {"sub": "sub-1", "email": "petra@example.org", "given_name": "Petra", "family_name": "Lindner"}


def invitation(**values: object) -> Invitation:
    usual = {
        "token_hash": "h",
        "email": "Petra@example.org",
        "authority": AuthorityFactory(),
        "expires_at": timezone.now() + dt.timedelta(days=1),
    }
    return Invitation.objects.create(**{**usual, **values})


def test_a_new_person_is_made_and_bound() -> None:
    invited = invitation()
    person = bind_subject(CLAIMS, invited)
    invited.refresh_from_db()
    assert (person.sub, person.authority, invited.accepted_by) == ("sub-1", invited.authority, person)
    assert person.display_name == "Petra Lindner"
    assert not person.has_usable_password()
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "Person angelegt",
        "Einladung angenommen",
    }


def test_an_account_with_the_same_address_is_not_given_away() -> None:
    other = UserFactory(email="petra@example.org", username="petra")
    assert bind_subject(CLAIMS, invitation()) != other
    other.refresh_from_db()
    assert other.sub is None


def test_somebody_known_keeps_their_account_and_authority() -> None:
    known = UserFactory(sub="sub-1")
    home = known.authority
    assert bind_subject(CLAIMS, invitation()) == known
    known.refresh_from_db()
    assert known.authority == home


def test_the_link_lets_the_same_person_in_again_and_nobody_else() -> None:
    invited = invitation()
    person = bind_subject(CLAIMS, invited)
    assert bind_subject(CLAIMS, invited) == person
    with pytest.raises(InvitationUnusable) as refused:
        bind_subject({**CLAIMS, "sub": "sub-2"}, invited)
    assert refused.value.state == State.ACCEPTED
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"expires_at": timezone.now() - dt.timedelta(minutes=1)}, State.EXPIRED),
        ({"withdrawn_at": timezone.now()}, State.WITHDRAWN),
    ],
)
def test_what_no_longer_counts_makes_nobody(values: dict[str, object], state: State) -> None:
    with pytest.raises(InvitationUnusable) as refused:
        bind_subject(CLAIMS, invitation(**values))
    assert refused.value.state == state
    assert not User.objects.exists()


def test_a_link_that_was_passed_on_lets_nobody_in() -> None:
    with pytest.raises(SomebodyElses):
        bind_subject({**CLAIMS, "email": "fremd@example.org"}, invitation())
    assert not User.objects.exists()


def test_an_account_without_an_address_is_believed_for_the_link() -> None:
    claims = {name: value for name, value in CLAIMS.items() if name != "email"}
    assert bind_subject(claims, invitation()).email == "Petra@example.org"
