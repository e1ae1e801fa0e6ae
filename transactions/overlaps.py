"""Parents that are reported together with their parts, where a service reports at mixed levels.

A row counts what belongs to exactly that region and to none of its parts, so a region and regions inside it
may stand side by side. Who reports a sum and its parts, though, is counted twice. Looked at is each
service's month as it will be after the delivery: delivered values, and stored ones that it neither replaces
nor removes.

For a row P, the *rows below* are all rows of regions inside P in that month, at any level; those of them with
no other row between them and P are *topmost*. With P > 0 and at least two rows below > 0:

- P equals the sum of the topmost rows, or the sum of all rows below: P is their sum, a **double count**.
  (Topmost rows: everybody reports totals, so a Kreis stands for its Gemeinden. All rows: the parts report
  only what is their own. With a single row below > 0, equality is no sign of a sum.)
- else, P > 0 and any row below > 0: **part and whole**, once per P. Where P or all below are 0, nothing
  can be counted twice.

Only what the delivery says is judged: P or a row below must be a delivered value. A value taken back is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from transactions.values import REMOVE

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_GERMANY_SIZE = 10**12  # keys of all regions lie below
# How many keys an area of each level spans, from the top: Germany, then keys of 2, 3, 5 and 9 digits.
_SIZES = tuple(10 ** (12 - digits) for digits in (0, 2, 3, 5, 9))
_FEW_KEYS = 30


@dataclass(frozen=True)
class Values:
    """Counts, sorted by (service, month, ars); `row` is the position in the delivery, -1 for stored ones."""

    service: Ints
    month: Ints  # since 1970-01
    ars: Ints  # the key as a number
    count: Ints
    row: Ints

    def __len__(self) -> int:
        return len(self.service)

    def filter(self, keep: Flags | Ints) -> Values:
        return Values(self.service[keep], self.month[keep], self.ars[keep], self.count[keep], self.row[keep])

    def with_stored(self, stored: Values) -> Values:
        both = [np.concatenate([getattr(part, name) for part in (self, stored)]) for name in _COLUMNS]
        merged = Values(*both)
        return merged.filter(np.lexsort((merged.ars, merged.month, merged.service)))


_COLUMNS = ("service", "month", "ars", "count", "row")


@dataclass(frozen=True)
class Overlap:
    """`parent` and `parts` rows below it; `row` is the delivered row to name: the parent's, else a part's."""

    row: int
    parent: str
    month: int
    parts: int
    is_double: bool


def find(delivered: Values, has_parts: Flags, *, replaces_months: bool) -> list[Overlap]:
    """Overlaps that the delivery makes, by row.

    `delivered`: rows of services with mixed levels; `has_parts`: which of them name no Gemeinde.
    `replaces_months`: nothing stored outlives the delivery. Costs two queries at most.
    """
    stored = None if replaces_months else _stored_relatives(delivered, has_parts)
    values = delivered if stored is None else _after(delivered, stored)
    return sorted(_overlaps(values.filter(values.count != REMOVE)), key=lambda overlap: overlap.row)


def area_size(ars: Ints) -> Ints:
    """How many keys the area of each key spans, told by its trailing zeros: 1 for a Gemeinde."""
    size = np.ones(len(ars), np.int64)
    for wider in reversed(_SIZES):
        size[ars % wider == 0] = wider
    return size


def _overlaps(values: Values) -> list[Overlap]:
    """Areas nest, and a parent's key is the first of its area: in sorted order the rows below follow it."""
    start, end = _families(values)
    if not len(start):
        return []
    topmost = _topmost(values, start, end)
    positive = values.count > 0
    all_below = _sums_within(values.count, start, end), _sums_within(positive.astype(np.int64), start, end)
    own = values.count[start]
    double_all = (own == all_below[0]) & (all_below[1] >= 2)
    double_top = (own == topmost.total) & (topmost.positive >= 2)
    judged = (values.row[start] >= 0) | (_sums_within((values.row >= 0).astype(np.int64), start, end) > 0)
    found = np.flatnonzero(judged & (own > 0) & (all_below[1] > 0))
    parts = np.where(double_top, topmost.rows, end - start - 1)
    return [
        Overlap(
            _delivered_row(values, int(start[one]), int(end[one])), f"{values.ars[start[one]]:012d}",
            int(values.month[start[one]]), int(parts[one]), bool(double_all[one] or double_top[one]),
        )
        for one in found
    ]  # fmt: skip


def _delivered_row(values: Values, start: int, end: int) -> int:
    if values.row[start] >= 0:
        return int(values.row[start])
    below = values.row[start + 1 : end]
    return int(below[below >= 0].min())


def _families(values: Values) -> tuple[Ints, Ints]:
    """(start, end) of each row that has rows below: itself, and up to where its area ends in sorted order."""
    key = _service_month(values) * _GERMANY_SIZE + values.ars
    parents = np.flatnonzero(values.ars % _SIZES[-1] == 0)
    end = np.searchsorted(key, key[parents] + area_size(values.ars[parents]))
    has_parts = end - parents > 1
    return parents[has_parts], end[has_parts]


def _service_month(values: Values) -> Ints:
    """Numbers the service-months of sorted values from 0."""
    new = np.zeros(len(values), np.int64)
    new[1:] = (np.diff(values.service) != 0) | (np.diff(values.month) != 0)
    return np.cumsum(new)


