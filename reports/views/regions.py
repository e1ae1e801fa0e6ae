"""One region: its place, its months, what lies below it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ozgsync.models import Level
from reports import exports, sentences
from reports.caching import Version, remembered, versioned
from reports.charts import bars, line
from reports.queries import reforms
from reports.queries.region_page import RegionReport, region_report
from reports.queries.regions import AreaValue
from reports.views.choices import chosen_month, first_published, no_such_month, of_today
from zsk import formats, months

PLURALS = {
    Level.LAND: gettext_lazy("Länder"),
    Level.KREIS: gettext_lazy("Kreise"),
    Level.GEMEINDE: gettext_lazy("Gemeinden"),
}


@require_safe
@versioned
def region(request: HttpRequest, version: Version, ars: str) -> HttpResponse:
    today = of_today(request)
    month = chosen_month(request)
    first = first_published(version)
    # An ended region is shown as it was, unless a month is asked for.
    last_day = reforms.last_day(ars)
    if "monat" not in request.GET and not today and last_day:
        month = max(months.first_of(last_day), first or months.first_of(last_day))
    if month is None or (first and month < first):
        return no_such_month(request, first=first, address=request.path)
    name = f"region {ars} {month} {today}"
    found = remembered(version, name, lambda: region_report(ars=ars, month=month, today=today))
    if found is None:
        raise Http404(ars)
    moved = remembered(version, f"moved {ars}", lambda: reforms.of_region(ars))
    return render(request, "reports/region.html", {**_context(found), "moved": moved, "last_day": last_day})


def _context(found: RegionReport) -> dict[str, Any]:
    return {
        "found": found,
        "place": found.place,
        "level": found.place.level.label,
        "also": "&gebietsstand=heute" if found.today else "",
        **_curve(found),
        **_rows(found),
    }


def _curve(found: RegionReport) -> dict[str, Any]:
    points = list(found.curve)
    if not any(point.value is not None for point in points):
        return {"curve": None}
    label = _("Liniendiagramm: Transaktionen je Monat %(place)s") % {"place": found.place.area.place}
    return {
        "curve": line.line_chart(points, label=label, described_by="satz-region"),
        "curve_headline": sentences.curve_headline(points),
        "curve_sentence": sentences.curve_sentence(points),
        "curve_rows": list(reversed(points)),
        "earlier": months.shift(found.month, -12),
    }


def _rows(found: RegionReport) -> dict[str, Any]:
    level = found.place.below_level
    highest = max([row.value or 0 for row in found.rows] or [0])
    ordered = sorted(found.rows, key=lambda row: (row.value is None, -(row.value or 0), row.area.name))
    return {
        "change": formats.signed_percent(formats.change(found.value, found.before)),
        "rate": AreaValue(found.place.area, found.value).per_100k,
        "source": exports.source() + "; " + _("Einwohner: Destatis, 31.12.2018"),
        "below_title": PLURALS.get(level, "") if level is not None else "",
        "rows": [
            {
                "row": row,
                "bar": bars.bar(row.value, highest, kind="k2"),
                "change": formats.signed_percent(formats.change(row.value, row.before)),
            }
            for row in ordered
        ],
    }
