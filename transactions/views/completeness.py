"""The completeness map month × service: for one's own services, a portal's, and for operations all.

Year, search and order stand in the address; the same address with `.csv` is the file. `?fehlt=2026-05` leaves
those who were to report that month and did not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import operations_only
from portals.models import Portal
from services.models import NUMBER, OnlineService
from services.standing import MonthStanding, Standing, with_standing
from services.views.portal_access import managed_portal
from transactions.queries import completeness as reading
from transactions.queries.completeness import Row
from transactions.queries.deliveries import services_of
from transactions.views.access import person
from transactions.views.files import csv_response
from zsk import months

PER_PAGE = 50
FILE_BLOCK = 500
FILE_COLUMNS = ("onlineservice", "name", "behoerde", "monat", "status", "anzahl")
ORDERS = {"name": ["name", "pk"], "dringend": ["urgency", "name", "pk"]}
# Said by sign as well as by colour; the legend explains them.
SIGNS = {
    MonthStanding.DELIVERED: "✓", MonthStanding.ZERO: "0", MonthStanding.DUE: "○", MonthStanding.LATE: "!",
    MonthStanding.MISSING: "×", MonthStanding.NOT_EXPECTED: "–", MonthStanding.RUNNING: "…",
    MonthStanding.AHEAD: "",
}  # fmt: skip
# What one can look at or do something about.
LINKED = set(MonthStanding) - {MonthStanding.NOT_EXPECTED, MonthStanding.RUNNING, MonthStanding.AHEAD}


@dataclass(frozen=True)
class Scope:
    """Whose services the map shows."""

    address: str
    services: QuerySet[OnlineService]
    portal: Portal | None = None
    operations: bool = False

    @property
    def file(self) -> str:
        return f"{self.address.rstrip('/')}.csv"


@login_required
@require_safe
def mine(request: HttpRequest, *, as_file: bool = False) -> HttpResponseBase:
    """Everyone signed in: the services that they may deliver for."""
    services = OnlineService.objects.deliverable_by(person(request))
    return _answer(request, Scope(reverse("transactions:my_completeness"), services), as_file=as_file)


@login_required
@require_safe
def of_portal(request: HttpRequest, kuerzel: str, *, as_file: bool = False) -> HttpResponseBase:
    """Admins of the portal, and operations: what the portal holds today."""
    portal = managed_portal(request, kuerzel)
    address = reverse("transactions:portal_completeness", args=[portal.kuerzel])
    return _answer(request, Scope(address, services_of(portal), portal), as_file=as_file)


@operations_only
@require_safe
def of_all(request: HttpRequest, *, as_file: bool = False) -> HttpResponseBase:
    """Operations: every registered service."""
    scope = Scope(reverse("transactions:completeness"), OnlineService.objects.all(), operations=True)
    return _answer(request, scope, as_file=as_file)


def _answer(request: HttpRequest, scope: Scope, *, as_file: bool) -> HttpResponseBase:
    years = reading.years()
    asked = {name: request.GET.get(name, "").replace("\0", "").strip() for name in ("q", "status", "jahr")}
    missing = months.parse(request.GET.get("fehlt"))
    if missing:
        asked["jahr"] = str(missing.year)
    year = int(asked["jahr"]) if asked["jahr"] in map(str, years) else months.last_full().year
    order = request.GET.get("sortierung", "")
    chosen = _chosen(scope.services, asked).order_by(*ORDERS.get(order, ORDERS["name"]))
    if missing:
        chosen = reading.missing_in(chosen, missing)
    if as_file:
        return csv_response(f"zsk-vollstaendigkeit-{year}", FILE_COLUMNS, _cells(chosen, year))
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("seite"))
    context: dict[str, Any] = {
        "scope": scope,
        "portal": scope.portal,
        "years": years,
        "year": year,
        "months": reading.span_of(year),
        "page": page,
        "rows": [
            (row.service, [(cell, SIGNS[cell.standing]) for cell in row.cells])
            for row in reading.rows(list(page.object_list), year)
        ],
        "shares": reading.shares(chosen, year),
        "linked": LINKED,
        "legend": [(each, SIGNS[each]) for each in MonthStanding if SIGNS[each]],
        "standings": Standing,
        "asked": asked,
        "missing": missing,
        "order": order if order in ORDERS else "name",
        "filtered": bool(asked["q"] or asked["status"] in Standing.values or missing),
        "now": timezone.now(),
    }
    return render(request, "transactions/completeness.html", context)


def _chosen(services: QuerySet[OnlineService], asked: dict[str, str]) -> QuerySet[Any]:
    found = with_standing(services).select_related("authority")
    if text := asked["q"]:
        number = NUMBER.match(text)
        named = Q(name__icontains=text) | Q(authority__name__icontains=text)
        found = found.filter(Q(pk=int(number[1])) if number else named)
    return found.filter(standing=asked["status"]) if asked["status"] in Standing.values else found


def _cells(chosen: QuerySet[Any], year: int) -> Iterator[list[str | int | None]]:
    """Months that are still to come are left out."""
    block: list[OnlineService] = []
    for service in chosen.iterator(chunk_size=FILE_BLOCK):
        block.append(service)
        if len(block) == FILE_BLOCK:
            yield from _lines(reading.rows(block, year))
            block = []
    yield from _lines(reading.rows(block, year))


def _lines(rows: list[Row]) -> Iterator[list[str | int | None]]:
    for row in rows:
        service = row.service
        for cell in row.cells:
            if cell.standing is not MonthStanding.AHEAD:
                yield [
                    service.number, service.name, service.authority.name, f"{cell.month:%Y-%m}",
                    cell.standing.value, cell.total,
                ]  # fmt: skip
