"""Deliveries for months that nothing is stored for yet, as most large ones are.

All of their numbers are new, so that nothing needs to be staged and compared: their sums are made here, and
they go by COPY straight to the facts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transactions import numbers, staging
from transactions.checks import Checked
from transactions.columns import Ints
from transactions.models import Delivery
from transactions.references import month_of
from transactions.staging import ServiceMonthDiff
from transactions.values import REMOVE
from zsk.statements import array, ask, commit, pipeline

_Column = npt.NDArray[Any]


def is_fresh(checked: Checked) -> bool:
    """Whether nothing is stored for any of the services' months; few rows are not worth the question.

    With the services' locks held it stays so until the transaction ends.
    """
    if staging.is_few(checked):
        return False
    starts = _starts(checked.service, checked.month)
    keys = zip(checked.service[starts].tolist(), map(month_of, checked.month[starts].tolist()), strict=True)
    pairs = checked.scope or list(keys)
    services, months = array(pk for pk, _month in pairs), array(month for _pk, month in pairs)
    return not ask(_ONE_STORED, {"services": services, "months": months})()


_ONE_STORED = """
    SELECT 1 FROM unnest(%(services)s::bigint[], %(months)s::date[]) AS wanted (service_id, month)
      JOIN service_month USING (service_id, month)
     WHERE service_id = ANY(%(services)s::bigint[]) LIMIT 1
"""


@dataclass(frozen=True)
class Fresh:
    """The rows and their sums by service, month and Kreis or above, by the first five digits of its key.

    `rows` of them are numbers, `removes` take away what is not there. A key may have two sums.
    """

    checked: Checked
    service: Ints
    month: Ints
    region: npt.NDArray[np.bytes_]
    total: Ints
    rows: Ints
    removes: Ints

    @classmethod
    def of(cls, checked: Checked) -> Fresh:
        # Block by block: of five million rows, a copy of each column would be hundreds of megabytes.
        parts = [_sums(checked, part) for part in staging.blocks(checked)] or [_sums(checked, slice(0))]
        return cls(checked, *map(np.concatenate, zip(*parts, strict=True)))

    def diff(self) -> list[ServiceMonthDiff]:
        """What `staging.diff()` would find."""
        starts = _starts(self.service, self.month)
        total, new, same = (_added(part, starts) for part in (self.total, self.rows, self.removes))
        columns = (self.service[starts], self.month[starts], total, new, same)
        return [
            ServiceMonthDiff(service, month_of(month), new, 0, same, 0, total, new)
            for service, month, total, new, same in zip(*(column.tolist() for column in columns), strict=True)
        ]

    def write(
        self, delivery: Delivery, months: Sequence[ServiceMonthDiff], closed: Sequence[dt.date], *, ends: bool
    ) -> None:
        """Writes what `numbers.write()` would, outside of a pipeline. `ends`: nothing follows."""
        staging.copy_facts(self.checked, delivery.pk)
        with pipeline():
            numbers.add(delivery, months, closed, self.checked.levels, self._totals())
            if ends:
                commit()

    def _totals(self) -> dict[str, str]:
        there = np.flatnonzero(self.rows)
        return {
            "of_services": array(self.service[there].tolist()),
            "of_months": array(map(month_of, self.month[there].tolist())),
            "of_regions": array(key.decode() + "0000000" for key in self.region[there].tolist()),
            "of_totals": array(self.total[there].tolist()),
            "of_rows": array(self.rows[there].tolist()),
        }


def _sums(checked: Checked, part: slice) -> tuple[_Column, ...]:
    service, month, region = checked.service[part], checked.month[part], checked.ars[part].astype("S5")
    starts, removes = _starts(service, month, region), checked.count[part] == REMOVE
    added = (
        _added(column, starts) for column in (np.where(removes, 0, checked.count[part]), ~removes, removes)
    )
    return service[starts], month[starts], region[starts], *added


def _starts(*columns: _Column) -> Ints:
    """Where rows with other values in these columns begin."""
    new = np.zeros(len(columns[0]), np.bool_)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)


def _added(column: _Column, starts: Ints) -> Ints:
    """The sum of each stretch that begins there."""
    if not len(starts):
        return np.empty(0, np.int64)
    return np.add.reduceat(column, starts, dtype=np.int64)
