"""Single values: those that a delivery set with what became of them, and a month's with their history."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Sum

from services.models import OnlineService
from transactions.models import CountRevision, Delivery, TransactionCount
from transactions.references import names

NEW, CHANGED, DELETED = "neu", "geaendert", "geloescht"
KINDS = (NEW, CHANGED, DELETED)
BLOCK = 1_000
_Row = tuple[Any, ...]


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

    @property
    def key(self) -> Key:
        return self.service.pk, self.month, self.ars


# Service, month and ARS: where a value stands, in the order of both tables' keys.
Key = tuple[int, dt.date, str]
FIRST: Key = (0, dt.date.min, "")
LAST: Key = (2**63 - 1, dt.date.max, "~")
# One comparison of rows for each end: with one of the month beside it PostgreSQL would begin at that.
_IN = """
    {0}.service_id = s.pk AND ({0}.month, {0}.ars) > (s.low_month, s.low_ars)
    AND ({0}.month, {0}.ars) < (s.high_month, s.high_ars)
"""
# Counted, for a join would read all revisions of the delivery instead of those of the few values in question.
_NOT_REVISED = """
    (SELECT count(*) FROM count_revision mine
      WHERE mine.service_id = {0}.service_id AND mine.month = {0}.month AND mine.ars = {0}.ars
        AND mine.delivery = %(delivery)s) = 0
"""
# A revision says what the delivery replaced or removed; what it set anew is a fact of its own, or, once that
# was replaced, the old value of a later revision.
_REVISIONS = f"""
    SELECT r.service_id, r.month, r.ars,
           CASE WHEN r.delivery = %(delivery)s THEN r.action ELSE '{NEW}' END,
           CASE WHEN r.delivery = %(delivery)s THEN r.old END,
           CASE WHEN r.delivery = %(delivery)s THEN r.new ELSE r.old END
      FROM count_revision r
     WHERE {_IN.format("r")}
       AND (r.delivery = %(delivery)s AND r.action = ANY(%(kinds)s)
            OR r.old_delivery = %(delivery)s AND '{NEW}' = ANY(%(kinds)s) AND {_NOT_REVISED.format("r")})
"""
_FACTS = f"""
    SELECT f.service_id, f.month, f.ars, '{NEW}', NULL::bigint, f.count
      FROM transaction_count f
     WHERE {_IN.format("f")}
       AND f.delivery = %(delivery)s AND '{NEW}' = ANY(%(kinds)s) AND {_NOT_REVISED.format("f")}
"""
_SOME = """
    SELECT v.* FROM unnest(%(services)s::bigint[], %(low_months)s::date[], %(low_ars)s::text[],
                           %(high_months)s::date[], %(high_ars)s::text[])
                    AS s (pk, low_month, low_ars, high_month, high_ars)
     CROSS JOIN LATERAL ({values} ORDER BY month {way}, ars {way} LIMIT %(limit)s) v
     ORDER BY service_id {way}, month {way}, ars {way} LIMIT %(limit)s
"""
_SINCE = f"""
    SELECT g.name, f.count, CASE WHEN v.kind = '{DELETED}' THEN f.delivery ELSE (
             SELECT r.delivery FROM count_revision r
              WHERE r.service_id = v.service_id AND r.month = v.month AND r.ars = v.ars
                AND r.old_delivery = %(delivery)s LIMIT 1) END
      FROM unnest(%(services)s::bigint[], %(months)s::date[], %(keys)s::text[], %(kinds)s::text[])
           WITH ORDINALITY AS v (service_id, month, ars, kind, place)
      JOIN ozgsync_region g ON g.ars = v.ars
      LEFT JOIN transaction_count f
        ON f.service_id = v.service_id AND f.month = v.month AND f.ars = v.ars
     ORDER BY place
