"""A block pasted from a spreadsheet as cells of the form, with or without months above and regions beside."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from ozgsync.models import Region
from ozgsync.search import fold
from services.models import OnlineService
from transactions import register
from transactions.grid import tidy
from transactions.queries import form as reading
from transactions.queries.form import Key
from transactions.values import REMOVING, Fault, general_fault, parse_ars, parse_month
from zsk import formats, months

MOST_CHARACTERS = 30_000
MOST_PROBLEMS = 10
_LETTER = re.compile(r"[^\W\d_]")
# What people write into a cell of numbers in place of one.
_NO_LABEL = {*REMOVING, "k. a.", "k.a.", "ka", "keine angabe", "x", "n/a"}


class NotPasted(Exception):
    """Nothing of the block was taken; `problems` say why, in words."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class Pasted:
    """`notes` name what was left out on purpose: lines and columns of sums."""

    cells: dict[Key, str]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Block:
    """Lines with their numbers, all of one width; `columns` are the months, None where one is left out."""

    lines: list[tuple[int, list[str]]]
    labels: int
    columns: list[dt.date | None]


def read_block(
    text: str, *, service: OnlineService, columns: Sequence[dt.date], regions: Mapping[str, str]
) -> Pasted:
    """The cells of a block. Without months above, its columns are the form's; without regions, its rows are.

    `regions`: the form's keys with their names. Raises NotPasted with all that is wrong.
    """
    lines = _lines(text)
    notes: list[str] = []
    block = _with_months(lines, columns, notes)
    keys = _regions(block, service, regions, notes)
    cells = {
        (ars, month): value
        for (_line, texts), ars in zip(block.lines, keys, strict=True)
        for month, cell in zip(block.columns, texts[block.labels :], strict=True)
        if ars and month and (value := tidy(cell))
    }
    if not cells:
        raise NotPasted([_("In dem eingefügten Text steht keine Zahl. Leere Zellen ändern nichts.")])
    return Pasted(cells, notes)


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """Each line that is not blank with its number, from 1; all filled up to one width."""
    delimiter = ";" if ";" in text and "\t" not in text else "\t"
    try:
        records = list(csv.reader(io.StringIO(text.replace("\0", "")), delimiter=delimiter, strict=True))
    except csv.Error:
        raise NotPasted(
            [_("Der Text ist keine Tabelle: Ein Anführungszeichen wird nicht geschlossen.")]
        ) from None
    cells = [[tidy(cell) for cell in record] for record in records]
    width = max((index + 1 for row in cells for index, cell in enumerate(row) if cell), default=0)
    filled = [(number, [*row, *[""] * width][:width]) for number, row in enumerate(cells, start=1)]
    lines = [(number, row) for number, row in filled if any(row)]
    if not lines:
        raise NotPasted([_("Der eingefügte Text ist leer.")])
    return lines


# --- Months ----------------------------------------------------------------------------------------------


def _with_months(lines: list[tuple[int, list[str]]], columns: Sequence[dt.date], notes: list[str]) -> _Block:
    head = [_month(cell) for cell in lines[0][1]]
    if any(isinstance(found, dt.date) or found.code == "monat_zukunft" for found in head):
        return _below_head(lines, head, notes)
    labels = _label_columns([row for _number, row in lines])
    width = len(lines[0][1]) - labels
    if width > len(columns):
        said = _(
            "Die Tabelle hat %(there)d Spalten mit Zahlen, das Formular zeigt %(here)d. Fügen Sie sie mit"
            " einer Kopfzeile ein, in der die Monate stehen, zum Beispiel „Mai 2026“ oder „2026-05“."
        )
        raise NotPasted([said % {"there": width, "here": len(columns)}])
    return _Block(lines, labels, list(columns[:width]))


def _month(text: str) -> dt.date | Fault:
    return parse_month(text, running=months.running())


def _below_head(lines: list[tuple[int, list[str]]], head: list[dt.date | Fault], notes: list[str]) -> _Block:
    cells = lines[0][1]
    labels = next(
        index
        for index, found in enumerate(head)
        if isinstance(found, dt.date) or found.code == "monat_zukunft"
    )
    columns: list[dt.date | None] = []
    problems = []
    for cell, found in zip(cells[labels:], head[labels:], strict=True):
        if isinstance(found, Fault) and found.code == "summenzeile":
            notes.append(_("Die Spalte „%(name)s“ ist eine Summe und wurde ausgelassen.") % {"name": cell})
        elif isinstance(found, Fault):
            problems.append(_head_problem(cell, found))
        elif found in columns:
            problems.append(_("%(month)s steht zweimal in der Kopfzeile.") % {"month": formats.month(found)})
        columns.append(None if isinstance(found, Fault) else found)
    if problems:
        raise NotPasted(problems)
    if len(lines) == 1:
        raise NotPasted([_("Unter der Kopfzeile steht keine Zeile mit Zahlen.")])
    return _Block(lines[1:], labels, columns)


def _head_problem(cell: str, fault: Fault) -> str:
    if fault.code == "monat_zukunft":
        return _("Kopfzeile: „%(cell)s“ liegt in der Zukunft.") % {"cell": cell}
    if not cell:
        return _("Kopfzeile: Über einer Spalte fehlt der Monat.")
    return _("Kopfzeile: „%(cell)s“ ist kein Monat. Schreiben Sie ihn zum Beispiel „2026-05“.") % {
        "cell": cell
    }


