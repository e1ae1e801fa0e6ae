"""Portals: the list, a new one with its first admin, one to change. For operations only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import queries as reading
from accounts.access import operations_only, person
from accounts.models import Authority, User
from accounts.request_forms import LineField, line
from portals import management
from portals.management import KuerzelTaken, NameTaken
from portals.models import Portal
from services.portal_forms import AdminForm
from services.views.portal_members import added
from zsk.operations.forms import search_field
from zsk.operations.queries import portals as listed

PER_PAGE = 50
# Not „neu“, which is the address of the form.
KUERZEL = RegexValidator(
    r"^(?!neu$)[a-z0-9]+(-[a-z0-9]+)*$",
    gettext_lazy("Nur kleine Buchstaben, Ziffern und Bindestriche, wie serviceportal-hessen."),
)


class PortalFilter(forms.Form):
    q = search_field(gettext_lazy("Name, Kürzel oder Behörde"))


class PortalForm(forms.Form):
    """The Kürzel stands in addresses that others keep: it is chosen once."""

    name = line(gettext_lazy("Name"), missing=gettext_lazy("Nennen Sie den Namen des Portals."), most=200)
    kuerzel = LineField(
        label=gettext_lazy("Kürzel"),
        max_length=50,
        validators=[KUERZEL],
        help_text=gettext_lazy("Steht in Adressen und bleibt, zum Beispiel serviceportal-hessen."),
        error_messages={"required": gettext_lazy("Nennen Sie das Kürzel des Portals.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    authority = line(
        gettext_lazy("Behörde"),
        missing=gettext_lazy("Nennen Sie die Behörde, die das Portal verantwortet."),
        most=200,
        hint=gettext_lazy(
            "Der Name, wie er eingetragen ist. Das Portal nimmt nur Onlineservices ihres Gebiets auf."
        ),
        list="behoerden",
        autocomplete="off",
    )
    url = forms.URLField(
        label=gettext_lazy("Adresse"),
        required=False,
        max_length=200,
        assume_scheme="https",
        error_messages={
            "invalid": gettext_lazy("Das ist keine vollständige Adresse. Sie beginnt mit https://")
        },
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-Mail-Adresse des ersten Admins"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("Die Person bekommt eine Einladung. Das geht auch später."),
        error_messages={
            "invalid": gettext_lazy("Das ist keine vollständige E-Mail-Adresse, wie name@behoerde.de.")
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, portal: Portal | None) -> None:
        super().__init__(data, initial=_facts(portal) if portal else {})
        self.names = reading.authority_names()
        if portal:
            del self.fields["kuerzel"], self.fields["email"]

    def clean_authority(self) -> Authority:
        if found := reading.authority_named(self.cleaned_data["authority"]):
            return found
        raise forms.ValidationError(
            _("Eine Behörde mit diesem Namen gibt es nicht. Tragen Sie sie zuerst bei den Behörden ein.")
        )


def _facts(portal: Portal) -> dict[str, str]:
    return {"name": portal.name, "authority": portal.authority.name, "url": portal.url}


@operations_only
@require_safe
def portals(request: HttpRequest) -> HttpResponse:
    """Operations."""
    form = PortalFilter(request.GET)
    form.is_valid()
    text = form.cleaned_data.get("q", "")
    found: QuerySet[Portal] = listed(text=text)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("seite"))
    return render(request, "operations/portals.html", {"form": form, "page": page, "filtered": bool(text)})


@operations_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Operations."""
    form = PortalForm(request.POST if request.method == "POST" else None, portal=None)
    if form.is_valid() and (made := _created(form, person(request))):
        messages.success(request, _("Das Portal %(name)s ist angelegt.") % {"name": made})
        email = AdminForm({"email": form.cleaned_data["email"]})
        if form.cleaned_data["email"] and email.is_valid():
            added(request, made, email)
        return redirect("operations:portal", made.kuerzel)
    facts = {"form": form, "portal": None}
    return render(request, "operations/portal.html", facts, status=422 if form.errors else 200)


def _created(form: PortalForm, by: User) -> Portal | None:
    """None where the form says why not."""
    values = {name: form.cleaned_data[name] for name in ("name", "kuerzel", "authority", "url")}
    try:
        return management.create_portal(**values, by=by)
    except NameTaken:
        form.add_error("name", _("Ein Portal mit diesem Namen oder Kürzel gibt es schon."))
    except KuerzelTaken:
        form.add_error("kuerzel", _("Dieses Kürzel hat schon ein anderes Portal."))
    return None


@operations_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, kuerzel: str) -> HttpResponse:
    """Operations. Two forms: what the portal is, and whom to invite."""
    portal = get_object_or_404(Portal.objects.select_related("authority"), kuerzel=kuerzel)
    inviting = request.method == "POST" and "einladen" in request.POST
    changing = request.method == "POST" and not inviting
    form = PortalForm(request.POST if changing else None, portal=portal)
    admin_form = AdminForm(request.POST if inviting else None)
    if inviting and admin_form.is_valid() and added(request, portal, admin_form):
        return redirect("operations:portal", portal.kuerzel)
    if changing and form.is_valid() and _changed(form, portal, person(request)):
        messages.success(request, _("%(name)s ist gespeichert.") % {"name": form.cleaned_data["name"]})
        return redirect("operations:portals")
    faulty = form.errors or admin_form.errors
    facts = {
        "form": form,
        "admin_form": admin_form,
        "portal": portal,
        "admins": portal.memberships.select_related("user__authority").order_by("user__last_name", "pk"),
        "invited": management.open_invitations(portal),
        "now": timezone.now(),
    }
    return render(request, "operations/portal.html", facts, status=422 if faulty else 200)


def _changed(form: PortalForm, portal: Portal, by: User) -> bool:
    try:
        management.change_portal(portal=portal, **form.cleaned_data, by=by)
    except NameTaken:
        form.add_error("name", _("Ein Portal mit diesem Namen gibt es schon."))
        return False
    return True
