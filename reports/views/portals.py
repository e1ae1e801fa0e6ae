"""The page of a portal. Who may: everyone, for published services; people who are signed in for all."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from portals.models import Portal
from reports import exports, sentences, standalone, tables
from reports.caching import Version, remembered, versioned
from reports.charts import bars, line
from reports.queries import portal_page as queries
from reports.queries.completeness import LABELS
from reports.queries.portal_page import PortalReport, portal_report
from reports.templatetags.reports import BADGE_KINDS
from reports.views.choices import chosen_month, no_such_month
from reports.views.services import viewer
from services.models import OnlineService, service_number
from zsk import formats, months

PER_PAGE = 50


@require_safe
@versioned
def portals(request: HttpRequest, version: Version) -> HttpResponse:
    month, who = months.last_full(), viewer(request)
    name = f"portals {month} {who.is_authenticated}"
    found = remembered(version, name, lambda: queries.portals(month=month, viewer=who))
    lines = [
        {"portal": entry, "change": formats.signed_percent(formats.change(entry.value, entry.before))}
        for entry in found
    ]
    facts = {"lines": lines, "month": month, "earlier": months.shift(month, -12)}
    return render(request, "reports/portals.html", facts)


@require_safe
@versioned
def portal(request: HttpRequest, version: Version, kuerzel: str) -> HttpResponse:
    found, month = _report(request, version, kuerzel)
    if month is None:
        return no_such_month(request, first=found.first_month, address=request.path)
    return render(request, "reports/portal.html", {**_context(request, found), **_traces(request, found)})


def _traces(request: HttpRequest, found: PortalReport) -> dict[str, Any]:
    """Which numbers lead this person to the deliveries that made them: all of one's own portal, and those of
    services that one may deliver for."""
    person = viewer(request)
    if not person.is_authenticated:
        return {}
    shown = {int(row.number.removeprefix("OS-")) for row in found.rows}
    own = OnlineService.objects.deliverable_by(person).filter(pk__in=shown)
    manages = Portal.objects.managed_by(person).filter(kuerzel=found.kuerzel).exists()
    return {"own": {service_number(pk) for pk in own.values_list("pk", flat=True)}, "manages": manages}


def _report(request: HttpRequest, version: Version, kuerzel: str) -> tuple[PortalReport, dt.date | None]:
    """The report, and its month; None where the portal has no such month."""
    shown = get_object_or_404(Portal.objects.select_related("authority"), kuerzel=kuerzel)
    month = chosen_month(request)
    wanted = month or months.last_full()
    who = viewer(request)
    # What the portal says of itself is no part of the version.
    name = f"portal {shown.pk} {wanted} {who.is_authenticated} {shown.name} {shown.url} {shown.authority}"
    found: PortalReport = remembered(
        version, name, lambda: portal_report(portal=shown, month=wanted, viewer=who)
    )
    return found, None if month and found.first_month and month < found.first_month else month


@require_safe
@versioned
def curve_file(request: HttpRequest, version: Version, kuerzel: str, kind: str) -> HttpResponse:
    found = _found_or_404(request, version, kuerzel)
    if kind == "svg":
        title = _("Transaktionen je Monat, Portal %(portal)s") % {"portal": found.name}
        return standalone.respond(standalone.curve(found.curve, title=title, stand=found.stand), "verlauf")
    return exports.respond(request, tables.portal_curve(found, version=version.data), kind)


@require_safe
@versioned
def services_file(request: HttpRequest, version: Version, kuerzel: str, kind: str) -> HttpResponse:
    found = _found_or_404(request, version, kuerzel)
    if kind == "svg":
        raise Http404(kind)
    return exports.respond(request, tables.portal_services(found, version=version.data), kind)


def _found_or_404(request: HttpRequest, version: Version, kuerzel: str) -> PortalReport:
    found, month = _report(request, version, kuerzel)
    if month is None:
        raise Http404("monat")
    return found


def _files(found: PortalReport, name: str, *kinds: str) -> list[tuple[str, str]]:
    base = f"/portale/{found.kuerzel}/{name}"
    return [(kind.upper(), f"{base}.{kind}?monat={found.month:%Y-%m}") for kind in kinds]


def _context(request: HttpRequest, found: PortalReport) -> dict[str, Any]:
    page = Paginator(found.rows, PER_PAGE).get_page(request.GET.get("seite"))
    highest = found.rows[0].value if found.rows else 0
    return {
        "found": found,
        "page": page,
        "all_services": viewer(request).is_authenticated,
        "curve_files": _files(found, "verlauf", "csv", "xlsx", "json", "svg"),
        "service_files": _files(found, "onlineservices", "csv", "xlsx", "json"),
        "earlier": months.shift(found.month, -12),
        "change": formats.signed_percent(formats.change(found.value, found.before)),
        "rows": [
            {
                "row": row,
                "badge_kind": BADGE_KINDS[row.category],
                "badge_text": LABELS[row.category],
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
