"""Saying 'keine Transaktionen' for one service and month. Who may: whoever delivers for the service."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from services.models import OnlineService
from services.views.access import managed_service
from transactions import nothing, sentences
from transactions.closing import closed_in
from transactions.delivery import DeliveryRejected, StoredDataChanged
from transactions.forms import ReasonForm
from transactions.nothing import NothingRefused
from transactions.views.access import person
from zsk import formats, months

REGIONS_SHOWN = 20


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def no_transactions(request: HttpRequest, number: str) -> HttpResponse:
    """Whoever may deliver: GET states the consequence, POST reports the zeros."""
    service = managed_service(request, number)
    text = request.GET.get("monat", "")
    month = months.parse(text) if text else months.last_full()
    if month is None:
        return _refused(
            request,
            service,
            None,
            _("Diesen Monat gibt es nicht. Er wird so geschrieben: 2026-05."),
            status=404,
        )
    try:
        if request.method == "POST":
            return _reported(request, service, month)
        return _asked(request, service, month, ReasonForm(), status=200)
    except NothingRefused as refused:
        status = 409 if request.method == "POST" else 200
        return _refused(request, service, month, str(refused), status=status)


def _asked(
    request: HttpRequest, service: OnlineService, month: dt.date, form: ReasonForm, *, status: int
) -> HttpResponse:
    found = nothing.plan(service, month)
    closed = closed_in([month])
    facts = {
        "service": service,
        "month": month,
        "plan": found,
        "count": len(found.regions),
        "shown": found.regions[:REGIONS_SHOWN],
        "hidden": len(found.regions) - REGIONS_SHOWN,
        "closed": sentences.closed_sentence(closed) if closed else "",
        "form": form,
    }
    return render(request, "transactions/nothing.html", facts, status=status)


def _reported(request: HttpRequest, service: OnlineService, month: dt.date) -> HttpResponse:
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    if closed_in([month]) and not reason:
        return _asked(request, service, month, form, status=422)
    try:
        done = nothing.report_nothing(service, month, by=person(request), reason=reason)
    except DeliveryRejected as rejected:
        messages.error(request, _("Nichts gespeichert. Unten steht, warum."))
        return redirect(rejected.delivery)
    except StoredDataChanged:
        # The page says what stands there now.
        return redirect(request.get_full_path())
    messages.success(
        request,
        _("Für %(month)s ist jetzt gemeldet: keine Transaktionen. Sie können das hier rückgängig machen.")
        % {"month": formats.month(month)},
    )
    return redirect(done)


def _refused(
    request: HttpRequest, service: OnlineService, month: dt.date | None, why_not: str, *, status: int
) -> HttpResponse:
    facts = {"service": service, "month": month, "why_not": why_not}
    return render(request, "transactions/nothing.html", facts, status=status)
