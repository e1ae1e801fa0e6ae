"""A delivery's columns as numbers, with the faults of texts that could not be read: material of `check()`.

Each distinct text is parsed once; arrays spread the results over the rows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar, cast

import numpy as np
import numpy.typing as npt

from ozgsync.models import Level
from services.models import ReportingLevel
from transactions.register import Register, Span
from transactions.rows import Codes, Column
from transactions.values import Fault

Ints = npt.NDArray[np.int64]
Levels = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]
T = TypeVar("T")

UNKNOWN = -1
MOST_FAULTS = 100_000  # as many as a check writes out of one column
MOST_SERVICES = 50_000  # as many texts a query looks up: it has 65,535 parameters at most


def few_faults(values: Iterable[T | Fault]) -> list[T | Fault]:
    """The values, with one fault for each code behind the first MOST_FAULTS.

    These are never written out, and millions of objects of their own would take gigabytes.
    """
    values = iter(values)
    found = list(islice(values, MOST_FAULTS))
    left = MOST_FAULTS - sum(isinstance(value, Fault) for value in found)
    shared: dict[str, Fault] = {}
    for value in values:
        if isinstance(value, Fault):
            left -= 1
            found.append(value if left >= 0 else shared.setdefault(value.code, value))
        else:
            found.append(value)
    return found


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """A column whose distinct texts are read: a value or a fault for each."""

    name: str
    column: Column
    values: list[T | Fault]

    def per_row(self, blank: T, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """The value of each row; `blank` where it has a fault."""
        good: list[Any] = self.values
        if self.has_faults:
            good = [blank if isinstance(value, Fault) else value for value in self.values]
        return np.array(good, dtype)[self.column.codes]

    @functools.cached_property
    def has_faults(self) -> bool:
        return any(isinstance(value, Fault) for value in self.values)

    def rows_at_fault(self, code: str = "") -> Flags:
        if not self.has_faults:
            return np.zeros(len(self.column), np.bool_)
        wanted = [isinstance(value, Fault) and code in ("", value.code) for value in self.values]
        return np.array(wanted, np.bool_)[self.column.codes]

    def fault(self, row: int) -> Fault:
        return cast(Fault, self.values[int(self.column.codes[row])])


@dataclass(frozen=True)
class Numbers:
    """A column as numbers; `parsed` is None where every cell was plain digits."""

    number: Ints
    parsed: Parsed[int] | None


@dataclass(frozen=True)
class Services:
    """The service of each row (UNKNOWN where it names none), each one's reporting level and data version."""

    id: Ints
    levels: dict[int, ReportingLevel]
    versions: dict[int, int]
    parsed: Parsed[int] | None

    def rank(self) -> Ints:
        """The place of each row's service among all of them by id, from 1; 0 for unknown ones."""
        return np.searchsorted(np.array(sorted(self.levels), np.int64), self.id, side="right")

    def fixed_levels(self) -> dict[int, int]:
        """Of the services that have one for all of their values."""
        levels = {pk: kind.level for pk, kind in self.levels.items()}
        return {pk: int(level) for pk, level in levels.items() if level is not None}

    @functools.cached_property
    def wanted_level(self) -> Levels:
        """The level that each row's service reports at; -1 where it is unknown or every level is accepted."""
        levels = [self.levels[pk].level for pk in sorted(self.levels)]
        wanted = [-1, *(-1 if level is None else int(level) for level in levels)]
        return np.array(wanted, np.int8)[self.rank()]


class Regions:
    """The region of each row: `code` is its place in the register, behind the last one where it has none."""

    def __init__(self, parsed: Parsed[str], register: Register) -> None:
        self.parsed, self.register = parsed, register
        texts: list[Any] = parsed.values
        if parsed.has_faults:
            texts = [value if isinstance(value, str) else "" for value in parsed.values]
        places = [register.place.get(text, len(register)) for text in texts]
        self.code: Codes = np.array(places, np.int32)[parsed.column.codes]

    def key(self, rows: Ints) -> npt.NDArray[np.bytes_]:
        return np.asarray(self.register.keys[self.code[rows]])

    def reach(self, level: Levels) -> Flags:
        """Whether each row's region belongs to the level given for it."""
        return (level >= self.register.top[self.code]) & (level <= self.register.bottom[self.code])

    def has_parts(self) -> Flags:
        """Whose region is no Gemeinde."""
        return self.register.bottom[self.code] < Level.GEMEINDE

    def span(self, row: int) -> Span:
        return self.register.spans[int(self.code[row])]
