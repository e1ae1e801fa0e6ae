"""Who somebody from Keycloak is here: bound by `sub`, never found by their e-mail address."""

import hashlib
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit, invitations
from accounts.models import Invitation, User

Claims = dict[str, Any]
RIGHTS = ("is_operations", "is_staff", "is_superuser")
# What claims say about a person: our field, their name, and how much of it fits.
NAMES = (("first_name", "given_name", 150), ("last_name", "family_name", 150), ("email", "email", 254))


class SomebodyElses(Exception):
    """The invitation was sent to another address than that of the account at Keycloak."""

    def __init__(self, *, invited: str, own: str) -> None:
        super().__init__("the invitation is for another address")
        self.invited, self.own = invited, own


def find_person(claims: Claims) -> User | None:
    return User.objects.filter(sub=claims["sub"]).first()


@transaction.atomic
def bind_subject(claims: Claims, invitation: Invitation) -> User:
    """The person of `claims`, made if unknown, with all that the invitation brings.

    Whoever has accepted it before comes in again. Locks the invitation, so that a link opened twice at once
    is good once. Raises InvitationUnusable and SomebodyElses.
    """
    locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
    person = find_person(claims)
    if person and locked.accepted_by_id == person.pk:
        return person
    if (state := invitations.state_of(locked)) != invitations.State.OPEN:
        raise invitations.InvitationUnusable(state)
    _check_address(locked, claims)
    person = person or create_person(claims, invitation=locked)
    invitations.accept(invitation=locked, person=person)
    person.refresh_from_db()
    return person


def _check_address(invitation: Invitation, claims: Claims) -> None:
    """For whoever was sent the link, not for whoever it was passed on to."""
    own = str(claims.get("email") or "")
    if own and own.casefold() != invitation.email.casefold():
        raise SomebodyElses(invited=invitation.email, own=own)


def create_person(claims: Claims, *, invitation: Invitation | None = None) -> User:
    """Somebody new, bound to their `sub`, without a password of ours. Two log-ins at once make one person."""
    names = _names(claims)
    if invitation:
        names = {"first_name": invitation.first_name, "last_name": invitation.last_name, **names}
        names.setdefault("email", invitation.email)
    digest = hashlib.sha256(claims["sub"].encode()).hexdigest()
    person, created = User.objects.get_or_create(
        sub=claims["sub"],
        defaults={"username": f"keycloak-{digest[:24]}", "password": make_password(None), **names},
    )
    if created:
        audit.record(by=None, action=_("Person angelegt"), target=person.display_name, detail="Keycloak")
    return person


@transaction.atomic
def follow_keycloak(*, person: User, claims: Claims, is_operations: bool) -> None:
    """Take over names and rights as Keycloak has them now: a role withdrawn there ends here too."""
    wanted: dict[str, Any] = {**_names(claims), **dict.fromkeys(RIGHTS, is_operations)}
    changed = [name for name, value in wanted.items() if getattr(person, name) != value]
    for name in changed:
        setattr(person, name, wanted[name])
    if changed:
        person.save(update_fields=changed)
    if not set(RIGHTS).isdisjoint(changed):
        detail = (
            _("ZSK-Betrieb: ja, laut Keycloak") if is_operations else _("ZSK-Betrieb: nein, laut Keycloak")
        )
        audit.record(by=None, action=_("Rechte geändert"), target=person.display_name, detail=detail)


def _names(claims: Claims) -> dict[str, str]:
    """What the claims say of names and address; what they do not say stays as it is."""
    found = {}
    for field, claim, length in NAMES:
        if isinstance(value := claims.get(claim), str) and value:
            found[field] = value[:length]
    return found
