"""What somebody has to deliver: the ways of delivering, and all their services with their state."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from portals.models import Portal
from services.models import NUMBER, OnlineService
from services.superseded import with_superseded
from transactions.models import Delivery
from transactions.queries import standing
from transactions.queries.standing import TO_DO, Line, Standing
from transactions.views.access import person
from transactions.views.curves import curve
from transactions.views.files import csv_response, month_cell

PER_PAGE = 50
ASKED = ("q", "status", "sortierung")
FILE_COLUMNS = (
    "onlineservice", "name", "status", "letzter_monat", "letzter_wert", "letzte_lieferung", "lieferweg",
    "fehlende_monate",
)  # fmt: skip
TO_DO_SHOWN = 5
WAITING_SHOWN = 5
SUPERSEDED_SHOWN = 20
# What `?sortierung=` may say; the number breaks ties.
ORDERS: dict[str, list[Any]] = {
    "dringend": ["urgency", "name", "pk"],
    "name": ["name", "pk"],
    "lieferung": [F("state__last_delivered_at").desc(nulls_last=True), "pk"],
}


@login_required
@require_safe
def deliver(request: HttpRequest) -> HttpResponse:
    """Everyone signed in: how to deliver, and what is due for their services."""
    user = person(request)
    services = OnlineService.objects.deliverable_by(user)
    summary = standing.summary(services)
    if not summary.total:
        return render(request, "transactions/no_services.html")
    waiting = (
        Delivery.objects.filter(user=user, status=Delivery.Status.WAITING)
        .order_by("-pk")
        .select_related("service", "job")
    )
    context = {"summary": summary, "due": _due(services), "waiting": waiting[:WAITING_SHOWN]}
    return render(request, "transactions/deliver.html", context)


def _due(services: QuerySet[OnlineService]) -> list[Line]:
    """The most urgent of what there is to deliver."""
    urgent = standing.with_standing(services).filter(standing__in=TO_DO).select_related("state")
    return standing.lines(list(urgent.order_by(*ORDERS["dringend"])[:TO_DO_SHOWN]))


@login_required
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    """Everyone signed in: the services that they may deliver for."""
    user = person(request)
    services = OnlineService.objects.deliverable_by(user)
    summary = standing.summary(services)
    portals = Portal.objects.filter(members=user)
    if not summary.total:
        return render(request, "transactions/no_services.html", {"portals": portals})
    asked = _asked(request)
    page = Paginator(_chosen(user, asked), PER_PAGE).get_page(request.GET.get("seite"))
    lines = standing.lines(list(page.object_list))
    context = {
        "summary": summary,
        "portals": portals,
        "superseded": with_superseded(OnlineService.objects.editable_by(user))[:SUPERSEDED_SHOWN],
        "due": _due(services),
        "chips": [(each, summary.counts[each]) for each in Standing if summary.counts[each]],
        "asked": asked,
        "order": asked["sortierung"] if asked["sortierung"] in ORDERS else "dringend",
        "page": page,
        "rows": [(line, curve(line.totals)) for line in lines],
        "now": timezone.now(),
    }
    return render(request, "transactions/mine.html", context)


@login_required
@require_safe
def mine_file(request: HttpRequest) -> StreamingHttpResponse:
    """Everyone signed in: the same services as on the page, as a CSV for a spreadsheet."""
    lines = standing.lines(list(_chosen(person(request), _asked(request))))
    return csv_response("meine-onlineservices", FILE_COLUMNS, map(_cells, lines))


def _cells(line: Line) -> list[str]:
    return [
        line.service.number, line.service.name, str(line.standing.label), month_cell(line.last_month),
        "" if line.last_total is None else str(line.last_total),
        f"{timezone.localtime(line.delivered_at):%Y-%m-%d}" if line.delivered_at else "",
        line.channel, " ".join(month_cell(month) for month in line.missing),
    ]  # fmt: skip


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").replace("\0", "").strip() for name in ASKED}


def _chosen(user: User, asked: dict[str, str]) -> QuerySet[OnlineService]:
    services = standing.with_standing(OnlineService.objects.deliverable_by(user)).select_related("state")
    if text := asked["q"]:
        number = NUMBER.match(text)
        services = services.filter(Q(pk=int(number[1])) if number else Q(name__icontains=text))
    if asked["status"] in Standing.values:
        services = services.filter(standing=asked["status"])
    return services.order_by(*ORDERS.get(asked["sortierung"], ORDERS["dringend"]))
