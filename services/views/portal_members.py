"""Who looks after a portal. Who may: its admins and operations."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import person
from portals import management
from portals.management import AlreadyAdmin, AlreadyInvited, LastAdmin
from portals.models import Portal, PortalMember
from services.portal_forms import AdminForm
from services.views.people import ALREADY_INVITED, RESENT, WITHDRAWN, change_invitation, take_out
from services.views.portal_access import managed_portal
from zsk import site


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, kuerzel: str) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    form = AdminForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and added(request, portal, form):
        return redirect("services:portal_members", portal.kuerzel)
    facts = {
        "portal": portal,
        "form": form,
        "admins": portal.memberships.select_related("user__authority").order_by(
            "user__last_name", "user__first_name", "pk"
        ),
        "invited": management.open_invitations(portal),
        "now": timezone.now(),
    }
    return render(request, "services/portal_members.html", facts, status=422 if form.errors else 200)


def added(request: HttpRequest, portal: Portal, form: AdminForm) -> bool:
    """Whether somebody was added or invited; else the form says why not."""
    email = form.cleaned_data["email"]
    try:
        management.add_or_invite(portal=portal, email=email, by=person(request), site=site.address(request))
    except AlreadyAdmin:
        form.add_error("email", _("Diese Person ist schon Admin des Portals."))
    except AlreadyInvited:
        form.add_error("email", ALREADY_INVITED)
    else:
        # The same words whether there is an account or not.
        text = _("%(email)s bekommt eine E-Mail und wird damit Admin von %(portal)s.")
        messages.success(request, text % {"email": email, "portal": portal})
        return True
    return False


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, kuerzel: str, pk: int) -> HttpResponse:
    """GET states the consequence, POST does it."""
    portal = managed_portal(request, kuerzel)
    found = get_object_or_404(portal.memberships.select_related("user"), pk=pk)
    if request.method == "POST":
        return _remove(request, portal, found)
    return _remove_page(request, portal, found, 200)


def _remove(request: HttpRequest, portal: Portal, found: PortalMember) -> HttpResponse:
    by, address = person(request), site.address(request)
    try:
        take_out(
            request,
            found.user,
            lambda: management.remove_admin(portal=portal, member=found.pk, by=by, site=address),
        )
    except LastAdmin:
        return _remove_page(request, portal, found, 409)
    if Portal.objects.managed_by(by).filter(pk=portal.pk).exists():
        return redirect("services:portal_members", portal.kuerzel)
    return redirect("/meine/")


def _remove_page(request: HttpRequest, portal: Portal, found: PortalMember, status: int) -> HttpResponse:
    facts = {
        "portal": portal, "member": found, "own": found.user_id == person(request).pk,
        "last": management.is_last_admin(found),
    }  # fmt: skip
    return render(request, "services/portal_member_remove.html", facts, status=status)


@login_required
@require_POST
def resend(request: HttpRequest, kuerzel: str, pk: int) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    change_invitation(request, management.resend, RESENT, portal=portal, invited=pk)
    return redirect("services:portal_members", portal.kuerzel)


@login_required
@require_POST
def withdraw(request: HttpRequest, kuerzel: str, pk: int) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    change_invitation(request, management.withdraw, WITHDRAWN, portal=portal, invited=pk)
    return redirect("services:portal_members", portal.kuerzel)
