"""What was sent, kept in the database in pieces, so that any worker can read it; expires after some weeks."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from django.conf import settings
from django.utils import timezone

from transactions.models import Delivery, DeliveryChunk, DeliveryReview, FormEntry
from zsk.statements import Statement, tell

CHUNK_BYTES = 1 << 20
_KEEP = "INSERT INTO transactions_deliverychunk (delivery_id, number, content) VALUES (%s, %s, %s)"
_IN_MEMORY_BYTES = 8 << 20
STALE = dt.timedelta(minutes=10)  # a delivery that runs this long belongs to a process that is gone


class ContentExpired(Exception):
    """What was sent is no longer kept."""


def keep(delivery: Delivery, pieces: Iterable[bytes]) -> str:
    """Stores what was sent beside its delivery, which must be saved already; returns its SHA-256.

    Holds one piece at a time, whatever the size of the whole.
    """
    checksum = hashlib.sha256()

    def read() -> Iterator[bytes]:
        for piece in pieces:
            checksum.update(piece)
            yield piece

    for statement in keeping(delivery, read()):
        tell(*statement)
    return checksum.hexdigest()


def keeping(delivery: Delivery, pieces: Iterable[bytes]) -> Iterator[Statement]:
    """The statements of `keep()`, one for each piece."""
    for number, piece in enumerate(_even(pieces)):
        yield _KEEP, (delivery.pk, number, piece)


def kept_bytes(delivery: Delivery) -> int:
    """About how much is kept: whole pieces."""
    return DeliveryChunk.objects.filter(delivery=delivery).count() * CHUNK_BYTES


def open_content(delivery: Delivery) -> BinaryIO:
    """What was sent, as a file; a large one lies on disk. Raises ContentExpired."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
    chunks = DeliveryChunk.objects.filter(delivery=delivery).order_by("number")
    for content in chunks.values_list("content", flat=True).iterator(chunk_size=8):
        file.write(content)
    if not file.tell():
        raise ContentExpired
    file.seek(0)
    return cast(BinaryIO, file)


def expire(*, now: dt.datetime | None = None) -> int:
    """Forgets contents past their time, uploads nobody confirmed, and what a dead process was delivering.

    Returns how many pieces of content went.
    """
    at = now or timezone.now()
    before = at - dt.timedelta(days=settings.FILE_DAYS)
    # What has a job goes on, or ends by itself.
    running = Delivery.objects.filter(status=Delivery.Status.RUNNING, job=None)
    running.filter(received_at__lt=at - STALE).delete()
    Delivery.objects.filter(status=Delivery.Status.WAITING, received_at__lt=before).delete()
    DeliveryReview.objects.filter(delivery__received_at__lt=before).delete()
    FormEntry.objects.filter(delivery__received_at__lt=before).delete()
    return DeliveryChunk.objects.filter(delivery__received_at__lt=before).delete()[0]


def _even(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same content in pieces of CHUNK_BYTES each, the last one shorter."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        while len(rest) >= CHUNK_BYTES:
            yield bytes(rest[:CHUNK_BYTES])
            del rest[:CHUNK_BYTES]
    if rest:
        yield bytes(rest)
