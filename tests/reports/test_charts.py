"""Figures: round axes, gaps, and nothing that a name could break."""

import datetime as dt
import re
from xml.etree import ElementTree

import pytest

from reports import maps, standalone
from reports.charts import axis, bars, line
from reports.queries.regions import Area, AreaValue
from reports.queries.series import Point
from zsk import months

JANUARY = dt.date(2025, 1, 1)


def points(*values: int | None, running: int | None = None) -> list[Point]:
    found = [Point(months.shift(JANUARY, i), value, None) for i, value in enumerate(values)]
    return [*found, Point(months.shift(JANUARY, len(values)), running, None, running=True)]


@pytest.mark.parametrize(
    ("highest", "values"),
    [
        (0, [1]),
        (1, [1]),
        (3, [1, 2, 3]),
        (7, [2, 4, 6]),
        (2037, [500, 1000, 1500, 2000]),
        (1_538_460, [500_000, 1_000_000, 1_500_000]),
        (1_000_000_000, [250_000_000, 500_000_000, 750_000_000, 1_000_000_000]),
    ],
)
def test_an_axis_has_few_round_values(highest: int, values: list[int]) -> None:
    assert axis.ticks(highest) == values


def test_ticks_are_said_in_millions_once_the_axis_reaches_one() -> None:
    assert [label for _value, label in axis.labelled_ticks(1_538_460)] == ["0,5 Mio.", "1,0 Mio.", "1,5 Mio."]
    assert [label for _value, label in axis.labelled_ticks(4_100_000)] == [
        "1 Mio.",
        "2 Mio.",
        "3 Mio.",
        "4 Mio.",
    ]
    assert axis.labelled_ticks(1_000_000)[0][1] == "0,25 Mio."
    assert [label for _value, label in axis.labelled_ticks(2037)] == ["500", "1.000", "1.500", "2.000"]


def test_long_curves_name_januaries_and_julys_short_ones_more_months() -> None:
    long = axis.month_labels(months.span(dt.date(2023, 7, 1), dt.date(2026, 6, 1)))
    assert [label.text for label in long] == ["Jul 2023", "Jan 2024", "Jul", "Jan 2025", "Jul", "Jan 2026"]
    short = axis.month_labels(months.span(dt.date(2025, 11, 1), dt.date(2026, 2, 1)))
    assert [label.text for label in short] == ["Nov 2025", "Dez", "Jan 2026", "Feb"]
    assert [label.text for label in axis.month_labels([JANUARY])] == ["Jan 2025"]


def test_a_missing_month_breaks_the_line_and_is_hatched() -> None:
    chart = line.line_chart(points(5, None, None, 7, running=1), label="Kurve")
    now = re.search(r'class="ln l1" d="([^"]*)"', chart)
    assert now
    assert now[1].count("M") == 2
    assert chart.count('class="na"') == 1
    assert "Feb 2025 – Mär 2025:" in chart
    assert "keine Angabe" in chart


def test_the_running_month_is_hollow_and_no_part_of_the_line() -> None:
    chart = line.line_chart(points(5, 6, running=1), label="Kurve")
    assert 'class="hollow"' in chart
    assert "März läuft" in chart
    now = re.search(r'class="ln l1" d="([^"]*)"', chart)
    assert now
    assert now[1].count("L") == 1
    assert "hollow" not in line.line_chart(points(5, 6), label="Kurve")


@pytest.mark.parametrize("values", [(), (None,), (0,), (5,), (None, 5, None)])
def test_any_series_makes_well_formed_svg(values: tuple[int | None, ...]) -> None:
    for running in (None, 0, 3):
        ElementTree.fromstring(line.line_chart(points(*values, running=running), label="a & <b>"))


def test_names_are_escaped() -> None:
    chart = line.line_chart(points(1), label='<script>"x"')
    assert "<script>" not in chart
    row = AreaValue(Area("060000000000", "<i>Hessen</i>", 100), 1)
    assert "<i>" not in maps.land_map([row], absolute=True)
    picture = standalone.land_map([row], absolute=True, title="<b>", stand=None)
    assert "<b>" not in picture
    ElementTree.fromstring(picture)


def test_classes_hold_about_as_many_laender_each() -> None:
    found = maps.classify([float(value) for value in range(1, 17)] + [None])
    assert [row.count for row in found.rows] == [4, 3, 3, 3, 3]
    assert [row.number for row in found.rows] == [5, 4, 3, 2, 1]
    assert (found.rows[0].text, found.rows[-1].text) == ("13 bis 16", "1 bis 3")
    assert found.missing == 1


def test_equal_values_share_a_class() -> None:
    found = maps.classify([5.0] * 6 + [9.0] * 4)
    assert [(row.text, row.count) for row in found.rows] == [("9", 4), ("5", 6)]
    assert found.number(5.0) < found.number(9.0)
    assert maps.classify([]).rows == ()
    assert maps.classify([0.0]).rows[0].number == 5


def test_a_land_without_a_value_is_hatched_and_says_so() -> None:
    drawn = maps.land_map([AreaValue(Area("100000000000", "Saarland", 1), None)], absolute=False)
    assert 'class="na"' in drawn
    assert 'aria-label="SL, Saarland: keine Angabe"' in drawn
    assert 'href="/regionen/100000000000/"' in drawn


def test_the_strip_has_a_box_per_service() -> None:
    drawn = bars.strip([("geliefert", 51), ("faellig", 4), ("verspaetet", 2), ("nie", 1)])
    assert drawn.count('class="p1"') == 51
    assert drawn.count('class="na na-fine"') == 4
    assert drawn.count('class="pw"') == 2
    ElementTree.fromstring(bars.strip([]))
    many = bars.strip([("geliefert", 5000), ("verspaetet", 5000)])
    assert many.count("<rect") == 2
    assert 'width="200.0"' in many


def test_a_bar_is_as_long_as_its_part_of_the_highest() -> None:
    assert 'width="50.0%"' in bars.bar(5, 10)
    assert 'width="0.0%"' in bars.bar(None, 10)
    assert 'width="0.0%"' in bars.bar(0, 0)


def test_a_sparkline_breaks_where_a_month_is_missing() -> None:
    assert bars.sparkline([1, None, 2]).count("M") == 2
    ElementTree.fromstring(bars.sparkline([None, None]))
