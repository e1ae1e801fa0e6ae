"""Taking a delivery back: what it changed gets its former value again, as a delivery of its own."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from services.models import Credential, OnlineService
from transactions import delivery as writing
from transactions import numbers, staging
from transactions.closing import closed_among
from transactions.models import ClosedMonth, Delivery, DeliveryService
from transactions.staging import Staged
from zsk import formats

FOREIGN = gettext_lazy(
    "Diese Lieferung enthält Zahlen von Onlineservices, für die Sie nicht liefern. Zurücknehmen kann sie,"
    " wer für alle liefern darf."
)


class UndoRefused(Exception):
    """The delivery cannot be taken back (any more); the text says why."""


class ReasonMissing(Exception):
    """The delivery changed months that are closed now, and no reason was given for taking it back."""

    def __init__(self, months: list[dt.date]) -> None:
        super().__init__(months)
        self.months = months


def undo(delivery: Delivery, *, by: User | Credential, reason: str = "") -> Delivery:
    """Restores what the delivery found, and returns the delivery that did so.

    Possible as long as none of its values has been changed since; an identical repeat is no obstacle.
    Raises UndoRefused, ReasonMissing where a month is closed, and PermissionDenied for whoever may not
    deliver for every service of the delivery.
    Locks like every delivery.
    """
    if not may_undo(delivery, by):
        raise PermissionDenied(FOREIGN)
    with transaction.atomic():
        current = Delivery.objects.select_for_update().get(pk=delivery.pk)
        _refuse_unless_accepted(current)
        taking_back = _new_delivery(current, by, reason)
        staged = _staged(current, taking_back)
        writing.lock(staged.services)
        staging.expect_many_rows()
        _refuse_if_changed_since(current, staged)
        _stage_former_values(current, staged)
        outcome = writing.Outcome(staging.diff(staged))
        outcome = replace(outcome, closed=closed_among({part.month for part in outcome.touched}))
        if outcome.closed and not reason:
            raise ReasonMissing(outcome.closed)
        writing.record(taking_back, outcome, row_count=sum(part.touched for part in outcome.months))
        numbers.write(staged, taking_back, outcome.months, outcome.closed, levels={})
        Delivery.objects.filter(pk=current.pk).update(status=Delivery.Status.UNDONE)
    delivery.status = Delivery.Status.UNDONE
    return taking_back


def why_not(delivery: Delivery) -> str:
    """Why `undo()` would be refused now, empty where it would go through; at most two queries."""
    try:
        _refuse_unless_accepted(delivery)
        _refuse_if_changed_since(delivery, _staged(delivery, delivery))
    except UndoRefused as refused:
        return str(refused)
    return ""


def closed_months(delivery: Delivery) -> list[dt.date]:
    """Months within the delivery's span that are closed: perhaps more than it changed."""
    span = (delivery.first_month, delivery.last_month)
    if None in span:
        return []
    return list(
        ClosedMonth.objects.filter(month__range=span).order_by("month").values_list("month", flat=True)
    )


def may_undo(delivery: Delivery, by: User | Credential) -> bool:
    """Whoever sees a part of a delivery must not take back what belongs to others."""
    allowed = OnlineService.objects.deliverable_by(by)
    return not DeliveryService.objects.filter(delivery=delivery).exclude(service__in=allowed).exists()


def _refuse_unless_accepted(delivery: Delivery) -> None:
    if delivery.status == Delivery.Status.UNDONE:
        raise UndoRefused(_("Diese Lieferung ist schon rückgängig gemacht."))
    if delivery.status in {Delivery.Status.WAITING, Delivery.Status.RUNNING}:
        raise UndoRefused(_("Diese Lieferung ist noch nicht fertig."))
    if delivery.status != Delivery.Status.ACCEPTED:
        raise UndoRefused(_("Diese Lieferung hat nichts geändert."))
    if delivery.channel == Delivery.Channel.UNDO:
        raise UndoRefused(
            _("Eine Rücknahme lässt sich nicht zurücknehmen. Liefern Sie die Werte noch einmal.")
        )
    if not delivery.new_count + delivery.changed_count + delivery.deleted_count:
        raise UndoRefused(_("Diese Lieferung hat nichts geändert."))


def _new_delivery(delivery: Delivery, by: User | Credential, reason: str) -> Delivery:
    return Delivery(
        channel=Delivery.Channel.UNDO,
        mode=Delivery.Mode.MERGE,
        user=by if isinstance(by, User) else None,
        credential=by if isinstance(by, Credential) else None,
        actor=writing.actor_text(by),
        undoes=delivery,
        reason=reason,
        received_at=timezone.now(),
    )


def _staged(delivery: Delivery, taking_back: Delivery) -> Staged:
    services = sorted(DeliveryService.objects.filter(delivery=delivery).values_list("service_id", flat=True))
    if not services or delivery.first_month is None or delivery.last_month is None:
        raise UndoRefused(_("Diese Lieferung hat nichts geändert."))
    return Staged(taking_back.pk, services, delivery.first_month, delivery.last_month)


_WITHIN = "service_id = ANY(%(services)s::bigint[]) AND month BETWEEN %(first)s AND %(last)s"


def _refuse_if_changed_since(delivery: Delivery, staged: Staged) -> None:
    """A value of the delivery was replaced or removed later, or one that it removed was delivered anew, also
    where it is gone again by now."""
    sql = f"""
        SELECT count(*) FROM (
            SELECT service_id, month, ars FROM count_revision WHERE old_delivery = %(undone)s AND {_WITHIN}
            UNION
            SELECT service_id, month, ars
              FROM count_revision r JOIN count_revision later USING (service_id, month, ars)
             WHERE r.delivery = %(undone)s AND later.number > r.number AND {_WITHIN}
            UNION
            SELECT service_id, month, ars
              FROM count_revision r JOIN transaction_count f USING (service_id, month, ars)
             WHERE r.delivery = %(undone)s AND r.action = 'geloescht' AND {_WITHIN}
        ) AS changed_since
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {**staged.params, "undone": delivery.pk})
        later = cursor.fetchone()[0]
    if later:
        raise UndoRefused(
            ngettext(
                "%(count)s Wert dieser Lieferung wurde danach geändert.",
                "%(count)s Werte dieser Lieferung wurden danach geändert.",
                later,
            )
            % {"count": formats.number(later)}
            + " "
            + _("Liefern Sie die richtigen Werte noch einmal: Sie ersetzen die gespeicherten.")
        )


def _stage_former_values(delivery: Delivery, staged: Staged) -> None:
    """What the delivery replaced or removed is set again; what was new is taken back."""
    staged.execute(
        f"""
        INSERT INTO staged_count (service_id, delivery, month, ars, count, remove)
        SELECT service_id, %(delivery)s, month, ars, old, false
          FROM count_revision r WHERE r.delivery = %(undone)s AND {_WITHIN}
        UNION ALL
        SELECT f.service_id, %(delivery)s, f.month, f.ars, 0, true
          FROM transaction_count f
          LEFT JOIN (SELECT service_id, month, ars FROM count_revision
                      WHERE delivery = %(undone)s AND {_WITHIN}) r
            ON r.service_id = f.service_id AND r.month = f.month AND r.ars = f.ars
         WHERE f.delivery = %(undone)s AND f.service_id = ANY(%(services)s::bigint[])
           AND f.month BETWEEN %(first)s AND %(last)s AND r.ars IS NULL
        """,
        undone=delivery.pk,
    )
