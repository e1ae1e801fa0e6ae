"""The people of a service. Its members see who belongs to it; who may edit the service changes that."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import person
from accounts.invitations import NotThere
from portals.models import PortalMember
from services import members as writing
from services.members import AlreadyInvited, AlreadyMember, LastResponsible, Role
from services.models import OnlineService, PortalService, ServiceMember
from services.people_forms import MemberForm, RoleForm
from services.views.access import editable_service, managed_service, may_edit
from services.views.people import ALREADY_INVITED, RESENT, WITHDRAWN, change_invitation, take_out
from zsk import site


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, number: str) -> HttpResponse:
    """Whoever may deliver sees the list; who may edit adds people."""
    if request.method != "POST":
        service = managed_service(request, number)
        return _list(request, service, MemberForm(service=service), 200)
    service = editable_service(request, number)
    form = MemberForm(request.POST, service=service)
    if form.is_valid() and _added(request, service, form):
        return redirect("services:members", service.number)
    return _list(request, service, form, 422)


def _added(request: HttpRequest, service: OnlineService, form: MemberForm) -> bool:
    wish = form.wish()
    try:
        writing.add_or_invite(service=service, wish=wish, by=person(request), site=site.address(request))
    except AlreadyMember:
        form.add_error("email", _("Diese Person ist schon Mitglied. Ihre Rolle ändern Sie in der Liste."))
    except AlreadyInvited:
        form.add_error("email", ALREADY_INVITED)
    else:
        # The same words whether there is an account or not.
        text = _("%(email)s bekommt eine E-Mail und damit die Rolle „%(role)s“.")
        messages.success(request, text % {"email": wish.email, "role": wish.role.label})
        return True
    return False


def _list(request: HttpRequest, service: OnlineService, form: MemberForm, status: int) -> HttpResponse:
    held = PortalService.objects.current().filter(service=service).select_related("portal").first()
    admins = PortalMember.objects.filter(portal=held.portal if held else None)
    facts = {
        "service": service,
        "form": form,
        "members": service.memberships.select_related("user__authority").order_by(
            "-role", "user__last_name", "user__first_name", "pk"
        ),
        "portal": held.portal if held else None,
        "admins": admins.select_related("user__authority").order_by("user__last_name", "user__first_name"),
        "invited": writing.open_invitations(service),
        "may_edit": may_edit(request, service),
        "now": timezone.now(),
    }
    return render(request, "services/members.html", facts, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def member(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Who may edit the service. Giving up the own role asks once more."""
    service = editable_service(request, number)
    found = get_object_or_404(service.memberships.select_related("user"), pk=pk)
    form = RoleForm(request.POST if request.method == "POST" else None, member=found)
    if request.method != "POST":
        return _role_page(request, service, found, form, 200)
    if not form.is_valid():
        return _role_page(request, service, found, form, 422)
    role = Role(form.cleaned_data["role"])
    gives_up = found.user_id == person(request).pk and found.role == Role.RESPONSIBLE != role
    if gives_up and not writing.is_last_responsible(found) and "bestaetigt" not in request.POST:
        return render(request, "services/member_give_up.html", {"service": service, "role": role})
    return _change(request, service, found, form)


def _change(
    request: HttpRequest, service: OnlineService, found: ServiceMember, form: RoleForm
) -> HttpResponse:
    role, by = Role(form.cleaned_data["role"]), person(request)
    try:
        writing.change_role(service=service, member=found.pk, role=role, by=by, site=site.address(request))
    except LastResponsible:
        form.add_error("role", _("Zuerst muss eine andere Person verantwortlich sein."))
        return _role_page(request, service, found, form, 422)
    except NotThere:
        messages.info(request, _("Diese Person ist inzwischen nicht mehr eingetragen."))
    else:
        words = {"name": found.user.display_name, "role": role.label}
        messages.success(request, _("%(name)s hat jetzt die Rolle „%(role)s“.") % words)
    return redirect("services:members", service.number)


def _role_page(
    request: HttpRequest, service: OnlineService, found: ServiceMember, form: RoleForm, status: int
) -> HttpResponse:
    facts = {
        "service": service, "member": found, "form": form, "own": found.user_id == person(request).pk,
        "last": writing.is_last_responsible(found),
    }  # fmt: skip
    return render(request, "services/member.html", facts, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Who may edit the service, and every member for themselves: GET states the consequence, POST does it."""
    service = managed_service(request, number)
    found = get_object_or_404(service.memberships.select_related("user", "service"), pk=pk)
    own = found.user_id == person(request).pk
    if not own and not may_edit(request, service):
        raise PermissionDenied(
            _("Das dürfen nur Personen, die für diesen Onlineservice verantwortlich sind.")
        )
    if request.method == "POST":
        return _remove(request, service, found)
    return _remove_page(request, service, found, 200)


def _remove(request: HttpRequest, service: OnlineService, found: ServiceMember) -> HttpResponse:
    by, address = person(request), site.address(request)
    try:
        take_out(
            request, found.user, lambda: writing.remove(service=service, member=found.pk, by=by, site=address)
        )
    except LastResponsible:
        return _remove_page(request, service, found, 409)
    still = OnlineService.objects.deliverable_by(by).filter(pk=service.pk).exists()
    return redirect("services:members", service.number) if still else redirect("/meine/")


def _remove_page(
    request: HttpRequest, service: OnlineService, found: ServiceMember, status: int
) -> HttpResponse:
    facts = {
        "service": service, "member": found, "own": found.user_id == person(request).pk,
        "last": writing.is_last_responsible(found),
    }  # fmt: skip
    return render(request, "services/member_remove.html", facts, status=status)


@login_required
@require_POST
def resend(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Who may edit the service."""
    service = editable_service(request, number)
    change_invitation(request, writing.resend, RESENT, service=service, invited=pk)
    return redirect("services:members", service.number)


@login_required
@require_POST
def withdraw(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Who may edit the service."""
    service = editable_service(request, number)
    change_invitation(request, writing.withdraw, WITHDRAWN, service=service, invited=pk)
    return redirect("services:members", service.number)
