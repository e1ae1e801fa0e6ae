"""What rows are compared with: the services that somebody may deliver for, regions, and what became of them.

Each function costs one or two queries, whatever it is asked for.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from accounts.models import User
from ozgsync.models import Region
from services.models import (
    NUMBER,
    Credential,
    OnlineService,
    OnlineServiceQuerySet,
    PortalService,
    ReportingLevel,
    ServiceState,
)
from transactions import register
from transactions.register import Register, Span
from zsk.statements import Answer, ask

Principal = User | Credential


def month_number(month: dt.date) -> int:
    """Months since 1970-01."""
    return (month.year - 1970) * 12 + month.month - 1


@functools.cache  # a few hundred, again and again
def month_of(number: int) -> dt.date:
    return dt.date(1970 + int(number) // 12, int(number) % 12 + 1, 1)


@dataclass(frozen=True)
class Named:
    """The services that texts name, those that several Kennungen could mean, and each one's level and data
    version."""

    services: dict[str, int]
    ambiguous: set[str]
    levels: dict[int, ReportingLevel]
    versions: dict[int, int]

    def add(self, key: str, pk: int, level: str, version: int | None) -> None:
        self.levels[pk], self.versions[pk] = ReportingLevel(level), version or 0
        if self.services.setdefault(key, pk) != pk:
            self.ambiguous.add(key)


def ask_deliverable(texts: Collection[str], by: Principal, only: OnlineService | None) -> Callable[[], Named]:
    """The services that these texts name, by number or by a portal's own Kennung."""
    keys = {text.strip() for text in texts}
    numbers = {key: int(match[1]) for key in keys if (match := NUMBER.match(key))}
    answer = _ask_levels(set(numbers.values()), by, only)

    def named() -> Named:
        found = {row[0]: row for row in answer()}
        result = Named({}, set(), {}, {})
        for key, pk in numbers.items():
            if pk in found:
                result.add(key, *found[pk])
        if others := keys - set(result.services):
            _add_kennungen(result, others, by, only)
        return result

    return named


def _allowed(by: Principal, only: OnlineService | None) -> OnlineServiceQuerySet:
    services = OnlineService.objects.deliverable_by(by)
    return services if only is None else services.filter(pk=only.pk)


def _ask_levels(pks: Collection[int], by: Principal, only: OnlineService | None) -> Answer:
    """Id, level and version; known already of a key's own service."""
    if isinstance(by, Credential) and by.service_id in pks and by.known:
        own = by.service_id, by.known.reporting_level, by.known.version
        return lambda: [own]
    known = _allowed(by, only).filter(pk__in=pks)
    return lambda: list(known.values_list("pk", "reporting_level", "state__version"))


def among(texts: Collection[str], services: Collection[int]) -> Named:
    """The same among these services alone, whoever may deliver for them or holds them in a portal today."""
    keys = {text.strip() for text in texts}
    known = OnlineService.objects.filter(pk__in=services).values_list("pk", "reporting_level")
    levels = {pk: ReportingLevel(level) for pk, level in known}
    links = PortalService.objects.filter(service__in=services, kennung__in=keys).order_by("since")
    found = dict(links.values_list("kennung", "service"))
    found |= {key: int(match[1]) for key in keys if (match := NUMBER.match(key)) and int(match[1]) in levels}
    return Named(found, set(), levels, {})


def _add_kennungen(named: Named, keys: set[str], by: Principal, only: OnlineService | None) -> None:
    links = PortalService.objects.current().filter(kennung__in=keys, service__in=_allowed(by, only))
    mine = {"portal": by.portal_id} if isinstance(by, Credential) else {"portal__members": by}
    columns = ("kennung", "service", "service__reporting_level", "service__state__version")
    for found in links.filter(**mine).values_list(*columns):
        named.add(*found)


def versions(services: Iterable[int]) -> dict[int, int]:
    """The data version of each service; 0 for one that nothing was ever delivered for."""
    ids = list(services)
    return dict.fromkeys(ids, 0) | dict(
        ServiceState.objects.filter(service__in=ids).values_list("service_id", "version")
    )


@dataclass(frozen=True)
class Lineage:
    """What followed regions, or was before them, through chains of reforms."""

    steps: dict[str, list[str]]
    register: Register

    def at(self, ars: str, month: int) -> list[Span]:
        """The regions valid in a month that the reforms lead to from this one; reforms may go in a circle."""
        seen, waiting, found = {ars}, [ars], []
        while waiting:
            for key in set(self.steps.get(waiting.pop(), ())) - seen:
                seen.add(key)
                span = self.register.some([key]).get(key)
                if span and span.first <= month < span.end:
                    found.append(span)
                else:
                    waiting.append(key)
        return sorted(found)


_STEPS = """
    WITH RECURSIVE steps (key, other) AS (
        SELECT {old}, {new} FROM ozgsync_regionchange WHERE {old} = ANY(%(keys)s) AND old <> new
        UNION
        SELECT c.{old}, c.{new} FROM steps JOIN ozgsync_regionchange c ON c.{old} = steps.other
         WHERE c.old <> c.new
    )
    SELECT key, other FROM steps
"""


def descent(keys: Collection[str]) -> Lineage:
    """What followed these regions."""
    return _lineage(_STEPS.format(old="old", new="new"), keys)


def ancestry(keys: Collection[str]) -> Lineage:
    """What was before these regions."""
    return _lineage(_STEPS.format(old="new", new="old"), keys)


def _lineage(statement: str, keys: Collection[str]) -> Lineage:
    steps: dict[str, list[str]] = {}
    for key, other in ask(statement, {"keys": list(keys)})():
        steps.setdefault(key, []).append(other)
    return Lineage(steps, register.current())


def successors(keys: Collection[str], month: dt.date) -> dict[str, list[str]]:
    """Of each region that has any, the keys valid in a month that took its place."""
    lineage, number = descent(keys), month_number(month)
    found = {key: [span.ars for span in lineage.at(key, number)] for key in keys}
    return {key: new for key, new in found.items() if new}


def names(keys: Collection[str]) -> dict[str, str]:
    return dict(Region.objects.filter(ars__in=list(keys)).values_list("ars", "name"))
