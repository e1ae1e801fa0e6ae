"""Deliveries as a person or a key may see them: as a whole, or only the parts of their own services."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber

from accounts.models import User
from portals.models import Portal
from services.models import NUMBER, Credential, OnlineService, OnlineServiceQuerySet, PortalService
from transactions.delivery import ChangedValue
from transactions.findings import Finding
from transactions.models import (
    CountRevision,
    Delivery,
    DeliveryFinding,
    DeliveryQuerySet,
    DeliveryService,
)
from transactions.references import Principal

COUNTS = ("new_count", "changed_count", "same_count", "deleted_count")


@dataclass(frozen=True)
class Part:
    """What a delivery did to the services that somebody may see of it, together or one by one."""

    new: int
    changed: int
    same: int
    deleted: int
    service: OnlineService | None = None

    @property
    def touched(self) -> int:
        return self.new + self.changed + self.deleted


@dataclass(frozen=True)
class Listed:
    """One line of the list; `part` is everything where `whole`, else only what belongs to who asks.

    `traceable`: some of its values may be looked at one by one.
    """

    delivery: Delivery
    part: Part
    whole: bool
    services: int
    traceable: bool


def matching(deliveries: DeliveryQuerySet, *, text: str, among: User) -> DeliveryQuerySet:
    """Deliveries for services that a number or a piece of a name means, among those of the person."""
    services = OnlineService.objects.deliverable_by(among)
    number = NUMBER.match(text.strip())
    return of_services(
        deliveries, services.filter(Q(pk=int(number[1])) if number else Q(name__icontains=text.strip()))
    )


def of_services(deliveries: DeliveryQuerySet, services: OnlineServiceQuerySet) -> DeliveryQuerySet:
    """Those that touched one of the services, or were sent for one alone, by its own key or not."""
    touched = DeliveryService.objects.filter(service__in=services)
    return deliveries.filter(
        Q(pk__in=touched.values("delivery")) | Q(service__in=services) | Q(credential__service__in=services)
    )


def of_portal(deliveries: DeliveryQuerySet, portal: Portal) -> DeliveryQuerySet:
    """Those for services that the portal holds today, and all that came by a key of the portal."""
    touched = DeliveryService.objects.filter(service__in=services_of(portal))
    return deliveries.filter(Q(pk__in=touched.values("delivery")) | Q(credential__portal=portal))


def services_of(portal: Portal) -> OnlineServiceQuerySet:
    held = PortalService.objects.current().filter(portal=portal)
    return OnlineService.objects.filter(pk__in=held.values("service"))


def portals_of(user: User) -> QuerySet[Portal]:
    """The portals that hold a service of the person today; all for operations."""
    if user.is_operations:
        return Portal.objects.order_by("name")
    held = PortalService.objects.current().filter(service__in=OnlineService.objects.deliverable_by(user))
    return (
        Portal.objects.filter(Q(pk__in=held.values("portal")) | Q(members=user)).distinct().order_by("name")
    )


def sees_whole(delivery: Delivery, principal: Principal) -> bool:
    """Who sent it, who administers the key it came by, operations, and who delivers for all its services."""
    return bool(listed([delivery], principal)[0].whole)


def sees_file(delivery: Delivery, user: User, *, whole: bool) -> bool:
    """Whether that includes the file. One that was refused may hold rows of services other than the one that
    it was sent for: that is why it was refused. They are nobody's but the sender's."""
    refused = delivery.status == Delivery.Status.REFUSED
    of_colleague = delivery.user_id is not None and delivery.user_id != user.pk
    return whole and (user.is_operations or not (refused and of_colleague))


def first_findings(deliveries: Sequence[Delivery], *, each: int) -> dict[uuid.UUID, list[Finding]]:
    """The first findings of each delivery, at most `each`; one query."""
    place = Window(RowNumber(), partition_by=F("delivery"), order_by="pk")
    rows = DeliveryFinding.objects.filter(delivery__in=[delivery.pk for delivery in deliveries])
    found: dict[uuid.UUID, list[Finding]] = {}
    for row in rows.annotate(place=place).filter(place__lte=each).order_by("pk"):
        found.setdefault(row.delivery_id, []).append(Finding.from_stored(row))
    return found


def listed(
    deliveries: Sequence[Delivery], principal: Principal, *, within: OnlineServiceQuerySet | None = None
) -> list[Listed]:
    """Needs `select_related("credential", "service")`; five queries, whatever the number of deliveries.

    `within`: only what was done to these services, as on the page of one of them.
    """
    ids = [delivery.pk for delivery in deliveries]
    rows = DeliveryService.objects.filter(delivery__in=ids)
    total = dict(rows.order_by().values_list("delivery").annotate(parts=Count("service")))
    services = OnlineService.objects.deliverable_by(principal)
    asked = rows.filter(service__in=services if within is None else services & within)
    mine: dict[uuid.UUID, dict[str, Any]] = {
        row["delivery"]: dict(row)
        for row in asked.order_by()
        .values("delivery")
        .annotate(parts=Count("service"), one=Min("service"), **{name: Sum(name) for name in COUNTS})
    }
    keys = _Keys(deliveries, principal)
    names = OnlineService.objects.in_bulk([row["one"] for row in mine.values() if row["parts"] == 1])
    result = []
    for delivery in deliveries:
        own = mine.get(delivery.pk, {})
        parts = total.get(delivery.pk, 0)
        whole = keys.open(delivery) or (parts > 0 and own.get("parts") == parts)
        full = whole and within is None
        new, changed, same, deleted = (
            getattr(delivery, name) if full else own.get(name, 0) for name in COUNTS
        )
        service = names.get(own["one"]) if own.get("parts") == 1 else delivery.service
        part = Part(new, changed, same, deleted, service)
        services_shown = parts if full else own.get("parts", 0)
        result.append(Listed(delivery, part, whole, services_shown, traceable=bool(own)))
    return result


class _Keys:
    """Which deliveries are one's own: sent oneself, or, for a person, by a key or for a service of theirs."""

    def __init__(self, deliveries: Sequence[Delivery], principal: Principal) -> None:
        self.principal = principal
        self.services: set[int] = set()
        self.portals: set[int] = set()
        if isinstance(principal, User):
            self._administered(deliveries, principal)

    def _administered(self, deliveries: Sequence[Delivery], user: User) -> None:
        sent_by = [delivery.credential for delivery in deliveries if delivery.credential]
        services = {key.service_id for key in sent_by if key.service_id}
        if services := services | {each.service_id for each in deliveries if each.service_id}:
            allowed = OnlineService.objects.deliverable_by(user).filter(pk__in=services)
            self.services = set(allowed.values_list("pk", flat=True))
        if portals := {key.portal_id for key in sent_by if key.portal_id}:
            held = Portal.objects.filter(pk__in=portals, members=user)
            self.portals = set(held.values_list("pk", flat=True))

    def open(self, delivery: Delivery) -> bool:
        if isinstance(self.principal, Credential):
            return delivery.credential_id == self.principal.pk
        if self.principal.is_operations or delivery.user_id == self.principal.pk:
            return True
        if delivery.service_id in self.services:
            return True
        key = delivery.credential
        return key is not None and (key.service_id in self.services or key.portal_id in self.portals)


