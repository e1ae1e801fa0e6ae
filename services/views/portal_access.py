"""The door from an address to a portal: its admins and operations; others get a 403, unknown ones a 404."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.access import person
from portals.models import Portal


def managed_portal(request: HttpRequest, kuerzel: str) -> Portal:
    """Everybody may know that a portal exists."""
    found = get_object_or_404(Portal.objects.select_related("authority__region"), kuerzel=kuerzel)
    if not Portal.objects.managed_by(person(request)).filter(pk=found.pk).exists():
        raise PermissionDenied(_("Diese Seite ist nur für die Admins dieses Portals."))
    return found
