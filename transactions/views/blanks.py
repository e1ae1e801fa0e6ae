"""A file to fill in: choose service and months, see what it holds, download it. Everyone signed in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from services.models import OnlineService
from transactions import blanks
from transactions.blank_forms import BlankForm
from transactions.blanks import Blank
from transactions.views.access import person
from zsk.tables import download

PARTS_SHOWN = 20


@login_required
@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    if not OnlineService.objects.deliverable_by(person(request)).exists():
        return render(request, "transactions/no_services.html")
    form = _form(request)
    if not form.is_valid():
        return render(request, "transactions/blank.html", {"form": form}, status=422)
    blank = _blank(request, form)
    left_out = blanks.left_out(blank)
    context: dict[str, Any] = {
        "form": form,
        "blank": blank,
        "row_count": len(blank),
        "shown": blank.parts[:PARTS_SHOWN],
        "hidden": len(blank.parts) - PARTS_SHOWN,
        "left_out": left_out[:PARTS_SHOWN],
        "more_left_out": len(left_out) - PARTS_SHOWN,
    }
    return render(request, "transactions/blank.html", context)


@login_required
@require_safe
def file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The same choice as a file of this kind."""
    form = _form(request)
    if not form.is_valid():
        return render(request, "transactions/blank.html", {"form": form}, status=422)
    service = form.cleaned_data["service"]
    stem = f"vorlage-{service.number.lower()}" if service else "vorlage-lieferung"
    return download(blanks.table(_blank(request, form), kind), stem=stem)


def _form(request: HttpRequest) -> BlankForm:
    asked = {name: request.GET.get(name, "").replace("\0", "").strip() for name in ("service", "von", "bis")}
    return BlankForm(asked, user=person(request))


def _blank(request: HttpRequest, form: BlankForm) -> Blank:
    return blanks.make(person(request), service=form.cleaned_data["service"], span=form.span())
