"""Registering many services of a portal at once: all of a file, or nothing.

As many queries for 5,000 rows as for one, but for the size of a batch.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from accounts.models import User
from portals.models import Portal
from services import bulk_source
from services.bulk_checks import Checked, Finding, Ready, check
from services.bulk_source import Unreadable
from services.history import REGISTERED, remember_all
from services.models import BulkUpload, OnlineService, PortalService, ServiceState, service_number
from zsk import formats
from zsk.tables import Table

BATCH = 2_000
KEEP_DAYS = 2
MOST_BYTES = 10 << 20


class Rejected(Exception):
    """The check finds faults now; nothing was registered."""


class Gone(Exception):
    """The file was registered or thrown away already."""


def keep(*, portal: Portal, by: User, name: str, content: bytes) -> BulkUpload:
    """Keeps a file until it is confirmed; it waits at most for some days."""
    return BulkUpload.objects.create(portal=portal, user=by, file_name=name[-255:], content=content)


def expire(*, now: dt.datetime | None = None) -> int:
    """Forgets files that nobody confirmed; how many."""
    before = (now or timezone.now()) - dt.timedelta(days=KEEP_DAYS)
    return BulkUpload.objects.filter(created_at__lt=before).delete()[0]


@transaction.atomic
def register(upload: BulkUpload, *, by: User) -> list[OnlineService]:
    """Registers every service of the file, for the portal from its go-live on, and forgets the file.

    Locks the portal, so that no kennung is given twice, and the file against a second click. Raises Gone,
    and Rejected or Unreadable where the file no longer passes.
    """
    Portal.objects.select_for_update(no_key=True).get(pk=upload.portal_id)
    locked = (
        BulkUpload.objects.select_for_update(of=("self",))
        .select_related("portal")
        .filter(pk=upload.pk)
        .first()
    )
    if locked is None:
        raise Gone
    if not Portal.objects.managed_by(by).filter(pk=locked.portal_id).exists():
        raise PermissionDenied(_("Sie sind nicht mehr Admin dieses Portals."))
    checked = check(locked)
    if checked.faults:
        raise Rejected
    made = _write(locked.portal, checked.ready, by=by)
    locked.delete()
    return made


def _write(portal: Portal, ready: Sequence[Ready], *, by: User) -> list[OnlineService]:
    today = timezone.localdate()
    services = OnlineService.objects.bulk_create([row.service for row in ready], batch_size=BATCH)
    through = OnlineService.area.through
    through.objects.bulk_create(
        [
            through(onlineservice_id=service.pk, region_id=region.pk)
            for service, row in zip(services, ready, strict=True)
            for region in row.area
        ],
        batch_size=BATCH,
    )
    ServiceState.objects.bulk_create(
        [ServiceState(service=service) for service in services], batch_size=BATCH
    )
    PortalService.objects.bulk_create(
        [
            PortalService(portal=portal, service=service, kennung=row.kennung, since=_since(service, today))
            for service, row in zip(services, ready, strict=True)
        ],
        batch_size=BATCH,
    )
    remember_all(services, by=by, kind=REGISTERED)
    words = {
        "count": formats.number(len(services)), "first": service_number(services[0].pk),
        "last": service_number(services[-1].pk),
    }  # fmt: skip
    detail = ngettext("%(first)s", "%(count)s Onlineservices, %(first)s bis %(last)s", len(services))
    audit.record(by=by, action=_("Sammelregistrierung"), target=portal, detail=detail % words)
    return services


def _since(service: OnlineService, today: dt.date) -> dt.date:
    """From go-live on, so that months delivered later count for the portal; today at the latest."""
    return min(service.live_from or today, today)


def take_successors(upload: BulkUpload) -> None:
    """From now on the file is read with the only successor in the place of a key that has ended."""
    BulkUpload.objects.filter(pk=upload.pk).update(take_successors=True)


@transaction.atomic
def discard(upload: BulkUpload) -> None:
    BulkUpload.objects.filter(pk=upload.pk).delete()


def report(upload: BulkUpload) -> Table:
    """The file with what would become of each row."""
    try:
        results = dict(_results(check(upload)))
    except Unreadable as unreadable:
        results = dict(enumerate((("fehler", text) for text in unreadable.faults), 2))
    return bulk_source.report(io.BytesIO(bytes(upload.content)), results, name=upload.file_name)


def _results(checked: Checked) -> Iterator[tuple[int, tuple[str, str]]]:
    by_line: dict[int, list[Finding]] = {}
    for finding in [*checked.faults, *checked.warnings]:
        by_line.setdefault(finding.line, []).append(finding)
    faulty = {finding.line for finding in checked.faults}
    fine = _("wäre neu") if checked.faults else _("neu")
    for row in checked.rows:
        notes = " ".join(f"{finding.column}: {finding.message}" for finding in by_line.get(row.line, ()))
        yield row.line, (_("fehler") if row.line in faulty else fine, notes)
