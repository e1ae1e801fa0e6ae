"""What always holds, whatever was delivered in whatever order."""

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from services.models import OnlineService, ServiceState
from tests.factories import ServiceFactory, UserFactory
from tests.faults.size import size
from tests.transactions.country import (
    BERLIN,
    DARMSTADT,
    FRANKFURT,
    FULDA,
    GELNHAUSEN,
    HESSEN,
    KUENZELL,
    MAINTAL,
    MAY,
    MKK,
    checked,
    new_delivery,
    nothing,
    row,
)
from tests.transactions.sums import Facts, Key, assert_sums_are_right, facts
from transactions import closing, publication, totals
from transactions.checks import Checked
from transactions.delivery import DeliveryRejected, deliver
from transactions.models import (
    CountCorrection,
    CountRevision,
    Delivery,
    StagedCount,
)
from transactions.undo import ReasonMissing, UndoRefused, undo

pytestmark = pytest.mark.django_db

REGIONS = [HESSEN, DARMSTADT, MKK, MAINTAL, GELNHAUSEN, FULDA, KUENZELL, FRANKFURT, BERLIN]
MONTHS = [dt.date(2025, 4, 1), MAY, dt.date(2025, 6, 1)]


@dataclass(frozen=True)
class Step:
    """A delivery of (service, month, region) → count (None: taken back), by places in the lists above.

    `scope`: replaces these (service, month), and leaves out rows outside. `reason`: for what it changes in
    closed months. `then`: what happens afterwards.
    """

    all_rows: dict[tuple[int, int, int], int | None]
    scope: frozenset[tuple[int, int]]
    reason: str
    then: str

    @property
    def rows(self) -> dict[tuple[int, int, int], int | None]:
        return {key: count for key, count in self.all_rows.items() if not self.scope or key[:2] in self.scope}


