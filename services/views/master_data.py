"""The pages of one service for its people: start, master data, end.

Who may: its members see the start; who is responsible for it changes things.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import person
from services import queries
from services.changes import Difference, differences, merged, version_at
from services.master_data import (
    ChangedMeanwhile,
    MasterData,
    StillNeeded,
    change_master_data,
    delete_service,
    end_service,
    leistungen_of,
    master_data_of,
    resume_service,
)
from services.master_data_forms import EndForm, MasterDataForm, typed
from services.models import OnlineService
from services.pickers import asks_for_search
from services.portal_services import may_answer
from services.standing import Standing
from services.superseded import NoSuccessor, superseded_in, take_successor
from services.views.access import editable_service, managed_service, may_edit

BADGES = {
    Standing.LATE: "danger", Standing.DUE: "warning", Standing.NEVER: "warning",
    Standing.CURRENT: "success", Standing.STARTING: "info", Standing.ENDED: "info",
}  # fmt: skip


@never_cache
@login_required
@require_safe
def manage(request: HttpRequest, number: str) -> HttpResponse:
    """Whoever may deliver."""
    service = managed_service(request, number)
    start = queries.start_of(service)
    editor = may_edit(request, service)
    facts = {
        "superseded": superseded_in(service),
        "service": service,
        "start": start,
        "badge_kind": BADGES[start.standing],
        "tasks": [] if start.ended else queries.first_tasks(start, may_edit=editor),
        "may_edit": editor,
        "may_leave": may_answer(service, person(request)),
    }
    return render(request, "services/manage.html", facts)


@login_required
@require_POST
def take_over(request: HttpRequest, number: str) -> HttpResponse:
    """Whoever is responsible: a successor in the place of a Leistung that has ended."""
    service = editable_service(request, number)
    old, _colon, new = request.POST.get("nachfolger", "").partition(":")
    try:
        take_successor(service=service, old=old, new=new, by=person(request))
    except (NoSuccessor, ChangedMeanwhile):
        messages.error(
            request, _("Nichts geändert: Die Stammdaten sind inzwischen andere. Sehen Sie bitte noch einmal.")
        )
    else:
        messages.success(request, _("Der Nachfolger ist eingetragen. Die Änderung steht im Verlauf."))
    return redirect("services:manage", service.number)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: str) -> HttpResponse:
    """Whoever is responsible."""
    service = editable_service(request, number)
    if request.method != "POST":
        return _form(request, service, _shown(service, {}))
    if "setzen" in request.POST or asks_for_search(request.POST):
        return _form(request, service, _shown(service, _sent_values(request)))
    form = MasterDataForm(request.POST, held=leistungen_of(service))
    if not form.is_valid():
        return _form(request, service, form)
    data, revision = form.master_data(), form.cleaned_data["revision"]
    to_confirm = service.revision == revision and not form.cleaned_data["confirmed"]
    if to_confirm and (consequences := consequences_of(service, data)):
        return _form(request, service, form, consequences=consequences)
    return _save(request, service, data, revision)


def _shown(service: OnlineService, sent: dict[str, Any]) -> MasterDataForm:
    """What is stored, and above it what was typed but not saved yet."""
    stored = {**typed(master_data_of(service)), "revision": service.revision}
    return MasterDataForm(initial={**stored, **sent})


def _sent_values(request: HttpRequest) -> dict[str, Any]:
    """As it was typed, right or wrong; a button may fill in a proposal."""
    sent = {name: text.replace("\0", "") for name, text in request.POST.items() if isinstance(text, str)}
    lists = {name: request.POST.getlist(name) for name in ("area", "more_leistungen")}
    field, _colon, proposal = sent.get("setzen", "").partition(":")
    return {**sent, **lists, **({field: proposal} if field in {"name", "authority"} else {})}


def _form(
    request: HttpRequest,
    service: OnlineService,
    form: MasterDataForm,
    *,
    consequences: list[str] | None = None,
    changed: list[Difference] | None = None,
) -> HttpResponse:
    facts = {"service": service, "form": form, "consequences": consequences, "changed": changed}
    status = 409 if changed is not None else 422 if form.errors or consequences else 200
    return render(request, "services/master_data.html", facts, status=status)


def consequences_of(service: OnlineService, data: MasterData) -> list[str]:
    """What a change means for counts that are there already."""
    state = getattr(service, "state", None)
    if state is None or state.last_month is None:
        return []
    found = []
    if data.reporting_level != service.reporting_level:
        found.append(
            _(
                "Es gibt schon Zahlen auf der Ebene %(old)s. Sie bleiben, wie sie sind. Ab jetzt werden nur"
                " noch Zahlen auf der Ebene %(new)s angenommen, auch für frühere Monate. Wer einen davon"
                " berichtigt, muss den ganzen Monat auf der neuen Ebene liefern, sonst zählt er doppelt."
            )
            % {"old": service.get_reporting_level_display(), "new": _level(data)}
        )
    if data.leistung != service.leistung:
        text = _("Alle Zahlen, auch die bisherigen, zählen dann zur Leistung „%(new)s“ statt zu „%(old)s“.")
        found.append(text % {"new": data.leistung.name, "old": service.leistung.name})
    return found


def _level(data: MasterData) -> str:
    return str(OnlineService(reporting_level=data.reporting_level).get_reporting_level_display())


def _save(request: HttpRequest, service: OnlineService, data: MasterData, revision: int) -> HttpResponse:
    before = service.revision
    try:
        saved = change_master_data(service=service, data=data, revision=revision, by=person(request))
    except ChangedMeanwhile:
        return _changed_meanwhile(request, number=service.number, own=data, revision=revision)
    text = _("Die Stammdaten sind gespeichert.") if saved.revision > before else _("Es war nichts zu ändern.")
    messages.success(request, text)
    return redirect("services:manage", saved.number)


def _changed_meanwhile(request: HttpRequest, *, number: str, own: MasterData, revision: int) -> HttpResponse:
    """Shows what others changed. The form holds what this person has changed, and else what is stored now."""
    service = editable_service(request, number)
    base, now = version_at(service, revision), master_data_of(service)
    mixed = merged(base or now, own=own, now=now)
    form = MasterDataForm(initial={**typed(mixed), "revision": service.revision})
    return _form(request, service, form, changed=differences(service, base or own, own=own, now=now))


# --- The end ------------------------------------------------------------------------------------------


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, number: str) -> HttpResponse:
    """Whoever is responsible; what was ended can be put back into operation here."""
    service = editable_service(request, number)
    if request.method == "POST" and "weiter" in request.POST:
        resume_service(service=service, by=person(request))
        messages.success(request, _("Der Onlineservice ist wieder in Betrieb."))
        return redirect("services:manage", service.number)
    initial = {"ended_on": service.ended_on or timezone.localdate()}
    form = EndForm(request.POST if request.method == "POST" else None, service=service, initial=initial)
    if form.is_bound and form.is_valid():
        end_service(service=service, on=form.cleaned_data["ended_on"], by=person(request))
        messages.success(request, _("Das Ende ist eingetragen. Sie können es jederzeit zurücknehmen."))
        return redirect("services:manage", service.number)
    facts = {"service": service, "form": form}
    return render(request, "services/end.html", facts, status=422 if form.errors else 200)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, number: str) -> HttpResponse:
    """Whoever is responsible, while nothing was delivered."""
    service = editable_service(request, number)
    months = service.months.count()
    if request.method == "POST":
        try:
            delete_service(service=service, by=person(request))
        except StillNeeded as needed:
            return _refused(request, service, needed.months)
        messages.success(request, _("„%(name)s“ ist gelöscht.") % {"name": service.name})
        return redirect("transactions:mine")
    if months:
        return _refused(request, service, months)
    return render(request, "services/delete.html", {"service": service})


def _refused(request: HttpRequest, service: OnlineService, months: int) -> HttpResponse:
    facts = {"service": service, "months": months, "refused": True}
    return render(request, "services/delete.html", facts, status=409 if request.method == "POST" else 200)
