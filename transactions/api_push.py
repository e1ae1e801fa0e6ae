"""What a request to deliver says beside its message: format, packing, length, Idempotency-Key, preference."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.request import Request

from transactions import bodies
from transactions.api_description import MAX_KEY_LENGTH
from transactions.messages import Envelope
from transactions.problems import ApiProblem
from transactions.sources.push_csv import PARAMETERS

_CODINGS = {"identity": False, "": False, "gzip": True, "x-gzip": True}


def is_csv(request: Request) -> bool:
    return _media_type(request) == "text/csv"


def query_fields(request: Request) -> frozenset[str]:
    """The parameters of the address: JSON says everything itself."""
    return frozenset(PARAMETERS if is_csv(request) else ())


def envelope(request: Request) -> Envelope:
    if _media_type(request) not in {"application/json", "text/csv"}:
        raise ApiProblem("medientyp")
    if not is_csv(request):
        return Envelope()
    return Envelope(csv=True, query={name: list(values) for name, values in request.query_params.lists()})


def wants_later(request: Request) -> bool:
    """`Prefer: respond-async` (RFC 7240)."""
    preferences = request.headers.get("Prefer", "").split(",")
    return any(each.partition(";")[0].strip().lower() == "respond-async" for each in preferences)


def client_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key", "").strip() or None
    if key and len(key) > MAX_KEY_LENGTH:
        raise ApiProblem("idempotenz_form")
    return key


def pieces(request: Request) -> Iterator[bytes]:
    """The message in pieces, unpacked. Raises ApiProblem, at once or on the way."""
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding not in _CODINGS:
        text = _("Senden Sie die Nachricht ohne „Content-Encoding: %(coding)s“ oder mit gzip gepackt.")
        raise ApiProblem("medientyp", text % {"coding": coding[:40]})
    most = settings.MAX_ASYNC_BYTES if wants_later(request) else settings.MAX_PUSH_BYTES
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length.isdecimal():
        raise ApiProblem("nicht_lesbar", _("Nennen Sie mit „Content-Length“, wie lang die Nachricht ist."))
    if int(length) > most:
        raise ApiProblem("zu_gross")
    return _told(request, packed=_CODINGS[coding], most=most)


def _told(request: Request, *, packed: bool, most: int) -> Iterator[bytes]:
    try:
        yield from bodies.pieces(request._request, packed=packed, most=most)
    except bodies.TooLarge as error:
        raise ApiProblem("zu_gross") from error
    except bodies.BadPacking as error:
        text = _("Der Inhalt ist nicht mit gzip gepackt oder abgeschnitten. Packen Sie ihn noch einmal.")
        raise ApiProblem("nicht_lesbar", text) from error


def _media_type(request: Request) -> str:
    return str(request.content_type).partition(";")[0].strip().lower()
