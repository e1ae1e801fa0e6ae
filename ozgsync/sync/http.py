"""Fetching from foreign servers: with time limits, a size limit, and answers that say what went wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from ozgsync.sync.protocol import SourceFault

TIMEOUT = (5, 30)  # seconds: to connect, between two pieces
LONGEST = 600  # seconds for one answer
MOST_BYTES = 200 << 20
_PIECE = 1 << 16
_BROKEN_OFF = (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)
_LONGEST_RETRY_AFTER = 120


class PatientRetry(Retry):
    """Tries again with growing pauses; a server that wants longer ones is asked at the next run."""

    def get_retry_after(self, response: Any) -> float | None:
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, _LONGEST_RETRY_AFTER)


class NotThere(SourceFault):
    """The server does not have what was asked for."""


class Client:
    """A connection to one source; `token` is sent as a bearer token."""

    def __init__(self, *, token: str = "") -> None:
        self._session = requests.Session()
        retries = PatientRetry(
            total=4, backoff_factor=1, status_forcelist=(429, 502, 503, 504), raise_on_status=False
        )
        adapter = HTTPAdapter(max_retries=retries)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers["User-Agent"] = "ZSK"
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def get(
        self, url: str, *, params: Mapping[str, str | int] | None = None, accept: str = "application/json"
    ) -> bytes:
        """The whole answer of a 200. Raises SourceFault for everything else, without credentials."""
        try:
            with self._session.get(
                url, params=params, headers={"Accept": accept}, timeout=TIMEOUT, stream=True
            ) as response:
                if response.status_code == requests.codes.not_found:
                    raise NotThere(_refused(url, response.status_code))
                if response.status_code != requests.codes.ok:
                    raise SourceFault(_refused(url, response.status_code))
                return _body(response, url)
        except requests.RequestException as error:
            raise SourceFault(_no_answer(url, error)) from error


def _body(response: requests.Response, url: str) -> bytes:
    until = time.monotonic() + LONGEST
    pieces, size = [], 0
    for piece in response.iter_content(_PIECE):
        size += len(piece)
        if size > MOST_BYTES:
            raise SourceFault(f"Die Antwort von {_plain(url)} ist größer als {MOST_BYTES >> 20} MiB.")
        if time.monotonic() > until:
            raise SourceFault(f"Die Antwort von {_plain(url)} kam in {LONGEST} Sekunden nicht an.")
        pieces.append(piece)
    return b"".join(pieces)


def _refused(url: str, status: int) -> str:
    reasons = {
        401: "Der Zugang wird nicht angenommen: Prüfen Sie das Token der Quelle.",
        403: "Der Zugang reicht nicht aus: Prüfen Sie das Token der Quelle.",
        404: "Diese Adresse gibt es dort nicht: Prüfen Sie die Adresse der Quelle.",
        429: "Die Quelle ist überlastet und bittet um eine Pause; der nächste Lauf versucht es wieder.",
    }
    reason = reasons.get(status, "Der nächste Lauf versucht es wieder.")
    return f"{_plain(url)} antwortet mit Status {status}. {reason}"


def _no_answer(url: str, error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        what = "antwortet nicht in der vorgesehenen Zeit"
    elif isinstance(
        error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError
    ):
        what = "hat die Antwort mittendrin abgebrochen"
    else:
        what = "ist nicht erreichbar"
    return f"{_plain(url)} {what}. Der nächste Lauf versucht es wieder."


def _plain(url: str) -> str:
    """Without parameters and log-in data, which may be secret."""
    parts = requests.utils.urlparse(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
