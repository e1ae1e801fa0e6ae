"""From a number to the deliveries that made it, and from a delivery to the numbers that it set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from services.models import NUMBER, OnlineService
from services.views.access import managed_service
from transactions.models import Delivery, ServiceMonth
from transactions.queries import deliveries as reading
from transactions.queries import values
from transactions.queries.values import RegionValue, SetValues
from transactions.views.access import person, visible_delivery
from transactions.views.files import csv_response
from zsk import months

PER_PAGE = 50
FILE_BLOCK = 1_000
MONTHS_OFFERED = 120
KIND_WORDS = {values.NEW: _("neu"), values.CHANGED: _("geändert"), values.DELETED: _("gelöscht")}
FILE_COLUMNS = (
    "ars",
    "region",
    "monat",
    "stand",
    "anzahl",
    "lieferung",
    "eingegangen",
    "geliefert_von",
    "lieferweg",
)


@login_required
@require_safe
def delivery_values(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Who sees the delivery: the values that it set for the services that are theirs, page by page.

    Also of one's own delivery only for services that are still one's own: what holds today stands there.
    """
    shown, user = visible_delivery(request, pk), person(request)
    parts = reading.parts(shown, user=user, whole=False)
    services = {part.service.pk: part.service for part in parts if part.service}
    if not services or shown.first_month is None or shown.last_month is None:
        raise Http404(str(pk))
    only, month, kind = _chosen(request, services)
    found = SetValues(
        shown,
        services={only.pk: only} if only else services,
        first=month or shown.first_month,
        last=month or shown.last_month,
        kinds=[kind] if kind else values.KINDS,
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("seite"))
    context = {
        "delivery": shown,
        "page": page,
        "rows": page.object_list,
        "name_services": only is None and len(services) > 1,
        "only": only,
        "month": month,
        "kind": kind,
        "kinds": KIND_WORDS.items(),
        "months": months.span(shown.first_month, shown.last_month)[-MONTHS_OFFERED:],
        "filtered": bool(only or month or kind),
    }
    return render(request, "transactions/delivery_values.html", context)


def _chosen(
    request: HttpRequest, services: dict[int, OnlineService]
) -> tuple[OnlineService | None, dt.date | None, str]:
    """What is not understood filters nothing."""
    number = NUMBER.match(request.GET.get("service", ""))
    kind = request.GET.get("art", "")
    return (
        services.get(int(number[1])) if number else None,
        months.parse(request.GET.get("monat")),
        kind if kind in KIND_WORDS else "",
    )


@login_required
@require_safe
def month_values(request: HttpRequest, number: str, month: str, *, as_file: bool = False) -> HttpResponseBase:
    """Whoever may deliver: all regions of one service's month with their value, its delivery and history."""
    service, day = managed_service(request, number), months.parse(month)
    if day is None:
        raise Http404(month)
    keys = [ars for (ars,) in values.regions_of_month(service, day)]
    if as_file:
        return csv_response(f"{service.number}-{month}", FILE_COLUMNS, _cells(service, day, keys))
    page = Paginator(keys, PER_PAGE).get_page(request.GET.get("seite"))
    context: dict[str, Any] = {
        "service": service,
        "month": day,
        "stored": ServiceMonth.objects.filter(service=service, month=day).first(),
        "page": page,
        "rows": values.month_values(service, day, list(page.object_list)),
        "previous": months.shift(day, -1) if day.year > dt.MINYEAR + 1 else None,
        "following": months.shift(day, 1) if day < months.running() else None,
        "running": day == months.running(),
        "late": day < months.running() and months.due_on(day) < timezone.localdate(),
    }
    return render(request, "transactions/month_values.html", context)


def _cells(service: OnlineService, month: dt.date, keys: list[str]) -> Iterator[list[str | int | None]]:
    for start in range(0, len(keys), FILE_BLOCK):
        for row in values.month_values(service, month, keys[start : start + FILE_BLOCK]):
            yield from _steps(row, month)


def _steps(row: RegionValue, month: dt.date) -> Iterator[list[str | int | None]]:
    """One line for each value that ever held, the newest first."""
    for index, step in enumerate(row.steps):
        sent: Delivery | None = step.delivery
        yield [
            row.ars, row.region, f"{month:%Y-%m}", "frueher" if index else "gilt", step.value,
            str(sent.pk) if sent else "",
            timezone.localtime(sent.received_at).isoformat(timespec="seconds") if sent else "",
            sent.actor if sent else "", sent.channel if sent else "",
        ]  # fmt: skip
