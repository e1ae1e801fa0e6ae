"""Delivering a file: choose it, look at what it would do, take it over or throw it away.

Only for people who are signed in; an upload belongs to whoever made it and is not there for others.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from services.models import NUMBER, OnlineService
from transactions import report, sentences, uploads
from transactions.contents import ContentExpired
from transactions.delivery import DeliveryRejected, PeriodClosed, StoredDataChanged
from transactions.forms import ReasonForm, UploadForm
from transactions.jobs import TooMuchWaits
from transactions.models import Delivery, DeliveryJob
from transactions.queries import reviews
from transactions.reviews import Review
from transactions.views.access import own_upload, person
from transactions.views.counts import Counts
from transactions.views.findings import findings_list
from transactions.views.sheet import form_notes, places
from zsk import formats, site

CURES_SHOWN = 3


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Whoever may deliver for at least one service."""
    user = person(request)
    if not OnlineService.objects.deliverable_by(user).exists():
        return render(request, "transactions/no_services.html")
    if request.method != "POST":
        form = UploadForm(user=user, initial=_chosen_service(request))
        return render(request, "transactions/upload.html", {"form": form})
    form = UploadForm(request.POST, request.FILES, user=user)
    if not form.is_valid():
        return render(request, "transactions/upload.html", {"form": form}, status=422)
    file = form.cleaned_data["file"]
    service = form.cleaned_data["service"]
    try:
        delivery = uploads.receive(
            file.chunks, name=file.name, by=user, service=service, site=site.address(request)
        )
    except TooMuchWaits:
        form.add_error("file", _too_much_waits())
        answer = render(request, "transactions/upload.html", {"form": form}, status=429)
        answer["Retry-After"] = "60"
        return answer
    return redirect("transactions:review", delivery.pk)


def _too_much_waits() -> str:
    return _(
        "Gerade werden so viele Ihrer Dateien geprüft oder übernommen, wie gleichzeitig möglich sind. Warten"
        " Sie, bis eine davon fertig ist, oder brechen Sie eine ab; versuchen Sie es dann noch einmal."
    )


def _chosen_service(request: HttpRequest) -> dict[str, Any]:
    """`?service=OS-000123` chooses it in the form."""
    match = NUMBER.match(request.GET.get("service", ""))
    return {"service": int(match[1])} if match else {}