def parts(delivery: Delivery, *, user: User, whole: bool) -> list[Part]:
    """What the delivery did to each service, by name; without `whole` only the person's own services."""
    rows = DeliveryService.objects.filter(delivery=delivery).select_related("service")
    if not whole:
        rows = rows.filter(service__in=OnlineService.objects.deliverable_by(user))
    return [
        Part(row.new_count, row.changed_count, row.same_count, row.deleted_count, row.service)
        for row in rows.order_by("service__name", "service")
    ]


def together(parts: Sequence[Part]) -> Part:
    return Part(
        sum(part.new for part in parts), sum(part.changed for part in parts),
        sum(part.same for part in parts), sum(part.deleted for part in parts),
    )  # fmt: skip


def changed_values(delivery: Delivery, *, services: Sequence[int], limit: int) -> list[ChangedValue]:
    """The first values that the delivery replaced or took away, from its revisions."""
    if delivery.first_month is None or delivery.last_month is None:
        return []
    rows = CountRevision.objects.filter(
        service__in=services, month__range=(delivery.first_month, delivery.last_month), delivery=delivery.pk
    ).select_related("ars")
    return [
        ChangedValue(row.service_id, row.month, row.ars_id, row.ars.name, row.old, row.new)
        for row in rows.order_by("service", "-month", "ars")[:limit]
    ]
