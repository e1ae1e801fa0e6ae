"""The push interface and what one's own deliveries became: `/api/v1/lieferungen`."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Iterable
from typing import Any, cast

from django.conf import settings
from django.http import StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from services.authentication import CredentialAuthentication, HasCredential
from services.models import Credential
from transactions import api_description, api_parameters, api_push, jobs, push, report
from transactions.contents import ContentExpired
from transactions.delivery import MAX_FINDINGS_KEPT
from transactions.findings import Finding
from transactions.models import Delivery
from transactions.problems import ApiProblem, absolute, finding_json, of_findings
from transactions.queries import deliveries as reading
from transactions.sentences import closed_sentence
from transactions.sources import Unreadable
from transactions.sources.push import reason_of
from transactions.undo import ReasonMissing, UndoRefused, undo
from zsk import limits

NOTES_LISTED = 20  # of each delivery in the list; the delivery's own address has them all


class OneFormat(BaseContentNegotiation):
    """An address of the API has one format; asking for another is no reason to refuse a delivery."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return None

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ApiView(APIView):
    """Every address under `/api/`: problems as JSON, no session, no cookie."""

    content_negotiation_class = OneFormat
    # OPTIONS would tell of the view's code, not of the interface.
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    taken: limits.Taken | None = None

    def take(self, request: Request) -> limits.Taken | None:
        """Counts the request of its sender; None where nothing is limited."""
        return None

    def check_throttles(self, request: Request) -> None:
        """After the log-in, in place of the framework's own limits, which ask Redis twice."""
        self.taken = self.take(request)
        if self.taken and self.taken.exceeded:
            problem = ApiProblem("zu_viele_anfragen")
            problem.headers["Retry-After"] = str(self.taken.reset)
            raise problem

    def refuse_unknown(self, request: Request, known: frozenset[str]) -> None:
        """Of a method that there is not, which is a 405, nothing is read."""
        if request.method in self.allowed_methods:
            api_parameters.refuse_unknown(request, known)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.taken.headers.items() if self.taken else ():
            response.headers[name] = value
        return response


class CredentialView(ApiView):
    """Only for machines; what belongs to another credential is not found."""

    authentication_classes = [CredentialAuthentication]
    permission_classes = [HasCredential]
    query_fields: frozenset[str] = frozenset()

    def take(self, request: Request) -> limits.Taken | None:
        return limits.take("schluessel", _credential(request).pk, settings.REQUESTS_PER_KEY)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.refuse_unknown(request, self.known_fields(request))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def known_fields(self, request: Request) -> frozenset[str]:
        """The parameters that the address understands."""
        return self.query_fields if request.method in {"GET", "HEAD"} else frozenset()

    def delivery(self, request: Request, pk: uuid.UUID) -> Delivery:
        found = Delivery.objects.visible_to(_credential(request)).filter(pk=pk).first()
        if found is None:
            raise ApiProblem("nicht_gefunden")
        return found


class DeliveriesView(CredentialView):
    query_fields = frozenset({"limit", "vor", "geaendert_seit"})

    def known_fields(self, request: Request) -> frozenset[str]:
        return api_push.query_fields(request) if request.method == "POST" else super().known_fields(request)

    @extend_schema(**api_description.PUSH)
    def post(self, request: Request) -> Response:
        """Stores 201, or 200 where nothing changed or it was a dry run; takes for later 202.

        A faulty row refuses everything.
        """
        envelope, key = api_push.envelope(request), api_push.client_key(request)
        pieces, by = api_push.pieces(request), _credential(request)
        try:
            if api_push.wants_later(request):
                receipt = push.receive_later(pieces, by=by, client_key=key, envelope=envelope)
            else:
                receipt = push.receive(b"".join(pieces), by=by, client_key=key, envelope=envelope)
        except push.RequestRunning as error:
            raise ApiProblem("anfrage_laeuft") from error
        except push.KeyReused as error:
            raise ApiProblem("idempotenz_anderer_inhalt") from error
        except jobs.TooMuchWaits as error:
            raise ApiProblem("zu_viel_wartet") from error
        return _answer_receipt(request, receipt)

    @extend_schema(**api_description.LIST)
    def get(self, request: Request) -> Response:
        limit = api_parameters.limit(request)
        found = Delivery.objects.visible_to(_credential(request))
        if since := api_parameters.moment(request):
            found = found.changed_since(since)
        if before := request.query_params.get("vor"):
            found = found.filter(pk__lt=_uuid(before))
        page = list(found.order_by("-pk").select_related("credential", "service")[: limit + 1])
        more = None
        if len(page) > limit:
            more = api_parameters.next_page(request, _address(), vor=page[limit - 1].pk)
        lines = reading.listed(page[:limit], _credential(request))
        return Response({"ergebnisse": _answers(request, lines, NOTES_LISTED), "weiter": more})


