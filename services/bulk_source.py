"""Reading a file of services: its columns, its rows with their lines, and what is wrong with it as a whole.

Rows are texts; what they mean is for `services.bulk` to check.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from zsk.delimited import Layout, NotReadable, Records, as_text, read_layout
from zsk.spreadsheets import harmless

FIELDS = (
    "kennung", "name", "leistungsschluessel", "behoerde", "meldeebene", "gebiet", "adresse",
    "funktionspostfach", "in_betrieb_seit",
)  # fmt: skip
NEEDED = ("name", "leistungsschluessel", "meldeebene", "gebiet")
SYNONYMS = {
    "kennung": {"id", "kennung im portal"},
    "name": {"onlineservice", "bezeichnung"},
    "leistungsschluessel": {"leistungsschlüssel", "leika", "leika-schlüssel", "leistung"},
    "behoerde": {"behörde"},
    "meldeebene": {"ebene"},
    "gebiet": {"ars", "regionalschlüssel", "einzugsgebiet"},
    "adresse": {"url", "link", "internetadresse"},
    "funktionspostfach": {"e-mail", "email", "postfach", "kontakt"},
    "in_betrieb_seit": {"in betrieb seit", "beginn"},
}
REPORT_FIELDS = ("ergebnis", "hinweis")
MOST_ROWS = 5_000
_KNOWN = {*FIELDS, *(name for names in SYNONYMS.values() for name in names)}
_SENTENCES: dict[str, str | Promise] = {
    "datei_art": gettext_lazy(
        "Das ist %(art)s, keine CSV-Datei. Speichern Sie die Tabelle als CSV (UTF-8, mit Semikolon getrennt)."
    ),
    "datei_leer": gettext_lazy(
        "Die Datei ist leer. Unter der Kopfzeile muss mindestens ein Onlineservice stehen."
    ),
    "datei_zeichen": gettext_lazy(
        "In Zeile %(zeile)s stehen Zeichen, die nicht zum Rest der Datei passen (%(bytes)s)."
        " Speichern Sie die Datei mit der Zeichenkodierung UTF-8."
    ),
    "datei_anfuehrung": gettext_lazy(
        "Ab Zeile %(zeile)s ist die Datei nicht lesbar: Ein Anführungszeichen wird nicht geschlossen."
    ),
    "kopfzeile_fehlt": gettext_lazy(
        "Die erste Zeile ist keine Kopfzeile. Gelesen wurde: %(wert)s. Nehmen Sie die Kopfzeile der Vorlage."
    ),
}


class Unreadable(Exception):
    """Nothing of the file was checked; `faults` say why, in sentences."""

    def __init__(self, *faults: str) -> None:
        super().__init__("; ".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Row:
    """One service as the file has it; columns that are not there are empty."""

    line: int
    texts: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        return self.texts.get(field, "")


def read(file: BinaryIO) -> list[Row]:
    """All rows with content. Raises Unreadable for faults of the file."""
    try:
        layout = read_layout(file, known=_KNOWN)
        positions = _positions(layout.header)
        records = _records(file, layout)
        rows = [Row(line, _texts(cells, positions)) for line, cells in records if any(map(str.strip, cells))]
    except NotReadable as fault:
        raise Unreadable(str(_SENTENCES[fault.code]) % {"wert": fault.value, **fault.params}) from fault
    if not rows:
        raise Unreadable(str(_SENTENCES["datei_leer"]))
    if len(rows) > MOST_ROWS:
        raise Unreadable(
            _("Die Datei hat %(rows)d Onlineservices, erlaubt sind 5.000. Teilen Sie sie auf.")
            % {"rows": len(rows)}
        )
    return rows


def _records(file: BinaryIO, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    # Strictly only where a quote may be open: a stray pair of them is no reason to refuse.
    records = Records(as_text(file, layout.encoding), layout.delimiter, strict=layout.quotes % 2 == 1)
    records.skip_header()
    yield from records


def _texts(cells: list[str], positions: Mapping[str, int]) -> dict[str, str]:
    return {field: " ".join(cells[index].split()) for field, index in positions.items() if index < len(cells)}


def field_of(heading: str) -> str | None:
    name = heading.strip().lower()
    if name in FIELDS:
        return name
    return next((field for field, names in SYNONYMS.items() if name in names), None)


def _positions(header: list[str]) -> dict[str, int]:
    fields = [field_of(cell) for cell in header]
    if not any(fields):
        raise NotReadable("kopfzeile_fehlt", value=" | ".join(header)[:80], line=1)
    if faults := [*_head_faults(header, fields)]:
        raise Unreadable(*faults)
    return {field: index for index, field in enumerate(fields) if field}


def _head_faults(header: list[str], fields: list[str | None]) -> Iterator[str]:
    for field in FIELDS:
        if fields.count(field) > 1:
            yield _("Die Spalte %(column)s steht mehrmals da. Löschen Sie die überzählige.") % {
                "column": field
            }
    for field in NEEDED:
        if field not in fields:
            yield _("Die Spalte %(column)s fehlt. Nötig sind %(needed)s.") % {
                "column": field, "needed": ", ".join(NEEDED),
            }  # fmt: skip
    for cell, name in zip(header, fields, strict=True):
        if cell and not name and cell.lower() not in REPORT_FIELDS:
            yield _(
                "Die Spalte %(column)s kennen wir nicht. Löschen Sie sie oder nennen Sie sie wie in"
                " der Vorlage."
            ) % {"column": cell[:60]}


def report(file: BinaryIO, results: Mapping[int, tuple[str, str]]) -> bytes:
    """The person's own file, same order, plus `ergebnis` and `hinweis` by line; UTF-8 with BOM, for Excel."""
    try:
        layout = read_layout(file, known=_KNOWN)
    except NotReadable:
        return _encoded(["hinweis"], ([hint] for _result, hint in results.values()), ";")
    # A report that is mended and checked again does not grow.
    keep = [index for index, name in enumerate(layout.header) if name.lower() not in REPORT_FIELDS]
    header = [*(layout.header[index] for index in keep), *REPORT_FIELDS]
    return _encoded(header, _report_rows(file, layout, keep, results), layout.delimiter)


def _report_rows(
    file: BinaryIO, layout: Layout, keep: list[int], results: Mapping[int, tuple[str, str]]
) -> Iterator[list[str]]:
    try:
        for line, cells in _records(file, layout):
            if any(map(str.strip, cells)):
                kept = [cells[index] if index < len(cells) else "" for index in keep]
                yield [*kept, *results.get(line, ("", ""))]
    except NotReadable:
        return


def template() -> bytes:
    """The head, and two rows that show how it is meant."""
    rows = [
        ["hund-01", "Hundesteuer anmelden", "99102013000000", "", "Gemeinde", "010590045045",
         "https://www.example.org/hundesteuer", "steuer@example.org", "2024-01-15"],
        ["hund-02", "Hundesteuer abmelden", "99102013000000", "", "Gemeinde", "010590045045 010590120120",
         "https://www.example.org/hund-abmelden", "steuer@example.org", "15.01.2024"],
    ]  # fmt: skip
    return _encoded(list(FIELDS), rows, ";")


def _encoded(header: list[str], rows: Iterable[list[str]], delimiter: str) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return f"\ufeff{buffer.getvalue()}".encode()
