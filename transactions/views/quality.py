"""Quality for operations: deliveries that stand out, and which months are closed. For operations only."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import operations_only, person
from transactions.closing import DeliveriesRunning, close_months, reopen_month
from transactions.findings import Finding
from transactions.models import ClosedMonth, QualityCase
from transactions.quality import SeenAlready, mark_seen
from transactions.quality_forms import CloseForm, QualityFilter, ReopenForm, SeenForm
from transactions.queries import deliveries as reading
from transactions.queries import quality as queries
from transactions.values import FIRST_MONTH
from zsk import formats, months

CASES_PER_PAGE = 25
MONTHS_PER_PAGE = 24


@operations_only
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """Operations."""
    form = QualityFilter(request.GET)
    chosen = form.chosen
    page = Paginator(queries.cases(**chosen), CASES_PER_PAGE).get_page(request.GET.get("seite"))
    facts = {
        "form": form,
        "page": page,
        "lines": queries.shown(list(page.object_list), kind=chosen["kind"]),
        "state": chosen["state"],
        "narrowed": bool(chosen["kind"] or chosen["text"] or chosen["portal"]),
    }
    return render(request, "operations/quality.html", facts)


@operations_only
@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Operations: what stands out, and marking it as looked at."""
    found = get_object_or_404(QualityCase.objects.select_related("delivery"), pk=pk)
    form = SeenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            mark_seen(found, by=person(request), note=form.cleaned_data["note"])
            messages.success(request, _("Als geprüft vermerkt."))
        except SeenAlready:
            messages.warning(request, _("Das hat inzwischen schon jemand geprüft."))
        return redirect("transactions:quality")
    notes = queries.findings_of(found)
    kinds: dict[str, list[Finding]] = {}
    for note in notes:
        kinds.setdefault(str(note.kind.title), []).append(note)
    facts = {
        "case": found,
        "delivery": found.delivery,
        "notes": notes,
        "kinds": kinds.items(),
        "parts": reading.parts(found.delivery, user=person(request), whole=True)[:10],
        "form": form,
    }
    return render(request, "operations/quality_case.html", facts, status=422 if form.errors else 200)


@operations_only
@require_safe
def closed_months(request: HttpRequest) -> HttpResponse:
    """Operations."""
    every = list(reversed(months.span(queries.first_month(), months.last_full())))
    page = Paginator(every, MONTHS_PER_PAGE).get_page(request.GET.get("seite"))
    facts = {
        "page": page,
        "lines": queries.months_shown(list(page.object_list)),
        "closed": ClosedMonth.objects.count(),
    }
    return render(request, "operations/months.html", facts)


@operations_only
@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, month: str) -> HttpResponse:
    """Operations."""
    chosen = _over(month)
    form = CloseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        wanted = months.span(queries.first_month(), chosen) if form.cleaned_data["earlier"] else []
        try:
            closed = close_months([*wanted, chosen], by=person(request), reason=form.cleaned_data["reason"])
        except DeliveriesRunning:
            text = _(
                "Gerade wird eine große Lieferung übernommen. Versuchen Sie es in einer Minute noch einmal."
            )
            form.add_error(None, text)
        else:
            _tell_closed(request, closed)
            return redirect("transactions:months")
    (shown,) = queries.months_shown([chosen])
    facts = {"shown": shown, "form": form}
    return render(request, "operations/month_close.html", facts, status=422 if form.errors else 200)


@operations_only
@require_http_methods(["GET", "POST"])
def reopen(request: HttpRequest, month: str) -> HttpResponse:
    """Operations."""
    chosen = _over(month)
    form = ReopenForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if reopen_month(chosen, by=person(request), reason=form.cleaned_data["reason"]):
            text = _("%(month)s ist wieder offen. Korrekturen brauchen keine Begründung mehr.")
            messages.success(request, text % {"month": formats.month(chosen)})
        else:
            messages.info(request, _("%(month)s war schon offen.") % {"month": formats.month(chosen)})
        return redirect("transactions:months")
    (shown,) = queries.months_shown([chosen])
    facts = {"shown": shown, "form": form}
    return render(request, "operations/month_reopen.html", facts, status=422 if form.errors else 200)


def _over(text: str) -> dt.date:
    """A month that is over and that counts are taken for; another is not there."""
    month = months.parse(text)
    if month is None or not FIRST_MONTH <= month < months.running():
        raise Http404(text)
    return month


def _tell_closed(request: HttpRequest, closed: list[dt.date]) -> None:
    if not closed:
        messages.info(request, _("Es hat sich nichts geändert: Der Monat war schon abgeschlossen."))
        return
    text = ngettext(
        "%(last)s ist abgeschlossen.", "%(count)s Monate bis %(last)s sind abgeschlossen.", len(closed)
    )
    messages.success(
        request, text % {"count": formats.number(len(closed)), "last": formats.month(closed[-1])}
    )
