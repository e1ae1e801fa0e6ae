"""The audit log: who changed which right, key or publication, in sentences. For operations only."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import operations_only
from accounts.models import AuditEntry
from reports.exports import csv_lines
from zsk.operations import queries
from zsk.operations.forms import LogFilter

PER_PAGE = 50
COLUMNS = ("zeitpunkt", "wer", "was", "woran", "einzelheiten")


def sentence(entry: AuditEntry) -> str:
    """`Bernd Trieb hat Zugang bewilligt: Petra Lindner, Stadt Köln`; one without a verb stands alone."""
    action = entry.action
    if " " not in action and action.endswith("t"):  # a verb by itself: „Veröffentlicht“
        action = action.lower()
    if action.rpartition(" ")[2].islower():
        return _("%(who)s hat %(action)s") % {"who": entry.actor, "action": action}
    return f"{entry.actor}: {action}"


@operations_only
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Operations."""
    form, found = _filtered(request)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("seite"))
    facts = {
        "form": form,
        "page": page,
        "lines": [(entry, sentence(entry)) for entry in page],
        "filtered": any(form.cleaned_data.values()),
        "query": request.GET.urlencode(),
    }
    return render(request, "operations/log.html", facts)


def _filtered(request: HttpRequest) -> tuple[LogFilter, QuerySet[AuditEntry]]:
    form = LogFilter(request.GET, actions=queries.audit_actions())
    form.is_valid()
    chosen = form.cleaned_data
    found = queries.audit_entries(
        who=chosen.get("wer", ""), action=chosen.get("was", ""), what=chosen.get("woran", ""),
        since=chosen.get("von"), until=chosen.get("bis"),
    )  # fmt: skip
    return form, found


@operations_only
@require_safe
def log_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Operations: the same entries as the page with the same address shows, all of them."""
    _form, found = _filtered(request)
    lines = csv_lines(COLUMNS, _rows(found))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8; header=present")
    name = f"zsk-protokoll-{timezone.localdate():%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _rows(found: QuerySet[AuditEntry]) -> Iterator[list[Any]]:
    for entry in found.iterator(chunk_size=2000):
        yield [_machine_time(entry.at), entry.actor, entry.action, entry.target, entry.detail]


def _machine_time(at: dt.datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="seconds")
