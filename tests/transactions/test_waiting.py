"""How much of one sender may wait for a worker, and what becomes of the rest."""

import json
import threading
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, connections
from django.test import Client

from services.models import OnlineService, ReportingLevel
from tests.factories import Personas, ServiceFactory, personas
from tests.transactions.test_push import Sender, problem, row, rows, sender
from tests.transactions.uploading import (
    HESSEN,
    MONTH,
    address,
    content,
    laender,
    page,
    post,
    received,
    signed_in,
)
from transactions import jobs, tasks, uploads
from transactions.models import Delivery, DeliveryChunk, DeliveryJob, DeliveryReview

pytestmark = pytest.mark.django_db
LATER = {"Prefer": "respond-async"}


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory(published=True, reporting_level=ReportingLevel.LAND)


@pytest.fixture
def me(service: OnlineService) -> Sender:
    return sender(service)


def count(number: int) -> Any:
    return rows(row(number, monat=MONTH, ars=HESSEN))


# --- pushes ---------------------------------------------------------------------------------------


def test_so_many_deliveries_of_a_credential_wait(me: Sender, settings: LazySettings) -> None:
    settings.MAX_WAITING = 2
    first, _second = me.send(count(1), **LATER).json(), me.send(count(2), Idempotency_Key="b", **LATER)
    refused = me.send(count(3), Idempotency_Key="c", **LATER)
    assert "Lieferungen dieses Zugangs" in problem(refused, 429, "zu_viel_wartet")["title"]
    assert refused["Retry-After"] == "60"
    assert Delivery.objects.count() == DeliveryChunk.objects.count() == DeliveryJob.objects.count() == 2
    assert me.send(count(2), Idempotency_Key="b", **LATER).status_code == 202, "a repeat is no further one"
    assert me.send(count(4)).status_code == 201, "what is answered at once does not wait"
    assert sender(ServiceFactory()).send(count(5), **LATER).status_code == 202, "others have their own"
    tasks.work_on_delivery(first["id"])
    assert me.send(count(3), Idempotency_Key="c", **LATER).status_code == 202
    me.delete(f"/api/v1/lieferungen/{Delivery.objects.get(client_key='b').pk}")
    assert me.send(count(6), **LATER).status_code == 202, "what is withdrawn does not wait"


def test_so_many_bytes_of_a_credential_wait(me: Sender, settings: LazySettings) -> None:
    size = len(json.dumps(count(1)))
    settings.MAX_WAITING_BYTES = 2 * size
    statuses = [me.send(count(number), **LATER).status_code for number in range(3)]
    assert statuses == [202, 202, 429]
    settings.MAX_WAITING_BYTES = 2 * size + 1
    problem(me.send(count(4), **LATER), 429, "zu_viel_wartet")
    assert Delivery.objects.count() == 2, "known only when it is kept, and not kept then"
    DeliveryJob.objects.all().delete()
    settings.MAX_WAITING_BYTES = 1
    assert me.send(count(4), **LATER).status_code == 202, "one alone may be as large as any"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_do_not_get_past_the_limit(
    me: Sender, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAX_WAITING = 3
    monkeypatch.setattr(jobs, "send", lambda _pk: None)
    together, answers = threading.Barrier(8), list[int]()
    order = jobs.order

    def order_together(*args: Any, **more: Any) -> DeliveryJob:
        together.wait(10)
        return order(*args, **more)

    def send(number: int) -> None:
        answers.append(me.send(count(number), **LATER).status_code)
        connections.close_all()

    monkeypatch.setattr(jobs, "order", order_together)
    threads = [threading.Thread(target=send, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [202] * 3 + [429] * 5
    assert DeliveryJob.objects.count() == Delivery.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_whoever_is_counted_keeps_nobody_else_waiting(
    me: Sender, service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "send", lambda _pk: None)
    colleague, refuse_if_full = sender(service), jobs.refuse_if_full
    counting, over = threading.Event(), threading.Event()

    def count_slowly(*args: Any, **more: Any) -> None:
        refuse_if_full(*args, **more)
        if threading.current_thread() is slow and more:
            counting.set()
            over.wait(20)

    def send() -> None:
        me.send(count(1), **LATER)
        connections.close_all()

    slow = threading.Thread(target=send)
    monkeypatch.setattr(jobs, "refuse_if_full", count_slowly)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
        slow.start()
        assert counting.wait(10)
        assert colleague.send(count(2), **LATER).status_code == 202
        assert me.send(count(3)).status_code == 201
        problem(me.send(count(4), **LATER), 503, "nicht_bereit")  # it waits for its like, here in vain
        cursor.execute("SET lock_timeout = 0")
    over.set()
    slow.join()
    assert DeliveryJob.objects.count() == 2


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture
def people(service: OnlineService, settings: LazySettings) -> Personas:
    settings.UPLOAD_AT_ONCE_BYTES, settings.MAX_WAITING = 0, 1
    return personas(service)


@pytest.fixture
def client(people: Personas) -> Client:
    return signed_in(people.colleague)


def file(service: OnlineService) -> bytes:
    return content(service, (HESSEN, MONTH, 1204))


def test_a_person_is_told_on_the_page(client: Client, people: Personas, service: OnlineService) -> None:
    assert post(client, file(service)).status_code == 302
    refused = post(client, file(service))
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    said = " ".join(refused.content.decode().split())
    assert "Gerade werden so viele Ihrer Dateien geprüft oder übernommen" in said
    assert "<title>Fehler: Datei hochladen" in said
    assert Delivery.objects.count() == DeliveryChunk.objects.count() == 1
    assert post(signed_in(people.owner), file(service)).status_code == 302


def test_what_was_checked_waits_on_where_it_cannot_be_taken_over_now(
    client: Client, people: Personas, service: OnlineService
) -> None:
    checked = received(people.colleague, file(service))
    tasks.work_on_delivery(str(checked.pk))
    received(people.colleague, file(service))
    seen = DeliveryReview.objects.get(pk=checked.pk).content["seen"]
    answer = client.post(address("confirm", checked), {"gesehen": seen}, follow=True).content.decode()
    assert "Gerade werden so viele Ihrer Dateien" in answer
    assert address("confirm", checked) in answer
    DeliveryReview.objects.all().delete()  # as if it were outdated
    answer = client.get(address("review", checked), follow=True).content.decode()
    assert "Gerade werden so viele Ihrer Dateien" in answer
    assert address("review", checked) in page(client, "/liefern/")
    DeliveryJob.objects.all().delete()
    with pytest.raises(uploads.UnderWay):
        uploads.review(checked, by=people.colleague)
