"""Months that nothing is stored for: their numbers go straight to the facts, and all else is as ever."""

from typing import Any

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from services.models import OnlineService, ServiceState
from tests.factories import ServiceFactory, UserFactory
from tests.transactions import country
from tests.transactions.country import (
    BERLIN,
    FULDA,
    GELNHAUSEN,
    HESSEN,
    MAINTAL,
    MAY,
    MKK,
    checked,
    new_delivery,
    row,
)
from tests.transactions.sums import assert_sums_are_right, facts
from tests.transactions.test_properties import MONTHS, Step, World, quick, steps
from tests.transactions.test_properties import world as world
from transactions import closing, fresh, staging
from transactions import delivery as writing
from transactions.checks import Checked
from transactions.delivery import deliver, preview
from transactions.models import (
    CountCorrection,
    CountRevision,
    Delivery,
    DeliveryFinding,
    DeliveryService,
    MonthlyTotal,
    QualityCase,
    RegionTotal,
    RegionTotalDelta,
    ServiceMonth,
    StagedCount,
    TransactionCount,
)

pytestmark = pytest.mark.django_db

WRITTEN: list[type[models.Model]] = [
    TransactionCount, CountRevision, CountCorrection, MonthlyTotal, ServiceMonth, ServiceState, StagedCount,
    RegionTotal, RegionTotalDelta, Delivery, DeliveryService, DeliveryFinding, QualityCase,
]  # fmt: skip


def everything() -> list[list[dict[str, Any]]]:
    """All rows of all tables, without the numbers that the database gives them and the time they ended."""
    return [[plain(one) for one in model._default_manager.order_by("pk").values()] for model in WRITTEN]


def plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in values.items()
        if name != "finished_at" and not (name == "id" and isinstance(value, int))
    }


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """No delivery is of few rows, and a Kreis has rows in several blocks."""
    monkeypatch.setattr(staging, "FEW", 0)
    monkeypatch.setattr(staging, "BLOCK", 2)


@quick
@given(earlier=st.lists(steps, max_size=2), step=steps, close=st.booleans())
def test_both_roads_lead_to_the_same(
    small: None, world: World, earlier: list[Step], step: Step, close: bool
) -> None:
    with transaction.atomic():
        for one in earlier:
            world.between(one, world.deliver(one))
        if close:
            closing.close_months(MONTHS, by=world.operations, reason="Test")
        straight = outcome_of(world, step)
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(writing, "is_fresh", lambda _checked: False)
            assert outcome_of(world, step) == straight
        transaction.set_rollback(True)


def outcome_of(world: World, step: Step) -> object:
    """What there is after the delivery, which is undone again; its faults are in the tables."""
    delivery = new_delivery(pk=_PK, received_at=_AT, reason=step.reason)
    with transaction.atomic():
        found = world.checked(step)
        seen = preview(found)[0] if not found.faults else None
        try:
            deliver(found, delivery)
        except writing.DeliveryRejected:
            pass
        else:
            assert_sums_are_right()
        left = everything()
        transaction.set_rollback(True)
    return seen, left


_EXAMPLE = new_delivery()
_PK, _AT = _EXAMPLE.pk, _EXAMPLE.received_at


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    return ServiceFactory(published=True)


def copied(found: Checked) -> list[str]:
    """The tables that a delivery fills by COPY."""
    with CaptureQueriesContext(connection) as queries:
        deliver(found, new_delivery())
    return [words[1] for words in (query["sql"].split() for query in queries) if words[0] == "COPY"]


def test_what_is_stored_already_is_compared(service: OnlineService) -> None:
    rows = country.many(service, [BERLIN, FULDA, MKK], 60, count=1)
    assert copied(rows) == ["transaction_count"]
    assert copied(rows) == ["staged_count"]
    more = country.many(service, [BERLIN, FULDA, MKK], 63, count=2)
    assert copied(more) == ["staged_count"]
    assert_sums_are_right()


def test_a_preview_of_new_months_stages_nothing(service: OnlineService) -> None:
    rows = country.many(service, [BERLIN, FULDA, MKK], 60, count=1)
    with CaptureQueriesContext(connection) as queries:
        outcome, changed = preview(rows)
    assert (outcome.total("new"), len(outcome.months), changed) == (60, 20, [])
    assert not [query for query in queries if "staged_count" in query["sql"]]


def test_who_comes_first_while_the_lock_is_waited_for_is_compared_with(
    small: None, service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = checked(row(service, GELNHAUSEN, 1), row(service, HESSEN, 2), row(service, MAINTAL, 3))
    lock = writing.lock

    def late(services: list[int]) -> dict[int, int]:
        monkeypatch.undo()
        deliver(checked(row(service, HESSEN, 7), row(service, MAINTAL, 3)), new_delivery())
        return lock(services)

    monkeypatch.setattr(writing, "lock", late)
    done = deliver(found, new_delivery())
    assert (done.new_count, done.changed_count, done.same_count) == (1, 1, 1)
    key = service.pk, MAY
    assert facts() == {(*key, GELNHAUSEN): 1, (*key, HESSEN): 2, (*key, MAINTAL): 3}
    assert CountRevision.objects.values_list("old", "new").get() == (7, 2)
    assert_sums_are_right()


def test_only_new_numbers_of_closed_months_are_marked(small: None, service: OnlineService) -> None:
    other = ServiceFactory()
    deliver(checked(row(service, HESSEN, 1)), new_delivery())
    closing.close_months([MAY], by=UserFactory(is_operations=True), reason="Test")
    new = checked(row(service, HESSEN, 2, "2025-04"), row(other, HESSEN, 3), row(other, BERLIN, 4))
    assert fresh.is_fresh(new)
    deliver(new, new_delivery(reason="Nachzügler"))
    marked = CountCorrection.objects.values_list("service_id", "month", "ars_id")
    assert set(marked) == {(other.pk, MAY, HESSEN), (other.pk, MAY, BERLIN)}


def test_few_rows_are_not_asked_for(service: OnlineService) -> None:
    assert not fresh.is_fresh(checked(row(service, HESSEN, 1)))
