"""Doors from an address to a service: the same for every page of a service's people."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from accounts.access import person
from services.models import NUMBER, OnlineService, OnlineServiceQuerySet


def managed_service(request: HttpRequest, number: str) -> OnlineService:
    """A service that this person may deliver for; others who see it get a 403."""
    allowed = OnlineService.objects.deliverable_by(person(request))
    return _find(
        request, number, allowed,
        _("Diese Seite ist nur für die Personen, die bei diesem Onlineservice eingetragen sind."),
    )  # fmt: skip


def editable_service(request: HttpRequest, number: str) -> OnlineService:
    """A service that this person may change."""
    allowed = OnlineService.objects.editable_by(person(request))
    return _find(
        request, number, allowed,
        _("Das dürfen nur Personen, die für diesen Onlineservice verantwortlich sind."),
    )  # fmt: skip


def may_edit(request: HttpRequest, service: OnlineService) -> bool:
    return OnlineService.objects.editable_by(person(request)).filter(pk=service.pk).exists()


def _find(request: HttpRequest, number: str, allowed: OnlineServiceQuerySet, why_not: str) -> OnlineService:
    match = NUMBER.match(number)
    visible = OnlineService.objects.visible_to(person(request)).filter(pk=int(match[1]) if match else 0)
    found = visible.select_related("leistung__ozg_leistung__themenfeld", "authority__region", "state").first()
    if found is None:
        raise Http404(number)
    if not allowed.filter(pk=found.pk).exists():
        raise PermissionDenied(why_not)
    return found
