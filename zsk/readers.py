"""A table in a file, whichever of the two kinds that is: its head, and its rows one after the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from zsk.delimited import Records, as_text, read_layout
from zsk.kinds import CSV, XLSX, kind
from zsk.workbooks import read_sheet


@dataclass(frozen=True)
class Source:
    """`rows` are (number, cells) of what follows the head; the file must stay open while they are read."""

    kind: str
    header: list[str]
    rows: Iterator[tuple[int, list[str]]]
    header_line: int = 1
    delimiter: str = ";"
    sheet: str = ""


def open_file(file: BinaryIO, *, name: str, known: Collection[str]) -> Source:
    """`known` are headings, in lower case, by which the head is found. Raises NotReadable, `rows` as well."""
    if kind(file, name=name) == XLSX:
        sheet = read_sheet(file, known=known)
        return Source(XLSX, sheet.header, sheet.rows, header_line=sheet.header_line, sheet=sheet.name)
    layout = read_layout(file, known=known)
    # Strictly only where a quote may be open: a stray pair of them is no reason to refuse.
    records = Records(as_text(file, layout.encoding), layout.delimiter, strict=layout.quotes % 2 == 1)
    records.skip_header()
    return Source(CSV, layout.header, iter(records), delimiter=layout.delimiter)