"""


class SetValues:
    """The values that a delivery set for these services, by service, month and region.

    `first` to `last` are months; `kinds` some of KINDS. Iterating reads all of them, block by block.
    """

    def __init__(
        self,
        delivery: Delivery,
        *,
        services: Mapping[int, OnlineService],
        first: dt.date,
        last: dt.date,
        kinds: Iterable[str] = KINDS,
    ) -> None:
        self.services = services
        self.low, self.high = (first, FIRST[2]), (last, LAST[2])
        self.params: dict[str, Any] = {"delivery": delivery.pk, "kinds": list(kinds)}

    def after(self, key: Key, *, limit: int) -> list[SetValue]:
        """The next values behind a key; the page costs the same wherever the key is."""
        return self._read(key, LAST, "ASC", limit)

    def before(self, key: Key, *, limit: int) -> list[SetValue]:
        """The values right before a key, in the same order."""
        return self._read(FIRST, key, "DESC", limit)

    def __iter__(self) -> Iterator[SetValue]:
        key = FIRST
        while block := self.after(key, limit=BLOCK):
            yield from block
            key = block[-1].key

    def _read(self, low: Key, high: Key, way: str, limit: int) -> list[SetValue]:
        down = way == "DESC"
        found: list[_Row] = []
        between = sorted((pk for pk in self.services if low[0] <= pk <= high[0]), reverse=down)
        for services in _growing(between):
            revised = self._fetch(_REVISIONS, way, services, low, high, limit)
            # Facts not beyond a full page of revisions: a delivery that was replaced as a whole has none, and
            # all others would be searched for one.
            end = _key(revised[-1]) if len(revised) == limit else None
            bounds = (end or low, high) if down else (low, end or high)
            facts = self._fetch(_FACTS, way, services, *bounds, limit)
            found += sorted([*revised, *facts], key=_key, reverse=down)
            if len(found) >= limit:
                break
        return self._told(sorted(found[:limit], key=_key))

    def _fetch(
        self, values: str, way: str, services: Sequence[int], low: Key, high: Key, limit: int
    ) -> list[_Row]:
        spans = [
            (pk, *(max(self.low, low[1:]) if pk == low[0] else self.low),
             *(min(self.high, high[1:]) if pk == high[0] else self.high))
            for pk in services if low[0] <= pk <= high[0]
        ]  # fmt: skip
        if not spans:
            return []
        names = ("services", "low_months", "low_ars", "high_months", "high_ars")
        columns = dict(zip(names, map(list, zip(*spans, strict=True)), strict=True))
        return self._rows(_SOME.format(values=values, way=way), **columns, limit=limit)

    def _told(self, found: list[_Row]) -> list[SetValue]:
        """With what became of them."""
        services, days, keys, kinds = ([row[place] for row in found] for place in range(4))
        since = self._rows(_SINCE, services=services, months=days, keys=keys, kinds=kinds)
        later = Delivery.objects.in_bulk({by for *_rest, by in since if by})
        return [
            SetValue(self.services[pk], month, ars, region, kind, before, given, today, later.get(by))
            for (pk, month, ars, kind, before, given), (region, today, by) in zip(found, since, strict=True)
        ]

    def _rows(self, sql: str, **more: Any) -> list[_Row]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self.params, **more})
            return cursor.fetchall()


def _key(row: _Row) -> Key:
    service, month, ars, *_value = row
    return service, month, ars


def _growing(services: Sequence[int]) -> Iterator[Sequence[int]]:
    """A few first, for each is asked for a whole page; then more and more, to get past those without."""
    start, size = 0, 4
    while start < len(services):
        yield services[start : start + size]
        start, size = start + size, 2 * size


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


def regions_of_month(service: OnlineService, month: dt.date, *, within: str = "") -> QuerySet[Any]:
    """The keys of all regions that a value is or was reported for; `within`: what they begin with."""
    of_month = {"service": service, "month": month, "ars__ars__startswith": within}
    facts = TransactionCount.objects.filter(**of_month).order_by().values_list("ars_id")
    return facts.union(CountRevision.objects.filter(**of_month).order_by().values_list("ars_id")).order_by(
        "ars_id"
    )


def sum_of_month(service: OnlineService, month: dt.date, *, within: str) -> tuple[int | None, int]:
    """What the regions report whose keys begin so, and how many they are."""
    found = TransactionCount.objects.filter(service=service, month=month, ars__ars__startswith=within)
    summed = found.aggregate(total=Sum("count"), rows=Count("ars"))
    return summed["total"], summed["rows"]


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
