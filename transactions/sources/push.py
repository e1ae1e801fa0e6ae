"""The JSON message of the push interface: strict types, every fault named by its JSON pointer.

Particulars of findings are German words of `findings.WORDS`, said in the reader's language later.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from transactions.findings import Finding
from transactions.rows import Rows
from transactions.sources import Unreadable
from transactions.sources.json_stream import Malformed
from transactions.values import Fault, parse_month
from zsk import formats, months

FIELDS = ("modus", "probelauf", "anzahl_zeilen", "begruendung", "umfang", "zeilen")
MAX_REASON = 500
ROW_FIELDS = ("onlineservice", "ars", "monat", "anzahl")
SCOPE_FIELDS = ("onlineservice", "monat")
MODES = ("ergaenzen", "ersetzen")
MAX_CELL_FAULTS = 100_000
MAX_SHAPE_FAULTS = 1_000  # as many as an answer lists; a message so wrong is not read on

_TYPES = {
    bool: "ein Wahrheitswert", int: "eine Zahl", float: "eine Kommazahl", str: "ein Text",
    list: "eine Liste", dict: "ein Objekt", type(None): "null",
}  # fmt: skip
_MAX_DIGITS = 4_000  # Python itself reads no more than 4,300
# What PostgreSQL cannot store: NUL and halves of surrogate pairs (whole pairs are found too, and then read).
SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_VALUES_A_ROW, _FEW_VALUES = 10, 100_000
_SHOWN = 80
_NAME_SHOWN = 40


@dataclass(frozen=True)
class ScopeEntry:
    """One service-month that the sender wants replaced; `service` is as the sender named it."""

    service: str
    month: dt.date


@dataclass(frozen=True)
class Message:
    """A push, read but not checked."""

    replace: bool
    dry_run: bool
    rows: Rows
    scope: list[ScopeEntry]
    reason: str = ""


def read(body: bytes, *, own: str | None, max_rows: int) -> Message:
    """`own` is the number of the only service that the sender delivers for: rows may leave it out.

    Raises Unreadable when the message as a whole is wrong; faults of single cells stay with the rows.
    """
    _refuse_too_many_values(body, max_rows)
    found = _parse(body)
    lines = found.get("zeilen")
    number = len(lines) if type(lines) is list else 0
    return message(found, number, lambda: _rows(found["zeilen"], own), own=own, max_rows=max_rows)


def _refuse_too_many_values(body: bytes, max_rows: int) -> None:
    """Before they become objects: 20 MB of `{},` would take half a gigabyte. Rows with all fields have four
    commas, the entries of a scope two."""
    commas = body.count(b",")
    if commas > max(_VALUES_A_ROW * max_rows, _FEW_VALUES):
        count = body.count(b"{") - 1
        raise _too_many_rows(count if count > max_rows else commas, max_rows)


def _too_many_rows(count: int, max_rows: int) -> Unreadable:
    params = {"ist": formats.number(count), "grenze": formats.number(max_rows)}
    return Unreadable(Finding("zeilen_zu_viele", pointer="/zeilen", params=params))


def message(
    message: dict[str, Any], count: int, rows: Callable[[], Rows], *, own: str | None, max_rows: int
) -> Message:
    """Of what stands beside the rows, which are `count`; `rows` may raise Unreadable as well."""
    _refuse(_unknown(message, FIELDS, ""))
    replace = _mode(message)
    dry_run = _typed(message, "probelauf", bool, False)
    _refuse_wrong_number(message, count, max_rows)
    scope = _scope(message, own, max_rows) if replace else _no_scope(message)
    if not count and not replace:
        raise Unreadable(Finding("zeilen_leer", pointer="/zeilen"))
    return Message(replace, dry_run, rows(), scope, _reason(message))


# --- the text ------------------------------------------------------------------------------------


class _BadNumberError(ValueError):
    """NaN, Infinity, or more digits than anybody reads."""


class _DoubledFieldError(ValueError):
    """One object names a field twice, and readers would differ in which they take."""


def _parse(body: bytes) -> dict[str, Any]:
    with told():
        text = body.decode("utf-8-sig")
        message = json.loads(text, **HOOKS)
    if SUSPECT.search(text) and not storable(message):
        raise Unreadable(Finding("json_zeichen"))
    return only_object(message)


@contextmanager
def told() -> Iterator[None]:
    """What is no JSON, told in the words of deliveries."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Unreadable(Finding("json_kodierung", params={"byte": str(error.start)})) from error
    except json.JSONDecodeError as error:
        where = {"zeile": str(error.lineno), "spalte": str(error.colno)}
        raise Unreadable(Finding("json_unlesbar", params=where)) from error
    except Malformed as error:
        where = {"zeile": str(error.line), "spalte": str(error.column)}
        raise Unreadable(Finding("json_unlesbar", params=where)) from error
    except _BadNumberError as error:
        raise Unreadable(Finding("json_zahl", value=str(error))) from error
    except _DoubledFieldError as error:
        raise Unreadable(Finding("json_doppelt", value=str(error))) from error
    except RecursionError as error:
        raise Unreadable(Finding("json_tiefe")) from error


