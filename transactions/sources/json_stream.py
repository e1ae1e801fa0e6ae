"""A JSON object too large to be held: read in pieces, the values of its one long list in batches."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

_BLOCK = 1 << 20
_MOST_PENDING = 16 << 20  # a single value of this length is none that anybody sends
_BATCH = 20_000
_BLANKS = " \t\n\r"


class Malformed(ValueError):
    """No JSON from here on; `line` and `column` count from 1."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}")
        self.line, self.column = line, column


def read_object(
    file: BinaryIO,
    decoder: json.JSONDecoder,
    *,
    long: str,
    take: Callable[[list[Any]], None],
    look: Callable[[str], None],
) -> list[tuple[str, Any]]:
    """The object's fields in their order. The values of its list `long` go to `take`, batch by batch, and are
    then an empty list. `look` sees all text before it is decoded.

    Raises Malformed, UnicodeDecodeError, and what the decoder's hooks raise. Another kind of value than an
    object is one field without a name.
    """
    reader = _Reader(file, decoder, look)
    is_object = reader.peek() == "{"
    fields = list(_fields(reader, long, take)) if is_object else [("", reader.value())]
    if reader.peek():
        raise reader.malformed()
    return fields


def _fields(reader: _Reader, long: str, take: Callable[[list[Any]], None]) -> Iterator[tuple[str, Any]]:
    for _item in reader.items("{", "}"):
        if reader.peek() != '"':
            raise reader.malformed()
        name = reader.value()
        reader.skip(":")
        if name == long and reader.peek() == "[":
            _take_list(reader, take)
            yield name, []
        else:
            yield name, reader.value()


def _take_list(reader: _Reader, take: Callable[[list[Any]], None]) -> None:
    batch: list[Any] = []
    for _item in reader.items("[", "]"):
        batch.append(reader.value())
        if len(batch) == _BATCH:
            take(batch)
            batch = []
    take(batch)


class _Reader:
    """Text from a file, of which only what is not yet decoded is held."""

    def __init__(self, file: BinaryIO, decoder: json.JSONDecoder, look: Callable[[str], None]) -> None:
        self._file, self._decoder, self._look = file, decoder, look
        self._bytes, self._read = codecs.getincrementaldecoder("utf-8-sig")(), 0
        self._text, self._at, self._ended = "", 0, False
        self._line, self._column = 1, 1  # where the held text begins

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANKS:
                    return self._text[self._at]
                self._at += 1
            if not self._fill():
                return ""

    def skip(self, wanted: str) -> None:
        if self.peek() != wanted:
            raise self.malformed()
        self._at += 1

    def items(self, opening: str, closing: str) -> Iterator[None]:
        """Stands before each item of a list or object in turn, and behind it at the end."""
        self.skip(opening)
        if self.peek() != closing:
            yield
            while self.peek() == ",":
                self._at += 1
                yield
        self.skip(closing)

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                found = self.malformed(error.pos)
                # What is cut off is no fault while there is more to come.
                if len(self._text) - self._at > _MOST_PENDING or not self._fill():
                    raise found from error
                continue
            if end < len(self._text) or not self._fill():  # a number may go on
                self._at = end
                return value

    def malformed(self, at: int | None = None) -> Malformed:
        before = self._text[: self._at if at is None else at]
        line, column = self._position(before)
        return Malformed(line, column)

    def _position(self, before: str) -> tuple[int, int]:
        breaks = before.count("\n")
        column = len(before) - before.rfind("\n") if breaks else self._column + len(before)
        return self._line + breaks, column

    def _fill(self) -> bool:
        """Takes in some more; False at the end."""
        if self._ended:
            return False
        self._line, self._column = self._position(self._text[: self._at])
        block = self._file.read(_BLOCK)
        self._ended = not block
        more = self._decoded(block)
        self._text, self._at = self._text[self._at :] + more, 0
        self._look(self._text)
        return bool(more) or self._fill()

    def _decoded(self, block: bytes) -> str:
        try:
            text = self._bytes.decode(block, final=not block)
        except UnicodeDecodeError as error:
            error.start += self._read + len(block) - len(error.object)  # counted from the file's beginning
            raise
        self._read += len(block)
        return text
