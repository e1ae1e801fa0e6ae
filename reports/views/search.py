"""The search of every page. Who may: everyone, for published services; people who are signed in for all."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reports.caching import Version, versioned
from reports.queries import search as queries
from reports.views.services import viewer

LONGEST_SEARCH = 100


@require_safe
@versioned
def search(request: HttpRequest, version: Version) -> HttpResponse:
    text = request.GET.get("q", "").replace("\0", "")[:LONGEST_SEARCH].strip()
    found = queries.search(text, viewer=viewer(request))
    return render(request, "reports/search.html", {"text": text, "found": found})
