"""Invitations that wait: send again, withdraw. For operations only."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import invitations as inviting
from accounts import queries as reading
from accounts.access import operations_only, person
from accounts.invitations import InvitationUnusable
from accounts.models import Invitation
from services.joining import promises
from zsk import site

PER_PAGE = 25


@operations_only
@require_safe
def invitations(request: HttpRequest) -> HttpResponse:
    """Operations."""
    found = reading.open_invitations().order_by("expires_at", "pk")
    with_roles = found.prefetch_related("service_roles__service", "portal_roles__portal")
    page = Paginator(with_roles, PER_PAGE).get_page(request.GET.get("seite"))
    return render(request, "operations/invitations.html", {"page": page, "now": timezone.now()})


@operations_only
@require_POST
def resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Operations."""
    found = get_object_or_404(Invitation, pk=pk)
    try:
        inviting.resend(
            invitation=found, by=person(request), site=site.address(request), roles=promises(found)
        )
        messages.success(request, _("Ein neuer Link ging an %(email)s.") % {"email": found.email})
    except InvitationUnusable as unusable:
        _say_so(request, unusable)
    return _back(found)


@operations_only
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Operations."""
    found = get_object_or_404(Invitation, pk=pk)
    try:
        inviting.withdraw(invitation=found, by=person(request), site=site.address(request))
        text = _("Die Einladung an %(email)s ist zurückgezogen.") % {"email": found.email}
        messages.success(request, text)
    except InvitationUnusable as unusable:
        _say_so(request, unusable)
    return _back(found)


def _say_so(request: HttpRequest, unusable: InvitationUnusable) -> None:
    messages.error(request, _("Diese Einladung ist schon %(state)s.") % {"state": unusable.state.label})


def _back(found: Invitation) -> HttpResponse:
    if found.request_id:
        return redirect("operations:request", found.request_id)
    return redirect("operations:invitations")
