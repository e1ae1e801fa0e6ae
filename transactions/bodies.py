"""The body of a push: taken in pieces, unpacked on the way, and never more of it than is allowed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

PIECE = 1 << 20
_SLICE = 1 << 14  # what is left behind a gzip member is copied: a megabyte of empty ones must stay cheap
_GZIP = 16 + zlib.MAX_WBITS


class TooLarge(Exception):
    """The body, or what it unpacks to, is larger than allowed."""


class BadPacking(Exception):
    """The body is not what gzip packs, or is cut off."""


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def pieces(stream: Stream, *, packed: bool, most: int) -> Iterator[bytes]:
    """The content in pieces of at most PIECE bytes. Raises TooLarge and BadPacking."""
    raw = iter(lambda: stream.read(PIECE), b"")
    total = 0
    for piece in _unpacked(raw) if packed else raw:
        total += len(piece)
        if total > most:
            raise TooLarge
        yield piece


def _unpacked(raw: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip member after the other; a small body may unpack to a huge one, so no piece is ever long."""
    unpacker = zlib.decompressobj(_GZIP)
    slices = (piece[start : start + _SLICE] for piece in raw for start in range(0, len(piece), _SLICE))
    for rest in slices:
        while rest:
            try:
                content = unpacker.decompress(rest, PIECE)
            except zlib.error as error:
                raise BadPacking from error
            if content:
                yield content
            rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            if unpacker.eof and rest:
                unpacker = zlib.decompressobj(_GZIP)
            elif not content and not rest:
                break
    if not unpacker.eof:
        raise BadPacking
