"""The one check of rows: every fault of every row, nothing written.

Each distinct value is parsed once and the results are spread over the rows by arrays, so that a million
rows cost a handful of queries and no loop of Python.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from accounts.models import User
from ozgsync.models import Level, Region, RegionChange, RegionVersion
from services.models import NUMBER, Credential, OnlineService, PortalService, ReportingLevel
from transactions.findings import Finding
from transactions.rows import Column, Rows
from transactions.values import Fault, parse_ars, parse_count, parse_month
from zsk import formats, months

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Principal = User | Credential
T = TypeVar("T")
ServiceMonthKey = tuple[int, dt.date]

_OPEN_END = 1_000_000  # a month number after every month
_UNKNOWN = -1


@dataclass(frozen=True)
class Checked:
    """Rows that passed, as arrays sorted by (service, month, ars), and what was found.

    `month` counts months since 1970-01; `ars` is S12; `count` is REMOVE where a value is taken back;
    `row` is the position in the delivery. With any fault the delivery is refused as a whole.
    """

    service: Ints
    month: Ints
    ars: npt.NDArray[np.bytes_]
    count: Ints
    row: Ints
    row_count: int
    faults: list[Finding]
    warnings: list[Finding]
    scope: frozenset[ServiceMonthKey] | None = None
    services: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.service)


def month_number(month: dt.date) -> int:
    """Months since 1970-01, as `Checked.month` counts them."""
    return (month.year - 1970) * 12 + month.month - 1


def month_of(number: int) -> dt.date:
    return dt.date(1970 + int(number) // 12, int(number) % 12 + 1, 1)


def check(
    rows: Rows,
    *,
    by: Principal,
    service: OnlineService | None = None,
    scope: frozenset[ServiceMonthKey] | None = None,
) -> Checked:
    """Compares all rows with the services that the principal may deliver for, the regions and the calendar.

    `service`: the delivery is for this one, and rows need not name it. `scope`: the service-months that the
    delivery replaces; a row outside is a fault. Costs a constant number of queries.
    """
    return _Check(rows, by, service, scope).result()


def service_ids(
    names: Collection[str], *, by: Principal, service: OnlineService | None = None
) -> dict[str, int]:
    """The services that these numbers or Kennungen mean, among those that the principal may deliver for."""
    found, ambiguous = _deliverable(names, by, service)
    return {name: pk for name, pk in found.items() if name not in ambiguous}


class _Check:
    """One run of the check; collects findings while columns become numbers."""

    def __init__(
        self,
        rows: Rows,
        by: Principal,
        service: OnlineService | None,
        scope: frozenset[ServiceMonthKey] | None,
    ) -> None:
        self.rows, self.by, self.only, self.scope = rows, by, service, scope
        self.faults: list[Finding] = list(rows.faults)
        self.warnings: list[Finding] = list(rows.notes)
        self.faulty: Flags = np.zeros(len(rows), np.bool_)
        # A cell of the wrong type has no text: the reader's fault says why, nothing else is wrong with it.
        self.named_by_reader = {(fault.row, fault.field) for fault in rows.faults}
        for fault in rows.faults:
            if fault.row is not None:
                self.faulty[fault.row] = True

    def result(self) -> Checked:
        services = self._services()
        regions = self._regions()
        month = self._months()
        count = self._counts()
        self._drop_companions_of_sums()
        self._check_levels(services, regions)
        self._check_spans(regions, month)
        self._check_scope(services, month)
        self._check_doubles(services, regions, month)
        self._note_running(month)
        good = np.flatnonzero(~self.faulty)
        order = good[np.lexsort((regions.key[good], month[good], services.id[good]))]
        self.faults.sort(key=lambda finding: (finding.line or 0, finding.field))
        return Checked(
            services.id[order], month[order], regions.key[order], count[order], order, len(self.rows),
            self.faults, self.warnings, self.scope, [int(pk) for pk in np.unique(services.id[order])],
        )  # fmt: skip

    # --- columns ---------------------------------------------------------------------------------

    def _services(self) -> _Services:
        column = self.rows.service
        if column is None:
            return self._one_service()
        texts = column.values.to_pylist()
        found, ambiguous = _deliverable(texts, self.by, self.only)
        levels = dict(
            OnlineService.objects.filter(pk__in=set(found.values())).values_list("pk", "reporting_level")
        )

        def parse(text: str) -> int | Fault:
            key = text.strip()
            if not key:
                return Fault("onlineservice_fehlt")
            if key in ambiguous:
                return Fault("onlineservice_mehrdeutig")
            return found.get(key) or Fault("onlineservice_unbekannt")

        ids = self._spread("onlineservice", column, parse, _UNKNOWN)
        return _Services(
            np.asarray(ids, np.int64), {pk: ReportingLevel(level) for pk, level in levels.items()}
        )

    def _one_service(self) -> _Services:
        assert self.only is not None, "rows without a service need the service they are for"
        levels = {self.only.pk: ReportingLevel(self.only.reporting_level)}
        return _Services(np.full(len(self.rows), self.only.pk, np.int64), levels)

    def _regions(self) -> _Regions:
        column = self.rows.ars
        texts = column.values.to_pylist()
        parsed = [parse_ars(text) for text in texts]
        spans = _spans({value for value in parsed if isinstance(value, str)} | _candidates(parsed))
        by_ags = _ars_of_ags(
            {fault.params["ags"] for fault in parsed if isinstance(fault, Fault) and "ags" in fault.params}
        )

        def resolve(value: str | Fault) -> str | Fault:
            if isinstance(value, str):
                return value if value in spans else Fault("ars_unbekannt")
            suggestion = by_ags.get(value.params.get("ags", ""), value.suggestion)
            return Fault(
                value.code,
                suggestion if suggestion in spans or suggestion in by_ags.values() else "",
                value.params,
            )

        resolved = dict(zip(texts, map(resolve, parsed), strict=True))
        keys = self._spread("ars", column, resolved.__getitem__, "")
        distinct = [spans.get(key) for key in sorted(spans)]
        return _Regions(np.asarray(keys, "S12"), [span for span in distinct if span])

    def _months(self) -> Ints:
        running = months.running()

        def parse(text: str) -> int | Fault:
            month = parse_month(text, running=running, strict=self.rows.strict)
            return month if isinstance(month, Fault) else month_number(month)

        return np.asarray(self._spread("monat", self.rows.month, parse, _UNKNOWN), np.int64)

    def _counts(self) -> Ints:
        column = self.rows.count
        # Nearly all counts are plain digits: those become numbers at once, the rest goes through the parser.
        plain = pc.match_substring_regex(column.values, "^[0-9]{1,9}$")
        numbers = pc.if_else(plain, column.values, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
        values: list[int | Fault] | None = None
        others = np.flatnonzero(~plain.to_numpy(zero_copy_only=False))
        if not len(others):
            return numbers[column.codes]
        parsed = {int(code): parse_count(column.values[int(code)].as_py()) for code in others}
        values = [parsed.get(code, 0) for code in range(len(numbers))]
        spread = np.asarray(self._spread_values("anzahl", column, values, 0), np.int64)
        is_other = np.isin(column.codes, others)
        return np.where(is_other, spread, numbers[column.codes])

    def _spread(
        self, name: str, column: Column, parse: Callable[[str], T | Fault], blank: T
    ) -> npt.NDArray[Any]:
        return self._spread_values(name, column, [parse(text) for text in column.values.to_pylist()], blank)

    def _spread_values(
        self, name: str, column: Column, values: list[T | Fault], blank: T
    ) -> npt.NDArray[Any]:
        """The value of each row; rows with a fault get `blank` and a finding each."""
        bad = [code for code, value in enumerate(values) if isinstance(value, Fault)]
        if bad:
            for row in np.flatnonzero(np.isin(column.codes, bad)):
                fault = values[int(column.codes[row])]
                assert isinstance(fault, Fault)
                self._fault(int(row), name, column.text(int(row)), fault)
        return np.asarray([blank if isinstance(value, Fault) else value for value in values])[column.codes]

    def _fault(self, row: int, name: str, value: str, fault: Fault) -> None:
        self.faulty[row] = True
        if (row, name) in self.named_by_reader:
            return
        pointer = f"/zeilen/{row}/{name}" if self.rows.strict else ""
        line, params = int(self.rows.line[row]), dict(fault.params)
        self.faults.append(
            Finding(fault.code, name, value[:200], line, row, fault.suggestion, params, pointer)
        )

    def _drop_companions_of_sums(self) -> None:
        """A sum line is one fault, not four: what else its cells lack does not matter."""
        sums = {finding.row for finding in self.faults if finding.code == "summenzeile"}
        if not sums:
            return
        seen: set[int | None] = set()
        kept = []
        for finding in self.faults:
            if finding.row in sums and (finding.code != "summenzeile" or finding.row in seen):
                continue
            if finding.row in sums:
                seen.add(finding.row)
            kept.append(finding)
        self.faults = kept

    # --- rows as a whole -------------------------------------------------------------------------

    def _check_levels(self, services: _Services, regions: _Regions) -> None:
        wanted = services.levels
        if all(level is ReportingLevel.MIXED for level in wanted.values()):
            return
        ids = np.array(sorted(wanted), np.int64)
        level_of = np.array(
            [-1 if (lv := wanted[int(pk)].level) is None else int(lv) for pk in ids], np.int64
        )
        usable = ~self.faulty & (services.id != _UNKNOWN)
        level = np.where(usable, level_of[np.searchsorted(ids, services.id).clip(0, len(ids) - 1)], -1)
        top, bottom = regions.per_row(regions.top), regions.per_row(regions.bottom)
        wrong = usable & (level >= 0) & ((level < top) | (level > bottom))
        for row in np.flatnonzero(wrong):
            span = regions.span(row)
            params = {
                "name": span.name,
                "ist": str(Level(span.bottom).label),
                "soll": str(Level(int(level[row])).label),
            }
            self._fault(int(row), "ars", self.rows.ars.text(int(row)), Fault("ars_ebene", params=params))

    def _check_spans(self, regions: _Regions, month: Ints) -> None:
        usable = ~self.faulty & (month != _UNKNOWN)
        early = usable & (month < regions.per_row(regions.first))
        late = usable & (month >= regions.per_row(regions.end))
        for row in np.flatnonzero(early):
            span = regions.span(row)
            params = {"name": span.name, "ab": formats.month(month_of(span.first))}
            self._fault(int(row), "ars", span.ars, Fault("ars_noch_nicht", params=params))
        if late.any():
            self._fault_ended(np.flatnonzero(late), regions)

    def _fault_ended(self, rows: npt.NDArray[np.intp], regions: _Regions) -> None:
        successors = _successors({regions.span(row).ars for row in rows})
        for row in rows:
            span = regions.span(row)
            new = successors.get(span.ars, [])
            named = " und ".join(f"{region.name} ({region.ars})" for region in new)
            params = {
                "name": span.name,
                "bis": formats.month(month_of(span.end - 1)),
                "nachfolger": f"Danach: {named}." if named else "",
            }
            suggestion = new[0].ars if len(new) == 1 else ""
            self._fault(int(row), "ars", span.ars, Fault("ars_beendet", suggestion, params))

    def _check_scope(self, services: _Services, month: Ints) -> None:
        if self.scope is None:
            return
        allowed = np.array([pk * _OPEN_END + month_number(first) for pk, first in self.scope], np.int64)
        outside = ~self.faulty & ~np.isin(services.id * _OPEN_END + month, allowed)
        for row in np.flatnonzero(outside):
            text = self.rows.month.text(int(row))
            self._fault(int(row), "monat", text, Fault("umfang_fremd"))

    def _check_doubles(self, services: _Services, regions: _Regions, month: Ints) -> None:
        good = np.flatnonzero(~self.faulty)
        order = good[np.lexsort((good, regions.code[good], month[good], services.id[good]))]
        keys = (services.id[order], month[order], regions.code[order])
        again = np.zeros(len(order), np.bool_)
        if len(order):
            again[1:] = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
        firsts = np.maximum.accumulate(np.where(again, 0, np.arange(len(order))))
        for position in np.flatnonzero(again):
            row, first = int(order[position]), int(order[firsts[position]])
            params = {"zuerst": str(int(self.rows.line[first]))}
            self._fault(row, "ars", self.rows.ars.text(row), Fault("zeile_doppelt", params=params))

    def _note_running(self, month: Ints) -> None:
        running = month_number(months.running())
        rows = np.flatnonzero(~self.faulty & (month == running))
        if len(rows):
            params = {"monat": formats.month(months.running())}
            first = int(rows[0])
            self.warnings.append(
                Finding(
                    "monat_laufend",
                    "monat",
                    self.rows.month.text(first),
                    int(self.rows.line[first]),
                    first,
                    params=params,
                )
            )


@dataclass(frozen=True)
class _Services:
    id: Ints
    levels: dict[int, ReportingLevel]


@dataclass(frozen=True)
class _Span:
    """From which month (inclusive) to which (exclusive) a region's key is valid, and its levels."""

    ars: str
    name: str
    top: int
    bottom: int
    first: int
    end: int