def only_object(message: Any) -> dict[str, Any]:
    if type(message) is not dict:
        raise _wrong_type("", "die Nachricht", "ein Objekt", message)
    return message


def _constant(name: str) -> None:
    raise _BadNumberError(name)


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise _BadNumberError(f"{digits[:20]}…")
    return int(digits)


def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        last = {name: index for index, (name, _value) in enumerate(pairs)}
        doubled = next(name for index, (name, _value) in enumerate(pairs) if last[name] != index)
        raise _DoubledFieldError(_harmless(doubled)[:_NAME_SHOWN])
    return found


HOOKS: dict[str, Any] = {"parse_constant": _constant, "parse_int": _integer, "object_pairs_hook": as_object}


def _harmless(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def storable(message: Any) -> bool:
    text = json.dumps(message, ensure_ascii=False)
    return "\\u0000" not in text and text == text.encode("utf-8", "ignore").decode()


# --- its fields ----------------------------------------------------------------------------------


def _refuse(findings: Iterable[Finding]) -> None:
    if first := list(islice(findings, MAX_SHAPE_FAULTS)):
        raise Unreadable(*first)


def _unknown(
    found: dict[str, Any], known: tuple[str, ...], pointer: str, row: int | None = None
) -> Iterator[Finding]:
    names = (name for name in found if name not in known)
    return (_unknown_field(name[:_NAME_SHOWN], known, pointer, row) for name in names)


def _unknown_field(name: str, known: tuple[str, ...], pointer: str, row: int | None) -> Finding:
    params = {"feld": name, "erlaubt": ", ".join(known)}
    escaped = name.replace("~", "~0").replace("/", "~1")
    return Finding(
        "feld_unbekannt", value=name, line=_line(row), row=row, params=params, pointer=f"{pointer}/{escaped}"
    )


def _missing(name: str, pointer: str, row: int | None = None) -> Finding:
    return Finding(
        "feld_fehlt", name, "", _line(row), row, params={"feld": name}, pointer=f"{pointer}/{name}"
    )


def _line(row: int | None) -> int | None:
    """The line of a row in the delivery's report, whose header is line 1."""
    return None if row is None else row + 2


def _wrong_type(pointer: str, name: str, wanted: str, value: Any) -> Unreadable:
    params = {"feld": name, "soll": wanted, "ist": _TYPES[type(value)]}
    return Unreadable(Finding("feld_typ", value=_shown(value), pointer=pointer, params=params))


def _shown(value: Any) -> str:
    """A value as it stands in JSON; text keeps its quotes, so that `"5"` and 5 look different."""
    return json.dumps(value, ensure_ascii=False)[:_SHOWN]


def _typed(message: dict[str, Any], name: str, kind: type, default: Any) -> Any:
    value = message.get(name, default)
    if type(value) is not kind:  # not isinstance: True is an int as well
        wanted = "eine ganze Zahl" if kind is int else _TYPES[kind]
        raise _wrong_type(f"/{name}", name, wanted, value)
    return value


def _mode(message: dict[str, Any]) -> bool:
    mode = message.get("modus", MODES[0])
    if mode not in MODES:
        params = {"feld": "modus", "soll": "„ergaenzen“ oder „ersetzen“", "ist": _shown(mode)}
        raise Unreadable(Finding("feld_typ", value=_shown(mode), pointer="/modus", params=params))
    return bool(mode == MODES[1])


def _reason(message: dict[str, Any]) -> str:
    return reason_of(_typed(message, "begruendung", str, ""))


def reason_of(text: str) -> str:
    """Why closed months are changed, without blanks around. Raises Unreadable where it is too long."""
    reason = text.strip()
    if len(reason) > MAX_REASON:
        params = {"ist": str(len(reason)), "grenze": str(MAX_REASON)}
        raise Unreadable(Finding("begruendung_lang", params=params, pointer="/begruendung"))
    return reason


# --- rows ----------------------------------------------------------------------------------------


def _refuse_wrong_number(message: dict[str, Any], count: int, max_rows: int) -> None:
    if "zeilen" not in message:
        raise Unreadable(Finding("feld_fehlt", params={"feld": "zeilen"}, pointer="/zeilen"))
    _typed(message, "zeilen", list, None)
    if count > max_rows:
        raise _too_many_rows(count, max_rows)
    announced = _typed(message, "anzahl_zeilen", int, count)
    if announced != count:
        params = {"soll": str(announced)[:_SHOWN], "ist": str(count)}
        raise Unreadable(Finding("zeilenzahl", value=params["soll"], pointer="/anzahl_zeilen", params=params))


def _rows(lines: list[Any], own: str | None) -> Rows:
    _refuse(shape_faults(lines, own))
    faults: list[Finding] = []
    service, ars, month, count = columns(lines, own, faults)
    return Rows.of(service=service, ars=ars, month=month, count=count, faults=faults, strict=True)


def shape_faults(lines: list[Any], own: str | None, first: int = 0) -> Iterator[Finding]:
    """What is wrong with rows as objects; `first` is the position of the first of them."""
    needed = set(ROW_FIELDS if own is None else ROW_FIELDS[1:])
    known = set(ROW_FIELDS)
    # One comparison of sets tells the shape of nearly every row.
    strange = [
        index for index, line in enumerate(lines)
        if type(line) is not dict or not needed <= line.keys() <= known
    ]  # fmt: skip
    for index in strange:
        yield from _shape_faults(lines[index], first + index, needed)


def columns(
    lines: list[dict[str, Any]], own: str | None, faults: list[Finding], first: int = 0
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Service, region, month and count of each row as texts; adds what is wrong with their types.

    Of millions of cells of the wrong type only the first are named; the others are empty texts.
    """
    return (
        _texts(lines, "onlineservice", faults, first, default=own or ""),
        _texts(lines, "ars", faults, first),
        _texts(lines, "monat", faults, first),
        _counts(lines, faults, first),
    )


def _shape_faults(line: Any, index: int, needed: set[str]) -> Iterator[Finding]:
    pointer = f"/zeilen/{index}"
    if type(line) is not dict:
        params = {"feld": f"zeilen/{index}", "soll": "ein Objekt", "ist": _TYPES[type(line)]}
        yield Finding("feld_typ", "", _shown(line), _line(index), index, params=params, pointer=pointer)
        return
    yield from _unknown(line, ROW_FIELDS, pointer, index)
    yield from (_missing(name, pointer, index) for name in ROW_FIELDS if name in needed and name not in line)


def _texts(
    lines: list[dict[str, Any]], name: str, faults: list[Finding], first: int, default: str = ""
) -> list[str]:
    texts = [line.get(name, default) for line in lines]
    for index, value in enumerate(texts):
        if type(value) is not str:
            params = {"feld": name, "soll": "ein Text", "ist": _TYPES[type(value)]}
            if len(faults) < MAX_CELL_FAULTS:
                faults.append(_cell_fault("feld_typ", name, value, first + index, params))
            texts[index] = ""
    return texts


def _counts(lines: list[dict[str, Any]], faults: list[Finding], first: int) -> list[str]:
    """Counts as the texts that files hold; `null` takes the stored value back."""
    texts = []
    for index, line in enumerate(lines):
        value = line["anzahl"]
        if value is None:
            value = "löschen"
        elif type(value) is not int:
            if len(faults) < MAX_CELL_FAULTS:
                params = {"ist": _TYPES[type(value)]}
                faults.append(_cell_fault("anzahl_typ", "anzahl", value, first + index, params))
            value = ""
        texts.append(str(value))
    return texts


def _cell_fault(code: str, name: str, value: Any, index: int, params: dict[str, str]) -> Finding:
    pointer = f"/zeilen/{index}/{name}"
    return Finding(code, name, _shown(value), _line(index), index, params=params, pointer=pointer)


# --- what is replaced ----------------------------------------------------------------------------


def _no_scope(message: dict[str, Any]) -> list[ScopeEntry]:
    if "umfang" in message:
        raise Unreadable(Finding("umfang_ueberfluessig", pointer="/umfang"))
    return []


def _scope(message: dict[str, Any], own: str | None, most: int) -> list[ScopeEntry]:
    entries = _scope_entries(message, most)
    needed = SCOPE_FIELDS if own is None else SCOPE_FIELDS[1:]
    _refuse(
        fault for index, entry in enumerate(entries)
        for fault in _scope_shape(entry, f"/umfang/{index}", needed)
    )  # fmt: skip
    found = [_scope_month(entry["monat"], f"/umfang/{index}") for index, entry in enumerate(entries)]
    _refuse(month for month in found if isinstance(month, Finding))
    return [
        ScopeEntry(entry.get("onlineservice", own or ""), month)
        for entry, month in zip(entries, found, strict=True) if not isinstance(month, Finding)
    ]  # fmt: skip


def _scope_entries(message: dict[str, Any], most: int) -> list[Any]:
    entries = message.get("umfang")
    if entries is None or entries == []:
        raise Unreadable(Finding("umfang_fehlt", pointer="/umfang"))
    if type(entries) is not list:
        raise _wrong_type("/umfang", "umfang", "eine Liste", entries)
    if len(entries) > most:
        params = {"ist": str(len(entries)), "grenze": str(most)}
        raise Unreadable(Finding("umfang_zu_gross", pointer="/umfang", params=params))
    return entries


def _scope_shape(entry: Any, pointer: str, needed: tuple[str, ...]) -> Iterator[Finding]:
    if type(entry) is not dict:
        yield from _wrong_type(pointer, pointer[1:], "ein Objekt", entry).findings
        return
    yield from _unknown(entry, SCOPE_FIELDS, pointer)
    yield from (_missing(name, pointer) for name in needed if name not in entry)
    for name in SCOPE_FIELDS:
        if type(entry.get(name, "")) is not str:
            yield from _wrong_type(f"{pointer}/{name}", name, "ein Text", entry[name]).findings


def _scope_month(text: str, pointer: str) -> dt.date | Finding:
    month = parse_month(text, running=months.running(), strict=True)
    if isinstance(month, dt.date):
        return month
    return _scope_fault(month, text, f"{pointer}/monat")


def _scope_fault(fault: Fault, text: str, pointer: str) -> Finding:
    return Finding(
        fault.code, "monat", text[:_SHOWN], suggestion=fault.suggestion, params=fault.params, pointer=pointer
    )
