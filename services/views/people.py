"""What the pages of a service's members and of a portal's admins have in common."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import person
from accounts.invitations import InvitationUnusable, NotThere
from accounts.models import Invitation, User
from zsk import site

RESENT = gettext_lazy("Ein neuer Link ging an %(email)s.")
ALREADY_INVITED = gettext_lazy(
    "An diese Adresse ging schon eine Einladung. In der Liste können Sie sie noch einmal schicken."
)
WITHDRAWN = gettext_lazy("Die Einladung an %(email)s ist zurückgezogen.")


def change_invitation(
    request: HttpRequest, change: Callable[..., Invitation], said: object, **which: object
) -> None:
    """Do it and say so; `said` names the address as `%(email)s`, `which` the invitation for `change`."""
    try:
        invitation = change(**which, by=person(request), site=site.address(request))
        messages.success(request, str(said) % {"email": invitation.email})
    except (NotThere, InvitationUnusable):
        messages.info(request, _("Diese Einladung ist nicht mehr offen."))


def take_out(request: HttpRequest, user: User, remove: Callable[[], object]) -> None:
    """Do it and say so; what must not be done is for the caller to catch."""
    try:
        remove()
    except NotThere:
        messages.info(request, _("Diese Person ist inzwischen nicht mehr eingetragen."))
    else:
        messages.success(request, _("%(name)s ist nicht mehr eingetragen.") % {"name": user.display_name})
