"""Errors of the API as `application/problem+json` (RFC 9457); every `type` is a page that explains the cure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response

from transactions.findings import CATALOGUE, Finding, Text

MAX_LISTED = 1_000


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
    "antwortformat": Problem(
        406, _("Dieses Antwortformat gibt es nicht"), _("Nehmen Sie application/json an."),
    ),
    "anfrage_laeuft": Problem(
        409, _("Eine Anfrage mit demselben Idempotency-Key läuft noch"),
        _("Warten Sie einige Sekunden und fragen Sie mit demselben Schlüssel noch einmal."),
    ),
    "ruecknahme_unmoeglich": Problem(
        409, _("Die Lieferung lässt sich nicht rückgängig machen"),
        _("Nehmen Sie zuerst spätere Lieferungen zurück, oder liefern Sie die richtigen Werte noch einmal."),
    ),
    "bericht_abgelaufen": Problem(
        410, _("Der Bericht ist nicht mehr da"), _("Berichte werden nur einige Wochen aufbewahrt. Die Zahlen selbst bleiben."),
    ),
    "zu_gross": Problem(
        413, _("Die Nachricht ist zu groß"), _("Teilen Sie die Lieferung auf mehrere Nachrichten auf."),
    ),
    "medientyp": Problem(
        415, _("Dieser Medientyp wird nicht angenommen"), _("Senden Sie JSON mit „Content-Type: application/json“."),
    ),
    "zeilen_fehlerhaft": Problem(
        422, _("Die Lieferung ist fehlerhaft"),
        _("Beheben Sie die genannten Zeilen und senden Sie alles noch einmal. Es wurde nichts gespeichert."),
    ),
    "idempotenz_anderer_inhalt": Problem(
        422, _("Der Idempotency-Key wurde schon für anderen Inhalt benutzt"),
        _("Nehmen Sie für jede Lieferung einen neuen Schlüssel und für Wiederholungen denselben."),
    ),
    "idempotenz_form": Problem(
        400, _("Der Idempotency-Key ist zu lang"), _("Nehmen Sie höchstens 255 Zeichen, zum Beispiel eine UUID."),
    ),
    "fehler": Problem(
        500, _("Bei uns ist ein Fehler aufgetreten"), _("Versuchen Sie es später noch einmal. Es wurde nichts gespeichert."),
    ),
}  # fmt: skip

# Faults of a message as a whole that are not a matter of reading it.
_STATUS_OF_FINDING = {"datei_leer": 422, "zeilenzahl": 422, "zeilen_zu_viele": 413}
_CODE_OF_STATUS = {401: "anmeldung_fehlt", 403: "nicht_erlaubt", 404: "nicht_gefunden", 405: "methode", 406: "antwortformat", 413: "zu_gross", 415: "medientyp"}  # fmt: skip


class ApiProblem(exceptions.APIException):
    """An error that the API answers with; `code` is one of PROBLEMS."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        findings: Sequence[Finding] = (),
        total: int | None = None,
        url: str = "",
    ) -> None:
        super().__init__(detail, code)
        self.code, self.text, self.findings, self.url = code, detail, findings, url
        self.total = len(findings) if total is None else total
        self.status_code = PROBLEMS[code].status


def of_findings(findings: Sequence[Finding], *, total: int, url: str = "") -> ApiProblem:
    """The problem of a refused delivery: 400 when the message is not readable, 422 when rows are at fault."""
    first = findings[0]
    of_message = first.line is None or first.code == "feld_fehlt"
    status = _STATUS_OF_FINDING.get(first.code, 400) if of_message else 422
    if status != 422:
        code = "zu_gross" if status == 413 else "nicht_lesbar"
        return ApiProblem(code, first.message, findings=findings, total=total, url=url)
    detail = _("Es wurde nichts gespeichert. Beheben Sie %(count)s Fehler und senden Sie alles noch einmal.")
    return ApiProblem("zeilen_fehlerhaft", detail % {"count": total}, findings=findings, total=total, url=url)


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translates every error of an API view; None (a 500 page) for what nobody foresaw."""
    problem = _problem_of(error)
    if problem is None:
        return None
    request = context["request"]
    response = Response(
        _body(problem, request), status=problem.status_code, content_type="application/problem+json"
    )
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def _problem_of(error: Exception) -> ApiProblem | None:
    if isinstance(error, ApiProblem):
        return error
    if isinstance(error, RequestDataTooBig):
        return ApiProblem("zu_gross")
    if isinstance(error, Http404):
        return ApiProblem("nicht_gefunden")
    if isinstance(error, PermissionDenied):
        return ApiProblem("nicht_erlaubt")
    if isinstance(error, exceptions.APIException):
        codes = error.get_codes()
        known = (
            codes
            if isinstance(codes, str) and codes in PROBLEMS
            else _CODE_OF_STATUS.get(error.status_code, "nicht_lesbar")
        )
        return ApiProblem(known, str(error.detail) if known == codes else "")
    return None


def _body(problem: ApiProblem, request: HttpRequest) -> dict[str, Any]:
    kind = PROBLEMS[problem.code]
    body: dict[str, Any] = {
        "type": absolute(request, explanation(problem.code)),
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
