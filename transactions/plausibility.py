"""Numbers that may be right and look wrong: warnings, which never refuse anything.

Judged is each service's month that a delivery changes, as it will be afterwards: against its own past (the
sum, and the largest of its regions), its service's master data, its neighbouring month and itself. One
warning for each service-month and kind, with how many rows it means and one of them as example. Costs one
statement, whatever the size of the delivery, and some more where something is found.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ozgsync.models import GERMANY
from transactions import past as reading
from transactions.checks import Checked, month_number, month_of
from transactions.expectation import LAGS, YEAR, Expected, of_series
from transactions.findings import Finding
from transactions.notes import (
    CLOSED,
    EARLY,
    EQUAL,
    KINDS,
    LATE,
    OUTSIDE,
    REPEATED,
    SUM,
    VALUE,
    Key,
    Note,
    distance,
    finding,
    findings,
)
from transactions.past import Before, Series
from zsk import formats, months

# From so many regions on it is no chance that they are all equal, or all as a month before. Where something
# is rare, a 1 everywhere is quite usual.
LEAST_REGIONS = 8
LEAST_EQUAL = 2
MAX_LOOKUPS = 10_000  # values of single regions that are read: some hundredths of a second
MAX_REPEATED_ROWS = 200_000  # rows that are compared with those of the month before
# Of many regions some are always unusual.
_REGION_TOLERANCE = 1.5
_COMPLETE = 0.8  # a month with fewer of its usual rows is not there yet: its sum is no matter of plausibility

Ints = npt.NDArray[np.int64]


class Part(Protocol):
    """What a delivery does to a service's month: see `staging.ServiceMonthDiff`."""

    @property
    def service_id(self) -> int: ...
    @property
    def month(self) -> dt.date: ...
    @property
    def total(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def touched(self) -> int: ...


def ask_before(checked: Checked) -> Callable[[], Before] | None:
    """The question of `look()`, sent at once; None where it needs to be known which months change."""
    months = set(checked.month.tolist())
    return _ask_before(checked, checked.services, sorted(months)) if len(months) == 1 else None


def look(
    checked: Checked, parts: Sequence[Part], before: Before | None = None
) -> tuple[list[Finding], list[dt.date]]:
    """What looks wrong in the service-months that a delivery changes, and which of the months are closed.

    Reads what is stored now, or gets it as `before`. Inside a transaction no month that it changes can be
    closed until its end.
    """
    touched = {(part.service_id, month_number(part.month)): part for part in parts if part.touched}
    if not touched:
        return [], []
    found = _Look(checked, touched, before)
    notes = sorted(found.notes(), key=lambda note: (*note.key, KINDS.index(note.kind)))
    return findings(checked, notes), found.closed


def closed_faults(checked: Checked, parts: Sequence[Part], closed: Sequence[dt.date]) -> list[Finding]:
    """What is wrong with changing closed months without a reason: one fault for each service's month."""
    touched = {
        (part.service_id, month_number(part.month)): part
        for part in parts
        if part.touched and part.month in closed
    }
    groups = {key: rows for key, rows in _groups(checked) if key in touched}
    notes = [
        Note(
            CLOSED, key, groups[key].start if key in groups else -1, {"anzahl": formats.number(part.touched)}
        )
        for key, part in sorted(touched.items())
    ]
    return [finding(checked, note) for note in notes]


class _Look:
    """One delivery beside what was there before."""

    def __init__(self, checked: Checked, touched: dict[Key, Part], before: Before | None) -> None:
        self.checked, self.touched = checked, touched
        self.groups = {key: rows for key, rows in _groups(checked) if key in touched}
        changed = sorted({month for _service, month in touched})
        services = sorted({service for service, _month in touched})
        before = before or _ask_before(checked, services, changed)()
        self.past, self.closed, self.regions = before.of, before.closed, before.regions
        self.totals, self.rows = self._afterwards()

    def notes(self) -> Iterator[Note]:
        yield from self._sums()
        yield from self._values()
        equal = set()
        for key, rows in self.groups.items():
            if note := self._equal(key, rows):
                equal.add(key)
                yield note
            yield from self._out_of_service(key, rows)
        yield from self._outside()
        yield from self._repeated(equal)

    def _afterwards(self) -> tuple[dict[Key, int], dict[Key, int]]:
        """Sum and number of rows of each service-month as they will be; only those that have rows."""
        totals = {
            (pk, month): total for pk, past in self.past.items() for month, total in past.totals.items()
        }
        rows = {(pk, month): count for pk, past in self.past.items() for month, count in past.rows.items()}
        for key, part in self.touched.items():
            totals[key] = totals.get(key, 0) + part.total
            rows[key] = rows.get(key, 0) + part.rows
        there = {key for key, count in rows.items() if count > 0}
        return {key: totals[key] for key in there}, {key: rows[key] for key in there}

    # --- its own past ----------------------------------------------------------------------------

    def _sums(self) -> Iterator[Note]:
        keys = [key for key in self.touched if key in self.totals]
        series: dict[int, Series] = {}
        for (service, month), total in self.totals.items():
            series.setdefault(service, {})[month] = total
        found = of_series([(series[key[0]], key[1], self.totals[key]) for key in keys])
        for place in np.flatnonzero(found.odd).tolist():
            key, side = keys[place], int(found.odd[place])
            if side < 0 and not self._complete(key):
                continue
            yield Note(SUM, key, self._largest_row(key), distance(found, place, self.totals[key], key[1]))

    def _complete(self, key: Key) -> bool:
        """Whether a month is over and has about as many rows as the months before."""
        service, month = key
        before = [
            self.rows[service, month - lag]
            for lag in range(1, YEAR + 1)
            if (service, month - lag) in self.rows
        ]
        usual = sorted(before)[len(before) // 2] if before else 0
        return month_of(month) < months.running() and self.rows[key] >= _COMPLETE * usual

    def _largest_row(self, key: Key) -> int:
        rows = self.groups.get(key)
        return -1 if rows is None else rows.start + int(np.argmax(self.checked.count[rows]))

    def _values(self) -> Iterator[Note]:
        """Of services with several regions; a single one is its sum."""
        delivered: dict[tuple[int, str], dict[int, int]] = {pair: {} for pair in self.regions}
        for (service, month), ars, row in self._delivered_regions():
            if self.rows.get((service, month), 0) > 1:
                delivered[service, ars][month] = row
        count = self.checked.count
        entries = []
        for (service, region), row_of in delivered.items():
            before = self.past[service].regions.get(region, {}) if service in self.past else {}
            series = before | {month: int(count[row]) for month, row in row_of.items() if count[row] >= 0}
            entries += [(series, month, service, row) for month, row in row_of.items() if count[row] >= 0]
        found = of_series(
            [(series, month, int(count[row])) for series, month, _of, row in entries], _REGION_TOLERANCE
        )
        yield from self._odd_values(
            found, [((service, month), row) for _series, month, service, row in entries]
        )

    def _delivered_regions(self) -> Iterator[tuple[Key, str, int]]:
        """Each chosen region's row in each service-month that the delivery has it in."""
        keys: dict[int, list[str]] = {}
        for service, region in self.regions:
            keys.setdefault(service, []).append(region)
        for key, rows in self.groups.items():
            wanted = np.array(keys.get(key[0], []), "S12")
            ars = self.checked.ars[rows]
            places = np.searchsorted(ars, wanted)
            there = (places < len(ars)) & (ars[np.minimum(places, len(ars) - 1)] == wanted)
            for one, place in zip(wanted[there].tolist(), places[there].tolist(), strict=True):
                yield key, one.decode(), rows.start + place

    def _odd_values(self, found: Expected, entries: list[tuple[Key, int]]) -> Iterator[Note]:
        compared: dict[Key, int] = {}
        odd: dict[Key, list[int]] = {}
        running = month_number(months.running())
        for place, (key, _row) in enumerate(entries):
            compared[key] = compared.get(key, 0) + (not np.isnan(found.low[place]))
            if found.odd[place] > 0 or (found.odd[place] < 0 and key[1] != running):
                odd.setdefault(key, []).append(place)
        for key, places in odd.items():
            far = [self._how_far(found, place, entries[place][1]) for place in places]
            place = places[int(np.argmax(far))]
            row = entries[place][1]
            params = distance(found, place, int(self.checked.count[row]), key[1])
            counts = {"anzahl": formats.number(len(places)), "werte": formats.number(compared[key])}
            yield Note(VALUE, key, row, params | counts)

    def _how_far(self, found: Expected, place: int, row: int) -> float:
        value = float(self.checked.count[row])
        return max(value - float(found.high[place]), float(found.low[place]) - value)

    # --- the service's master data ---------------------------------------------------------------

    def _out_of_service(self, key: Key, rows: slice) -> Iterator[Note]:
        past = self.past.get(key[0])
        if past is None:
            return
        for kind, day, out in (
            (EARLY, past.live_from, past.live_from and key[1] < month_number(past.live_from)),
            (LATE, past.ended_on, past.ended_on and key[1] > month_number(past.ended_on)),
        ):
            if day and out:
                at = rows.start + np.flatnonzero(self.checked.count[rows] > 0)
                yield from self._of_rows(kind, key, at, {"tag": formats.day(day)})

    def _of_rows(self, kind: str, key: Key, at: Ints, params: dict[str, str]) -> Iterator[Note]:
        """Nothing for no rows; the largest is the example."""
        if len(at):
            row = int(at[np.argmax(self.checked.count[at])])
            counted = {"anzahl": formats.number(len(at)), "ist": formats.number(int(self.checked.count[row]))}
            yield Note(kind, key, row, params | counted)

    def _outside(self) -> Iterator[Note]:
        """Rows > 0 of regions that neither lie in the area served nor contain a part of it."""
        for key, rows in self.groups.items():
            area = self.past[key[0]].area if key[0] in self.past else []
            if area and GERMANY not in area:
                ars = self.checked.ars[rows]
                out = ~_overlaps(ars, np.array(area, "S12")) & (self.checked.count[rows] > 0)
                yield from self._of_rows(OUTSIDE, key, rows.start + np.flatnonzero(out), {})

    # --- the month itself, and the one before ----------------------------------------------------

    def _equal(self, key: Key, rows: slice) -> Note | None:
        count = self.checked.count[rows]
        if len(count) < LEAST_REGIONS or count[0] < LEAST_EQUAL or not (count == count[0]).all():
            return None
        params = {"anzahl": formats.number(len(count)), "ist": formats.number(int(count[0]))}
        return Note(EQUAL, key, rows.start, params)

    def _repeated(self, equal: set[Key]) -> Iterator[Note]:
        """Where sum and number of rows are those of the month before, the rows are compared."""
        left, candidates = MAX_REPEATED_ROWS, []
        for key, rows in self.groups.items():
            before, size = (key[0], key[1] - 1), rows.stop - rows.start
            # A month that is empty afterwards is not there.
            total = self.totals.get(key, 0)
            same = total and total == self.totals.get(before) and self.rows[key] == self.rows[before]
            if same and key not in equal and LEAST_REGIONS <= size <= left:
                left -= size
                candidates.append((key, before))
        stored = (
            reading.stored({(pk, month_of(month)) for _key, (pk, month) in candidates}) if candidates else {}
        )
        for key, before in candidates:
            rows = self.groups[key]
            known = stored.get((before[0], month_of(before[1])), {}) | self._delivered(before)
            now = self._delivered(key)
            if all(known.get(ars) == count for ars, count in now.items()):
                params = {"anzahl": formats.number(len(now)), "vormonat": formats.month(month_of(before[1]))}
                yield Note(REPEATED, key, rows.start, params)

    def _delivered(self, key: Key) -> dict[str, int]:
        rows = self.groups.get(key, slice(0, 0))
        ars = [one.decode() for one in self.checked.ars[rows].tolist()]
        return dict(zip(ars, self.checked.count[rows].tolist(), strict=True))


def _ask_before(checked: Checked, services: list[int], changed: list[int]) -> Callable[[], Before]:
    near = _near(changed)
    return reading.ask_before(
        services,
        changed=[month_of(month) for month in changed],
        since=month_of(changed[0] - LAGS),
        regions=_looked_up(checked, len(changed), MAX_LOOKUPS // len(near)),
        near=near,
    )


def _looked_up(checked: Checked, months: int, most: int) -> list[tuple[int, str]]:
    """At most so many regions of services: those whose delivered values are the largest."""
    wanted = most * months
    chosen = np.arange(len(checked))
    if len(chosen) > wanted:
        chosen = np.argpartition(checked.count, len(chosen) - wanted)[-wanted:]
    chosen = chosen[np.argsort(-checked.count[chosen], kind="stable")]
    pairs = zip(checked.service[chosen].tolist(), checked.ars[chosen].tolist(), strict=True)
    return [(service, ars.decode()) for service, ars in list(dict.fromkeys(pairs))[:most]]


def _near(changed: Sequence[int]) -> list[dt.date]:
    """The months whose single values are compared, those that change among them."""
    lags = (*range(2 * YEAR + 1), 3 * YEAR)
    return [month_of(month) for month in sorted({month - lag for month in changed for lag in lags})]


def _groups(checked: Checked) -> Iterator[tuple[Key, slice]]:
    """The rows of each service-month: they are sorted."""
    if not len(checked):
        return
    new = (np.diff(checked.service) != 0) | (np.diff(checked.month) != 0)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    stops = [*starts[1:].tolist(), len(checked)]
    keys = zip(checked.service[starts].tolist(), checked.month[starts].tolist(), strict=True)
    for key, start, stop in zip(keys, starts.tolist(), stops, strict=True):
        yield key, slice(start, stop)


def _overlaps(ars: npt.NDArray[np.bytes_], area: npt.NDArray[np.bytes_]) -> npt.NDArray[np.bool_]:
    """Whether each region lies in one of the area's, or one of these in it; by the prefixes of their keys."""
    area.sort()
    nearest = area[np.maximum(np.searchsorted(area, ars, side="right") - 1, 0)]
    found = (nearest <= ars) & (ars <= _last_key(nearest))
    rest = np.flatnonzero(~found)
    if len(rest):
        found[rest] = np.searchsorted(area, ars[rest]) < np.searchsorted(
            area, _last_key(ars[rest]), side="right"
        )
    return found


def _last_key(ars: npt.NDArray[np.bytes_]) -> npt.NDArray[np.bytes_]:
    """The last key that lies in each region: its level's digits, and 9 behind them."""
    unique, codes = np.unique(ars, return_inverse=True)
    ends = [key[: len(_prefix(key.decode()))].ljust(12, b"9") for key in unique.tolist()]
    return np.array(ends, "S12")[codes]


def _prefix(ars: str) -> str:
    """The leading digits that keys inside a region share: those of its level."""
    return next((ars[:digits] for digits in (0, 2, 3, 5, 9) if not ars[digits:].strip("0")), ars)
