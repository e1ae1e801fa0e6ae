"""Sending mail. What is to be sent stands in a table first, in the transaction of what it tells of.

So a mail is sent exactly when its cause is stored, and neither Redis nor the mail server being away loses it:
a task sends it at once, and whatever did not go out is tried again by beat.
"""

import datetime as dt
import logging
from functools import partial
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from accounts.models import KeptMail, OutgoingMail

logger = logging.getLogger(__name__)
# A try that does not come back (a killed worker) counts as failed after this time.
TRY_TIME = dt.timedelta(minutes=5)
LONGEST_WAIT = dt.timedelta(hours=4)
MOST_TRIES = 20
KEEP_DAYS = 30


def send(template: str, *, to: str, context: dict[str, object], reply_to: str | None = None) -> OutgoingMail:
    """Have `templates/mail/<template>.txt` sent: its first line is the subject, the rest the plain text.

    `context["site"]`, from `zsk.site.address(request)`, is what links begin with and stands below the text;
    without it that of the settings. Where there is none, as in a worker without `SITE_URL`, a template that a
    worker uses leaves its links out.
    """
    facts = {"site": settings.SITE_URL, **context}
    subject, _newline, body = _render(f"mail/{template}.txt", facts).partition("\n")
    text = f"{body.strip()}\n\n{_render('mail/signature.txt', facts)}"
    row = OutgoingMail.objects.create(
        recipient=to, subject=_marked(subject.strip()), body=text, reply_to=reply_to or ""
    )
    transaction.on_commit(partial(_enqueue, row.pk))
    return row


def _render(name: str, facts: dict[str, object]) -> str:
    """Plain text: nothing is escaped."""
    template = get_template(name).template  # type: ignore[attr-defined]
    return str(template.render(Context(facts, autoescape=False)))


def _marked(subject: str) -> str:
    """Nobody should take a mail of a trial installation for a real one."""
    mark = "ZSK" if settings.PRODUCTION else f"ZSK {settings.ENVIRONMENT.capitalize()}"
    return f"[{mark}] {subject}"


def _enqueue(pk: int) -> None:
    from accounts.tasks import deliver_mail  # it imports this module

    try:
        deliver_mail.apply_async((pk,), retry=False)
    except (KombuError, RedisError, OSError):
        logger.warning("mail %s waits for beat: the queue does not answer", pk)


def deliver(pk: int, *, now: dt.datetime | None = None) -> bool:
    """Send one mail that is due, unless somebody else is at it; whether it went out.

    The claim is committed before the mail server is spoken to, so that no lock waits for a network. Killed
    between sending and deleting, the mail goes out twice; never not at all.
    """
    now = now or timezone.now()
    due = OutgoingMail.objects.filter(pk=pk, next_try_at__lte=now)
    if not due.update(next_try_at=now + TRY_TIME, tries=F("tries") + 1):
        return False
    row = OutgoingMail.objects.get(pk=pk)
    try:
        _message(row).send()
    except (SMTPException, OSError, ValueError) as error:  # the last: an address or header that is none
        _put_off(row, error, now)
        return False
    row.delete()
    return True


def _message(row: OutgoingMail) -> EmailMessage:
    return EmailMessage(
        row.subject, row.body, to=[row.recipient], reply_to=[row.reply_to] if row.reply_to else None,
        headers={"Auto-Submitted": "auto-generated"},
    )  # fmt: skip


def _put_off(row: OutgoingMail, error: Exception, now: dt.datetime) -> None:
    """Wait twice as long each time. The log names neither recipient nor text, which may hold a link."""
    wait = min(dt.timedelta(minutes=2 ** (row.tries - 1)), LONGEST_WAIT)
    row.next_try_at = now + wait if row.tries < MOST_TRIES else None
    row.last_error = f"{type(error).__name__}: {error}"[:500]
    row.save(update_fields=["next_try_at", "last_error"])
    level = logging.WARNING if row.next_try_at else logging.ERROR
    logger.log(level, "mail %s was not taken, try %s: %s", row.pk, row.tries, type(error).__name__)


def deliver_waiting(*, now: dt.datetime | None = None) -> int:
    """Send everything that is due, oldest first; how many went out."""
    now = now or timezone.now()
    due = OutgoingMail.objects.filter(next_try_at__lte=now).order_by("pk").values_list("pk", flat=True)
    return sum(deliver(pk, now=now) for pk in list(due))


def expire(*, now: dt.datetime | None = None) -> int:
    """Delete what the demo keeps, and what could not be sent, after a while; how many."""
    before = (now or timezone.now()) - dt.timedelta(days=KEEP_DAYS)
    kept, _models = KeptMail.objects.filter(at__lt=before).delete()
    stuck, _models = OutgoingMail.objects.filter(created_at__lt=before).delete()
    return kept + stuck


def is_kept() -> bool:
    """Whether mail is shown at `/demo/post/` instead of being sent."""
    return settings.EMAIL_BACKEND == "accounts.kept_mail.Backend"
