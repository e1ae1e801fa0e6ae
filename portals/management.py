"""Creating and changing portals, and who looks after them.

Changes of a portal's people lock the portal, so that of several at once none leaves it without an admin.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, invitations, mail
from accounts.colleagues import known_person
from accounts.invitations import NotThere
from accounts.models import Authority, Invitation, User
from portals.models import InvitedPortalMember, Portal, PortalMember


class NameTaken(Exception):
    """Another portal has this name."""


class KuerzelTaken(Exception):
    """Another portal has this Kürzel."""


class LastAdmin(Exception):
    """Somebody must look after the portal."""


class AlreadyAdmin(Exception):
    """The person is Portal-Admin already."""


class AlreadyInvited(Exception):
    """There is an open invitation to this address for this portal."""


@transaction.atomic
def create_portal(*, name: str, kuerzel: str, authority: Authority, url: str, by: User) -> Portal:
    """Raises NameTaken and KuerzelTaken."""
    if Portal.objects.filter(kuerzel__iexact=kuerzel).exists():
        raise KuerzelTaken
    portal = Portal(name=name, kuerzel=kuerzel, authority=authority, url=url)
    _save(portal)
    audit.record(by=by, action=_("Portal angelegt"), target=portal, detail=f"{kuerzel}, {authority}")
    return portal


@transaction.atomic
def change_portal(*, portal: Portal, name: str, authority: Authority, url: str, by: User) -> Portal:
    """The Kürzel stands in addresses that others keep and stays. Raises NameTaken."""
    locked = Portal.objects.select_for_update(no_key=True).get(pk=portal.pk)
    new = {"name": name, "authority": authority, "url": url}
    changes = [
        f"{locked._meta.get_field(field).verbose_name}: {value or '–'} statt {getattr(locked, field) or '–'}"  # type: ignore[union-attr]
        for field, value in new.items()
        if getattr(locked, field) != value
    ]
    locked.name, locked.authority, locked.url = name, authority, url
    _save(locked)
    if changes:
        audit.record(by=by, action=_("Portal geändert"), target=locked, detail="; ".join(changes))
    return locked


def _save(portal: Portal) -> None:
    if Portal.objects.filter(name__iexact=portal.name).exclude(pk=portal.pk).exists():
        raise NameTaken
    try:
        with transaction.atomic():
            portal.save()
    except IntegrityError as error:  # somebody else's at the same moment
        raise NameTaken from error


@transaction.atomic
def add_or_invite(*, portal: Portal, email: str, by: User, site: str) -> None:
    """A colleague whom `by` may know of becomes admin at once, everybody else gets an invitation.

    Raises AlreadyAdmin (only for somebody who stands in the list of admins) and AlreadyInvited.
    """
    locked = _locked(portal, by)
    email = email.strip().lower()
    if PortalMember.objects.filter(portal=locked, user__email__iexact=email).exists():
        raise AlreadyAdmin
    if person := known_person(email, by=by, authority=locked.authority):
        PortalMember.objects.create(portal=locked, user=person)
        _tell("portal_admin_added", locked, person, by=by, site=site)
        audit.record(by=by, action=_("Portal-Admin hinzugefügt"), target=locked, detail=person.display_name)
        return
    if (
        open_invitations(locked)
        .filter(invitation__email=email, invitation__expires_at__gt=timezone.now())
        .exists()
    ):
        raise AlreadyInvited
    invitation = invitations.invite(email=email, by=by, site=site, roles=[promise(locked)])
    InvitedPortalMember.objects.create(invitation=invitation, portal=locked)


def promise(portal: Portal) -> str:
    """What an invitation brings, as its page says it."""
    return _("Portal-Admin von %(portal)s") % {"portal": portal}


@transaction.atomic
def remove_admin(*, portal: Portal, member: int, by: User, site: str) -> User:
    """Take somebody out, or leave oneself. Raises LastAdmin and NotThere."""
    locked = _locked(portal, by)
    found = PortalMember.objects.select_related("user").filter(portal=locked, pk=member).first()
    if found is None:
        raise NotThere
    if is_last_admin(found):
        raise LastAdmin
    found.delete()
    own = found.user_id == by.pk
    _tell("portal_admin_removed", locked, found.user, by=by, site=site)
    action = _("Als Portal-Admin ausgetreten") if own else _("Portal-Admin entfernt")
    audit.record(by=by, action=action, target=locked, detail=found.user.display_name)
    return found.user


def is_last_admin(member: PortalMember) -> bool:
    """Whether nobody else who can log in looks after the portal."""
    others = PortalMember.objects.filter(portal=member.portal_id, user__is_active=True).exclude(pk=member.pk)
    return not others.exists()


@transaction.atomic
def resend(*, portal: Portal, invited: int, by: User, site: str) -> Invitation:
    """A new link for somebody who has not accepted yet. Raises NotThere and InvitationUnusable."""
    locked = _locked(portal, by)
    row = _invited(locked, invited)
    return invitations.resend(invitation=row.invitation, by=by, site=site, roles=[promise(locked)])


@transaction.atomic
def withdraw(*, portal: Portal, invited: int, by: User, site: str) -> Invitation:
    """The role no longer comes with the invitation; one that brings nothing else is withdrawn as a whole.

    Raises NotThere and InvitationUnusable.
    """
    locked = _locked(portal, by)
    row = _invited(locked, invited)
    invitation = row.invitation
    # What hangs on it from services is not ours to know: only one made here, for this alone, goes as a whole.
    if invitation.request_id or invitation.portal_roles.count() > 1:
        row.delete()
        audit.record(by=by, action=_("Rolle aus Einladung genommen"), target=locked, detail=invitation.email)
        return invitation
    return invitations.withdraw(invitation=invitation, by=by, site=site)


def open_invitations(portal: Portal) -> QuerySet[InvitedPortalMember]:
    """Who is invited to look after the portal; those whose link has run out are among them."""
    waiting = InvitedPortalMember.objects.filter(
        portal=portal, invitation__accepted_at=None, invitation__withdrawn_at=None
    )
    return waiting.select_related("invitation__invited_by").order_by("invitation__email", "pk")


def _invited(portal: Portal, pk: int) -> InvitedPortalMember:
    found = open_invitations(portal).filter(pk=pk).first()
    if found is None:
        raise NotThere
    return found


def _locked(portal: Portal, by: User) -> Portal:
    """The portal's row; who may change it is asked again under the lock."""
    locked = Portal.objects.select_for_update(no_key=True).get(pk=portal.pk)
    if not Portal.objects.managed_by(by).filter(pk=portal.pk).exists():
        raise PermissionDenied(_("Sie sind nicht mehr Admin dieses Portals."))
    return locked


def _tell(template: str, portal: Portal, person: User, *, by: User, site: str) -> None:
    """By mail, unless they did it themselves or have no address."""
    if person != by and person.email:
        facts = {"portal": portal, "person": person, "by": by, "site": site}
        mail.send(template, to=person.email, context=facts)
