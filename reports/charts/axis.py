"""Scales of a chart: round steps for values, labels for months."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from zsk import formats

MILLION = 1_000_000
MOST_TICKS = 4


def ticks(highest: int) -> list[int]:
    """At most four round values above zero up to the highest one: 1538460 → 500.000, 1.000.000, 1.500.000."""
    step = _step(max(highest, 1))
    return list(range(step, highest + 1, step)) or [step]


def _step(highest: int) -> int:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that gives no more than four ticks."""
    power = 1
    while True:
        # 2.5 only where it is a whole number.
        for step in (power, 2 * power, *([power * 5 // 2] if power > 1 else []), 5 * power):
            if highest // step <= MOST_TICKS:
                return step
        power *= 10


def tick_label(value: int, step: int) -> str:
    """`500.000` as `0,5 Mio.` where the axis reaches a million."""
    digits = 0 if step % MILLION == 0 else 1 if step % (MILLION // 10) == 0 else 2
    return _("%(millions)s Mio.") % {"millions": formats.decimal(value / MILLION, digits)}


def labelled_ticks(highest: int) -> list[tuple[int, str]]:
    values = ticks(highest)
    if values[-1] < MILLION:
        return [(value, formats.number(value)) for value in values]
    return [(value, tick_label(value, values[0])) for value in values]


def short_month(month: dt.date, *, year: bool = False) -> str:
    """`Jul` or `Jul 2023`."""
    name = str(formats.MONTHS[month.month - 1])[:3]
    return f"{name} {month.year}" if year else name


@dataclass(frozen=True, slots=True)
class MonthLabel:
    index: int
    text: str
    # Left out on phones.
    wide: bool


def month_labels(months: Sequence[dt.date]) -> list[MonthLabel]:
    """Every January with its year and every July; in short series more months, so that three or so stand."""
    if len(months) > 18:
        return [
            MonthLabel(index, short_month(month, year=month.month == 1 or index == 0), month.month != 1)
            for index, month in enumerate(months)
            if month.month in {1, 7}
        ]
    every = 1 if len(months) <= 6 else 3
    return [
        MonthLabel(index, short_month(month, year=index == 0 or month.month == 1), index % (2 * every) != 0)
        for index, month in enumerate(months)
        if index % every == 0
    ]
