"""The interface's description: as an OpenAPI document, and as a page made from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from rest_framework.request import Request

from transactions.api import ApiView
from transactions.problems import PROBLEMS, ApiProblem, plain_response
from zsk import months, openapi, site

YAML = "application/yaml"
JSON = "application/vnd.oai.openapi+json"
_TYPES = {YAML: YAML, "application/vnd.oai.openapi": YAML, JSON: JSON, "application/json": JSON}
_FORMATS = {"yaml": YAML, "json": JSON}
_RENDERERS = {YAML: OpenApiYamlRenderer, JSON: OpenApiJsonRenderer}


@cache
def _rendered(media_type: str) -> bytes:
    text = _RENDERERS[media_type]().render(openapi.document(), renderer_context={})
    return text.encode() if isinstance(text, str) else text


class SchemaView(ApiView):
    """Everyone. YAML, or JSON by Accept or `?format=json`."""

    schema = None  # it does not describe itself

    def get(self, request: Request) -> HttpResponse:
        media_type = self._media_type(request)
        answer = HttpResponse(_rendered(media_type), content_type=f"{media_type}; charset=utf-8")
        suffix = "json" if media_type == JSON else "yaml"
        answer.headers["Content-Disposition"] = f'inline; filename="zsk-openapi.{suffix}"'
        patch_vary_headers(answer, ["Accept"])
        return answer

    def _media_type(self, request: Request) -> str:
        if (wanted := request.query_params.get("format")) is not None:
            if wanted not in _FORMATS:
                raise ApiProblem("nicht_lesbar", _("format muss json oder yaml sein."))
            return _FORMATS[wanted]
        return _TYPES[request._request.get_preferred_type(list(_TYPES)) or YAML]


class Status(NamedTuple):
    """A line of the contract's table; `codes` are the problems that come with it."""

    number: int
    when: str
    then: str
    codes: list[str]


def _statuses() -> list[Status]:
    lines = [
        (201, _("übernommen, etwas hat sich geändert"), _("nichts; „Location“ nennt die Lieferung")),
        (200, _("Probelauf, oder es war schon alles so gespeichert"), _("nichts")),
        (202, _("angenommen, wird später übernommen (Prefer: respond-async)"), _("später nachsehen")),
        (400, _("nicht lesbar: JSON, Zeichen, fehlende oder unbekannte Felder"), _("Aufbau prüfen")),
        (401, _("kein oder ein unbekannter Zugangsschlüssel"), _("Schlüssel prüfen")),
        (403, _("Schlüssel abgelaufen, widerrufen oder nicht zuständig"), _("neuen Schlüssel holen")),
        (404, _("gibt es nicht oder gehört einem anderen Zugang"), _("Adresse prüfen")),
        (405, _("diese Methode gibt es hier nicht"), _("„Allow“ nennt die richtigen")),
        (409, _("läuft noch, oder nicht mehr rücknehmbar"), _("warten, oder spätere zurücknehmen")),
        (410, _("der Bericht ist nicht mehr da"), _("nichts; die Zahlen bleiben")),
        (413, _("zu groß oder zu viele Zeilen"), _("Lieferung teilen")),
        (415, _("anderer Medientyp"), _("Content-Type berichtigen")),
        (422, _("Zeilen fehlerhaft, oder Idempotency-Key mit anderem Inhalt"), _("„fehler“ lesen")),
        (423, _("der Monat ist abgeschlossen und es fehlt eine Begründung"), _("Begründung nennen")),
        (429, _("zu viele Anfragen"), _("warten, wie „Retry-After“ sagt")),
        (500, _("Fehler bei uns"), _("später wiederholen; das ist immer sicher")),
        (503, _("Datenbank oder Keycloak antworten nicht"), _("warten, wie „Retry-After“ sagt")),
    ]  # fmt: skip
    return [
        Status(number, when, then, [code for code in PROBLEMS if PROBLEMS[code].status == number])
        for number, when, then in lines
    ]


class Program(NamedTuple):
    """A whole program that delivers, as a file to take along."""

    title: str
    file: str
    command: str


PROGRAMS = [
    Program("curl", "liefern.sh", "bash liefern.sh"),
    Program("Python", "liefern.py", "python3 liefern.py"),
    Program("Java", "Liefern.java", "java Liefern.java"),
]
_PROGRAMS = settings.BASE_DIR / "templates" / "interface" / "beispiele"
# What stands in the files for the address of the installation.
_EXAMPLE_SITE = "https://zsk.example.org"


def _program(file: str, request: HttpRequest) -> str:
    text = (_PROGRAMS / file).read_text(encoding="utf-8")
    return text.replace(_EXAMPLE_SITE, site.address(request))


@require_safe
def program(request: HttpRequest, file: str) -> HttpResponse:
    """Everyone."""
    if file not in {known.file for known in PROGRAMS}:
        raise Http404(file)
    answer = HttpResponse(_program(file, request), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Everyone."""
    operations = openapi.operations()
    push = next(operation for operation in operations if operation.name == "liefern")
    refused = next(answer for answer in push.answers if answer.status == 422)
    context = {
        "operations": operations,
        "schemas": openapi.schemas(),
        "statuses": _statuses(),
        "refusal": refused.examples[0].code,
        "programs": [(known, _program(known.file, request)) for known in PROGRAMS],
        "site": site.address(request),
        "message": _sample(dry_run=True),
        "real": _sample(dry_run=False),
    }
    return render(request, "interface/docs.html", context)


def _sample(*, dry_run: bool) -> str:
    """A message of one row for the month that is due."""
    month = f"{months.last_full():%Y-%m}"
    row = {"onlineservice": "OS-000123", "ars": "060000000000", "monat": month, "anzahl": 1204}
    flag = json.dumps(dry_run)
    return f'{{"probelauf": {flag}, "zeilen": [\n    {json.dumps(row)}]}}'


def or_problem(code: str, page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An error page, or the same as a problem where a machine asked: for what fails outside of a view."""

    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.path_info.startswith("/api/") and not request.path_info.startswith("/api/docs"):
            return plain_response(code, request)
        return page(request, *args, **kwargs)

    return answer
