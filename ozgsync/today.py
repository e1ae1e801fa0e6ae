"""Where a count of the past belongs today: every changed key's way through the reforms after its month.

A count of month m passes each change that is statistically effective after the first day of m. What several
keys took over lies at the lowest region that holds all of them today, and is marked (`exact` is false).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from ozgsync.models import GERMANY, RegionToday

# Parts that together are less than this of a region's people leave the rest its only successor.
SMALL = Decimal("0.01")
BEGINNING = dt.date(1900, 1, 1)
_DIGITS = (9, 5, 3, 2)  # of a key's parents, from below: Verband, Kreis, Regierungsbezirk, Land
DAY = dt.timedelta(days=1)


def joined(key: str, month: str) -> str:
    """SQL to LEFT JOIN: the row `t` of a key in a month; `coalesce(t.today, key)` is where it belongs."""
    return f"ozgsync_regiontoday t ON t.ars = {key} AND {month} >= t.from_month AND {month} < t.to_month"


# Keys that lead into a range of keys, maybe from outside.
LEADING_IN = "SELECT ars FROM ozgsync_regiontoday WHERE today BETWEEN %(low)s AND %(high)s"


Shares = dict[str, Decimal | None]
Move = tuple[str, str, dt.date, Decimal | None]  # old, new, day and share


class Way(NamedTuple):
    """Months from `first` until before `end` in which a count at `ars` belongs to `today`."""

    ars: str
    first: dt.date
    end: dt.date
    today: str
    exact: bool


@dataclass(frozen=True)
class Register:
    """What is known: `spans` and people of each key, and the successors of each with their day and share."""

    day: dt.date
    spans: dict[str, list[tuple[dt.date, dt.date | None]]]
    people: dict[str, int]
    changes: dict[str, dict[dt.date, Shares]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, old: str, new: str, day: dt.date, share: Decimal | None) -> None:
        """The same step told twice counts once, with the share that is known."""
        known = self.changes[old].setdefault(day, {})
        known[new] = share if known.get(new) is None else known[new]

    def lives(self, ars: str, day: dt.date) -> bool:
        return any(
            since <= day and (until is None or until > day) for since, until in self.spans.get(ars, ())
        )

    def ended(self, ars: str) -> dt.date | None:
        """The day on which a key that is no longer valid ended; None for any other and for an unknown one."""
        spans = self.spans.get(ars)
        if not spans or any(until is None or until > self.day for _since, until in spans):
            return None
        return max(until for _since, until in spans if until)


def refresh() -> bool:
    """Brings `RegionToday` up to the register and the calendar; whether anything was written.

    Costs one aggregate where neither has changed. In the transaction of whoever writes reference data.
    """
    day = timezone.localdate()
    with connection.cursor() as cursor:
        # Whoever refreshes holds the row of the version first, so that two wait for each other.
        cursor.execute("SELECT today_of FROM ozgsync_referenceversion FOR UPDATE")
        known = cursor.fetchone()
        cursor.execute(_FINGERPRINT, {"day": day})
        (fingerprint,) = cursor.fetchone()
        if known == (fingerprint,):
            return False
        ways = list(_ways(_read(cursor, day)))
        cursor.execute("DELETE FROM ozgsync_regiontoday")
        RegionToday.objects.bulk_create(
            (
                RegionToday(ars=way.ars, from_month=way.first, to_month=way.end, today=way.today,
                            exact=way.exact)
                for way in ways
            ),
            batch_size=2_000,
        )  # fmt: skip
        cursor.execute("ANALYZE ozgsync_regiontoday")
        cursor.execute(
            "INSERT INTO ozgsync_referenceversion (id, version, today_of) VALUES (1, 1, %s)"
            " ON CONFLICT (id) DO UPDATE SET today_of = excluded.today_of",
            [fingerprint],
        )
    return True


_FINGERPRINT = """
    SELECT concat_ws(' ',
        (SELECT sum(hashtextextended(c::text, 0)::numeric) FROM ozgsync_regionchange c
          WHERE statistically <= %(day)s),
        (SELECT sum(hashtextextended(concat_ws(' ', ars, valid_from, valid_to, inhabitants), 0)::numeric)
           FROM ozgsync_regionversion WHERE valid_from <= %(day)s),
        (SELECT count(*) FROM ozgsync_regionversion WHERE valid_to <= %(day)s))
