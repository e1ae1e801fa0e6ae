"""Reading a file of services: its columns, its rows with their lines, and what is wrong with it as a whole.

Rows are texts; what they mean is for `services.bulk` to check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from zsk.kinds import NotReadable
from zsk.readers import Source, open_file
from zsk.tables import Table

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
_WIDTHS = {"name": 40, "gebiet": 40, "adresse": 40, "funktionspostfach": 28, "hinweis": 90}
_KNOWN = {*FIELDS, *(name for names in SYNONYMS.values() for name in names)}
_SENTENCES: dict[str, str | Promise] = {
    "datei_art": gettext_lazy(
        "Das ist %(art)s. Gelesen werden CSV und XLSX. Öffnen Sie die Tabelle in Ihrer Tabellenkalkulation,"
        " ohne Kennwort, und wählen Sie Speichern unter: XLSX oder CSV (UTF-8)."
    ),
    "datei_name": gettext_lazy(
        "Die Datei heißt „%(wert)s“, ist aber %(art)s. Prüfen Sie, ob es die richtige ist. Ist sie es, geben"
        " Sie ihrem Namen die Endung .%(endung)s."
    ),
    "datei_beschaedigt": gettext_lazy(
        "Die XLSX-Datei ist beschädigt oder unvollständig. Öffnen Sie sie in Excel und speichern Sie sie neu."
    ),
    "datei_zu_gross": gettext_lazy(
        "Die XLSX-Datei ist ausgepackt zu groß. Kopieren Sie nur die Spalten der Vorlage in eine neue."
    ),
    "datei_zu_breit": gettext_lazy(
        "In Zeile %(zeile)s stehen Zellen hinter Spalte 256. Löschen Sie, was neben der Tabelle steht."
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


def read(file: BinaryIO, *, name: str = "") -> list[Row]:
    """All rows with content. Raises Unreadable for faults of the file."""
    try:
        source = open_file(file, name=name, known=_KNOWN)
        positions = _positions(source)
        rows = [
            Row(line, _texts(cells, positions)) for line, cells in source.rows if any(map(str.strip, cells))
        ]
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


def _texts(cells: list[str], positions: Mapping[str, int]) -> dict[str, str]:
    return {field: " ".join(cells[index].split()) for field, index in positions.items() if index < len(cells)}


def field_of(heading: str) -> str | None:
    name = heading.strip().lower()
    if name in FIELDS:
        return name
    return next((field for field, names in SYNONYMS.items() if name in names), None)


def _positions(source: Source) -> dict[str, int]:
    header = source.header
    fields = [field_of(cell) for cell in header]
    if not any(fields):
        raise NotReadable("kopfzeile_fehlt", value=" | ".join(header)[:80], line=source.header_line)
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


def report(file: BinaryIO, results: Mapping[int, tuple[str, str]], *, name: str) -> Table:
    """The person's own file, same format and order, plus `ergebnis` and `hinweis` by line."""
    try:
        source = open_file(file, name=name, known=_KNOWN)
    except NotReadable:
        hints = ((line, [hint]) for line, (_result, hint) in results.items())
        return Table(["hinweis"], hints, widths=_WIDTHS)
    # A report that is mended and checked again does not grow.
    keep = [index for index, name in enumerate(source.header) if name.lower() not in REPORT_FIELDS]
    return Table(
        [*(source.header[index] for index in keep), *REPORT_FIELDS], _report_rows(source, keep, results),
        source.kind, source.delimiter, source.sheet, source.header_line, widths=_WIDTHS,
    )  # fmt: skip


def _report_rows(
    source: Source, keep: list[int], results: Mapping[int, tuple[str, str]]
) -> Iterator[tuple[int, list[str]]]:
    try:
        for line, cells in source.rows:
            if any(map(str.strip, cells)):
                kept = [cells[index] if index < len(cells) else "" for index in keep]
                yield line, [*kept, *results.get(line, ("", ""))]
    except NotReadable:
        return


def template(kind: str, *, area: str) -> Table:
    """The head, and two rows that show how it is meant; `area`: the ARS of where the portal is there for."""
    rows = [
        ["hund-01", "Hundesteuer anmelden", "99102013000000", "", "Gemeinde", area,
         "https://www.example.org/hundesteuer", "steuer@example.org", "2024-01-15"],
        ["hund-02", "Hundesteuer abmelden", "99102013000000", "", "Gemeinde", area,
         "https://www.example.org/hund-abmelden", "steuer@example.org", "15.01.2024"],
    ]  # fmt: skip
    return Table(list(FIELDS), enumerate(rows, start=2), kind, sheet="Onlineservices", widths=_WIDTHS)
