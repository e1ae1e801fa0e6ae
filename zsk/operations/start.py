"""The start page of operations: what is to do, and the way to everything else."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.access import operations_only
from zsk.operations import queries

PORTALS = "/betrieb/portale/"
PUBLICATION = "/betrieb/veroeffentlichung/"
SYNCS = "/betrieb/abgleich/"
QUALITY = "/betrieb/qualitaet/"
MONTHS = "/betrieb/monate/"


@dataclass(frozen=True)
class Area:
    """Pages of operations that another room serves, with what they count."""

    label: str | Promise
    address: str
    count: int
    what: str | Promise


@operations_only
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Operations."""
    overview = queries.overview()
    areas = [
        Area(_("Portale"), PORTALS, overview.portals, _("bündeln Onlineservices")),
        Area(_("Abgleich"), SYNCS, overview.waiting_syncs, _("zu bestätigen")),
        Area(_("Veröffentlichung"), PUBLICATION, overview.unpublished, _("nicht veröffentlicht")),
        Area(_("Datenqualität"), QUALITY, overview.implausible, _("auffällige Lieferungen zu prüfen")),
        Area(_("Monate"), MONTHS, overview.closed_months, _("abgeschlossen")),
    ]
    facts = {
        "overview": overview,
        "areas": [area for area in areas if _exists(area.address)],
        "publication": PUBLICATION if _exists(PUBLICATION) else "",
    }
    return render(request, "operations/start.html", facts)


def _exists(address: str) -> bool:
    try:
        resolve(address)
    except Resolver404:
        return False
    return True
