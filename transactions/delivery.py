"""The one way in: nothing else ever writes a count.

`deliver()` stages the checked rows, takes the lock of each service concerned, compares with what is stored
and writes revisions, facts, totals and states in one transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from services.models import Credential, ServiceState
from transactions import contents, plausibility, staging
from transactions.checks import Checked, ask_again, check_again
from transactions.findings import Finding
from transactions.models import Delivery, DeliveryFinding, QualityCase
from transactions.notes import CLOSED
from transactions.past import Before
from transactions.publication import SHOWN_REGION
from transactions.staging import ServiceMonthDiff, Staged
from transactions.statements import Answer, array, ask, commit, pipeline, put

MAX_FINDINGS_KEPT = 1_000
_COUNTS = ("new", "changed", "same", "deleted")


class DeliveryRejected(Exception):
    """Rows are at fault; no number changed. The delivery holds what was found."""

    def __init__(self, delivery: Delivery, faults: Sequence[Finding]) -> None:
        super().__init__(f"{delivery.fault_count} Fehler")
        self.delivery, self.faults = delivery, list(faults)


class PeriodClosed(DeliveryRejected):
    """A month is closed, and no reason was given for changing it."""


class StoredDataChanged(Exception):
    """Between preview and confirmation somebody else delivered for one of the services."""


@dataclass(frozen=True)
class Outcome:
    """What a delivery does, or would do: the diff per service and month, and its sums.

    `notes`: what looks wrong about it; `closed`: months that it changes although they are closed.
    """

    months: list[ServiceMonthDiff] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    closed: list[dt.date] = field(default_factory=list)

    def total(self, name: str) -> int:
        """The sum of `new`, `changed`, `same` or `deleted` over all services and months."""
        return sum(getattr(part, name) for part in self.months)

    @property
    def touched(self) -> list[ServiceMonthDiff]:
        return [part for part in self.months if part.touched]


def deliver(checked: Checked, delivery: Delivery, *, expected: dict[int, int] | None = None) -> Delivery:
    """Stores checked rows, all or nothing, and returns the delivery with what it changed.

    `delivery` says by whom, by which channel and in which mode; it may be unsaved or wait for this.
    `expected`: the services' data versions that somebody has seen a preview of.
    Raises DeliveryRejected when rows are at fault (the refused delivery is kept with its findings),
    PeriodClosed, one of these, when it changes a closed month and has no `reason`, and StoredDataChanged
    when `expected` no longer holds.
    Locks the ServiceState of each service, in id order, against other deliveries and publication.
    """
    with transaction.atomic():
        checked = take(checked, delivery, expected=expected, ends=True)
    if checked.faults:
        closed = checked.faults[0].code == CLOSED
        raise (PeriodClosed if closed else DeliveryRejected)(delivery, checked.faults)
    return delivery


def take(
    checked: Checked,
    delivery: Delivery,
    *,
    content: Iterable[bytes] = (),
    expected: dict[int, int] | None = None,
    ends: bool = False,
) -> Checked:
    """`deliver()` inside of a transaction: returns what was checked, with the faults it was refused for.

    They and the warnings may be others than before, where somebody delivered since. `content` is kept with
    the delivery. `ends`: nothing follows in the transaction.
    """
    if not checked.faults:
        checked = _store(checked, delivery, content, expected, ends)
    if checked.faults:
        refuse(delivery, checked)
        contents.keep(delivery, content)
    return checked


def _store(
    checked: Checked,
    delivery: Delivery,
    content: Iterable[bytes],
    expected: dict[int, int] | None,
    ends: bool,
) -> Checked:
    """Stores nothing where others' deliveries have made faults."""
    staged = staging.stage(checked, delivery.pk)
    held, months, found, before = _lock_and_compare(staged, checked)
    if expected is not None and held != {pk: expected.get(pk, 0) for pk in held}:
        raise StoredDataChanged
    checked = check_again(checked, held, found)
    if checked.faults:
        staging.unstage(staged)
        return checked
    outcome = _judged(checked, months, before)
    if outcome.closed and not delivery.reason:
        staging.unstage(staged)
        return replace(checked, faults=plausibility.closed_faults(checked, outcome.months, outcome.closed))
    checked = replace(checked, warnings=[*outcome.notes, *checked.warnings])
    with pipeline():
        record(delivery, outcome, row_count=checked.row_count, warnings=checked.warnings)
        contents.keep(delivery, content)
        write_numbers(staged, delivery, outcome)
        if ends:
            commit()
    return checked


class _Compared(NamedTuple):
    """The services' versions and the diff as they are with the locks held; of few rows the rest as well."""

    held: dict[int, int]
    months: list[ServiceMonthDiff]
    found: list[Finding] | None = None
    before: Before | None = None


