"""What a check keeps of a file for its preview: the first rows, and which Länder a month has then."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

import numpy as np

from ozgsync.models import Level, Region
from services.models import OnlineService, ReportingLevel
from transactions import report
from transactions.checks import Checked, month_number, month_of
from transactions.models import Delivery, TransactionCount
from transactions.references import names
from transactions.rows import Rows
from transactions.values import REMOVE


@dataclass(frozen=True)
class Sample:
    """A row of the file as it was understood; `count` None takes the stored value back."""

    line: int
    service_id: int
    region: str
    month: dt.date
    count: int | None
    result: str


@dataclass(frozen=True)
class Laender:
    """Which Länder a month of a service that reports by Land has after the delivery."""

    expected: int
    missing: list[str]

    @property
    def present(self) -> int:
        return self.expected - len(self.missing)


def first_rows(rows: Rows, checked: Checked, *, limit: int) -> list[Sample]:
    """The first rows of the file with what would become of each."""
    chosen = _first_rows(checked, limit)
    results = report.row_results(chosen, Delivery())
    regions = names([key.decode() for key in chosen.ars.tolist()])
    found = [
        Sample(
            int(rows.line[chosen.row[index]]),
            int(chosen.service[index]),
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


def laender(checked: Checked, service_id: int, month: dt.date) -> Laender | None:
    """None for services that report at another level."""
    service = OnlineService.objects.get(pk=service_id)
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
