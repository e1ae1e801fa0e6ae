"""An upload from choosing the file to its confirmation: kept, checked, shown, taken over or thrown away.

A small file is checked and taken over at once; a large one by a worker, while the person sees how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from services.models import OnlineService
from transactions import contents, jobs, reviews, upload_mail
from transactions.checks import Checked, check
from transactions.contents import ContentExpired
from transactions.delivery import (
    MAX_FINDINGS_KEPT,
    DeliveryRejected,
    PeriodClosed,
    StoredDataChanged,
    actor_text,
    deliver,
    keep_findings,
    refuse,
    refuse_findings,
)
from transactions.findings import Finding
from transactions.jobs import Working
from transactions.models import Delivery, DeliveryJob
from transactions.references import versions
from transactions.reviews import Review
from transactions.rows import Rows
from transactions.sources import Unreadable, files
from zsk import formats
from zsk.kinds import unpacked_bytes

MAX_ROWS = 5_000_000
Step = DeliveryJob.Step


class NotWaiting(Exception):
    """The upload is not waiting for confirmation (any more)."""


class UnderWay(Exception):
    """A worker is at it; the delivery's job says how far it is."""


def receive(
    pieces: Callable[[], Iterable[bytes]],
    *,
    name: str,
    by: User,
    service: OnlineService | None,
    channel: Delivery.Channel = Delivery.Channel.FILE,
    site: str = "",
) -> Delivery:
    """Keeps an uploaded file and checks it once: it waits for confirmation, or is refused with its findings.

    `pieces` gives the file's content. A large file has a job then, which checks it; the mail at its end
    leads to `site`. Raises TooMuchWaits, and keeps nothing then.
    """
    delivery = Delivery(
        channel=channel, status=Delivery.Status.WAITING, user=by, actor=actor_text(by),
        file_name=name[-255:], service=service,
    )  # fmt: skip
    with transaction.atomic():
        delivery.save()
        delivery.content_hash = contents.keep(delivery, pieces())
        delivery.save(update_fields=["content_hash"])
        if _is_large(delivery):
            jobs.order(delivery, DeliveryJob.Kind.CHECK, site=site)
            return delivery
    _keep_check(delivery, by)
    return delivery


def review(delivery: Delivery, *, by: User, site: str = "") -> Review:
    """What the check found, checked again where it could be otherwise by now; changes no number.

    Raises ContentExpired, UnderWay while a worker is at it, NotWaiting where that is done by now, and
    TooMuchWaits where a worker would have to check it again.
    """
    _refuse_unless_may(delivery, by)
    if DeliveryJob.objects.filter(pk=delivery.pk).exists():
        raise UnderWay
    if not contents.kept_bytes(delivery):
        raise ContentExpired
    found = reviews.load(delivery)
    if delivery.status != Delivery.Status.WAITING:
        return found or reviews.of_refused(delivery)
    if found and not found.is_outdated(by=by):
        return found
    if not _is_large(delivery):
        return _keep_check(delivery, by)
    with transaction.atomic():
        _lock(delivery)
        jobs.order(delivery, DeliveryJob.Kind.CHECK, site=site)
    raise UnderWay


def confirm(delivery: Delivery, *, by: User, seen: str, reason: str = "", site: str = "") -> Delivery:
    """Takes a waiting upload over; `reason` for what it changes in closed months.

    Raises PeriodClosed where there is none, and the upload waits on; StoredDataChanged when the stored data
    are no longer those of the preview, DeliveryRejected when the check now finds faults, ContentExpired,
    UnderWay when a worker does it or is at it already, TooMuchWaits, and NotWaiting when it was done. Locks
    the delivery against a second confirmation at the same time.
    """
    _refuse_unless_may(delivery, by)
    if not _is_large(delivery):
        return _take_over(delivery, by, seen, reason)
    _unchanged(delivery, seen)
    if not reason and (found := reviews.load(delivery)) and found.closed_now():
        raise PeriodClosed(delivery, [])
    with transaction.atomic():
        _lock(delivery)
        jobs.order(delivery, DeliveryJob.Kind.CONFIRM, seen=seen, reason=reason, site=site)
    raise UnderWay


@transaction.atomic
def discard(delivery: Delivery) -> None:
    """Throws away an upload that waits for confirmation, with its file. Raises NotWaiting, UnderWay."""
    _lock(delivery)
    Delivery.objects.filter(pk=delivery.pk).delete()


@transaction.atomic
def cancel(delivery: Delivery) -> DeliveryJob.Kind:
    """Stops what a worker does to the upload: a check, and the file is thrown away, or taking it over, and it
    waits for confirmation again. Nothing is stored. Raises NotWaiting when it is too late."""
    job = DeliveryJob.objects.select_for_update().filter(pk=delivery.pk).first()
    if job is None or not jobs.cancel(delivery):
        raise NotWaiting
    # Still in one transaction: a page that waits would order the check anew in between.
    if job.kind == DeliveryJob.Kind.CHECK:
        discard(delivery)
    return DeliveryJob.Kind(job.kind)


# --- what workers do -----------------------------------------------------------------------------


def work_on_check(job: Working) -> None:
    """Checks a large file, and tells the person that its preview waits."""
    delivery = job.delivery
    _keep_check(delivery, _person(delivery), job)
    upload_mail.send_checked(delivery, site=job.params["site"])


