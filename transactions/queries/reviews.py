"""What the preview of an upload says beside its findings: sums before and after, rows, what is missing."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

import numpy as np

from ozgsync.models import Level, Region
from services.models import OnlineService, ReportingLevel
from transactions import report
from transactions.checks import Checked, month_number, month_of
from transactions.delivery import Outcome
from transactions.models import Delivery, ServiceMonth, TransactionCount
from transactions.references import names
from transactions.staging import ServiceMonthDiff
from transactions.uploads import Review
from transactions.values import REMOVE


@dataclass(frozen=True)
class MonthChange:
    """A service's sum of a month before and after; None where nothing is reported."""

    service: OnlineService
    month: dt.date
    before: int | None
    after: int | None

    @property
    def difference(self) -> int:
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True)
class SampleRow:
    """A row of the file as it was understood; `count` None takes the stored value back."""

    line: int
    service: OnlineService
    region: str
    month: dt.date
    count: int | None
    result: str


def services_of(checked: Checked) -> dict[int, OnlineService]:
    return OnlineService.objects.in_bulk(checked.services)


def month_changes(outcome: Outcome, services: dict[int, OnlineService], *, limit: int) -> list[MonthChange]:
    """The newest months that would change, each service's sum before and after."""
    touched = sorted(outcome.touched, key=lambda part: (part.month, -part.service_id), reverse=True)[:limit]
    stored = {
        (row.service_id, row.month): row
        for row in ServiceMonth.objects.filter(
            service__in={part.service_id for part in touched}, month__in={part.month for part in touched}
        )
    }
    return [
        _month_change(part, services[part.service_id], stored.get((part.service_id, part.month)))
        for part in touched
    ]


def _month_change(part: ServiceMonthDiff, service: OnlineService, stored: ServiceMonth | None) -> MonthChange:
    total, rows = (stored.total, stored.rows) if stored else (0, 0)
    after = total + part.total if rows + part.rows else None
    return MonthChange(service, part.month, stored.total if stored else None, after)


def sample(review: Review, services: dict[int, OnlineService], *, limit: int) -> list[SampleRow]:
    """The first rows of the file with what would become of each."""
    if review.rows is None or review.checked is None:
        return []
    chosen = _first_rows(review.checked, limit)
    results = report.row_results(chosen, Delivery())
    regions = names([key.decode() for key in chosen.ars.tolist()])
    found = [
        SampleRow(
            int(review.rows.line[chosen.row[index]]),
            services[int(chosen.service[index])],
            regions[chosen.ars[index].decode()],
            month_of(int(chosen.month[index])),
            None if chosen.count[index] == REMOVE else int(chosen.count[index]),
            result,
        )
        for index, result in enumerate(results)
    ]
    return sorted(found, key=lambda row: row.line)


def _first_rows(checked: Checked, limit: int) -> Checked:
    """The rows that come first in the file; they keep the order of `checked`."""
    if len(checked) <= limit:
        return checked
    keep = checked.row <= np.partition(checked.row, limit - 1)[limit - 1]
    arrays = {name: getattr(checked, name)[keep] for name in ("service", "month", "ars", "count", "row")}
    return dataclasses.replace(checked, services=sorted(set(arrays["service"].tolist())), **arrays)


@dataclass(frozen=True)
class Laender:
    """Which Länder a month of a service that reports by Land has after the delivery."""

    expected: int
    missing: list[str]

    @property
    def present(self) -> int:
        return self.expected - len(self.missing)


def laender(checked: Checked, service: OnlineService, month: dt.date) -> Laender | None:
    """None for services that report at another level."""
    if service.reporting_level != ReportingLevel.LAND:
        return None
    every = Region.objects.valid_in(month).at_level(Level.LAND)
    area = every.filter(services=service)
    expected = dict((area if area.exists() else every).values_list("ars", "name"))
    stored = TransactionCount.objects.filter(service=service, month=month).values_list("ars_id", flat=True)
    of_month = (checked.service == service.pk) & (checked.month == month_number(month))
    taken = checked.count == REMOVE
    there = set(stored) - _keys(checked, of_month & taken) | _keys(checked, of_month & ~taken)
    return Laender(len(expected), sorted(name for ars, name in expected.items() if ars not in there))


def _keys(checked: Checked, rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> set[str]:
    return {key.decode() for key in checked.ars[rows].tolist()}
