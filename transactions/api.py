"""The push interface and what one's own deliveries became: `/api/v1/lieferungen`."""

from __future__ import annotations

import uuid
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from services.authentication import CredentialAuthentication, HasCredential
from services.models import Credential
from transactions import push, report
from transactions.contents import ContentExpired
from transactions.findings import Finding
from transactions.models import Delivery
from transactions.problems import ApiProblem, absolute, finding_json, of_findings
from transactions.undo import UndoRefused, undo

MAX_PAGE = 1_000
DEFAULT_PAGE = 100
EXAMPLE = {"onlineservice": "OS-000123", "monat": "2025-05"}


class FindingSerializer(serializers.Serializer[Any]):
    """A fault or warning of one row; `zeile` counts as in the report, whose header is line 1."""

    zeile = serializers.IntegerField(allow_null=True)
    zeiger = serializers.CharField(allow_null=True, help_text="JSON Pointer in die Nachricht")
    feld = serializers.CharField(allow_null=True)
    wert = serializers.CharField()
    code = serializers.CharField(help_text="Erklärt unter /hilfe/fehler/<code>/")
    meldung = serializers.CharField()
    vorschlag = serializers.CharField(allow_null=True)


class RowSerializer(serializers.Serializer[Any]):
    onlineservice = serializers.CharField(
        required=False,
        help_text="ZSK-Nummer oder Kennung des Portals; entfällt bei einem Schlüssel für einen Service",
    )
    ars = serializers.RegexField(r"^[0-9]{12}$", help_text="Amtlicher Regionalschlüssel, 12 Ziffern")
    monat = serializers.RegexField(r"^[0-9]{4}-[0-9]{2}$", help_text="JJJJ-MM")
    anzahl = serializers.IntegerField(
        min_value=0,
        max_value=1_000_000_000,
        allow_null=True,
        help_text="null nimmt den gespeicherten Wert zurück",
    )


class ScopeSerializer(serializers.Serializer[Any]):
    onlineservice = serializers.CharField(required=False)
    monat = serializers.RegexField(r"^[0-9]{4}-[0-9]{2}$")


class MessageSerializer(serializers.Serializer[Any]):
    """A delivery: all of it is taken over, or nothing."""

    modus = serializers.ChoiceField(["ergaenzen", "ersetzen"], default="ergaenzen")
    probelauf = serializers.BooleanField(default=False, help_text="prüft alles und speichert nichts")
    anzahl_zeilen = serializers.IntegerField(required=False, help_text="stimmt sie nicht, wird abgelehnt")
    umfang = ScopeSerializer(many=True, required=False, help_text="nötig bei „ersetzen“")
    zeilen = RowSerializer(many=True)


class AnswerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(
        ["uebernommen", "probelauf", "abgelehnt", "wartet", "in_arbeit", "rueckgaengig"]
    )
    neu = serializers.IntegerField()
    geaendert = serializers.IntegerField()
    unveraendert = serializers.IntegerField()
    geloescht = serializers.IntegerField()
    hinweise = FindingSerializer(many=True)
    url = serializers.URLField(allow_null=True)


class PageSerializer(serializers.Serializer[Any]):
    ergebnisse = AnswerSerializer(many=True)
    weiter = serializers.URLField(allow_null=True)


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457. `fehler` lists at most 1,000 findings; all are in the report."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    fehler = FindingSerializer(many=True, required=False)
    fehler_gesamt = serializers.IntegerField(required=False)
    url = serializers.URLField(required=False)


def _problems(*statuses: int) -> dict[Any, Any]:
    return {(status, "application/problem+json"): ProblemSerializer for status in statuses}


class CredentialView(APIView):
    """Only for machines; what belongs to another credential is not found."""

    authentication_classes = [CredentialAuthentication]
    permission_classes = [HasCredential]

    def delivery(self, request: Request, pk: uuid.UUID) -> Delivery:
        found = Delivery.objects.visible_to(_credential(request)).filter(pk=pk).first()
        if found is None:
            raise ApiProblem("nicht_gefunden")
        return found