class _Regions:
    """The region of each row: its key, and arrays over the distinct regions that a row's `code` points into."""

    def __init__(self, key: npt.NDArray[np.bytes_], spans: list[_Span]) -> None:
        self.key, self.spans = key, spans
        distinct = np.array([span.ars for span in spans], "S12")
        # Rows without a usable key point at the last entry; they are faulty and looked at no more.
        self.code: Ints = np.searchsorted(distinct, key).clip(0, max(len(spans) - 1, 0)).astype(np.int64)
        self.top = np.array([span.top for span in spans], np.int64)
        self.bottom = np.array([span.bottom for span in spans], np.int64)
        self.first = np.array([span.first for span in spans], np.int64)
        self.end = np.array([span.end for span in spans], np.int64)

    def per_row(self, values: Ints) -> Ints:
        return values[self.code] if len(values) else np.zeros(len(self.code), np.int64)

    def span(self, row: int | np.intp) -> _Span:
        return self.spans[int(self.code[row])]


def _deliverable(
    texts: Collection[str], by: Principal, only: OnlineService | None
) -> tuple[dict[str, int], set[str]]:
    """The services that these texts name, by number or by a portal's own Kennung; and ambiguous Kennungen."""
    keys = {text.strip() for text in texts}
    numbers = {key: int(match[1]) for key in keys if (match := NUMBER.match(key))}
    allowed = OnlineService.objects.deliverable_by(by)
    if only is not None:
        allowed = allowed.filter(pk=only.pk)
    reachable = set(allowed.filter(pk__in=set(numbers.values())).values_list("pk", flat=True))
    found = {key: pk for key, pk in numbers.items() if pk in reachable}
    links = PortalService.objects.current().filter(kennung__in=keys - set(found), service__in=allowed)
    links = (
        links.filter(portal=by.portal_id) if isinstance(by, Credential) else links.filter(portal__members=by)
    )
    ambiguous = set()
    for kennung, pk in links.values_list("kennung", "service"):
        if found.setdefault(kennung, pk) != pk:
            ambiguous.add(kennung)
    return found, ambiguous


