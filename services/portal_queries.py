"""Reading about a portal: which services it holds, how they stand, and what waits for an answer."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from portals.models import Portal
from services import standing
from services.models import NUMBER, OnlineService, PortalMove, PortalService, ServiceMember
from services.standing import Standing, Summary

ORDERS: dict[str, list[Any]] = {
    "dringend": ["urgency", "name", "pk"],
    "name": ["name", "pk"],
    "kennung": [F("kennung").asc(nulls_last=True), "name", "pk"],
}


@dataclass(frozen=True)
class Question:
    """What a list of services is asked: words, a status, an order."""

    text: str = ""
    status: str = ""
    order: str = "dringend"


def held_services(portal: Portal) -> QuerySet[OnlineService]:
    """The services that the portal holds today, by one membership each."""
    held = PortalService.objects.current().filter(portal=portal)
    return OnlineService.objects.filter(pk__in=held.values("service"))


def summary(portal: Portal) -> Summary:
    return standing.summary(held_services(portal))


def listed(portal: Portal, asked: Question) -> QuerySet[Any]:
    """With standing, Kennung, the dates of the membership, which may also lie ahead, and whether anybody of
    the service's own is there."""
    today = timezone.localdate()
    links = PortalService.objects.filter(Q(until=None) | Q(until__gt=today), portal=portal)
    of_service = links.filter(service=OuterRef("pk")).order_by("since")
    found = standing.with_standing(OnlineService.objects.filter(pk__in=links.values("service"))).annotate(
        kennung=Subquery(of_service.values("kennung")[:1]),
        since=Subquery(of_service.values("since")[:1]),
        until=Subquery(of_service.values("until")[:1]),
        has_members=Exists(ServiceMember.objects.filter(service=OuterRef("pk"))),
    )
    if asked.text:
        number = NUMBER.match(asked.text)
        by_text = Q(name__icontains=asked.text) | Q(kennung__icontains=asked.text)
        found = found.filter(Q(pk=int(number[1])) if number else by_text)
    if asked.status in Standing.values:
        found = found.filter(standing=asked.status)
    order = ORDERS.get(asked.order, ORDERS["dringend"])
    return found.select_related("state", "leistung").order_by(*order)


def open_moves(portal: Portal) -> QuerySet[PortalMove]:
    waiting = PortalMove.objects.filter(portal=portal, answered_at=None)
    return waiting.select_related("service", "asked_by").order_by("asked_at")


def declined_moves(portal: Portal, *, days: int = 30) -> QuerySet[PortalMove]:
    """What was declined lately, the newest first."""
    since = timezone.now() - dt.timedelta(days=days)
    declined = PortalMove.objects.filter(portal=portal, agreed=False, answered_at__gte=since)
    return declined.select_related("service", "answered_by").order_by("-answered_at")
