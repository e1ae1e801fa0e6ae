"""Rows that passed against what is stored: values at another level, and double counts.

Anybody may deliver between this check and the moment in which the services are locked. So it notes the
services' versions before it looks, and can be asked again when they have moved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ozgsync.models import Level
from transactions import levels, overlaps, references
from transactions.columns import Flags, Ints, Levels
from transactions.findings import Finding
from transactions.references import month_of
from transactions.rows import Codes
from transactions.values import REMOVE
from zsk import formats

PART_AND_WHOLE = "teil_und_ganzes"


@dataclass(frozen=True)
class AgainstStored:
    """Rows without a fault of their own, sorted by (service, month, ars).

    `row` is the position in the delivery, `line` the line at each position; `level` is what the row's
    service reports at, -1 for mixed levels; `has_parts` says whose region is no Gemeinde. `versions` are the
    services' data versions before the first look. `replaces_months`: nothing stored outlives the delivery.
    """

    service: Ints
    month: Ints  # since 1970-01
    ars: npt.NDArray[np.bytes_]
    count: Ints
    row: Ints
    level: Levels
    has_parts: Flags
    line: Codes
    strict: bool
    versions: Mapping[int, int]
    replaces_months: bool

    def outdated(self, versions: Mapping[int, int]) -> bool:
        """Whether anybody delivered for one of the services since the check."""
        return any(versions.get(pk, 0) != version for pk, version in self.versions.items())

    def ask(self) -> Callable[[], list[Finding]]:
        """Faults and warnings, after at most four queries; the first of them is sent at once."""
        others = self._ask_other_levels()
        return lambda: [*others(), *self._overlaps()]

    def _ask_other_levels(self) -> Callable[[], list[Finding]]:
        # What is replaced keeps no stored value.
        fixed = self.level >= 0
        if self.replaces_months or not fixed.any():
            return list
        removes = self.count == REMOVE
        firsts = self._firsts(np.flatnonzero(fixed & ~removes))
        asked = levels.ask_stored_at_others(self._at(firsts), self._at(np.flatnonzero(fixed & removes)))
        return lambda: self._other_levels(firsts, asked())

    def _other_levels(
        self, firsts: npt.NDArray[np.intp], found: Mapping[tuple[int, dt.date], Level]
    ) -> list[Finding]:
        findings: list[Finding] = []
        for place in firsts.tolist() if found else ():
            month = month_of(self.month[place])
            if stored := found.get((int(self.service[place]), month)):
                right = Level(int(self.level[place])).label
                params = {"monat": formats.month(month), "ist": str(stored.label), "soll": str(right)}
                findings.append(self._finding("ebene_gespeichert", place, params))
        return findings

    def _at(self, places: npt.NDArray[np.intp]) -> levels.Delivered:
        return levels.Delivered(
            self.service[places], self.month[places], self.ars[places], self.level[places]
        )

    def _firsts(self, places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Those of the places that are the first of a service's month; of millions, few are copied."""
        new = np.ones(len(places), np.bool_)
        new[1:] = False
        for column in (self.service, self.month):
            values = column[places]
            new[1:] |= values[1:] != values[:-1]
        return places[new]

    def _overlaps(self) -> list[Finding]:
        mixed = np.flatnonzero(self.level < 0)
        if not len(mixed):
            return []
        delivered = overlaps.Values(
            self.service[mixed], self.month[mixed], self.ars[mixed].astype(np.int64), self.count[mixed],
            self.row[mixed],
        )  # fmt: skip
        found = overlaps.find(delivered, self.has_parts[mixed], replaces_months=self.replaces_months)
        names = references.names({overlap.parent for overlap in found}) if found else {}
        named = np.flatnonzero(np.isin(self.row, [overlap.row for overlap in found]))
        place = dict(zip(self.row[named].tolist(), named.tolist(), strict=True))
        return [self._overlap(overlap, place[overlap.row], names[overlap.parent]) for overlap in found]

    def _overlap(self, overlap: overlaps.Overlap, place: int, name: str) -> Finding:
        params = {"name": name, "teile": str(overlap.parts), "monat": formats.month(month_of(overlap.month))}
        return self._finding("doppelzaehlung" if overlap.is_double else PART_AND_WHOLE, place, params)

    def _finding(self, code: str, place: int, params: dict[str, str]) -> Finding:
        row = int(self.row[place])
        pointer = f"/zeilen/{row}/ars" if self.strict else ""
        value, line = self.ars[place].decode(), int(self.line[row])
        return Finding(code, "ars", value, line, row, params=params, pointer=pointer)
