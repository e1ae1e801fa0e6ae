"""What operations decide on when they publish: services with what they have counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Max, Min, OuterRef, Q, Subquery, Sum
from django.utils.translation import gettext_lazy as _

from services.models import NUMBER, OnlineService, OnlineServiceQuerySet
from transactions.models import ServiceMonth

HIDDEN, PUBLIC, WITHHELD, ALL = "offen", "oeffentlich", "zurueckgehalten", "alle"
STATES = {
    HIDDEN: Q(published_at=None, withheld=False),
    PUBLIC: Q(published_at__isnull=False),
    WITHHELD: Q(published_at=None, withheld=True),
    ALL: Q(),
}
# Who regulates and who executes; the catalogue does not say more of types 6 to 12.
_BY_LAND_OR_KOMMUNE = _("Bund regelt, Land oder Kommune vollzieht")
TYPE_WORDS = {
    "1": _("Bund regelt und vollzieht"),
    **dict.fromkeys(("2", "2a", "2b", "3", "3a", "3b", "2/3", "2/3a", "2/3b"), _BY_LAND_OR_KOMMUNE),
    "4": _("Land regelt"),
    "4a": _("Land regelt und vollzieht"),
    "4b": _("Land regelt, Kommune vollzieht"),
    "5": _("Kommune regelt und vollzieht"),
}


@dataclass(frozen=True, slots=True)
class OfType:
    """Services whose main Leistung has a type, perhaps among others."""

    services: int
    public: int


@dataclass(frozen=True, slots=True)
class Consequence:
    """What these services together have counted; the sum is None where nothing was reported."""

    services: int
    delivering: int
    months: int
    total: int | None
    first: dt.date | None
    last: dt.date | None


def services(*, text: str = "", state: str = ALL, kind: str = "") -> OnlineServiceQuerySet:
    """For operations, with `months_reported` and `total`; `kind` is one of the Leistung's types."""
    found = OnlineService.objects.filter(STATES[state])
    if kind:
        found = found.filter(leistung__types__contains=[kind])
    return (
        _matching(found, text)
        .annotate(months_reported=_of_months(Count("month")), total=_of_months(Sum("total")))
        .select_related("authority", "leistung")
        .order_by("name", "pk")
    )


def _matching(found: OnlineServiceQuerySet, text: str) -> OnlineServiceQuerySet:
    """Every word must occur in the name, the authority or the Leistung; a ZSK number finds its service."""
    if match := NUMBER.match(text.strip()):
        return found.filter(pk=int(match[1]))
    for word in text.split():
        found = found.filter(
            Q(name__icontains=word)
            | Q(authority__name__icontains=word)
            | Q(leistung__name__icontains=word)
            | Q(leistung__schluessel__startswith=word)
        )
    return found


def _of_months(value: Count | Sum) -> Subquery:
    months = ServiceMonth.objects.filter(service=OuterRef("pk")).order_by().values("service")
    return Subquery(months.annotate(value=value).values("value"))


def consequence(pks: Collection[int]) -> Consequence:
    found = ServiceMonth.objects.filter(service__in=pks).aggregate(
        delivering=Count("service", distinct=True),
        months=Count("month"),
        total=Sum("total"),
        first=Min("month"),
        last=Max("month"),
    )
    return Consequence(services=len(pks), **found)


def by_type() -> dict[str, OfType]:
    statement = """
        SELECT kind, count(*), count(s.published_at)
          FROM services_onlineservice s JOIN ozgsync_leistung l ON l.schluessel = s.leistung_id,
               unnest(l.types) AS kind
         GROUP BY kind
    """
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {kind: OfType(services, public) for kind, services, public in cursor.fetchall()}
