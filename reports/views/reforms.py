"""Territorial reforms: all of them by year, and what each one did. Open to everyone."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reports.caching import Version, remembered, versioned
from reports.queries import reforms as queries

PER_PAGE = 25
LONGEST_SEARCH = 100


@require_safe
@versioned
def reforms(request: HttpRequest, version: Version) -> HttpResponse:
    """`?jahr=2024`, without it the newest year with changes; `?q=` searches all years."""
    search = request.GET.get("q", "").replace("\0", "")[:LONGEST_SEARCH].strip()
    years: list[int] = remembered(version, "reform years", queries.years)
    year = None if search else _year(request, years)
    paginator: Paginator[str] = Paginator(queries.identifiers(year=year, text=search), PER_PAGE)
    page = paginator.get_page(request.GET.get("seite"))
    context = {
        "page": page,
        "search": search,
        "years": years,
        "year": year,
        "reforms": queries.reforms(list(page.object_list)),
    }
    return render(request, "reports/reforms.html", context)


def _year(request: HttpRequest, years: list[int]) -> int | None:
    named = request.GET.get("jahr", "")
    year = int(named) if named.isascii() and named.isdecimal() and len(named) == 4 else None
    return year if year in years else next(iter(years), None)


@require_safe
@versioned
def reform(request: HttpRequest, version: Version, change_id: str) -> HttpResponse:
    found = [] if "\0" in change_id else queries.reforms([change_id])
    if not found:
        raise Http404(change_id)
    context: dict[str, Any] = {"reform": found[0], "meaning": queries.meaning(found[0])}
    return render(request, "reports/reform.html", context)
