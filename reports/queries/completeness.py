"""Who delivers and who is missing: counted services, for one month."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _

from ozgsync.models import Invitation, Leistung
from reports.queries import corrections
from services import standing
from services.models import OnlineService, OnlineServiceQuerySet
from transactions.models import ServiceMonth

DELIVERED, DUE, LATE, NEVER = "geliefert", "faellig", "verspaetet", "nie"
STARTING, ENDED = "startet", "beendet"
LABELS = {
    DELIVERED: _("geliefert"),
    DUE: _("fällig"),
    LATE: _("verspätet"),
    NEVER: _("noch nie"),
    STARTING: _("noch nicht gestartet"),
    ENDED: _("außer Betrieb"),
}


@dataclass(frozen=True, slots=True)
class Share:
    delivered: int
    expected: int


@dataclass(frozen=True, slots=True)
class Completeness:
    """Expected services of a month by what they did; the four counts add up to `expected`."""

    month: dt.date
    delivered: int
    due: int
    late: int
    never: int
    asked: Share
    invited: Share

    @property
    def expected(self) -> int:
        return self.delivered + self.due + self.late + self.never


def expected_in(services: OnlineServiceQuerySet, month: dt.date) -> OnlineServiceQuerySet:
    """Services that a number is expected from for the month, annotated with `delivered` and `ever`.

    Expected is who was in operation on its first day, and whoever delivered for it all the same.
    """
    of_month = ServiceMonth.objects.filter(service=OuterRef("pk"), month=month)
    ever = ServiceMonth.objects.filter(service=OuterRef("pk"))
    return services.annotate(delivered=Exists(of_month), ever=Exists(ever)).filter(
        standing.expected_in(month) | Q(delivered=True)
    )


def category(*, delivered: bool, ever: bool, month: dt.date) -> str:
    """What a service did for one month; where it stands altogether is said by `status`."""
    if delivered:
        return DELIVERED
    if not ever:
        return NEVER
    return LATE if standing.overdue(month) else DUE


def status(of: str) -> str:
    """A `Standing` in the words of the reports, which their files have too."""
    return DELIVERED if of == standing.Standing.CURRENT else of


def completeness(*, month: dt.date) -> Completeness:
    """Published services only; asked and invited by the main type of the main Leistung."""
    rows = (
        expected_in(OnlineService.objects.published(), month)
        .order_by()
        .values_list("delivered", "ever", F("leistung__types__0"))
        .annotate(services=Count("pk"))
    )
    found: Counter[str] = Counter()
    by_invitation: Counter[tuple[str, bool]] = Counter()
    for delivered, ever, main_type, services in rows:
        found[category(delivered=delivered, ever=ever, month=month)] += services
        invitation = Leistung(types=[main_type] if main_type else []).invitation
        by_invitation[invitation, delivered] += services
    return Completeness(
        month, found[DELIVERED], found[DUE], found[LATE], found[NEVER],
        asked=_share(by_invitation, Invitation.ASKED), invited=_share(by_invitation, Invitation.INVITED),
    )  # fmt: skip


def catalogue_share(*, month: dt.date) -> Share:
    """Of the month's asked Leistungen those that a published service delivered for, as its main one."""
    reported = ServiceMonth.objects.filter(
        month=month, service__published_at__isnull=False, service__leistung=OuterRef("pk")
    )
    rows = (
        Leistung.objects.valid_on(month)
        .order_by()
        .annotate(delivered=Exists(reported))
        .values_list("types__0", "delivered")
        .annotate(count=Count("pk"))
    )
    found: Counter[bool] = Counter()
    for main_type, delivered, count in rows:
        if Leistung(types=[main_type] if main_type else []).invitation is Invitation.ASKED:
            found[delivered] += count
    return Share(found[True], found.total())


def _share(counts: Counter[tuple[str, bool]], invitation: Invitation) -> Share:
    delivered = counts[invitation, True]
    return Share(delivered, delivered + counts[invitation, False])


@dataclass(frozen=True, slots=True)
class ServiceStanding:
    """One line of the completeness page."""

    number: str
    name: str
    authority: str
    invitation: str
    category: str
    total: int | None
    last_month: dt.date | None
    corrected: bool = False


def standings(*, month: dt.date) -> list[ServiceStanding]:
    """Every expected published service with what it did for the month; the missing first."""
    totals = ServiceMonth.objects.filter(service=OuterRef("pk"), month=month).values("total")
    services = (
        expected_in(OnlineService.objects.published(), month)
        .select_related("authority", "leistung", "state")
        .annotate(month_total=Subquery(totals), corrected=corrections.in_month(month))
    )
    lines = [_standing(service, month) for service in services]
    order = [LATE, DUE, NEVER, DELIVERED]
    return sorted(lines, key=lambda line: (order.index(line.category), line.name.casefold()))


def _standing(service: OnlineService, month: dt.date) -> ServiceStanding:
    state = getattr(service, "state", None)
    return ServiceStanding(
        number=service.number,
        name=service.name,
        authority=service.authority.name,
        invitation=service.leistung.invitation.value,
        category=category(delivered=service.delivered, ever=service.ever, month=month),  # type: ignore[attr-defined]
        total=service.month_total,  # type: ignore[attr-defined]
        last_month=state.last_month if state else None,
        corrected=service.corrected,  # type: ignore[attr-defined]
    )
