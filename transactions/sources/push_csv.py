"""A push as CSV: rows as in a file, and what JSON says beside them in the parameters of the address.

`?modus=ersetzen&umfang=OS-000123:2026-05&umfang=OS-000123:2026-06&anzahl_zeilen=2&probelauf=true`; a key of
one service may leave its number out: `umfang=2026-05`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from transactions.findings import Finding
from transactions.sources import Unreadable, delimited
from transactions.sources.push import MODES, Message, ScopeEntry, reason_of
from transactions.sources.tables import told
from transactions.values import parse_month
from zsk import formats, months
from zsk.kinds import CSV, NotReadable, kind

PARAMETERS = ("modus", "probelauf", "anzahl_zeilen", "begruendung", "umfang")
Query = Mapping[str, Sequence[str]]

_FLAGS = {"true": True, "false": False}
_SHOWN = 80
_MAX_DIGITS = 9


def read(file: BinaryIO, query: Query, *, own: str | None, max_rows: int) -> Message:
    """`own` is the number of the only service that the sender delivers for: the column may be missing then.

    Raises Unreadable when a parameter or the table as a whole is wrong; faults of cells stay with the rows.
    """
    _refuse_nul(query)
    replace = _one(query, "modus", MODES[0]) == MODES[1]
    dry_run = _FLAGS[_one(query, "probelauf", "false")]
    announced = _announced(query)
    reason = _reason(query)
    scope = _scope(query, own, max_rows) if replace else _no_scope(query)
    with told():
        if kind(file) != CSV:
            raise NotReadable("datei_art", params={"art": "eine Excel-Datei (XLSX)"})
    rows = delimited.read(file, single_service=own is not None, may_be_empty=replace)
    if len(rows) > max_rows:
        params = {"ist": formats.number(len(rows)), "grenze": formats.number(max_rows)}
        raise Unreadable(Finding("zeilen_zu_viele", params=params))
    if announced is not None and announced != len(rows):
        params = {"soll": str(announced), "ist": str(len(rows))}
        raise Unreadable(Finding("zeilenzahl", value=params["soll"], params=params))
    return Message(replace, dry_run, rows, scope, reason)


def storable(text: str) -> str:
    """A parameter's text as the database can keep it."""
    return text.replace("\0", "\ufffd")


def _refuse_nul(query: Query) -> None:
    for name, given in query.items():
        if any("\0" in text for text in given):
            raise _wrong(name, "ein Text ohne NUL-Zeichen", given)


def _one(query: Query, name: str, default: str) -> str:
    """A parameter that may stand once, and is one of a few words."""
    given = query.get(name, [default])
    words = {"modus": MODES, "probelauf": tuple(_FLAGS)}[name]
    if len(given) != 1 or given[0] not in words:
        raise _wrong(name, " oder ".join(f"„{word}“" for word in words), given)
    return given[0]


def _announced(query: Query) -> int | None:
    given = query.get("anzahl_zeilen", [])
    if not given:
        return None
    text = given[0]
    if len(given) != 1 or not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise _wrong("anzahl_zeilen", "eine ganze Zahl", given)
    return int(text)


def _reason(query: Query) -> str:
    given = query.get("begruendung", [""])
    if len(given) != 1:
        raise _wrong("begruendung", "ein Text", given)
    return reason_of(given[0])


def _wrong(name: str, wanted: str, given: Sequence[str]) -> Unreadable:
    shown = storable(" ".join(given)[:_SHOWN])
    return Unreadable(
        Finding("feld_typ", value=shown, params={"feld": name, "soll": wanted, "ist": f"„{shown}“"})
    )


def _no_scope(query: Query) -> list[ScopeEntry]:
    if query.get("umfang"):
        raise Unreadable(Finding("umfang_ueberfluessig"))
    return []


def _scope(query: Query, own: str | None, most: int) -> list[ScopeEntry]:
    given = query.get("umfang", [])
    if not given:
        raise Unreadable(Finding("umfang_fehlt"))
    if len(given) > most:
        raise Unreadable(Finding("umfang_zu_gross", params={"ist": str(len(given)), "grenze": str(most)}))
    return [_entry(text, own) for text in given]


def _entry(text: str, own: str | None) -> ScopeEntry:
    service, _colon, month = text.rpartition(":")  # a Kennung may hold colons itself
    if not service and own is None:
        raise _wrong("umfang", "Onlineservice:Monat, zum Beispiel OS-000123:2026-05", [text])
    found = parse_month(month, running=months.running(), strict=True)
    if isinstance(found, dt.date):
        return ScopeEntry(service or own or "", found)
    raise Unreadable(
        Finding(found.code, "monat", month[:_SHOWN], suggestion=found.suggestion, params=found.params)
    )
