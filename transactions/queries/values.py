"""Single values: those that a delivery set with what became of them, and a month's with their history."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from services.models import OnlineService
from transactions.models import CountRevision, Delivery, TransactionCount
from transactions.references import names

NEW, CHANGED, DELETED = "neu", "geaendert", "geloescht"
KINDS = (NEW, CHANGED, DELETED)


@dataclass(frozen=True, slots=True)
class SetValue:
    """What a delivery did to one value, and what holds today; None where nothing is reported."""

    service: OnlineService
    month: dt.date
    ars: str
    region: str
    kind: str
    before: int | None
    given: int | None
    today: int | None
    later: Delivery | None  # the first one to change it again

    @property
    def holds(self) -> bool:
        return self.later is None and self.today == self.given


# The values that a delivery set, by where they stand: a revision says what it replaced or removed; what it
# set anew is a fact of its own, or, once that was replaced, the old value of a later revision.
_WITHIN = "{0}.service_id = ANY(%(services)s) AND {0}.month BETWEEN %(first)s AND %(last)s"
_REPLACED = f"""
    SELECT r.service_id, r.month, r.ars, r.old AS before, r.new AS given, r.action AS kind
      FROM count_revision r
     WHERE r.delivery = %(delivery)s AND r.action = ANY(%(kinds)s) AND {_WITHIN.format("r")}
"""
_SET_ANEW = f"""
    SELECT v.service_id, v.month, v.ars, NULL::bigint AS before, v.count AS given, '{NEW}' AS kind
      FROM (SELECT f.service_id, f.month, f.ars, f.count FROM transaction_count f
             WHERE f.delivery = %(delivery)s AND {_WITHIN.format("f")}
             UNION ALL
            SELECT r.service_id, r.month, r.ars, r.old FROM count_revision r
             WHERE r.old_delivery = %(delivery)s AND {_WITHIN.format("r")}) v
     WHERE '{NEW}' = ANY(%(kinds)s)
       AND NOT EXISTS (SELECT 1 FROM count_revision mine
                        WHERE mine.service_id = v.service_id AND mine.month = v.month AND mine.ars = v.ars
                          AND mine.delivery = %(delivery)s)
"""
_ALL = f"({_REPLACED} UNION ALL {_SET_ANEW})"
_PAGE = f"""
    SELECT v.service_id, v.month, v.ars, g.name, v.kind, v.before, v.given, f.count,
           CASE WHEN v.kind = '{DELETED}' THEN f.delivery ELSE later.delivery END
      FROM (SELECT * FROM {_ALL} AS every ORDER BY service_id, month DESC, ars
             LIMIT %(limit)s OFFSET %(offset)s) v
      JOIN ozgsync_region g ON g.ars = v.ars
      LEFT JOIN transaction_count f
        ON f.service_id = v.service_id AND f.month = v.month AND f.ars = v.ars
      LEFT JOIN LATERAL (
            SELECT r.delivery FROM count_revision r
             WHERE r.service_id = v.service_id AND r.month = v.month AND r.ars = v.ars
               AND r.old_delivery = %(delivery)s LIMIT 1) later ON true
     ORDER BY v.service_id, v.month DESC, v.ars
"""


class SetValues(Sequence[SetValue]):
    """The values that a delivery set for these services, for a paginator: two queries more for each slice.

    `first` to `last` are months; `kinds` some of KINDS.
    """

    def __init__(
        self,
        delivery: Delivery,
        *,
        services: dict[int, OnlineService],
        first: dt.date,
        last: dt.date,
        kinds: Iterable[str] = KINDS,
    ) -> None:
        self.services = services
        self.params: dict[str, Any] = {
            "delivery": delivery.pk, "services": list(services), "first": first, "last": last,
            "kinds": list(kinds),
        }  # fmt: skip

    def __len__(self) -> int:
        return int(self._fetch(f"SELECT count(*) FROM {_ALL} AS every")[0][0])

    def __getitem__(self, part: Any) -> Any:
        start, stop = part.start or 0, part.stop
        rows = self._fetch(_PAGE, limit=stop - start, offset=start)
        later = Delivery.objects.in_bulk({row[-1] for row in rows if row[-1]})
        return [
            SetValue(self.services[pk], month, ars, region, kind, before, given, today, later.get(by))
            for pk, month, ars, region, kind, before, given, today, by in rows
        ]

    def _fetch(self, sql: str, **more: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self.params, **more})
            return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Step:
    """A value that held from a delivery on; None: it was taken back."""

    value: int | None
    delivery: Delivery | None


@dataclass(frozen=True, slots=True)
class RegionValue:
    """What is reported for a region, and the steps that led there, the newest first."""

    ars: str
    region: str
    steps: list[Step]

    @property
    def current(self) -> Step:
        return self.steps[0]

    @property
    def earlier(self) -> list[Step]:
        return self.steps[1:]


def regions_of_month(service: OnlineService, month: dt.date) -> QuerySet[Any]:
    """The keys of all regions that a value is or was reported for."""
    of_month = {"service": service, "month": month}
    facts = TransactionCount.objects.filter(**of_month).order_by().values_list("ars_id")
    return facts.union(CountRevision.objects.filter(**of_month).order_by().values_list("ars_id")).order_by(
        "ars_id"
    )


def month_values(service: OnlineService, month: dt.date, keys: Sequence[str]) -> list[RegionValue]:
    """These regions' values with their history; four queries."""
    chosen = {"service": service, "month": month, "ars__in": keys}
    facts = {
        ars: (count, pk)
        for ars, count, pk in TransactionCount.objects.filter(**chosen).values_list(
            "ars_id", "count", "delivery"
        )
    }
    steps: dict[str, list[tuple[int | None, uuid.UUID]]] = {ars: [] for ars in keys}
    for row in CountRevision.objects.filter(**chosen).order_by("ars", "number"):
        _add(steps[row.ars_id], row.old, row.old_delivery)
        _add(steps[row.ars_id], row.new, row.delivery)
    for ars, fact in facts.items():
        _add(steps[ars], *fact)
    sent = Delivery.objects.in_bulk({pk for several in steps.values() for _value, pk in several})
    named = names(keys)
    return [
        RegionValue(ars, named[ars], [Step(value, sent.get(pk)) for value, pk in reversed(steps[ars])])
        for ars in keys
    ]


def _add(steps: list[tuple[int | None, uuid.UUID]], value: int | None, delivery: uuid.UUID) -> None:
    """Each revision names the value before it as well, which the one before has named already."""
    if not steps or steps[-1][1] != delivery:
        steps.append((value, delivery))