# --- Regions ---------------------------------------------------------------------------------------------


def _label_columns(rows: list[list[str]]) -> int:
    """How many columns on the left hold keys or names in all their cells."""
    count = 0
    for cells in zip(*rows, strict=True):
        filled = [cell for cell in cells if cell]
        if not filled or not all(map(_is_label, filled)):
            break
        count += 1
    return count


def _is_label(text: str) -> bool:
    digits = re.sub(r"\s", "", text)
    if digits.isdecimal():
        return len(digits) in (11, 12) or (len(digits) == 8 and digits[0] == "0")
    return bool(_LETTER.search(text)) and text.lower() not in _NO_LABEL


def _regions(
    block: _Block, service: OnlineService, known: Mapping[str, str], notes: list[str]
) -> list[str | None]:
    """The key of each line's region; None for a line that is left out."""
    if not block.labels:
        return _by_position(block, list(known))
    labels = [row[: block.labels] for _number, row in block.lines]
    keys = _Keys([text for row in labels for text in row], service, known)
    found: list[str | None] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    for (number, _row), texts in zip(block.lines, labels, strict=True):
        if any(fault.code == "summenzeile" for text in texts if (fault := general_fault(text))):
            words = {"number": number, "name": texts[0]}
            notes.append(_("Zeile %(number)d („%(name)s“) ist eine Summe und wurde ausgelassen.") % words)
            found.append(None)
            continue
        ars, why = keys.of(texts)
        if not why and ars in seen:
            why = _("dieselbe Region wie in Zeile %(first)d") % {"first": seen[ars]}
        if why:
            problems.append(_("Zeile %(number)d: %(why)s") % {"number": number, "why": why})
        seen.setdefault(ars, number)
        found.append(ars)
    if problems:
        raise NotPasted(_first(problems))
    return found


def _first(problems: list[str]) -> list[str]:
    more = len(problems) - MOST_PROBLEMS
    said = _("Dazu kommen %(count)d weitere Zeilen.") % {"count": more}
    return [*problems[:MOST_PROBLEMS], *([said] if more > 0 else [])]


def _by_position(block: _Block, regions: list[str]) -> list[str | None]:
    if len(block.lines) > len(regions):
        said = _(
            "Die Tabelle hat %(there)d Zeilen, das Formular %(here)d Regionen. Nehmen Sie die Spalte mit den"
            " Regionen oder ihren Regionalschlüsseln (ARS) dazu."
        )
        raise NotPasted([said % {"there": len(block.lines), "here": len(regions)}])
    return list(regions[: len(block.lines)])


class _Keys:
    """What the texts beside the numbers mean; looked up once for all lines. At most four queries."""

    def __init__(self, texts: list[str], service: OnlineService, known: Mapping[str, str]) -> None:
        parsed = {text: parse_ars(text) for text in texts if text}
        self.keys: dict[str, str] = {}
        for text, found in parsed.items():
            if isinstance(found, str) or (found.code == "ars_fuehrende_null" and found.suggestion):
                self.keys[text] = found if isinstance(found, str) else found.suggestion
        ags = {
            text: found.params["ags"]
            for text, found in parsed.items()
            if isinstance(found, Fault) and "ags" in found.params
        }
        by_ags = register.current().ars_of_ags
        self.keys |= {text: by_ags[number] for text, number in ags.items() if number in by_ags}
        self.there = set(Region.objects.filter(pk__in=set(self.keys.values())).values_list("pk", flat=True))
        self.in_form: dict[str, list[str]] = {}
        for ars, name in known.items():
            self.in_form.setdefault(fold(name), []).append(ars)
        names = {name for text in texts if _LETTER.search(text) for name in _names(text)}
        self.everywhere = reading.named(service, names - set(self.in_form)) if names else {}

    def of(self, texts: list[str]) -> tuple[str, str]:
        """The region's key, or an empty one and why not; a key counts more than a name."""
        for text in texts:
            if text in self.keys:
                if self.keys[text] in self.there:
                    return self.keys[text], ""
                return "", _("den Regionalschlüssel %(text)s gibt es nicht") % {"text": text}
        for text in texts:
            for name in _names(text):
                found = self.in_form.get(name) or self.everywhere.get(name) or []
                if len(found) == 1:
                    return found[0], ""
                if found:
                    words = {"text": text, "count": len(found), "keys": ", ".join(found[:3])}
                    return "", _("„%(text)s“ gibt es %(count)d-mal, nehmen Sie den ARS (%(keys)s)") % words
        named = next(filter(None, texts), "")
        if not named:
            return "", _("hier fehlt die Region")
        return "", _("„%(text)s“ ist keine Region, für die gemeldet wird") % {"text": named}


def _names(text: str) -> list[str]:
    """A name as official tables write it: `Hanau, Brüder-Grimm-Stadt` is Hanau as well."""
    whole = fold(text)
    return list(dict.fromkeys(filter(None, [whole, whole.partition(",")[0].strip()])))
