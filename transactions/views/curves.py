"""A service's last months as a line of 120 by 32 pixels, from zero, with gaps where nothing was reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEFT, RIGHT, TOP, BASE = 3.0, 117.0, 4.0, 28.0


@dataclass(frozen=True)
class Curve:
    """`path` is what SVG draws; the last value has a dot."""

    path: str
    x: str
    y: str


def curve(totals: Sequence[int | None]) -> Curve | None:
    """None where there is no value at all."""
    known = [(index, total) for index, total in enumerate(totals) if total is not None]
    if not known:
        return None
    step = (RIGHT - LEFT) / max(len(totals) - 1, 1)
    highest = max(total for _index, total in known) or 1
    points = {
        index: f"{LEFT + index * step:.1f} {BASE - (BASE - TOP) * total / highest:.1f}"
        for index, total in known
    }
    x, y = points[known[-1][0]].split()
    return Curve("".join(_drawn(points, index) for index in points), x, y)


def _drawn(points: dict[int, str], index: int) -> str:
    """On from the month before, or begun anew; a lone month is a line of no length: its round cap shows."""
    command = "L" if index - 1 in points else "M"
    lone = not {index - 1, index + 1} & points.keys()
    return f"{command}{points[index]}{'h0' if lone else ''}"
