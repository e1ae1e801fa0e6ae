"""CSV as people save it: how it is written, and its records with their lines.

What the columns mean, and how a fault is told, is for the rooms that read one.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from zsk.kinds import BLOCK, NotReadable

_MAX_HEADER = 1 << 16  # a longer first line is no header but some other content
# pyarrow reads records up to its block's size; the report, which is read by csv, must not give up earlier.
csv.field_size_limit(2 * BLOCK)


@dataclass(frozen=True)
class Layout:
    """How a file is written: what its report must repeat. `quotes` is the number of quotation marks."""

    encoding: str
    delimiter: str
    header: list[str]
    quotes: int = 0


def read_layout(file: BinaryIO, *, known: Collection[str]) -> Layout:
    """How the file is written; `known` are headings, in lower case, by which the separator is found.

    Raises NotReadable.
    """
    encoding, quotes = _encoding(file)
    text = as_text(file, encoding)
    try:
        first = next(filter(str.strip, iter(lambda: text.readline(_MAX_HEADER), "")), "")
        if len(first) == _MAX_HEADER:
            raise NotReadable("kopfzeile_fehlt", value=first[:80], line=1)
        delimiter = _delimiter(first, known)
        text.seek(0)
        header = Records(text, delimiter).skip_header()
    finally:
        text.detach()  # else the wrapper would close the file
    return Layout(encoding, delimiter, [cell.strip() for cell in header], quotes)


def as_text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding, newline="")


class Records:
    """Records of a CSV with the line each begins on; the header is line 1."""

    def __init__(self, text: io.TextIOWrapper, delimiter: str, *, strict: bool = False) -> None:
        self._reader = csv.reader(text, delimiter=delimiter, strict=strict)

    def skip_header(self) -> list[str]:
        return next((cells for _line, cells in self if any(map(str.strip, cells))), [])

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of each record. Raises NotReadable where one has no end."""
        while True:
            line = self._reader.line_num + 1
            try:
                yield line, next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise NotReadable("datei_anfuehrung", line=line, params={"zeile": line}) from error


def _encoding(file: BinaryIO) -> tuple[str, int]:
    """UTF-8 with or without BOM, else Windows-1252, and the number of quotation marks.

    A mixture of both is refused with its line.
    """
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    seen_multibyte, lines, quotes = False, 1, 0
    block = b"\n"
    while block:
        block = file.read(BLOCK)
        if b"\x00" in block:
            raise _no_text()
        try:
            # The empty block at the end tells a file that was cut inside a character.
            seen_multibyte = not decoder.decode(block, final=not block).isascii() or seen_multibyte
        except UnicodeDecodeError as error:
            line = lines + bytes(error.object[: error.start]).count(b"\n")
            first = bytes(error.object[error.start : error.start + 1])
            return _single_byte_encoding(file, first, line, seen_multibyte)
        lines += block.count(b"\n")
        quotes += block.count(b'"')
    return "utf-8-sig", quotes


def _no_text() -> NotReadable:
    return NotReadable("datei_art", params={"art": "eine Datei ohne lesbaren Text"})


def _single_byte_encoding(file: BinaryIO, first: bytes, line: int, seen_multibyte: bool) -> tuple[str, int]:
    file.seek(0)
    content = file.read()
    if b"\x00" in content:
        raise _no_text()
    # A file that is UTF-8 elsewhere was glued together from two; a wrong guess would garble one of them.
    mixed = seen_multibyte or re.search(rb"[\xc3][\x80-\xbf]", content)
    undefined = re.search(rb"[\x81\x8d\x8f\x90\x9d]", content)
    if mixed or undefined:
        if undefined and not mixed:
            line, first = content.count(b"\n", 0, undefined.start()) + 1, undefined.group()
        params = {"zeile": line, "bytes": f"Byte 0x{first.hex().upper()}"}
        raise NotReadable("datei_zeichen", line=line, params=params)
    return "cp1252", content.count(b'"')


def _delimiter(first_line: str, known: Collection[str]) -> str:
    """The separator under which the head holds most of the known names."""

    def score(delimiter: str) -> int:
        return sum(cell.strip(' "\r\n').lower() in known for cell in first_line.split(delimiter))

    return max(";,\t", key=score)
