"""What a number is expected to be, on series as services have them: no false alarm, no gross error missed."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from transactions.expectation import LAGS, judge

MONTHS, SERIES = 84, 300
Floats = npt.NDArray[np.float64]
FLAT = np.ones(12)
WAVE = 1 + 0.6 * np.sin(np.arange(12) / 6 * np.pi)
PEAK = np.where(np.arange(12) == 9, 6.0, 1.0)


def series(mean: float, *, season: Floats = FLAT, growth: float = 0, scatter: float = 0.1) -> Floats:
    """Counts of seven years: `growth` a year as a logarithm, `scatter` beside that of chance."""
    random = np.random.default_rng(7)
    month = np.arange(MONTHS)
    expected = mean * season[month % 12] * np.exp(growth * month / 12)
    return random.poisson(expected * np.exp(random.normal(0, scatter, (SERIES, MONTHS)))).astype(float)


def odd(counts: Floats, month: int, change: Callable[[Floats], Floats] = lambda value: value) -> Floats:
    """1, -1 or 0 for each series' value of that month, changed by somebody's mistake."""
    past = np.full((len(counts), LAGS), np.nan)
    known = min(month, LAGS)
    past[:, :known] = counts[:, month - known : month][:, ::-1]
    return judge(change(counts[:, month]), past).odd.astype(float)


def alarms(counts: Floats, first: int, last: int) -> float:
    return float(np.mean([np.abs(odd(counts, month)).mean() for month in range(first, last)]))


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param(series(1_000), id="steady"),
        pytest.param(series(1_000, season=WAVE), id="seasonal"),
        pytest.param(series(1_000, season=PEAK), id="one peak a year"),
        pytest.param(series(300, growth=0.7), id="doubles every year"),
        pytest.param(series(0.5), id="hardly any"),
        pytest.param(series(3), id="few"),
        pytest.param(series(20, season=WAVE, scatter=0.2), id="small and seasonal"),
    ],
)
def test_usual_series_raise_no_alarm_at_any_age(counts: Floats) -> None:
    assert alarms(counts, 1, MONTHS) < 0.001


def test_a_very_uneven_service_raises_hardly_any() -> None:
    assert alarms(series(1_000, season=WAVE, scatter=0.4), 1, MONTHS) < 0.02


@pytest.mark.parametrize("counts", [series(1_000), series(1_000, season=WAVE), series(1_000, season=PEAK)])
def test_a_digit_too_many_or_too_few_stands_out_in_every_season(counts: Floats) -> None:
    for month in range(36, 48):
        assert odd(counts, month, lambda value: value * 10).mean() == 1
        assert odd(counts, month, lambda value: np.floor(value / 10)).mean() == -1


def test_a_peak_that_stays_away_stands_out_though_other_months_are_as_low() -> None:
    counts = series(1_000, season=PEAK)
    assert odd(counts, 57, lambda value: value / 6).mean() < -0.9


def test_in_the_first_year_only_gross_errors_stand_out() -> None:
    counts = series(1_000)
    assert odd(counts, 8, lambda value: value * 5).any() == np.False_
    assert odd(counts, 8, lambda value: value * 20).all()


def test_nothing_is_said_in_the_first_months() -> None:
    counts = series(1_000)
    assert not any(odd(counts, month, lambda value: value * 1_000).any() for month in range(6))


def test_a_new_level_is_usual_after_two_months_and_one_odd_month_changes_nothing() -> None:
    counts = series(1_000)
    counts[:, 60:] *= 4
    counts[:, 40] *= 12
    assert odd(counts, 60).mean() > 0.95
    assert odd(counts, 40).mean() > 0.95
    assert alarms(counts, 63, 75) < 0.001
    assert alarms(counts, 41, 60) < 0.001


def test_the_range_is_that_of_the_season_with_the_years_it_comes_from() -> None:
    counts = series(1_000, season=PEAK, scatter=0.01)
    past = counts[:1, 9:57][:, ::-1]
    found = judge(np.array([100_000.0]), past)
    assert found.years[0] == 3
    assert 4_500 < found.low[0] < 6_000 < found.high[0] < 7_500


def test_without_any_past_there_is_no_range() -> None:
    found = judge(np.array([5.0]), np.full((1, LAGS), np.nan))
    assert np.isnan(found.low[0])
    assert np.isnan(found.high[0])
    assert not found.odd[0]
