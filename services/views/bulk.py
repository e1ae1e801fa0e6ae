"""Registering many services of a portal at once: choose a file, look at what it would do, register them all.

Who may: the portal's admins and operations; a file that waits is there only for whoever uploaded it.
"""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import person
from portals.models import Portal
from services import bulk, bulk_checks, bulk_source
from services.bulk import Gone, Rejected
from services.bulk_source import Unreadable
from services.models import BulkUpload
from services.views.portal_access import managed_portal
from zsk import formats
from zsk.kinds import ACCEPTED
from zsk.tables import download

SHOWN = 20


class BulkForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Datei (CSV oder XLSX)"),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        max_length=255,
        error_messages={
            "required": gettext_lazy("Wählen Sie eine Datei aus."),
            "missing": gettext_lazy("Wählen Sie eine Datei aus."),
            "invalid": gettext_lazy("Wählen Sie eine Datei aus, keinen Text."),
            "empty": gettext_lazy("Die Datei ist leer. Wählen Sie eine Datei mit Onlineservices aus."),
            "max_length": gettext_lazy("Der Dateiname ist zu lang. Kürzen Sie ihn auf 255 Zeichen."),
        },
    )

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (size := file.size or 0) > bulk.MOST_BYTES:
            words = {"size": filesizeformat(size), "limit": filesizeformat(bulk.MOST_BYTES)}
            text = _("Die Datei hat %(size)s, erlaubt sind %(limit)s. Teilen Sie sie auf.")
            raise forms.ValidationError(text % words)
        return file


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest, kuerzel: str) -> HttpResponse:
    portal = managed_portal(request, kuerzel)
    form = BulkForm(request.POST, request.FILES) if request.method == "POST" else BulkForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        kept = bulk.keep(portal=portal, by=person(request), name=file.name, content=file.read())
        return redirect("services:bulk_review", portal.kuerzel, kept.pk)
    facts = {"portal": portal, "form": form}
    return render(request, "services/portal_bulk.html", facts, status=422 if form.errors else 200)


@login_required
@require_safe
def template(request: HttpRequest, kuerzel: str, kind: str) -> HttpResponseBase:
    area = managed_portal(request, kuerzel).authority.region_id
    return download(bulk_source.template(kind, area=area), stem="vorlage-sammelregistrierung")


@never_cache
@login_required
@require_safe
def review(request: HttpRequest, kuerzel: str, pk: uuid.UUID) -> HttpResponse:
    """What the file would do; nothing is written."""
    portal = managed_portal(request, kuerzel)
    kept = _own(request, portal, pk)
    facts: dict[str, Any] = {"portal": portal, "upload": kept, "form": BulkForm()}
    try:
        checked = bulk_checks.check(kept)
    except Unreadable as unreadable:
        return render(request, "services/portal_bulk_unreadable.html", {**facts, "faults": unreadable.faults})
    found = checked.faults or checked.warnings
    facts |= {
        "checked": checked,
        "found": found[:SHOWN],
        "hidden": max(len(found) - SHOWN, 0),
        "columns": bulk_checks.by_column(checked.faults),
        "sample": checked.ready[:SHOWN],
    }
    name = "services/portal_bulk_faults.html" if checked.faults else "services/portal_bulk_ready.html"
    return render(request, name, facts)


def _own(request: HttpRequest, portal: Portal, pk: uuid.UUID) -> BulkUpload:
    return get_object_or_404(BulkUpload.objects.filter(portal=portal, user=person(request)), pk=pk)


@login_required
@require_POST
def take_successors(request: HttpRequest, kuerzel: str, pk: uuid.UUID) -> HttpResponse:
    """Leads back to the preview, which is another one then; nothing is registered."""
    portal = managed_portal(request, kuerzel)
    bulk.take_successors(_own(request, portal, pk))
    return redirect("services:bulk_review", portal.kuerzel, pk)


@never_cache
@login_required
@require_safe
def report(request: HttpRequest, kuerzel: str, pk: uuid.UUID) -> HttpResponseBase:
    """The person's own file with what became of each row."""
    kept = _own(request, managed_portal(request, kuerzel), pk)
    return download(bulk.report(kept), stem="sammelregistrierung-bericht")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, kuerzel: str, pk: uuid.UUID) -> HttpResponse:
    """By POST. GET leads back to the preview: a session may have ended between."""
    portal = managed_portal(request, kuerzel)
    kept = BulkUpload.objects.filter(portal=portal, user=person(request), pk=pk).first()
    if request.method != "POST" and kept:
        return redirect("services:bulk_review", portal.kuerzel, pk)
    try:
        if kept is None:
            raise Gone
        made = bulk.register(kept, by=person(request))
    except Gone:
        messages.info(
            request,
            _("Diese Datei wartet nicht mehr. Ihre Onlineservices stehen hier, wenn sie registriert ist."),
        )
        return redirect("services:portal_services", portal.kuerzel)
    except (Rejected, Unreadable):
        messages.error(
            request,
            _("Nichts registriert: Seit der Vorschau hat sich etwas geändert, jetzt hat die Datei Fehler."),
        )
        return redirect("services:bulk_review", portal.kuerzel, pk)
    words = {"count": formats.number(len(made))}
    text = (
        _("Registriert: %(count)s Onlineservices.")
        if len(made) > 1
        else _("Ein Onlineservice ist registriert.")
    )
    messages.success(request, text % words)
    return redirect("services:portal_services", portal.kuerzel)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: HttpRequest, kuerzel: str, pk: uuid.UUID) -> HttpResponse:
    """GET asks, POST does it."""
    portal = managed_portal(request, kuerzel)
    kept = _own(request, portal, pk)
    if request.method != "POST":
        return render(request, "services/portal_bulk_discard.html", {"portal": portal, "upload": kept})
    bulk.discard(kept)
    messages.success(
        request, _("Verworfen: %(file)s. Es wurde nichts registriert.") % {"file": kept.file_name}
    )
    return redirect("services:bulk", portal.kuerzel)
