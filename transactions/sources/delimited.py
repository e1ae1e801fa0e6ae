"""CSV as people save it: any of three separators, two encodings, synonyms in the head, quoted line breaks."""

from __future__ import annotations

import collections
import csv
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from transactions.findings import Finding
from transactions.rows import Column, Rows
from transactions.sources import Unreadable
from zsk.delimited import Layout, NotReadable, Records, as_text, read_layout

FIELDS = ("onlineservice", "ars", "monat", "anzahl")
REPORT_FIELDS = {"ergebnis", "hinweis"}
SYNONYMS = {
    "onlineservice": {
        "online-service", "online service", "service", "onlineservice-nummer", "os", "os-nummer", "kennung",
    },
    "ars": {"regionalschlüssel", "amtlicher regionalschlüssel", "rs", "regionalschluessel"},
    "monat": {"berichtsmonat", "month"},
    "anzahl": {"transaktionen", "transaktionszahl", "anzahl transaktionen", "anzahl der transaktionen"},
}  # fmt: skip
_MAX_TOO_WIDE = 1_000
_KNOWN = {*FIELDS, *(name for names in SYNONYMS.values() for name in names)}


@dataclass(frozen=True)
class Head:
    """Where each field stands in a record; `blank` are columns without a heading."""

    positions: dict[str, int]
    blank: list[int]
    notes: list[Finding]


def read(file: BinaryIO, *, single_service: bool) -> Rows:
    """All rows of a CSV, which is closed then. `single_service`: for one service, the column may be missing.

    Raises Unreadable for faults of the file; faults of single rows are for `check()` to find.
    """
    with _told():
        return _read(file, read_layout(file, known=_KNOWN), single_service)


def _read(file: BinaryIO, layout: Layout, single_service: bool) -> Rows:
    head = _head(layout.header, single_service=single_service)
    if layout.quotes % 2:
        _refuse_open_quote(file, layout)
    table = _table(file, layout)
    for index in head.blank:
        _refuse_content(table, index)
    table = _without_empty_rows(table, head)
    if not len(table.lines):
        raise Unreadable(Finding("datei_leer"))
    return _rows(table, head)


def open_records(file: BinaryIO) -> tuple[Layout, Records]:
    """The file's layout and, one after the other, its records after the header; closed with the last."""
    with _told():
        layout = read_layout(file, known=_KNOWN)
        records = Records(as_text(file, layout.encoding), layout.delimiter)
        records.skip_header()
        return layout, records


@contextmanager
def _told() -> Iterator[None]:
    """A file that cannot be read, told in the words of deliveries."""
    try:
        yield
    except NotReadable as fault:
        finding = Finding(fault.code, value=fault.value, line=fault.line, params=fault.params)
        raise Unreadable(finding) from fault


def field_of(heading: str) -> str | None:
    """The field that a heading means, by its name or a synonym."""
    name = heading.strip().lower()
    if name in FIELDS:
        return name
    return next((field for field, names in SYNONYMS.items() if name in names), None)


def _head(header: list[str], *, single_service: bool) -> Head:
    fields = [field_of(cell) for cell in header]
    if not any(fields):
        shown = " | ".join(header)[:80]
        raise Unreadable(Finding("kopfzeile_fehlt", value=shown, line=1))
    if faults := [
        *_doubled(header, fields),
        *_missing(header, fields, single_service),
        *_unknown(header, fields),
    ]:
        raise Unreadable(*faults)
    positions = {field: index for index, field in enumerate(fields) if field}
    blank = [index for index, cell in enumerate(header) if not cell]
    return Head(positions, blank, _notes(header, fields))


def _doubled(header: list[str], fields: list[str | None]) -> Iterator[Finding]:
    for field in FIELDS:
        if fields.count(field) > 1:
            found = ", ".join(cell for cell, name in zip(header, fields, strict=True) if name == field)
            yield Finding("spalte_doppelt", field, line=1, params={"spalte": field, "gefunden": found})


def _missing(header: list[str], fields: list[str | None], single_service: bool) -> Iterator[Finding]:
    for field in FIELDS[1:] if single_service else FIELDS:
        if field not in fields:
            found = ", ".join(filter(None, header))
            yield Finding("spalte_fehlt", field, line=1, params={"spalte": field, "gefunden": found})


def _unknown(header: list[str], fields: list[str | None]) -> Iterator[Finding]:
    for cell, field in zip(header, fields, strict=True):
        if cell and not field and cell.lower() not in REPORT_FIELDS:
            yield Finding("spalte_unbekannt", value=cell[:80], line=1)


