"""Who belongs to a service: adding and inviting people, changing and taking away roles.

Each change locks the service, so that of several at once none leaves it without a responsible person.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, invitations, mail
from accounts.colleagues import known_person
from accounts.invitations import NotThere
from accounts.models import Invitation, User
from services.models import InvitedMember, OnlineService, ServiceMember

Role = ServiceMember.Role


class LastResponsible(Exception):
    """Somebody must stay responsible for the service."""


class AlreadyMember(Exception):
    """The person has this or a greater role already."""


class AlreadyInvited(Exception):
    """There is an open invitation to this address for this service."""


@dataclass(frozen=True)
class Wish:
    """What somebody fills in to have another person join."""

    email: str
    role: Role
    at_authority: bool = True


@transaction.atomic
def add_or_invite(*, service: OnlineService, wish: Wish, by: User, site: str) -> None:
    """A colleague whom `by` may know of joins at once, everybody else gets an invitation.

    Raises AlreadyMember (only for somebody who stands in the list of members) and AlreadyInvited.
    """
    locked = _locked(service, by)
    email = wish.email.strip().lower()
    if ServiceMember.objects.filter(service=locked, user__email__iexact=email).exists():
        raise AlreadyMember
    if person := known_person(email, by=by, authority=locked.authority):
        _join(locked, person, wish.role, by=by, site=site)
        return
    _invite(locked, email, wish, by=by, site=site)


def _join(service: OnlineService, person: User, role: Role, *, by: User, site: str) -> None:
    member = ServiceMember.objects.create(service=service, user=person, role=role)
    _tell("member_added", member, by=by, site=site)
    audit.record(by=by, action=_("Mitglied hinzugefügt"), target=service, detail=_named(member))


def _invite(service: OnlineService, email: str, wish: Wish, *, by: User, site: str) -> None:
    now = timezone.now()
    waiting = open_invitations(service).filter(invitation__email=email, invitation__expires_at__gt=now)
    if waiting.exists():
        raise AlreadyInvited
    authority = service.authority if wish.at_authority else None
    invitation = invitations.invite(
        email=email, by=by, site=site, authority=authority, roles=[promise(service, wish.role)]
    )
    InvitedMember.objects.create(invitation=invitation, service=service, role=wish.role)


def promise(service: OnlineService, role: Role) -> str:
    """What an invitation brings, as `services.joining.promises` says it."""
    return _("%(role)s von %(service)s") % {"role": role.label, "service": service}


@transaction.atomic
def change_role(*, service: OnlineService, member: int, role: Role, by: User, site: str) -> ServiceMember:
    """Raises LastResponsible and NotThere. The same role again changes nothing."""
    locked = _locked(service, by)
    found = _member(locked, member)
    if found.role == role:
        return found
    if role != Role.RESPONSIBLE:
        _keep_one(found)
    found.role = role
    found.save(update_fields=["role"])
    _tell("member_changed", found, by=by, site=site)
    audit.record(by=by, action=_("Mitglied geändert"), target=locked, detail=_named(found))
    return found


@transaction.atomic
def remove(*, service: OnlineService, member: int, by: User, site: str) -> ServiceMember:
    """Take somebody out, or leave oneself, which every member may. Raises LastResponsible and NotThere."""
    locked = _locked(service)
    found = _member(locked, member)
    if found.user_id != by.pk:
        _refuse_stranger(locked, by)
    if found.role == Role.RESPONSIBLE:
        _keep_one(found)
    detail = _named(found)
    _tell("member_removed", found, by=by, site=site)
    ServiceMember.objects.filter(pk=found.pk).delete()
    action = _("Mitgliedschaft beendet") if found.user_id == by.pk else _("Mitglied entfernt")
    audit.record(by=by, action=action, target=locked, detail=detail)
    return found


@transaction.atomic
def resend(*, service: OnlineService, invited: int, by: User, site: str) -> Invitation:
    """A new link for somebody who has not accepted yet. Raises NotThere and InvitationUnusable."""
    locked = _locked(service, by)
    row = _invited(locked, invited)
    roles = [promise(locked, Role(row.role))]
    return invitations.resend(invitation=row.invitation, by=by, site=site, roles=roles)


@transaction.atomic
def withdraw(*, service: OnlineService, invited: int, by: User, site: str) -> Invitation:
    """The role no longer comes with the invitation; one that brings nothing else is withdrawn as a whole.

    Raises NotThere and InvitationUnusable.
    """
    locked = _locked(service, by)
    row = _invited(locked, invited)
    invitation = row.invitation
    others = invitation.service_roles.exclude(pk=row.pk).exists() or invitation.portal_roles.exists()
    if others or invitation.request_id:
        row.delete()
        audit.record(by=by, action=_("Rolle aus Einladung genommen"), target=locked, detail=invitation.email)
        return invitation
    return invitations.withdraw(invitation=invitation, by=by, site=site)


def open_invitations(service: OnlineService) -> QuerySet[InvitedMember]:
    """Roles in the service that wait for somebody to accept; those that have run out are among them."""
    waiting = InvitedMember.objects.filter(
        service=service, invitation__accepted_at=None, invitation__withdrawn_at=None
    )
    return waiting.select_related("invitation__invited_by").order_by("invitation__email", "pk")


def is_last_responsible(member: ServiceMember) -> bool:
    """Whether nobody else who can log in is responsible for the service."""
    others = ServiceMember.objects.filter(
        service=member.service_id, role=Role.RESPONSIBLE, user__is_active=True
    ).exclude(pk=member.pk)
    return member.role == Role.RESPONSIBLE and not others.exists()


def _locked(service: OnlineService, by: User | None = None) -> OnlineService:
    """The service's row, held against other changes of its people, not against deliveries.

    Who may change it is asked again under the lock: their role may have been taken in the meantime.
    """
    locked = OnlineService.objects.select_for_update(no_key=True).get(pk=service.pk)
    if by:
        _refuse_stranger(locked, by)
    return locked


def _refuse_stranger(service: OnlineService, by: User) -> None:
    if not OnlineService.objects.editable_by(by).filter(pk=service.pk).exists():
        raise PermissionDenied(_("Sie sind für diesen Onlineservice nicht mehr verantwortlich."))


def _member(service: OnlineService, pk: int) -> ServiceMember:
    found = ServiceMember.objects.select_related("user", "service").filter(service=service, pk=pk).first()
    if found is None:
        raise NotThere
    return found


def _invited(service: OnlineService, pk: int) -> InvitedMember:
    found: InvitedMember | None = open_invitations(service).filter(pk=pk).first()
    if found is None:
        raise NotThere
    return found


def _keep_one(member: ServiceMember) -> None:
    if is_last_responsible(member):
        raise LastResponsible


def _tell(template: str, member: ServiceMember, *, by: User, site: str) -> None:
    """By mail, unless they did it themselves or have no address."""
    if member.user_id == by.pk or not member.user.email:
        return
    facts = {"member": member, "service": member.service, "person": member.user, "by": by, "site": site}
    mail.send(template, to=member.user.email, context=facts)


def _named(member: ServiceMember) -> str:
    return f"{member.user.display_name}: {member.get_role_display()}"