def work_on_confirmation(job: Working) -> None:
    """Takes a large file over, and tells the person; where that is not possible any more, checks it anew."""
    delivery, by, site = job.delivery, _person(job.delivery), job.params["site"]
    try:
        _take_over(delivery, by, job.params["seen"], job.params.get("reason", ""), job)
    except (StoredDataChanged, PeriodClosed):
        _keep_check(delivery, by, job, changed_since=True)
        upload_mail.send_changed(delivery, site=site)
    except DeliveryRejected:
        upload_mail.send_checked(delivery, site=site)
    else:
        upload_mail.send_taken_over(delivery, site=site)


def _person(delivery: Delivery) -> User:
    if delivery.user is None or not delivery.user.is_active:
        raise PermissionDenied
    return delivery.user


# --- the steps -----------------------------------------------------------------------------------


def _keep_check(
    delivery: Delivery, by: User, job: Working | None = None, *, changed_since: bool = False
) -> Review:
    """Checks the kept file, and keeps what was found. `changed_since`: the person has seen another review."""
    rows, checked, findings = _checked(delivery, by, job)
    if rows is None or checked is None:
        found = Review(len(findings))
    else:
        _tell(job, Step.COMPARING, 70)
        found = reviews.make(rows, checked, changed_since=changed_since)
        findings = [*found.findings, *findings]
    _keep_found(delivery, checked, findings, found, job)
    return replace(found, findings=findings[:MAX_FINDINGS_KEPT])


def _keep_found(
    delivery: Delivery, checked: Checked | None, findings: list[Finding], found: Review, job: Working | None
) -> None:
    with transaction.atomic():
        if job:
            job.finish()
        else:
            _lock(delivery)
        delivery.findings.all().delete()
        if checked is None:
            refuse_findings(delivery, findings)
        elif checked.faults:
            refuse(delivery, checked)
        else:
            delivery.row_count, delivery.warning_count = checked.row_count, len(findings)
            delivery.save(update_fields=["row_count", "warning_count"])
            keep_findings(delivery, findings)
        reviews.keep(delivery, found)


def _take_over(delivery: Delivery, by: User, seen: str, reason: str, job: Working | None = None) -> Delivery:
    """Checks once more what the person has confirmed, and delivers it."""
    expected = _unchanged(delivery, seen)
    rows, checked, findings = _checked(delivery, by, job)
    if rows is None or checked is None or checked.faults:
        found = (
            reviews.make(rows, checked) if rows is not None and checked is not None else Review(len(findings))
        )
        _keep_found(delivery, checked, findings, found, job)
        raise DeliveryRejected(delivery, findings)
    del rows
    if set(checked.services) != set(expected):
        raise StoredDataChanged
    _tell(job, Step.STORING, 60)
    with transaction.atomic():
        if job is None:
            _lock(delivery)
        elif reviews.lost(checked.services, by=by):  # between the check of a large file and its end
            raise StoredDataChanged
        # What counts as the time of delivery is the confirmation, not the upload before it.
        delivery.received_at, delivery.reason = timezone.now(), reason
        delivery.findings.all().delete()
        deliver(checked, delivery, expected=expected)
        if job:
            job.finish()
    return delivery


def _unchanged(delivery: Delivery, seen: str) -> dict[int, int]:
    """The data versions that the person has seen the preview of. Raises StoredDataChanged."""
    found = reviews.load(delivery)
    current = versions(found.services) if found else {}
    if found is None or reviews.fingerprint(current) != seen:
        raise StoredDataChanged
    return current


def _lock(delivery: Delivery) -> None:
    """Of several who want to do something with the upload, one does. Raises NotWaiting, UnderWay."""
    waiting = Delivery.objects.select_for_update().filter(pk=delivery.pk, status=Delivery.Status.WAITING)
    if not waiting.exists():
        raise NotWaiting
    if DeliveryJob.objects.filter(pk=delivery.pk).exists():
        raise UnderWay


def _checked(
    delivery: Delivery, by: User, job: Working | None
) -> tuple[Rows | None, Checked | None, list[Finding]]:
    _refuse_unless_may(delivery, by)
    _tell(job, Step.READING, 5)
    try:
        with contents.open_content(delivery) as file:
            single = delivery.service_id is not None
            rows = files.read(file, name=delivery.file_name, single_service=single)
    except Unreadable as unreadable:
        return None, None, unreadable.findings
    if len(rows) > MAX_ROWS:
        params = {"ist": formats.number(len(rows)), "grenze": formats.number(MAX_ROWS)}
        return None, None, [Finding("datei_zu_viele_zeilen", params=params)]
    _tell(job, Step.CHECKING, 30)
    checked = check(rows, by=by, service=delivery.service)
    return rows, checked, [*checked.faults, *checked.warnings]


def _tell(job: Working | None, step: DeliveryJob.Step, percent: int) -> None:
    if job:
        job.tell(step, percent)


def _is_large(delivery: Delivery) -> bool:
    """Whether a worker does it: an XLSX of two megabytes may hold hundreds of thousands of rows."""
    if contents.kept_bytes(delivery) > settings.UPLOAD_AT_ONCE_BYTES:
        return True
    with contents.open_content(delivery) as file:
        return unpacked_bytes(file) > settings.UPLOAD_AT_ONCE_BYTES


def _refuse_unless_may(delivery: Delivery, by: User) -> None:
    # Rows without a service column are not compared with what the person may deliver for.
    service = delivery.service
    if service and not OnlineService.objects.deliverable_by(by).filter(pk=service.pk).exists():
        raise PermissionDenied(_("Sie dürfen für %(service)s nicht liefern.") % {"service": service})
