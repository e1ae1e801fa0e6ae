"""Inviting people by a link: good once, for two weeks, and worth what hangs on it.

The link's token is known to whoever got the mail only; we keep its hash.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, mail
from accounts.local import create_local_user
from accounts.models import AccessRequest, Authority, Invitation, User

DAYS = 14
Grant = Callable[[Invitation, User], None]
_grants: list[Grant] = []


class State(models.TextChoices):
    OPEN = "offen", "offen"
    ACCEPTED = "angenommen", "angenommen"
    WITHDRAWN = "zurueckgezogen", "zurückgezogen"
    EXPIRED = "abgelaufen", "abgelaufen"


class InvitationUnusable(Exception):
    """It cannot be accepted (any more); `state` says why."""

    def __init__(self, state: State) -> None:
        super().__init__(state.label)
        self.state = state


class NotThere(Exception):
    """Somebody else was quicker: the membership or invitation is gone."""


def grants_roles(grant: Grant) -> Grant:
    """Decorator for the rooms to the right: what else comes with an invitation that is accepted."""
    if grant not in _grants:
        _grants.append(grant)
    return grant


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def by_token(token: str) -> Invitation | None:
    found = Invitation.objects.filter(token_hash=hash_of(token))
    return found.select_related("authority", "invited_by", "accepted_by", "request").first()


def state_of(invitation: Invitation, *, now: dt.datetime | None = None) -> State:
    if invitation.accepted_at:
        return State.ACCEPTED
    if invitation.withdrawn_at:
        return State.WITHDRAWN
    return State.EXPIRED if invitation.expires_at <= (now or timezone.now()) else State.OPEN


@transaction.atomic
def invite(
    *,
    email: str,
    by: User,
    site: str,
    first_name: str = "",
    last_name: str = "",
    authority: Authority | None = None,
    request: AccessRequest | None = None,
    roles: Sequence[str] = (),
) -> Invitation:
    """Make an invitation and mail its link. The caller hangs on it, in the same transaction, what it is for.

    `roles` says that in words for the mail: `Lieferant von BAföG Digital (OS-000001)`.
    """
    invitation = Invitation(
        email=email.strip().lower(), first_name=first_name, last_name=last_name, authority=authority,
        request=request, invited_by=by,
    )  # fmt: skip
    _renew(invitation, site=site, roles=roles)
    detail = ", ".join([*roles, *([str(authority)] if authority else [])])
    audit.record(by=by, action=_("Einladung verschickt"), target=invitation.email, detail=detail)
    return invitation


@transaction.atomic
def resend(*, invitation: Invitation, by: User, site: str, roles: Sequence[str] = ()) -> Invitation:
    """A new link in place of the old one, which no longer works; also for an invitation that has expired."""
    locked = _locked(invitation)
    _refuse(locked, unless=(State.OPEN, State.EXPIRED))
    _renew(locked, site=site, roles=roles)
    audit.record(by=by, action=_("Einladung erneut verschickt"), target=locked.email)
    return locked


@transaction.atomic
def withdraw(*, invitation: Invitation, by: User, site: str) -> Invitation:
    locked = _locked(invitation)
    _refuse(locked, unless=(State.OPEN, State.EXPIRED))
    locked.withdrawn_at = timezone.now()
    locked.save(update_fields=["withdrawn_at"])
    mail.send("invitation_withdrawn", to=locked.email, context={"site": site})
    audit.record(by=by, action=_("Einladung zurückgezogen"), target=locked.email)
    return locked


@transaction.atomic
def accept(*, invitation: Invitation, person: User) -> None:
    """Give the person what the invitation brings. Raises InvitationUnusable.

    Locks the invitation, so that a link opened twice at once is good once.
    """
    locked = _locked(invitation)
    _refuse(locked, unless=(State.OPEN,))
    locked.accepted_at, locked.accepted_by = timezone.now(), person
    locked.save(update_fields=["accepted_at", "accepted_by"])
    _give_authority(locked, person)
    detail = _("eingeladen von %(inviter)s, Link an %(email)s") % {
        "inviter": locked.invited_by.display_name if locked.invited_by else _("System"),
        "email": locked.email,
    }
    audit.record(by=person, action=_("Einladung angenommen"), target=person.display_name, detail=detail)
    for grant in _grants:
        grant(locked, person)


@transaction.atomic
def accept_as_new_person(*, invitation: Invitation, first_name: str, last_name: str, password: str) -> User:
    """Make a local account for whoever followed the link. Raises AddressTaken and InvitationUnusable."""
    locked = _locked(invitation)
    _refuse(locked, unless=(State.OPEN,))
    person = create_local_user(
        email=locked.email, first_name=first_name, last_name=last_name, password=password,
        authority=locked.authority,
    )  # fmt: skip
    audit.record(
        by=person, action=_("Person angelegt"), target=person.display_name, detail=_("durch eine Einladung")
    )
    accept(invitation=locked, person=person)
    return person


def expire(*, now: dt.datetime | None = None) -> int:
    """Delete what has long been accepted, withdrawn or out of date; how many."""
    before = (now or timezone.now()) - dt.timedelta(days=settings.ACCESS_REQUEST_DAYS)
    ended = (
        Q(accepted_at__lt=before) | Q(withdrawn_at__lt=before) | Q(accepted_at=None, expires_at__lt=before)
    )
    _total, counts = Invitation.objects.filter(ended).delete()
    return counts.get("accounts.Invitation", 0)


def _locked(invitation: Invitation) -> Invitation:
    """Without what it refers to: a join would show that as it was before the wait for the lock."""
    return Invitation.objects.select_for_update().get(pk=invitation.pk)


def _refuse(invitation: Invitation, *, unless: Sequence[State]) -> None:
    if (state := state_of(invitation)) not in unless:
        raise InvitationUnusable(state)


def _renew(invitation: Invitation, *, site: str, roles: Sequence[str]) -> None:
    """Save it with a new token, and mail the link: the only place where the token is ever written."""
    token = secrets.token_urlsafe(32)
    invitation.token_hash = hash_of(token)
    invitation.expires_at = timezone.now() + dt.timedelta(days=DAYS)
    invitation.save()
    context = {
        "invitation": invitation,
        "roles": roles,
        "link": site + reverse("services:invitation", args=[token]),
        "site": site,
    }
    mail.send("invitation", to=invitation.email, context=context)


def gives_authority(invitation: Invitation, person: User) -> Authority | None:
    """The authority that accepting would give the person, if it is another than theirs.

    An approved request says whose authority somebody works for; another invitation only fills a gap.
    """
    if invitation.authority == person.authority:
        return None
    return invitation.authority if person.authority is None or invitation.request_id else None


def _give_authority(invitation: Invitation, person: User) -> None:
    if authority := gives_authority(invitation, person):
        person.authority = authority
        person.save(update_fields=["authority"])
