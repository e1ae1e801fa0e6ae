"""Large files: kept and worked on in the background, seen, cancelled, taken up again, told by mail."""

import datetime as dt
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMessage
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import OutgoingMail, User
from services.models import OnlineService, ReportingLevel, ServiceMember
from tests.factories import Personas, ServiceFactory, personas
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    MONTH,
    address,
    content,
    laender,
    page,
    post,
    received,
    signed_in,
    taken_over,
)
from transactions import contents, jobs, tasks, uploads
from transactions.models import Delivery, DeliveryJob, DeliveryReview, TransactionCount
from transactions.views import uploads as views
from zsk.celery import app

pytestmark = pytest.mark.django_db
Committing = Callable[..., AbstractContextManager[object]]
Kind = DeliveryJob.Kind


@pytest.fixture(autouse=True)
def every_file_is_large(settings: LazySettings) -> None:
    settings.UPLOAD_AT_ONCE_BYTES = 0


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory(name="BAföG Digital", published=True, reporting_level=ReportingLevel.LAND)


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


@pytest.fixture
def client(people: Personas) -> Client:
    return signed_in(people.colleague)


@pytest.fixture
def kept(people: Personas, service: OnlineService) -> Delivery:
    """Received, and nobody has looked at it yet."""
    return received(people.colleague, content(service, (HESSEN, MONTH, 1204)))


@pytest.fixture
def checked(kept: Delivery) -> Delivery:
    assert tasks.work_on_delivery(str(kept.pk))
    kept.refresh_from_db()
    return kept


def facts() -> list[int]:
    return list(TransactionCount.objects.values_list("count", flat=True))


def subjects() -> list[str]:
    return list(OutgoingMail.objects.order_by("pk").values_list("subject", flat=True))


def confirm(client: Client, delivery: Delivery, **more: Any) -> Any:
    seen = DeliveryReview.objects.get(pk=delivery.pk).content["seen"]
    return client.post(address("confirm", delivery), {"gesehen": seen}, **more)


def pass_time(delivery: Delivery) -> None:
    """Whoever works on it has been silent for too long."""
    past = timezone.now() - dt.timedelta(seconds=1)
    assert DeliveryJob.objects.filter(pk=delivery.pk).update(leased_until=past)


# --- the road -------------------------------------------------------------------------------------