def _notes(header: list[str], fields: list[str | None]) -> list[Finding]:
    notes = []
    for cell, field in zip(header, fields, strict=True):
        if field and cell.lower() != field:
            notes.append(Finding("spalte_verstanden", field, value=cell, line=1, params={"spalte": field}))
        elif cell and not field:
            notes.append(Finding("spalte_uebergangen", value=cell, line=1))
    return notes


@dataclass(frozen=True)
class _Table:
    """All records after the header: the line each begins on, and one array of texts per column.

    `too_wide` are the texts of records with content behind the last column, by line.
    """

    lines: npt.NDArray[np.int32]
    columns: list[pa.ChunkedArray]
    too_wide: dict[int, str]

    def filter(self, keep: npt.NDArray[np.bool_]) -> _Table:
        columns = [column.filter(pa.array(keep)) for column in self.columns]
        return _Table(self.lines[keep], columns, self.too_wide)


def _table(file: BinaryIO, layout: Layout) -> _Table:
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
            pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable_record(file, layout) from error
    return _with_lines(table, uneven, layout)


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

    def columns(self) -> list[pa.ChunkedArray]:
        """The cells under each heading; those that a short record lacks are empty."""
        width = len(self.layout.header)
        chunks: list[list[pa.Array]] = [[] for _column in range(width)]
        records = self.records()
        while some := list(itertools.islice(records, 50_000)):
            for index, chunk in enumerate(chunks):
                cells = [cells[index] if index < len(cells) else "" for cells in some]
                chunk.append(pa.array(cells, pa.string()))
        return [pa.chunked_array(chunk, pa.string()) for chunk in chunks]

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


def _with_lines(table: pa.Table, uneven: _Uneven, layout: Layout) -> _Table:
    """Puts records of another width back in their place, and numbers all by the line they begin on."""
    columns: list[pa.ChunkedArray] = table.columns
    total = table.num_rows + len(uneven.numbers)
    if uneven.numbers:
        odd = np.array(uneven.numbers, np.int64)
        even = np.setdiff1d(np.arange(1, total + 1), odd, assume_unique=True)
        order = pa.array(np.argsort(np.concatenate([even, odd]), kind="stable"))
        columns = [
            _joined(column, other).take(order)
            for column, other in zip(columns, uneven.columns(), strict=True)
        ]
    lines = _first_lines(columns, total) if layout.quotes else np.arange(1, total + 1, dtype=np.int32)
    wide = {int(lines[number - 1]): text for number, text in uneven.too_wide()}
    if len(wide) > _MAX_TOO_WIDE:
        listed = itertools.islice(wide.items(), _MAX_TOO_WIDE)
        raise Unreadable(*(Finding("zeile_spalten", value=text, line=line) for line, text in listed))
    header = next((row for row in range(total) if any(column[row].as_py().strip() for column in columns)), 0)
    return _Table(lines, columns, wide).filter(np.arange(total) > header)


def _joined(column: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    # As one piece: taking rows out of many is slow.
    pieces = [part for part in (*column.chunks, *other.chunks) if len(part)]
    return pa.chunked_array([pa.concat_arrays(pieces)] if pieces else [], pa.string())


def _first_lines(columns: list[pa.ChunkedArray], total: int) -> npt.NDArray[np.int32]:
    """A record begins one line after its predecessor, and one more for every line break in its cells."""
    breaks = np.zeros(total + 1, np.int64)
    for column in columns:
        breaks[1:] += pc.count_substring_regex(column, "\r\n|\r|\n").to_numpy()
    return (np.arange(1, total + 1) + np.cumsum(breaks)[:-1]).astype(np.int32)


def _refuse_content(table: _Table, index: int) -> None:
    filled = pc.not_equal(pc.utf8_trim_whitespace(table.columns[index]), "").to_numpy()
    if not filled.any():
        return
    row = int(filled.argmax())
    line, value = int(table.lines[row]), str(table.columns[index][row].as_py())[:80]
    params = {"nummer": index + 1, "zeile": line}
    raise Unreadable(Finding("spalte_ohne_kopf", value=value, line=line, params=params))


def _without_empty_rows(table: _Table, head: Head) -> _Table:
    filled = np.isin(table.lines, list(table.too_wide))
    for index in head.positions.values():
        filled |= pc.not_equal(pc.utf8_trim_whitespace(table.columns[index]), "").to_numpy()
    return table if filled.all() else table.filter(filled)


def _rows(table: _Table, head: Head) -> Rows:
    columns = {name: Column.of(table.columns[index]) for name, index in head.positions.items()}
    faults = [
        Finding("zeile_spalten", value=text, line=line, row=int(np.searchsorted(table.lines, line)))
        for line, text in table.too_wide.items()
    ]
    return Rows(
        table.lines, columns.get("onlineservice"), columns["ars"], columns["monat"], columns["anzahl"],
        faults=faults, notes=head.notes,
    )  # fmt: skip
