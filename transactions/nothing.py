"""'Keine Transaktionen': a 0 for every region that a service reports, by the one way in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from ozgsync.models import Level, Region, RegionQuerySet, ars_prefix
from services.models import OnlineService, ReportingLevel
from transactions.checks import check
from transactions.delivery import actor_text, deliver
from transactions.models import Delivery, ServiceMonth, TransactionCount
from transactions.references import successors, versions
from transactions.rows import Rows
from zsk import formats, months

# What was reported before is known to be meant; an area alone must not become thousands of zeros.
MOST_OF_AREA = 500


class NothingRefused(Exception):
    """For this month nobody can say so (any more); the text says why."""


@dataclass(frozen=True)
class Plan:
    """The regions that would report 0; `like` is the month that they were last reported for, if any, and
    `last_total` what was reported then."""

    service: OnlineService
    month: dt.date
    regions: list[Region]
    like: dt.date | None
    last_total: int


def plan(service: OnlineService, month: dt.date) -> Plan:
    """Raises NothingRefused. A constant number of queries."""
    _refuse_unless_open(service, month)
    earlier = ServiceMonth.objects.filter(service=service, month__lt=month).order_by("-month")
    like, last_total = earlier.values_list("month", "total").first() or (None, 0)
    regions = _regions_of(service, like, month) if like else []
    if not regions:
        like, regions = None, _regions_of_area(service, month)
    if not regions:
        raise NothingRefused(
            _(
                "Im Einzugsgebiet gibt es für %(month)s keine Region der Meldeebene."
                " Prüfen Sie die Stammdaten."
            )
            % {"month": formats.month(month)}
        )
    return Plan(service, month, regions, like, last_total)


def report_nothing(service: OnlineService, month: dt.date, *, by: User, reason: str = "") -> Delivery:
    """Delivers the zeros; a closed month needs a reason. Raises NothingRefused, and what `deliver()` raises.

    StoredDataChanged: somebody delivered for the service in the same moment.
    """
    seen = versions([service.pk])
    keys = [region.ars for region in plan(service, month).regions]
    rows = Rows.of(
        service=None, ars=keys, month=[f"{month:%Y-%m}"] * len(keys), count=["0"] * len(keys)
    )  # fmt: skip
    delivery = Delivery(
        channel=Delivery.Channel.FORM, user=by, actor=actor_text(by), service=service, reason=reason
    )
    return deliver(check(rows, by=by, service=service), delivery, expected=seen)


def _refuse_unless_open(service: OnlineService, month: dt.date) -> None:
    words = {"month": formats.month(month)}
    if month >= months.running():
        raise NothingRefused(_("%(month)s ist noch nicht vorbei.") % words)
    if service.ended_on and service.ended_on <= month:
        raise NothingRefused(_("Im %(month)s war der Onlineservice schon außer Betrieb.") % words)
    if service.live_from and service.live_from >= months.shift(month, 1):
        raise NothingRefused(_("Im %(month)s war der Onlineservice noch nicht in Betrieb.") % words)
    stored = ServiceMonth.objects.filter(service=service, month=month).first()
    if stored:
        raise NothingRefused(
            _("Für %(month)s ist schon etwas gemeldet, zusammen %(total)s.")
            % {**words, "total": formats.number(stored.total)}
        )


def _level(service: OnlineService) -> Level | None:
    return ReportingLevel(service.reporting_level).level


def _at_level(regions: RegionQuerySet, level: Level | None) -> RegionQuerySet:
    return regions if level is None else regions.at_level(level)


def _regions_of(service: OnlineService, like: dt.date, month: dt.date) -> list[Region]:
    """The regions of that month, or what became of them by this one."""
    keys = set(TransactionCount.objects.filter(service=service, month=like).values_list("ars_id", flat=True))
    valid = _at_level(Region.objects.valid_in(month), _level(service))
    there = set(valid.filter(ars__in=keys).values_list("ars", flat=True))
    later = {new for several in successors(keys - there, month).values() for new in several}
    return list(valid.filter(ars__in=there | later).order_by("ars"))


def _regions_of_area(service: OnlineService, month: dt.date) -> list[Region]:
    """The area at the level that the service reports at; without an area that of its authority."""
    area = list(service.area.all()) or [service.authority.region]
    level = _level(service)
    valid = _at_level(Region.objects.valid_in(month), level).filter(_inside(area, level))
    found = list(valid.order_by("ars")[: MOST_OF_AREA + 1])
    if len(found) > MOST_OF_AREA:
        raise NothingRefused(
            _(
                "Für diesen Onlineservice wurde noch nie geliefert, und sein Einzugsgebiet hat mehr als"
                " %(most)s Regionen. Liefern Sie die Nullen beim ersten Mal als Datei."
            )
            % {"most": formats.number(MOST_OF_AREA)}
        )
    return found


def _inside(area: Collection[Region], level: Level | None) -> Q:
    """What lies in the area; where it is smaller than a region of the level, the region that it lies in."""
    wanted = Q()
    for region in area:
        if level is None or region.level_top <= level <= region.level_bottom:
            wanted |= Q(ars=region.ars)
        elif region.level_bottom < level:
            wanted |= Q(ars__startswith=region.prefix)
        else:
            wanted |= Q(ars=ars_prefix(region.ars, level).ljust(12, "0"))
    return wanted
