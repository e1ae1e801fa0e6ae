import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from ozgsync.queries import RegionSpan, Successor, region_spans, successors
from tests.factories import RegionChangeFactory, RegionFactory, RegionVersionFactory

pytestmark = pytest.mark.django_db
JANUARY = dt.date(2026, 1, 1)


def test_spans_reach_from_the_first_version_to_the_last(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ended = RegionFactory(ars="010010000000", name="A", version__valid_to=dt.date(2020, 1, 1))
    RegionVersionFactory(region=ended, valid_from=dt.date(2020, 1, 1), valid_to=dt.date(2024, 7, 1))
    lasting = RegionFactory(ars="020000000000", name="B", level_top=1, level_bottom=5, version=False)
    RegionVersionFactory(region=lasting, valid_from=dt.date(2018, 1, 1), valid_to=dt.date(2019, 1, 1))
    RegionVersionFactory(region=lasting, valid_from=dt.date(2019, 1, 1))
    with django_assert_num_queries(1):
        spans = region_spans(["020000000000", "010010000000", "999999999999"])
    assert spans == [
        RegionSpan("010010000000", "A", 5, 5, dt.date(2016, 1, 1), dt.date(2024, 7, 1)),
        RegionSpan("020000000000", "B", 1, 5, dt.date(2018, 1, 1), None),
    ]


def ended_region(ars: str) -> object:
    return RegionFactory(ars=ars, version__valid_to=dt.date(2021, 1, 1))


def test_successors_are_followed_over_several_reforms(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first, second = ended_region("010000000001"), ended_region("010000000002")
    last = RegionFactory(ars="010000000003", name="Heute")
    RegionChangeFactory(old=first, new=second, effective=dt.date(2020, 1, 1))
    RegionChangeFactory(old=second, new=last, effective=dt.date(2021, 1, 1))
    with django_assert_num_queries(1):
        found = successors(["010000000001", "010000000002", "010000000003"], JANUARY)
    heute = [Successor("010000000003", "Heute", True)]
    assert found == {"010000000001": heute, "010000000002": heute}


def test_a_split_is_not_exact() -> None:
    old = ended_region("010000000001")
    for ars in ("010000000002", "010000000003"):
        RegionChangeFactory(old=old, new=RegionFactory(ars=ars), effective=dt.date(2021, 1, 1), share="0.5")
    found = successors(["010000000001"], JANUARY)["010000000001"]
    assert [(successor.ars, successor.exact) for successor in found] == [
        ("010000000002", False),
        ("010000000003", False),
    ]


def test_a_reform_of_the_future_has_no_successor_yet() -> None:
    old = RegionFactory(ars="010000000001", version__valid_to=dt.date(2027, 1, 1))
    RegionChangeFactory(old=old, new=RegionFactory(ars="010000000002"), effective=dt.date(2027, 1, 1))
    assert successors(["010000000001"], JANUARY) == {}


def test_key_changes_in_a_ring_come_to_an_end() -> None:
    one, two = ended_region("010000000001"), ended_region("010000000002")
    RegionChangeFactory(old=one, new=two)
    RegionChangeFactory(old=two, new=one)
    assert successors(["010000000001"], JANUARY) == {}
