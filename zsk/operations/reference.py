"""Syncs of reference data: the sources, their runs, what a run changes and for whom. For operations only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from accounts.access import operations_only, person
from accounts.audit import record
from accounts.models import User
from ozgsync import sources, tasks
from ozgsync.models import SyncChange, SyncRun
from ozgsync.sync import running
from ozgsync.sync.protocol import Source
from services.models import OnlineService
from zsk.operations.changes import TITLES, sentence

RUNS_SHOWN = 25
CHANGES_SHOWN = 50
SERVICES_SHOWN = 20
Status = SyncRun.Status
BADGES = {
    Status.RUNNING: ("info", "autorenew"), Status.WAITING: ("warning", "warning"),
    Status.APPLIED: ("success", "success"), Status.SAME: ("success", "success"),
    Status.FAILED: ("danger", "danger"), Status.DISCARDED: ("info", "info"),
    Status.ROLLED_BACK: ("info", "info"),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A source as the list shows it."""

    name: str
    title: str
    host: str
    last: SyncRun | None


@operations_only
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Operations."""
    found = SyncRun.objects.order_by("-pk")
    chosen = request.GET.get("quelle", "")
    if chosen in sources.names():
        found = found.filter(source=chosen)
    page = Paginator(found, RUNS_SHOWN).get_page(request.GET.get("seite"))
    facts = {
        "sources": _sources(),
        "page": page,
        "runs": [(run, _title(run), *BADGES[Status(run.status)]) for run in page],
        "chosen": chosen,
        "waiting": SyncRun.objects.filter(status=Status.WAITING).count(),
    }
    return render(request, "operations/syncs.html", facts)


def _sources() -> list[Row]:
    newest = SyncRun.objects.filter(source=OuterRef("source")).order_by("-pk").values("pk")[:1]
    last = {run.source: run for run in SyncRun.objects.filter(pk=Subquery(newest))}
    rows = []
    for name in sources.names():
        feed = settings.SYNC_FEEDS[name]
        host = feed.address.partition("://")[2].partition("/")[0].rpartition("@")[2]
        rows.append(Row(name, sources.source(name).title, host, last.get(name)))
    return rows


def _title(run: SyncRun) -> str:
    return sources.source(run.source).title if run.source in sources.names() else run.source


@operations_only
@require_POST
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Operations."""
    if name not in sources.names():
        raise Http404
    if not settings.SYNC_FEEDS[name].address:
        messages.error(request, _("Für diese Quelle ist keine Adresse gesetzt; ein Lauf ist nicht möglich."))
        return redirect("operations:syncs")
    record(by=person(request), action="Abgleich gestartet", target=sources.source(name).title)
    try:
        tasks.sync.apply_async((name, person(request).display_name), retry=False)
    except (KombuError, RedisError, OSError):
        text = _("Die Warteschlange antwortet nicht. Versuchen Sie es in einigen Minuten noch einmal.")
        messages.error(request, text)
    else:
        messages.success(request, _("Der Abgleich ist gestartet. Sein Lauf erscheint gleich in der Liste."))
    return redirect("operations:syncs")


@operations_only
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """Operations."""
    found = get_object_or_404(SyncRun, pk=pk)
    changes = found.changes.order_by("pk")
    minor = changes.filter(minor=True).count()
    changes = changes.filter(minor="nebensache" in request.GET)
    counted = changes.order_by("table", "kind").values_list("table", "kind").annotate(Count("pk"))
    table, kind = request.GET.get("tabelle", ""), request.GET.get("art", "")
    if table in TITLES:
        changes = changes.filter(table=table)
    if kind in SyncChange.Kind.values:
        changes = changes.filter(kind=kind)
    page = Paginator(changes, CHANGES_SHOWN).get_page(request.GET.get("seite"))
    services = affected(found)
    facts = {
        "run": found,
        "title": _title(found),
        "badge": BADGES[Status(found.status)],
        "groups": [(t, k, TITLES[t], SyncChange.Kind(k).label, n) for t, k, n in counted if t in TITLES],
        "page": page,
        "lines": [sentence(change) for change in page],
        "chosen": (table, kind),
        "minor": minor,
        "services": services.select_related("leistung", "authority")[:SERVICES_SHOWN],
        "service_count": services.count(),
        "later": SyncRun.objects.filter(source=found.source, pk__gt=pk, status=Status.APPLIED).exists(),
    }
    return render(request, "operations/sync.html", facts)


def affected(found: SyncRun) -> QuerySet[OnlineService]:
    """Registered services whose Leistung this run renames, ends or replaces."""
    changed = found.changes.filter(table="ozgsync_leistung", minor=False)
    touched = changed.exclude(kind=SyncChange.Kind.NEW).values("key")
    replaced = found.changes.filter(table="ozgsync_leistungchange").annotate(replaced=KT("new__old"))
    keys = Q(leistung__in=touched) | Q(leistung__in=replaced.values("replaced"))
    return OnlineService.objects.filter(keys).order_by("name", "pk")


@operations_only
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Operations."""
    found = get_object_or_404(SyncRun, pk=pk)
    return _decide(
        request, found, "hat einen Abgleich bestätigt", _("Übernommen."),
        lambda source, by: running.confirm(found, source, by=by.display_name),
    )  # fmt: skip


@operations_only
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Operations."""
    found = get_object_or_404(SyncRun, pk=pk)
    return _decide(
        request, found, "Abgleich verworfen", _("Verworfen: Es wurde nichts geändert."),
        lambda _source, by: running.discard(found, by=by.display_name),
    )  # fmt: skip


@operations_only
@require_http_methods(["GET", "HEAD", "POST"])
def roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Operations: GET says what it means, POST does it."""
    found = get_object_or_404(SyncRun, pk=pk)
    if request.method != "POST":
        if found.status != Status.APPLIED:
            return redirect("operations:sync", pk)
        return render(request, "operations/sync_roll_back.html", {"run": found, "title": _title(found)})
    return _decide(
        request, found, "Abgleich zurückgenommen", _("Zurückgenommen: Es gilt der Stand davor."),
        lambda source, by: running.roll_back(found, source, by=by.display_name),
    )  # fmt: skip


def _decide(request: HttpRequest, found: SyncRun, action: str, done: str, decide: Any) -> HttpResponse:
    if found.source not in sources.names():
        raise Http404
    source: Source = sources.source(found.source)
    by: User = person(request)
    try:
        decide(source, by)
    except running.Busy:
        messages.error(request, _("Gerade läuft ein Abgleich. Versuchen Sie es gleich noch einmal."))
    except running.NotPossible as reason:
        messages.error(request, str(reason))
    else:
        record(by=by, action=action, target=f"{source.title} {found.version}".strip())
        messages.success(request, done)
    return redirect("operations:sync", found.pk)
