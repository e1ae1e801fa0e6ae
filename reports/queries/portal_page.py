"""A portal's months: what its services counted, each in the months in which it belonged to the portal."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.utils import timezone

from accounts.models import User
from portals.models import Portal
from reports.queries.completeness import ENDED, category
from reports.queries.series import CURVE_MONTHS, InCurve, Point, curve_end, points
from services.models import OnlineService, OnlineServiceQuerySet, service_number
from zsk import months

# A month belongs to the portal that held the service on the month's last day: of two in one month, the later.
HELD = """
    h.since < m.month + interval '1 month' AND (h.until IS NULL OR h.until >= m.month + interval '1 month')
"""


@dataclass(frozen=True, slots=True)
class PortalRow:
    """A service that belonged to the portal in the month, with its count; None is "keine Angabe".

    `corrected`: something of it was changed after the month was closed.
    """

    number: str
    name: str
    authority: str
    category: str
    published: bool
    value: int | None
    before: int | None
    corrected: bool


@dataclass(frozen=True, slots=True)
class PortalEntry:
    """A portal in the list, with the services that it held in the month and what they counted."""

    name: str
    kuerzel: str
    authority: str
    services: int
    value: int | None
    before: int | None
    corrected: bool


@dataclass(frozen=True, slots=True)
class PortalReport(InCurve):
    """The rows add up to the month's value."""

    name: str
    kuerzel: str
    authority: str
    url: str
    month: dt.date
    first_month: dt.date | None
    curve: tuple[Point, ...]
    rows: tuple[PortalRow, ...]
    stand: dt.datetime | None

    @property
    def reported(self) -> list[PortalRow]:
        return [row for row in self.rows if row.value is not None]


def portal_report(*, portal: Portal, month: dt.date, viewer: User | AnonymousUser) -> PortalReport:
    """Of the services that the viewer may see. Four queries."""
    ids = _ids(OnlineService.objects.visible_to(viewer), portal)
    totals, stand = _totals(portal, ids)
    first = min(totals, default=None)
    end = curve_end(month)
    return PortalReport(
        name=portal.name,
        kuerzel=portal.kuerzel,
        authority=portal.authority.name,
        url=portal.url,
        month=month,
        first_month=first,
        curve=_curve(portal, ids, totals, first, end) if first and first <= end else (),
        rows=_rows(portal, ids, month),
        stand=stand,
    )


def _curve(
    portal: Portal, ids: list[int], totals: dict[dt.date, int], first: dt.date, last: dt.date
) -> tuple[Point, ...]:
    statement = f"""
        SELECT DISTINCT m.month
          FROM count_correction m JOIN services_portalservice h ON h.service_id = m.service_id AND {HELD}
         WHERE h.portal_id = %s AND m.service_id = ANY(%s) AND m.month BETWEEN %s AND %s
    """
    shown = [months.shift(last, 1 - CURVE_MONTHS), last]
    with connection.cursor() as cursor:
        cursor.execute(statement, [portal.pk, ids, *shown])
        corrected = {month for (month,) in cursor.fetchall()}
    return tuple(points(totals, first=first, last=last, corrected=corrected))


def _totals(portal: Portal, ids: list[int]) -> tuple[dict[dt.date, int], dt.datetime | None]:
    """Sums by month, as far back as a curve and its year before go, and when the newest of them came."""
    statement = f"""
        SELECT m.month, sum(m.total)::bigint, max(m.last_delivered_at)
          FROM services_portalservice h JOIN service_month m ON m.service_id = h.service_id AND {HELD}
         WHERE h.portal_id = %s AND m.service_id = ANY(%s) AND m.month >= %s GROUP BY 1
    """
    oldest = months.shift(months.running(), -2 * CURVE_MONTHS)
    with connection.cursor() as cursor:
        cursor.execute(statement, [portal.pk, ids, oldest])
        found = cursor.fetchall()
    stand = max((at for _month, _total, at in found), default=None)
    return {month: total for month, total, _at in found}, stand


