"""What looks wrong about a service's month, in words: warnings that `plausibility.py` has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from services.models import service_number
from transactions import references
from transactions.checks import Checked
from transactions.expectation import YEAR, Expected
from transactions.findings import Finding
from transactions.references import month_of
from zsk import formats

SUM, VALUE, EARLY, LATE, OUTSIDE, EQUAL, REPEATED = KINDS = (
    "summe_auffaellig", "wert_auffaellig", "monat_vor_beginn", "monat_nach_ende", "region_ausserhalb",
    "regionen_gleich", "wie_vormonat",
)  # fmt: skip
MORE = "auffaelliges_mehr"
CLOSED = "monat_abgeschlossen"

MOST = 500  # warnings of one delivery that are written out

Key = tuple[int, int]  # service and month


@dataclass(frozen=True)
class Note:
    """A warning before it is put into words; `row` is a place in the checked rows, -1 without one."""

    kind: str
    key: Key
    row: int
    params: dict[str, str]


def distance(found: Expected, place: int, value: int, month: int) -> dict[str, str]:
    """What was expected, on what grounds, and how far off the value is."""
    low, high = float(found.low[place]), float(found.high[place])
    above = int(found.odd[place]) > 0
    bound = high if above else low
    years = int(found.years[place])
    return {
        "ist": formats.number(value),
        "von": formats.number(_rounded(low)), "bis": formats.number(_rounded(high)),
        "grund": _grounds(month, years),
        "abstand": f"{formats.number(round(100 * abs(value - bound) / max(bound, 1)))}\u00a0%",
        "richtung": "darüber" if above else "darunter",
    }  # fmt: skip


def _rounded(value: float) -> int:
    """To three digits."""
    return int(float(f"{value:.3g}"))


def _grounds(month: int, years: int) -> str:
    """`Mai 2023 bis 2025`, or the last twelve months: `Mai 2024 bis April 2025`."""
    if years == 1:
        return formats.month(month_of(month - YEAR))
    if years:
        return f"{formats.month(month_of(month - YEAR * years))} bis {month_of(month - YEAR).year}"
    return f"{formats.month(month_of(month - YEAR))} bis {formats.month(month_of(month - 1))}"


_FIELDS = {EARLY: "monat", LATE: "monat", OUTSIDE: "ars", CLOSED: "monat"}


def findings(checked: Checked, notes: Sequence[Note]) -> list[Finding]:
    """The first of them, and how many more there are; one query for names."""
    said = notes[:MOST]
    keys = {checked.ars[note.row].decode() for note in said if note.row >= 0}
    names = references.names(keys) if keys else {}
    found = [finding(checked, note, names) for note in said]
    if left := len(notes) - len(said):
        found.append(Finding(MORE, params={"anzahl": formats.number(left)}))
    return found


def finding(checked: Checked, note: Note, names: Mapping[str, str] = MappingProxyType({})) -> Finding:
    service, month = note.key
    params = {"service": service_number(service), "monat": formats.month(month_of(month)), **note.params}
    field = _FIELDS.get(note.kind, "anzahl")
    if note.row < 0:
        return Finding(note.kind, field, params=params, service=service)
    ars, row = checked.ars[note.row].decode(), int(checked.row[note.row])
    value = {"monat": f"{month_of(month):%Y-%m}", "ars": ars}.get(field, str(int(checked.count[note.row])))
    stored = checked.stored
    return Finding(
        note.kind, field, value, int(stored.line[row]) if stored else None, row,
        params=params | {"name": names.get(ars, ars)},
        pointer=f"/zeilen/{row}/{field}" if stored and stored.strict else "", service=service,
    )  # fmt: skip
