"""Where each service stands with its deliveries: up to date, due, late, or never heard of.

The one place that decides it: the pages of people, of portals and of everyone show what is said here.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
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


class MonthStanding(models.TextChoices):
    """What one month is to one service: the cells of the completeness map."""

    DELIVERED = "geliefert", _("geliefert")
    ZERO = "null_gemeldet", _("0 gemeldet")
    DUE = "faellig", _("fällig")
    LATE = "verspaetet", _("verspätet")
    MISSING = "fehlt", _("fehlt")
    NOT_EXPECTED = "nicht_erwartet", _("nicht erwartet")
    RUNNING = "laufend", _("läuft noch")
    AHEAD = "kuenftig", _("kommt noch")


TO_DO = (Standing.LATE, Standing.DUE, Standing.NEVER)
NOT_EXPECTED = (Standing.STARTING, Standing.ENDED)


@dataclass(frozen=True)
class Summary:
    """How many services have which standing, and what that means for the last full month."""

    month: dt.date
    due_on: dt.date
    days_left: int
    counts: Counter[str]
    delivered: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def missing(self) -> int:
        return sum(self.counts[standing] for standing in TO_DO)

    @property
    def expected(self) -> int:
        """Who was to deliver for the month, and who did all the same."""
        return self.delivered + self.missing


def expected_in(month: dt.date) -> Q:
    """Who is in operation on the month's first day is to deliver for it, also who ends in its course."""
    live = Q(live_from__isnull=True) | Q(live_from__lte=month)
    return live & (Q(ended_on__isnull=True) | Q(ended_on__gt=month))


def is_expected(service: OnlineService, month: dt.date) -> bool:
    """The same for a service at hand."""
    live = service.live_from is None or service.live_from <= month
    return live and (service.ended_on is None or service.ended_on > month)


def overdue(month: dt.date) -> bool:
    """Whether the month is late when nothing has been reported for it by today."""
    return timezone.localdate() > months.due_on(month)


def with_standing(services: QuerySet[OnlineService]) -> QuerySet[Any]:
    """The services, annotated with `standing` and `urgency` (0 first), by the last full month and today.

    Also with `delivered`: whether for the last full month; `before`: the last month before it that was
    delivered. What is missing is looked for from there on, so that nobody is chased for older gaps.
    """
    last = months.last_full()
    previous = months.shift(last, -1)
    # By name: the months belong to a room further right.
    reported = apps.get_model("transactions", "ServiceMonth")._default_manager.filter(service=OuterRef("pk"))
    cases = [
        (Q(ended_on__lte=last), Standing.ENDED),
        (Q(delivered=True, ended_on__lte=timezone.localdate()), Standing.ENDED),
        (Q(delivered=True), Standing.CURRENT),
        (Q(live_from__gt=last), Standing.STARTING),
        (Q(ever=False), Standing.NEVER),
    ]
    if overdue(previous):
        cases.append((Q(before__lt=previous) & expected_in(previous), Standing.LATE))
    default = Standing.LATE if overdue(last) else Standing.DUE
    order = list(Standing)
    return services.annotate(
        delivered=Exists(reported.filter(month=last)),
        ever=Exists(reported),
        before=Subquery(reported.filter(month__lt=last).order_by("-month").values("month")[:1]),
    ).annotate(
        standing=Case(
            *(When(condition, then=Value(standing.value)) for condition, standing in cases),
            default=Value(default.value),
            output_field=models.CharField(),
        ),
        urgency=Case(
            *(When(condition, then=Value(order.index(standing))) for condition, standing in cases),
            default=Value(order.index(default)),
            output_field=IntegerField(),
        ),
    )


def missing_months(service: Any) -> list[dt.date]:
    """What a service of `with_standing` has to deliver, the oldest first: all since `before`."""
    last = months.last_full()
    if service.standing not in TO_DO:
        return []
    if not service.before:
        return [last]
    first = months.shift(service.before, 1)
    return [
        month for month in months.span(first, last) if not service.live_from or service.live_from <= month
    ]


def month_standings(
    service: Any, span: Sequence[dt.date], totals: Mapping[dt.date, int]
) -> list[MonthStanding]:
    """Each month of a service of `with_standing`; `totals` are those of the months that were reported.

    An older gap that nobody is chased for is `MISSING`, what is to be delivered `DUE` or `LATE`.
    """
    running, chased = months.running(), set(missing_months(service))

    def standing_of(month: dt.date) -> MonthStanding:
        if month in totals:
            return MonthStanding.DELIVERED if totals[month] else MonthStanding.ZERO
        if month > running:
            return MonthStanding.AHEAD
        if not is_expected(service, month):
            return MonthStanding.NOT_EXPECTED
        if month == running:
            return MonthStanding.RUNNING
        if month in chased:
            return MonthStanding.LATE if overdue(month) else MonthStanding.DUE
        return MonthStanding.MISSING

    return [standing_of(month) for month in span]


def summary(services: QuerySet[OnlineService]) -> Summary:
    rows = with_standing(services).order_by().values_list("standing", "delivered")
    found: Counter[tuple[str, bool]] = Counter()
    for standing, delivered, count in rows.annotate(services=Count("pk")):
        found[standing, delivered] += count
    counts: Counter[str] = Counter()
    for (standing, _delivered), count in found.items():
        counts[standing] += count
    month = months.last_full()
    due_on = months.due_on(month)
    return Summary(
        month,
        due_on,
        (due_on - timezone.localdate()).days,
        counts,
        sum(n for (_s, done), n in found.items() if done),
    )
