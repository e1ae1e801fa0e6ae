"""What comes with an invitation beside access: roles in services and portals, given when it is accepted."""

from django.utils.translation import gettext as _

from accounts import audit
from accounts.invitations import grants_roles
from accounts.models import Invitation, User
from portals.models import InvitedPortalMember, PortalMember
from services.models import InvitedMember, ServiceMember


def promises(invitation: Invitation) -> list[str]:
    """The roles that hang on an invitation, in words, for its mail and its page."""
    services = invitation.service_roles.select_related("service").order_by("service__name")
    portals = invitation.portal_roles.select_related("portal").order_by("portal__name")
    return [
        *(
            _("%(role)s von %(service)s") % {"role": row.get_role_display(), "service": row.service}
            for row in services
        ),
        *(_("Portal-Admin von %(portal)s") % {"portal": row.portal} for row in portals),
    ]


@grants_roles
def grant_memberships(invitation: Invitation, person: User) -> None:
    """In the transaction that accepts the invitation. Nothing that the person has is taken away."""
    for service_role in invitation.service_roles.select_related("service").order_by("service"):
        _join_service(service_role, person)
    for portal_role in invitation.portal_roles.select_related("portal").order_by("portal"):
        _join_portal(portal_role, person)


def _join_service(invited: InvitedMember, person: User) -> None:
    member, created = ServiceMember.objects.get_or_create(
        service=invited.service, user=person, defaults={"role": invited.role}
    )
    raised = invited.role == ServiceMember.Role.RESPONSIBLE != member.role
    if raised:
        member.role = invited.role
        member.save(update_fields=["role"])
    if created or raised:
        action = _("Mitglied hinzugefügt") if created else _("Mitglied geändert")
        audit.record(by=person, action=action, target=invited.service, detail=_named(member))


def _join_portal(invited: InvitedPortalMember, person: User) -> None:
    _member, created = PortalMember.objects.get_or_create(portal=invited.portal, user=person)
    if created:
        audit.record(
            by=person, action=_("Portal-Admin hinzugefügt"), target=invited.portal, detail=person.display_name
        )


def _named(member: ServiceMember) -> str:
    return f"{member.user.display_name}: {member.get_role_display()}"
