"""Mail is sent when its cause is stored, and not lost while Redis or the mail server is away."""

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts import mail, tasks
from accounts.models import KeptMail, OutgoingMail, User
from tests.accounts.conftest import Arrivals
from tests.accounts.smtp import MailServer, mail_server
from tests.factories import UserFactory
from zsk.celery import app

pytestmark = pytest.mark.django_db
CONFIRM = {"activate_url": "https://zsk.example/konto/email/geheim/", "site": "https://zsk.example"}
Committing = Callable[..., AbstractContextManager[object]]


def send(to: str = "petra@example.org", **options: str) -> OutgoingMail:
    return mail.send(
        "email_confirmation", to=to, context={**CONFIRM, "user": User(username="petra")}, **options
    )


@pytest.fixture
def server(settings: LazySettings) -> Iterator[MailServer]:
    with mail_server() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = found.server_address
        settings.EMAIL_USE_TLS = False
        yield found


def later(row: OutgoingMail, **wait: int) -> dt.datetime:
    return row.created_at + dt.timedelta(**wait)


# --- The text ---------------------------------------------------------------------------------------


def test_first_line_is_the_subject_and_nothing_is_escaped() -> None:
    row = mail.send(
        "email_confirmation", to="a@example.org", context={**CONFIRM, "user": User(username="<O'Neill & Co>")}
    )
    assert row.subject == "[ZSK Test] E-Mail-Adresse bestätigen"
    assert row.body.startswith("Guten Tag <O'Neill & Co>,\n")
    assert "https://zsk.example/hilfe/kontakt/" in row.body.partition("\n-- \n")[2]


def test_in_production_the_subject_names_no_environment(settings: LazySettings) -> None:
    settings.PRODUCTION = True
    assert send().subject == "[ZSK] E-Mail-Adresse bestätigen"


# --- On its way -------------------------------------------------------------------------------------