def _lock_and_compare(staged: Staged, checked: Checked) -> _Compared:
    if checked.scope is not None:
        held = lock(staged.services)
        staging.stage_vanished(staged, checked.scope)
        return _Compared(held, staging.diff(staged))
    with pipeline():
        # In one go: a statement sees what is stored when it begins, and the diff begins behind the locks.
        locks, compared = _ask_for_locks(staged.services), staging.ask_diff(staged)
        found = ask_again(checked)
        before = plausibility.ask_before(checked) if staged.rows else None
    held = dict(row for answer in locks for row in answer())
    if len(held) == len(staged.services):
        return _Compared(held, compared(), found and found(), before and before())
    return _Compared(lock(staged.services), staging.diff(staged))


def _judged(checked: Checked, months: list[ServiceMonthDiff], before: Before | None = None) -> Outcome:
    """Judged are deliveries that nothing is wrong with: of another one rows are missing."""
    if checked.faults:
        return Outcome(months)
    notes, closed = plausibility.look(checked, months, before)
    return Outcome(months, notes, closed)


def preview(checked: Checked, *, changes: int = 0) -> tuple[Outcome, list[ChangedValue]]:
    """What `deliver()` would do now, and the first `changes` values it would change; stores nothing."""
    with transaction.atomic():
        staged = staging.stage(checked, Delivery().pk)
        if checked.scope is not None:
            staging.stage_vanished(staged, checked.scope)
        outcome = _judged(checked, staging.diff(staged))
        changed = _changed_values(staged, changes) if changes else []
        transaction.set_rollback(True)
    return outcome, changed


def actor_text(principal: User | Credential) -> str:
    """Who delivers, as text that outlives the person or key."""
    if isinstance(principal, Credential):
        return f"{principal.name} ({principal.public_id})"
    return (
        f"{principal.display_name}, {principal.authority}" if principal.authority else principal.display_name
    )


def refuse(delivery: Delivery, checked: Checked) -> Delivery:
    """Keeps a refused delivery with its findings, so that people can see what failed and why."""
    findings = [*checked.faults, *checked.warnings]
    return refuse_findings(delivery, findings, row_count=checked.row_count, more_faults=checked.more_faults)


def refuse_findings(
    delivery: Delivery, findings: Sequence[Finding], *, row_count: int = 0, more_faults: int = 0
) -> Delivery:
    """The same for findings of any origin; `more_faults` were counted and not written out."""
    with transaction.atomic():
        delivery.status = Delivery.Status.REFUSED
        delivery.row_count = row_count
        listed = sum(not finding.is_warning for finding in findings)
        delivery.fault_count = listed + more_faults
        delivery.warning_count = len(findings) - listed
        delivery.finished_at = timezone.now()
        delivery.save()
        keep_findings(delivery, findings)
    return delivery


def lock(services: list[int]) -> dict[int, int]:
    """Takes the services' states, makes those that are missing, and returns their data versions."""
    held = _locked_versions(services)
    if missing := [pk for pk in services if pk not in held]:
        ServiceState.objects.bulk_create(
            [ServiceState(service_id=pk) for pk in missing], ignore_conflicts=True
        )
        held |= _locked_versions(missing)
    return held


def _locked_versions(services: Iterable[int]) -> dict[int, int]:
    with pipeline():
        locks = _ask_for_locks(services)
    return dict(row for answer in locks for row in answer())


def _ask_for_locks(services: Iterable[int]) -> list[Answer]:
    # Row by row in id order: the order keeps two deliveries from waiting for one another in a circle, and a
    # distributed database locks single rows only.
    sql = "SELECT service_id, version FROM service_state WHERE service_id = %s FOR UPDATE"
    return [ask(sql, [pk]) for pk in sorted(services)]


def record(delivery: Delivery, outcome: Outcome, *, row_count: int, warnings: Sequence[Finding] = ()) -> None:
    """The delivery itself and its part for each service; reference tables before the numbers."""
    months = [part.month for part in outcome.months]
    delivery.status = Delivery.Status.ACCEPTED
    delivery.row_count = row_count
    delivery.first_month, delivery.last_month = min(months, default=None), max(months, default=None)
    delivery.warning_count = len(warnings)
    for name in _COUNTS:
        setattr(delivery, f"{name}_count", outcome.total(name))
    delivery.finished_at = timezone.now()
    put(delivery)
    _write_parts(delivery, outcome)
    keep_findings(delivery, warnings)
    if kinds := {note.code for note in outcome.notes}:
        QualityCase.objects.create(delivery=delivery, kinds=sorted(kinds))


