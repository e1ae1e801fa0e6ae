"""Taking a push: once per Idempotency-Key, checked, delivered, or only tried."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from services.models import Credential
from transactions import contents
from transactions.checks import Checked, ServiceMonthKey, check, service_ids
from transactions.delivery import Outcome, actor_text, deliver, preview, refuse_findings
from transactions.findings import Finding
from transactions.models import Delivery
from transactions.sources import Unreadable, push

# A reservation this old belongs to a process that is gone.
_STALE = dt.timedelta(minutes=10)


class RequestRunning(Exception):
    """A request with the same Idempotency-Key is not finished yet."""


class KeyReused(Exception):
    """The Idempotency-Key was used before, for other content."""


@dataclass(frozen=True)
class Receipt:
    """What became of a push. `delivery` is None for a dry run; `faults` is what it was refused for."""

    delivery: Delivery | None
    outcome: Outcome | None = None
    faults: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    replayed: bool = False


def receive(body: bytes, *, by: Credential, client_key: str | None = None) -> Receipt:
    """Delivers the message of a push, or says what is wrong with it.

    Raises RequestRunning and KeyReused for a repeated Idempotency-Key that cannot be answered.
    """
    delivery = Delivery(
        channel=Delivery.Channel.PUSH, status=Delivery.Status.RUNNING, credential=by, actor=actor_text(by),
        client_key=client_key, content_hash=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip
    message: push.Message | Unreadable
    try:
        own = by.service.number if by.service else None
        message = push.read(body, own=own, max_rows=settings.MAX_PUSH_ROWS)
        scope = _scope(message, by) if message.replace else None
    except Unreadable as fault:
        message = fault
    if isinstance(message, push.Message) and message.dry_run:
        return _try(check(message.rows, by=by, scope=scope))
    if client_key and (earlier := _reserve(delivery)):
        return _replay(earlier, delivery)
    try:
        if isinstance(message, Unreadable):
            return _refuse(delivery, message.findings, body)
        return _deliver(delivery, check(message.rows, by=by, scope=scope), body, replace=message.replace)
    except BaseException:
        # Nothing was stored: the same key may try again.
        Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.RUNNING).delete()
        raise


def _scope(message: push.Message, by: Credential) -> frozenset[ServiceMonthKey]:
    ids = service_ids({entry.service for entry in message.scope}, by=by)
    faults = [
        Finding("onlineservice_unbekannt", "onlineservice", entry.service[:200], pointer=f"/umfang/{index}")
        for index, entry in enumerate(message.scope)
        if entry.service.strip() not in ids
    ]
    if faults:
        raise Unreadable(*faults)
    return frozenset((ids[entry.service.strip()], entry.month) for entry in message.scope)


def _try(checked: Checked) -> Receipt:
    if checked.faults:
        return Receipt(None, None, checked.faults, checked.warnings)
    return Receipt(None, preview(checked)[0], warnings=checked.warnings)


def _deliver(delivery: Delivery, checked: Checked, body: bytes, *, replace: bool) -> Receipt:
    delivery.mode = Delivery.Mode.REPLACE if replace else Delivery.Mode.MERGE
    if checked.faults:
        refused = _refuse(delivery, [*checked.faults, *checked.warnings], body, row_count=checked.row_count)
        return Receipt(refused.delivery, None, checked.faults, checked.warnings)
    with transaction.atomic():
        deliver(checked, delivery)
        contents.keep(delivery, [body])
    return Receipt(delivery, warnings=checked.warnings)


def _refuse(delivery: Delivery, findings: list[Finding], body: bytes, *, row_count: int = 0) -> Receipt:
    with transaction.atomic():
        refuse_findings(delivery, findings, row_count=row_count)
        if body:
            contents.keep(delivery, [body])
    return Receipt(delivery, faults=findings)


def _reserve(delivery: Delivery) -> Delivery | None:
    """Claims the Idempotency-Key for this delivery; returns the earlier one that has it."""
    stale = timezone.now() - _STALE
    same = Delivery.objects.filter(credential=delivery.credential, client_key=delivery.client_key)
    same.filter(status=Delivery.Status.RUNNING, received_at__lt=stale).delete()
    Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    return same.exclude(pk=delivery.pk).first()


def _replay(earlier: Delivery, delivery: Delivery) -> Receipt:
    if earlier.content_hash != delivery.content_hash:
        raise KeyReused
    if earlier.status == Delivery.Status.RUNNING:
        raise RequestRunning
    findings = [Finding.from_stored(row) for row in earlier.findings.all()]
    faults = [finding for finding in findings if not finding.is_warning]
    warnings = [finding for finding in findings if finding.is_warning]
    return Receipt(earlier, faults=faults, warnings=warnings, replayed=True)
