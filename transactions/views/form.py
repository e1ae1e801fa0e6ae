"""Delivering by form: the numbers of one service, months beside regions.

Only for people who are signed in, for services that they may deliver for.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from services.models import NUMBER, OnlineService
from services.pickers import asks_for_search
from services.views.access import managed_service
from transactions import grid, grid_forms, pasting
from transactions.grid import MAX_CELLS, MAX_ROWS, Sheet, TooLarge
from transactions.grid_forms import SheetForm
from transactions.models import Delivery
from transactions.pasting import NotPasted
from transactions.queries import form as reading
from transactions.queries import standing
from transactions.values import FIRST_MONTH
from transactions.views.access import own_upload, person
from transactions.views.sheet import SheetPage, page_of, region_names
from zsk import formats, months

CHOICES_PER_PAGE = 25


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def form(request: HttpRequest) -> HttpResponse:
    """Whoever may deliver for the service; without one in the address, the choice of one's services."""
    if request.method == "POST":
        return _sent(request, managed_service(request, request.POST.get("service", "")))
    if "lieferung" in request.GET:
        return _again(request, request.GET["lieferung"])
    if number := request.GET.get("service"):
        return _opened(request, managed_service(request, number))
    services = OnlineService.objects.deliverable_by(person(request))
    several = list(services[:2])
    if not several:
        return render(request, "transactions/no_services.html")
    return _choose(request) if len(several) > 1 else _opened(request, several[0])


def _choose(request: HttpRequest) -> HttpResponse:
    services = standing.with_standing(OnlineService.objects.deliverable_by(person(request)))
    text = request.GET.get("q", "").replace("\0", "").strip()
    if text:
        number = NUMBER.match(text)
        services = services.filter(Q(pk=int(number[1])) if number else Q(name__icontains=text))
    ordered = services.select_related("state").order_by("urgency", "name", "pk")
    page = Paginator(ordered, CHOICES_PER_PAGE).get_page(request.GET.get("seite"))
    context = {"page": page, "lines": standing.lines(list(page.object_list)), "q": text}
    return render(request, "transactions/form_choose.html", context)


def _opened(request: HttpRequest, service: OnlineService) -> HttpResponse:
    """`?monat=2026-05` shows that month alone."""
    month = months.parse(request.GET.get("monat"))
    wanted = [month] if month and FIRST_MONTH <= month <= months.running() else []
    sheet, too_many = grid.opened(service, wanted)
    return _page(request, sheet, too_many=too_many)


def _again(request: HttpRequest, number: str) -> HttpResponse:
    """The form of a delivery that was not taken over, with everything typed and what is wrong with it."""
    delivery = _unfinished(request, number)
    if delivery is None or delivery.service is None:
        raise Http404(number)
    service = managed_service(request, delivery.service.number)
    sheet = grid.reopened(delivery)
    if sheet is None:
        return redirect(f"{reverse('transactions:form')}?service={service.number}")
    changes = sheet.changes()
    checked = grid.check_changes(sheet, changes, by=person(request)) if changes else None
    return _page(request, sheet, checked=checked, delivery=delivery)


def _unfinished(request: HttpRequest, number: str) -> Delivery | None:
    """A form of this person's that waits or was refused."""
    try:
        delivery = own_upload(request, uuid.UUID(number))
    except (ValueError, Http404):
        return None
    open_ = delivery.status in (Delivery.Status.WAITING, Delivery.Status.REFUSED)
    return delivery if open_ and delivery.channel == Delivery.Channel.FORM else None


# --- What was sent ---------------------------------------------------------------------------------------


def _sent(request: HttpRequest, service: OnlineService) -> HttpResponse:
    sheet = grid.with_stored(grid_forms.sent_sheet(service, request.POST))
    around = SheetForm(request.POST)
    around.is_valid()
    notes: list[str] = []
    sheet = _adjusted(request, sheet, around, notes)
    delivery = _unfinished(request, request.POST.get("lieferung", ""))
    if around.errors:
        return _page(request, sheet, around=around, delivery=delivery)
    if notes or asks_for_search(request.POST) or "pruefen" not in request.POST:
        search = around.raw("suche_area") if asks_for_search(request.POST) else ""
        around = grid_forms.fresh(sheet, search=search)
        return _page(request, sheet, around=around, notes=notes, delivery=delivery)
    return _checked(request, sheet, delivery)


