"""The file of all published numbers: written once per version, then handed out without the database.

Open to everyone and large: nobody who reads slowly may hold a connection or a transaction, and nobody who
asks again may have it computed again.
"""

from __future__ import annotations

import gzip
import tempfile
import threading
from collections.abc import Iterator
from typing import BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import patch_vary_headers

from reports import exports, tables
from reports.caching import Version
from reports.queries import published
from zsk import months

NAMES = ["onlineservice", "name", "leistungsschluessel", "ars", "region", "monat", "anzahl", "status"]
PIECE = 64 * 1024
# Most of the size is gone at once; higher levels cost several times the work.
COMPRESSION = 1


class _Kept:
    """The newest file of this process; its name goes with it, whoever still reads it reads on."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.key = ""
        self.file: tempfile._TemporaryFileWrapper[bytes] | None = None

    def open(self, version: Version) -> BinaryIO:
        """The compressed file of the version; written while others who ask for it wait."""
        with self.lock:
            if self.file is None or self.key != version.key:
                written = _written()
                if self.file is not None:
                    self.file.close()
                self.key, self.file = version.key, written
            return open(self.file.name, "rb")


_kept = _Kept()


def _written() -> tempfile._TemporaryFileWrapper[bytes]:
    file = tempfile.NamedTemporaryFile(prefix="transaktionszahlen-", suffix=".csv.gz")  # noqa: SIM115 - kept
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=COMPRESSION, mtime=0) as packed:
        for lines in exports.csv_lines(NAMES, _rows()):
            packed.write(lines.encode())
    file.flush()
    return file


def _rows() -> Iterator[list[exports.Cell]]:
    running = exports.machine_month(months.running())
    for *row, month, total, corrected in published.monthly_totals():
        status = tables.status(total, running=month == running, corrected=corrected)
        yield [*row, month, total, status]


def respond(request: HttpRequest, version: Version) -> HttpResponseBase:
    """The file as it lies there for who takes gzip; unpacked on the way for others."""
    kind = "text/csv; charset=utf-8; header=present"
    file = _kept.open(version)
    response: HttpResponseBase
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response = FileResponse(file, content_type=kind)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = StreamingHttpResponse(_unpacked(file), content_type=kind)
    response.headers["Content-Disposition"] = 'attachment; filename="transaktionszahlen.csv"'
    patch_vary_headers(response, ("Accept-Encoding",))
    return response


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    with file, gzip.GzipFile(fileobj=file) as packed:
        while piece := packed.read(PIECE):
            yield piece
