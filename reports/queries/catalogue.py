"""The catalogue: services that a person may see, searched, sorted, with status and the last month's count."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from accounts.models import User
from reports.queries import corrections
from reports.queries.completeness import status
from services.models import NUMBER, OnlineService, OnlineServiceQuerySet
from services.standing import with_standing
from transactions.models import ServiceMonth
from zsk import months

SPARK_MONTHS = 24
SORTS = {
    "name": ("name", "pk"),
    "behoerde": ("authority__name", "name", "pk"),
    "anzahl": (F("total").desc(nulls_last=True), "name", "pk"),
}


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    pk: int
    number: str
    name: str
    authority: str
    leistung: str
    schluessel: str
    category: str
    last_month: dt.date | None
    total: int | None
    published: bool
    corrected: bool = False  # the last month, after it was closed
    months: tuple[int | None, ...] = ()


def catalogue(*, viewer: User | AnonymousUser, search: str = "", sort: str = "name") -> QuerySet[Any]:
    """Not yet read, so that a page of it can be cut; `entries` makes dataclasses of what is read."""
    month = months.last_full()
    of_month = ServiceMonth.objects.filter(service=OuterRef("pk"), month=month)
    return (
        with_standing(matching(OnlineService.objects.visible_to(viewer), search))
        .annotate(total=Subquery(of_month.values("total")), corrected=corrections.in_month(month))
        .select_related("authority", "leistung", "state")
        .order_by(*SORTS[sort])
    )


def matching(services: OnlineServiceQuerySet, search: str) -> OnlineServiceQuerySet:
    """Every word must occur in the name, the authority or the Leistung; a ZSK number finds its service."""
    if match := NUMBER.match(search.strip()):
        return services.filter(pk=int(match[1]))
    for word in search.split():
        services = services.filter(
            Q(name__icontains=word)
            | Q(authority__name__icontains=word)
            | Q(leistung__name__icontains=word)
            | Q(leistung__schluessel__startswith=word)
        )
    return services


def entries(services: Iterable[OnlineService]) -> list[CatalogueEntry]:
    return [_entry(service) for service in services]


def _entry(service: OnlineService) -> CatalogueEntry:
    state = getattr(service, "state", None)
    last = state.last_month if state else None
    return CatalogueEntry(
        pk=service.pk,
        number=service.number,
        name=service.name,
        authority=service.authority.name,
        leistung=service.leistung.name,
        schluessel=service.leistung_id,
        category=status(service.standing),  # type: ignore[attr-defined]
        last_month=last,
        total=service.total,  # type: ignore[attr-defined]
        published=service.published_at is not None,
        corrected=service.corrected,  # type: ignore[attr-defined]
    )


def with_months(found: Sequence[CatalogueEntry]) -> list[CatalogueEntry]:
    """Adds the values of the last two years for the sparklines, by one query for all of them."""
    last = months.last_full()
    span = months.span(months.shift(last, 1 - SPARK_MONTHS), last)
    rows = ServiceMonth.objects.filter(service__in=[entry.pk for entry in found], month__gte=span[0])
    by_service: dict[int, dict[dt.date, int]] = defaultdict(dict)
    for service, month, total in rows.values_list("service_id", "month", "total"):
        by_service[service][month] = total
    return [
        replace(entry, months=tuple(by_service[entry.pk].get(month) for month in span)) for entry in found
    ]
