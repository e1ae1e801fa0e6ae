"""The open dashboard."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from reports import maps, sentences
from reports.caching import Version, remembered, versioned
from reports.charts import bars, line
from reports.exports import source
from reports.queries import overview as queries
from reports.queries.completeness import DELIVERED, DUE, LATE, NEVER, Completeness
from reports.queries.overview import Laender, Overview
from reports.queries.regions import AreaValue
from reports.views.choices import chosen_month, first_published, no_such_month
from zsk import formats, months


@require_safe
@versioned
def overview(request: HttpRequest, version: Version) -> HttpResponse:
    month = chosen_month(request)
    first = first_published(version)
    if first and (month is None or month < first):
        return no_such_month(request, first=first, address="/")
    wanted = month or months.last_full()
    found = (
        remembered(version, f"overview {wanted}", lambda: queries.overview(month=wanted)) if first else None
    )
    if found is None:
        return render(request, "reports/overview_empty.html")
    absolute = request.GET.get("wert") == "absolut" or not _has_rates(found.laender)
    return render(request, "reports/overview.html", _context(found, absolute=absolute))


def _has_rates(laender: Laender) -> bool:
    return any(row.area.inhabitants for row in laender.rows)


def _context(found: Overview, *, absolute: bool) -> dict[str, Any]:
    return {
        "found": found,
        "earlier": months.shift(found.month, -12),
        "notes": {name: sentences.without(getattr(found, name).left_out) for name in ("twelve", "year")},
        "comparable_note": sentences.comparable_note(found.single, found.twelve, found.year),
        **_neighbours(found),
        **_completeness(found.completeness),
        **_curve(found),
        **_map(found.laender, absolute=absolute),
        **_ranking(found),
    }


def _neighbours(found: Overview) -> dict[str, dt.date | None]:
    previous, following = months.shift(found.month, -1), months.shift(found.month, 1)
    return {
        "previous": previous if previous >= found.first_month else None,
        "following": following if following <= months.last_full() else None,
    }


def _completeness(found: Completeness) -> dict[str, Any]:
    counts = [(DELIVERED, found.delivered), (DUE, found.due), (LATE, found.late), (NEVER, found.never)]
    words = {
        DELIVERED: _("geliefert"),
        DUE: _("fällig bis %(day)s") % {"day": formats.day(months.due_on(found.month)).rsplit(" ", 1)[0]},
        LATE: _("verspätet"),
        NEVER: _("noch nie geliefert"),
    }
    legend = [(bars.strip_key(kind), count, words[kind]) for kind, count in counts if count]
    return {"strip": bars.strip(counts), "strip_legend": legend}


def _suffix(month: dt.date, **more: str) -> str:
    """The month in addresses of downloads, so that a link still gives the same figure next year."""
    pairs = [f"monat={month:%Y-%m}", *(f"{name}={value}" for name, value in more.items())]
    return "?" + "&".join(pairs)


def _curve(found: Overview) -> dict[str, Any]:
    points = list(found.curve)
    span = _("%(first)s bis %(last)s") % {
        "first": formats.month(points[0].month),
        "last": formats.month(points[-1].month),
    }
    label = _("Liniendiagramm: Transaktionen je Monat, %(span)s") % {"span": span}
    suffix = _suffix(found.month)
    return {
        "curve_headline": sentences.curve_headline(points),
        "curve_span": span,
        "curve_sentence": sentences.curve_sentence(points),
        "curve": line.line_chart(points, label=label, described_by="satz-verlauf"),
        "curve_rows": [(point, formats.change(point.value, point.before)) for point in reversed(points)],
        "curve_files": [(kind.upper(), f"/daten/verlauf.{kind}{suffix}") for kind in ("csv", "xlsx", "svg")],
    }


def _map(laender: Laender, *, absolute: bool) -> dict[str, Any]:
    measure = "absolut" if absolute else "je100000"
    suffix = _suffix(laender.month, wert=measure)
    classes = maps.classify([maps.measured(row, absolute=absolute) for row in laender.rows])
    return {
        "absolute": absolute,
        "has_rates": _has_rates(laender),
        "map_headline": sentences.map_headline(laender, absolute=absolute),
        "map_sentence": sentences.map_sentence(laender, absolute=absolute),
        "map": maps.land_map(
            laender.rows, absolute=absolute, described_by="satz-karte", query=_suffix(laender.month)
        ),
        "map_legend": classes,
        "map_rows": _land_rows(laender, absolute=absolute),
        "germany": _germany(laender, absolute=absolute),
        "map_source": _map_source(laender),
        "map_files": [(kind.upper(), f"/daten/laender.{kind}{suffix}") for kind in ("csv", "xlsx", "svg")],
    }


def _land_rows(laender: Laender, *, absolute: bool) -> list[dict[str, Any]]:
    highest = max([maps.measured(row, absolute=absolute) or 0 for row in laender.rows] or [0])

    def order(row: AreaValue) -> tuple[bool, float, str]:
        value = maps.measured(row, absolute=absolute)
        return value is None, -(value or 0), row.area.name

    return [
        {"row": row, "bar": bars.bar(maps.measured(row, absolute=absolute), highest)}
        for row in sorted(laender.rows, key=order)
    ]


def _germany(laender: Laender, *, absolute: bool) -> dict[str, Any] | None:
    """The sum's line; its bar only where it can be compared with the Länder."""
    if laender.germany is None:
        return None
    row = AreaValue(laender.germany, laender.total)
    highest = max([row.per_100k or 0 for row in laender.rows] or [0])
    return {"row": row, "bar": "" if absolute else bars.bar(row.per_100k, highest, kind="k2")}


def _map_source(laender: Laender) -> str:
    inhabitants = _("Einwohner: Destatis, 31.12.2018") if _has_rates(laender) else ""
    return "; ".join(filter(None, [source(), inhabitants, _("Grenzen: © GeoBasis-DE / BKG (vereinfacht)")]))


def _ranking(found: Overview) -> dict[str, Any]:
    suffix = _suffix(found.month)
    highest = found.top[0].total if found.top else 0
    return {
        "ranking_headline": sentences.ranking_headline(
            found.top, total=found.value, services=found.completeness.delivered
        ),
        "ranking_sentence": sentences.ranking_sentence(found.top),
        "ranking": [
            {
                "row": row,
                "bar": bars.bar(row.total, highest),
                "change": _("neu")
                if row.before is None
                else formats.signed_percent(formats.change(row.total, row.before)),
            }
            for row in found.top
        ],
        "ranking_files": [
            *((kind.upper(), f"/daten/rangfolge.{kind}{suffix}") for kind in ("csv", "xlsx")),
            (_("Alle Onlineservices"), "/onlineservices/"),
        ],
    }
