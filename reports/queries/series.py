"""Monthly values, and a period against the same months a year before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from zsk import formats, months

CURVE_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Point:
    """One month of a curve; None is "keine Angabe", which a reported 0 is not."""

    month: dt.date
    value: int | None
    before: int | None
    running: bool = False
    corrected: bool = False


class InCurve:
    """What a page says of its month, which is a point of its curve."""

    __slots__ = ()
    month: dt.date
    curve: tuple[Point, ...]

    @property
    def point(self) -> Point | None:
        return next((point for point in self.curve if point.month == self.month), None)

    @property
    def value(self) -> int | None:
        return self.point.value if self.point else None

    @property
    def before(self) -> int | None:
        return self.point.before if self.point else None

    @property
    def corrected(self) -> bool:
        return self.point is not None and self.point.corrected


def curve_end(month: dt.date) -> dt.date:
    """A curve of the last full month also shows the running one; that of an earlier month ends with it."""
    return months.running() if month == months.last_full() else month


def points(
    values: Mapping[dt.date, int], *, first: dt.date, last: dt.date, corrected: Collection[dt.date] = ()
) -> list[Point]:
    """At most `CURVE_MONTHS` points up to the last month, none before the first one with a value.

    `corrected`: months in which something changed after they were closed.
    """
    start = max(first, months.shift(last, 1 - CURVE_MONTHS))
    running = months.running()
    return [
        Point(
            month,
            values.get(month),
            values.get(months.shift(month, -12)),
            month == running,
            month in corrected,
        )
        for month in months.span(start, last)
    ]


@dataclass(frozen=True, slots=True)
class Comparable:
    """Services that delivered completely in both periods, and their sums."""

    services: int
    now: int
    before: int

    @property
    def change(self) -> float | None:
        return formats.change(self.now, self.before) if self.services else None


@dataclass(frozen=True, slots=True)
class Period:
    """A period against the same months a year before; compared are the months that both years have.

    `total` is the sum of the period as reported; `now` and `before` leave out the months in `left_out`, for
    which one of the years has no number at all.
    """

    span: tuple[dt.date, ...]
    total: int | None
    now: int | None
    before: int | None
    left_out: tuple[dt.date, ...]
    comparable: Comparable | None = None

    @property
    def change(self) -> float | None:
        return formats.change(self.now, self.before)

    @property
    def compared(self) -> tuple[dt.date, ...]:
        return tuple(month for month in self.span if month not in self.left_out)


def period(values: Mapping[dt.date, int], span: Sequence[dt.date]) -> Period:
    """The period of these months; its comparable services are for the caller to add."""
    pairs = [(month, values.get(month), values.get(months.shift(month, -12))) for month in span]
    both = [(now, before) for _month, now, before in pairs if now is not None and before is not None]
    reported = [now for _month, now, _before in pairs if now is not None]
    return Period(
        span=tuple(span),
        total=sum(reported) if reported else None,
        now=sum(now for now, _before in both) if both else None,
        before=sum(before for _now, before in both) if both else None,
        left_out=tuple(month for month, now, before in pairs if now is None or before is None),
    )
