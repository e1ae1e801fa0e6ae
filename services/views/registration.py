"""Registering a service, step by step. Who may: everyone signed in; a draft is its owner's alone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import person
from services import registration_forms as forms
from services.duplicates import Candidate, Duplicate, possible_duplicates
from services.master_data import MasterData
from services.models import RegistrationDraft
from services.pickers import asks_for_search, leistung_detail, leistung_marks, leistung_picker, region_picker
from services.queries import drafts_of
from services.registration import KennungTaken, register_draft
from services.registration_forms import CHECK, OWN, PATH, STEPS, Judged, OriginForm, Step, judge, step_named
from services.sentences import value_text

PICKERS = {
    "leistung": lambda text, chosen: leistung_picker("leistung", text=text, chosen=chosen, single=True),
    "more_leistungen": lambda text, chosen: leistung_picker(
        "more_leistungen", text=text, chosen=chosen, single=False
    ),
    "area": lambda text, chosen: region_picker("area", text=text, chosen=chosen, tree=False),
}
# Fields that a button may fill in with a proposal.
PROPOSED_FIELDS = {"name", "authority"}


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Where the service comes from; and what was begun before."""
    form = OriginForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["origin"] != OWN:
            return render(request, "services/register_reused.html", {"path": PATH})
        draft = RegistrationDraft.objects.filter(user=person(request), data={}).first()
        draft = draft or RegistrationDraft.objects.create(user=person(request))
        return redirect("services:register_step", draft.pk, STEPS[0].slug)
    facts = {"form": form, "drafts": drafts_of(person(request)), "path": PATH}
    return render(request, "services/register_start.html", facts, status=422 if form.errors else 200)


@never_cache
@require_safe
def picker(request: HttpRequest, name: str) -> HttpResponse:
    """Everyone signed in: what a search while typing finds, for the step's form and that of the master data.

    Without log-in a plain 401, not the way to the log-in: htmx would put that page into the form.
    """
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    if name not in PICKERS:
        raise Http404(name)
    text = request.GET.get(f"suche_{name}", "").replace("\0", "")[:200]
    chosen = [key.replace("\0", "") for key in request.GET.getlist(name)[: forms.MOST_KEYS]]
    return render(request, "services/picker_again.html", {"picker": PICKERS[name](text, chosen)})


def own_draft(request: HttpRequest, pk: int) -> RegistrationDraft:
    return get_object_or_404(RegistrationDraft, pk=pk, user=person(request))


