"""XLSX: numbers, dates and texts as they stand in the cells, by the row numbers of the spreadsheet."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from transactions.findings import Finding
from transactions.rows import Column, Rows, encode
from transactions.sources import Unreadable
from transactions.sources.tables import KNOWN, Table, read_head, rows_of, told
from zsk.workbooks import read_sheet

_BATCH = 50_000


def read(file: BinaryIO, *, single_service: bool) -> Rows:
    """All rows of the sheet that fits, as the CSV reader gives them. Raises Unreadable."""
    with told():
        sheet = read_sheet(file, known=KNOWN)
        head = read_head(sheet.header, single_service=single_service, line=sheet.header_line)
        if sheet.others:
            params = {"blatt": sheet.name, "andere": ", ".join(sheet.others)}
            head.notes.append(Finding("blatt_gelesen", line=sheet.header_line, params=params))
        return rows_of(_table(sheet.rows, len(sheet.header)), head)


def _table(rows: Iterable[tuple[int, list[str]]], width: int) -> Table:
    lines: list[np.ndarray] = []
    chunks: list[list[pa.Array]] = [[] for _column in range(width)]
    source = iter(rows)
    while some := list(itertools.islice(source, _BATCH)):
        lines.append(np.array([line for line, _cells in some], np.int32))
        for chunk, texts in zip(chunks, zip(*_padded(some, width), strict=True), strict=True):
            chunk.append(encode(texts))
    columns = [Column.joined(chunk) for chunk in chunks]
    return Table(np.concatenate(lines) if lines else np.empty(0, np.int32), columns, {})


def _padded(rows: list[tuple[int, list[str]]], width: int) -> Iterator[list[str]]:
    for line, cells in rows:
        if len(cells) > width:
            _refuse_content(line, cells, width)
        yield cells[:width] + [""] * (width - len(cells))


def _refuse_content(line: int, cells: list[str], width: int) -> None:
    for number, cell in enumerate(cells[width:], start=width + 1):
        if cell.strip():
            params = {"nummer": number, "zeile": line}
            raise Unreadable(Finding("spalte_ohne_kopf", value=cell[:80], line=line, params=params))
