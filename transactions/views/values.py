"""From a number to the deliveries that made it, and from a delivery to the numbers that it set."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from ozgsync.models import Region
from services.models import NUMBER, OnlineService
from services.views.access import managed_service
from transactions.models import Delivery, ServiceMonth
from transactions.queries import deliveries as reading
from transactions.queries import values
from transactions.queries.deliveries import Part
from transactions.queries.values import RegionValue, SetValue, SetValues
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
DELIVERY_COLUMNS = (
    "onlineservice", "name", "ars", "region", "monat", "art", "vorher", "geliefert", "heute", "stand",
    "spaetere_lieferung",
)  # fmt: skip
ARS = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Choice:
    """What is chosen of a delivery's values; None and empty: everything."""

    service: OnlineService | None
    month: dt.date | None
    kind: str

    def __bool__(self) -> bool:
        return bool(self.service or self.month or self.kind)


@dataclass(frozen=True)
class Leaf:
    """A page of values between those that come before and after it."""

    rows: list[SetValue]
    earlier: bool
    later: bool


@login_required
@require_safe
def delivery_values(request: HttpRequest, pk: uuid.UUID, *, as_file: bool = False) -> HttpResponseBase:
    """Who sees the delivery: the values that it set for the services that are theirs, page by page.

    Also of one's own delivery only for services that are still one's own: what holds today stands there.
    """
    shown, user = visible_delivery(request, pk), person(request)
    parts = {part.service.pk: part for part in reading.parts(shown, user=user, whole=False) if part.service}
    if not parts or shown.first_month is None or shown.last_month is None:
        raise Http404(str(pk))
    services = {key: part.service for key, part in parts.items() if part.service}
    choice = _chosen(request, services)
    found = SetValues(
        shown,
        services={choice.service.pk: choice.service} if choice.service else services,
        first=choice.month or shown.first_month,
        last=choice.month or shown.last_month,
        kinds=[choice.kind] if choice.kind else values.KINDS,
    )
    if as_file:
        name = f"zsk-lieferung-{timezone.localtime(shown.received_at):%Y-%m-%d-%H%M}-werte"
        return csv_response(name, DELIVERY_COLUMNS, map(_set_cells, found))
    leaf = _leaf(request, found)
    context = {
        "delivery": shown,
        "leaf": leaf,
        "first": _address_of(leaf.rows[0]) if leaf.rows else "",
        "last": _address_of(leaf.rows[-1]) if leaf.rows else "",
        "total": _count([parts[key] for key in found.services], choice),
        "name_services": choice.service is None and len(services) > 1,
        "choice": choice,
        "kinds": KIND_WORDS.items(),
        "months": months.span(shown.first_month, shown.last_month)[-MONTHS_OFFERED:],
    }
    return render(request, "transactions/delivery_values.html", context)


def _chosen(request: HttpRequest, services: dict[int, OnlineService]) -> Choice:
    """What is not understood filters nothing."""
    number = NUMBER.match(request.GET.get("service", ""))
    kind = request.GET.get("art", "")
    return Choice(
        services.get(int(number[1])) if number else None,
        months.parse(request.GET.get("monat")),
        kind if kind in KIND_WORDS else "",
    )


def _leaf(request: HttpRequest, found: SetValues) -> Leaf:
    """`?nach=` and `?vor=` name the value that the page follows or precedes; a page that would be cut short
    by the beginning is the first, one behind the end the last."""
    after, before = (_key_at(request.GET.get(name, "")) for name in ("nach", "vor"))
    if after is None and before is not None:
        rows = found.before(before, limit=PER_PAGE + 1)
        if len(rows) > PER_PAGE:
            return Leaf(rows[1:], earlier=True, later=True)
    rows = found.after(after or values.FIRST, limit=PER_PAGE + 1)
    if after and not rows:
        rows = found.before(values.LAST, limit=PER_PAGE + 1)
        return Leaf(rows[-PER_PAGE:], earlier=len(rows) > PER_PAGE, later=False)
    return Leaf(rows[:PER_PAGE], earlier=after is not None, later=len(rows) > PER_PAGE)


def _address_of(row: SetValue) -> str:
    return f"{row.service.number}.{row.month:%Y-%m}.{row.ars}"


def _key_at(text: str) -> values.Key | None:
    number, _dot, rest = text.partition(".")
    month, _dot, ars = rest.partition(".")
    match, day = NUMBER.fullmatch(number), months.parse(month)
    return (int(match[1]), day, ars) if match and day and ARS.fullmatch(ars) else None


def _count(parts: Sequence[Part], choice: Choice) -> int | None:
    """As it was counted when the delivery was taken over; nobody counted by month."""
    if choice.month:
        return None
    whole = reading.together(parts)
    by_kind = {values.NEW: whole.new, values.CHANGED: whole.changed, values.DELETED: whole.deleted}
    return by_kind[choice.kind] if choice.kind else whole.touched


def _set_cells(row: SetValue) -> list[str | int | None]:
    return [
        row.service.number, row.service.name, row.ars, row.region, f"{row.month:%Y-%m}", row.kind, row.before,
        row.given, row.today, "gilt" if row.holds else "geaendert", str(row.later.pk) if row.later else "",
    ]  # fmt: skip


@login_required
@require_safe
def month_values(request: HttpRequest, number: str, month: str, *, as_file: bool = False) -> HttpResponseBase:
    """Whoever may deliver: the regions of one service's month with their value, its delivery and history.

    `?region=` leaves those that lie in it.
    """
    service, day = managed_service(request, number), months.parse(month)
    if day is None:
        raise Http404(month)
    named = request.GET.get("region", "")
    region = Region.objects.filter(ars=named).first() if ARS.fullmatch(named) else None
    within = region.prefix if region else ""
    keys = [ars for (ars,) in values.regions_of_month(service, day, within=within)]
    if as_file:
        name = "-".join([service.number, month, *([region.ars] if region else [])])
        return csv_response(name, FILE_COLUMNS, _cells(service, day, keys))
    stored = ServiceMonth.objects.filter(service=service, month=day).first()
    whole = (stored.total, stored.rows) if stored else (None, 0)
    total, regions = values.sum_of_month(service, day, within=within) if region else whole
    page = Paginator(keys, PER_PAGE).get_page(request.GET.get("seite"))
    context: dict[str, Any] = {
        "service": service,
        "month": day,
        "stored": stored,
        "region": region,
        "total": total,
        "regions": regions,
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
