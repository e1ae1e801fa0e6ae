"""The register of regions as deliveries are compared with it: in memory, read anew when it has changed.

It has some ten thousand keys and changes a few times a year; to ask the database for each delivery's regions
costs more than all the rest of checking them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from django.db import connection

from ozgsync.models import Level
from services.models import Credential
from zsk.statements import ask

OPEN_END = 1_000_000  # a month number after every month
_NOWHERE = -1
STATE = "SELECT regions FROM ozgsync_referenceversion"


class Span(NamedTuple):
    """From which month (inclusive) to which (exclusive) a region's key is valid, and its levels."""

    ars: str
    name: str
    top: int
    bottom: int
    first: int
    end: int


class Register:
    """All keys that there are or were, sorted; arrays have one more place at the end, for unknown ones."""

    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans
        self.place = {span.ars: number for number, span in enumerate(spans)}
        self.keys: npt.NDArray[np.bytes_] = np.array([*self.place, ""], "S12")

    def __len__(self) -> int:
        return len(self.spans)

    def __contains__(self, ars: str) -> bool:
        return ars in self.place

    def __getitem__(self, ars: str) -> Span:
        return self.spans[self.place[ars]]

    def some(self, keys: Collection[str]) -> dict[str, Span]:
        """Those of the keys that exist."""
        return {key: self[key] for key in keys if key in self}

    @functools.cached_property
    def ars_of_ags(self) -> dict[str, str]:
        """The ARS of each AGS (digits 1–5 and 10–12 of the ARS); only the register knows the digits between.

        Where a Gemeinde has changed its Gemeindeverband, several keys share one AGS: then none is certain.
        """
        found: dict[str, list[str]] = {}
        for span in self.spans:
            if span.bottom == Level.GEMEINDE:
                found.setdefault(span.ars[:5] + span.ars[9:], []).append(span.ars)
        return {ags: several[0] for ags, several in found.items() if len(several) == 1}

    @functools.cached_property
    def top(self) -> npt.NDArray[np.int32]:
        return self._column("top")

    @functools.cached_property
    def bottom(self) -> npt.NDArray[np.int32]:
        return self._column("bottom")

    @functools.cached_property
    def first(self) -> npt.NDArray[np.int32]:
        return self._column("first")

    @functools.cached_property
    def end(self) -> npt.NDArray[np.int32]:
        return self._column("end")

    def _column(self, name: str) -> npt.NDArray[np.int32]:
        return np.array([*(getattr(span, name) for span in self.spans), _NOWHERE], np.int32)


def ask_current(by: object = None) -> Callable[[], Register]:
    """The register as it is when the database answers, or was when a credential was looked up."""
    if isinstance(by, Credential) and by.known:
        return functools.partial(at_state, by.known.regions)
    answer = ask(STATE, ())
    return lambda: at_state(*(row[0] for row in answer()))


def current() -> Register:
    return ask_current()()


def at_state(state: int | None = None) -> Register:
    """The register of this state, or of a later one; without a state, as it is now."""
    global _held
    held, register = _held
    if state is None or held != state:
        held, register = _read()
        _held = held, register
    return register


_held: tuple[int | None, Register] = None, Register([])

_NUMBER = "(extract(year FROM {day})::int - 1970) * 12 + extract(month FROM {day})::int - 1"
# A region counts in every month in which it existed for a day. One statement, so that the state is theirs.
_REGIONS = f"""
    SELECT v.ars, r.name, r.level_top, r.level_bottom, min({_NUMBER.format(day="v.valid_from")}),
           max(coalesce({_NUMBER.format(day="(v.valid_to - 1)")} + 1, {OPEN_END})),
           (SELECT regions FROM ozgsync_referenceversion)
      FROM ozgsync_regionversion v JOIN ozgsync_region r ON r.ars = v.ars
     GROUP BY v.ars, r.ars ORDER BY v.ars
"""


def _read() -> tuple[int | None, Register]:
    with connection.cursor() as cursor:
        cursor.execute(_REGIONS)
        rows = cursor.fetchall()
    return (rows[0][-1] if rows else None), Register([Span(*row[:-1]) for row in rows])
