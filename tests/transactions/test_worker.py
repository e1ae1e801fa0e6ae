"""Large work by real workers: from the file to the numbers and the mail, and through their sudden death."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from psycopg import sql

from accounts.models import KeptMail
from services.models import OnlineService, ReportingLevel, ServiceState
from tests.factories import Personas, ServiceFactory, personas
from tests.transactions.test_push import row, rows, sender
from tests.transactions.uploading import HESSEN, MONTH, content, laender, received
from transactions import jobs, uploads
from transactions.models import Delivery, DeliveryJob, StagedCount, TransactionCount
from zsk.celery import app
from zsk.processes import WORKER, die_with_parent

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    return urlunsplit(
        urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    )


@pytest.fixture(autouse=True)
def queue(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tasks go through Valkey, and no file is small."""
    settings.UPLOAD_AT_ONCE_BYTES = 0
    monkeypatch.setattr(app.conf, "task_always_eager", False)
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    yield
    path = settings.CELERY_BROKER_URL.removeprefix("redis+socket://").partition("?")[0]
    address = f"unix://{path}?db=0" if path.startswith("/") else settings.CELERY_BROKER_URL
    redis.Redis.from_url(address).flushdb()


@contextmanager
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "zsk.settings"}
    process = subprocess.Popen(
        [sys.executable, "-m", *WORKER, "--concurrency", "1"],
        cwd=ROOT, env=environment, start_new_session=True, preexec_fn=die_with_parent,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """As the kernel does it when memory runs out: no process of the group can say goodbye."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def service() -> OnlineService:
    laender()
    service = ServiceFactory(published=True, reporting_level=ReportingLevel.LAND)
    ServiceState.objects.get_or_create(service=service)
    return service


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


def test_a_worker_killed_while_it_stores_and_another_one_that_goes_on(
    service: OnlineService, people: Personas
) -> None:
    person = people.colleague
    delivery = received(person, content(service, (HESSEN, MONTH, 1204)))
    state = Delivery.objects.filter(pk=delivery.pk)
    job = DeliveryJob.objects.filter(pk=delivery.pk)
    with worker() as first, psycopg.connect(database_url()) as other:
        wait_for(lambda: not job.exists())
        seen = uploads.review(state.get(), by=person).seen
        # Somebody else holds the service, so that the worker stands still in the middle of storing.
        other.execute("SELECT 1 FROM service_state WHERE service_id = %s FOR UPDATE", [service.pk])
        with pytest.raises(uploads.UnderWay):
            uploads.confirm(state.get(), by=person, seen=seen)
        wait_for(lambda: job.filter(step=DeliveryJob.Step.STORING).exists())
        wait_for(lambda: is_waiting_for_a_lock())
        kill(first)
    assert state.get().status == Delivery.Status.WAITING
    assert not TransactionCount.objects.exists()
    assert jobs.send_waiting() == 0, "it has not been silent for long enough"
    job.update(leased_until=timezone.now())
    with worker():
        assert jobs.send_waiting() == 1
        wait_for(lambda: state.get().status == Delivery.Status.ACCEPTED)
        wait_for(lambda: KeptMail.objects.filter(subject__contains="Übernommen").exists())
    assert TransactionCount.objects.get().count == 1204
    assert not job.exists()
    assert not StagedCount.objects.exists()


@pytest.mark.parametrize("held", ["service_state", "transaction_count"])
def test_a_push_withdrawn_while_a_worker_stores_it(service: OnlineService, held: str) -> None:
    me, month = sender(service), {"monat": MONTH, "ars": HESSEN}
    body = me.send(rows(row(**month)), Idempotency_Key="a", Prefer="respond-async").json()
    where, job = body["url"].replace("http://testserver", ""), DeliveryJob.objects.filter(pk=body["id"])
    with worker(), psycopg.connect(database_url()) as other:
        # The worker stands still: before it has written anything, or when the delivery is written already.
        other.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(sql.Identifier(held)))
        wait_for(lambda: is_waiting_for_a_lock(held))
        answer = me.delete(where)
        assert answer.status_code == (202 if held == "transaction_count" else 200)
        if answer.status_code == 202:
            assert me.delete(where).status_code == 202
            again = me.send(rows(row(**month)), Idempotency_Key="a", Prefer="respond-async")
            assert (again.status_code, again["Retry-After"]) == (409, "20")
        other.rollback()
        wait_for(lambda: me.get(where).json()["status"] == "abgelehnt")
        wait_for(lambda: not StagedCount.objects.exists() and not job.exists())
        assert [note["code"] for note in me.delete(where).json()["hinweise"]] == ["zurueckgezogen"]
        again = me.send(rows(row(**month)), Idempotency_Key="a", Prefer="respond-async")
        wait_for(lambda: TransactionCount.objects.exists())
    assert str(TransactionCount.objects.get().delivery) == again.json()["id"] != body["id"]


def is_waiting_for_a_lock(table: str = "service_state") -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND relation::regclass::text = %s"
            " UNION SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s",
            [table, f"%{table}%"],
        )
        return cursor.fetchone() is not None
