"""Where a count of the past belongs today, through mergers, key changes, splits, chains and circles."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from ozgsync import today
from ozgsync.loading import follow_calendar, load_reference, raise_version
from ozgsync.models import Level, ReferenceVersion, Region, RegionChange, RegionToday, RegionVersion
from tests.factories import RegionChangeFactory, RegionFactory, germany, kreis, land

pytestmark = pytest.mark.django_db

KREIS, OTHER, GONE = "064350000000", "066310000000", "064360000000"
A, B, C, D = "064350001001", "064350002002", "064350003003", "066310004004"
DARMSTADT, HESSEN = "064000000000", "060000000000"
Found = list[tuple[str, str, str, bool]]


@pytest.fixture(autouse=True)
def country(db: None) -> None:
    germany()
    land()
    RegionFactory(ars=DARMSTADT, name="Darmstadt", level_top=Level.REGBEZ)
    kreis()
    kreis(OTHER, "Fulda")
    for ars in (A, B, C, D):
        RegionFactory(ars=ars)


def change(old: str, new: str, day: str, share: float | None = 1, change_id: str = "") -> None:
    regions = [RegionFactory(ars=ars) for ars in (old, new)]
    RegionChangeFactory(
        old=regions[0], new=regions[1], effective=dt.date.fromisoformat(day), share=share,
        change_id=change_id or f"{old} {new} {day}",
    )  # fmt: skip


def end(ars: str, day: str) -> None:
    RegionVersion.objects.filter(region=ars).update(valid_to=day)


def people(ars: str, number: int) -> None:
    RegionVersion.objects.filter(region=ars).update(inhabitants=number)


def found(*keys: str) -> Found:
    """Of those keys: until before which month, where they belong, whether exactly."""
    today.refresh()
    rows = RegionToday.objects.filter(ars__in=keys or [A, B, C, D, KREIS, OTHER, GONE])
    return [(row.ars, f"{row.to_month:%Y-%m}", row.today, row.exact) for row in rows]


def test_the_reforms_of_the_committed_data() -> None:
    Region.objects.filter(ars__in=[A, B, C, D]).delete()
    load_reference()
    rows = RegionToday.objects.values_list("ars", "to_month", "today", "exact")
    assert {(ars, f"{until:%Y-%m}", new, exact) for ars, until, new, exact in rows} == {
        ("031520000000", "2016-11", "031590000000", True),
        ("031560000000", "2016-11", "031590000000", True),
        ("160560000000", "2021-07", "160630105105", True),
        ("064350014014", "2026-01", "064150000000", True),
        ("064350000000", "2026-01", DARMSTADT, False),
    }


def test_a_chain_of_two_reforms_passes_those_after_its_month() -> None:
    change(A, B, "2018-01-01")
    end(A, "2018-01-01")
    change(B, C, "2022-07-01")
    end(B, "2022-07-01")
    assert found() == [(A, "2018-01", C, True), (B, "2022-07", C, True)]


def test_a_reform_in_the_middle_of_a_month_leaves_the_next_month_alone() -> None:
    change(A, B, "2018-12-15")
    assert found() == [(A, "2019-01", B, True)]


def test_a_name_is_no_way_and_a_step_told_twice_is_one() -> None:
    change(A, A, "2019-01-01")
    change(B, C, "2020-01-01", share=None, change_id="ours")
    change(B, C, "2020-01-01", change_id="theirs")
    assert found() == [(B, "2020-01", C, True)]


def test_a_key_that_was_kreis_and_gemeinde_leads_to_the_gemeinde() -> None:
    RegionFactory(ars=GONE, level_top=Level.KREIS, level_bottom=Level.GEMEINDE)
    change(GONE, KREIS, "2021-07-01")
    change(GONE, A, "2021-07-01")
    assert found() == [(GONE, "2021-07", A, True)]


@pytest.mark.parametrize(
    ("parts", "lies"),
    [((B, C), KREIS), ((B, D), HESSEN), ((B, A), KREIS), ((KREIS, OTHER), HESSEN)],
)
def test_a_split_lies_at_the_lowest_common_parent(parts: tuple[str, str], lies: str) -> None:
    for new in parts:
        change(A, new, "2020-01-01", share=0.5, change_id="split")
    assert found(A) == [(A, "2020-01", lies, False)]


def test_a_split_of_unknown_size_is_marked() -> None:
    change(A, A, "2020-01-01", share=None)
    change(A, B, "2020-01-01", share=None)
    assert found() == [(A, "2020-01", KREIS, False)]


@pytest.mark.parametrize(("shares", "exact"), [((0.009,), True), ((0.01,), False), ((0.006, 0.006), False)])
def test_small_parts_leave_the_rest_its_only_successor(shares: tuple[float, ...], exact: bool) -> None:
    change(A, A, "2020-01-01", share=None)
    for share, new in zip(shares, (B, C), strict=False):
        change(A, new, "2020-01-01", share=share)
    assert found() == ([] if exact else [(A, "2020-01", KREIS, False)])


def test_parts_that_come_together_again_are_exact() -> None:
    change(A, B, "2018-01-01", share=0.5)
    change(A, C, "2018-01-01", share=0.5)
    end(A, "2018-01-01")
    change(B, D, "2020-01-01")
    change(C, D, "2020-01-01")
    assert found(A) == [(A, "2018-01", D, True)]


def test_what_ends_on_the_day_it_takes_over_leads_on() -> None:
    change(A, B, "2018-01-01")
    change(B, C, "2018-01-01")
    end(A, "2018-01-01")
    end(B, "2018-01-01")
    assert found() == [(A, "2018-01", C, True), (B, "2018-01", C, True)]


def test_two_keys_that_change_places_and_a_circle_end() -> None:
    change(A, B, "2018-01-01")
    change(B, A, "2018-01-01")
    assert found() == [(A, "2018-01", B, True), (B, "2018-01", A, True)]
    end(A, "2018-01-01")
    end(B, "2018-01-01")
    assert len(found()) <= 2


def test_a_gemeinde_that_leaves_takes_a_part_of_its_kreis_along() -> None:
    change(A, D, "2020-01-01")
    end(A, "2020-01-01")
    assert found(KREIS) == [(KREIS, "2020-01", HESSEN, False)]
    people(KREIS, 100_000)
    people(A, 500)
    assert found(KREIS) == []


def test_a_part_of_a_gemeinde_is_that_part_of_its_kreis() -> None:
    change(A, A, "2020-01-01", share=None)
    change(A, D, "2020-01-01", share=0.1)
    people(KREIS, 100_000)
    people(A, 9_000)
    assert found(KREIS) == []
    people(A, 11_000)
    assert found(KREIS) == [(KREIS, "2020-01", HESSEN, False)]


def test_a_key_without_a_known_successor_lies_in_what_its_parent_became() -> None:
    RegionFactory(ars="064360001001")
    end("064360001001", "2020-01-01")
    kreis(GONE)
    end(GONE, "2020-01-01")
    change(GONE, KREIS, "2020-01-01")
    assert found("064360001001") == [("064360001001", "2020-01", KREIS, False)]


def test_what_is_not_in_force_yet_waits_for_its_day(monkeypatch: pytest.MonkeyPatch) -> None:
    change(A, B, "2099-01-01")
    assert found() == []
    monkeypatch.setattr("django.utils.timezone.localdate", lambda: dt.date(2099, 1, 1))
    version = ReferenceVersion.objects.get().version
    assert follow_calendar()
    assert [row.today for row in RegionToday.objects.all()] == [B]
    assert ReferenceVersion.objects.get().version == version + 1
    assert not follow_calendar()


def test_nothing_is_computed_where_nothing_has_changed(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    change(A, B, "2020-01-01")
    raise_version()
    with django_assert_num_queries(3):
        raise_version()
    RegionChange.objects.update(share=Decimal("0.5"))
    assert today.refresh()


KEYS = [A, B, C, D, KREIS, OTHER]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(KEYS), st.sampled_from(KEYS), st.dates(dt.date(2017, 1, 1), dt.date(2020, 1, 1)),
            st.sampled_from([None, 0.001, 0.5, 1]),
        ),
        max_size=8, unique_by=lambda row: row[:3],
    )
)  # fmt: skip
def test_whatever_happens_each_month_of_a_key_has_one_place(
    rows: list[tuple[str, str, dt.date, float | None]],
) -> None:
    RegionChange.objects.all().delete()
    for old, new, day, share in rows:
        change(old, new, day.isoformat(), share)
    today.refresh()
    spans: dict[str, list[tuple[dt.date, dt.date]]] = {}
    for row in RegionToday.objects.all():
        spans.setdefault(row.ars, []).append((row.from_month, row.to_month))
        assert row.today != row.ars
    for months in spans.values():
        assert all(first < end for first, end in months)
        assert all(end <= first for (_f, end), (first, _e) in pairwise(months))