class DeliveriesView(CredentialView):
    @extend_schema(
        operation_id="liefern",
        summary="Transaktionszahlen liefern",
        request=MessageSerializer,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER,
                description="Eine Wiederholung mit demselben Schlüssel bekommt die erste Antwort.",
            )
        ],
        responses={
            (201, "application/json"): AnswerSerializer,
            (200, "application/json"): AnswerSerializer,
            **_problems(400, 401, 403, 409, 413, 415, 422),
        },
        examples=[
            OpenApiExample(
                "Zwei Werte, einer wird zurückgenommen",
                value={
                    "modus": "ergaenzen", "probelauf": False, "anzahl_zeilen": 2,
                    "zeilen": [
                        {**EXAMPLE, "ars": "060000000000", "anzahl": 1204},
                        {**EXAMPLE, "ars": "070000000000", "anzahl": None},
                    ],
                },
                request_only=True,
            )
        ],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Stores 201, or 200 where nothing changed or it was a dry run. A faulty row refuses everything."""
        if request.content_type.partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType(request.content_type)
        key = request.headers.get("Idempotency-Key", "").strip() or None
        if key and len(key) > 255:
            raise ApiProblem("idempotenz_form")
        try:
            receipt = push.receive(_body(request), by=_credential(request), client_key=key)
        except push.RequestRunning as error:
            raise ApiProblem("anfrage_laeuft") from error
        except push.KeyReused as error:
            raise ApiProblem("idempotenz_anderer_inhalt") from error
        return _answer_receipt(request, receipt)

    @extend_schema(
        operation_id="lieferungen",
        summary="Eigene Lieferungen, die neueste zuerst",
        parameters=[
            OpenApiParameter("limit", int, description=f"höchstens {MAX_PAGE}"),
            OpenApiParameter(
                "vor", OpenApiTypes.UUID, description="nur Lieferungen vor dieser; steht in „weiter“"
            ),
        ],
        responses={(200, "application/json"): PageSerializer, **_problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        limit = _limit(request)
        found = Delivery.objects.visible_to(_credential(request))
        if before := request.query_params.get("vor"):
            found = found.filter(pk__lt=_uuid(before))
        page = list(found.order_by("-pk").prefetch_related("findings")[: limit + 1])
        more = None
        if len(page) > limit:
            query = urlencode({"limit": limit, "vor": page[limit - 1].pk})
            more = absolute(request, f"{reverse('transactions:api_deliveries')}?{query}")
        return Response({"ergebnisse": [_answer(request, item) for item in page[:limit]], "weiter": more})


class DeliveryView(CredentialView):
    @extend_schema(
        operation_id="lieferung",
        summary="Eine Lieferung",
        responses={(200, "application/json"): AnswerSerializer, **_problems(401, 403, 404)},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return Response(_answer(request, self.delivery(request, pk)))

    @extend_schema(
        operation_id="ruecknahme",
        summary="Eine Lieferung rückgängig machen",
        responses={(200, "application/json"): AnswerSerializer, **_problems(401, 403, 404, 409)},
    )
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Answers with the delivery that restored the former values."""
        try:
            taken_back = undo(self.delivery(request, pk), by=_credential(request))
        except UndoRefused as refused:
            raise ApiProblem("ruecknahme_unmoeglich", str(refused)) from refused
        return Response(_answer(request, taken_back))


class ReportView(CredentialView):
    @extend_schema(
        operation_id="bericht",
        summary="Die gelieferten Zeilen mit ergebnis und hinweis (CSV)",
        responses={(200, "text/csv"): OpenApiTypes.STR, **_problems(401, 403, 404, 410)},
    )
    def get(self, request: Request, pk: uuid.UUID) -> StreamingHttpResponse:
        try:
            return report.response(self.delivery(request, pk), principal=_credential(request))
        except ContentExpired as error:
            raise ApiProblem("bericht_abgelaufen") from error


def _credential(request: Request) -> Credential:
    return cast(Credential, request.auth)


def _body(request: Request) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > settings.MAX_PUSH_BYTES:
        raise ApiProblem("zu_gross")
    return request._request.body


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_PAGE))
    if not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
        raise ApiProblem("nicht_lesbar", f"limit muss eine Zahl von 1 bis {MAX_PAGE} sein.")
    return int(text)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ApiProblem("nicht_lesbar", "vor muss die Kennung einer Lieferung sein.") from error


def _answer_receipt(request: Request, receipt: push.Receipt) -> Response:
    delivery = receipt.delivery
    url = _url(request, delivery) if delivery else ""
    if receipt.faults:
        total = delivery.fault_count if delivery else len(receipt.faults)
        raise of_findings(receipt.faults, total=total, url=url)
    if delivery is None:
        return Response(_dry_answer(receipt))
    changed = delivery.new_count + delivery.changed_count + delivery.deleted_count
    response = Response(_answer(request, delivery, receipt.warnings), status=201 if changed else 200)
    response["Location"] = url
    if receipt.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def _dry_answer(receipt: push.Receipt) -> dict[str, Any]:
    outcome = receipt.outcome
    counts = [outcome.total(name) if outcome else 0 for name in ("new", "changed", "same", "deleted")]
    return _fields(None, "probelauf", counts, receipt.warnings, None)


def _answer(request: Request, delivery: Delivery, warnings: list[Finding] | None = None) -> dict[str, Any]:
    if warnings is None:
        warnings = [Finding.from_stored(row) for row in delivery.findings.all()]
    counts = [delivery.new_count, delivery.changed_count, delivery.same_count, delivery.deleted_count]
    return _fields(str(delivery.pk), delivery.status, counts, warnings, _url(request, delivery))


def _fields(
    pk: str | None, status: str, counts: list[int], notes: list[Finding], url: str | None
) -> dict[str, Any]:
    names = ("neu", "geaendert", "unveraendert", "geloescht")
    return {
        "id": pk, "status": status, **dict(zip(names, counts, strict=True)),
        "hinweise": [finding_json(finding) for finding in notes], "url": url,
    }  # fmt: skip


def _url(request: Request, delivery: Delivery) -> str:
    return absolute(request, reverse("transactions:api_delivery", args=[delivery.pk]))
