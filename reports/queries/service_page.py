"""The page of one service: its master data, its status, and what it counted in one region and month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Left
from django.utils import timezone

from ozgsync.models import Level, RegionToday, RegionVersion
from reports.queries import corrections
from reports.queries.completeness import status
from reports.queries.regions import Area, Place, place
from reports.queries.series import CURVE_MONTHS, InCurve, Point, curve_end, points
from reports.queries.service_counts import Breakdown, breakdown, counts
from services.models import OnlineService, PortalService, ServiceState
from services.standing import with_standing
from transactions.models import CountRevision, Delivery, ServiceMonth
from zsk import months

# So many Kreise can be chosen from at once; with more, those of the chosen Land.
OFFERED_KREISE = 60


@dataclass(frozen=True, slots=True)
class Master:
    """Stammdaten as anyone may read them."""

    number: str
    name: str
    leistung: str
    schluessel: str
    types: tuple[str, ...]
    invitation: str
    themenfeld: str
    authority: str
    reporting_level: str
    portal: str
    portal_kuerzel: str
    url: str
    live_from: dt.date | None
    ended_on: dt.date | None
    published: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How the service stands with its deliveries today."""

    category: str
    ended: bool
    month: dt.date
    first_month: dt.date | None
    last_month: dt.date | None
    last_delivered_at: dt.datetime | None
    channel: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A value that a later delivery replaced."""

    old: int
    new: int | None
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Offer:
    """Regions to choose from, of one level."""

    level: Level
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class ServiceReport(InCurve):
    master: Master
    standing: Standing
    place: Place
    month: dt.date
    curve: tuple[Point, ...]
    germany: int | None
    germany_before: int | None
    beside: Breakdown | None
    below: Breakdown | None
    corrections: tuple[Correction, ...]
    offers: tuple[Offer, ...]
    today: bool = False


def service_report(
    *, service: OnlineService, ars: str, month: dt.date, depth: Level, today: bool = False
) -> ServiceReport | None:
    """None when the region is unknown or lies deeper than `depth`; deeper values still count in every sum.

    `today`: regions as they are today, with what belongs to them now (heutiger Gebietsstand).
    """
    now = depth if today else None
    found = place(ars=ars, month=timezone.localdate() if today else month)
    if found is None or found.level > depth:
        return None
    standing = standing_of(service)
    curve = _curve(service.pk, found, month, standing.first_month, now)
    germany = _months(service.pk, [month, months.shift(month, -12)])
    return ServiceReport(
        master=master_of(service),
        standing=standing,
        place=found,
        month=month,
        curve=tuple(curve),
        germany=germany.get(month),
        germany_before=germany.get(months.shift(month, -12)),
        beside=_beside(service.pk, found, month, now),
        below=_below(service.pk, found, month, depth, now),
        corrections=_corrections(service.pk, ars, month),
        offers=_offers(service.pk, found, month, depth, today=today),
        today=today,
    )


def master_of(service: OnlineService) -> Master:
    """Reads the portal; leistung, its OZG-Leistung and the authority should be selected with the service."""
    held = PortalService.objects.current().filter(service=service).select_related("portal").first()
    leistung = service.leistung
    return Master(
        number=service.number,
        name=service.name,
        leistung=leistung.name,
        schluessel=leistung.schluessel,
        types=tuple(leistung.types),
        invitation=leistung.invitation.label if leistung.main_type else "",
        themenfeld=leistung.ozg_leistung.themenfeld.name if leistung.ozg_leistung else "",
        authority=service.authority.name,
        reporting_level=service.get_reporting_level_display(),
        portal=held.portal.name if held else "",
        portal_kuerzel=held.portal.kuerzel if held else "",
        url=service.url,
        live_from=service.live_from,
        ended_on=service.ended_on,
        published=service.published_at is not None,
    )


def first_month_of(service: OnlineService) -> dt.date | None:
    """The first month that anything was reported for."""
    reported = ServiceMonth.objects.filter(service=service).order_by("month")
    return reported.values_list("month", flat=True).first()


def standing_of(service: OnlineService) -> Standing:
    month = months.last_full()
    state = ServiceState.objects.filter(service=service).first()
    first = first_month_of(service)
    stands = with_standing(OnlineService.objects.filter(pk=service.pk)).values_list("standing", flat=True)
    return Standing(
        category=status(stands[0]),
        ended=service.ended_on is not None and service.ended_on <= timezone.localdate(),
        month=month,
        first_month=first,
        last_month=state.last_month if state else None,
        last_delivered_at=state.last_delivered_at if state else None,
        channel=_channel(state),
    )


def _channel(state: ServiceState | None) -> str:
    last = Delivery.objects.filter(pk=state.last_delivery).first() if state and state.last_delivery else None
    return last.get_channel_display() if last else ""


def _months(service: int, wanted: Sequence[dt.date]) -> dict[dt.date, int]:
    rows = ServiceMonth.objects.filter(service=service, month__in=wanted).values_list("month", "total")
    return dict(rows)


def _curve(
    service: int, found: Place, month: dt.date, first: dt.date | None, today: Level | None
) -> list[Point]:
    if first is None:
        return []
    end = curve_end(month)
    wanted = months.span(months.shift(end, -CURVE_MONTHS - 12), end)
    digits = len(found.prefix)
    read = counts(service=service, months_wanted=wanted, digits=digits, within=found.prefix, today=today)
    fixed = corrections.of_service(service, wanted, digits=digits, within=found.prefix, today=today)
    return points(
        {of: total for (of, _area), total in read.items()},
        first=first,
        last=end,
        corrected={of for of, _area in fixed},
    )


def _beside(service: int, found: Place, month: dt.date, today: Level | None) -> Breakdown | None:
    """The region among its like: Länder in Germany, Kreise in their Land, Gemeinden in their Kreis."""
    if found.level == Level.BUND:
        return None
    digits = {Level.LAND: 0, Level.REGBEZ: 2, Level.KREIS: 2}.get(found.level, 5)
    within = found.area.ars[:digits]
    whole = next((area for area in found.above if area.ars == within.ljust(12, "0")), None)
    if whole is None:
        return None
    return breakdown(service=service, month=month, level=found.level, whole=whole, within=within, today=today)


def _below(service: int, found: Place, month: dt.date, depth: Level, today: Level | None) -> Breakdown | None:
    """The next lower level, where any part of it has a value and it may be shown."""
    level = found.below_level
    if level is None or level > depth:
        return None
    parts = breakdown(
        service=service, month=month, level=level, whole=found.area, within=found.prefix, today=today
    )
    return parts if parts.reported or parts.divided or found.level == Level.BUND else None


def _corrections(service: int, ars: str, month: dt.date) -> tuple[Correction, ...]:
    """What held before for exactly this region, newest first."""
    revisions = CountRevision.objects.filter(service=service, month=month, ars=ars).order_by("-number")
    found = list(revisions.values_list("old", "new", "delivery"))
    at = dict(Delivery.objects.filter(pk__in=[d for *_rest, d in found]).values_list("pk", "received_at"))
    return tuple(Correction(old, new, at.get(delivery)) for old, new, delivery in found)


def _offers(service: int, found: Place, month: dt.date, depth: Level, *, today: bool) -> tuple[Offer, ...]:
    """Länder and Kreise with numbers of the service, and where a Kreis is chosen its Gemeinden.

    Where the Kreise are many, those of the chosen Land. The chosen region is always among them.
    """
    keys = _keys_with_numbers(service)
    if today:
        keys |= _keys_of_today(keys)
    laender = {key[:2].ljust(12, "0") for key in keys if key[:2] != "00"}
    kreise = {key[:5].ljust(12, "0") for key in keys if key[2:5] != "000"}
    if len(kreise) > OFFERED_KREISE:
        kreise = {key for key in kreise if key[:2] == found.area.ars[:2]}
    deep = depth >= Level.GEMEINDE and found.level >= Level.KREIS
    gemeinden = _gemeinden_with_numbers(service, found, month, today=today) if deep else set()
    wanted = {Level.LAND: laender}
    if depth >= Level.KREIS:
        wanted[Level.KREIS] = kreise
    wanted[Level.GEMEINDE] = gemeinden
    offered = {level: keys | _own(found, level) for level, keys in wanted.items()}
    return _named(offered, timezone.localdate() if today else month)


def _own(found: Place, level: Level) -> set[str]:
    return {found.area.ars} if found.level == level else set()


def _keys_of_today(keys: set[str]) -> set[str]:
    """Kreise that something in these Kreise belongs to today."""
    moved = RegionToday.objects.annotate(kreis=Left("ars", 5)).filter(kreis__in={key[:5] for key in keys})
    return {key[:5].ljust(12, "0") for key in moved.values_list("today", flat=True)}


def _keys_with_numbers(service: int) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT region FROM monthly_total WHERE service_id = %s", [service])
        return {key for (key,) in cursor.fetchall()}


def _gemeinden_with_numbers(service: int, found: Place, month: dt.date, *, today: bool) -> set[str]:
    kreis = found.area.ars[:5]
    year = months.span(months.shift(month, -11), month)
    deepest = Level.GEMEINDE if today else None
    read = counts(service=service, months_wanted=year, digits=12, within=kreis, today=deepest)
    return {area for _month, area in read} - {kreis.ljust(12, "0")}


def _named(wanted: dict[Level, set[str]], month: dt.date) -> tuple[Offer, ...]:
    """One query for all names; a region of several levels is offered at its highest."""
    keys = set().union(*wanted.values())
    rows = RegionVersion.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=month), region__in=keys, valid_from__lte=month
    ).values_list("region", "name", "inhabitants", "kind", "region__level_top")
    named = [(Area(ars, name, inhabitants, kind), top) for ars, name, inhabitants, kind, top in rows]
    offers = []
    for level in wanted:
        found = [area for area, top in named if (Level.GEMEINDE if top > Level.KREIS else top) == level]
        if found:
            offers.append(Offer(level, tuple(sorted(found, key=lambda area: area.name))))
    return tuple(offers)