def _ids(visible: OnlineServiceQuerySet, portal: Portal) -> list[int]:
    return list(visible.filter(portal_links__portal=portal).values_list("pk", flat=True).distinct())


def _rows(portal: Portal, ids: list[int], month: dt.date) -> tuple[PortalRow, ...]:
    """The services of the month, the largest first. The year before counts wherever the service was then."""
    statement = f"""
        SELECT s.id, s.name, a.name, s.ended_on, s.published_at IS NOT NULL, state.last_month IS NOT NULL,
               now.total, before.total,
               EXISTS (SELECT FROM count_correction c WHERE c.service_id = s.id AND c.month = m.month)
          FROM services_portalservice h
          JOIN (SELECT %(month)s::date AS month) m ON {HELD}
          JOIN services_onlineservice s ON s.id = h.service_id
          JOIN accounts_authority a ON a.id = s.authority_id
          LEFT JOIN service_state state ON state.service_id = s.id
          LEFT JOIN service_month now ON now.service_id = s.id AND now.month = m.month
          LEFT JOIN service_month before ON before.service_id = s.id AND before.month = %(before)s
         WHERE h.portal_id = %(portal)s AND s.id = ANY(%(ids)s)
         ORDER BY now.total DESC NULLS LAST, s.name, s.id
    """
    values: dict[str, Any] = {
        "month": month, "before": months.shift(month, -12), "portal": portal.pk, "ids": ids,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return tuple(_row(month, *values) for values in cursor.fetchall())


def _row(
    month: dt.date, pk: int, name: str, authority: str, ended: dt.date | None, published: bool, ever: bool,
    value: int | None, before: int | None, corrected: bool,
) -> PortalRow:  # fmt: skip
    over = ended is not None and ended <= timezone.localdate()
    kind = ENDED if over else category(delivered=value is not None, ever=ever, month=month)
    return PortalRow(service_number(pk), name, authority, kind, published, value, before, corrected)


def portals(*, month: dt.date, viewer: User | AnonymousUser) -> list[PortalEntry]:
    """All portals by name, with the numbers of the services that the viewer may see. Three queries."""
    earlier = months.shift(month, -12)
    found = _held_in([month, earlier], OnlineService.objects.visible_to(viewer))
    nothing = _Held(0, None, False)
    return [
        PortalEntry(
            name=portal.name,
            kuerzel=portal.kuerzel,
            authority=portal.authority.name,
            services=found.get((portal.pk, month), nothing).services,
            value=found.get((portal.pk, month), nothing).total,
            before=found.get((portal.pk, earlier), nothing).total,
            corrected=found.get((portal.pk, month), nothing).corrected,
        )
        for portal in Portal.objects.select_related("authority").order_by("name")
    ]


class _Held(NamedTuple):
    services: int
    total: int | None
    corrected: bool


def _held_in(wanted: list[dt.date], visible: OnlineServiceQuerySet) -> dict[tuple[int, dt.date], _Held]:
    """By portal and month: how many services it held, their sum, and whether any of it was corrected."""
    statement = f"""
        SELECT h.portal_id, m.month, count(*), sum(t.total)::bigint, bool_or(EXISTS (
               SELECT FROM count_correction c WHERE c.service_id = h.service_id AND c.month = m.month))
          FROM services_portalservice h
          JOIN unnest(%s::date[]) AS m (month) ON {HELD}
          LEFT JOIN service_month t ON t.service_id = h.service_id AND t.month = m.month
         WHERE h.service_id = ANY(%s) GROUP BY 1, 2
    """
    ids = list(visible.filter(portal_links__isnull=False).values_list("pk", flat=True).distinct())
    with connection.cursor() as cursor:
        cursor.execute(statement, [wanted, ids])
        return {(portal, month): _Held(*values) for portal, month, *values in cursor.fetchall()}
