"""Work on deliveries that takes long: it stands in a table first, a worker does it, and another one takes
over where that one has died.

The table knows everything, Redis only hurries it along: what was not sent or was lost, beat sends again.
A worker says every few seconds that it is still at it; who stays silent longer than LEASE has lost the work.
Cancelling is deleting or exchanging the row: the work ends at its next step, and its transaction does not
commit.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Length
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from accounts.models import User
from services.models import Credential
from transactions.delivery import refuse_findings
from transactions.findings import Finding
from transactions.models import Delivery, DeliveryJob

LEASE = dt.timedelta(seconds=60)
PULSE_SECONDS = 2.0
RESEND_AFTER = dt.timedelta(minutes=5)
MOST_TRIES = 3
RETRY_AFTER = dt.timedelta(seconds=20)

logger = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody took the work away: the person who ordered it, or another worker after a long silence."""


class TooMuchWaits(Exception):
    """Whoever ordered the work has as much waiting as one may have."""


def order(delivery: Delivery, kind: DeliveryJob.Kind, **params: Any) -> DeliveryJob:
    """Has a worker do this; it starts when the transaction is committed. A delivery has one job at a time.

    Raises TooMuchWaits; what was kept for it must be rolled back then. Locks the credential or person until
    the end of the transaction, against others' orders for the same one.
    """
    sender = delivery.credential or delivery.user
    if sender:
        # Without the lock many at once would each count only themselves. It lets foreign keys pass.
        kind_of_sender = Credential if delivery.credential else User
        kind_of_sender.objects.select_for_update(no_key=True).get(pk=sender.pk)
    job = DeliveryJob.objects.create(delivery=delivery, kind=kind, params=params)
    if sender:
        refuse_if_full(sender, more=0)
    transaction.on_commit(partial(send, delivery.pk))
    return job


def refuse_if_full(sender: User | Credential, *, more: int = 1) -> None:
    """Raises TooMuchWaits where there is no room for so many more; without a lock, as it is just now."""
    mine = Q(delivery__credential=sender) if isinstance(sender, Credential) else Q(delivery__user=sender)
    found = DeliveryJob.objects.filter(mine).aggregate(
        number=Count("pk", distinct=True), size=Sum(Length("delivery__chunks__content"), default=0)
    )
    number, size = found["number"] + more, found["size"] + more
    if number > settings.MAX_WAITING or (number > 1 and size > settings.MAX_WAITING_BYTES):
        raise TooMuchWaits


def send(pk: uuid.UUID) -> None:
    """Without Redis the job waits for beat."""
    from transactions.tasks import work_on_delivery  # it imports this module

    # Before it is sent: a worker may be done with it when we come back.
    DeliveryJob.objects.filter(pk=pk).update(sent_at=timezone.now())
    try:
        work_on_delivery.apply_async((str(pk),), retry=False)
    except (KombuError, RedisError, OSError):
        DeliveryJob.objects.filter(pk=pk).update(sent_at=None)
        logger.warning("delivery %s waits for beat: the queue does not answer", pk)


def send_waiting(*, now: dt.datetime | None = None) -> int:
    """Sends what nobody works on: never sent, lost on the way, or left by a dead worker; how many."""
    now = now or timezone.now()
    unsent = Q(sent_at=None) | Q(sent_at__lt=now - RESEND_AFTER)
    waiting = DeliveryJob.objects.filter(Q(leased_until=None) & unsent | Q(leased_until__lt=now))
    found = list(waiting.order_by("ordered_at").values_list("pk", flat=True))
    for pk in found:
        send(pk)
    return len(found)


def run(pk: uuid.UUID, work: Mapping[DeliveryJob.Kind, Callable[[Working], None]]) -> bool:
    """Does the job unless somebody else is at it; `work` has a function for each kind. Whether it is done."""
    job = _claim(pk)
    if job is None:
        return False
    if job.tries > MOST_TRIES:
        return _give_up(job)
    try:
        with Working(job) as working:
            work[DeliveryJob.Kind(job.kind)](working)
    except Cancelled:
        logger.info("work on delivery %s was taken away", pk)
        return False
    except Exception:
        logger.exception("work on delivery %s failed, try %s", pk, job.tries)
        if job.tries >= MOST_TRIES:
            return _give_up(job)
        mine = DeliveryJob.objects.filter(pk=pk, tries=job.tries, kind=job.kind)
        mine.update(leased_until=timezone.now() + RETRY_AFTER, step=DeliveryJob.Step.QUEUED, percent=0)
        return False
    return True


def cancel(delivery: Delivery) -> bool:
    """Takes the work away; False when there is none (any more)."""
    return DeliveryJob.objects.filter(pk=delivery.pk).delete()[0] > 0


def exchange(delivery: Delivery, kind: DeliveryJob.Kind) -> None:
    """Takes the work away, and has a worker do this in its place."""
    DeliveryJob.objects.filter(pk=delivery.pk).update(
        kind=kind, tries=0, leased_until=None, step=DeliveryJob.Step.QUEUED, percent=0
    )
    transaction.on_commit(partial(send, delivery.pk))


def _claim(pk: uuid.UUID) -> DeliveryJob | None:
    now = timezone.now()
    free = DeliveryJob.objects.filter(Q(leased_until=None) | Q(leased_until__lt=now), pk=pk)
    if not free.update(leased_until=now + LEASE, tries=F("tries") + 1):
        return None
    return DeliveryJob.objects.select_related("delivery__user", "delivery__service").get(pk=pk)


@transaction.atomic
def _give_up(job: DeliveryJob) -> bool:
    """Says so at the delivery, instead of trying for ever."""
    if DeliveryJob.objects.filter(pk=job.pk, tries=job.tries, kind=job.kind).delete()[0]:
        job.delivery.client_key = None  # the same may be sent once more
        refuse_findings(job.delivery, [Finding("abgebrochen")])
    return False


class Working:
    """A job in somebody's hands; keeps its lease, and tells how far it has come."""

    def __init__(self, job: DeliveryJob) -> None:
        self.delivery, self.params, self.ordered_at = job.delivery, job.params, job.ordered_at
        self._mine = DeliveryJob.objects.filter(pk=job.pk, tries=job.tries, kind=job.kind)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_lease, daemon=True)

    def __enter__(self) -> Working:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def tell(self, step: DeliveryJob.Step, percent: int) -> None:
        """Raises Cancelled where the work is no longer ours. Not inside a transaction that takes long: it
        would hold the row against who cancels."""
        if not self._mine.update(step=step, percent=percent, leased_until=timezone.now() + LEASE):
            raise Cancelled

    def finish(self) -> None:
        """Part of the transaction that stores the result: it counts only if the work is still ours."""
        if not self._mine.delete()[0]:
            raise Cancelled

    def _keep_lease(self) -> None:
        # A connection of its own: that of the work is in a long transaction.
        while not self._stop.wait(PULSE_SECONDS):
            try:
                self._mine.update(leased_until=timezone.now() + LEASE)
            except Exception:
                logger.warning("the lease of delivery %s could not be kept", self.delivery.pk, exc_info=True)
                close_old_connections()
        connection.close()
