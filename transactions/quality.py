"""Marking deliveries that stand out as looked at."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from transactions.models import QualityCase
from zsk import formats


class SeenAlready(Exception):
    """Somebody else was first; the case says who."""


@transaction.atomic
def mark_seen(case: QualityCase, *, by: User, note: str) -> None:
    """Raises SeenAlready. Locks the case against somebody who does so at the same time."""
    current = QualityCase.objects.select_for_update().select_related("delivery").get(pk=case.pk)
    if current.seen_at is not None:
        raise SeenAlready
    current.seen_at, current.seen_by, current.actor, current.note = timezone.now(), by, by.display_name, note
    current.save(update_fields=["seen_at", "seen_by", "actor", "note"])
    target = _("Lieferung vom %(at)s") % {"at": formats.stand(current.delivery.received_at)}
    audit.record(by=by, action=_("auffällige Zahlen geprüft"), target=target, detail=note)
