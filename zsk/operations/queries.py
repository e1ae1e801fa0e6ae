"""What operations look at across all rooms."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import queries as reading
from accounts.models import AccessRequest, AuditEntry, Authority, OutgoingMail, User
from ozgsync.models import SyncRun
from portals.models import Portal, PortalMember
from services.models import OnlineService, PortalService
from transactions.models import ClosedMonth
from transactions.queries import quality

Status = AccessRequest.Status


@dataclass(frozen=True)
class Overview:
    """The counters of the start page, by a constant number of queries; services withheld are decided on."""

    open: int
    asked: int
    unconfirmed: int
    oldest_open: dt.datetime | None
    invitations: int
    expired_invitations: int
    stuck_mail: int
    unpublished: int
    people: int
    locked: int
    authorities: int
    services: int
    portals: int
    implausible: int
    closed_months: int
    waiting_syncs: int = 0

    @property
    def nothing_to_do(self) -> bool:
        waiting = self.open or self.unpublished or self.waiting_syncs or self.implausible
        return not (waiting or self.expired_invitations or self.stuck_mail)


def overview(*, now: dt.datetime | None = None) -> Overview:
    now = now or timezone.now()
    requests = reading.requests_by_status()
    invitations = reading.open_invitations().aggregate(
        all=Count("pk"), expired=Count("pk", filter=Q(expires_at__lte=now))
    )
    people = User.objects.aggregate(all=Count("pk"), locked=Count("pk", filter=Q(is_active=False)))
    services = OnlineService.objects.aggregate(
        all=Count("pk"), hidden=Count("pk", filter=Q(published_at=None, ended_on=None, withheld=False))
    )
    return Overview(
        open=requests[Status.OPEN],
        asked=requests[Status.ASKED],
        unconfirmed=requests[Status.UNCONFIRMED],
        oldest_open=reading.waiting_longest(status=Status.OPEN),
        invitations=invitations["all"] - invitations["expired"],
        expired_invitations=invitations["expired"],
        stuck_mail=OutgoingMail.objects.filter(next_try_at=None).count(),
        unpublished=services["hidden"],
        people=people["all"] - people["locked"],
        locked=people["locked"],
        authorities=Authority.objects.count(),
        services=services["all"],
        portals=Portal.objects.count(),
        waiting_syncs=SyncRun.objects.filter(status=SyncRun.Status.WAITING).count(),
        implausible=quality.open_cases(),
        closed_months=ClosedMonth.objects.count(),
    )


def people(*, text: str = "", kind: str = "") -> QuerySet[User]:
    """By every word in name, address, user name or authority; `kind` is one of PersonFilter's."""
    found = User.objects.select_related("authority").order_by("last_name", "first_name", "pk")
    for word in text.split():
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(username__icontains=word)
            | Q(email__icontains=word)
            | Q(authority__name__icontains=word)
        )
    filters = {
        "betrieb": Q(is_operations=True),
        "gesperrt": Q(is_active=False),
        "ohne": Q(authority=None),
    }
    return found.filter(filters[kind]) if kind in filters else found


def authorities(*, text: str = "", level: str = "") -> QuerySet[Authority]:
    """With how many people, services and portals belong to each."""
    found = Authority.objects.select_related("region", "parent").order_by("name")
    if text:
        found = found.filter(Q(name__icontains=text) | Q(region__name__icontains=text))
    if level:
        found = found.filter(level=level)
    return found.annotate(
        people_count=_count_of(User), service_count=_count_of(OnlineService), portal_count=_count_of(Portal)
    )


def portals(*, text: str = "") -> QuerySet[Portal]:
    """With how many services each holds today and how many people look after it."""
    found = Portal.objects.select_related("authority").order_by("name")
    for word in text.split():
        found = found.filter(
            Q(name__icontains=word) | Q(kuerzel__icontains=word) | Q(authority__name__icontains=word)
        )
    held = PortalService.objects.current().filter(portal=OuterRef("pk"))
    admins = PortalMember.objects.filter(portal=OuterRef("pk"))
    return found.annotate(service_count=_count(held), admin_count=_count(admins))


def _count(rows: QuerySet[Any]) -> Coalesce:
    of_portal = rows.order_by().values("portal")
    return Coalesce(Subquery(of_portal.annotate(n=Count("pk")).values("n")), Value(0))


def _count_of(model: type[User] | type[OnlineService] | type[Portal]) -> Coalesce:
    """In a query of its own: three joins would multiply one another."""
    rows = model._default_manager.filter(authority=OuterRef("pk")).order_by().values("authority")
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), Value(0))


def audit_entries(
    *,
    who: str = "",
    action: str = "",
    what: str = "",
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> QuerySet[AuditEntry]:
    """The newest first; days are those of Germany, both ends included."""
    found = AuditEntry.objects.order_by("-at", "-pk")
    if who:
        found = found.filter(actor__icontains=who)
    if action:
        found = found.filter(action=action)
    for word in what.split():
        found = found.filter(Q(target__icontains=word) | Q(detail__icontains=word))
    if since:
        found = found.filter(at__gte=_midnight(since))
    if until:
        found = found.filter(at__lt=_midnight(until + dt.timedelta(days=1)))
    return found


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))


def audit_actions() -> list[str]:
    return list(AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct())
