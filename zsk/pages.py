"""Pages of plain text: legal notices, accessibility, help. An operator fills them by templates of their own.

Templates lie in `templates/pages/`; what only the operator knows is included from `templates/operator/`.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from zsk import site

# Address: its template in pages/.
PAGES = {
    "impressum/": "impressum",
    "datenschutz/": "datenschutz",
    "barrierefreiheit/": "barrierefreiheit",
    "leichte-sprache/": "leichte-sprache",
    "gebaerdensprache/": "gebaerdensprache",
    "daten/lizenz/": "lizenz",
    "hilfe/": "hilfe",
    "hilfe/ueber/": "ueber",
    "hilfe/transaktion/": "transaktion",
    "hilfe/fragen/": "fragen",
    "hilfe/dateiformat/": "dateiformat",
    "hilfe/schnittstelle/": "schnittstelle",
    "hilfe/kontakt/": "kontakt",
}


@require_safe
def text(request: HttpRequest, page: str) -> HttpResponse:
    """Everyone."""
    facts = {"due_day": settings.DUE_DAY, "site": f"{site.address(request)}/", "limits": settings}
    return render(request, f"pages/{page}.html", facts)


@require_safe
def file(request: HttpRequest, template: str, content_type: str, name: str = "") -> HttpResponse:
    """A text file, offered as a download where it has a name."""
    response = render(request, template, content_type=content_type)
    if name:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _download(name: str, content_type: str) -> dict[str, str]:
    return {"template": f"pages/{name}", "content_type": content_type, "name": name}


urlpatterns = [
    *(path(address, text, {"page": page}, name=page) for address, page in PAGES.items()),
    path("hilfe/dateiformat/beispiel.csv", file, _download("beispiel.csv", "text/csv; charset=utf-8")),
    path("hilfe/schnittstelle/beispiel.json", file, _download("beispiel.json", "application/json")),
    path("robots.txt", file, {"template": "robots.txt", "content_type": "text/plain; charset=utf-8"}),
]
