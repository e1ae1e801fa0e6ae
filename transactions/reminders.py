"""Mail to people whose services have something to deliver: one for each person, month and stage.

Before the deadline and once after it, whatever of theirs is due by then; what was delivered meanwhile is not
in it, and who has nothing due gets none. A row for each keeps a second run, or a second worker, from telling
anybody twice.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts import mail
from accounts.models import User
from services.models import OnlineService, PortalService, ServiceMember
from services.standing import TO_DO, missing_months, with_standing
from transactions.models import Reminder
from zsk import months

Stage = Reminder.Stage
MOST_LISTED = 30  # a portal may have thousands


@dataclass(frozen=True)
class Due:
    """A service with the month to deliver first, and how many more are missing."""

    service: OnlineService
    month: dt.date
    more: int

    @property
    def address(self) -> str:
        """Where to deliver it, below the address of this installation."""
        form = reverse("transactions:form")
        return f"{form}?service={self.service.number}&monat={self.month:%Y-%m}"


def stage_of_today() -> Stage | None:
    """By the calendar of Germany, for the last full month; None on days between the stages."""
    if not settings.REMINDERS:
        return None
    today, due_on = timezone.localdate(), months.due_on(months.last_full())
    if today <= due_on:
        before = today >= due_on - dt.timedelta(days=settings.REMINDER_DAYS_BEFORE)
        return Stage.BEFORE if before else None
    late = today >= due_on + dt.timedelta(days=settings.REMINDER_DAYS_LATE)
    return Stage.LATE if late else None


def send() -> int:
    """How many people were reminded. A constant number of queries, and a transaction for each mail."""
    stage, month = stage_of_today(), months.last_full()
    if stage is None:
        return 0
    return sum(_remind(person, due, stage, month) for person, due in _people(stage, month))


def _people(stage: Stage, month: dt.date) -> Iterator[tuple[User, list[Due]]]:
    """Who wants to be reminded and was not yet, with everything that is due for them."""
    due = with_standing(OnlineService.objects.all()).filter(standing__in=TO_DO)
    found = {service.pk: _due(service) for service in due.order_by("urgency", "name", "pk")}
    of_person = _services_of(due.order_by())
    told = Reminder.objects.filter(month=month, stage=stage)
    people = User.objects.filter(is_active=True, reminders=True).exclude(email="")
    for person in people.exclude(pk__in=told.values("user")).order_by("pk").iterator():
        if mine := of_person.get(person.pk):
            yield person, [each for pk, each in found.items() if pk in mine]


def _services_of(due: QuerySet[Any]) -> dict[int, set[int]]:
    """Of each person the services that they are a member of, or that a portal of theirs holds today."""
    members = ServiceMember.objects.filter(service__in=due.values("pk")).values_list("user", "service")
    held = PortalService.objects.current().filter(service__in=due.values("pk"), portal__members__isnull=False)
    found: defaultdict[int, set[int]] = defaultdict(set)
    for person, service in [*members, *held.values_list("portal__members", "service")]:
        found[person].add(service)
    return found


def _due(service: Any) -> Due:
    missing = missing_months(service)
    return Due(service, missing[0], len(missing) - 1)


@transaction.atomic
def _remind(person: User, due: list[Due], stage: Stage, month: dt.date) -> bool:
    _row, first = Reminder.objects.get_or_create(user=person, month=month, stage=stage)
    if first:
        context = {
            "person": person,
            "listed": due[:MOST_LISTED],
            "more": len(due) - MOST_LISTED,
            "count": len(due),
            "month": month,
            "due_on": months.due_on(month),
            "late": stage == Stage.LATE,
        }
        mail.send("reminder", to=person.email, context=context)
    return first
