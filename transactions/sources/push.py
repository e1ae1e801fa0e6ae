"""The JSON message of the push interface: strict types, every fault named by its JSON pointer."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from transactions.findings import Finding
from transactions.rows import Rows
from transactions.sources import Unreadable
from transactions.values import Fault, parse_month
from zsk import months

FIELDS = ("modus", "probelauf", "anzahl_zeilen", "umfang", "zeilen")
ROW_FIELDS = ("onlineservice", "ars", "monat", "anzahl")
SCOPE_FIELDS = ("onlineservice", "monat")
_TYPES = {
    bool: "ein Wahrheitswert", int: "eine Zahl", float: "eine Kommazahl",
    str: "ein Text", list: "eine Liste", dict: "ein Objekt",
}  # fmt: skip


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


def read(body: bytes, *, own: str | None, max_rows: int) -> Message:
    """`own` is the number of the only service that the sender delivers for: rows may leave it out.

    Raises Unreadable when the message as a whole is wrong; faults of single rows stay with the rows.
    """
    message = _parse(body)
    _refuse_unknown(message, FIELDS, "")
    replace = _mode(message)
    dry_run = _typed(message, "probelauf", bool, "ein Wahrheitswert", False)
    lines = _lines(message, max_rows)
    _refuse_missing(lines, own)
    scope = _scope(message, own, replace=replace)
    return Message(replace, dry_run, _rows(lines, own, may_be_empty=replace), scope)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(
            body.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_no_doubles
        )
    except UnicodeDecodeError as error:
        raise _unreadable(_("Byte %(byte)s ist kein UTF-8.") % {"byte": error.start}) from error
    except json.JSONDecodeError as error:
        where = _("Zeile %(line)s, Spalte %(column)s") % {"line": error.lineno, "column": error.colno}
        raise _unreadable(f"{error.msg} ({where}).") from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    if not isinstance(message, dict):
        raise _wrong_type("", _("die Nachricht"), "ein Objekt", message)
    return message


def _unreadable(reason: str) -> Unreadable:
    return Unreadable(Finding("json_unlesbar", params={"grund": reason}))


def _no_constant(name: str) -> None:
    raise ValueError(_("%(name)s ist keine Zahl.") % {"name": name})


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError(_("Ein Feld steht in einem Objekt zweimal."))
    return result


def _refuse_unknown(found: dict[str, Any], known: tuple[str, ...], pointer: str) -> None:
    if unknown := [name for name in found if name not in known]:
        raise Unreadable(
            *(
                Finding(
                    "feld_unbekannt", value=name[:80], pointer=f"{pointer}/{name[:80]}",
                    params={"feld": name[:80], "erlaubt": ", ".join(known)},
                )
                for name in unknown[:20]
            )
        )  # fmt: skip


def _typed(message: dict[str, Any], name: str, kind: type, wanted: str, default: Any) -> Any:
    value = message.get(name, default)
    if type(value) is not kind and value is not default:
        raise _wrong_type(f"/{name}", name, wanted, value)
    return value


def _wrong_type(pointer: str, name: str, wanted: str, value: Any) -> Unreadable:
    params = {"feld": name, "soll": wanted, "ist": _type_name(value)}
    return Unreadable(Finding("feld_typ", pointer=pointer, value=_shown(value), params=params))


def _type_name(value: Any) -> str:
    return "null" if value is None else _TYPES[type(value)]


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:80]


def _mode(message: dict[str, Any]) -> bool:
    mode = message.get("modus", "ergaenzen")
    if mode not in ("ergaenzen", "ersetzen"):
        raise _wrong_type("/modus", "modus", "„ergaenzen“ oder „ersetzen“", mode)
    return bool(mode == "ersetzen")


def _lines(message: dict[str, Any], max_rows: int) -> list[dict[str, Any]]:
    if "zeilen" not in message:
        raise Unreadable(Finding("feld_fehlt", pointer="/zeilen", params={"feld": "zeilen"}))
    lines: list[dict[str, Any]] = message["zeilen"]
    if type(lines) is not list:
        raise _wrong_type("/zeilen", "zeilen", "eine Liste", lines)
    if len(lines) > max_rows:
        raise Unreadable(Finding("zeilen_zu_viele", params={"ist": str(len(lines)), "grenze": str(max_rows)}))
    announced = _typed(message, "anzahl_zeilen", int, "eine ganze Zahl", len(lines))
    if announced != len(lines):
        params = {"soll": str(announced), "ist": str(len(lines))}
        raise Unreadable(Finding("zeilenzahl", value=str(announced), pointer="/anzahl_zeilen", params=params))
    for index, line in enumerate(lines):
        if type(line) is not dict:
            raise _wrong_type(f"/zeilen/{index}", f"zeilen/{index}", "ein Objekt", line)
        if line.keys() - ROW_FIELDS_SET:
            _refuse_unknown(line, ROW_FIELDS, f"/zeilen/{index}")
    return lines


ROW_FIELDS_SET = frozenset(ROW_FIELDS)


def _refuse_missing(lines: list[dict[str, Any]], own: str | None) -> None:
    needed = ROW_FIELDS if own is None else ROW_FIELDS[1:]
    missing = [
        Finding(
            "feld_fehlt",
            name,
            line=index + 2,
            row=index,
            pointer=f"/zeilen/{index}/{name}",
            params={"feld": name},
        )
        for index, line in enumerate(lines)
        for name in needed
        if name not in line
    ]
    if missing:
        raise Unreadable(*missing)


def _rows(lines: list[dict[str, Any]], own: str | None, *, may_be_empty: bool) -> Rows:
    if not lines and not may_be_empty:
        raise Unreadable(Finding("datei_leer", pointer="/zeilen"))
    faults: list[Finding] = []
    return Rows.of(
        service=_texts(lines, "onlineservice", faults, default=own or ""),
        ars=_texts(lines, "ars", faults),
        month=_texts(lines, "monat", faults),
        count=_counts(lines, faults),
        faults=faults,
        strict=True,
    )


def _texts(lines: list[dict[str, Any]], name: str, faults: list[Finding], default: str = "") -> list[str]:
    texts = []
    for index, line in enumerate(lines):
        value = line.get(name, default)
        if type(value) is not str:
            params = {"feld": name, "soll": "ein Text", "ist": _type_name(value)}
            faults.append(_row_fault("feld_typ", name, value, index, params))
            value = ""
        texts.append(value)
    return texts


def _counts(lines: list[dict[str, Any]], faults: list[Finding]) -> list[str]:
    """Counts as the texts that files hold; `null` takes the stored value back."""
    texts = []
    for index, line in enumerate(lines):
        value = line["anzahl"]
        if value is None:
            value = "löschen"
        elif type(value) is not int:
            faults.append(_row_fault("anzahl_typ", "anzahl", value, index, {"ist": _type_name(value)}))
            value = ""
        texts.append(str(value))
    return texts


def _row_fault(code: str, name: str, value: Any, index: int, params: dict[str, str]) -> Finding:
    pointer = f"/zeilen/{index}/{name}"
    return Finding(code, name, _shown(value), index + 2, index, params=params, pointer=pointer)


def _scope(message: dict[str, Any], own: str | None, *, replace: bool) -> list[ScopeEntry]:
    entries = message.get("umfang")
    if not replace:
        if entries is not None:
            raise Unreadable(Finding("umfang_ueberfluessig", pointer="/umfang"))
        return []
    if not entries:
        raise Unreadable(Finding("umfang_fehlt", pointer="/umfang"))
    if type(entries) is not list:
        raise _wrong_type("/umfang", "umfang", "eine Liste", entries)
    return [_scope_entry(entry, f"/umfang/{index}", own) for index, entry in enumerate(entries)]


def _scope_entry(entry: Any, pointer: str, own: str | None) -> ScopeEntry:
    if type(entry) is not dict:
        raise _wrong_type(pointer, pointer.removeprefix("/"), "ein Objekt", entry)
    _refuse_unknown(entry, SCOPE_FIELDS, pointer)
    for name in SCOPE_FIELDS if own is None else SCOPE_FIELDS[1:]:
        if name not in entry:
            raise Unreadable(Finding("feld_fehlt", name, pointer=f"{pointer}/{name}", params={"feld": name}))
    for name, value in entry.items():
        if type(value) is not str:
            raise _wrong_type(f"{pointer}/{name}", name, "ein Text", value)
    month = parse_month(entry["monat"], running=months.running(), strict=True)
    if isinstance(month, Fault):
        raise Unreadable(
            Finding(
                month.code, "monat", entry["monat"][:80], pointer=f"{pointer}/monat",
                suggestion=month.suggestion, params=month.params,
            )
        )  # fmt: skip
    return ScopeEntry(entry.get("onlineservice", own or ""), month)
