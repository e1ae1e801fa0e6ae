"""Where each service stands with its deliveries: up to date, due, late, or never heard of."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services.models import OnlineService
from transactions.models import Delivery, ServiceMonth
from zsk import months

CURVE_MONTHS = 12


class Standing(models.TextChoices):
    """In the order in which somebody should look at them."""

    LATE = "verspaetet", _("verspätet")
    DUE = "faellig", _("fällig")
    NEVER = "nie", _("nie geliefert")
    CURRENT = "aktuell", _("aktuell")
    STARTING = "startet", _("noch nicht gestartet")
    ENDED = "beendet", _("außer Betrieb")


TO_DO = (Standing.LATE, Standing.DUE, Standing.NEVER)
NOT_EXPECTED = (Standing.STARTING, Standing.ENDED)


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


@dataclass(frozen=True)
class Summary:
    """How many services have which standing, and what that means for the last full month."""

    month: dt.date
    due_on: dt.date
    days_left: int
    counts: Counter[str]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def missing(self) -> int:
        return sum(self.counts[standing] for standing in TO_DO)

    @property
    def expected(self) -> int:
        return self.total - sum(self.counts[standing] for standing in NOT_EXPECTED)


def with_standing(services: QuerySet[OnlineService]) -> QuerySet[Any]:
    """The services, annotated with `standing` and `urgency` (0 first), by the last full month and today."""
    last = months.last_full()
    in_time = timezone.localdate() <= months.due_on(last)
    previous = Standing.DUE if in_time else Standing.LATE
    cases = [
        (Q(ended_on__lte=last), Standing.ENDED),
        (Q(state__last_month__gte=last), Standing.CURRENT),
        (Q(state__last_month=months.shift(last, -1)), previous),
        (Q(state__last_month__isnull=False), Standing.LATE),
        (Q(live_from__gt=last), Standing.STARTING),
    ]
    order = list(Standing)
    return services.annotate(
        standing=Case(
            *(When(condition, then=Value(standing.value)) for condition, standing in cases),
            default=Value(Standing.NEVER.value),
            output_field=models.CharField(),
        ),
        urgency=Case(
            *(When(condition, then=Value(order.index(standing))) for condition, standing in cases),
            default=Value(order.index(Standing.NEVER)),
            output_field=IntegerField(),
        ),
    )


def summary(services: QuerySet[OnlineService]) -> Summary:
    rows = with_standing(services).order_by().values_list("standing").annotate(services=Count("pk"))
    month = months.last_full()
    due_on = months.due_on(month)
    return Summary(month, due_on, (due_on - timezone.localdate()).days, Counter(dict(rows)))


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
        months.span(months.shift(last, 1), span[-1]) if last and standing in TO_DO else [],
        last,
        totals.get((service.pk, last)) if last else None,
        state.last_delivered_at if state else None,
        channels.get(state.last_delivery, "") if state and state.last_delivery else "",
        [totals.get((service.pk, month)) for month in span],
    )
