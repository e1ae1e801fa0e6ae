"""What each download holds: rows from the query functions of the pages, columns with stable names."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from reports.exports import Cell, Column, Table, machine_month
from reports.queries.catalogue import CatalogueEntry
from reports.queries.overview import Laender, Overview, Ranked
from reports.queries.portal_page import PortalReport
from reports.queries.regions import AreaValue
from reports.queries.series import Point
from reports.queries.service_counts import Breakdown
from reports.queries.service_page import ServiceReport
from reports.sentences import divided
from reports.words import noun
from zsk import formats

REPORTED, ZERO, MISSING, RUNNING = "gemeldet", "null_gemeldet", "fehlt", "laufend"
CORRECTED = "korrigiert"
INHABITANTS = "Einwohner: Destatis, 31.12.2018"


def status(value: int | None, *, running: bool = False, corrected: bool = False) -> str:
    if value is None:
        return MISSING
    if running:
        return RUNNING
    if corrected:
        return CORRECTED
    return ZERO if value == 0 else REPORTED


def _columns(*columns: tuple[str, str, str]) -> list[Column]:
    return [Column(*column) for column in columns]


def _curve_rows(points: Sequence[Point]) -> list[list[Cell]]:
    return [
        [
            machine_month(point.month),
            point.value,
            point.before,
            status(point.value, running=point.running, corrected=point.corrected),
        ]
        for point in points
    ]


def _curve_columns() -> list[Column]:
    return _columns(
        ("monat", _("Monat"), "monat"),
        ("anzahl", _("Transaktionen"), "zahl"),
        ("vorjahr", _("Vorjahresmonat"), "zahl"),
        ("status", _("Status"), "text"),
    )


def _span(points: Sequence[Point]) -> str:
    return f"{machine_month(points[0].month)}/{machine_month(points[-1].month)}" if points else ""


def curve(found: Overview, *, version: int) -> Table:
    return Table(
        slug="verlauf",
        title=_("Transaktionen je Monat, alle veröffentlichten Onlineservices"),
        columns=_curve_columns(),
        rows=_curve_rows(found.curve),
        period=_span(found.curve),
        stand=found.stand,
        version=version,
        delivered=found.completeness.delivered,
        expected=found.completeness.expected,
    )


def laender(found: Laender, overview: Overview, *, version: int) -> Table:
    """The 16 Länder, what is not distributed to them, and Germany as their sum."""
    month = machine_month(found.month)
    rows: list[list[Cell]] = [
        [row.area.ars, row.area.name, month, row.value, row.before, row.area.inhabitants,
         _rounded(row.per_100k), status(row.value, corrected=row.corrected)]
        for row in found.rows
    ]  # fmt: skip
    # A remainder is nobody's report: it has no status.
    rest = _("Nicht auf Länder verteilt")
    rows.append(["", rest, month, found.undistributed, None, None, None, None])
    if found.germany:
        area = found.germany
        rate = AreaValue(area, found.total).per_100k
        rows.append([area.ars, area.name, month, found.total, overview.single.before, area.inhabitants,
                     _rounded(rate), status(found.total, corrected=found.corrected)])  # fmt: skip
    return Table(
        slug=f"laender-{month}",
        title=_("Transaktionen nach Ländern, %(month)s") % {"month": formats.month(found.month)},
        columns=_columns(
            ("ars", _("Regionalschlüssel"), "text"),
            ("land", _("Land"), "text"),
            ("monat", _("Monat"), "monat"),
            ("anzahl", _("Transaktionen"), "zahl"),
            ("vorjahr", _("Vorjahresmonat"), "zahl"),
            ("einwohner", _("Einwohner am 31.12.2018"), "zahl"),
            ("je_100000", _("je 100.000 Einwohner"), "zahl"),
            ("status", _("Status"), "text"),
        ),
        rows=rows,
        period=month,
        stand=overview.stand,
        version=version,
        delivered=overview.completeness.delivered,
        expected=overview.completeness.expected,
        notes=(INHABITANTS,),
    )


def _rounded(rate: float | None) -> float | None:
    return None if rate is None else round(rate, 2)


def ranking(rows: Sequence[Ranked], found: Overview, *, version: int) -> Table:
    month = machine_month(found.month)
    lines: list[list[Cell]] = [
        [place, row.number, row.name, row.authority, month, row.total, row.before,
         status(row.total, corrected=row.corrected)]
        for place, row in enumerate(rows, start=1)
    ]  # fmt: skip
    return Table(
        slug=f"rangfolge-{month}",
        title=_("Onlineservices nach Nutzung, %(month)s") % {"month": formats.month(found.month)},
        columns=_columns(
            ("rang", _("Rang"), "zahl"),
            ("onlineservice", _("Nummer"), "text"),
            ("name", _("Onlineservice"), "text"),
            ("behoerde", _("Behörde"), "text"),
            ("monat", _("Monat"), "monat"),
            ("anzahl", _("Transaktionen"), "zahl"),
            ("vorjahr", _("Vorjahresmonat"), "zahl"),
            ("status", _("Status"), "text"),
        ),
        rows=lines,
        period=month,
        stand=found.stand,
        version=version,
        delivered=found.completeness.delivered,
        expected=found.completeness.expected,
    )


def _service_filters(found: ServiceReport) -> dict[str, str]:
    filters = {"onlineservice": found.master.number, "ars": found.place.area.ars}
    return {**filters, "gebietsstand": "heute"} if found.today else filters


def _suffix(found: ServiceReport) -> str:
    return "-heutiger-gebietsstand" if found.today else ""


def service_curve(found: ServiceReport, *, version: int) -> Table:
    area = found.place.area
    words = {
        "service": found.master.name,
        "noun": noun(found.master.schluessel).plural,
        "place": area.place,
    }
    return Table(
        slug=f"{found.master.number}-{area.ars}-verlauf{_suffix(found)}",
        title=_("%(service)s: %(noun)s je Monat %(place)s") % words,
        columns=_columns(("onlineservice", _("Nummer"), "text"), ("ars", _("Regionalschlüssel"), "text"))
        + _curve_columns(),
        rows=[[found.master.number, area.ars, *row] for row in _curve_rows(found.curve)],
        period=_span(found.curve),
        stand=found.standing.last_delivered_at,
        version=version,
        filters=_service_filters(found),
        today=found.today,
    )


def service_regions(found: ServiceReport, *, version: int) -> Table:
    """Every breakdown that the page shows, one after the other; each with its remainder, so that it sums."""
    month = machine_month(found.month)
    parts = [part for part in (found.beside, found.below) if part is not None]
    return Table(
        slug=f"{found.master.number}-{found.place.area.ars}-regionen-{month}{_suffix(found)}",
        title=_("%(service)s nach Regionen, %(month)s")
        % {"service": found.master.name, "month": formats.month(found.month)},
        columns=_columns(
            ("onlineservice", _("Nummer"), "text"),
            ("ebene", _("Ebene"), "text"),
            ("ars", _("Regionalschlüssel"), "text"),
            ("region", _("Region"), "text"),
            ("monat", _("Monat"), "monat"),
            ("anzahl", _("Transaktionen"), "zahl"),
            ("vorjahr", _("Vorjahresmonat"), "zahl"),
            ("je_100000", _("je 100.000 Einwohner"), "zahl"),
            ("status", _("Status"), "text"),
        ),
        rows=[row for part in parts for row in _part_rows(found.master.number, part, month)],
        period=month,
        stand=found.standing.last_delivered_at,
        version=version,
        filters=_service_filters(found),
        notes=(INHABITANTS,),
        today=found.today,
    )


def _part_rows(number: str, parts: Breakdown, month: str) -> list[list[Cell]]:
    level = parts.level.label
    rows: list[list[Cell]] = [
        [number, level, row.area.ars, row.area.title, month, row.value, row.before,
         _rounded(row.per_100k), status(row.value, corrected=row.corrected)]
        for row in parts.rows
    ]  # fmt: skip
    rest = _("%(place)s, nicht auf die Ebene %(level)s verteilt") % {
        "place": parts.whole.title,
        "level": level,
    }
    # What a reform divided and the remainder are nobody's report at this level: they have no status.
    rows += [[number, level, "", divided(row), month, row.value, None, None, None] for row in parts.divided]
    return [*rows, [number, level, "", rest, month, parts.undistributed, None, None, None]]


def catalogue(entries: Sequence[CatalogueEntry], *, month: str, version: int) -> Table:
    rows: list[list[Cell]] = [
        [e.number, e.name, e.authority, e.schluessel, e.leistung, e.category, month, e.total,
         status(e.total, corrected=e.corrected)]
        for e in entries
    ]  # fmt: skip
    return Table(
        slug="onlineservices",
        title=_("Onlineservices mit ihrem letzten vollen Monat"),
        columns=_columns(
            ("onlineservice", _("Nummer"), "text"),
            ("name", _("Onlineservice"), "text"),
            ("behoerde", _("Behörde"), "text"),
            ("leistungsschluessel", _("Leistungsschlüssel"), "text"),
            ("leistung", _("Leistung"), "text"),
            ("lieferstatus", _("Lieferstatus"), "text"),
            ("monat", _("Monat"), "monat"),
            ("anzahl", _("Transaktionen"), "zahl"),
            ("status", _("Status"), "text"),
        ),
        rows=rows,
        period=month,
        version=version,
    )


def portal_curve(found: PortalReport, *, version: int) -> Table:
    """Each month counts the services that belonged to the portal then."""
    return Table(
        slug=f"{found.kuerzel}-verlauf",
        title=_("Transaktionen je Monat, Portal %(portal)s") % {"portal": found.name},
        columns=_columns(("portal", _("Portal"), "text")) + _curve_columns(),
        rows=[[found.kuerzel, *row] for row in _curve_rows(found.curve)],
        period=_span(found.curve),
        stand=found.stand,
        version=version,
        filters={"portal": found.kuerzel},
    )


def portal_services(found: PortalReport, *, version: int) -> Table:
    month = machine_month(found.month)
    rows: list[list[Cell]] = [
        [found.kuerzel, r.number, r.name, r.authority, r.category, month, r.value, r.before,
         status(r.value, corrected=r.corrected)]
        for r in found.rows
    ]  # fmt: skip
    return Table(
        slug=f"{found.kuerzel}-onlineservices-{month}",
        title=_("Onlineservices des Portals %(portal)s, %(month)s")
        % {"portal": found.name, "month": formats.month(found.month)},
        columns=_columns(
            ("portal", _("Portal"), "text"),
            ("onlineservice", _("Nummer"), "text"),
            ("name", _("Onlineservice"), "text"),
            ("behoerde", _("Behörde"), "text"),
            ("lieferstatus", _("Lieferstatus"), "text"),
            ("monat", _("Monat"), "monat"),
            ("anzahl", _("Transaktionen"), "zahl"),
            ("vorjahr", _("Vorjahresmonat"), "zahl"),
            ("status", _("Status"), "text"),
        ),
        rows=rows,
        period=month,
        stand=found.stand,
        version=version,
        filters={"portal": found.kuerzel},
    )
