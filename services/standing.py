"""Where each service stands with its deliveries: up to date, due, late, or never heard of.

By what deliveries leave in `ServiceState` alone.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services.models import OnlineService
from zsk import months


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
