"""An upload from choosing the file to its confirmation: kept, checked, shown, taken over or thrown away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import User
from services.models import OnlineService
from transactions import contents
from transactions.checks import Checked, check
from transactions.delivery import (
    ChangedValue,
    Outcome,
    StoredDataChanged,
    actor_text,
    deliver,
    preview,
    refuse_findings,
    versions,
)
from transactions.findings import Finding
from transactions.models import Delivery
from transactions.rows import Rows
from transactions.sources import Unreadable, delimited

CHANGES_SHOWN = 50


@dataclass(frozen=True)
class Review:
    """What an uploaded file would do. Without `rows` the file as a whole was not readable.

    `seen` stands for the stored data that the outcome was compared with; confirming repeats it.
    """

    findings: list[Finding]
    rows: Rows | None = None
    checked: Checked | None = None
    outcome: Outcome = field(default_factory=Outcome)
    changed: list[ChangedValue] = field(default_factory=list)
    seen: str = ""

    @property
    def faults(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.is_warning]


def receive(
    pieces: Callable[[], Iterable[bytes]], *, name: str, by: User, service: OnlineService | None
) -> Delivery:
    """Keeps an uploaded file and checks it once: it waits for confirmation, or is refused with its findings.

    `pieces` gives the file's content from the start each time it is called.
    """
    delivery = Delivery(
        channel=Delivery.Channel.FILE, status=Delivery.Status.WAITING, user=by, actor=actor_text(by),
        file_name=name[-255:], service=service, content_hash=contents.digest(pieces()),
    )  # fmt: skip
    with transaction.atomic():
        delivery.save()
        contents.keep(delivery, pieces())
    rows, _unused, findings = _checked(delivery, by)
    if any(not finding.is_warning for finding in findings):
        refuse_findings(delivery, findings, row_count=len(rows) if rows else 0)
    else:
        delivery.row_count = len(rows) if rows else 0
        delivery.save(update_fields=["row_count"])
    return delivery


def review(delivery: Delivery, *, by: User) -> Review:
    """Checks the kept file against what is stored now; writes nothing. Raises ContentExpired."""
    rows, checked, findings = _checked(delivery, by)
    if rows is None or checked is None:
        return Review(findings)
    seen = _seen(versions(checked.services))
    outcome, changed = preview(checked, changes=CHANGES_SHOWN)
    return Review(findings, rows, checked, outcome, changed, seen)


def confirm(delivery: Delivery, *, by: User, seen: str) -> Delivery:
    """Takes a waiting upload over.

    Raises StoredDataChanged when the stored data are no longer those of the preview, and DeliveryRejected
    when the check now finds faults.
    """
    _rows, checked, findings = _checked(delivery, by)
    if checked is None:
        raise ValueError(f"upload {delivery.pk} is not readable: {findings}")
    current = versions(checked.services)
    if _seen(current) != seen:
        raise StoredDataChanged
    return deliver(checked, delivery, expected=current)


def discard(delivery: Delivery) -> None:
    """Throws away an upload that waits for confirmation, with its file."""
    Delivery.objects.filter(pk=delivery.pk, status=Delivery.Status.WAITING).delete()


def _checked(delivery: Delivery, by: User) -> tuple[Rows | None, Checked | None, list[Finding]]:
    try:
        rows = delimited.read(contents.open_content(delivery), single_service=delivery.service_id is not None)
    except Unreadable as unreadable:
        return None, None, unreadable.findings
    checked = check(rows, by=by, service=delivery.service)
    return rows, checked, [*checked.faults, *checked.warnings]


def _seen(current: dict[int, int]) -> str:
    return hashlib.sha256(json.dumps(sorted(current.items())).encode()).hexdigest()[:32]
