"""The month in an address; one that does not exist here is a 404 that says so."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reports.caching import Version, remembered
from transactions import totals
from transactions.values import FIRST_MONTH
from zsk import months


def chosen_month(request: HttpRequest) -> dt.date | None:
    """`?monat=2026-05`; without it the last full month; None for anything that is no month that is over, or
    none that can be delivered: whoever asks for the year 1 must not make the server compute it.
    """
    text = request.GET.get("monat", "")
    if not text:
        return months.last_full()
    month = months.parse(text) if len(text) == 7 else None
    return month if month and FIRST_MONTH <= month <= months.last_full() else None


def of_today(request: HttpRequest) -> bool:
    """`?gebietsstand=heute`: by the regions of today; otherwise by those that counts were reported for."""
    return request.GET.get("gebietsstand") == "heute"


def first_published(version: Version) -> dt.date | None:
    """The first month that any published service has a number for."""
    found: dt.date | None = remembered(version, "first month", totals.first_month)
    return found


def no_such_month(request: HttpRequest, *, first: dt.date | None, address: str) -> HttpResponse:
    context = {
        "first": first,
        "last": months.last_full(),
        "address": address,
        "text": request.GET.get("monat"),
    }
    return render(request, "reports/no_month.html", context, status=404)