def test_from_the_file_to_the_numbers_by_a_worker(
    client: Client,
    people: Personas,
    service: OnlineService,
    mailoutbox: list[EmailMessage],
    django_capture_on_commit_callbacks: Committing,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(client, content(service, (HESSEN, MONTH, 1204)))
    delivery = Delivery.objects.get()
    assert answer["Location"] == address("review", delivery)
    said = page(client, address("review", delivery))
    assert "Alles in Ordnung: 1 Zeile ist bereit" in said
    assert facts() == []
    with django_capture_on_commit_callbacks(execute=True):
        assert confirm(client, delivery)["Location"] == address("review", delivery)
    assert client.get(address("review", delivery))["Location"] == delivery.get_absolute_url()
    assert facts() == [1204]
    first, second = mailoutbox
    assert first.subject == "[ZSK Test] Ihre Datei ist geprüft: zahlen.csv"
    assert f"http://testserver{address('review', delivery)}" in first.body
    assert second.subject == "[ZSK Test] Übernommen: zahlen.csv"
    assert f"http://testserver{delivery.get_absolute_url()}" in second.body
    assert "1 neu" in second.body
    assert first.to == second.to == [people.colleague.email]


def test_meanwhile_the_page_says_how_far_it_is_and_asks_again(client: Client, kept: Delivery) -> None:
    where = address("review", kept)
    listed = page(client, "/liefern/")
    assert "Wird noch geprüft." in listed
    assert "wartet auf Ihre Bestätigung" not in listed
    said = page(client, where)
    assert "Ihre Datei wird geprüft" in said
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in said
    assert "Wartet, bis sie an der Reihe ist" in said
    assert f"E-Mail an {kept.user.email}" in said  # type: ignore[union-attr]
    job = DeliveryJob.objects.get()
    with jobs.Working(job) as working:
        working.tell(DeliveryJob.Step.CHECKING, 30)
    part = client.get(where, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'value="30"' in part
    assert "Etwa 30 % geschafft." in part
    assert "Jede Zeile wird geprüft" in part
    assert where in page(client, reverse("transactions:deliver"))
    pass_time(kept)
    tasks.work_on_delivery(str(kept.pk))
    assert client.get(where, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_the_preview_reads_nothing_of_the_file(
    client: Client, checked: Delivery, people: Personas, service: OnlineService
) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert "1.204" in page(client, address("review", checked))
    said = " ".join(query["sql"] for query in queries)
    assert '"transactions_deliverychunk"."content"' not in said
    assert "staged_count" not in said


def test_faults_are_found_by_the_worker_as_well(
    client: Client, people: Personas, service: OnlineService
) -> None:
    delivery = received(people.colleague, content(service, ("60000000000", MONTH, 1)))
    tasks.work_on_delivery(str(delivery.pk))
    said = page(client, address("review", delivery))
    assert "Ihre Datei hat 1 Fehler" in said
    assert "führende Null" in said
    assert subjects() == ["[ZSK Test] Ihre Datei hat Fehler: zahlen.csv"]


def test_what_changed_since_the_preview_is_checked_anew_before_anything_is_stored(
    client: Client, checked: Delivery, people: Personas, service: OnlineService, settings: LazySettings
) -> None:
    confirm(client, checked)
    settings.UPLOAD_AT_ONCE_BYTES = 1 << 20
    taken_over(people.owner, content(service, (HESSEN, MONTH, 1000)))
    settings.UPLOAD_AT_ONCE_BYTES = 0
    assert tasks.work_on_delivery(str(checked.pk))
    assert facts() == [1000]
    assert subjects()[-1] == "[ZSK Test] Noch nichts übernommen: zahlen.csv"
    said = page(client, address("review", checked))
    assert "Seit der Vorschau hat sich der gespeicherte Stand geändert" in said
    assert "1.000" in said
    confirm(client, checked)
    tasks.work_on_delivery(str(checked.pk))
    assert facts() == [1204]


def test_a_preview_that_no_longer_holds_is_made_anew(
    client: Client, checked: Delivery, people: Personas, service: OnlineService, settings: LazySettings
) -> None:
    settings.UPLOAD_AT_ONCE_BYTES = 1 << 20
    taken_over(people.owner, content(service, (HESSEN, MONTH, 1000)))
    settings.UPLOAD_AT_ONCE_BYTES = 0
    assert "Ihre Datei wird geprüft" in page(client, address("review", checked))
    tasks.work_on_delivery(str(checked.pk))
    assert "1.000" in page(client, address("review", checked))


def test_a_preview_asked_for_while_the_worker_finishes_leads_on(
    client: Client, checked: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(client, checked)
    allowed = uploads._refuse_unless_may

    def finish_meanwhile(delivery: Delivery, by: User) -> None:
        monkeypatch.setattr(uploads, "_refuse_unless_may", allowed)
        tasks.work_on_delivery(str(delivery.pk))

    waiting = Delivery.objects.get(pk=checked.pk)
    monkeypatch.setattr(views, "own_upload", lambda _request, _pk: waiting)
    monkeypatch.setattr(uploads, "_refuse_unless_may", finish_meanwhile)
    assert client.get(address("review", checked))["Location"] == address("review", checked)
    assert facts() == [1204]


def test_whoever_lost_the_service_meanwhile_delivers_nothing(
    client: Client, checked: Delivery, people: Personas, service: OnlineService
) -> None:
    confirm(client, checked)
    ServiceMember.objects.filter(user=people.colleague).delete()
    tasks.work_on_delivery(str(checked.pk))
    assert facts() == []
    checked.refresh_from_db()
    assert checked.status == Delivery.Status.REFUSED


def test_whoever_loses_the_service_while_a_worker_is_at_it_delivers_nothing(
    client: Client, checked: Delivery, people: Personas, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(client, checked)
    check = uploads.check

    def check_and_lose(*args: Any, **more: Any) -> Any:
        found = check(*args, **more)
        ServiceMember.objects.filter(user=people.colleague).delete()
        return found

    monkeypatch.setattr(uploads, "check", check_and_lose)
    tasks.work_on_delivery(str(checked.pk))
    assert facts() == []
    checked.refresh_from_db()
    assert checked.status == Delivery.Status.REFUSED
    assert checked.findings.get().code == "onlineservice_unbekannt"


# --- cancelling -----------------------------------------------------------------------------------


def test_cancelling_a_check_throws_the_file_away(client: Client, kept: Delivery) -> None:
    answer = client.post(address("cancel", kept), follow=True)
    assert "Abgebrochen und verworfen: zahlen.csv." in answer.content.decode()
    assert not Delivery.objects.exists()
    assert not tasks.work_on_delivery(str(kept.pk))


@pytest.mark.django_db(transaction=True)
def test_nobody_orders_the_check_anew_while_its_file_is_thrown_away(
    kept: Delivery, people: Personas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page that waits asks every few seconds."""
    discard = uploads.discard
    meanwhile: list[str] = []

    def ask() -> None:
        try:
            uploads.review(kept, by=people.colleague)
        except uploads.UnderWay:
            meanwhile.append("under way")
        connections.close_all()

    def discard_while_somebody_asks(delivery: Delivery) -> None:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(0.5)  # it may wait for us
        discard(delivery)

    monkeypatch.setattr(uploads, "discard", discard_while_somebody_asks)
    monkeypatch.setattr(jobs, "send", lambda _pk: None)
    # With real commits the worker was at it at once.
    DeliveryReview.objects.all().delete()
    DeliveryJob.objects.create(delivery=kept, kind=Kind.CHECK, params={"site": ""})
    assert uploads.cancel(kept) == Kind.CHECK
    assert meanwhile == ["under way"]
    assert not Delivery.objects.exists()
    assert not DeliveryJob.objects.exists()


def test_cancelling_the_confirmation_leads_back_to_the_preview(client: Client, checked: Delivery) -> None:
    confirm(client, checked)
    assert "Ihre Zahlen werden übernommen" in page(client, address("review", checked))
    answer = client.post(address("cancel", checked), follow=True)
    assert "Abgebrochen. Es wurde nichts gespeichert" in answer.content.decode()
    assert address("confirm", checked) in answer.content.decode()
    assert not tasks.work_on_delivery(str(checked.pk))
    assert facts() == []


@pytest.mark.parametrize("confirmed", [False, True])
def test_cancelling_while_the_worker_is_at_it_stores_nothing(
    client: Client, checked: Delivery, monkeypatch: pytest.MonkeyPatch, confirmed: bool
) -> None:
    if confirmed:
        confirm(client, checked)
    else:
        jobs.order(checked, Kind.CHECK, site="")
    check = uploads.check

    def cancel_meanwhile(*args: Any, **more: Any) -> Any:
        client.post(address("cancel", checked))
        return check(*args, **more)

    monkeypatch.setattr(uploads, "check", cancel_meanwhile)
    sent = len(subjects())
    assert not tasks.work_on_delivery(str(checked.pk))
    assert facts() == []
    assert Delivery.objects.filter(pk=checked.pk, status=Delivery.Status.WAITING).exists() == confirmed
    assert len(subjects()) == sent


def test_too_late_to_cancel(client: Client, checked: Delivery) -> None:
    answer = client.post(address("cancel", checked), follow=True)
    assert "Zu spät" in answer.content.decode()
    assert Delivery.objects.filter(pk=checked.pk).exists()


def test_what_a_worker_is_at_can_neither_be_confirmed_nor_discarded(
    client: Client, checked: Delivery
) -> None:
    confirm(client, checked)
    for name in ("confirm", "discard"):
        assert client.post(address(name, checked))["Location"] == address("review", checked)
    assert DeliveryJob.objects.get().kind == Kind.CONFIRM
    assert Delivery.objects.exists()


# --- when workers die -----------------------------------------------------------------------------


def die(*args: Any, **more: Any) -> None:
    raise KeyboardInterrupt


def test_what_a_dead_worker_left_is_done_by_the_next(
    kept: Delivery, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Committing
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(uploads, "check", die)
        with pytest.raises(KeyboardInterrupt):
            jobs.run(kept.pk, tasks.WORK)
    assert not jobs.run(kept.pk, tasks.WORK), "it has not been silent for long enough"
    assert jobs.send_waiting() == 0
    pass_time(kept)
    contents.expire(now=timezone.now() + dt.timedelta(hours=1))
    assert jobs.send_waiting() == 1
    kept.refresh_from_db()
    assert kept.row_count == 1
    assert not DeliveryJob.objects.exists()


def test_who_was_taken_for_dead_stores_nothing(
    client: Client, checked: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(client, checked)
    check = uploads.check

    def sleep_meanwhile(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(uploads, "check", check)
        pass_time(checked)
        assert jobs.run(checked.pk, tasks.WORK)
        return check(*args, **more)

    monkeypatch.setattr(uploads, "check", sleep_meanwhile)
    assert not jobs.run(checked.pk, tasks.WORK)
    assert facts() == [1204]
    assert len([subject for subject in subjects() if "Übernommen" in subject]) == 1


def test_what_cannot_be_done_at_all_says_so(
    client: Client, kept: Delivery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **more: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(uploads, "check", fail)
    for _try in range(jobs.MOST_TRIES):
        assert not jobs.run(kept.pk, tasks.WORK)
        DeliveryJob.objects.update(leased_until=None)
    assert not DeliveryJob.objects.exists()
    said = page(client, address("review", kept))
    assert "Ihre Datei ist nicht zu Ende bearbeitet" in said
    assert "Es wurde nichts gespeichert." in said
    assert "No space left" not in said
    assert "No space left" in caplog.text


def test_what_kills_every_worker_is_given_up(kept: Delivery) -> None:
    DeliveryJob.objects.update(tries=jobs.MOST_TRIES)
    pass_time(kept)
    assert not jobs.run(kept.pk, tasks.WORK)
    kept.refresh_from_db()
    assert kept.status == Delivery.Status.REFUSED
    assert kept.findings.get().code == "abgebrochen"


@pytest.mark.django_db(transaction=True)
def test_while_redis_is_away_the_page_answers_and_beat_sends_it(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    laender()
    service = ServiceFactory(published=True, reporting_level=ReportingLevel.LAND)
    people = personas(service)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/1"}}
    with monkeypatch.context() as away:
        away.setattr(app.conf, "task_always_eager", False)
        # First: its former value is that of the other, unless it was set itself.
        away.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
        away.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
        away.setattr(app, "_pool", None)
        away.setattr(app.amqp, "_producer_pool", None)
        delivery = received(people.colleague, content(service, (HESSEN, MONTH, 1), (BAYERN, MONTH, 2)))
        assert "Ihre Datei wird geprüft" in page(signed_in(people.colleague), address("review", delivery))
    assert DeliveryJob.objects.get().sent_at is None
    assert tasks.send_waiting_work() == 1
    assert "2 Zeilen sind bereit" in page(signed_in(people.colleague), address("review", delivery))
