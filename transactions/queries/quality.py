"""What operations look at for quality: deliveries that stand out, and months with what happened to them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from portals.models import Portal
from services.models import NUMBER, OnlineService, PortalService
from transactions.findings import Finding
from transactions.models import (
    ClosedMonth,
    CountCorrection,
    Delivery,
    DeliveryFinding,
    QualityCase,
    ServiceMonth,
)
from transactions.notes import KINDS
from zsk import months

OPEN, SEEN, ALL = "offen", "geprueft", "alle"
_OPEN = Q(seen_at=None, delivery__status=Delivery.Status.ACCEPTED)
STATES = {OPEN: _OPEN, SEEN: Q(seen_at__isnull=False), ALL: Q()}
NOTES_EACH = 3


def open_cases() -> int:
    return QualityCase.objects.filter(_OPEN).count()


def cases(
    *, kind: str = "", text: str = "", portal: Portal | None = None, state: str = OPEN
) -> QuerySet[QualityCase]:
    """The newest first; of several services of a delivery one must be meant by `text` or held by `portal`."""
    found = QualityCase.objects.filter(STATES[state])
    if kind:
        found = found.filter(kinds__contains=[kind])
    services = OnlineService.objects.all()
    if portal:
        services = services.filter(
            pk__in=PortalService.objects.current().filter(portal=portal).values("service")
        )
    if match := NUMBER.match(text.strip()):
        services = services.filter(pk=int(match[1]))
    elif text.strip():
        services = services.filter(name__icontains=text.strip())
    if portal or text.strip():
        rows = DeliveryFinding.objects.filter(delivery=OuterRef("delivery"), code__in=KINDS)
        rows = rows.filter(code=kind) if kind else rows
        found = found.filter(Exists(rows.filter(service__in=services)))
    return found.select_related("delivery").order_by("-delivery_id")


@dataclass(frozen=True)
class Shown:
    """One case with its first warnings, of `total` in all, and the one service or how many they are about."""

    case: QualityCase
    notes: list[Finding]
    total: int
    service: OnlineService | None
    services: int

    @property
    def more(self) -> int:
        return self.total - len(self.notes)


def shown(found: Sequence[QualityCase], *, kind: str = "") -> list[Shown]:
    """Three queries, whatever the number of cases."""
    ids = [case.delivery_id for case in found]
    rows = DeliveryFinding.objects.filter(delivery__in=ids, code__in=[kind] if kind else KINDS)
    counts = {
        row["delivery"]: row
        for row in rows.order_by()
        .values("delivery")
        .annotate(total=Count("pk"), services=Count("service", distinct=True), one=Min("service"))
    }
    names = OnlineService.objects.in_bulk([row["one"] for row in counts.values() if row["services"] == 1])
    notes = _first(rows, ids)
    return [
        Shown(
            case, notes.get(case.delivery_id, []), counts[case.delivery_id]["total"],
            names.get(counts[case.delivery_id]["one"]) if counts[case.delivery_id]["services"] == 1 else None,
            counts[case.delivery_id]["services"],
        )
        for case in found
        if case.delivery_id in counts
    ]  # fmt: skip


def _first(rows: QuerySet[DeliveryFinding], ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Finding]]:
    # At most so many keys each: a lateral join reads no more than it shows.
    first = rows.filter(delivery=OuterRef("delivery")).order_by("pk").values("pk")[:NOTES_EACH]
    found: dict[uuid.UUID, list[Finding]] = {}
    for row in rows.filter(pk__in=first).order_by("pk"):
        found.setdefault(row.delivery_id, []).append(Finding.from_stored(row))
    return found


def findings_of(case: QualityCase) -> list[Finding]:
    rows = DeliveryFinding.objects.filter(delivery=case.delivery_id, code__in=KINDS).order_by("pk")
    return [Finding.from_stored(row) for row in rows]


@dataclass(frozen=True)
class Month:
    """A month that is over: `services` reported for it, `corrections` values changed after it was closed."""

    month: dt.date
    closed: ClosedMonth | None
    services: int
    corrections: int


def first_month() -> dt.date:
    """The first month that anything was reported for or that is closed; the last full one before that."""
    reported = ServiceMonth.objects.aggregate(first=Min("month"))["first"]
    closed = ClosedMonth.objects.aggregate(first=Min("month"))["first"]
    return min(month for month in (reported, closed, months.last_full()) if month)


def months_shown(wanted: Sequence[dt.date]) -> list[Month]:
    """Three queries."""
    closed = ClosedMonth.objects.in_bulk(wanted)
    services, corrections = (
        _by_month(ServiceMonth.objects.all(), wanted),
        _by_month(CountCorrection.objects.all(), wanted),
    )
    return [
        Month(month, closed.get(month), services.get(month, 0), corrections.get(month, 0)) for month in wanted
    ]


def _by_month(
    rows: QuerySet[ServiceMonth] | QuerySet[CountCorrection], wanted: Sequence[dt.date]
) -> dict[dt.date, int]:
    of_months = rows.filter(month__in=wanted).order_by().values("month")
    return dict(of_months.annotate(number=Count(F("service"))).values_list("month", "number"))
