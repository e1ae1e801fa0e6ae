"""The month in an address; one that does not exist here is a 404 that says so."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from zsk import months


def chosen_month(request: HttpRequest) -> dt.date | None:
    """`?monat=2026-05`; without it the last full month; None for anything that is no month that is over."""
    text = request.GET.get("monat", "")
    if not text:
        return months.last_full()
    month = months.parse(text) if len(text) == 7 else None
    return month if month and month <= months.last_full() else None


def no_such_month(request: HttpRequest, *, first: dt.date | None, address: str) -> HttpResponse:
    context = {
        "first": first,
        "last": months.last_full(),
        "address": address,
        "text": request.GET.get("monat"),
    }
    return render(request, "reports/no_month.html", context, status=404)