@login_required
@require_safe
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Where its owner goes on: at the first step that is not right yet."""
    found = own_draft(request, pk)
    if "registered" in found.data:
        return redirect("services:register")
    missing = judge(found.data, user=person(request)).missing
    return redirect("services:register_step", pk, missing.slug if missing else CHECK)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Its owner."""
    found = own_draft(request, pk)
    if request.method == "POST":
        found.delete()
        messages.success(request, _("Der Entwurf ist verworfen."))
        return redirect("services:register")
    title = next((one.title for one in drafts_of(person(request)) if one.pk == pk), "")
    return render(request, "services/draft_discard.html", {"draft": found, "title": title})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def step(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """Its owner."""
    found = own_draft(request, pk)
    if "registered" in found.data:
        return _registered(request, found)
    if slug == CHECK:
        return _check(request, found)
    current = step_named(slug)
    if current is None:
        raise Http404(slug)
    if request.method == "POST":
        return _sent(request, found, current)
    if "fehlt" in request.GET:
        return _page(request, found, current, forms.bound(current, found.data, user=person(request)))
    return _page(request, found, current, forms.shown(current, found.data, user=person(request)))


def _registered(request: HttpRequest, found: RegistrationDraft) -> HttpResponse:
    return redirect("services:manage", f"OS-{found.data['registered']:06d}")


def _sent(request: HttpRequest, found: RegistrationDraft, current: Step) -> HttpResponse:
    """Whatever was typed is kept first, right or wrong."""
    values = forms.kept_values(current, request.POST)
    field, _colon, proposal = request.POST.get("setzen", "").partition(":")
    if field in PROPOSED_FIELDS:
        values[field] = proposal.replace("\0", "")
    found.data = {**found.data, **values}
    found.save()
    index = STEPS.index(current)
    if "zurueck" in request.POST:
        return (
            redirect("services:register_step", found.pk, STEPS[index - 1].slug)
            if index
            else redirect("services:register")
        )
    if "spaeter" in request.POST:
        messages.success(request, _("Der Entwurf ist gespeichert. Sie können jederzeit weitermachen."))
        return redirect("services:register")
    data = {**found.data, **_search_texts(request)}
    if field or asks_for_search(request.POST):
        return _page(request, found, current, forms.shown(current, data, user=person(request)))
    form = forms.bound(current, data, user=person(request))
    if not form.is_valid():
        return _page(request, found, current, form)
    following = STEPS[index + 1].slug if index + 1 < len(STEPS) else CHECK
    return redirect("services:register_step", found.pk, following)


def _search_texts(request: HttpRequest) -> dict[str, str]:
    sent = request.POST
    return {name: str(sent[name]).replace("\0", "")[:200] for name in sent if name.startswith("suche_")}


def _page(request: HttpRequest, found: RegistrationDraft, current: Step, form: Any) -> HttpResponse:
    number = STEPS.index(current) + 2
    facts = {"draft": found, "form": form, "step": current, "number": number, "path": PATH}
    return render(
        request, f"services/register_{current.slug}.html", facts, status=422 if form.errors else 200
    )


# --- The last step: look at everything, then register -------------------------------------------------


def _check(request: HttpRequest, found: RegistrationDraft) -> HttpResponse:
    judged = judge(found.data, user=person(request))
    if judged.missing:
        messages.warning(
            request, _("Bitte ergänzen Sie zuerst diesen Schritt. Ihre Angaben sind gespeichert.")
        )
        return redirect(f"/meine/onlineservices/neu/{found.pk}/{judged.missing.slug}?fehlt=")
    assert judged.data is not None  # noqa: S101 (nothing is missing)
    duplicates = possible_duplicates(candidate_of(judged.data))
    error = _why_not_yet(request, duplicates) if request.method == "POST" else ""
    if request.method == "POST" and not error:
        return _register(request, found, judged, judged.data)
    return _check_page(request, found, judged, duplicates, error)


def candidate_of(data: MasterData) -> Candidate:
    prefixes = tuple(region.prefix for region in data.area)
    return Candidate(data.name, data.leistung.pk, data.authority.pk, data.url, prefixes)


def _why_not_yet(request: HttpRequest, duplicates: list[Duplicate]) -> str:
    """Each service that may be the same must have been shown and be confirmed not to be."""
    shown = set(request.POST.getlist("gesehen"))
    if duplicates and "bestaetigt" not in request.POST:
        return _("Bestätigen Sie, dass Ihr Onlineservice keiner von diesen ist.")
    if any(str(duplicate.service.pk) not in shown for duplicate in duplicates):
        return _(
            "Inzwischen ist ein weiterer ähnlicher Onlineservice dazugekommen. Bitte sehen Sie noch einmal."
        )
    return ""


def _check_page(
    request: HttpRequest, found: RegistrationDraft, judged: Judged, duplicates: list[Duplicate], error: str
) -> HttpResponse:
    data = judged.data
    assert data is not None  # noqa: S101 (the caller has seen to it)
    facts = {
        "draft": found,
        "data": data,
        "detail": leistung_detail(data.leistung),
        "marks": leistung_marks(data.leistung),
        "texts": {
            name: value_text(name, getattr(data, name))
            for name in ("area", "more_leistungen", "reporting_level")
        },
        "portal": judged.portal,
        "kennung": judged.kennung,
        "duplicates": duplicates,
        "error": error,
        "path": PATH,
        "number": len(PATH),
    }
    return render(request, "services/register_check.html", facts, status=422 if error else 200)


def _register(
    request: HttpRequest, found: RegistrationDraft, judged: Judged, data: MasterData
) -> HttpResponse:
    try:
        service = register_draft(
            draft=found, data=data, portal=judged.portal, kennung=judged.kennung, by=person(request)
        )
    except KennungTaken:
        # Somebody was quicker: the step says so now.
        return redirect(f"/meine/onlineservices/neu/{found.pk}/betrieb?fehlt=")
    text = _("„%(name)s“ ist registriert und hat die Nummer %(number)s.")
    messages.success(request, text % {"name": service.name, "number": service.number})
    return redirect("services:manage", service.number)
