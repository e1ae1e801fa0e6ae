"""The catalogue of services. Who may: everyone for published ones; people who are signed in for all."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from reports.caching import Version, versioned
from reports.charts import bars
from reports.queries import catalogue as queries
from reports.queries.completeness import LABELS
from reports.templatetags.reports import BADGE_KINDS
from reports.views.services import viewer
from services.models import OnlineService
from zsk import months

PER_PAGE = 25
LONGEST_SEARCH = 100


@require_safe
@versioned
def catalogue(request: HttpRequest, version: Version) -> HttpResponse:
    search = request.GET.get("q", "").replace("\0", "")[:LONGEST_SEARCH].strip()
    sort = request.GET.get("sort", "name")
    sort = sort if sort in queries.SORTS else "name"
    found = queries.catalogue(viewer=viewer(request), search=search, sort=sort)
    paginator: Paginator[OnlineService] = Paginator(found, PER_PAGE)
    page = paginator.get_page(request.GET.get("seite"))
    entries = queries.with_months(queries.entries(page.object_list))
    context = {
        "page": page,
        "search": search,
        "sort": sort,
        "sorts": [("name", _("Name")), ("behoerde", _("Behörde")), ("anzahl", _("Anzahl im letzten Monat"))],
        "lines": [_line(entry) for entry in entries],
        "month": months.last_full(),
    }
    return render(request, "reports/catalogue.html", context)


def _line(entry: queries.CatalogueEntry) -> dict[str, Any]:
    return {
        "entry": entry,
        "badge_kind": BADGE_KINDS[entry.category],
        "badge_text": LABELS[entry.category],
        "spark": bars.sparkline(entry.months),
    }
