"""The history of a service. Who may: whoever may deliver for it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from services.changes import Event, events_of
from services.views.access import managed_service

PER_PAGE = 50


@never_cache
@login_required
@require_safe
def history(request: HttpRequest, number: str) -> HttpResponse:
    service = managed_service(request, number)
    paginator: Paginator[Event] = Paginator(events_of(service), PER_PAGE)
    facts = {"service": service, "page": paginator.get_page(request.GET.get("seite"))}
    return render(request, "services/history.html", facts)