class DeliveryView(CredentialView):
    def known_fields(self, request: Request) -> frozenset[str]:
        return frozenset({"begruendung"} if request.method == "DELETE" else ())

    @extend_schema(**api_description.DETAIL)
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        lines = reading.listed([self.delivery(request, pk)], _credential(request))
        return Response(_answers(request, lines, MAX_FINDINGS_KEPT)[0])

    @extend_schema(**api_description.UNDO)
    def delete(self, request: Request, pk: uuid.UUID) -> Response:
        """Answers with the delivery that restored the former values, or the one that was withdrawn."""
        delivery = self.delivery(request, pk)
        try:
            reason = reason_of(request.query_params.get("begruendung", ""))
            if withdrawn := push.withdraw(delivery):
                return _answer_withdrawn(request, withdrawn)
            taken_back = undo(delivery, by=_credential(request), reason=reason)
        except Unreadable as fault:
            raise of_findings(fault.findings, total=len(fault.findings)) from fault
        except ReasonMissing as missing:
            raise ApiProblem("begruendung_fehlt", closed_sentence(missing.months)) from missing
        except UndoRefused as refused:
            raise ApiProblem("ruecknahme_unmoeglich", str(refused)) from refused
        return Response(_answer(taken_back, [], _url(request, taken_back)))


class ReportView(CredentialView):
    @extend_schema(**api_description.REPORT)
    def get(self, request: Request, pk: uuid.UUID) -> StreamingHttpResponse:
        """Who sees a part of a delivery only finds no report: it has a line for every row."""
        delivery, credential = self.delivery(request, pk), _credential(request)
        if not reading.sees_whole(delivery, credential):
            raise ApiProblem("nicht_gefunden")
        try:
            return report.response(delivery, principal=credential, as_csv=True)
        except ContentExpired as error:
            raise ApiProblem("bericht_abgelaufen") from error


class UnknownAddressView(ApiView):
    """Whatever else is asked for under `/api/`, by anybody."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise ApiProblem("nicht_gefunden")


def _credential(request: Request) -> Credential:
    return cast(Credential, request.auth)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise ApiProblem("nicht_lesbar", _("vor muss die Kennung einer Lieferung sein.")) from error


def _answer_receipt(request: Request, receipt: push.Receipt) -> Response:
    delivery = receipt.delivery
    url = _url(request, delivery) if delivery else ""
    headers = {"Idempotent-Replayed": "true"} if receipt.replayed else {}
    if receipt.faults:
        problem = of_findings(receipt.faults, total=receipt.fault_count, url=url)
        problem.headers = headers
        raise problem
    if delivery is None:
        return Response(_dry_answer(receipt))
    if receipt.is_waiting:
        headers |= {"Location": url, "Preference-Applied": "respond-async"}
        return Response(_answer(delivery, [], url), status=202, headers=headers)
    changed = delivery.new_count + delivery.changed_count + delivery.deleted_count
    answer = _answer(delivery, receipt.warnings, url)
    # A repeat gets the first answer, even when the delivery was taken back since.
    answer["status"] = Delivery.Status.ACCEPTED.value
    return Response(answer, status=201 if changed else 200, headers={"Location": url, **headers})


def _answer_withdrawn(request: Request, delivery: Delivery) -> Response:
    found = [Finding.from_stored(row) for row in delivery.findings.all()]
    # Without it a worker has yet to let go.
    return Response(_answer(delivery, found, _url(request, delivery)), status=200 if found else 202)


def _dry_answer(receipt: push.Receipt) -> dict[str, Any]:
    outcome = receipt.outcome
    counts = [outcome.total(name) if outcome else 0 for name in ("new", "changed", "same", "deleted")]
    return _fields(None, "probelauf", counts, receipt.warnings, None)


def _answer(delivery: Delivery, notes: list[Finding], url: str) -> dict[str, Any]:
    counts = [delivery.new_count, delivery.changed_count, delivery.same_count, delivery.deleted_count]
    return _fields(str(delivery.pk), delivery.status, counts, notes, url)


def _answers(request: Request, lines: list[reading.Listed], most_notes: int) -> list[dict[str, Any]]:
    """Of a delivery that also touched others' services the credential's own part, without findings."""
    notes = reading.first_findings([line.delivery for line in lines if line.whole], each=most_notes)
    answers = []
    for line in lines:
        pk, part = line.delivery.pk, line.part
        counts = [part.new, part.changed, part.same, part.deleted]
        url = _url(request, line.delivery)
        answers.append(_fields(str(pk), line.delivery.status, counts, notes.get(pk, []), url))
    return answers


def _fields(
    pk: str | None, status: str, counts: list[int], notes: list[Finding], url: str | None
) -> dict[str, Any]:
    names = ("neu", "geaendert", "unveraendert", "geloescht")
    return {
        "id": pk, "status": status, **dict(zip(names, counts, strict=True)),
        "hinweise": [finding_json(finding) for finding in notes[:MAX_FINDINGS_KEPT]], "url": url,
    }  # fmt: skip


def _url(request: Request, delivery: Delivery) -> str:
    return absolute(request, f"{_address()}/{delivery.pk}")


@functools.cache
def _address() -> str:
    return reverse("transactions:api_deliveries")
