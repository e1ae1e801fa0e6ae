"""An upload from choosing the file to its confirmation: kept, checked, shown, taken over or thrown away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from services.models import OnlineService
from transactions import contents
from transactions.checks import Checked, check
from transactions.delivery import (
    ChangedValue,
    DeliveryRejected,
    Outcome,
    StoredDataChanged,
    actor_text,
    deliver,
    preview,
    refuse,
    refuse_findings,
)
from transactions.findings import Finding
from transactions.models import Delivery
from transactions.references import versions
from transactions.rows import Rows
from transactions.sources import Unreadable, delimited
from zsk import formats

CHANGES_SHOWN = 20
MAX_ROWS = 5_000_000


class NotWaiting(Exception):
    """The upload is not waiting for confirmation (any more)."""


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
    def fault_count(self) -> int:
        """All faults; `findings` may list only the first of very many."""
        return self.checked.fault_count if self.checked else len(self.findings)


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
    _rows, checked, findings = _checked(delivery, by)
    if checked is None or checked.faults:
        return refuse(delivery, checked) if checked else refuse_findings(delivery, findings)
    delivery.row_count = checked.row_count
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

    Raises StoredDataChanged when the stored data are no longer those of the preview, DeliveryRejected when
    the check now finds faults, ContentExpired, and NotWaiting when it was done already. Locks the delivery
    against a second confirmation at the same time.
    """
    _rows, checked, findings = _checked(delivery, by)
    if checked is None or checked.faults:
        with transaction.atomic():
            _lock_waiting(delivery)
            refused = refuse(delivery, checked) if checked else refuse_findings(delivery, findings)
        raise DeliveryRejected(refused, findings)
    current = versions(checked.services)
    if _seen(current) != seen:
        raise StoredDataChanged
    with transaction.atomic():
        _lock_waiting(delivery)
        # What counts as the time of delivery is the confirmation, not the upload before it.
        delivery.received_at = timezone.now()
        return deliver(checked, delivery, expected=current)


@transaction.atomic
def discard(delivery: Delivery) -> None:
    """Throws away an upload that waits for confirmation, with its file. Raises NotWaiting."""
    _lock_waiting(delivery)
    Delivery.objects.filter(pk=delivery.pk).delete()


def _lock_waiting(delivery: Delivery) -> None:
    waiting = Delivery.objects.select_for_update().filter(pk=delivery.pk, status=Delivery.Status.WAITING)
    if not waiting.exists():
        raise NotWaiting


def _checked(delivery: Delivery, by: User) -> tuple[Rows | None, Checked | None, list[Finding]]:
    # Rows without a service column are not compared with what the person may deliver for.
    if delivery.service and not _may_deliver(by, delivery.service):
        raise PermissionDenied(_("Sie dürfen für %(service)s nicht liefern.") % {"service": delivery.service})
    try:
        rows = delimited.read(contents.open_content(delivery), single_service=delivery.service_id is not None)
    except Unreadable as unreadable:
        return None, None, unreadable.findings
    if len(rows) > MAX_ROWS:
        params = {"ist": formats.number(len(rows)), "grenze": formats.number(MAX_ROWS)}
        return None, None, [Finding("datei_zu_viele_zeilen", params=params)]
    checked = check(rows, by=by, service=delivery.service)
    return rows, checked, [*checked.faults, *checked.warnings]


def _may_deliver(person: User, service: OnlineService) -> bool:
    return OnlineService.objects.deliverable_by(person).filter(pk=service.pk).exists()


def _seen(current: dict[int, int]) -> str:
    return hashlib.sha256(json.dumps(sorted(current.items())).encode()).hexdigest()[:32]
