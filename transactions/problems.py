"""Errors of the API as `application/problem+json` (RFC 9457); every `type` is a page that explains the cure."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from rest_framework import exceptions
from rest_framework.response import Response

from transactions.findings import CATALOGUE, Finding, Text

MAX_LISTED = 1_000
MEDIA_TYPE = "application/problem+json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    status: int
    title: Text
    cure: Text


PROBLEMS: dict[str, Problem] = {
    "nicht_lesbar": Problem(
        400, _("Die Nachricht ist nicht lesbar"),
        _("Vergleichen Sie die Nachricht mit dem Beispiel in der Dokumentation der Schnittstelle."),
    ),
    "anmeldung_fehlt": Problem(
        401, _("Es fehlt der Zugangsschlüssel"),
        _("Senden Sie den Kopf „Authorization: Bearer zsk_…“ mit dem Schlüssel des Onlineservices oder Portals."),
    ),
    "anmeldung_verfahren": Problem(
        401, _("Dieses Anmeldeverfahren gibt es nicht"),
        _("Senden Sie den Kopf „Authorization: Bearer zsk_…“."),
    ),
    "schluessel_unbekannt": Problem(
        401, _("Der Zugangsschlüssel ist unbekannt"),
        _("Prüfen Sie, ob der Schlüssel vollständig ist und aus dieser Umgebung stammt."),
    ),
    "token_ungueltig": Problem(
        401, _("Das Token gilt nicht"),
        _("Holen Sie mit dem Client, der hier eingetragen ist, ein neues Token bei Keycloak („grant_type=client_credentials“)."),
    ),
    "schluessel_abgelaufen": Problem(
        403, _("Der Zugangsschlüssel ist abgelaufen"), _("Lassen Sie einen neuen Zugangsschlüssel ausstellen."),
    ),
    "schluessel_widerrufen": Problem(
        403, _("Der Zugangsschlüssel ist widerrufen"), _("Lassen Sie einen neuen Zugangsschlüssel ausstellen."),
    ),
    "nicht_erlaubt": Problem(
        403, _("Das ist mit diesem Zugang nicht erlaubt"),
        _("Prüfen Sie, ob der Schlüssel zum richtigen Onlineservice oder Portal gehört."),
    ),
    "nicht_gefunden": Problem(
        404, _("Das gibt es nicht"), _("Prüfen Sie die Adresse. Was einem anderen Zugang gehört, ist hier nicht zu sehen."),
    ),
    "methode": Problem(
        405, _("Diese Methode gibt es hier nicht"), _("Die Dokumentation der Schnittstelle nennt die Methoden jeder Adresse."),
    ),
    "anfrage_laeuft": Problem(
        409, _("Eine Anfrage mit demselben Idempotency-Key läuft noch"),
        _("Warten Sie einige Sekunden und fragen Sie mit demselben Schlüssel noch einmal."),
    ),
    "ruecknahme_unmoeglich": Problem(
        409, _("Die Lieferung lässt sich nicht rückgängig machen"),
        _("Liefern Sie die richtigen Werte noch einmal; sie ersetzen die gespeicherten."),
    ),
    "bericht_abgelaufen": Problem(
        410, _("Der Bericht ist nicht mehr da"), _("Berichte werden nur einige Wochen aufbewahrt. Die Zahlen selbst bleiben."),
    ),
    "zu_gross": Problem(
        413, _("Die Nachricht ist zu groß"), _("Senden Sie die Lieferung mit dem Kopf „Prefer: respond-async“, dann darf sie größer sein, oder teilen Sie sie auf mehrere Nachrichten auf."),
    ),
    "medientyp": Problem(
        415, _("Dieser Medientyp wird nicht angenommen"),
        _("Senden Sie JSON mit „Content-Type: application/json“ oder eine Tabelle mit „Content-Type: text/csv“, ungepackt oder mit gzip gepackt."),
    ),
    "zeilen_fehlerhaft": Problem(
        422, _("Die Lieferung ist fehlerhaft"),
        _("Beheben Sie die genannten Zeilen und senden Sie alles noch einmal. Es wurde nichts gespeichert."),
    ),
    "begruendung_fehlt": Problem(
        423, _("Ein Monat ist abgeschlossen, und die Begründung fehlt"),
        _("Begründen Sie die Korrektur: mit dem Feld „begruendung“, bei CSV und beim Zurücknehmen mit dem Parameter „begruendung“. Oder lassen Sie die Monate weg. Es wurde nichts gespeichert."),
    ),
    "idempotenz_anderer_inhalt": Problem(
        422, _("Der Idempotency-Key wurde schon für anderen Inhalt benutzt"),
        _("Nehmen Sie für jede Lieferung einen neuen Schlüssel und für Wiederholungen denselben."),
    ),
    "idempotenz_form": Problem(
        400, _("Der Idempotency-Key ist zu lang"), _("Nehmen Sie höchstens 255 Zeichen, zum Beispiel eine UUID."),
    ),
    "zu_viele_anfragen": Problem(
        429, _("Zu viele Anfragen in dieser Minute"),
        _("Warten Sie so viele Sekunden, wie „Retry-After“ sagt. Eine Lieferung mit vielen Zeilen ist eine einzige Anfrage."),
    ),
    "zu_viel_wartet": Problem(
        429, _("Es warten schon zu viele Lieferungen dieses Zugangs"),
        _("Es wurde nichts angenommen. Warten Sie, bis frühere Lieferungen fertig sind, oder ziehen Sie eine mit DELETE zurück; senden Sie diese dann noch einmal, mit demselben Idempotency-Key. Viele kleine Lieferungen können Sie zu einer zusammenfassen."),
    ),
    "anmeldung_nicht_pruefbar": Problem(
        503, _("Das Token lässt sich gerade nicht prüfen"),
        _("Keycloak antwortet nicht. Versuchen Sie es nach der Zeit in „Retry-After“ noch einmal. Zugangsschlüssel gelten weiter."),
    ),
    "nicht_bereit": Problem(
        503, _("Die Datenbank ist gerade nicht erreichbar"),
        _("Versuchen Sie es nach der Zeit in „Retry-After“ noch einmal, eine Lieferung mit demselben Idempotency-Key. Eine Lieferung wird ganz oder gar nicht übernommen; sie zu wiederholen, ist immer sicher."),
    ),
    "speicher_voll": Problem(
        503, _("Der Speicherplatz der ZSK reicht gerade nicht"),
        _("Es wurde nichts gespeichert. Versuchen Sie es nach der Zeit in „Retry-After“ noch einmal. Bleibt es dabei, schreiben Sie dem ZSK-Betrieb."),
    ),
    "fehler": Problem(
        500, _("Bei uns ist ein Fehler aufgetreten"),
        _("Versuchen Sie es später noch einmal. Eine Lieferung wird ganz oder gar nicht übernommen; sie zu wiederholen, ist immer sicher."),
    ),
}  # fmt: skip

# Findings that say that a message could not be read as a delivery.
_UNREADABLE = {
    "json_unlesbar", "json_kodierung", "json_zahl", "json_doppelt", "json_tiefe", "json_zeichen",
    "feld_fehlt", "feld_unbekannt", "begruendung_lang", "umfang_fehlt", "umfang_ueberfluessig",
    "datei_art", "datei_zeichen", "datei_anfuehrung", "zeile_zu_lang",
    "kopfzeile_fehlt", "spalte_fehlt", "spalte_doppelt", "spalte_unbekannt", "spalte_ohne_kopf",
}  # fmt: skip
_CODE_OF_STATUS = {
    401: "anmeldung_fehlt", 403: "nicht_erlaubt", 404: "nicht_gefunden", 405: "methode",
    413: "zu_gross", 415: "medientyp",
}  # fmt: skip
_FULL = (psycopg.errors.DiskFull, psycopg.errors.ConfigurationLimitExceeded)
# When trying again may help: at the latest of three times the key of a killed push is free again.
_RETRY_SECONDS = {"anfrage_laeuft": 20, "zu_viel_wartet": 60, "nicht_bereit": 10, "speicher_voll": 60}


class ApiProblem(exceptions.APIException):
    """An error that the API answers with; `code` is one of PROBLEMS."""

    def __init__(
        self,
        code: str,
        detail: Text = "",
        *,
        findings: Sequence[Finding] = (),
        total: int | None = None,
        url: str = "",
    ) -> None:
        super().__init__(str(detail), code)
        self.code, self.text, self.findings, self.url = code, str(detail), findings, url
        self.total = len(findings) if total is None else total
        wait = _RETRY_SECONDS.get(code)
        self.headers = {"Retry-After": str(wait)} if wait else {}
        self.status_code = PROBLEMS[code].status


def of_findings(findings: Sequence[Finding], *, total: int, url: str = "") -> ApiProblem:
    """The problem of a refused delivery: 400 when the message is not readable, 422 when rows are at fault."""
    first = findings[0]
    if first.code in {"zeilen_zu_viele", "umfang_zu_gross"}:
        return ApiProblem("zu_gross", first.message, findings=findings, total=total, url=url)
    # A cell of the wrong type is its row's fault; a message or row of another shape cannot be read.
    if first.code in _UNREADABLE or (first.code == "feld_typ" and not first.field):
        return ApiProblem("nicht_lesbar", first.message, findings=findings, total=total, url=url)
    if first.code == "monat_abgeschlossen":
        return ApiProblem("begruendung_fehlt", findings=findings, total=total, url=url)
    detail = ngettext(
        "Es wurde nichts gespeichert. Beheben Sie %(count)d Fehler und senden Sie alles noch einmal.",
        "Es wurde nichts gespeichert. Beheben Sie die %(count)d Fehler und senden Sie alles noch einmal.",
        total,
    )
    return ApiProblem("zeilen_fehlerhaft", detail % {"count": total}, findings=findings, total=total, url=url)


def handler(error: Exception, context: dict[str, Any]) -> Response:
    """Translates every error of an API view; what nobody foresaw is logged and stays inside."""
    problem = _problem_of(error)
    if problem is None:
        logger.error("Unforeseen error in %s", context["request"].path, exc_info=error)
        problem = _of_database(error) or ApiProblem("fehler")
    body = _body(problem, context["request"])
    response = Response(body, status=problem.status_code, headers=problem.headers, content_type=MEDIA_TYPE)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def plain_response(code: str, request: HttpRequest) -> HttpResponse:
    """The same without a view of the API: for what fails before or outside of one."""
    problem = ApiProblem(code)
    body = json.dumps(_body(problem, request), ensure_ascii=False)
    return HttpResponse(body, status=problem.status_code, content_type=MEDIA_TYPE)


def _problem_of(error: Exception) -> ApiProblem | None:
    if isinstance(error, ApiProblem):
        return error
    if isinstance(error, RequestDataTooBig):
        return ApiProblem("zu_gross")
    if isinstance(error, Http404):
        return ApiProblem("nicht_gefunden")
    if isinstance(error, PermissionDenied):
        return ApiProblem("nicht_erlaubt", str(error))
    if isinstance(error, exceptions.APIException):
        codes = error.get_codes()
        if isinstance(codes, str) and codes in PROBLEMS:
            problem = ApiProblem(codes, str(error.detail))
            if wait := getattr(error, "wait", None):
                problem.headers["Retry-After"] = str(wait)
            return problem
        return ApiProblem(_CODE_OF_STATUS.get(error.status_code, "nicht_lesbar"))
    return None


def _of_database(error: Exception) -> ApiProblem | None:
    """Away, recovering or full: the same request may go through later. What was begun is rolled back."""
    # Inside a pipeline it is the driver that raises, not Django.
    cause = error.__cause__ if isinstance(error, DatabaseError) else error
    if isinstance(cause, _FULL):
        return ApiProblem("speicher_voll")
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return ApiProblem("nicht_bereit")
    return None


def _body(problem: ApiProblem, request: HttpRequest) -> dict[str, Any]:
    kind = PROBLEMS[problem.code]
    body: dict[str, Any] = {
        "type": _type(problem.code, request),
        "title": str(kind.title),
        "status": kind.status,
        "detail": problem.text or str(kind.cure),
    }
    if problem.findings:
        body["fehler"] = [finding_json(finding) for finding in problem.findings[:MAX_LISTED]]
        body["fehler_gesamt"] = problem.total
    if problem.url:
        body["url"] = problem.url
    return body


def _type(code: str, request: HttpRequest) -> str:
    try:
        return absolute(request, explanation(code))
    except DisallowedHost:
        return explanation(code)


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding as the API says it; its message in the language of the request."""
    return {
        "zeile": finding.line,
        "zeiger": finding.pointer or None,
        "feld": finding.field or None,
        "wert": finding.value,
        "code": finding.code,
        "meldung": finding.message,
        "vorschlag": finding.suggestion or None,
    }


def explanation(code: str) -> str:
    """The address of the page about a problem or finding."""
    return reverse("transactions:fault", args=[code])


def absolute(request: HttpRequest, address: str) -> str:
    return f"{settings.SITE_URL}{address}" if settings.SITE_URL else request.build_absolute_uri(address)


def explained(code: str) -> tuple[Text, Text, Text] | None:
    """Title, message and cure of everything that has a page; None for an unknown code."""
    if problem := PROBLEMS.get(code):
        return problem.title, "", problem.cure
    kind = CATALOGUE.get(code)
    return (kind.title, kind.message, kind.cure) if kind else None
