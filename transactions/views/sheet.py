"""The sheet of the form as its page shows it: columns, rows and fields, and what is wrong with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ozgsync.search import FoundRegion, regions_named
from transactions import closing, grid, references, register
from transactions.checks import Checked
from transactions.findings import Text
from transactions.grid import Change, Sheet
from transactions.grid_forms import SheetForm, shown_text
from transactions.models import Delivery
from transactions.queries import form as reading
from transactions.queries.form import Key
from transactions.register import Span
from zsk import formats, months

ERRORS_SHOWN = 20
# Where the check speaks of lines, which a form does not have.
SAID: dict[str, Text] = {
    "anzahl_keine_zahl": gettext_lazy(
        "Hier steht keine Zahl. Leeren Sie das Feld, wenn die Angabe fehlt. Schreiben Sie 0, wenn es keine"
        " Transaktionen gab."
    ),
    "doppelzaehlung": gettext_lazy(
        "Dieser Wert ist genau die Summe seiner Teile: Er würde doppelt zählen. Leeren Sie das Feld."
    ),
}


@dataclass(frozen=True)
class Column:
    """A month; `note` says that it is closed, still runs, or that nothing was reported for it."""

    month: dt.date
    note: str

    @property
    def id(self) -> str:
        return f"m-{self.month:%Y-%m}"


@dataclass(frozen=True)
class Field:
    """One field; `there` is False where the region did not exist in the month."""

    id: str
    column: Column
    text: str
    shown: int | None
    changed: bool
    faulty: bool
    there: bool


@dataclass(frozen=True)
class Fault:
    """What is wrong with a field, for the list above (`whole`) and at its row."""

    id: str
    month: dt.date
    message: str
    suggestion: str
    whole: str


@dataclass(frozen=True)
class Row:
    ars: str
    name: str
    detail: str
    sent: str
    fields: list[Field]
    faults: list[Fault]


@dataclass(frozen=True)
class SheetPage:
    """`errors`: (text, address) of everything wrong, the first ones; `emptied`: fields without effect."""

    columns: list[Column]
    rows: list[Row]
    errors: list[tuple[str, str]]
    emptied: int
    spalten: str


def region_names(keys: Collection[str]) -> dict[str, str]:
    """The names of regions in the order of `keys`; a key that is none stands for itself."""
    names = references.names(keys) if keys else {}
    return {key: names.get(key, key) for key in keys}


def page_of(
    sheet: Sheet, around: SheetForm, *, checked: Checked | None = None, nothing: bool = False
) -> SheetPage:
    spans = register.current().some(sheet.regions)
    details = {region.ars: _detail(region) for region in regions_named(sheet.regions)}
    columns = _columns(sheet)
    changes = sheet.changes()
    faults = {} if checked is None else _faults(checked, changes, spans)
    rows = [
        Row(
            ars,
            spans[ars].name if ars in spans else ars,
            details.get(ars, ars),
            shown_text(sheet, ars),
            [_field(sheet, (ars, column.month), column, spans.get(ars), faults) for column in columns],
            [fault for column in columns for fault in faults.get((ars, column.month), [])],
        )
        for ars in sheet.regions
    ]
    emptied = sheet.emptied()
    errors = [*_field_errors(around), *_cell_errors(rows), *([_nothing(emptied)] if nothing else [])]
    return SheetPage(
        columns, rows, errors, len(emptied), " ".join(f"{month:%Y-%m}" for month in sheet.months)
    )


def _detail(region: FoundRegion) -> str:
    """What tells regions of one name apart, and the key: `Landkreis in Hessen · 064350000000`."""
    where = _("in %(within)s") % {"within": region.within} if region.within else ""
    return " · ".join(filter(None, [" ".join(filter(None, [region.kind, where])), region.ars]))


def places(delivery: Delivery) -> dict[int, str]:
    """The fields of a form by the lines of what it sent; empty for what was sent otherwise."""
    if delivery.channel != Delivery.Channel.FORM:
        return {}
    changes = grid.sent_changes(delivery)
    names = region_names({change.ars for change in changes})
    return {line: place_of(change, names[change.ars]) for line, change in enumerate(changes, start=2)}


def form_notes(delivery: Delivery) -> dict[str, Any]:
    """What the preview of a form says besides: emptied fields, and what others changed meanwhile."""
    if delivery.channel != Delivery.Channel.FORM:
        return {}
    names = region_names({change.ars for change in grid.sent_changes(delivery)})
    return {"differing": grid.differing(delivery, names), "emptied": grid.emptied_fields(delivery)}


def _columns(sheet: Sheet) -> list[Column]:
    reported = reading.reported(sheet.service, sheet.months)
    closed = closing.closed_in(sheet.months)

    def note(month: dt.date) -> str:
        if month in closed:
            return _("abgeschlossen")
        if month == months.running():
            return _("läuft noch")
        return "" if month in reported else _("fehlt")

    return [Column(month, note(month)) for month in sheet.months]


def _id(key: Key) -> str:
    return f"z-{key[0]}-{key[1]:%Y-%m}"


def _field(
    sheet: Sheet, key: Key, column: Column, span: Span | None, faults: dict[Key, list[Fault]]
) -> Field:
    text, shown = sheet.text(key), sheet.shown.get(key)
    number = references.month_number(key[1])
    there = bool(text) or shown is not None or (span is not None and span.first <= number < span.end)
    changed = text != ("" if shown is None else str(shown))
    return Field(_id(key), column, text, shown, changed, key in faults, there)


def _faults(checked: Checked, changes: list[Change], spans: dict[str, Span]) -> dict[Key, list[Fault]]:
    """The check's faults by field: row 0 is the first change."""
    found: dict[Key, list[Fault]] = {}
    for finding in checked.faults:
        if finding.row is None:
            continue
        change = changes[finding.row]
        key = (change.ars, change.month)
        place = place_of(change, spans[change.ars].name if change.ars in spans else change.ars)
        said = str(SAID.get(finding.code, finding.message))
        fault = Fault(_id(key), change.month, said, finding.suggestion, f"{place}: {said}")
        found.setdefault(key, []).append(fault)
    return found


def place_of(change: Change, region: str) -> str:
    """`Hessen, Mai 2026`."""
    return f"{region}, {formats.month(change.month)}"


def _field_errors(around: SheetForm) -> list[tuple[str, str]]:
    if not around.is_bound:
        return []
    return [
        (str(text), f"#{bound.id_for_label or bound.auto_id}") for bound in around for text in bound.errors
    ]


def _cell_errors(rows: list[Row]) -> list[tuple[str, str]]:
    every = [(fault.whole, f"#{fault.id}") for row in rows for fault in row.faults]
    more = len(every) - ERRORS_SHOWN
    said = _("Dazu kommen %(count)d weitere Felder; sie sind unten markiert.") % {"count": more}
    return [*every[:ERRORS_SHOWN], *([(said, "")] if more > 0 else [])]


def _nothing(emptied: list[Key]) -> tuple[str, str]:
    if emptied:
        said = _("Leere Felder ändern nichts. Schreiben Sie löschen in das Feld, um den Wert zurückzunehmen.")
        return said, f"#{_id(emptied[0])}"
    return _("Sie haben noch nichts eingetragen oder geändert."), ""
