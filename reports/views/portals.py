"""The page of a portal. Who may: everyone, for published services; people who are signed in for all."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portals.models import Portal
from reports import sentences
from reports.caching import Version, remembered, versioned
from reports.charts import bars, line
from reports.queries.portal_page import PortalReport, portal_report
from reports.views.choices import chosen_month, no_such_month
from reports.views.services import viewer
from zsk import formats, months

PER_PAGE = 50


@require_safe
@versioned
def portal(request: HttpRequest, version: Version, kuerzel: str) -> HttpResponse:
    shown = get_object_or_404(Portal.objects.select_related("authority"), kuerzel=kuerzel)
    month = chosen_month(request)
    wanted = month or months.last_full()
    who = viewer(request)
    # What the portal says of itself is no part of the version.
    name = f"portal {shown.pk} {wanted} {who.is_authenticated} {shown.name} {shown.url} {shown.authority}"
    found = remembered(version, name, lambda: portal_report(portal=shown, month=wanted, viewer=who))
    if month is None or (found.first_month and month < found.first_month):
        return no_such_month(request, first=found.first_month, address=request.path)
    return render(request, "reports/portal.html", _context(request, found))


def _context(request: HttpRequest, found: PortalReport) -> dict[str, Any]:
    page = Paginator(found.rows, PER_PAGE).get_page(request.GET.get("seite"))
    highest = found.rows[0].value if found.rows else 0
    return {
        "found": found,
        "page": page,
        "earlier": months.shift(found.month, -12),
        "change": formats.signed_percent(formats.change(found.value, found.before)),
        "rows": [
            {
                "row": row,
                "bar": bars.bar(row.value, highest or 0, kind="k2"),
                "change": formats.signed_percent(formats.change(row.value, row.before)),
            }
            for row in page
        ],
        **_curve(found),
    }


def _curve(found: PortalReport) -> dict[str, Any]:
    points = list(found.curve)
    if not any(point.value is not None for point in points):
        return {"curve": None}
    label = _("Liniendiagramm: Transaktionen je Monat, Portal %(portal)s") % {"portal": found.name}
    return {
        "curve": line.line_chart(points, label=label, described_by="satz-portal"),
        "curve_headline": sentences.curve_headline(points),
        "curve_sentence": sentences.curve_sentence(points),
        "curve_rows": list(reversed(points)),
    }
