"""Lists of deliveries: one's own, of one service, of one portal; as a page and as a file.

Everyone signed in sees what they may see of each. What is filtered and sorted stands in the address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from portals.models import Portal
from services.models import OnlineService, OnlineServiceQuerySet
from services.views.access import managed_service
from services.views.portal_access import managed_portal
from transactions.findings import Finding
from transactions.forms import DeliveryFilter
from transactions.models import CountCorrection, Delivery, DeliveryQuerySet
from transactions.queries import deliveries as reading
from transactions.queries.deliveries import Listed
from transactions.views.access import person
from transactions.views.files import csv_response, month_cell

PER_PAGE = 25
FILE_BLOCK = 500
FILE_COLUMNS = (
    "eingegangen", "status", "lieferweg", "geliefert_von", "onlineservice", "name", "onlineservices", "neu",
    "geaendert", "unveraendert", "geloescht", "fehler", "erster_monat", "letzter_monat", "begruendung", "id",
)  # fmt: skip
ORDERS: dict[str, list[Any]] = {
    "": ["-pk"],
    "aelteste": ["pk"],
    "umfang": ["-row_count", "-pk"],
    "fehler": [F("fault_count").desc(), "-pk"],
}


@dataclass(frozen=True)
class Scope:
    """Which deliveries a list is of; `within`: only what they did to these services is shown."""

    address: str
    found: DeliveryQuerySet
    without: tuple[str, ...] = ()
    within: OnlineServiceQuerySet | None = None
    service: OnlineService | None = None
    portal: Portal | None = None

    @property
    def file(self) -> str:
        return f"{self.address.rstrip('/')}.csv"


def _everything(request: HttpRequest) -> Scope:
    return Scope(reverse("transactions:deliveries"), Delivery.objects.visible_to(person(request)))


def _of_service(request: HttpRequest, number: str) -> Scope:
    service = managed_service(request, number)
    only = OnlineService.objects.filter(pk=service.pk)
    return Scope(
        reverse("transactions:service_deliveries", args=[service.number]),
        reading.of_services(Delivery.objects.visible_to(person(request)), only),
        ("service", "portal"), only, service,
    )  # fmt: skip


def _of_portal(request: HttpRequest, kuerzel: str) -> Scope:
    portal = managed_portal(request, kuerzel)
    return Scope(
        reverse("transactions:portal_deliveries", args=[portal.kuerzel]),
        reading.of_portal(Delivery.objects.visible_to(person(request)), portal),
        ("portal",), reading.services_of(portal), portal=portal,
    )  # fmt: skip


@login_required
@require_safe
def deliveries(request: HttpRequest, *, as_file: bool = False) -> HttpResponseBase:
    """Everyone signed in, what they may see of each; operations see all."""
    return _answer(request, _everything(request), as_file=as_file)


@login_required
@require_safe
def of_service(request: HttpRequest, number: str, *, as_file: bool = False) -> HttpResponseBase:
    """Whoever may deliver for the service."""
    return _answer(request, _of_service(request, number), as_file=as_file)


@login_required
@require_safe
def of_portal(request: HttpRequest, kuerzel: str, *, as_file: bool = False) -> HttpResponseBase:
    """Admins of the portal, and operations."""
    return _answer(request, _of_portal(request, kuerzel), as_file=as_file)


def _answer(request: HttpRequest, scope: Scope, *, as_file: bool) -> HttpResponseBase:
    user = person(request)
    form = DeliveryFilter(request.GET, portals=reading.portals_of(user), without=scope.without)
    form.is_valid()
    chosen = _filtered(scope.found, form.cleaned_data, user).select_related("credential", "service")
    if as_file:
        name = f"zsk-lieferungen-{timezone.localdate():%Y-%m-%d}"
        return csv_response(name, FILE_COLUMNS, _cells(chosen, user, scope))
    return _page(request, scope, form, chosen)


def _page(request: HttpRequest, scope: Scope, form: DeliveryFilter, chosen: DeliveryQuerySet) -> HttpResponse:
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("seite"))
    context = {
        "scope": scope,
        "service": scope.service,
        "portal": scope.portal,
        "form": form,
        "page": page,
        "lines": _lines(reading.listed(list(page.object_list), person(request), within=scope.within)),
    }
    return render(request, "transactions/deliveries.html", context)


def _lines(listed: list[Listed]) -> list[tuple[Listed, Finding | None]]:
    """Each with the first thing that was wrong with it, for those who may know."""
    refused = [
        line.delivery for line in listed if line.whole and line.delivery.status == Delivery.Status.REFUSED
    ]
    first = reading.first_findings(refused, each=1) if refused else {}
    return [(line, next(iter(first.get(line.delivery.pk, [])), None)) for line in listed]


def _filtered(chosen: DeliveryQuerySet, asked: dict[str, Any], user: User) -> DeliveryQuerySet:
    # Days are those of Germany.
    fields = {
        "status": "status", "weg": "channel", "wer": "actor__icontains", "von": "received_at__date__gte",
        "bis": "received_at__date__lte",
    }  # fmt: skip
    chosen = chosen.filter(**{field: asked[name] for name, field in fields.items() if asked.get(name)})
    if month := asked.get("monat"):
        chosen = chosen.filter(first_month__lte=month, last_month__gte=month)
    if month := asked.get("korrektur"):
        chosen = chosen.filter(pk__in=CountCorrection.objects.filter(month=month).values("delivery"))
    if portal := asked.get("portal"):
        chosen = reading.of_portal(chosen, portal)
    if text := asked.get("service"):
        chosen = reading.matching(chosen, text=text, among=user)
    return chosen.order_by(*ORDERS[asked.get("sortierung") or ""])


def _cells(chosen: DeliveryQuerySet, user: User, scope: Scope) -> Iterator[list[str | int | None]]:
    block: list[Delivery] = []
    for delivery in chosen.iterator(chunk_size=FILE_BLOCK):
        block.append(delivery)
        if len(block) == FILE_BLOCK:
            yield from map(_row, reading.listed(block, user, within=scope.within))
            block = []
    yield from map(_row, reading.listed(block, user, within=scope.within))


def _row(line: Listed) -> list[str | int | None]:
    """Like the page: what concerns the whole is empty for those who see only a part."""
    delivery, part, whole = line.delivery, line.part, line.whole
    return [
        timezone.localtime(delivery.received_at).isoformat(timespec="seconds"), delivery.status,
        delivery.channel, delivery.actor, part.service.number if part.service else "",
        part.service.name if part.service else "", line.services, part.new, part.changed, part.same,
        part.deleted, delivery.fault_count if whole else None,
        month_cell(delivery.first_month) if whole else None,
        month_cell(delivery.last_month) if whole else None, delivery.reason, str(delivery.pk),
    ]  # fmt: skip
