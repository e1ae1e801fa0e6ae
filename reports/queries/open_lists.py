"""The open lists: published services, regions and Leistungen, filtered, in the order of their keys.

Each takes what to begin after, and how many; related rows are read with them, so that a page costs the same
whatever its size. With a search text the nearest come first, and there is no next page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from ozgsync.models import Leistung, LeistungChange, Level, Region, RegionVersion, ars_prefix
from ozgsync.search import find_leistungen, find_regions
from reports.queries.catalogue import matching
from services.models import OnlineService, PortalService

# As many hits of a search as filters may choose from.
MOST_HITS = 1_000


def services(
    *,
    search: str = "",
    leistung: str = "",
    themenfeld: str = "",
    portal: str = "",
    within: str | None = None,
    since: dt.datetime | None = None,
    after: int = 0,
    limit: int,
) -> list[OnlineService]:
    """Published services; `within` are the digits of a region that their area overlaps."""
    found = matching(OnlineService.objects.published().filter(pk__gt=after), search)
    if leistung:
        more = OnlineService.more_leistungen.through.objects.filter(leistung__schluessel__startswith=leistung)
        found = found.filter(
            Q(leistung__schluessel__startswith=leistung) | Q(pk__in=more.values("onlineservice_id"))
        )
    if themenfeld:
        found = found.filter(leistung__ozg_leistung__themenfeld=themenfeld)
    if portal:
        held = PortalService.objects.current().filter(portal__kuerzel=portal)
        found = found.filter(pk__in=held.values("service"))
    if within is not None:
        overlapping = Region.objects.filter(Q(ars__startswith=within) | Q(ars__in=_around(within)))
        areas = OnlineService.area.through.objects.filter(region_id__in=overlapping.values("ars"))
        found = found.filter(pk__in=areas.values("onlineservice_id"))
    if since:
        found = found.filter(changed_at__gte=since)
    current = PortalService.objects.current().select_related("portal")
    return list(
        found.order_by("pk")
        .select_related("authority", "leistung__ozg_leistung__themenfeld", "state")
        .prefetch_related(
            Prefetch("area", Region.objects.only("ars").order_by("ars")),
            Prefetch("more_leistungen", Leistung.objects.only("schluessel").order_by("schluessel")),
            Prefetch("portal_links", current, to_attr="held_by"),
        )[:limit]
    )


def _around(within: str) -> set[str]:
    """Keys of the regions that an area with these leading digits lies in."""
    whole = within.ljust(12, "0")
    return {
        ars_prefix(whole, level).ljust(12, "0")
        for level in Level
        if len(ars_prefix(whole, level)) <= len(within)
    }


def regions(
    *,
    search: str = "",
    level: Level | None = None,
    within: str = "",
    on: dt.date | None = None,
    since: dt.datetime | None = None,
    after: tuple[str, dt.date] | None = None,
    limit: int,
) -> list[RegionVersion]:
    """Versions of regions: those valid on a day, or without one all of them."""
    found = RegionVersion.objects.select_related("region").filter(region__ars__startswith=within)
    if on:
        found = found.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=on), valid_from__lte=on)
    if level is not None:
        found = found.filter(region__level_top__lte=level, region__level_bottom__gte=level)
    if since:
        found = found.filter(changed_at__gte=since)
    if search:
        keys = [hit.ars for hit in find_regions(search, on=on or timezone.localdate(), limit=MOST_HITS)]
        return _nearest(found.filter(region__in=keys), keys, "region_id", limit)
    if after:
        found = found.filter(Q(region__gt=after[0]) | Q(region=after[0], valid_from__gt=after[1]))
    return list(found.order_by("region", "valid_from")[:limit])


def leistungen(
    *,
    search: str = "",
    key: str = "",
    kind: str = "",
    themenfeld: str = "",
    ozg_id: str = "",
    since: dt.datetime | None = None,
    after: str = "",
    limit: int,
) -> list[Leistung]:
    """The whole catalogue, ended ones included, each with what followed it."""
    followers = LeistungChange.objects.only("old", "new").order_by("new")
    found = (
        Leistung.objects.filter(schluessel__startswith=key, schluessel__gt=after)
        .select_related("ozg_leistung__themenfeld")
        .prefetch_related(Prefetch("changes_from", followers))
    )
    if kind:
        found = found.filter(types__contains=[kind])
    if themenfeld:
        found = found.filter(ozg_leistung__themenfeld=themenfeld)
    if ozg_id:
        found = found.filter(ozg_leistung=ozg_id)
    if since:
        found = found.filter(changed_at__gte=since)
    if search:
        keys = [hit.schluessel for hit in find_leistungen(search, limit=MOST_HITS)]
        return _nearest(found.filter(schluessel__in=keys), keys, "schluessel", limit)
    return list(found.order_by("schluessel")[:limit])


def _nearest(found: QuerySet[Any], keys: Sequence[str], name: str, limit: int) -> list[Any]:
    """In the order of the search; one row less than asked for, so that no next page follows."""
    place = {key: number for number, key in enumerate(keys)}
    return sorted(found, key=lambda row: place[getattr(row, name)])[: limit - 1]
