"""What was delivered for each service last, beside where it stands with its deliveries."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from services.models import OnlineService
from services.standing import (
    NOT_EXPECTED,
    TO_DO,
    Standing,
    Summary,
    missing_months,
    summary,
    with_standing,
)
from transactions.models import Delivery, ServiceMonth
from zsk import months

__all__ = ["NOT_EXPECTED", "TO_DO", "Line", "Standing", "Summary", "lines", "summary", "with_standing"]
CURVE_MONTHS = 12


@dataclass(frozen=True)
class Line:
    """One service with what was delivered for it last."""

    service: OnlineService
    standing: Standing
    missing: list[dt.date]
    last_month: dt.date | None
    last_total: int | None
    delivered_at: dt.datetime | None
    channel: str
    totals: list[int | None]

    @property
    def next_month(self) -> dt.date:
        """The month to deliver next: the oldest one missing after the last delivered."""
        return self.missing[0] if self.missing else months.last_full()


def lines(services: Sequence[OnlineService]) -> list[Line]:
    """Lines for services of `with_standing(…).select_related("state")`; two queries for all of them."""
    span = months.span(months.shift(months.last_full(), 1 - CURVE_MONTHS), months.last_full())
    totals = _totals(services, since=span[0])
    states = [service.state for service in services if hasattr(service, "state")]
    ids = [state.last_delivery for state in states if state.last_delivery]
    channels = {
        pk: Delivery.Channel(channel).label
        for pk, channel in Delivery.objects.filter(pk__in=ids).values_list("pk", "channel")
    }
    return [_line(service, span, totals, channels) for service in services]


def _totals(services: Sequence[OnlineService], *, since: dt.date) -> dict[tuple[int, dt.date], int]:
    wanted = Q(month__gte=since) | Q(month=F("service__state__last_month"))
    rows = ServiceMonth.objects.filter(wanted, service__in=services)
    return {(pk, month): total for pk, month, total in rows.values_list("service", "month", "total")}


def _line(
    service: OnlineService,
    span: list[dt.date],
    totals: dict[tuple[int, dt.date], int],
    channels: dict[uuid.UUID, str],
) -> Line:
    standing = Standing(service.standing)  # type: ignore[attr-defined]
    state = getattr(service, "state", None)
    last = state.last_month if state else None
    return Line(
        service,
        standing,
        missing_months(service),
        last,
        totals.get((service.pk, last)) if last else None,
        state.last_delivered_at if state else None,
        channels.get(state.last_delivery, "") if state and state.last_delivery else "",
        [totals.get((service.pk, month)) for month in span],
    )