def _adjusted(request: HttpRequest, sheet: Sheet, around: SheetForm, notes: list[str]) -> Sheet:
    """The sheet after what the form asks for besides checking; faults stand at the form's fields."""
    steps = [
        ("bis", _with_period, "zeitraum" in request.POST),
        ("area", _with_regions, "alle" in request.POST or around.regions()),
        ("tabelle", _with_block, around.raw("tabelle").strip()),
    ]
    for name, step, wanted in steps:
        if not wanted or name in around.errors:
            continue
        try:
            sheet = step(request, sheet, around, notes)
        except TooLarge as large:
            around.add_error(name, _too_large(large))
        except NotPasted as fault:
            around.add_error(name, fault.problems)
    return sheet


def _with_period(request: HttpRequest, sheet: Sheet, around: SheetForm, notes: list[str]) -> Sheet:
    period = around.period()
    return grid.adjusted(sheet, months=period) if period else sheet


def _with_regions(request: HttpRequest, sheet: Sheet, around: SheetForm, notes: list[str]) -> Sheet:
    if "alle" in request.POST:
        keys = reading.area_regions(sheet.service, limit=MAX_ROWS + 1)
    else:
        keys, below = reading.expand(sheet.service, around.regions())
        if below:
            around.add_error("area", _below(sheet.service, [region.name for region in below]))
    before = len(sheet.regions)
    sheet = grid.adjusted(sheet, regions=keys)
    added = len(sheet.regions) - before
    text = ngettext("%(count)d Region ist dazugekommen.", "%(count)d Regionen sind dazugekommen.", added)
    notes.append(text % {"count": added})
    return sheet


def _below(service: OnlineService, names: list[str]) -> str:
    level = str(service.get_reporting_level_display())
    text = _("%(names)s liegt unter der Meldeebene %(level)s. Gemeldet wird nur die Zahl für %(level)s.")
    return text % {"names": ", ".join(names), "level": level}


def _with_block(request: HttpRequest, sheet: Sheet, around: SheetForm, notes: list[str]) -> Sheet:
    names = region_names(sheet.regions)
    found = pasting.read_block(
        around.raw("tabelle"), service=sheet.service, columns=sheet.months, regions=names
    )
    sheet = grid.filled(sheet, found.cells)
    text = ngettext(
        "%(count)s Zahl ist eingefügt. Noch ist nichts gespeichert.",
        "%(count)s Zahlen sind eingefügt. Noch ist nichts gespeichert.",
        len(found.cells),
    )
    notes += [text % {"count": formats.number(len(found.cells))}, *found.notes]
    return sheet


def _too_large(large: TooLarge) -> str:
    text = _(
        "%(regions)s Regionen und %(months)s Monate ergeben zu viele Felder, das Formular fasst %(most)s."
        " Wählen Sie weniger, oder laden Sie die Zahlen als Datei hoch."
    )
    most = {"most": formats.number(MAX_CELLS)}
    return text % {"regions": formats.number(large.regions), "months": formats.number(large.months), **most}


def _checked(request: HttpRequest, sheet: Sheet, delivery: Delivery | None) -> HttpResponse:
    """On to the preview, or what is wrong at each field; nothing is kept of a form with faults."""
    changes = sheet.changes()
    if not changes:
        return _page(request, sheet, delivery=delivery, nothing=True)
    checked = grid.check_changes(sheet, changes, by=person(request))
    if checked.faults:
        return _page(request, sheet, checked=checked, delivery=delivery)
    done = grid.submit(sheet, by=person(request), instead_of=delivery)
    return redirect("transactions:review", done.pk)


# --- The page --------------------------------------------------------------------------------------------


def _page(
    request: HttpRequest,
    sheet: Sheet,
    *,
    around: SheetForm | None = None,
    delivery: Delivery | None = None,
    too_many: int = 0,
    notes: list[str] | None = None,
    **found: Any,
) -> HttpResponse:
    around = around or grid_forms.fresh(sheet)
    page: SheetPage = page_of(sheet, around, **found)
    context = {
        "service": sheet.service,
        "page": page,
        "form": around,
        "notes": notes or [],
        "delivery": delivery,
        "too_many": too_many,
        "most": MAX_CELLS,
        "area_rows": _missing_rows(sheet),
        "expands": sheet.service.reporting_level in ("kreis", "gemeinde"),
    }
    status = 422 if request.method == "POST" and page.errors else 200
    return render(request, "transactions/form.html", context, status=status)


def _missing_rows(sheet: Sheet) -> int:
    """How many regions of the area are not shown, where one button may add them all."""
    there = set(sheet.regions)
    area = reading.area_regions(sheet.service, limit=MAX_ROWS + 1)
    missing = [ars for ars in area if ars not in there]
    rows = len(there) + len(missing)
    return len(missing) if rows <= MAX_ROWS and rows * len(sheet.months) <= MAX_CELLS else 0
