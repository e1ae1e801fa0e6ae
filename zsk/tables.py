"""Tables of texts as files that people open in a spreadsheet: CSV, and XLSX with memory for one row."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter
from django.http import StreamingHttpResponse

from zsk.kinds import BLOCK, CSV, XLSX
from zsk.spreadsheets import harmless
from zsk.workbooks import Day, Number

MEDIA_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BATCH = 10_000
_MOST_LETTERS = 32_767  # in a cell
_WIDTH = 18
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]|^'|'$")


@dataclass(frozen=True)
class Table:
    """A head and, in ascending order, numbered rows; `kind` is CSV or XLSX.

    An XLSX keeps the numbers of its rows, writes `Number` and `Day` as what they were and anything else as
    text. Its columns are formatted as text but for those headed as in `numbers`, `widths` are in letters by
    heading, `notes` fill a second sheet. A CSV has its rows one after the other.
    """

    header: list[str]
    rows: Iterable[tuple[int, list[str]]]
    kind: str = CSV
    delimiter: str = ";"
    sheet: str = "Tabelle"
    header_line: int = 1
    numbers: Collection[str] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[Sequence[str]] = ()


def download(table: Table, *, stem: str) -> StreamingHttpResponse:
    """The file, for one person only."""
    answer = StreamingHttpResponse(pieces(table), content_type=MEDIA_TYPES[table.kind])
    answer["Content-Disposition"] = f'attachment; filename="{stem}.{table.kind}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def pieces(table: Table) -> Iterator[bytes]:
    return _xlsx(table) if table.kind == XLSX else _csv(table)


def _csv(table: Table) -> Iterator[bytes]:
    """UTF-8 with BOM, for Excel."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=table.delimiter, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow(table.header)
    for count, (_line, cells) in enumerate(table.rows, start=1):
        writer.writerow(map(harmless, cells))
        if count % _BATCH == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _xlsx(table: Table) -> Iterator[bytes]:
    # Text is written as text: no cell becomes a formula or a link.
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
            _write(book, table)
            if table.notes:
                _write_notes(book, table.notes)
        file.seek(0)
        while block := file.read(BLOCK):
            yield block


def _write(book: Any, table: Table) -> None:
    sheet = book.add_worksheet(_NOT_IN_NAMES.sub("_", table.sheet)[:31] or None)
    sheet.freeze_panes(table.header_line, 0)
    # Text also in cells that are still empty: what people type there keeps its leading zeros.
    text = book.add_format({"num_format": "@"})
    formats = {Day: book.add_format({"num_format": "yyyy-mm-dd"})}
    for column, name in enumerate(table.header):
        form = None if name in table.numbers else text
        sheet.set_column(column, column, table.widths.get(name, _WIDTH), form)
    bold = book.add_format({"bold": True})
    for column, name in enumerate(table.header):
        sheet.write_string(table.header_line - 1, column, name[:_MOST_LETTERS], bold)
    for line, cells in table.rows:
        for column, cell in enumerate(cells):
            if cell:
                _write_cell(sheet, line - 1, column, cell, formats[Day] if isinstance(cell, Day) else None)


def _write_cell(sheet: Any, row: int, column: int, cell: str, day: Any) -> None:
    if isinstance(cell, Number):
        sheet.write_number(row, column, float(cell.replace(",", ".")))
    elif day:
        sheet.write_datetime(row, column, dt.date.fromisoformat(cell), day)
    else:
        sheet.write_string(row, column, cell[:_MOST_LETTERS])


def _write_notes(book: Any, notes: Sequence[Sequence[str]]) -> None:
    sheet = book.add_worksheet("Hinweise")
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 22, bold)
    sheet.set_column(1, 1, 90, wrapped)
    for row, cells in enumerate(notes):
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell, wrapped if column else bold)
