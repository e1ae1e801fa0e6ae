"""CSV as people save it: any of three separators, two encodings, synonyms in the head, quoted line breaks."""

from __future__ import annotations

import codecs
import collections
import csv
import io
import itertools
import re
from collections.abc import Iterator
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
_BLOCK = 1 << 20
_MAX_HEADER = 1 << 16  # a longer first line is no header but some other content
_MAX_TOO_WIDE = 1_000
# pyarrow reads records up to its block's size; the report, which is read by csv, must not give up earlier.
csv.field_size_limit(2 * _BLOCK)
_SIGNATURES = (
    (b"PK\x03\x04", "eine Excel- oder LibreOffice-Datei"),
    (b"\xd0\xcf\x11\xe0", "eine alte Excel-Datei (XLS)"),
    (b"%PDF", "eine PDF-Datei"),
    (b"\x89PNG", "ein Bild"),
    (b"\xff\xd8\xff", "ein Bild"),
    (b"\x1f\x8b", "eine gepackte Datei (gzip)"),
    (b"\xff\xfe", "eine Textdatei in UTF-16"),
    (b"\xfe\xff", "eine Textdatei in UTF-16"),
)


@dataclass(frozen=True)
class Layout:
    """How a file is written: what its report must repeat. `quotes` is the number of quotation marks."""

    encoding: str
    delimiter: str
    header: list[str]
    quotes: int = 0


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
    layout = _layout(file)
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
    layout = _layout(file)
    records = Records(_text(file, layout.encoding), layout.delimiter)
    records.skip_header()
    return layout, records


def _layout(file: BinaryIO) -> Layout:
    _refuse_other_kinds(file)
    encoding, quotes = _encoding(file)
    text = _text(file, encoding)
    try:
        first = next(filter(str.strip, iter(lambda: text.readline(_MAX_HEADER), "")), "")
        if len(first) == _MAX_HEADER:
            raise Unreadable(Finding("kopfzeile_fehlt", value=first[:80], line=1))
        delimiter = _delimiter(first)
        text.seek(0)
        header = Records(text, delimiter).skip_header()
    finally:
        text.detach()  # else the wrapper would close the file
    return Layout(encoding, delimiter, [cell.strip() for cell in header], quotes)


def _text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding, newline="")


class Records:
    """Records of a CSV with the line each begins on; the header is line 1."""

    def __init__(self, text: io.TextIOWrapper, delimiter: str, *, strict: bool = False) -> None:
        self._reader = csv.reader(text, delimiter=delimiter, strict=strict)

    def skip_header(self) -> list[str]:
        return next((cells for _line, cells in self if any(map(str.strip, cells))), [])

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of each record. Raises Unreadable where one has no end."""
        while True:
            line = self._reader.line_num + 1
            try:
                yield line, next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise Unreadable(Finding("datei_anfuehrung", line=line, params={"zeile": line})) from error


def _refuse_other_kinds(file: BinaryIO) -> None:
    file.seek(0)
    start = file.read(_BLOCK)
    for signature, name in _SIGNATURES:
        if start.startswith(signature):
            raise Unreadable(Finding("datei_art", params={"art": name}))
    if not start.strip(b"\xef\xbb\xbf \t\r\n"):
        raise Unreadable(Finding("datei_leer"))
    if start.lstrip()[:1] in (b"<", b"{", b"["):
        name = "eine HTML- oder XML-Datei" if start.lstrip()[:1] == b"<" else "eine JSON-Datei"
        raise Unreadable(Finding("datei_art", params={"art": name}))


def _encoding(file: BinaryIO) -> tuple[str, int]:
    """UTF-8 with or without BOM, else Windows-1252, and the number of quotation marks.

    A mixture of both is refused with its line.
    """
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    seen_multibyte, lines, quotes = False, 1, 0
    while block := file.read(_BLOCK):
        if b"\x00" in block:
            raise _no_text()
        try:
            seen_multibyte = not decoder.decode(block).isascii() or seen_multibyte
        except UnicodeDecodeError as error:
            line = lines + bytes(error.object[: error.start]).count(b"\n")
            first = bytes(error.object[error.start : error.start + 1])
            return _single_byte_encoding(file, first, line, seen_multibyte)
        lines += block.count(b"\n")
        quotes += block.count(b'"')
    return "utf-8-sig", quotes


def _no_text() -> Unreadable:
    return Unreadable(Finding("datei_art", params={"art": "eine Datei ohne lesbaren Text"}))


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
        raise Unreadable(Finding("datei_zeichen", line=line, params=params))
    return "cp1252", content.count(b'"')


def _delimiter(first_line: str) -> str:
    """The separator under which the head holds most of the known names."""
    known = {*FIELDS, *(name for names in SYNONYMS.values() for name in names)}

    def score(delimiter: str) -> int:
        return sum(cell.strip(' "\r\n').lower() in known for cell in first_line.split(delimiter))

    return max(";,\t", key=score)


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
    text = _text(file, layout.encoding)
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
