"""Downloads of the open figures, and what one must know of them. Who may: everyone."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from reports import complete_file, exports, standalone, tables
from reports.caching import Version, remembered, versioned
from reports.queries import catalogue as catalogue_queries
from reports.queries import completeness
from reports.queries import overview as queries
from reports.queries.overview import Overview
from reports.views.choices import chosen_month, first_published, no_such_month
from zsk import formats, months


@require_safe
@versioned
def index(request: HttpRequest, version: Version) -> HttpResponse:
    context = {
        "last": months.last_full(),
        "first": first_published(version),
        "stand": remembered(version, "stand", queries.stand),
        "version": version.data,
    }
    return render(request, "reports/data.html", context)


def _overview_or_404(request: HttpRequest, version: Version) -> Overview:
    month, first = chosen_month(request), first_published(version)
    if month is None or first is None or month < first:
        raise Http404("monat")
    found = remembered(version, f"overview {month}", lambda: queries.overview(month=month))
    if found is None:
        raise Http404("monat")
    return found


@require_safe
@versioned
def curve(request: HttpRequest, version: Version, kind: str) -> HttpResponse:
    found = _overview_or_404(request, version)
    if kind == "svg":
        title = _("Transaktionen je Monat, alle veröffentlichten Onlineservices")
        return standalone.respond(standalone.curve(found.curve, title=title, stand=found.stand), "verlauf")
    return exports.respond(request, tables.curve(found, version=version.data), kind)


@require_safe
@versioned
def laender(request: HttpRequest, version: Version, kind: str) -> HttpResponse:
    found = _overview_or_404(request, version)
    if kind == "svg":
        return standalone.respond(_map(request, found), f"laender-{found.month:%Y-%m}")
    return exports.respond(request, tables.laender(found.laender, found, version=version.data), kind)


def _map(request: HttpRequest, found: Overview) -> str:
    absolute = request.GET.get("wert") == "absolut"
    measure = _("Transaktionen") if absolute else _("Transaktionen je 100.000 Einwohner")
    title = f"{measure}, {formats.month(found.month)}"
    return standalone.land_map(found.laender.rows, absolute=absolute, title=title, stand=found.stand)


@require_safe
@versioned
def ranking(request: HttpRequest, version: Version, kind: str) -> HttpResponse:
    """All services with a value for the month, not only the ten of the page."""
    found = _overview_or_404(request, version)
    if kind == "svg":
        raise Http404(kind)
    month = found.month
    rows = remembered(version, f"ranking {month}", lambda: queries.ranking(month=month))
    return exports.respond(request, tables.ranking(rows, found, version=version.data), kind)


@require_safe
@versioned
def services(request: HttpRequest, version: Version, kind: str) -> HttpResponse:
    """The catalogue of published services; signed in or not, the file is the open one."""
    if kind == "svg":
        raise Http404(kind)
    found = remembered(version, "catalogue file", _published_entries)
    month = exports.machine_month(months.last_full())
    return exports.respond(request, tables.catalogue(found, month=month, version=version.data), kind)


def _published_entries() -> list[catalogue_queries.CatalogueEntry]:
    return catalogue_queries.entries(catalogue_queries.catalogue(viewer=AnonymousUser()))


@require_safe
def counts(request: HttpRequest) -> HttpResponseBase:
    """Every published monthly total. The connection is given back before the first byte is sent."""
    response = versioned(complete_file.respond)(request)
    if not connection.in_atomic_block:
        connection.close()
    return response


@require_safe
@versioned
def coverage(request: HttpRequest, version: Version) -> HttpResponse:
    month = chosen_month(request)
    first = first_published(version)
    if month is None or (first and month < first):
        return no_such_month(request, first=first, address=request.path)
    context = {
        "month": month,
        "found": remembered(version, f"coverage {month}", lambda: completeness.completeness(month=month)),
        "lines": remembered(version, f"standings {month}", lambda: completeness.standings(month=month)),
        "share": remembered(
            version, f"catalogue share {month}", lambda: completeness.catalogue_share(month=month)
        ),
        "labels": completeness.LABELS,
        "due": months.due_on(month),
        "previous": months.shift(month, -1) if first and month > first else None,
        "following": months.shift(month, 1) if month < months.last_full() else None,
        "stand": remembered(version, "stand", queries.stand),
    }
    return render(request, "reports/coverage.html", context)
