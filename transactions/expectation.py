"""What a monthly number is expected to be, judged by its own past; arrays only, many numbers at once.

Numbers are compared as logarithms of the count plus DAMPING, so that a distance is a factor, and counts so
small that chance alone moves them are left alone. For month M:

- *season*: the same month of each of the last three years, carried forward by how much the last twelve
  months, and the last three, stand above or below theirs a year (two, three years) before: medians of
  ratios, so that one odd month moves nothing.
- *level*: the last twelve months without their extremes (quantiles), and the last month.

With two earlier years the season decides; with one, a number is odd only where season and level both say
so, since last year may have been odd itself; without any, the level decides, and with less than a year of
it only gross errors count: the season is not known yet. With less than six months nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

YEAR = 12
YEARS = 3
LAGS = YEAR * (YEARS + 1)
LEAST_MONTHS = 6
DAMPING = 20
# How many times a number may stand above or below what is expected.
_BY_SEASON, _BY_ONE_YEAR, _BY_LEVEL_TOO, _BY_LEVEL, _BY_FEW_MONTHS = np.log([2, 3, 2, 3, 8])
# Nor is it odd for the season within this many times the usual scatter of growth.
_SCATTER = 3
_TO_DEVIATION = 1.4826  # from the median of distances to a standard deviation
_SAID_WIDER = np.log(1.1)  # the range is said a little wider than the few numbers that it comes from


@dataclass(frozen=True)
class Expected:
    """For each number: 1 far above, -1 far below, else 0; and the range expected, from how many years.

    `years` 0: the range is that of the last twelve months. Where nothing can be said it is NaN.
    """

    odd: Ints
    low: Floats
    high: Floats
    years: Ints


def judge(value: Floats, past: Floats, *, tolerance: float = 1) -> Expected:
    """`past[:, 0]` is the month before, `past[:, 11]` the same month a year before; NaN: no number.

    `past` has LAGS columns. `tolerance` widens what is let pass: for many numbers at once, of which some
    are always unusual.
    """
    now, level = np.log(value + DAMPING), np.log(past + DAMPING)
    recent = level[:, :YEAR]
    known = np.isfinite(recent).sum(axis=1)
    season_low, season_high, years, scatter = _season(level)
    level_low, level_high = _level(recent)
    season_slack = np.maximum(np.where(years > 1, _BY_SEASON, _BY_ONE_YEAR), _SCATTER * scatter) * tolerance
    # Its range spans the seasons already: no scatter on top; and where the season must agree, less slack.
    of_level = np.where(years == 1, _BY_LEVEL_TOO, _BY_LEVEL)
    level_slack = np.where(known > YEAR - 2, of_level, _BY_FEW_MONTHS) * tolerance
    by_season = _side(now, season_low, season_high, season_slack)
    by_level = _side(now, level_low, level_high, level_slack)
    odd = np.where(
        years > 1, by_season, np.where(years == 1, np.where(by_season == by_level, by_level, 0), by_level)
    )
    odd[known < LEAST_MONTHS] = 0
    has_season = years > 0
    return Expected(
        odd,
        _count(np.where(has_season, season_low, level_low) - _SAID_WIDER),
        _count(np.where(has_season, season_high, level_high) + _SAID_WIDER),
        years,
    )


def _season(level: Floats) -> tuple[Floats, Floats, Ints, Floats]:
    """The lowest and the highest forecast, how many years they rest on, and the scatter of growth."""
    forecasts: list[Floats] = []
    years = np.zeros(len(level), np.int64)
    for year in range(1, YEARS + 1):
        then = level[:, YEAR * year - 1]
        growth = level[:, :YEAR] - level[:, YEAR * year : YEAR * (year + 1)]
        steady, fresh = _median(growth, least=LEAST_MONTHS), _median(growth[:, :3], least=2)
        grown = [then + steady, then + fresh]
        forecasts += [*grown, np.where(np.isnan(grown[0]) & np.isnan(grown[1]), then, np.nan)]
        years += np.isfinite(then)
    scatter = _scatter(level[:, :YEAR] - level[:, YEAR : 2 * YEAR])
    return np.fmin.reduce(forecasts), np.fmax.reduce(forecasts), years, scatter


def _level(recent: Floats) -> tuple[Floats, Floats]:
    ordered, last = np.sort(recent, axis=1), recent[:, 0]  # missing ones at the end
    return np.fmin(_quantile(ordered, 0.1), last), np.fmax(_quantile(ordered, 0.9), last)


def _quantile(ordered: Floats, share: float) -> Floats:
    known = np.isfinite(ordered).sum(axis=1)
    place = np.rint(share * np.maximum(known - 1, 0)).astype(np.int64)
    return np.take_along_axis(ordered, place[:, None], axis=1)[:, 0]


def _median(numbers: Floats, *, least: int) -> Floats:
    """NaN where fewer than `least` are known."""
    ordered = np.sort(numbers, axis=1)
    known = np.isfinite(ordered).sum(axis=1)
    middle = np.maximum(known - 1, 0)
    pair = np.stack([middle // 2, (middle + 1) // 2], axis=1)
    found = np.take_along_axis(ordered, pair, axis=1).mean(axis=1)
    return np.where(known < least, np.nan, found)


def _scatter(numbers: Floats) -> Floats:
    """A robust standard deviation; 0 where too few are known."""
    middle = _median(numbers, least=LEAST_MONTHS)
    distance = _median(np.abs(numbers - middle[:, None]), least=LEAST_MONTHS)
    return np.nan_to_num(distance * _TO_DEVIATION)


def _side(now: Floats, low: Floats, high: Floats, slack: Floats) -> Ints:
    """1 above the range and its slack, -1 below; 0 inside, and where there is no range."""
    return (now > high + slack).astype(np.int64) - (now < low - slack)


def _count(level: Floats) -> Floats:
    return np.maximum(np.exp(level) - DAMPING, 0)


# --- many series ---------------------------------------------------------------------------------

Series = Mapping[int, int]  # by month, as a number that counts months
_BLOCK = 20_000


def of_series(entries: Sequence[tuple[Series, int, int]], tolerance: float = 1) -> Expected:
    """Each value beside the months before it in its own series; in blocks, so that memory stays bounded."""
    parts = [
        _of_block(entries[start : start + _BLOCK], tolerance) for start in range(0, len(entries) or 1, _BLOCK)
    ]
    return Expected(*(np.concatenate(arrays) for arrays in zip(*map(_arrays, parts), strict=True)))


def _arrays(found: Expected) -> tuple[Any, ...]:
    return found.odd, found.low, found.high, found.years


def _of_block(entries: Sequence[tuple[Series, int, int]], tolerance: float) -> Expected:
    if all(len(series) <= LEAST_MONTHS for series, _month, _value in entries):
        nothing, none = np.full(len(entries), np.nan), np.zeros(len(entries), np.int64)
        return Expected(none, nothing, nothing, none)
    past = np.array(
        [
            [series.get(month - lag, np.nan) for lag in range(1, LAGS + 1)]
            for series, month, _value in entries
        ],
        np.float64,
    ).reshape(len(entries), LAGS)
    value = np.array([value for _series, _month, value in entries], np.float64)
    return judge(value, past, tolerance=tolerance)
