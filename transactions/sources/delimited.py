"""CSV as people save it: any of three separators, two encodings, quoted line breaks."""

from __future__ import annotations

import collections
import csv
import itertools
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from transactions.findings import Finding
from transactions.rows import ENCODED, Column, Rows, encode
from transactions.sources import Unreadable
from transactions.sources.tables import KNOWN, Table, read_head, rows_of, told
from zsk.delimited import Layout, Records, as_text, read_layout

_MAX_TOO_WIDE = 1_000


def read(file: BinaryIO, *, single_service: bool, may_be_empty: bool = False) -> Rows:
    """All rows of a CSV, which is closed then. `single_service`: for one service, the column may be missing.
    `may_be_empty`: a head without rows says something.

    Raises Unreadable for faults of the file; faults of single rows are for `check()` to find.
    """
    with told():
        return _read(file, read_layout(file, known=KNOWN), single_service, may_be_empty)


def _read(file: BinaryIO, layout: Layout, single_service: bool, may_be_empty: bool) -> Rows:
    head = read_head(layout.header, single_service=single_service)
    if layout.quotes % 2:
        _refuse_open_quote(file, layout)
    return rows_of(_table(file, layout), head, may_be_empty=may_be_empty)


def _table(file: BinaryIO, layout: Layout) -> Table:
    uneven = _Uneven(layout)
    names = [str(index) for index in range(len(layout.header))]
    file.seek(0)
    try:
        table = pa_csv.read_csv(
            file,
            pa_csv.ReadOptions(
                use_threads=False, column_names=names, encoding=_arrow_encoding(layout.encoding)
            ),
            pa_csv.ParseOptions(
                delimiter=layout.delimiter,
                newlines_in_values=layout.quotes > 0,
                ignore_empty_lines=False,
                invalid_row_handler=uneven.keep,
            ),
            # Each text once: as plain texts, five million rows would take hundreds of megabytes.
            pa_csv.ConvertOptions(column_types=dict.fromkeys(names, ENCODED), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable_record(file, layout) from error
    pieces = [column.chunks for column in table.columns]
    total = table.num_rows + len(uneven.numbers)
    del table
    return _with_lines(pieces, total, uneven, layout)


def _arrow_encoding(encoding: str) -> str:
    return "utf8" if encoding == "utf-8-sig" else encoding


class _Uneven:
    """Records of another width than the header, which the reader hands over one by one."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.numbers: list[int] = []
        self.texts: list[str] = []

    def keep(self, row: pa_csv.InvalidRow) -> str:
        self.numbers.append(row.number)
        self.texts.append(row.text)
        return "skip"

    def records(self) -> Iterator[list[str]]:
        return csv.reader(self.texts, delimiter=self.layout.delimiter)

    def columns(self) -> list[list[pa.DictionaryArray]]:
        """The cells under each heading, in pieces; those that a short record lacks are empty."""
        width = len(self.layout.header)
        chunks: list[list[pa.DictionaryArray]] = [[] for _column in range(width)]
        records = self.records()
        while some := list(itertools.islice(records, 50_000)):
            for index, chunk in enumerate(chunks):
                cells = [cells[index] if index < len(cells) else "" for cells in some]
                chunk.append(encode(cells))
        return chunks

    def too_wide(self) -> Iterator[tuple[int, str]]:
        """(number, text) of each record with content behind the last heading."""
        width, delimiter = len(self.layout.header), self.layout.delimiter
        for number, cells in zip(self.numbers, self.records(), strict=True):
            if any(cell.strip() for cell in cells[width:]):
                yield number, delimiter.join(cells)[:80]


def _unreadable_record(file: BinaryIO, layout: Layout) -> Unreadable:
    """The reader gave up: a record is too long to be one, most often for a quote that is never closed."""
    if layout.quotes:
        _refuse_open_quote(file, layout)
    file.seek(0)
    lengths = ((len(text), line) for line, text in enumerate(file, start=1))
    _length, line = max(lengths)
    return Unreadable(Finding("zeile_zu_lang", line=line, params={"zeile": line}))


def _refuse_open_quote(file: BinaryIO, layout: Layout) -> None:
    text = as_text(file, layout.encoding)
    try:
        collections.deque(Records(text, layout.delimiter, strict=True), maxlen=0)
    finally:
        text.detach()


def _with_lines(pieces: list[list[pa.DictionaryArray]], total: int, uneven: _Uneven, layout: Layout) -> Table:
    """Puts records of another width back in their place, and numbers all by the line they begin on."""
    columns = []
    for others in uneven.columns():
        columns.append(Column.joined([*pieces.pop(0), *others]))
    pa.default_memory_pool().release_unused()
    if uneven.numbers:
        odd = np.array(uneven.numbers, np.int64)
        even = np.setdiff1d(np.arange(1, total + 1), odd, assume_unique=True)
        order = np.argsort(np.concatenate([even, odd]), kind="stable")
        columns = [Column(column.codes[order], column.values) for column in columns]
    lines = _first_lines(columns, total) if layout.quotes else np.arange(1, total + 1, dtype=np.int32)
    wide = {int(lines[number - 1]): text for number, text in uneven.too_wide()}
    if len(wide) > _MAX_TOO_WIDE:
        listed = itertools.islice(wide.items(), _MAX_TOO_WIDE)
        raise Unreadable(*(Finding("zeile_spalten", value=text, line=line) for line, text in listed))
    header = next((row for row in range(total) if any(column.text(row).strip() for column in columns)), 0)
    return Table(lines, columns, wide).filter(np.arange(total) > header)


def _first_lines(columns: list[Column], total: int) -> npt.NDArray[np.int32]:
    """A record begins one line after its predecessor, and one more for every line break in its cells."""
    breaks = np.zeros(total + 1, np.int64)
    for column in columns:
        breaks[1:] += column.spread(pc.count_substring_regex(column.values, "\r\n|\r|\n"))
    return (np.arange(1, total + 1) + np.cumsum(breaks)[:-1]).astype(np.int32)
