"""Taking a push: once per Idempotency-Key, checked, delivered, or only tried."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from services.models import Credential, service_number
from transactions import contents
from transactions.checks import Checked, Principal, check, service_ids
from transactions.delivery import Outcome, actor_text, preview, refuse_findings, take
from transactions.findings import Finding
from transactions.models import Delivery
from transactions.sources import Unreadable, push

KEY_KEPT = dt.timedelta(days=90)


class RequestRunning(Exception):
    """A request with the same Idempotency-Key is not finished yet."""


class KeyReused(Exception):
    """The Idempotency-Key was used before, for other content."""


@dataclass(frozen=True)
class Receipt:
    """What became of a push. `delivery` is None for a dry run; `faults` is what it was refused for.

    `faults` may be a part of the `fault_count` that were found.
    """

    delivery: Delivery | None
    outcome: Outcome | None = None
    faults: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    fault_count: int = 0
    replayed: bool = False


def receive(body: bytes, *, by: Credential, client_key: str | None = None) -> Receipt:
    """Delivers the message of a push, or says what is wrong with it.

    Raises RequestRunning and KeyReused for a repeated Idempotency-Key that cannot be answered.
    """
    # What is stored is German; the language of the request is that of the answer alone.
    with translation.override(settings.LANGUAGE_CODE):
        return _receive(body, by, client_key)


def _receive(body: bytes, by: Credential, client_key: str | None) -> Receipt:
    delivery = Delivery(
        channel=Delivery.Channel.PUSH, status=Delivery.Status.RUNNING, credential=by, actor=actor_text(by),
        client_key=client_key, content_hash=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip
    message = _read(body, by)
    if isinstance(message, push.Message) and message.dry_run:
        return _try(check_message(message, by))
    if client_key and (earlier := _reserve(delivery)):
        return _replay(earlier, delivery)
    try:
        if isinstance(message, Unreadable):
            return _refuse(delivery, message.findings, body)
        return _deliver(delivery, check_message(message, by), body, replace=message.replace)
    except BaseException:
        # Nothing was stored: the same key may try again.
        Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.RUNNING).delete()
        raise


def _read(body: bytes, by: Credential) -> push.Message | Unreadable:
    try:
        own = service_number(by.service_id) if by.service_id else None
        return push.read(body, own=own, max_rows=settings.MAX_PUSH_ROWS)
    except Unreadable as fault:
        return fault


def check_message(message: push.Message, by: Principal) -> Checked:
    """The check of its rows, and of the service-months that it replaces."""
    if not message.replace:
        return check(message.rows, by=by)
    ids = service_ids({entry.service for entry in message.scope}, by=by)
    scope = {(ids.get(entry.service.strip()), entry.month): entry for entry in message.scope}
    checked = check(
        message.rows, by=by, scope=frozenset((pk, month) for pk, month in scope if pk is not None)
    )
    unknown = [
        Finding("onlineservice_unbekannt", "onlineservice", entry.service[:200], pointer=f"/umfang/{index}")
        for index, entry in enumerate(message.scope)
        if entry.service.strip() not in ids
    ]
    return replace(checked, faults=[*unknown, *checked.faults]) if unknown else checked


def _try(checked: Checked) -> Receipt:
    if checked.faults:
        return Receipt(None, None, checked.faults, checked.warnings, checked.fault_count)
    return Receipt(None, preview(checked)[0], warnings=checked.warnings)


def _deliver(delivery: Delivery, checked: Checked, body: bytes, *, replace: bool) -> Receipt:
    delivery.mode = Delivery.Mode.REPLACE if replace else Delivery.Mode.MERGE
    with transaction.atomic():
        checked = take(checked, delivery)
        contents.keep(delivery, [body])
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


def _free(holder: Delivery) -> bool:
    """Takes the key from a delivery that has had it too long, or that a dead process left behind."""
    age = timezone.now() - holder.received_at
    if age > KEY_KEPT:
        Delivery.objects.filter(pk=holder.pk).update(client_key=None)
        return True
    if holder.status == Delivery.Status.RUNNING and age > contents.STALE:
        Delivery.objects.filter(pk=holder.pk, status=Delivery.Status.RUNNING).delete()
        return True
    return False


def _replay(earlier: Delivery, delivery: Delivery) -> Receipt:
    if earlier.content_hash != delivery.content_hash:
        raise KeyReused
    if earlier.status == Delivery.Status.RUNNING:
        raise RequestRunning
    findings = [Finding.from_stored(row) for row in earlier.findings.all()]
    faults = [finding for finding in findings if not finding.is_warning]
    warnings = [finding for finding in findings if finding.is_warning]
    return Receipt(earlier, None, faults, warnings, earlier.fault_count, replayed=True)
