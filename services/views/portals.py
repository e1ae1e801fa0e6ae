"""The pages of a portal for its admins: start, services, taking in and letting go.

Who may: the portal's admins and operations. The question whether a service shall belong to a portal is
answered by the people responsible for the service.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import person
from portals.models import Portal
from services import portal_queries as reading
from services import portal_services as writing
from services.models import NUMBER, Credential, OnlineService, PortalService
from services.portal_forms import LetGoForm, TakeInForm
from services.portal_queries import Question
from services.portal_services import MoveRefused, NotOpen
from services.standing import Standing
from services.views.access import managed_service
from services.views.portal_access import managed_portal
from zsk import formats, site

PER_PAGE = 50


@never_cache
@login_required
@require_safe
def start(request: HttpRequest, kuerzel: str) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    summary = reading.summary(portal)
    facts = {
        "portal": portal,
        "summary": summary,
        "chips": [(each, summary.counts[each]) for each in Standing if summary.counts[each]],
        "moves": reading.open_moves(portal),
        "declined": reading.declined_moves(portal),
        "keys": Credential.objects.usable().filter(portal=portal).count(),
        "admins": portal.memberships.count(),
    }
    return render(request, "services/portal.html", facts)


@never_cache
@login_required
@require_safe
def services(request: HttpRequest, kuerzel: str) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    asked = _asked(request)
    page = Paginator(reading.listed(portal, asked), PER_PAGE).get_page(request.GET.get("seite"))
    summary = reading.summary(portal)
    facts = {
        "portal": portal,
        "page": page,
        "rows": [(row, Standing(row.standing)) for row in page],
        "asked": asked,
        "summary": summary,
        "chips": [(each, summary.counts[each]) for each in Standing if summary.counts[each]],
    }
    return render(request, "services/portal_services.html", facts)


def _asked(request: HttpRequest) -> Question:
    text, status, order = (
        request.GET.get(name, "").replace("\0", "").strip()[:100] for name in ("q", "status", "sortierung")
    )
    return Question(text, status, order if order in reading.ORDERS else "dringend")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def take_in(request: HttpRequest, kuerzel: str) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    form = TakeInForm(request.POST if request.method == "POST" else None, viewer=person(request))
    if form.is_valid() and _asked_for(request, portal, form):
        return redirect("services:portal", portal.kuerzel)
    facts = {"portal": portal, "form": form}
    return render(request, "services/portal_take_in.html", facts, status=422 if form.errors else 200)


def _asked_for(request: HttpRequest, portal: Portal, form: TakeInForm) -> bool:
    try:
        move = writing.ask(portal=portal, wish=form.wish(), by=person(request), site=site.address(request))
    except MoveRefused as refused:
        form.add_error(refused.field, str(refused))
        return False
    words = {"service": move.service, "day": formats.day(move.since)}
    if move.agreed:
        messages.success(request, _("%(service)s gehört ab %(day)s zum Portal.") % words)
    else:
        text = _("Angefragt: Wer für %(service)s verantwortlich ist, bekommt eine E-Mail und muss zustimmen.")
        messages.success(request, text % words)
    return True


@login_required
@require_POST
def take_back(request: HttpRequest, kuerzel: str, pk: int) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    move = get_object_or_404(portal.moves.select_related("portal", "service"), pk=pk)
    try:
        writing.take_back(move=move, by=person(request))
        messages.success(request, _("Die Anfrage ist zurückgezogen."))
    except NotOpen:
        messages.info(request, _("Diese Anfrage ist schon beantwortet."))
    return redirect("services:portal", portal.kuerzel)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def let_go(request: HttpRequest, kuerzel: str, number: str) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    held = _held(portal, number)
    form = LetGoForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _let_go(request, held, form):
        return redirect("services:portal_services", portal.kuerzel)
    facts = {"portal": portal, "held": held, "service": held.service, "form": form}
    return render(request, "services/portal_let_go.html", facts, status=422 if form.errors else 200)


def _held(portal: Portal, number: str) -> PortalService:
    match = NUMBER.match(number)
    held = PortalService.objects.filter(portal=portal, until=None).select_related("service", "portal")
    return get_object_or_404(held, service=int(match[1]) if match else 0)


def _let_go(
    request: HttpRequest, held: PortalService, form: LetGoForm, end: Callable[..., None] = writing.let_go
) -> bool:
    until = form.cleaned_data["until"]
    try:
        end(held=held, until=until, by=person(request), site=site.address(request))
    except MoveRefused as refused:
        form.add_error(refused.field, str(refused))
        return False
    except NotOpen:
        messages.info(request, _("Dieser Onlineservice verlässt das Portal schon."))
        return True
    words = {"service": held.service, "day": formats.day(until)}
    messages.success(request, _("%(service)s gehört ab %(day)s nicht mehr zum Portal.") % words)
    return True


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, number: str) -> HttpResponse:
    """Who is responsible for the service itself, and operations; the portal's admins let go."""
    service = managed_service(request, number)
    if not writing.may_answer(service, person(request)):
        raise PermissionDenied(
            _("Das dürfen nur Personen, die für diesen Onlineservice verantwortlich sind.")
        )
    held = PortalService.objects.filter(service=service, until=None).select_related("service", "portal")
    link = held.first()
    if link is None:
        messages.info(request, _("Dieser Onlineservice gehört zu keinem Portal, das er verlassen könnte."))
        return redirect("services:manage", service.number)
    form = LetGoForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _let_go(request, link, form, end=writing.leave):
        return redirect("services:manage", service.number)
    facts = {"held": link, "service": service, "form": form}
    return render(request, "services/portal_leave.html", facts, status=422 if form.errors else 200)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, number: str) -> HttpResponse:
    """The service's members see what a portal asks; who is responsible for the service answers."""
    service = managed_service(request, number)
    move = writing.open_move(service)
    if move is None:
        messages.info(request, _("Zu diesem Onlineservice ist keine Anfrage offen."))
        return redirect("services:members", service.number)
    agreed = request.POST.get("antwort")
    if request.method == "POST" and agreed not in ("ja", "nein"):
        raise Http404
    refused = None
    if agreed:
        try:
            done = writing.answer(
                move=move, agreed=agreed == "ja", by=person(request), site=site.address(request)
            )
            return _answered(request, service, done.agreed)
        except MoveRefused as error:
            refused = str(error)
        except NotOpen:
            messages.info(request, _("Diese Anfrage ist schon beantwortet."))
            return redirect("services:members", service.number)
    facts = {
        "service": service, "move": move, "refused": refused,
        "may_answer": writing.may_answer(service, person(request)),
    }  # fmt: skip
    return render(request, "services/portal_question.html", facts, status=409 if refused else 200)


def _answered(request: HttpRequest, service: OnlineService, agreed: bool | None) -> HttpResponse:
    if agreed:
        messages.success(request, _("Zugestimmt. Der Onlineservice gehört zum Portal."))
    else:
        messages.success(request, _("Abgelehnt. Am Onlineservice hat sich nichts geändert."))
    return redirect("services:members", service.number)
