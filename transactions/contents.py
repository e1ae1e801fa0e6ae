"""What was sent, kept in the database in pieces, so that any worker can read it; expires after some weeks."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterable
from typing import BinaryIO, cast

from django.conf import settings
from django.utils import timezone

from transactions.models import Delivery, DeliveryChunk

CHUNK_BYTES = 1 << 20
_IN_MEMORY_BYTES = 8 << 20
STALE = dt.timedelta(minutes=10)  # a delivery that runs this long belongs to a process that is gone


class ContentExpired(Exception):
    """What was sent is no longer kept."""


def keep(delivery: Delivery, pieces: Iterable[bytes]) -> None:
    """Stores what was sent beside its delivery, which must be saved already."""
    DeliveryChunk.objects.bulk_create(
        (
            DeliveryChunk(delivery=delivery, number=number, content=piece)
            for number, piece in enumerate(_even(pieces))
        ),
        batch_size=8,
    )


def digest(pieces: Iterable[bytes]) -> str:
    checksum = hashlib.sha256()
    for piece in pieces:
        checksum.update(piece)
    return checksum.hexdigest()


def open_content(delivery: Delivery) -> BinaryIO:
    """What was sent, as a file; large ones on disk. Raises ContentExpired."""
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
    Delivery.objects.filter(status=Delivery.Status.RUNNING, received_at__lt=at - STALE).delete()
    Delivery.objects.filter(status=Delivery.Status.WAITING, received_at__lt=before).delete()
    return DeliveryChunk.objects.filter(delivery__received_at__lt=before).delete()[0]


def _even(pieces: Iterable[bytes]) -> Iterable[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), CHUNK_BYTES):
            yield piece[start : start + CHUNK_BYTES]
