"""Services that may be the same as one that somebody is about to register: to be looked at, never refused.

Made for one and for thousands: what could be meant is read once, and compared by look-up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import product

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ozgsync.search import fold
from ozgsync.succession import predecessors_of
from services.models import OnlineService

SIMILAR = 0.85
# More names than this in one authority or Leistung are compared for equality only; fewer for a long file, or
# each of its rows would be compared with hundreds.
MOST_COMPARED = 300
MOST_PAIRS = 50_000
PREFIX_LENGTHS = (0, 2, 3, 5, 9, 12)
WORD = re.compile(r"\w+")
SCHEME = re.compile(r"^[a-z]+://(www\.)?")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is compared; `prefixes` are the leading digits that name the area."""

    name: str
    leistung: str
    authority: int
    url: str = ""
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duplicate:
    service: OnlineService
    reasons: tuple[str, ...]


def possible_duplicates(candidate: Candidate, *, but: int | None = None) -> list[Duplicate]:
    """Services that may be meant, the likeliest first. `but` is the service itself, when it is changed."""
    return [found for found in duplicates_of_all([candidate])[0] if found.service.pk != but]


def duplicates_of_all(candidates: Sequence[Candidate]) -> list[list[Duplicate]]:
    """For each candidate those that may be meant. Three queries for all of them."""
    if not candidates:
        return []
    # A service may still name the Leistung whose place the candidate's has taken.
    followed_by = predecessors_of({candidate.leistung for candidate in candidates})
    services = _services_like(candidates, followed_by)
    most = min(MOST_COMPARED, MOST_PAIRS // len(candidates))
    register = _Register(services, followed_by, most=most)
    return [register.like(candidate) for candidate in candidates]


def _services_like(candidates: Sequence[Candidate], older: Iterable[str]) -> list[OnlineService]:
    """Services of the same or older Leistungen, authorities or addresses that are still in operation."""
    alike = Q(leistung__in={*(candidate.leistung for candidate in candidates), *older})
    alike |= Q(authority__in={candidate.authority for candidate in candidates})
    addresses = {way for candidate in candidates for way in _ways_to_write(_address(candidate.url))}
    services = OnlineService.objects.filter(alike | Q(url__in=addresses))
    in_operation = services.exclude(ended_on__lte=timezone.localdate())
    return list(in_operation.select_related("authority", "leistung").prefetch_related("area").order_by("pk"))


def _address(url: str) -> str:
    """What tells one address from another: `https://www.Amt.de/hund/` is the same as `http://amt.de/hund`."""
    return SCHEME.sub("", url.strip().lower()).rstrip("/")


def _ways_to_write(address: str) -> Iterable[str]:
    if address:
        for scheme in ("https://", "https://www.", "http://", "http://www."):
            yield f"{scheme}{address}"
            yield f"{scheme}{address}/"


def _plain(name: str) -> str:
    return " ".join(WORD.findall(fold(name)))


class _Register:
    """The services by everything that they are looked up by."""

    def __init__(
        self, services: list[OnlineService], followed_by: Mapping[str, set[str]], *, most: int
    ) -> None:
        self.most, self.followed_by = most, followed_by
        self.services = {service.pk: service for service in services}
        self.names = {service.pk: _plain(service.name) for service in services}
        self.by_authority: dict[int, list[int]] = defaultdict(list)
        self.by_address: dict[str, list[int]] = defaultdict(list)
        # By Leistung and prefix: areas that are exactly this one, and areas that lie in it.
        self.exactly: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.inside: dict[tuple[str, str], set[int]] = defaultdict(set)
        for service in services:
            self._enter(service)

    def _enter(self, service: OnlineService) -> None:
        self.by_authority[service.authority_id].append(service.pk)
        if service.url:
            self.by_address[_address(service.url)].append(service.pk)
        leistungen = {service.leistung_id, *self.followed_by.get(service.leistung_id, ())}
        for leistung, region in product(leistungen, service.area.all()):
            prefix = region.prefix
            self.exactly[leistung, prefix].add(service.pk)
            for length in PREFIX_LENGTHS:
                if length <= len(prefix):
                    self.inside[leistung, prefix[:length]].add(service.pk)

    def like(self, candidate: Candidate) -> list[Duplicate]:
        overlapping = self._overlapping(candidate)
        reasons = {
            _("gleiche Leistung, Gebiet überschneidet sich"): overlapping,
            _("gleiche Adresse"): set(self.by_address.get(_address(candidate.url), ())),
            _("ähnlicher Name"): self._named_alike(candidate, overlapping),
        }
        found = set().union(*reasons.values())
        duplicates = [
            Duplicate(self.services[pk], tuple(why for why, pks in reasons.items() if pk in pks))
            for pk in sorted(found)
        ]
        return sorted(duplicates, key=lambda duplicate: -len(duplicate.reasons))

    def _overlapping(self, candidate: Candidate) -> set[int]:
        """Services of the same Leistung, or an older one, whose area holds the candidate's or lies in it."""
        found: set[int] = set()
        for prefix in candidate.prefixes:
            found |= self.inside.get((candidate.leistung, prefix), set())
            for length in PREFIX_LENGTHS:
                if length < len(prefix):
                    found |= self.exactly.get((candidate.leistung, prefix[:length]), set())
        return found

    def _named_alike(self, candidate: Candidate, overlapping: set[int]) -> set[int]:
        """Of the same authority, or of the same Leistung where the areas meet: „Hundesteuer anmelden“ of two
        towns is not the same."""
        pks = {*self.by_authority.get(candidate.authority, ()), *overlapping}
        wanted = _plain(candidate.name)
        if len(pks) > self.most:
            return {pk for pk in pks if self.names[pk] == wanted}
        return {pk for pk in pks if _alike(self.names[pk], wanted)}


def _alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return (
        matcher.real_quick_ratio() >= SIMILAR
        and matcher.quick_ratio() >= SIMILAR
        and matcher.ratio() >= SIMILAR
    )
