"""Closed months: operations close a month and open it again; whoever changes its numbers later says why.

Closing and delivering at once: a delivery holds a lock shared from before it looks at the closed months
until its end, closing holds it alone. So a delivery that saw an open month is done before it is closed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from transactions.models import ClosedMonth
from zsk import formats, months

_LOCK = 0x5A534B01
# Before, and not in, the statement that reads the closed months: it must see what was closed while it waited.
HOLD = f"SELECT pg_advisory_xact_lock_shared({_LOCK})"
# While closing waits for a delivery, deliveries that come after it wait as well.
_PATIENCE = "5s"


class DeliveriesRunning(Exception):
    """A delivery under way did not end in time; nothing was closed."""


@transaction.atomic
def close_months(wanted: Collection[dt.date], *, by: User, reason: str) -> list[dt.date]:
    """Closes those that are over and still open, and returns them. Raises DeliveriesRunning."""
    _hold_alone()
    closed = set(ClosedMonth.objects.values_list("month", flat=True))
    new = sorted(month for month in set(wanted) - closed if month < months.running())
    ClosedMonth.objects.bulk_create(
        ClosedMonth(month=month, closed_by=by, actor=by.display_name, reason=reason) for month in new
    )
    targets = [(formats.month(month), reason) for month in new]
    audit.record_each(by=by, action=_("Monat abgeschlossen"), targets=targets)
    return new


@transaction.atomic
def reopen_month(month: dt.date, *, by: User, reason: str) -> bool:
    """False where it is open already. What was corrected while it was closed stays marked."""
    deleted, _of = ClosedMonth.objects.filter(month=month).delete()
    if deleted:
        audit.record(by=by, action=_("Monat wieder geöffnet"), target=formats.month(month), detail=reason)
    return bool(deleted)


def closed_among(wanted: Collection[dt.date]) -> list[dt.date]:
    """Which of these are closed; inside a transaction none of them can be closed until its end."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD)
    return closed_in(wanted)


def closed_in(wanted: Collection[dt.date]) -> list[dt.date]:
    """Which of these are closed now, to be shown: they may be others in a moment."""
    return list(
        ClosedMonth.objects.filter(month__in=wanted).order_by("month").values_list("month", flat=True)
    )


def _hold_alone() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    except OperationalError as error:
        raise DeliveriesRunning from error