def _write_parts(delivery: Delivery, outcome: Outcome) -> None:
    parts: dict[int, list[int]] = {}
    for month in outcome.months:
        counts = parts.setdefault(month.service_id, [0, 0, 0, 0])
        for place, name in enumerate(_COUNTS):
            counts[place] += getattr(month, name)
    columns = {name: array(part[place] for part in parts.values()) for place, name in enumerate(_COUNTS)}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO transactions_deliveryservice
                   (delivery_id, service_id, new_count, changed_count, same_count, deleted_count)
            SELECT %(delivery)s, * FROM unnest(%(services)s::bigint[], %(new)s::int[], %(changed)s::int[],
                                               %(same)s::int[], %(deleted)s::int[])
            """,
            {"delivery": delivery.pk, "services": array(parts), **columns},
        )


def keep_findings(delivery: Delivery, findings: Sequence[Finding]) -> None:
    """Keeps the first of them beside the delivery."""
    if not findings:
        return
    severity = DeliveryFinding.Severity
    DeliveryFinding.objects.bulk_create(
        DeliveryFinding(
            delivery=delivery, line=finding.line, field=finding.field, code=finding.code, value=finding.value,
            params=finding.params, suggestion=finding.suggestion, pointer=finding.pointer,
            service_id=finding.service,
            severity=severity.WARNING if finding.is_warning else severity.FAULT,
        )
        for finding in findings[:MAX_FINDINGS_KEPT]
    )  # fmt: skip


def write_numbers(staged: Staged, delivery: Delivery, outcome: Outcome) -> None:
    """Writes what the diff says, and empties the stage."""
    with pipeline():
        if outcome.touched:
            _write_changes(staged, delivery, outcome)
        staging.unstage(staged)


def _write_changes(staged: Staged, delivery: Delivery, outcome: Outcome) -> None:
    """Revisions and totals first: they compare with the values that the facts still hold."""
    if outcome.closed:
        _mark_corrections(staged, outcome.closed)
    replaced, only_new = outcome.total("changed") + outcome.total("deleted"), not outcome.total("same")
    if replaced:
        _write_revisions(staged, delivery.reason)
    _write_totals(staged, all_new=only_new and not replaced, deletes=outcome.total("deleted") > 0)
    _write_facts(staged, outcome, all_new=only_new and not replaced)
    _write_service_months(outcome, at=delivery.received_at)
    _write_states(delivery, outcome)


def _write_revisions(staged: Staged, reason: str) -> None:
    staged.execute(
        f"""
        INSERT INTO count_revision
               (service_id, month, ars, number, old, new, action, old_delivery, delivery, reason)
        SELECT s.service_id, s.month, s.ars, coalesce(r.number, 0) + 1, f.count,
               CASE WHEN s.remove THEN NULL ELSE s.count END,
               CASE WHEN s.remove THEN 'geloescht' ELSE 'geaendert' END, f.delivery, %(delivery)s, %(reason)s
          FROM {staged.join}
          LEFT JOIN LATERAL (
                SELECT number FROM count_revision
                 WHERE service_id = s.service_id AND month = s.month AND ars = s.ars
                 ORDER BY number DESC LIMIT 1) r ON true
         WHERE {staged.mine} AND f.count IS NOT NULL AND (s.remove OR f.count <> s.count)
        """,
        reason=reason,
    )


def _mark_corrections(staged: Staged, closed: list[dt.date]) -> None:
    """What changes in closed months stays marked, also where it was not there before."""
    staged.execute(
        f"""
        INSERT INTO count_correction (service_id, month, ars, delivery)
        SELECT s.service_id, s.month, s.ars, %(delivery)s FROM {staged.join}
         WHERE {staged.mine} AND s.month = ANY(%(closed)s)
           AND CASE WHEN s.remove THEN f.count IS NOT NULL ELSE f.count IS DISTINCT FROM s.count END
        ON CONFLICT (service_id, month, ars) DO UPDATE SET delivery = excluded.delivery
        """,
        closed=closed,
    )


def _write_totals(staged: Staged, *, all_new: bool, deletes: bool) -> None:
    """Level 1, and what published services add to level 2; one statement, so that both see the same rows."""
    source = (
        f"SELECT s.service_id, s.month, left(s.ars, 5) || '0000000' AS region, sum(s.count)::bigint AS total,"
        f" count(*) AS rows FROM {staged.source} WHERE {staged.mine} GROUP BY 1, 2, 3"
        if all_new
        else f"""
        SELECT s.service_id, s.month, left(s.ars, 5) || '0000000' AS region,
               sum(s.count - coalesce(f.count, 0))::bigint AS total,
               sum((NOT s.remove)::int - (f.count IS NOT NULL)::int) AS rows
          FROM {staged.join} WHERE {staged.mine} AND (f.count IS NOT NULL OR NOT s.remove)
         GROUP BY 1, 2, 3
        HAVING sum(s.count - coalesce(f.count, 0)) <> 0
            OR sum((NOT s.remove)::int - (f.count IS NOT NULL)::int) <> 0"""
    )
    staged.execute(f"""
        WITH delta AS MATERIALIZED ({source}),
        level1 AS (
            INSERT INTO monthly_total AS t (service_id, month, region, total, rows)
            SELECT service_id, month, region, total, rows FROM delta
            ON CONFLICT (service_id, month, region)
            DO UPDATE SET total = t.total + excluded.total, rows = t.rows + excluded.rows
        )
        INSERT INTO region_total_delta (month, region, total, rows)
        SELECT month, {SHOWN_REGION}, sum(total), sum(rows)
          FROM delta JOIN services_onlineservice o ON o.id = delta.service_id
         WHERE o.id = ANY(%(services)s::bigint[]) AND o.published_at IS NOT NULL
         GROUP BY 1, 2
    """)
    if deletes:
        staged.execute(
            "DELETE FROM monthly_total WHERE rows = 0 AND service_id = ANY(%(services)s::bigint[])"
            " AND month BETWEEN %(first)s AND %(last)s"
        )


def _write_facts(staged: Staged, outcome: Outcome, *, all_new: bool) -> None:
    if outcome.total("deleted"):
        staged.execute(f"""
            DELETE FROM transaction_count f USING {staged.source}
             WHERE {staged.mine} AND s.remove
               AND f.service_id = s.service_id AND f.month = s.month AND f.ars = s.ars
               AND f.service_id = ANY(%(services)s::bigint[]) AND f.month BETWEEN %(first)s AND %(last)s
        """)
    if outcome.total("changed"):
        staged.execute(f"""
            UPDATE transaction_count f SET count = s.count, delivery = %(delivery)s FROM {staged.source}
             WHERE {staged.mine} AND NOT s.remove AND f.count <> s.count
               AND f.service_id = s.service_id AND f.month = s.month AND f.ars = s.ars
               AND f.service_id = ANY(%(services)s::bigint[]) AND f.month BETWEEN %(first)s AND %(last)s
        """)
    if outcome.total("new"):
        source = staged.source if all_new else staged.join
        absent = "" if all_new else "AND f.count IS NULL"
        staged.execute(f"""
            INSERT INTO transaction_count (service_id, month, ars, count, delivery)
            SELECT s.service_id, s.month, s.ars, s.count, %(delivery)s FROM {source}
             WHERE {staged.mine} AND NOT s.remove {absent}
        """)


def _write_service_months(outcome: Outcome, *, at: dt.datetime) -> None:
    parts = outcome.touched
    params: dict[str, Any] = {
        "services": array(part.service_id for part in parts), "months": array(part.month for part in parts),
        "totals": array(part.total for part in parts), "rows": array(part.rows for part in parts), "at": at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO service_month AS m
                   (service_id, month, total, rows, first_delivered_at, last_delivered_at)
            SELECT service_id, month, total, rows, %(at)s, %(at)s
              FROM unnest(%(services)s::bigint[], %(months)s::date[], %(totals)s::bigint[], %(rows)s::int[])
                   AS delta(service_id, month, total, rows)
            ON CONFLICT (service_id, month) DO UPDATE
            SET total = m.total + excluded.total, rows = m.rows + excluded.rows,
                last_delivered_at = excluded.last_delivered_at
            """,
            params,
        )
        if any(part.deleted for part in parts):
            cursor.execute(
                "DELETE FROM service_month WHERE rows = 0 AND service_id = ANY(%(services)s::bigint[])",
                params,
            )


