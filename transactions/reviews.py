"""What the check of an uploaded file found, kept so that its preview costs little, however large it is."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from accounts.models import User
from services.models import OnlineService
from transactions.checks import Checked
from transactions.closing import closed_in
from transactions.delivery import ChangedValue, Outcome, preview
from transactions.findings import Finding
from transactions.models import Delivery, DeliveryReview
from transactions.queries import samples
from transactions.queries.samples import Laender, Sample
from transactions.references import versions
from transactions.rows import Rows
from transactions.staging import ServiceMonthDiff
from zsk import months

CHANGES_SHOWN = 20
MONTHS_SHOWN = 20
ROWS_SHOWN = 10


@dataclass(frozen=True)
class Review:
    """What an uploaded file would do. `row_count` None: the file as a whole was not readable.

    `outcome` sums up all services by month; `newest` are the parts of the newest months, one for each
    service, of `touched_parts` in all. `seen` stands for the stored data that they were compared with;
    confirming repeats it. `changed_since`: the person has confirmed an earlier review, too late.
    `findings` are the first ones, of `fault_count` faults.
    """

    fault_count: int
    row_count: int | None = None
    faulty_rows: int = 0
    outcome: Outcome = field(default_factory=Outcome)
    services: list[int] = field(default_factory=list)
    touched_services: list[int] = field(default_factory=list)
    touched_parts: int = 0
    newest: list[ServiceMonthDiff] = field(default_factory=list)
    changed: list[ChangedValue] = field(default_factory=list)
    sample: list[Sample] = field(default_factory=list)
    laender: Laender | None = None
    seen: str = ""
    running: str = ""
    changed_since: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_broken_off(self) -> bool:
        """Our fault, not the file's."""
        return any(finding.code == "abgebrochen" for finding in self.findings)

    def is_outdated(self, *, by: User) -> bool:
        """Whether a check could find something else now: stored data, the person's services, the month."""
        return (
            self.running != str(months.running())
            or lost(self.services, by=by)
            or self.seen != fingerprint(versions(self.services))
        )

    def closed_now(self) -> list[dt.date]:
        """Which of the months that it would change are closed by now."""
        return closed_in({part.month for part in self.outcome.touched})


def lost(services: Sequence[int], *, by: User) -> bool:
    """Whether the person may not deliver for all of these services any more."""
    return OnlineService.objects.deliverable_by(by).filter(pk__in=services).count() != len(services)


def fingerprint(current: Mapping[int, int]) -> str:
    """Stands for the stored data of services by their versions."""
    return hashlib.sha256(json.dumps(sorted(current.items())).encode()).hexdigest()[:32]


def make(rows: Rows, checked: Checked, *, changed_since: bool = False) -> Review:
    """Compares the rows with what is stored, and keeps of them what the preview shows."""
    # Before the comparison: what is delivered meanwhile makes it outdated.
    stored = fingerprint(versions(checked.services))
    outcome, changed = preview(checked, changes=CHANGES_SHOWN)
    touched = outcome.touched
    services = sorted({part.service_id for part in touched})
    newest = sorted(touched, key=lambda part: (part.month, -part.service_id), reverse=True)[:MONTHS_SHOWN]
    return Review(
        checked.fault_count, checked.row_count, checked.faulty_rows,
        by_month(outcome), checked.services, services, len(touched), newest, changed,
        samples.first_rows(rows, checked, limit=ROWS_SHOWN),
        samples.laender(checked, services[0], newest[0].month) if len(services) == 1 else None,
        stored, str(months.running()), changed_since, outcome.notes,
    )  # fmt: skip


def by_month(outcome: Outcome) -> Outcome:
    """The same, all services together."""
    sums: dict[dt.date, list[int]] = {}
    for part in outcome.months:
        counts = [part.new, part.changed, part.same, part.deleted, part.total, part.rows]
        before = sums.setdefault(part.month, [0] * len(counts))
        sums[part.month] = [one + other for one, other in zip(before, counts, strict=True)]
    return Outcome([ServiceMonthDiff(0, month, *counts) for month, counts in sorted(sums.items())])


def keep(delivery: Delivery, review: Review) -> None:
    """Its findings are kept with the delivery."""
    content = asdict(review)
    del content["findings"]
    content["outcome"] = content["outcome"]["months"]
    text = json.loads(json.dumps(content, default=str))
    DeliveryReview.objects.update_or_create(delivery=delivery, defaults={"content": text})


def load(delivery: Delivery) -> Review | None:
    """None where the file has not been checked yet."""
    kept = DeliveryReview.objects.filter(delivery=delivery).first()
    if kept is None:
        return None
    content: dict[str, Any] = dict(kept.content)
    content["outcome"] = Outcome(_dated(ServiceMonthDiff, content["outcome"]))
    content["newest"] = _dated(ServiceMonthDiff, content["newest"])
    content["changed"] = _dated(ChangedValue, content["changed"])
    content["sample"] = _dated(Sample, content["sample"])
    content["laender"] = Laender(**content["laender"]) if content["laender"] else None
    return Review(**content, findings=[Finding.from_stored(row) for row in delivery.findings.all()])


def of_refused(delivery: Delivery) -> Review:
    """Of one whose check came to no end."""
    findings = [Finding.from_stored(row) for row in delivery.findings.all()]
    return Review(delivery.fault_count, findings=findings)


def _dated(kind: Any, rows: Sequence[dict[str, Any]]) -> list[Any]:
    return [kind(**{**row, "month": dt.date.fromisoformat(row["month"])}) for row in rows]