"""


def _read(cursor: Any, day: dt.date) -> Register:
    cursor.execute("SELECT ars, valid_from, valid_to, inhabitants FROM ozgsync_regionversion ORDER BY 1, 2")
    spans: dict[str, list[tuple[dt.date, dt.date | None]]] = defaultdict(list)
    people: dict[str, int] = {}
    for ars, since, until, inhabitants in cursor.fetchall():
        spans[ars].append((since, until))
        if inhabitants:
            people[ars] = inhabitants
    register = Register(day, dict(spans), people)
    cursor.execute(
        "SELECT old, new, statistically, share FROM ozgsync_regionchange WHERE statistically <= %s", [day]
    )
    rows = cursor.fetchall()
    for row in rows:
        register.add(*row)
    _add_left_parents(register, [row for row in rows if row[0] != row[1]])
    return register


def _add_left_parents(register: Register, moves: Iterable[Move]) -> None:
    """Where a region left its Verband or Kreis and no list says what that means for it, a part of it went."""
    parts: dict[tuple[str, dt.date], Shares] = defaultdict(dict)
    for old, new, day, moved in moves:
        for digits in _DIGITS[:2]:
            parent, other = _pad(old, digits), _pad(new, digits)
            if parent in (old, other) or not register.lives(parent, day) or day in register.changes[parent]:
                continue
            gone, whole = register.people.get(old), register.people.get(parent)
            # Of a part of unknown size all of it, which is the most.
            share = gone * (1 if moved is None else moved) / Decimal(whole) if gone and whole else None
            taker = other if other in register.spans else new
            before = parts[parent, day].get(taker, Decimal(0))
            parts[parent, day][taker] = None if share is None or before is None else before + share
    for (parent, day), shares in parts.items():
        register.changes[parent][day] = {parent: None, **shares}


def _pad(ars: str, digits: int) -> str:
    return ars[:digits].ljust(12, "0")


# --- the ways ------------------------------------------------------------------------------------


def _ways(register: Register) -> Iterator[Way]:
    graph = _Graph(register)
    ended = {ars for ars in register.spans if register.ended(ars)}
    for ars in sorted(graph.steps.keys() | ended):
        days = [day for day, _new in graph.steps.get(ars, ())]
        # A key that has gone without a word is found by its parents, whatever the month.
        if (end := register.ended(ars)) and not any(day >= end for day in days):
            days.append(end)
        bounds = [BEGINNING, *(_next_month(day) for day in days)]
        for (first, end_month), day in zip(pairwise(bounds), days, strict=True):
            keys, complete = graph.today(ars, day - DAY)
            today, exact = _together(keys, register)
            if first < end_month and today != ars:
                yield Way(ars, first, end_month, today, exact and complete)


def _next_month(day: dt.date) -> dt.date:
    """The first month whose counts do not pass a change of that day."""
    if day.day == 1:
        return day
    return dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _together(keys: frozenset[str], register: Register) -> tuple[str, bool]:
    """The one key, or the lowest region of today that holds all of them."""
    if len(keys) == 1:
        return next(iter(keys)), True
    for digits in (12, *_DIGITS):
        shared = {_pad(key, digits) for key in keys}
        if len(shared) == 1 and register.lives(ars := shared.pop(), register.day):
            return ars, False
    return GERMANY, False


class _Graph:
    """Each key's steps in order of their days: what became of it, without what is too small to matter."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.steps: dict[str, list[tuple[dt.date, list[str]]]] = {}
        self._known: dict[tuple[str, dt.date], tuple[frozenset[str], bool]] = {}
        for old, by_day in register.changes.items():
            steps = [(day, _kept(old, shares)) for day, shares in sorted(by_day.items())]
            if steps := [(day, new) for day, new in steps if new != [old]]:
                self.steps[old] = steps

    def today(
        self, ars: str, after: dt.date, path: frozenset[tuple[str, dt.date]] = frozenset()
    ) -> tuple[frozenset[str], bool]:
        """The keys that hold today what was at this key until `after`; False where one is only the lowest
        parent of what has gone without a known successor.
        """
        step = next(((day, new) for day, new in self.steps.get(ars, ()) if day > after), None)
        if step is None:
            return self._without_successor(ars, after)
        day, successors = step
        if (ars, day) in self._known:
            return self._known[ars, day]
        found, complete = set[str](), True
        for new in successors:
            # What ended on the day on which it took over goes on at once; a circle ends where it began.
            through = new != ars and (new, day) not in path and not self.register.lives(new, day)
            keys, known = self.today(new, day - DAY if through else day, path | {(ars, day)})
            found |= keys
            complete &= known
        self._known[ars, day] = frozenset(found), complete
        return self._known[ars, day]

    def _without_successor(self, ars: str, after: dt.date) -> tuple[frozenset[str], bool]:
        end = self.register.ended(ars)
        if end is None or end <= after:
            return frozenset({ars}), True
        for digits in _DIGITS:
            parent = _pad(ars, digits)
            if parent != ars and parent in self.register.spans:
                return self.today(parent, end - DAY)[0], False
        return frozenset({GERMANY}), False


def _kept(old: str, shares: Shares) -> list[str]:
    """The successors of one day: of a key that is two regions at once the deeper one; no small parts."""
    kept = {new: shares[new] for new in deepest(shares.keys() - {old}) | shares.keys() & {old}}
    small = Decimal(0)
    for new, share in sorted(kept.items(), key=lambda pair: pair[1] or Decimal(0)):
        if share is not None and new != old and small + share < SMALL and len(kept) > 1:
            small += share
            del kept[new]
    return sorted(kept)


def deepest(keys: Collection[str]) -> set[str]:
    """Without those that others of them lie in."""
    return {key for key in keys if not any(_inside(other, key) for other in keys)}


def _inside(ars: str, whole: str) -> bool:
    """Whether the digits of one key say that it lies in the other."""
    return ars != whole and any(_pad(ars, digits) == whole for digits in _DIGITS)
