"""Rows of a delivery on their way into the database, and the one diff.

Many go into the staging table by COPY. Few travel as an array with each statement: filling the table and
emptying it would be half of what they cost. The statements are the same, as both are a source of rows `s`.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from transactions.checks import FEW, Checked, ServiceMonthKey
from transactions.columns import Ints
from transactions.references import month_of
from transactions.values import REMOVE
from zsk.statements import array, ask, tell

_FACT = {"service_id": ">i8", "delivery": "V16", "month": ">i4", "ars": "S12", "count": ">i8"}
_STAGED = {**_FACT, "remove": "u1"}
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
BLOCK = 100_000
_DAY_ZERO = np.datetime64("2000-01-01", "D")  # PostgreSQL counts days from here

_TABLE = "staged_count s"
_TABLE_MINE = "s.delivery = %(delivery)s AND s.service_id = ANY(%(services)s::bigint[])"
_ARRAYS = """
    unnest(%(row_services)s::bigint[], %(row_months)s::date[], %(row_ars)s::text[], %(row_counts)s::bigint[],
           %(row_removes)s::boolean[]) AS s(service_id, month, ars, count, remove)
"""
# The joined tables are filtered by the services and months at hand as well: without it a distributed
# database would fetch all facts, and a plain one reads more than it must.
_JOIN = """
    {source} LEFT JOIN transaction_count f
        ON f.service_id = s.service_id AND f.month = s.month AND f.ars = s.ars
       AND f.service_id = ANY(%(services)s::bigint[]) AND f.month BETWEEN %(first)s AND %(last)s
"""


@dataclass(frozen=True)
class ServiceMonthDiff:
    """What a delivery would do to one service's month; `total` and `rows` are changes of its sums."""

    service_id: int
    month: dt.date
    new: int
    changed: int
    same: int
    deleted: int
    total: int
    rows: int

    @property
    def touched(self) -> int:
        return self.new + self.changed + self.deleted


@dataclass(frozen=True)
class Staged:
    """Rows of one delivery; must be used inside the transaction that staged them.

    `rows` are their columns where they are few and not in the staging table. Statements name the rows `s`,
    by `source` alone or by `join` together with the stored values `f`, and choose them by `mine`.
    """

    delivery: uuid.UUID
    services: list[int]
    first: dt.date
    last: dt.date
    rows: dict[str, str] | None = None

    @property
    def source(self) -> str:
        return _TABLE if self.rows is None else _ARRAYS

    @property
    def join(self) -> str:
        return f"{_JOIN.format(source=self.source)} {self.stored}"

    @property
    def stored(self) -> str:
        """A condition on the stored values: of a month with thousands few rows need only theirs."""
        return "" if self.rows is None else "AND f.ars = ANY(%(row_ars)s::text[])"

    @property
    def mine(self) -> str:
        return _TABLE_MINE if self.rows is None else "true"

    @functools.cached_property
    def params(self) -> dict[str, Any]:
        return {
            "delivery": self.delivery, "services": array(self.services), "first": self.first,
            "last": self.last, **(self.rows or {}),
        }  # fmt: skip

    def execute(self, sql: str, **more: Any) -> None:
        """Runs a statement on the rows."""
        tell(sql, {**self.params, **more})

    def fetch(self, sql: str, **more: Any) -> list[tuple[Any, ...]]:
        return ask(sql, {**self.params, **more})()


def is_few(checked: Checked) -> bool:
    return len(checked) <= FEW and checked.scope is None


def stage(checked: Checked, delivery: uuid.UUID) -> Staged:
    """Makes the checked rows known to the statements that follow: by COPY, about a second per million."""
    if is_few(checked):
        return Staged(delivery, *_extent(checked), _arrays(checked))
    _copy("staged_count", _STAGED, checked, delivery, blocks(checked))
    expect_many_rows()
    return Staged(delivery, *_extent(checked))


def copy_facts(checked: Checked, delivery: uuid.UUID) -> None:
    """Puts the numbers where they stay; nothing may be stored for their services' months."""
    kept = (part.start + np.flatnonzero(checked.count[part] != REMOVE) for part in blocks(checked))
    _copy("transaction_count", _FACT, checked, delivery, kept)


def blocks(checked: Checked) -> Iterator[slice]:
    for start in range(0, len(checked), BLOCK):
        yield slice(start, start + BLOCK)


def _copy(
    table: str, columns: dict[str, str], checked: Checked, delivery: uuid.UUID, parts: Iterable[slice | Ints]
) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(_HEADER)
        for part in parts:
            copy.write(_records(columns, checked, delivery, part))
        copy.write(_TRAILER)