def _candidates(parsed: list[str | Fault]) -> set[str]:
    return {value.suggestion for value in parsed if isinstance(value, Fault) and value.suggestion}


def _spans(keys: set[str]) -> dict[str, _Span]:
    spans: dict[str, _Span] = {}
    versions = RegionVersion.objects.filter(region__in=list(keys)).order_by("region", "valid_from")
    columns = (
        "region_id",
        "region__name",
        "region__level_top",
        "region__level_bottom",
        "valid_from",
        "valid_to",
    )
    for ars, name, top, bottom, since, until in versions.values_list(*columns):
        # A region counts in every month in which it existed for a day.
        end = month_number(until - dt.timedelta(days=1)) + 1 if until else _OPEN_END
        first = spans[ars].first if ars in spans else month_number(since)
        spans[ars] = _Span(ars, name, top, bottom, first, end)
    return spans


def _ars_of_ags(keys: set[str]) -> dict[str, str]:
    """The ARS of each AGS (digits 1–5 and 10–12 of the ARS); only the register knows the digits between."""
    if not keys:
        return {}
    regions = Region.objects.extra(
        where=["left(ars, 5) || right(ars, 3) = ANY(%s)"], params=[list(keys)]
    ).at_level(Level.GEMEINDE)
    return {region.ars[:5] + region.ars[9:]: region.ars for region in regions}


def _successors(keys: set[str]) -> dict[str, list[Region]]:
    result: dict[str, list[Region]] = {}
    changes = RegionChange.objects.filter(old__in=keys).exclude(new=None).select_related("new")
    for change in changes.order_by("effective", "new"):
        if change.new_id != change.old_id:
            result.setdefault(change.old_id, []).append(change.new)
    return result