def test_it_arrives_and_its_row_is_gone(
    server: MailServer, django_capture_on_commit_callbacks: Committing
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        send(reply_to="betrieb@example.org")
    (message,) = server.inbox
    assert message["To"] == "petra@example.org"
    assert message["Reply-To"] == "betrieb@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert CONFIRM["activate_url"] in message.get_content()
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_told(server: MailServer) -> None:
    def fail() -> None:
        with transaction.atomic():
            send()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not OutgoingMail.objects.exists()
    assert server.inbox == []


def test_a_refused_mail_is_tried_again_after_longer_and_longer_waits(
    server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.refusal = "451 try later"
    row = send()
    assert not tasks.deliver_mail(row.pk)
    row.refresh_from_db()
    assert row.tries == 1
    assert row.last_error.startswith("SMTPRecipientsRefused")
    assert mail.deliver_waiting(now=later(row, seconds=30)) == 0
    row.refresh_from_db()
    assert row.tries == 1
    mail.deliver_waiting(now=later(row, minutes=2))
    mail.deliver_waiting(now=later(row, minutes=3))
    row.refresh_from_db()
    assert row.tries == 2
    server.refusal = ""
    assert mail.deliver_waiting(now=later(row, minutes=10)) == 1
    assert len(server.inbox) == 1
    assert not OutgoingMail.objects.exists()
    assert "geheim" not in caplog.text
    assert "petra@example.org" not in caplog.text


def test_a_mail_that_nobody_ever_takes_is_given_up(
    server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.refusal = "550 no such person"
    row = send()
    for day in range(1, mail.MOST_TRIES + 5):
        mail.deliver_waiting(now=later(row, days=day))
    row.refresh_from_db()
    assert (row.tries, row.next_try_at) == (mail.MOST_TRIES, None)
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_a_mail_server_that_is_not_there_loses_nothing(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    row = send()
    assert not tasks.deliver_mail(row.pk)
    assert OutgoingMail.objects.get().last_error.startswith("ConnectionRefusedError")


def test_one_bad_mail_does_not_hold_up_the_others(server: MailServer) -> None:
    send("bad\n@example.org")
    send()
    assert mail.deliver_waiting() == 1
    assert OutgoingMail.objects.get().last_error.startswith("ValueError")


def test_a_killed_worker_s_mail_is_left_alone_for_a_while_and_then_sent(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: EmailMessage) -> None:
        raise KeyboardInterrupt

    row = send()
    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", die)
        with pytest.raises(KeyboardInterrupt):
            mail.deliver(row.pk)
    assert not mail.deliver(row.pk)
    assert server.inbox == []
    assert mail.deliver(row.pk, now=timezone.now() + mail.TRY_TIME)
    assert len(server.inbox) == 1


@pytest.mark.django_db(transaction=True)
def test_while_redis_is_away_the_page_answers_and_beat_sends_it(
    client: Client, server: MailServer, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real broker address of an installation whose Redis has gone."""
    UserFactory(username="petra", email="petra@example.org")
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/1"}}
    monkeypatch.setattr(app.conf, "task_always_eager", False)
    # First: its former value is that of the other, unless it was set itself.
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    started = time.monotonic()
    assert client.post("/konto/passwort-vergessen/", {"email": "petra@example.org"}).status_code == 302
    assert time.monotonic() - started < 3
    assert OutgoingMail.objects.count() == 1
    assert server.inbox == []
    assert tasks.deliver_waiting_mail() == 1
    assert len(server.inbox) == 1


@pytest.mark.parametrize("missing", ["EMAIL_HOST", "DEFAULT_FROM_EMAIL"])
def test_production_does_not_start_without_a_mail_server(missing: str) -> None:
    names = {"EMAIL_HOST": "mail.example", "DEFAULT_FROM_EMAIL": "zsk@example.org"}
    names |= {"ZSK_ENVIRONMENT": "production", "SECRET_KEY": "x", "KEY_PEPPERS": "1:x"}
    environment = {**os.environ, **{name: value for name, value in names.items() if name != missing}}
    found = subprocess.run(
        [sys.executable, "-c", "import zsk.settings"], env=environment, capture_output=True, text=True
    )
    assert found.returncode != 0
    assert missing in found.stderr.splitlines()[-1]


def test_beat_knows_the_jobs() -> None:
    planned = {entry["task"] for entry in app.conf.beat_schedule.values()}
    app.loader.import_default_modules()
    for task in (tasks.deliver_waiting_mail, tasks.expire_mail):
        assert task.name in planned
    assert planned <= set(app.tasks)


def test_old_mail_is_deleted() -> None:
    row, kept = send(), KeptMail.objects.create(sender="a", recipient="b", subject="c", body="d")
    assert mail.expire(now=later(row, days=29)) == 0
    assert tasks.expire_mail() == 0
    assert mail.expire(now=later(row, days=31)) == 2
    assert not KeptMail.objects.filter(pk=kept.pk).exists()


def test_admin_shows_what_waits_but_not_its_links(client: Client) -> None:
    row = send()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    for address in ("/admin/accounts/outgoingmail/", f"/admin/accounts/outgoingmail/{row.pk}/change/"):
        page = client.get(address).content.decode()
        assert "petra@example.org" in page
        assert "geheim" not in page


# --- The demo's mailbox -----------------------------------------------------------------------------

BOX = "/demo/post/"


@pytest.fixture
def kept(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "accounts.kept_mail.Backend"


@pytest.mark.usefixtures("kept")
def test_the_demo_shows_what_it_does_not_send(client: Client, petra: User, arrivals: Arrivals) -> None:
    UserFactory(email="zweite@example.org")
    for address in ("petra@example.org", "zweite@example.org"):
        with arrivals():
            asked = client.post("/konto/passwort-vergessen/", {"email": address}, follow=True)
    assert f'href="{BOX}"' in asked.content.decode()
    page = client.get(BOX).content.decode()
    assert "verschickt keine E-Mails" in page
    assert page.index("zweite@example.org") < page.index("petra@example.org")
    assert 'href="http://testserver/konto/passwort-vergessen/' in page
    assert not OutgoingMail.objects.exists()


@pytest.mark.usefixtures("kept")
def test_kept_mail_cannot_bring_markup(client: Client) -> None:
    KeptMail.objects.create(sender="a", recipient="<b>x</b>", subject="<i>", body="<script>1</script>")
    page = client.get(BOX).content.decode()
    assert "<script>" not in page
    assert "<b>x</b>" not in page


@pytest.mark.usefixtures("kept")
def test_production_has_no_such_page(client: Client, settings: LazySettings) -> None:
    settings.PRODUCTION = True
    assert client.get(BOX).status_code == 404


def test_where_mail_is_sent_there_is_no_such_page(client: Client) -> None:
    assert client.get(BOX).status_code == 404
    assert BOX not in client.get("/konto/passwort-vergessen/gesendet/").content.decode()


def test_prepared_migrations_fit_the_models() -> None:
    call_command("makemigrations", "accounts", check=True, dry_run=True, verbosity=0)
