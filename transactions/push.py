"""Taking a push: once per Idempotency-Key, checked, delivered, or only tried."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from services.models import Credential
from transactions import contents, jobs, messages
from transactions.checks import Checked, Principal, check, service_ids
from transactions.delivery import (
    Outcome,
    actor_text,
    keep_findings,
    preview,
    refuse,
    refuse_findings,
    take,
)
from transactions.findings import Finding
from transactions.jobs import Working
from transactions.messages import Envelope
from transactions.models import Delivery, DeliveryChunk, DeliveryJob
from transactions.plausibility import closed_faults
from transactions.sources import Unreadable, push

JSON = Envelope()
KEY_KEPT = dt.timedelta(days=90)
# A push is answered in seconds. Whoever was killed at one leaves its key behind; a process that lives after
# all finds it taken, and rolls back.
ABANDONED = dt.timedelta(minutes=1)
_OF_PUSHES = (DeliveryJob.Kind.PUSH, DeliveryJob.Kind.WITHDRAW)


class RequestRunning(Exception):
    """A request with the same Idempotency-Key is not finished yet."""


class KeyReused(Exception):
    """The Idempotency-Key was used before, for other content."""


@dataclass(frozen=True)
class Receipt:
    """What became of a push. `delivery` is None for a dry run; `faults` is what it was refused for.

    `faults` may be a part of the `fault_count` that were found. `is_waiting`: a worker will see to it.
    """

    delivery: Delivery | None
    outcome: Outcome | None = None
    faults: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    fault_count: int = 0
    replayed: bool = False
    is_waiting: bool = False


def receive(
    body: bytes, *, by: Credential, client_key: str | None = None, envelope: Envelope = JSON
) -> Receipt:
    """Delivers the message of a push, or says what is wrong with it.

    Raises RequestRunning and KeyReused for a repeated Idempotency-Key that cannot be answered.
    """
    # What is stored is German; the language of the request is that of the answer alone.
    with translation.override(settings.LANGUAGE_CODE):
        return _receive(body, by, client_key, envelope)


def receive_later(
    pieces: Iterable[bytes], *, by: Credential, client_key: str | None = None, envelope: Envelope = JSON
) -> Receipt:
    """Keeps the message of a push for a worker, which delivers it; its delivery says what became of it.

    Raises what `pieces` raises, KeyReused and RequestRunning like `receive()`, and TooMuchWaits; nothing is
    kept then.
    """
    # A repeat is no further delivery. For others it is known before a long body is read.
    if not Delivery.objects.filter(credential=by, client_key=client_key or "").exists():
        jobs.refuse_if_full(by)
    delivery = _new(by, Delivery.Status.WAITING, envelope)
    with tempfile.TemporaryFile() as file, translation.override(settings.LANGUAGE_CODE):
        # Aside first: whoever sends slowly holds no transaction open.
        for piece in pieces:
            file.write(piece)
        file.seek(0)
        with transaction.atomic():
            delivery.save()
            digest = contents.keep(delivery, iter(lambda: file.read(contents.CHUNK_BYTES), b""))
            delivery.content_hash = envelope.digest(digest)
            delivery.save(update_fields=["content_hash"])
            earlier = _take_key(delivery, client_key) if client_key else None
            if earlier:
                transaction.set_rollback(True)
            else:
                jobs.order(delivery, DeliveryJob.Kind.PUSH)
        return _replay(earlier, delivery) if earlier else Receipt(delivery, is_waiting=True)


def work(job: Working) -> None:
    """Delivers what `receive_later()` has kept."""
    delivery, by = job.delivery, job.delivery.credential
    assert by is not None  # noqa: S101 (a key has sent it)
    # Who has withdrawn it this very moment finds it refused for good.
    waiting = Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.WAITING)
    waiting.update(status=Delivery.Status.RUNNING)
    job.tell(DeliveryJob.Step.READING, 5)
    try:
        if by.revoked_at:  # a stolen key's work that waits is not to be done after all
            raise Unreadable(Finding("zugang_widerrufen"))
        file = contents.open_content(delivery)
        message = messages.read(file, Envelope.of(delivery), by=by, max_rows=settings.MAX_ASYNC_ROWS)
    except Unreadable as fault:
        with transaction.atomic():
            job.finish()
            refuse_findings(delivery, fault.findings)
        return
    job.tell(DeliveryJob.Step.CHECKING, 30)
    checked = check_message(message, by)
    delivery.mode = Delivery.Mode.REPLACE if message.replace else Delivery.Mode.MERGE
    dry_run, delivery.reason = message.dry_run, message.reason
    del message
    job.tell(DeliveryJob.Step.STORING, 60)
    if dry_run:
        _keep_trial(delivery, checked, job)
        return
    with transaction.atomic():
        take(checked, delivery)
        job.finish()


@transaction.atomic
def withdraw(delivery: Delivery) -> Delivery | None:
    """Stops what `receive_later()` has kept, also while a worker stores it: nothing is stored, and its
    Idempotency-Key is free again. Returns the delivery as it is then, also the second time.

    It is refused at once, or by a worker as soon as the one that stores it has let go. None: nothing waits
    here (any more).
    """
    # The job first: its worker must not finish meanwhile.
    job = DeliveryJob.objects.select_for_update().filter(pk=delivery.pk, kind__in=_OF_PUSHES).first()
    free = Delivery.objects.select_for_update(skip_locked=True).filter(pk=delivery.pk).first()
    if job is None:
        withdrawn = delivery.findings.filter(code="zurueckgezogen").exists()
        return delivery if withdrawn else None
    if free is not None:
        jobs.cancel(free)
        return _refuse_withdrawn(free)
    if job.kind == DeliveryJob.Kind.PUSH:
        jobs.exchange(delivery, DeliveryJob.Kind.WITHDRAW)
    return delivery


def work_on_withdrawal(job: Working) -> None:
    """Refuses what was withdrawn while another worker stored it."""
    with transaction.atomic():
        # Waits for the other one, which ends without a result.
        delivery = Delivery.objects.select_for_update().get(pk=job.delivery.pk)
        job.finish()
        _refuse_withdrawn(delivery)


def _refuse_withdrawn(delivery: Delivery) -> Delivery:
    delivery.client_key = None
    DeliveryChunk.objects.filter(delivery=delivery).delete()
    return refuse_findings(delivery, [Finding("zurueckgezogen")])


def _keep_trial(delivery: Delivery, checked: Checked, job: Working) -> None:
    """What a dry run found; its Idempotency-Key is free again."""
    checked, outcome = _tried(checked, delivery.reason)
    delivery.client_key = None
    with transaction.atomic():
        job.finish()
        if checked.faults:
            refuse(delivery, checked)
        else:
            delivery.status = Delivery.Status.TRIED
            delivery.row_count, delivery.warning_count = checked.row_count, len(checked.warnings)
            for name in ("new", "changed", "same", "deleted"):
                setattr(delivery, f"{name}_count", outcome.total(name))
            delivery.finished_at = timezone.now()
            delivery.save()
            keep_findings(delivery, checked.warnings)


def _new(by: Credential, status: Delivery.Status, envelope: Envelope) -> Delivery:
    return Delivery(
        channel=Delivery.Channel.PUSH, status=status, credential=by, actor=actor_text(by),
        envelope=envelope.kept(),
    )  # fmt: skip


def _receive(body: bytes, by: Credential, client_key: str | None, envelope: Envelope) -> Receipt:
    delivery = _new(by, Delivery.Status.RUNNING, envelope)
    delivery.client_key = client_key
    delivery.content_hash = envelope.digest(hashlib.sha256(body).hexdigest())
    message = _read(body, by, envelope)
    if isinstance(message, push.Message) and message.dry_run:
        return _try(check_message(message, by), message.reason)
    if client_key and (earlier := _reserve(delivery)):
        return _replay(earlier, delivery)
    try:
        if isinstance(message, Unreadable):
            return _refuse(delivery, message.findings, body)
        delivery.reason = message.reason
        checked = check_message(message, by, delivers=True)
        return _deliver(delivery, checked, body, replace=message.replace)
    except BaseException:
        # Nothing was stored: the same key may try again.
        Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.RUNNING).delete()
        raise


def _read(body: bytes, by: Credential, envelope: Envelope) -> push.Message | Unreadable:
    try:
        return messages.read(io.BytesIO(body), envelope, by=by, max_rows=settings.MAX_PUSH_ROWS)
    except Unreadable as fault:
        return fault


def check_message(message: push.Message, by: Principal, *, delivers: bool = False) -> Checked:
    """The check of its rows, and of the service-months that it replaces; `delivers` as in `check()`."""
    # Rows that name no service are for the only one that the key delivers for.
    only = by.service if isinstance(by, Credential) and message.rows.service is None else None
    if not message.replace:
        return check(message.rows, by=by, service=only, delivers=delivers)
    ids = service_ids({entry.service for entry in message.scope}, by=by)
    scope = {(ids.get(entry.service.strip()), entry.month): entry for entry in message.scope}
    checked = check(
        message.rows,
        by=by,
        service=only,
        scope=frozenset((pk, month) for pk, month in scope if pk is not None),
    )
    unknown = [
        Finding("onlineservice_unbekannt", "onlineservice", entry.service[:200], pointer=f"/umfang/{index}")
        for index, entry in enumerate(message.scope)
        if entry.service.strip() not in ids
    ]
    return replace(checked, faults=[*unknown, *checked.faults]) if unknown else checked


def _try(checked: Checked, reason: str) -> Receipt:
    checked, outcome = _tried(checked, reason)
    if checked.faults:
        return Receipt(None, None, checked.faults, checked.warnings, checked.fault_count)
    return Receipt(None, outcome, warnings=checked.warnings)


def _tried(checked: Checked, reason: str) -> tuple[Checked, Outcome]:
    """What would be, and the check with all that delivering would find."""
    if checked.faults:
        return checked, Outcome()
    outcome = preview(checked)[0]
    if outcome.closed and not reason:
        return replace(checked, faults=closed_faults(checked, outcome.months, outcome.closed)), outcome
    return replace(checked, warnings=[*outcome.notes, *checked.warnings]), outcome


def _deliver(delivery: Delivery, checked: Checked, body: bytes, *, replace: bool) -> Receipt:
    delivery.mode = Delivery.Mode.REPLACE if replace else Delivery.Mode.MERGE
    with transaction.atomic():
        checked = take(checked, delivery, content=[body], ends=True)
    return Receipt(delivery, None, checked.faults, checked.warnings, fault_count=checked.fault_count)


def _refuse(delivery: Delivery, findings: list[Finding], body: bytes) -> Receipt:
    """For a message that could not be read as rows."""
    with transaction.atomic():
        refuse_findings(delivery, findings)
        contents.keep(delivery, [body])
    return Receipt(delivery, faults=findings, fault_count=len(findings))


def _reserve(delivery: Delivery) -> Delivery | None:
    """Claims the Idempotency-Key for this delivery; returns the earlier one that has it."""
    while True:
        Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
        same = Delivery.objects.filter(credential=delivery.credential, client_key=delivery.client_key)
        holder = same.first()
        if holder is not None and holder.pk == delivery.pk:
            return None
        # None: the one that was in the way has failed meanwhile, and the key is free again.
        if holder is not None and not _free(holder):
            return holder


def _take_key(delivery: Delivery, client_key: str) -> Delivery | None:
    """The same for a delivery that is stored already."""
    while True:
        # Asked first: to try would wait for a worker that is storing the earlier one.
        holder = Delivery.objects.filter(credential=delivery.credential, client_key=client_key).first()
        if holder is not None and not _free(holder):
            return holder
        try:
            with transaction.atomic():
                Delivery.objects.filter(pk=delivery.pk).update(client_key=client_key)
            delivery.client_key = client_key
            return None
        except IntegrityError:
            continue  # somebody else was faster


def _free(holder: Delivery) -> bool:
    """Takes the key from a delivery that has had it too long, or that a dead process left behind."""
    age = timezone.now() - holder.received_at
    if age > KEY_KEPT:
        Delivery.objects.filter(pk=holder.pk).update(client_key=None)
        return True
    if holder.status == Delivery.Status.RUNNING and age > ABANDONED:
        left_behind = Delivery.objects.filter(pk=holder.pk, status=Delivery.Status.RUNNING, job=None)
        return left_behind.delete()[0] > 0
    return False


def _replay(earlier: Delivery, delivery: Delivery) -> Receipt:
    if earlier.content_hash != delivery.content_hash:
        raise KeyReused
    if DeliveryJob.objects.filter(pk=earlier.pk, kind=DeliveryJob.Kind.PUSH).exists():
        return Receipt(earlier, replayed=True, is_waiting=True)
    if earlier.status in {Delivery.Status.RUNNING, Delivery.Status.WAITING}:
        raise RequestRunning  # in this very moment, where it is a worker's
    findings = [Finding.from_stored(row) for row in earlier.findings.all()]
    faults = [finding for finding in findings if not finding.is_warning]
    warnings = [finding for finding in findings if finding.is_warning]
    return Receipt(earlier, None, faults, warnings, earlier.fault_count, replayed=True)
