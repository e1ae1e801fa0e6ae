"""A JSON message of up to millions of rows: read in pieces, its rows kept as columns at once."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from transactions.findings import Finding
from transactions.rows import Column, Rows, encode
from transactions.sources import Unreadable, json_stream, push


def read(file: BinaryIO, *, own: str | None, max_rows: int) -> push.Message:
    """As `push.read()`, never holding the whole message."""
    rows = _Rows(own, max_rows)
    with push.told():
        fields = json_stream.read_object(
            file, json.JSONDecoder(**push.HOOKS), long="zeilen", take=rows.take, look=rows.look
        )
        message = push.as_object(fields) if [name for name, _value in fields] != [""] else fields[0][1]
    if rows.is_suspect and not push.storable(message):
        raise Unreadable(Finding("json_zeichen"))
    return push.message(push.only_object(message), rows.count, rows.rows, own=own, max_rows=max_rows)


class _Rows:
    """Rows as they come. Of too many, and behind one of another shape, nothing is kept but their number."""

    def __init__(self, own: str | None, max_rows: int) -> None:
        self.own, self.max_rows = own, max_rows
        self.count = 0
        self.is_suspect = False
        self._shape: list[Finding] = []
        self._faults: list[Finding] = []
        self._columns: list[list[pa.Array]] = [[], [], [], []]

    def look(self, text: str) -> None:
        self.is_suspect = self.is_suspect or push.SUSPECT.search(text) is not None

    def take(self, batch: list[Any]) -> None:
        first, self.count = self.count, self.count + len(batch)
        if self.is_suspect and not push.storable(batch):
            raise Unreadable(Finding("json_zeichen"))
        if self.count > self.max_rows or len(self._shape) >= push.MAX_SHAPE_FAULTS:
            return
        self._shape += push.shape_faults(batch, self.own, first=first)
        if not self._shape:
            texts = push.columns(batch, self.own, self._faults, first=first)
            for chunks, column in zip(self._columns, texts, strict=True):
                chunks.append(encode(column))

    def rows(self) -> Rows:
        if self._shape:
            raise Unreadable(*self._shape[: push.MAX_SHAPE_FAULTS])
        service, ars, month, count = (Column.joined(chunks) for chunks in self._columns)
        lines = np.arange(2, self.count + 2, dtype=np.int32)
        return Rows(lines, service, ars, month, count, faults=self._faults, strict=True)
