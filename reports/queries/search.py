"""One search over everything that has a page: services, portals, regions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounts.models import User
from ozgsync.models import Folded
from ozgsync.search import FoundRegion, find_leistungen, find_regions, nearest, words_of
from portals.models import Portal
from services.models import OnlineService

SERVICES_SHOWN = 20
PORTALS_SHOWN = 5
REGIONS_SHOWN = 10
LEISTUNGEN_MEANT = 50
# Typed by hand, so also without its zeros.
NUMBER = re.compile(r"OS[- ]?(\d{1,18})", re.IGNORECASE | re.ASCII)
WORD = re.compile(r"\w+")


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
    of_portal = Q()
    for word in words:
        of_portal &= Q(folded__contains=word)
    services = visible.filter(_is_meant(visible, words, text) | Q(leistung__in=meant))
    services = services.select_related("authority", "leistung")
    portals = Portal.objects.annotate(folded=Folded("name")).filter(of_portal).select_related("authority")
    return Found(
        list(services.order_by("name", "pk")[:SERVICES_SHOWN]), services.count(),
        list(portals.order_by("name")[:PORTALS_SHOWN]), find_regions(text, limit=REGIONS_SHOWN),
    )  # fmt: skip


def _is_meant(visible: QuerySet[Any], words: list[str], text: str) -> Q:
    """The number, or every word in the names of service and authority; typing errors where none has them."""
    if number := NUMBER.fullmatch(text.strip()):
        return Q(pk=int(number[1]))
    named = _named([[word] for word in words])
    if visible.filter(named).exists():
        return named
    names = visible.values_list("folded", "authority_folded")
    known = {word for pair in names for name in pair for word in WORD.findall(name)}
    return _named(nearest(words, known))


def _named(words: list[list[str]]) -> Q:
    """Names that hold, for each word, one of those that may be meant by it."""
    found = Q()
    for meant in words:
        one_of = (Q(folded__contains=word) | Q(authority_folded__contains=word) for word in meant)
        found &= reduce(or_, one_of)
    return found