def expect_many_rows() -> None:
    """Makes every join in this transaction a linear one.

    The staging table has no statistics: the planner takes it for nearly empty and would compare each of its
    rows with each stored one. For a few rows that is right, as it looks each of them up. A plan kept from
    such a delivery must not be used either.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('enable_nestloop', 'off', true),"
            " set_config('plan_cache_mode', 'force_custom_plan', true)"
        )


def _extent(checked: Checked) -> tuple[list[int], dt.date, dt.date]:
    scope = checked.scope or frozenset()
    days = [month for _pk, month in scope]
    if len(checked):
        days += [day.item() for day in _days(np.array([checked.month.min(), checked.month.max()]))]
    return services_of(checked), min(days, default=dt.date.max), max(days, default=dt.date.min)


def services_of(checked: Checked) -> list[int]:
    return sorted({*checked.services, *(pk for pk, _month in checked.scope or ())})


def _days(month: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return month.astype("datetime64[M]").astype("datetime64[D]")


def _arrays(checked: Checked) -> dict[str, str]:
    remove = checked.count == REMOVE
    return {
        "row_services": array(checked.service.tolist()),
        "row_months": array(map(month_of, checked.month.tolist())),
        "row_ars": array(key.decode() for key in checked.ars.tolist()),
        "row_counts": array(np.where(remove, 0, checked.count).tolist()),
        "row_removes": array(remove.tolist()),
    }


def _records(columns: dict[str, str], checked: Checked, delivery: uuid.UUID, part: slice | Ints) -> bytes:
    """COPY's binary form. Every field has a fixed width, so that an array of records is what is sent."""
    sized = (((f"{name}_size", ">i4"), (name, form)) for name, form in columns.items())
    record = np.dtype([("fields", ">i2"), *itertools.chain.from_iterable(sized)])
    records = np.zeros(len(checked.service[part]), record)
    records["fields"] = len(columns)
    for name in columns:
        records[f"{name}_size"] = record[name].itemsize
    remove = checked.count[part] == REMOVE
    records["service_id"] = checked.service[part]
    records["delivery"] = np.frombuffer(delivery.bytes, "V16")
    records["month"] = (_days(checked.month[part]) - _DAY_ZERO).astype(np.int64)
    records["ars"] = checked.ars[part]
    records["count"] = np.where(remove, 0, checked.count[part])
    if "remove" in columns:
        records["remove"] = remove
    return records.tobytes()


def stage_vanished(staged: Staged, scope: Iterable[ServiceMonthKey]) -> None:
    """For replacing: every stored value of the scope that the delivery does not name is to be taken back."""
    pairs = sorted(scope)
    staged.execute(
        """
        INSERT INTO staged_count (service_id, delivery, month, ars, count, remove)
        SELECT f.service_id, %(delivery)s, f.month, f.ars, 0, true
          FROM transaction_count f
          JOIN unnest(%(ids)s::bigint[], %(months)s::date[]) AS scope(service_id, month)
            ON f.service_id = scope.service_id AND f.month = scope.month
          LEFT JOIN staged_count s
            ON s.service_id = f.service_id AND s.delivery = %(delivery)s
           AND s.month = f.month AND s.ars = f.ars
         WHERE f.service_id = ANY(%(services)s::bigint[]) AND f.month BETWEEN %(first)s AND %(last)s
           AND s.ars IS NULL
        """,
        ids=array(pk for pk, _month in pairs),
        months=array(month for _pk, month in pairs),
    )


def ask_diff(staged: Staged) -> Callable[[], list[ServiceMonthDiff]]:
    """The one comparison of what is staged with what is stored, per service and month."""
    answer = ask(
        f"""
        SELECT s.service_id, s.month,
               count(*) FILTER (WHERE NOT s.remove AND f.count IS NULL),
               count(*) FILTER (WHERE NOT s.remove AND f.count <> s.count),
               count(*) FILTER (WHERE CASE WHEN s.remove THEN f.count IS NULL ELSE f.count = s.count END),
               count(*) FILTER (WHERE s.remove AND f.count IS NOT NULL),
               sum(s.count - coalesce(f.count, 0))::bigint,
               count(*) FILTER (WHERE NOT s.remove AND f.count IS NULL)
             - count(*) FILTER (WHERE s.remove AND f.count IS NOT NULL)
          FROM {staged.join} WHERE {staged.mine}
         GROUP BY s.service_id, s.month ORDER BY s.service_id, s.month
        """,
        staged.params,
    )
    return lambda: [ServiceMonthDiff(*row) for row in answer()]


def diff(staged: Staged) -> list[ServiceMonthDiff]:
    return ask_diff(staged)()


def unstage(staged: Staged) -> None:
    if staged.rows is None:
        staged.execute(f"DELETE FROM {staged.source} WHERE {staged.mine}")
