"""What was delivered: one delivery, its values, its report, and taking it back.

Only for people who are signed in. Who may deliver for some of a delivery's services sees only their parts;
the file itself, findings and report are for those who see the whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from transactions import report, sentences
from transactions import undo as taking_back
from transactions.contents import ContentExpired
from transactions.findings import Finding
from transactions.forms import ReasonForm
from transactions.models import Delivery, QualityCase
from transactions.queries import deliveries as reading
from transactions.undo import ReasonMissing, UndoRefused
from transactions.views.access import person, visible_delivery
from transactions.views.counts import Counts
from transactions.views.findings import FindingsList, findings_list
from transactions.views.sheet import places

PARTS_SHOWN = 50
CHANGES_SHOWN = 20


@login_required
@require_safe
def delivery(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who may deliver for one of its services, who sent it, and operations."""
    shown, user = visible_delivery(request, pk), person(request)
    whole = reading.sees_whole(shown, user)
    parts = reading.parts(shown, user=user, whole=whole)
    together = reading.together(parts)
    services = {part.service.pk: part.service for part in parts if part.service}
    # Also of one's own delivery values are shown only for services that are still one's own.
    own = {part.service.pk for part in reading.parts(shown, user=user, whole=False) if part.service}
    changed = reading.changed_values(shown, services=list(services), limit=CHANGES_SHOWN)
    context = {
        "delivery": shown,
        "whole": whole,
        "parts": parts,
        "has_values": bool(own),
        "all_own": bool(own) and own == services.keys(),
        "parts_page": Paginator(
            [(part, part.service is not None and part.service.pk in own) for part in parts], PARTS_SHOWN
        ).get_page(request.GET.get("seite")),
        "one": parts[0].service if len(parts) == 1 else None,
        "counts": Counts.of_part(together),
        "tally": sentences.tally(
            new=together.new, changed=together.changed, same=together.same, deleted=together.deleted
        ),
        "changes": together.changed + together.deleted,
        "changed": [(services[value.service_id], value) for value in changed],
        # What operations noted may be about any of the services.
        "quality": QualityCase.objects.filter(pk=shown.pk, seen_at__isnull=False).first() if whole else None,
        "found": _findings(request, shown, None if whole else services),
        "has_report": reading.sees_file(shown, user, whole=whole) and shown.chunks.exists(),
        **_undo_state(shown, user),
    }
    return render(request, "transactions/delivery.html", context)


def _findings(request: HttpRequest, shown: Delivery, services: Collection[int] | None) -> FindingsList:
    """All, or what was found about these services."""
    rows = shown.findings.all() if services is None else shown.findings.filter(service__in=services)
    kept = [Finding.from_stored(row) for row in rows]
    count = shown.fault_count if services is None else None
    return findings_list(kept, request.GET, fault_count=count, places=places(shown))


def _undo_state(shown: Delivery, user: User) -> dict[str, Any]:
    """Whether the person may take it back, and why it cannot be taken back."""
    if shown.status != Delivery.Status.ACCEPTED or shown.channel == Delivery.Channel.UNDO:
        return {"may_undo": False, "why_not": ""}
    may = taking_back.may_undo(shown, user)
    return {"may_undo": may, "why_not": taking_back.why_not(shown) if may else ""}


@login_required
@require_safe
def delivery_report(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Who sees the whole delivery and its file; for others there is no such file."""
    shown, user = visible_delivery(request, pk), person(request)
    if not reading.sees_file(shown, user, whole=reading.sees_whole(shown, user)):
        raise Http404(str(pk))
    try:
        return report.response(shown, principal=user)
    except ContentExpired:
        return render(request, "transactions/expired.html", {"delivery": shown, "done": True}, status=410)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who may deliver for every service of the delivery: GET states the consequence, POST does it."""
    shown, user = visible_delivery(request, pk), person(request)
    if not taking_back.may_undo(shown, user):
        raise PermissionDenied(str(taking_back.FOREIGN))
    why_not, closed, form = taking_back.why_not(shown), taking_back.closed_months(shown), ReasonForm()
    if request.method == "POST" and not why_not:
        form = ReasonForm(request.POST)
        try:
            done = taking_back.undo(
                shown, by=user, reason=form.cleaned_data["reason"] if form.is_valid() else ""
            )
        except UndoRefused as refused:
            why_not = str(refused)
        except ReasonMissing as missing:
            closed = missing.months
        else:
            messages.success(request, _done(shown))
            return redirect("transactions:delivery", done.pk)
    parts = reading.parts(shown, user=user, whole=True)
    context = {
        "delivery": shown,
        "why_not": why_not,
        "part": reading.together(parts),
        "one": parts[0].service if len(parts) == 1 else None,
        "services": len(parts),
        "public": sum(part.service is not None and part.service.published_at is not None for part in parts),
        "closed": sentences.closed_sentence(closed) if closed else "",
        "form": form,
    }
    status = 200 if request.method != "POST" else 409 if why_not else 422
    return render(request, "transactions/undo.html", context, status=status)


def _done(shown: Delivery) -> str:
    back = shown.changed_count + shown.deleted_count
    parts = []
    if shown.new_count:
        parts.append(_("%(values)s gelöscht") % {"values": sentences.values(shown.new_count)})
    if back:
        parts.append(_("%(values)s wiederhergestellt") % {"values": sentences.values(back)})
    return _("Rückgängig gemacht: %(parts)s.") % {"parts": ", ".join(parts)}
