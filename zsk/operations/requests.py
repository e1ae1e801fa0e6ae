"""Requests for access: the queue, one request, and the three answers to it. For operations only."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import queries as reading
from accounts import requests
from accounts.access import operations_only, person
from accounts.authorities import NameTaken
from accounts.invitations import state_of
from accounts.models import AccessRequest, User
from zsk import formats, site
from zsk.operations.forms import ApproveForm, AskForm, DeclineForm

PER_PAGE = 25
Status = AccessRequest.Status
# As operations say it; the model's own words speak to the applicant.
LABELS = {
    Status.OPEN: gettext_lazy("zu prüfen"),
    Status.ASKED: gettext_lazy("wartet auf Antwort"),
    Status.UNCONFIRMED: gettext_lazy("nicht bestätigt"),
    Status.APPROVED: gettext_lazy("bewilligt"),
    Status.DECLINED: gettext_lazy("abgelehnt"),
}


@operations_only
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Operations."""
    status = request.GET.get("status", Status.OPEN)
    status = status if status in Status.values else Status.OPEN
    counts = reading.requests_by_status()
    found = reading.requests_for_operations(status=status)
    facts = {
        "page": Paginator(found, PER_PAGE).get_page(request.GET.get("seite")),
        "status": status,
        "chips": [(value, label, counts[value]) for value, label in LABELS.items()],
    }
    return render(request, "operations/requests.html", facts)


@operations_only
@require_safe
def detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Operations."""
    found = _request(pk)
    invitation = getattr(found, "invitation", None)
    facts = {
        **_facts(found),
        "invitation": invitation,
        "state": state_of(invitation) if invitation else "",
        "similar": _similar(found),
        "accounts": User.objects.filter(email__iexact=found.email).select_related("authority"),
        "others": AccessRequest.objects.filter(email=found.email).exclude(pk=found.pk),
    }
    return render(request, "operations/request.html", facts)


def _request(pk: uuid.UUID) -> AccessRequest:
    rows = AccessRequest.objects.select_related(
        "authority", "new_authority_region", "decided_by", "invitation"
    )
    return get_object_or_404(rows, pk=pk)


def _facts(found: AccessRequest) -> dict[str, Any]:
    return {
        "access_request": found,
        "label": LABELS[Status(found.status)],
        "talk": found.messages.all(),
        "undecided": found.status in {Status.OPEN, Status.ASKED},
    }


def _similar(found: AccessRequest) -> list[Any]:
    return [] if found.authority else reading.similar_authorities(found.new_authority)


@operations_only
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Operations."""
    found = _request(pk)
    form = AskForm(_sent(request), initial={"seen": requests.standing(found)})
    if request.method == "POST" and form.is_valid():
        try:
            requests.ask(
                request=found, text=form.cleaned_data["text"], seen=form.cleaned_data["seen"],
                by=person(request), site=site.address(request),
            )  # fmt: skip
        except requests.NotWaiting as changed:
            return _too_late(request, changed, form, "request_ask")
        return _done(request, found, _("Ihre Frage ist unterwegs an %(email)s.") % {"email": found.email})
    return _answer_page(request, found, form, "request_ask")


@operations_only
@require_http_methods(["GET", "POST"])
def decline(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Operations."""
    found = _request(pk)
    form = DeclineForm(_sent(request), initial={"seen": requests.standing(found)})
    if request.method == "POST" and form.is_valid():
        try:
            requests.decline(
                request=found, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"],
                by=person(request), site=site.address(request),
            )  # fmt: skip
        except requests.NotWaiting as changed:
            return _too_late(request, changed, form, "request_decline")
        text = _("Der Antrag ist abgelehnt. Die Begründung ging an %(email)s.") % {"email": found.email}
        return _done(request, found, text)
    return _answer_page(request, found, form, "request_decline")


@operations_only
@require_http_methods(["GET", "POST"])
def approve(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Operations."""
    found = _request(pk)
    form = ApproveForm(_sent(request), initial={**_asked_for(found), "seen": requests.standing(found)})
    if request.method == "POST" and form.is_valid():
        try:
            invitation = requests.approve(
                request=found, choice=form.cleaned_data["choice"], seen=form.cleaned_data["seen"],
                by=person(request), site=site.address(request),
            )  # fmt: skip
        except NameTaken:
            form.add_error(
                "authority", _("Diese Behörde hat gerade jemand eingetragen. Senden Sie noch einmal ab.")
            )
            return _answer_page(request, found, form, "request_approve")
        except requests.NotWaiting as changed:
            return _too_late(request, changed, form, "request_approve")
        text = _("Bewilligt. Die Einladung ging an %(email)s und gilt bis zum %(until)s.") % {
            "email": invitation.email, "until": formats.day(invitation.expires_at),
        }  # fmt: skip
        return _done(request, found, text)
    return _answer_page(request, found, form, "request_approve")


def _sent(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _asked_for(found: AccessRequest) -> dict[str, str]:
    return {
        "authority": found.authority.name if found.authority else found.new_authority,
        "level": found.new_authority_level,
        "region": found.new_authority_region_id or "",
    }


def _done(request: HttpRequest, found: AccessRequest, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("operations:request", found.pk)


def _answer_page(
    request: HttpRequest, found: AccessRequest, form: forms.Form, name: str, status: int = 0
) -> HttpResponse:
    """The page of one answer; where the request is decided already, the way back to it."""
    facts = _facts(found)
    if not facts["undecided"] and not form.is_bound:
        messages.warning(request, _already(found))
        return redirect("operations:request", found.pk)
    status = status or (422 if form.errors else 200)
    return render(request, f"operations/{name}.html", {**facts, "form": form}, status=status)


def _too_late(
    request: HttpRequest, changed: requests.NotWaiting, form: forms.Form, name: str
) -> HttpResponse:
    """Somebody was quicker. What was typed stays; where it can still be sent, it is about the new state."""
    found = _request(changed.request.pk)
    if isinstance(changed, requests.RequestChanged):
        form.add_error(
            None, _("Inzwischen kam eine Nachricht dazu. Lesen Sie sie, und senden Sie dann noch einmal ab.")
        )
        form.data = {**dict(form.data.items()), "seen": requests.standing(found)}
    else:
        form.add_error(None, _already(found) + " " + _("Ihre Eingabe wurde nicht gespeichert."))
    return _answer_page(request, found, form, name, 409)


def _already(found: AccessRequest) -> str:
    """Who decided what and when: `Bernd Trieb hat den Antrag am 3. Juni 2026, 9:12 Uhr bewilligt.`"""
    if not found.decided_at:
        return _(
            "Über diesen Antrag kann noch nicht entschieden werden: Die E-Mail-Adresse ist nicht bestätigt."
        )
    words = {
        "who": found.decided_by.display_name if found.decided_by else _("Jemand"),
        "when": formats.stand(found.decided_at),
        "what": LABELS[Status(found.status)],
    }
    return _("%(who)s hat den Antrag schon %(what)s: %(when)s.") % words
