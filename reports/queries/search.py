"""One search over everything that has a page: services, portals, regions."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from accounts.models import User
from ozgsync.models import Folded
from ozgsync.search import FoundRegion, find_leistungen, find_regions, words_of
from portals.models import Portal
from services.models import NUMBER, OnlineService

SERVICES_SHOWN = 20
PORTALS_SHOWN = 5
REGIONS_SHOWN = 10
LEISTUNGEN_MEANT = 50


@dataclass(frozen=True)
class Found:
    """What a text may mean; of services the first, and how many there are."""

    services: list[OnlineService]
    service_count: int
    portals: list[Portal]
    regions: list[FoundRegion]

    @property
    def nothing(self) -> bool:
        return not (self.services or self.portals or self.regions)


def search(text: str, *, viewer: User | AnonymousUser) -> Found:
    """A constant number of queries, whatever is found."""
    words = words_of(text)
    if not words:
        return Found([], 0, [], [])
    meant = [leistung.pk for leistung in find_leistungen(text, limit=LEISTUNGEN_MEANT)]
    visible = OnlineService.objects.visible_to(viewer).annotate(
        folded=Folded("name"), authority_folded=Folded("authority__name")
    )
    named, of_portal = Q(), Q()
    for word in words:
        named &= Q(folded__contains=word) | Q(authority_folded__contains=word)
        of_portal &= Q(folded__contains=word)
    if number := NUMBER.match(text.strip()):
        named = Q(pk=int(number[1]))
    services = visible.filter(named | Q(leistung__in=meant)).select_related("authority", "leistung")
    portals = Portal.objects.annotate(folded=Folded("name")).filter(of_portal).select_related("authority")
    return Found(
        list(services.order_by("name", "pk")[:SERVICES_SHOWN]), services.count(),
        list(portals.order_by("name")[:PORTALS_SHOWN]), find_regions(text, limit=REGIONS_SHOWN),
    )  # fmt: skip