places = st.tuples(st.integers(0, 1), st.integers(0, len(MONTHS) - 1), st.integers(0, len(REGIONS) - 1))
counts = st.one_of(st.none(), st.sampled_from([0, 1, 2, 3, 10**9]))
steps = st.builds(
    Step,
    all_rows=st.dictionaries(places, counts, max_size=8),
    scope=st.frozensets(st.tuples(st.integers(0, 1), st.integers(0, len(MONTHS) - 1)), max_size=3),
    reason=st.sampled_from(["", "Nachzügler"]),
    then=st.sampled_from(
        [
            "",
            "",
            "fold",
            "publish",
            "publish_laender",
            "withdraw",
            "undo",
            "repeat",
            "close",
            "reopen",
            "level_land",
            "level_kreis",
            "level_gemischt",
        ]
    ),
)
quick = settings(
    max_examples=size(50, 2_000),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class World:
    services: list[OnlineService]
    operations: User

    def deliver(self, step: Step) -> Delivery | None:
        """None where the rows are refused: a sum beside its parts, or a closed month and no reason."""
        try:
            return deliver(self.checked(step), new_delivery(user=self.operations, reason=step.reason))
        except DeliveryRejected:
            return None

    def checked(self, step: Step) -> Checked:
        scope = frozenset((self.services[service].pk, MONTHS[month]) for service, month in step.scope) or None
        lines = [
            row(self.services[service], REGIONS[region], "löschen" if count is None else count, MONTHS[month])
            for (service, month, region), count in step.rows.items()
        ]
        return checked(*lines, scope=scope) if lines else nothing(scope=scope, by=self.operations)

    def expected_after(self, before: Facts, step: Step) -> Facts:
        scope = {(self.services[service].pk, MONTHS[month]) for service, month in step.scope}
        after = {key: count for key, count in before.items() if key[:2] not in scope}
        for (service, month, region), count in step.rows.items():
            key = (self.services[service].pk, MONTHS[month], REGIONS[region])
            after.pop(key, None)
            if count is not None:
                after[key] = count
        return after

    def between(self, step: Step, delivery: Delivery | None) -> None:
        then, change = step.then, {"by": self.operations, "reason": "Test"}
        if then == "fold":
            totals.fold(batch=3)
        elif then == "publish":
            publication.publish(self.services[0], by=None)
        elif then == "publish_laender":
            publication.publish(self.services[0], depth=OnlineService.Depth.LAND, by=None)
        elif then == "withdraw":
            publication.withdraw(self.services[0], by=None)
        elif then == "undo" and delivery:
            try_to_undo(delivery, by=self.operations, reason=step.reason)
        elif then == "repeat" and delivery:
            assert facts() == facts_after(lambda: self.deliver(step))
        elif then == "close":
            closing.close_months(MONTHS[:2], **change)
        elif then == "reopen":
            closing.reopen_month(MONTHS[0], **change)
        elif then.startswith("level_"):
            OnlineService.objects.update(reporting_level=then.removeprefix("level_"))


@pytest.fixture
def world(country_regions: None) -> World:
    services = [ServiceFactory(), ServiceFactory(published=True)]
    return World(services, UserFactory(is_operations=True))


def try_to_undo(delivery: Delivery, *, by: User, reason: str = "Versehen") -> bool:
    try:
        undo(delivery, by=by, reason=reason)
    except (UndoRefused, ReasonMissing):
        return False
    return True


def facts_after(act: Callable[[], object]) -> Facts:
    act()
    return facts()


@quick
@given(sequence=st.lists(steps, min_size=1, max_size=6))
def test_sums_equal_the_facts_after_any_deliveries(world: World, sequence: list[Step]) -> None:
    with transaction.atomic():
        for step in sequence:
            before = facts()
            delivery = world.deliver(step)
            assert facts() == (world.expected_after(before, step) if delivery else before)
            world.between(step, delivery)
            assert_sums_are_right()
        assert not StagedCount.objects.exists()
        transaction.set_rollback(True)


@quick
@given(first=st.lists(steps, max_size=2), step=steps)
def test_what_changes_a_closed_month_has_a_reason_and_is_marked(
    world: World, first: list[Step], step: Step
) -> None:
    with transaction.atomic():
        for earlier in first:
            world.deliver(earlier)
        closing.close_months(MONTHS[:2], by=world.operations, reason="Test")
        before = facts()
        delivery = world.deliver(step)
        after = facts()
        changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        corrected = {key for key in changed if key[1] in MONTHS[:2]}
        assert not corrected or step.reason
        marked = CountCorrection.objects.values_list("service_id", "month", "ars_id")
        assert set(marked) == corrected
        if delivery and changed:
            assert try_to_undo(delivery, by=world.operations, reason="") == (not corrected)
            assert_sums_are_right()
        transaction.set_rollback(True)


@quick
@given(first=st.lists(steps, max_size=2), step=steps)
def test_the_same_delivery_again_changes_nothing(world: World, first: list[Step], step: Step) -> None:
    with transaction.atomic():
        for earlier in first:
            world.deliver(earlier)
        if world.deliver(step):
            before = [facts(), revisions(), states()]
            again = world.deliver(step)
            assert again
            assert (again.new_count, again.changed_count, again.deleted_count) == (0, 0, 0)
            assert [facts(), revisions(), states()] == before
        transaction.set_rollback(True)


def revisions() -> list[Any]:
    return list(CountRevision.objects.order_by("pk").values())


def states() -> list[Any]:
    return list(ServiceState.objects.order_by("pk").values())


@quick
@given(first=st.lists(steps, max_size=3), step=steps, repeat=st.booleans())
def test_taking_a_delivery_back_restores_what_it_found(
    world: World, first: list[Step], step: Step, repeat: bool
) -> None:
    with transaction.atomic():
        for earlier in first:
            world.deliver(earlier)
        before = facts()
        delivery = world.deliver(step)
        if delivery and repeat:
            world.deliver(step)
        if delivery and facts() != before:
            assert try_to_undo(delivery, by=world.operations)
            assert facts() == before
            assert_sums_are_right()
            assert not try_to_undo(delivery, by=world.operations)
        transaction.set_rollback(True)


@quick
@given(sequence=st.lists(steps, min_size=2, max_size=4))
def test_revisions_tell_the_whole_story_of_each_value(world: World, sequence: list[Step]) -> None:
    """Numbered without gaps, each beginning where the one before ended, the last ending at the fact."""
    with transaction.atomic():
        for step in sequence:
            world.deliver(step)
        stories: dict[Key, list[CountRevision]] = {}
        for revision in CountRevision.objects.order_by("pk"):
            stories.setdefault((revision.service_id, revision.month, revision.ars_id), []).append(revision)
        stored = facts()
        for key, story in stories.items():
            assert [revision.number for revision in story] == list(range(1, len(story) + 1))
            assert all(one.new in (None, two.old) for one, two in itertools.pairwise(story))
            assert story[-1].new == stored.get(key) or story[-1].new is None
            assert all(revision.old != revision.new for revision in story)
        transaction.set_rollback(True)