@login_required
@require_safe
def review(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Whoever uploaded the file."""
    return _review(request, pk, ReasonForm())


def _review(request: HttpRequest, pk: uuid.UUID, reason: ReasonForm) -> HttpResponse:
    delivery = own_upload(request, pk)
    if "HX-Request" in request.headers and not DeliveryJob.objects.filter(pk=pk).exists():
        return HttpResponse(headers={"HX-Refresh": "true"})  # the page that waits is to become another
    if delivery.status not in (Delivery.Status.WAITING, Delivery.Status.REFUSED):
        return redirect("transactions:delivery", pk)
    try:
        found = uploads.review(delivery, by=person(request), site=site.address(request))
    except uploads.UnderWay:
        return _show_progress(request, delivery)
    except TooMuchWaits:
        messages.warning(request, _too_much_waits())
        return redirect("transactions:deliver")
    except uploads.NotWaiting:  # a worker has taken it over this very moment
        return redirect("transactions:review", pk)
    except ContentExpired:
        return render(request, "transactions/expired.html", {"delivery": delivery}, status=410)
    return _show(request, delivery, found, reason)


def _show(request: HttpRequest, delivery: Delivery, found: Review, reason: ReasonForm) -> HttpResponse:
    if delivery.channel == Delivery.Channel.FORM and (found.row_count is None or found.fault_count):
        return redirect(f"{reverse('transactions:form')}?lieferung={delivery.pk}")
    if found.row_count is None:
        return _show_unreadable(request, delivery, found)
    if found.fault_count:
        return _show_faults(request, delivery, found)
    if not found.touched_parts:
        return render(request, "transactions/review_same.html", _context(request, delivery, found))
    return _show_ready(request, delivery, found, reason)


def _show_progress(request: HttpRequest, delivery: Delivery) -> HttpResponse:
    """How far the worker is; asked for again every few seconds, by htmx or by the whole page."""
    job = DeliveryJob.objects.filter(pk=delivery.pk).first()
    if job is None:  # it has ended this very moment
        return redirect("transactions:review", delivery.pk)
    name = "progress_state" if "HX-Request" in request.headers else "progress"
    return render(request, f"transactions/{name}.html", {"delivery": delivery, "job": job})


def _context(request: HttpRequest, delivery: Delivery, found: Review) -> dict[str, Any]:
    """What all states of the preview show."""
    services = reviews.named_services(found)
    several = None if len(found.services) == 1 else formats.number(len(found.services))
    return {
        "delivery": delivery,
        "services": services,
        "service": delivery.service or (None if several else services[found.services[0]]),
        "several": several if found.services else None,
        "review": found,
        "changed": [(services[value.service_id], value) for value in found.changed],
        "counts": Counts.of_review(found),
        "found": findings_list(
            found.findings, request.GET, fault_count=found.fault_count, places=places(delivery)
        ),
        **form_notes(delivery),
        "row_count": found.row_count,
    }


def _again(request: HttpRequest, delivery: Delivery) -> UploadForm:
    """The form for the mended file; for the same service as before."""
    return UploadForm(user=person(request), initial={"service": delivery.service_id})


def _show_unreadable(request: HttpRequest, delivery: Delivery, found: Review) -> HttpResponse:
    context = {"delivery": delivery, "review": found, "form": _again(request, delivery)}
    return render(request, "transactions/review_unreadable.html", context)


def _show_faults(request: HttpRequest, delivery: Delivery, found: Review) -> HttpResponse:
    faults = [finding for finding in found.findings if not finding.is_warning]
    cures = list(dict.fromkeys(str(finding.kind.cure) for finding in faults))
    context = {
        **_context(request, delivery, found),
        "faulty_rows": found.faulty_rows,
        "cures": cures[:CURES_SHOWN],
        "form": _again(request, delivery),
        "changes": found.outcome.total("changed") + found.outcome.total("deleted"),
    }
    return render(request, "transactions/review_faults.html", context)


def _show_ready(request: HttpRequest, delivery: Delivery, found: Review, reason: ReasonForm) -> HttpResponse:
    context = _context(request, delivery, found)
    services, outcome = context["services"], found.outcome
    changes = reviews.month_changes(found, services)
    newest, closed = changes[0], found.closed_now()
    context |= {
        "announcement": sentences.announcement(outcome),
        "months": changes,
        "hidden_months": found.touched_parts - len(changes),
        "period": sentences.period({part.month for part in outcome.touched}),
        "newest": newest if len(found.touched_services) == 1 and newest.after is not None else None,
        "laender": found.laender,
        "visibility": sentences.visibility(reviews.published(found), len(found.touched_services)),
        "changes": outcome.total("changed") + outcome.total("deleted"),
        "sample": [(services[row.service_id], row) for row in found.sample],
        "closed": sentences.closed_sentence(closed) if closed else "",
        "reason": reason,
    }
    return render(request, "transactions/review_ready.html", context, status=422 if reason.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Whoever uploaded the file, by POST. GET leads back to the preview: a session may have ended between."""
    delivery = own_upload(request, pk)
    if request.method != "POST":
        return redirect("transactions:review", pk)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        done = uploads.confirm(
            delivery, by=person(request), seen=request.POST.get("gesehen", ""), reason=reason,
            site=site.address(request),
        )  # fmt: skip
    except PeriodClosed:
        return _review(request, pk, form)
    except StoredDataChanged:
        text = _(
            "Noch nichts übernommen: Seit der Vorschau hat sich der gespeicherte Stand geändert."
            " Prüfen Sie die neue Vorschau und übernehmen Sie dann."
        )
        messages.warning(request, text)
        if reason:
            return _review(request, pk, ReasonForm(initial={"reason": reason}))
    except DeliveryRejected:
        text = _("Nichts übernommen: Seit der Vorschau hat sich etwas geändert, jetzt gibt es Fehler.")
        messages.error(request, text)
    except TooMuchWaits:
        messages.warning(request, _too_much_waits())
    except (uploads.NotWaiting, uploads.UnderWay, ContentExpired):
        pass  # the preview's address says what became of it
    else:
        messages.success(request, _("Übernommen: %(tally)s.") % {"tally": tally(done)})
        return redirect("transactions:delivery", done.pk)
    return redirect("transactions:review", pk)


def tally(delivery: Delivery) -> str:
    return sentences.tally(
        new=delivery.new_count, changed=delivery.changed_count,
        same=delivery.same_count, deleted=delivery.deleted_count,
    )  # fmt: skip


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Whoever uploaded the file, while it waits: GET asks, POST does it."""
    delivery = own_upload(request, pk)
    if delivery.status != Delivery.Status.WAITING or DeliveryJob.objects.filter(pk=pk).exists():
        return redirect("transactions:review", pk)
    if request.method != "POST":
        return render(request, "transactions/discard.html", {"delivery": delivery})
    try:
        uploads.discard(delivery)
    except (uploads.NotWaiting, uploads.UnderWay):
        return redirect("transactions:review", pk)
    text = _("Verworfen: %(file)s. Es wurde nichts gespeichert.")
    messages.success(request, text % {"file": delivery.title})
    return redirect("transactions:deliver")


@login_required
@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Whoever uploaded the file, while a worker is at it."""
    delivery = own_upload(request, pk)
    try:
        kind = uploads.cancel(delivery)
    except uploads.NotWaiting:
        messages.warning(request, _("Zu spät: Die Datei war in diesem Moment fertig."))
        return redirect("transactions:review", pk)
    if kind == DeliveryJob.Kind.CONFIRM:
        messages.success(request, _("Abgebrochen. Es wurde nichts gespeichert, die Datei wartet noch."))
        return redirect("transactions:review", pk)
    text = _("Abgebrochen und verworfen: %(file)s. Es wurde nichts gespeichert.")
    messages.success(request, text % {"file": delivery.file_name})
    return redirect("transactions:deliver")


@login_required
@require_safe
def review_report(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Whoever uploaded the file: it again, with what would become of each row."""
    delivery = own_upload(request, pk)
    try:
        return report.response(delivery, principal=person(request))
    except ContentExpired:
        return render(request, "transactions/expired.html", {"delivery": delivery}, status=410)