def _write_states(delivery: Delivery, outcome: Outcome) -> None:
    services = sorted({part.service_id for part in outcome.touched})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE service_state s
               SET version = version + 1, last_delivery = %(delivery)s, last_delivered_at = %(at)s,
                   last_month = (SELECT max(month) FROM service_month m WHERE m.service_id = s.service_id)
             WHERE service_id = ANY(%(services)s::bigint[])
            """,
            {"delivery": delivery.pk, "at": delivery.received_at, "services": array(services)},
        )


@dataclass(frozen=True)
class ChangedValue:
    """A stored value that a delivery would replace (`new`) or take back (`new` is None)."""

    service_id: int
    month: dt.date
    ars: str
    region_name: str
    old: int
    new: int | None

    @property
    def difference(self) -> int:
        return (self.new or 0) - self.old


def _changed_values(staged: Staged, limit: int) -> list[ChangedValue]:
    rows = staged.fetch(
        f"""
        SELECT s.service_id, s.month, s.ars, r.name, f.count, CASE WHEN s.remove THEN NULL ELSE s.count END
          FROM {staged.join} JOIN ozgsync_region r ON r.ars = s.ars
         WHERE {staged.mine} AND f.count IS NOT NULL AND (s.remove OR f.count <> s.count)
         ORDER BY s.service_id, s.month DESC, s.ars LIMIT %(limit)s
        """,
        limit=limit,
    )
    return [ChangedValue(*row) for row in rows]
