"""kill -9 of any part at any moment of a delivery: all of it or nothing, and what was promised is kept."""

import datetime as dt
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from django.db import connection
from django.utils import timezone

from tests.faults.delivering import Market, Push, Sent
from tests.faults.installation import Installation, wait_for
from tests.faults.size import SEED, size
from tests.transactions.sums import assert_sums_are_right, facts
from transactions import jobs, totals
from transactions.models import Delivery, DeliveryJob, StagedCount
from zsk import servers
from zsk.postgresql.base import DatabaseWrapper

Kill = Callable[[Installation], None]
IN_A_REQUEST: list[Kill] = [
    Installation.kill_web,
    Installation.kill_web_worker,
    Installation.kill_postgres,
    Installation.kill_backend,
]
IN_THE_BACKGROUND: list[Kill] = [
    Installation.kill_worker,
    Installation.kill_postgres,
    Installation.kill_valkey,
    Installation.kill_backend,
]
Status = Delivery.Status


def disturbed(at: Installation, act: Callable[[], Sent], kill: Kill, after: float) -> Sent:
    """What the sender hears when a part is killed that many seconds after it began."""
    with ThreadPoolExecutor(1) as sender:
        answer = sender.submit(act)
        time.sleep(after)
        kill(at)
        return answer.result()


def settled(market: Market, push: Push, *, later: bool = False) -> Sent:
    """The sender tries again with the same key, as the documentation says, until it has an answer."""
    for _attempt in range(100):
        sent = market.send(push, later=later)
        if sent.status in {200, 201, 202}:
            return sent
        assert sent.status in {0, 409, 503}, sent
        # What a dead process was at is given up some minutes later.
        long_ago = timezone.now() - dt.timedelta(minutes=15)
        Delivery.objects.filter(status=Status.RUNNING, job=None).update(received_at=long_ago)
        time.sleep(0.2)
    raise AssertionError(sent)


def duration(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def assert_nothing_is_half(push: Push) -> None:
    """One delivery for each key, no staged rows, and totals that say what the facts say."""
    assert Delivery.objects.filter(client_key=push.key, status=Status.ACCEPTED).count() == 1
    assert not Delivery.objects.filter(status=Status.RUNNING).exists()
    assert not StagedCount.objects.exists()
    assert_sums_are_right()


def kills(kinds: list[Kill], number: int) -> Iterator[Kill]:
    """Each kind as often as the others, so that none is left out by accident."""
    return (kinds[index % len(kinds)] for index in range(number))


def test_while_a_push_is_answered(at: Installation, market: Market) -> None:
    accident = random.Random(SEED)
    takes = duration(lambda: settled(market, market.push(accident, count=1)))
    before = facts()
    for number, kill in enumerate(kills(IN_A_REQUEST, size(4, 50)), start=2):
        push = market.push(accident, count=number, share=0.9)
        sent = disturbed(at, lambda push=push: market.send(push), kill, accident.uniform(0, takes * 1.2))
        at.mend()
        after, found = push.after(before), facts()
        assert found in (before, after), f"{kill.__name__}: half of a delivery"
        assert sent.status in {0, 200, 201, 503}, sent
        if sent.status in {200, 201}:
            assert found == after, f"{kill.__name__}: an answered delivery is lost"
        settled(market, push)
        assert facts() == after
        totals.fold(batch=accident.choice([3, 10_000]))
        assert_nothing_is_half(push)
        before = after


def test_while_a_worker_delivers(at: Installation, market: Market) -> None:
    accident = random.Random(SEED)
    at.start_worker()
    takes = duration(lambda: delivered(at, market, market.push(accident, count=1_001)))
    before = facts()
    for number, kill in enumerate(kills(IN_THE_BACKGROUND, size(4, 50)), start=1_002):
        push = market.push(accident, count=number, share=0.9)
        sent = settled(market, push, later=True)
        assert sent.status == 202
        time.sleep(accident.uniform(0, takes * 1.2))
        kill(at)
        at.mend()
        after = push.after(before)
        assert facts() in (before, after), f"{kill.__name__}: half of a delivery"
        finished(at, push)
        assert facts() == after, f"{kill.__name__}: a promised delivery is lost"
        assert_nothing_is_half(push)
        before = after


def delivered(at: Installation, market: Market, push: Push) -> None:
    settled(market, push, later=True)
    finished(at, push)


def finished(at: Installation, push: Push) -> None:
    """Waits for the worker; time passes quickly for what a dead one has left, and beat sends it again."""

    def is_done() -> bool:
        open_jobs = DeliveryJob.objects.filter(delivery__client_key=push.key)
        if not open_jobs.exists():
            return True
        # A worker may end by itself some moments after its broker was lost, in the middle of telling that a
        # task is done (kombu); whoever runs it starts it again, as docker-compose.yml does.
        at.start_worker()
        silent = timezone.now() - dt.timedelta(seconds=3 * jobs.PULSE_SECONDS)
        open_jobs.filter(leased_until__lt=silent + jobs.LEASE).update(leased_until=timezone.now())
        long_ago = timezone.now() - jobs.RESEND_AFTER
        open_jobs.filter(leased_until=None, sent_at__lt=silent).update(sent_at=long_ago)
        jobs.send_waiting()
        return False

    wait_for(is_done)


def test_pooled_connections_outlive_a_crash(at: Installation) -> None:
    database = servers.database(at.start_postgres(), at.home, pool_size=2, prepare=True)
    pooled = DatabaseWrapper({**connection.settings_dict, **database}, "default")
    try:
        for _crash in range(2):
            with pooled.cursor() as cursor:
                cursor.execute("SELECT 1")
            pooled.close()  # back into the pool, as at the end of a request
            at.kill_postgres()
            at.mend()
    finally:
        pooled.close_pool()
