"""Many who push at once, for the same services and months: nobody waits in a circle, nothing is mixed."""

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.delivering import MONTHS, Market, Push, Sent
from tests.faults.installation import Installation
from tests.faults.size import SEED, size
from tests.transactions.sums import Facts, assert_sums_are_right, facts
from transactions import totals
from transactions.models import Delivery, StagedCount

PUSHERS = size(8, 50)
EACH = size(4, 20)


def pushes(market: Market, accident: random.Random, pusher: int) -> list[Push]:
    """Of one pusher: some rows by array, many by COPY; for several services, in any order; some replace."""
    made = []
    for number in range(EACH):
        places = [(service.pk, month) for service in market.services for month in MONTHS[:3]]
        chosen = accident.sample(places, accident.randint(1, len(places)))
        regions = accident.sample(market.regions, accident.choice([1, 2, 5, 60]))
        count = 1_000 * (pusher + 1) + number  # nobody else sends this value
        rows: Facts = {(*place, ars): count for place in chosen for ars in regions}
        made.append(Push(rows, frozenset(chosen) if accident.random() < 0.4 else frozenset()))
    return made


@pytest.mark.parametrize("fold", [False, True])
def test_the_end_is_that_of_some_order(at: Installation, market: Market, fold: bool) -> None:
    accident = random.Random(SEED + fold)
    before, sent = facts(), [pushes(market, accident, number) for number in range(PUSHERS)]
    with ThreadPoolExecutor(PUSHERS) as pushers:
        answers = pushers.map(lambda own: [market.send(push) for push in own], sent)
        while fold and not pushers._work_queue.empty():
            totals.fold(batch=7)
    by_key = {push.key: push for own in sent for push in own}
    assert_all_stored(answer for own in answers for answer in own)
    assert facts() == replayed(before, by_key)
    totals.fold(batch=7)
    assert_sums_are_right()
    assert not StagedCount.objects.exists()
    assert not Delivery.objects.filter(status=Delivery.Status.RUNNING).exists()


def assert_all_stored(answers: Iterable[Sent]) -> None:
    """All rows are right and nobody was killed: neither a refusal nor an error has a reason."""
    for answer in answers:
        assert answer.status in {200, 201}, answer


def replayed(before: Facts, by_key: dict[str, Push]) -> Facts:
    """One after the other as they were stored: the end of each is noted while it holds its services."""
    stored = Delivery.objects.filter(client_key__in=by_key, status=Delivery.Status.ACCEPTED)
    order = list(stored.order_by("finished_at").values_list("client_key", flat=True))
    assert set(order) == set(by_key)
    for key in order:
        before = by_key[str(key)].after(before)
    return before
