"""Level 2: exact at every moment, whatever is waiting to be folded."""

import datetime as dt
from collections import Counter
from contextlib import suppress

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.models import OnlineService
from tests.factories import ServiceFactory
from tests.reports.conftest import GERMANY, HESSEN, KREIS, MAINTAL, Deliver
from transactions import publication, totals
from transactions.delivery import DeliveryRejected
from transactions.models import MonthlyTotal, RegionTotal, RegionTotalDelta

FIRST, LAST = dt.date(2026, 4, 1), dt.date(2026, 5, 1)
AREAS = [GERMANY, HESSEN, KREIS, MAINTAL]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("deliver"), st.integers(0, 1),
            st.dictionaries(
                st.tuples(st.sampled_from(["2026-04", "2026-05"]), st.sampled_from(AREAS)),
                st.one_of(st.none(), st.integers(0, 50)), min_size=1, max_size=4,
            ),
        ),
        st.tuples(st.just("publish"), st.integers(0, 1), st.none()),
        st.tuples(st.just("withdraw"), st.integers(0, 1), st.none()),
        st.tuples(st.just("fold"), st.integers(1, 3), st.none()),
    ),
    max_size=12,
)  # fmt: skip


def level_2(digits: int = 12) -> dict[tuple[dt.date, str], tuple[int, int]]:
    rows = totals.by_area(first=FIRST, last=LAST, digits=digits)
    return {(row.month, row.area): (row.total, row.rows) for row in rows}


def level_1_of_published() -> dict[tuple[dt.date, str], tuple[int, int]]:
    found: Counter[tuple[dt.date, str]] = Counter()
    rows: Counter[tuple[dt.date, str]] = Counter()
    for total in MonthlyTotal.objects.filter(service__published_at__isnull=False):
        found[total.month, total.region_id] += total.total
        rows[total.month, total.region_id] += total.rows
    return {key: (found[key], rows[key]) for key in rows}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_level_2_is_level_1_of_published_services(steps: list, deliver_counts: Deliver) -> None:
    with transaction.atomic():
        services = [ServiceFactory(), ServiceFactory(published=True)]
        for kind, number, values in steps:
            act(kind, number, values, services, deliver_counts)
            assert level_2() == level_1_of_published()
        totals.fold()
        assert level_2() == level_1_of_published()
        assert not RegionTotalDelta.objects.exists()
        assert not RegionTotal.objects.filter(rows=0).exists()
        # Each example starts from nothing.
        transaction.set_rollback(True)


def act(
    kind: str,
    number: int,
    values: dict[tuple[str, str], int | None] | None,
    services: list[OnlineService],
    deliver_counts: Deliver,
) -> None:
    if kind == "deliver":
        # Only rows that agree with one another are taken; what is refused must change nothing either.
        with suppress(DeliveryRejected):
            deliver_counts(services[number], values or {})
    elif kind == "fold":
        totals.fold(batch=number)
    else:
        change = publication.publish if kind == "publish" else publication.withdraw
        change(OnlineService.objects.get(pk=services[number].pk), by=None)


def test_what_is_reported_above_the_laender_has_an_area_of_its_own(
    published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", GERMANY): 5, ("2026-05", KREIS): 7})
    assert level_2(digits=2) == {(LAST, "00"): (5, 1), (LAST, "06"): (7, 1)}


def test_fold_moves_deltas_in_batches_and_keeps_the_sum(
    published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 5, ("2026-04", HESSEN): 3})
    before = level_2()
    assert RegionTotalDelta.objects.count() == 2
    assert totals.fold(batch=1) == 2
    assert level_2() == before
    assert not RegionTotalDelta.objects.exists()
    assert totals.fold() == 0


def test_a_row_that_nothing_is_left_of_is_removed(published: OnlineService, deliver_counts: Deliver) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 5})
    totals.fold()
    deliver_counts(published, {("2026-05", HESSEN): None})
    totals.fold()
    assert not RegionTotal.objects.exists()
    assert totals.first_month() is None


def test_the_first_month_is_one_that_still_has_a_number(
    published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-04", HESSEN): 5, ("2026-05", HESSEN): 0})
    assert totals.first_month() == FIRST
    deliver_counts(published, {("2026-04", HESSEN): None})
    assert totals.first_month() == LAST
    publication.withdraw(published, by=None)
    assert totals.first_month() is None
    totals.fold()
    assert totals.first_month() is None


def test_a_reported_zero_stays_apart_from_nothing_reported(
    published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 0})
    totals.fold()
    assert level_2() == {(LAST, HESSEN): (0, 1)}


@pytest.mark.django_db(transaction=True)
def test_two_folds_at_once_take_each_delta_once() -> None:
    """A delta that another worker is folding is skipped, not waited for and not counted twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO region_total_delta (month, region, total, rows)"
            " SELECT '2026-05-01', '060000000000', 1, 1 FROM generate_series(1, 10)"
        )
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT id FROM region_total_delta ORDER BY id LIMIT 4 FOR UPDATE")
            assert totals.fold() == 6
            assert level_2() == {(LAST, HESSEN): (10, 10)}
            cursor.execute("ROLLBACK")
    finally:
        other.close()
    assert totals.fold() == 4
    assert level_2() == {(LAST, HESSEN): (10, 10)}
