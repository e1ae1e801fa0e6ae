"""A table of counts, whatever kind of file it stands in: what its columns mean, and its rows as `Rows`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from transactions.findings import Finding
from transactions.rows import Column, Rows
from transactions.sources import Unreadable
from zsk.kinds import NotReadable

FIELDS = ("onlineservice", "ars", "monat", "anzahl")
# For the eye only: what our own files say beside the numbers.
UNREAD_FIELDS = {"bezeichnung", "ergebnis", "hinweis"}
SYNONYMS = {
    "onlineservice": {
        "online-service", "online service", "service", "onlineservice-nummer", "os", "os-nummer", "kennung",
    },
    "ars": {"regionalschlüssel", "amtlicher regionalschlüssel", "rs", "regionalschluessel"},
    "monat": {"berichtsmonat", "month"},
    "anzahl": {"transaktionen", "transaktionszahl", "anzahl transaktionen", "anzahl der transaktionen"},
}  # fmt: skip
KNOWN = {*FIELDS, *(name for names in SYNONYMS.values() for name in names)}


@dataclass(frozen=True)
class Head:
    """Where each field stands in a record; `blank` are columns without a heading."""

    positions: dict[str, int]
    blank: list[int]
    notes: list[Finding]


@contextmanager
def told() -> Iterator[None]:
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


def read_head(header: list[str], *, single_service: bool, line: int = 1) -> Head:
    """What the columns mean; `line` is the head's. Raises Unreadable with all that is wrong with it."""
    fields = [field_of(cell) for cell in header]
    if not any(fields):
        shown = " | ".join(header)[:80]
        raise Unreadable(Finding("kopfzeile_fehlt", value=shown, line=line))
    if faults := [
        *_doubled(header, fields),
        *_missing(header, fields, single_service),
        *_unknown(header, fields),
    ]:
        raise Unreadable(*(replace(fault, line=line) for fault in faults))
    positions = {field: index for index, field in enumerate(fields) if field}
    blank = [index for index, cell in enumerate(header) if not cell]
    return Head(positions, blank, [replace(note, line=line) for note in _notes(header, fields)])


def _doubled(header: list[str], fields: list[str | None]) -> Iterator[Finding]:
    for field in FIELDS:
        if fields.count(field) > 1:
            found = ", ".join(cell for cell, name in zip(header, fields, strict=True) if name == field)
            yield Finding("spalte_doppelt", field, params={"spalte": field, "gefunden": found})


def _missing(header: list[str], fields: list[str | None], single_service: bool) -> Iterator[Finding]:
    for field in FIELDS[1:] if single_service else FIELDS:
        if field not in fields:
            found = ", ".join(filter(None, header))
            yield Finding("spalte_fehlt", field, params={"spalte": field, "gefunden": found})


def _unknown(header: list[str], fields: list[str | None]) -> Iterator[Finding]:
    for cell, field in zip(header, fields, strict=True):
        if cell and not field and cell.lower() not in UNREAD_FIELDS:
            yield Finding("spalte_unbekannt", value=cell[:80])


def _notes(header: list[str], fields: list[str | None]) -> list[Finding]:
    notes = []
    for cell, field in zip(header, fields, strict=True):
        if field and cell.lower() != field:
            notes.append(Finding("spalte_verstanden", field, value=cell, params={"spalte": field}))
        elif cell and not field:
            notes.append(Finding("spalte_uebergangen", value=cell))
    return notes


@dataclass(frozen=True)
class Table:
    """All records after the header: the line each begins on, and the columns.

    `too_wide` are the texts of records with content behind the last column, by line.
    """

    lines: npt.NDArray[np.int32]
    columns: list[Column]
    too_wide: dict[int, str]

    def filter(self, keep: npt.NDArray[np.bool_]) -> Table:
        return Table(self.lines[keep], [column.filter(keep) for column in self.columns], self.too_wide)


def rows_of(table: Table, head: Head, *, may_be_empty: bool = False) -> Rows:
    """The rows with content. Raises Unreadable where there are none, or content under no heading."""
    for index in head.blank:
        _refuse_content(table, index)
    table = _without_empty_rows(table, head)
    if not len(table.lines) and not may_be_empty:
        raise Unreadable(Finding("datei_leer"))
    if len(table.lines) > 1 and not _filled(table.columns[head.positions["anzahl"]]).any():
        raise Unreadable(Finding("anzahl_nirgends", "anzahl"))
    return _rows(table, head)


def _refuse_content(table: Table, index: int) -> None:
    filled = _filled(table.columns[index])
    if not filled.any():
        return
    row = int(filled.argmax())
    line, value = int(table.lines[row]), table.columns[index].text(row)[:80]
    params = {"nummer": index + 1, "zeile": line}
    raise Unreadable(Finding("spalte_ohne_kopf", value=value, line=line, params=params))


def _filled(column: Column) -> npt.NDArray[np.bool_]:
    return column.spread(pc.not_equal(pc.utf8_trim_whitespace(column.values), ""))


def _without_empty_rows(table: Table, head: Head) -> Table:
    filled = np.isin(table.lines, list(table.too_wide))
    for index in head.positions.values():
        filled |= _filled(table.columns[index])
    return table if filled.all() else table.filter(filled)


def _rows(table: Table, head: Head) -> Rows:
    columns = {name: table.columns[index] for name, index in head.positions.items()}
    faults = [
        Finding("zeile_spalten", value=text, line=line, row=int(np.searchsorted(table.lines, line)))
        for line, text in table.too_wide.items()
    ]
    return Rows(
        table.lines, columns.get("onlineservice"), columns["ars"], columns["monat"], columns["anzahl"],
        faults=faults, notes=head.notes,
    )  # fmt: skip