@dataclass(frozen=True)
class _Topmost:
    total: Ints
    positive: Ints
    rows: Ints


def _topmost(values: Values, start: Ints, end: Ints) -> _Topmost:
    """Sums over the rows whose nearest row above is the parent."""
    nearest = np.full(len(values), -1, np.int64)
    size = area_size(values.ars[start])
    for wide in _SIZES:  # from the top down: a nearer row above overwrites a farther one
        level = np.flatnonzero(size == wide)
        if not len(level):
            continue
        marks = np.full(len(values), -1, np.int64)
        marks[start[level]] = level
        latest = np.maximum.accumulate(marks)
        inside = (latest >= 0) & (marks < 0) & (np.arange(len(values)) < end[latest])
        nearest[inside] = latest[inside]
    has = nearest >= 0
    above, count = nearest[has], values.count[has]

    def by_parent(numbers: npt.NDArray[Any]) -> Ints:
        # Floats hold whole numbers exactly up to 9·10¹⁵: nine million rows of the largest count.
        return np.bincount(above, numbers, len(start)).astype(np.int64)

    return _Topmost(by_parent(count), by_parent(count > 0), by_parent(np.ones(len(above))))


def _sums_within(numbers: Ints, start: Ints, end: Ints) -> Ints:
    """Sums over the rows after each start and before its end."""
    until = np.concatenate([[0], np.cumsum(numbers)])
    return np.asarray(until[end] - until[start + 1], np.int64)


# --- what is stored ------------------------------------------------------------------------------


def _after(delivered: Values, stored: Values) -> Values:
    """What there will be: stored values that the delivery does not name, and its own."""
    both = delivered.with_stored(stored)
    key = _service_month(both) * _GERMANY_SIZE + both.ars
    same_as_next = np.zeros(len(both), np.bool_)
    same_as_next[:-1] = key[1:] == key[:-1]
    named_twice = same_as_next.copy()
    named_twice[1:] |= same_as_next[:-1]
    return both.filter(~(named_twice & (both.row < 0)))


def _stored_relatives(delivered: Values, has_parts: Flags) -> Values | None:
    """Stored values that can matter: one range of keys, around the areas of all possible parents."""
    own = delivered.filter(has_parts & (delivered.count > 0))
    above = _stored_ancestors(delivered)
    parents = own if above is None else own.with_stored(above)
    return _stored_in_areas(parents) if len(parents) else None


def _stored_ancestors(delivered: Values) -> Values | None:
    """Stored values > 0 of regions that delivered ones lie in."""
    distinct = np.unique(delivered.ars)
    own_size = area_size(distinct)
    keys = np.unique(np.concatenate([(distinct - distinct % size)[own_size < size] for size in _SIZES]))
    if len(keys) > _FEW_KEYS:
        # So many are looked up more slowly, month by month, than all that could be any is read.
        found = _fetch("right(f.ars, 3) = '000' AND f.count > 0", delivered)
        return found and found.filter(np.isin(found.ars, keys))
    return _fetch("f.ars = ANY(%(keys)s) AND f.count > 0", delivered, keys=[f"{key:012d}" for key in keys])


def _stored_in_areas(parents: Values) -> Values | None:
    highest = parents.ars + area_size(parents.ars) - 1
    return _fetch(
        "f.ars BETWEEN %(low)s AND %(high)s", parents,
        low=f"{parents.ars.min():012d}", high=f"{highest.max():012d}",
    )  # fmt: skip


def _day(month: np.int64) -> Any:
    return np.datetime64(int(month), "M").astype("datetime64[D]").item()


# A record of COPY's binary form: as every field has a fixed width, the answer is an array already.
_RECORD = np.dtype([
    ("fields", ">i2"),
    ("service_size", ">i4"), ("service", ">i8"),
    ("month_size", ">i4"), ("month", ">i4"),
    ("ars_size", ">i4"), ("ars", "S12"),
    ("count_size", ">i4"), ("count", ">i8"),
])  # fmt: skip
_HEADER_SIZE, _TRAILER_SIZE = 19, 2


def _fetch(condition: str, months_of: Values, **params: Any) -> Values | None:
    """Stored values of these services and months, sorted, or None.

    By COPY, as a month of all Gemeinden has 11,000 of them; without a join, as its plan could be a bad one.
    """
    params["services"] = np.unique(months_of.service).tolist()
    params["months"] = [_day(month) for month in np.unique(months_of.month)]
    select = f"""
        SELECT f.service_id, f.month, f.ars, f.count FROM transaction_count f
         WHERE f.service_id = ANY(%(services)s) AND f.month = ANY(%(months)s) AND {condition}
         ORDER BY 1, 2, 3
    """
    with (
        connection.cursor() as cursor,
        # psycopg's own cursor: Django's takes no parameters here.
        cursor.cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT BINARY)", params) as copy,
    ):
        data = b"".join(copy)
    records = np.frombuffer(data, _RECORD, (len(data) - _HEADER_SIZE) // _RECORD.itemsize, _HEADER_SIZE)
    if not len(records):
        return None
    day = np.datetime64("2000-01-01", "D") + records["month"].astype(np.int64)
    return Values(
        records["service"].astype(np.int64), day.astype("datetime64[M]").astype(np.int64),
        records["ars"].astype(np.int64), records["count"].astype(np.int64), np.full(len(records), -1),
    )  # fmt: skip
