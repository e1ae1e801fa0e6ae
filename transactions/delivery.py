"""The one way in: nothing else ever writes a count.

`deliver()` stages the checked rows, takes the lock of each service concerned, compares with what is stored
and writes revisions, facts, totals and states in one transaction. Rows of months that nothing is stored for
go straight to the facts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from services.models import Credential, ServiceState
from transactions import contents, numbers, plausibility, staging
from transactions.checks import Checked, ask_again, check_again
from transactions.findings import Finding
from transactions.fresh import Fresh, is_fresh
from transactions.models import Delivery, DeliveryFinding, QualityCase
from transactions.notes import CLOSED
from transactions.past import Before
from transactions.staging import ServiceMonthDiff, Staged
from zsk.statements import (
    Answer,
    Statement,
    array,
    ask,
    commit,
    pipeline,
    putting,
    tell,
    tell_at_once,
)

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
    rows, held, months, found, before = _lock_and_compare(checked, delivery)
    if expected is not None and held != {pk: expected.get(pk, 0) for pk in held}:
        raise StoredDataChanged
    checked = check_again(checked, held, found)
    outcome = _judged(checked, months, before)
    if outcome.closed and not delivery.reason:
        faults = plausibility.closed_faults(checked, outcome.months, outcome.closed)
        checked = replace(checked, faults=faults)
    if checked.faults:
        if isinstance(rows, Staged):
            staging.unstage(rows)
        return checked
    checked = replace(checked, warnings=[*outcome.notes, *checked.warnings])
    with pipeline():
        record(delivery, outcome, row_count=checked.row_count, warnings=checked.warnings, content=content)
        if isinstance(rows, Staged):
            numbers.write(rows, delivery, outcome.months, outcome.closed, checked.levels)
            if ends:
                commit()
    if isinstance(rows, Fresh):
        rows.write(delivery, outcome.months, outcome.closed, ends=ends)
    return checked


class _Compared(NamedTuple):
    """The services' versions and the diff as they are with the locks held; of few rows the rest as well."""

    rows: Staged | Fresh
    held: dict[int, int]
    months: list[ServiceMonthDiff]
    found: list[Finding] | None = None
    before: Before | None = None


def _lock_and_compare(checked: Checked, delivery: Delivery) -> _Compared:
    if is_fresh(checked):
        fresh = Fresh.of(checked)
        held = lock(staging.services_of(checked))
        if is_fresh(checked):  # nobody was faster
            return _Compared(fresh, held, fresh.diff())
    staged = staging.stage(checked, delivery.pk)
    if checked.scope is not None:
        held = lock(staged.services)
        staging.stage_vanished(staged, checked.scope)
        return _Compared(staged, held, staging.diff(staged))
    with pipeline():
        # In one go: a statement sees what is stored when it begins, and the diff begins behind the locks.
        locks, compared = _ask_for_locks(staged.services, few=bool(staged.rows)), staging.ask_diff(staged)
        found = ask_again(checked)
        before = plausibility.ask_before(checked) if staged.rows else None
    held = _versions(locks)
    if len(held) == len(staged.services):
        return _Compared(staged, held, compared(), found and found(), before and before())
    return _Compared(staged, lock(staged.services), staging.diff(staged))


def _judged(checked: Checked, months: list[ServiceMonthDiff], before: Before | None = None) -> Outcome:
    """Judged are deliveries that nothing is wrong with: of another one rows are missing."""
    if checked.faults:
        return Outcome(months)
    notes, closed = plausibility.look(checked, months, before)
    return Outcome(months, notes, closed)


def preview(checked: Checked, *, changes: int = 0) -> tuple[Outcome, list[ChangedValue]]:
    """What `deliver()` would do now, and the first `changes` values it would change; stores nothing."""
    with transaction.atomic():
        if is_fresh(checked):
            return _judged(checked, Fresh.of(checked).diff()), []
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
    return _versions(locks)


def _ask_for_locks(services: Iterable[int], *, few: bool = False) -> list[Answer]:
    # Row by row in id order: the order keeps two deliveries from waiting for one another in a circle, and a
    # distributed database locks single rows only.
    statement = _LOCK_FOR_FEW if few else _LOCK
    return [ask(statement, [pk]) for pk in sorted(services)]


_LOCK = "SELECT service_id, version FROM service_state WHERE service_id = %s FOR UPDATE"
# The database does not know that arrays are short, and would plan the statements on few rows anew each time.
_LOCK_FOR_FEW = _LOCK.replace(" FROM", ", set_config('plan_cache_mode', 'force_generic_plan', true) FROM")


def _versions(locks: Iterable[Answer]) -> dict[int, int]:
    return {row[0]: row[1] for answer in locks for row in answer()}


def record(
    delivery: Delivery,
    outcome: Outcome,
    *,
    row_count: int,
    warnings: Sequence[Finding] = (),
    content: Iterable[bytes] = (),
) -> None:
    """The delivery itself, its part for each service and its content; reference tables before the numbers."""
    months = [part.month for part in outcome.months]
    delivery.status = Delivery.Status.ACCEPTED
    delivery.row_count = row_count
    delivery.first_month, delivery.last_month = min(months, default=None), max(months, default=None)
    delivery.warning_count = len(warnings)
    for name in _COUNTS:
        setattr(delivery, f"{name}_count", outcome.total(name))
    delivery.finished_at = timezone.now()
    kept = contents.keeping(delivery, content)
    tell_at_once([putting(delivery), _parts(delivery, outcome), *islice(kept, 1)])
    for statement in kept:
        tell(*statement)
    keep_findings(delivery, warnings)
    if kinds := {note.code for note in outcome.notes}:
        QualityCase.objects.create(delivery=delivery, kinds=sorted(kinds))


def _parts(delivery: Delivery, outcome: Outcome) -> Statement:
    parts: dict[int, list[int]] = {}
    for month in outcome.months:
        counts = parts.setdefault(month.service_id, [0, 0, 0, 0])
        for place, name in enumerate(_COUNTS):
            counts[place] += getattr(month, name)
    columns = {name: array(part[place] for part in parts.values()) for place, name in enumerate(_COUNTS)}
    return (
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
