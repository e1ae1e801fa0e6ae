"""The one check of rows: every fault of every row, nothing written.

Each distinct value is parsed once and the results are spread over the rows by arrays, so that a million
rows cost a handful of queries and no loop of Python.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ozgsync.models import Level
from ozgsync.today import deepest
from services.models import OnlineService, ReportingLevel
from transactions import references, register
from transactions.columns import (
    MOST_SERVICES,
    UNKNOWN,
    Flags,
    Ints,
    Numbers,
    Parsed,
    Regions,
    Services,
    few_faults,
)
from transactions.findings import Finding
from transactions.references import Lineage, Named, Principal, month_number, month_of
from transactions.register import OPEN_END, Register, Span
from transactions.rows import Column, Rows
from transactions.stored import PART_AND_WHOLE, AgainstStored
from transactions.values import REMOVE, Fault, general_fault, parse_ars, parse_count, parse_month
from zsk import formats, months
from zsk.statements import pipeline

__all__ = ["Checked", "Principal", "ServiceMonthKey", "check", "month_number", "month_of", "service_ids"]

ServiceMonthKey = tuple[int, dt.date]

_PLAIN = re.compile("^[0-9]{1,9}$")
FEW = 30  # rows that are not staged; each round trip to the database would be a good part of what they cost
MAX_FINDINGS = 100_000  # a file can hold millions of faults; more than these are counted only


@dataclass(frozen=True)
class Checked:
    """Rows that passed, as arrays sorted by (service, month, ars), and what was found.

    `month` counts months since 1970-01; `ars` is S12; `count` is REMOVE where a value is taken back;
    `row` is the position in the delivery. With any fault the delivery is refused as a whole. `faults` are
    the first MAX_FINDINGS by line; `more_faults` and `faulty_rows` count all. `stored` is what was compared
    with the stored values, to be asked again; `unasked`: for the first time. `levels`: of the services that
    have one for all of their values.
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
    more_faults: int = 0
    faulty_rows: int = 0
    stored: AgainstStored | None = None
    unasked: bool = False
    levels: dict[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.service)

    @property
    def fault_count(self) -> int:
        return len(self.faults) + self.more_faults


def check(
    rows: Rows,
    *,
    by: Principal,
    service: OnlineService | None = None,
    scope: frozenset[ServiceMonthKey] | None = None,
    delivers: bool = False,
) -> Checked:
    """Compares all rows with the services that the principal may deliver for, the regions and the calendar.

    `service`: the delivery is for this one, and rows need not name it. `scope`: the service-months that the
    delivery replaces; a row outside is a fault. Costs a constant number of queries. `delivers`: what passes
    goes to `deliver()` at once, which compares few rows with the stored values itself.
    """
    return _Check(rows, by, service, scope).result(unasked=delivers and scope is None and len(rows) <= FEW)


def read_again(rows: Rows, *, services: Collection[int], service: OnlineService | None) -> Checked:
    """Rows of a delivery for these services that was taken over: what was right then is not judged again."""
    return _Check(rows, None, service, None, services).result(unasked=False)


def ask_again(checked: Checked) -> Callable[[], list[Finding]] | None:
    """What was not compared with the stored values yet; the question is sent at once."""
    return checked.stored.ask() if checked.stored and checked.unasked else None


def check_again(checked: Checked, versions: Mapping[int, int], found: list[Finding] | None = None) -> Checked:
    """The same without faults, or with those that values stored since the check have made.

    `versions`: the services' data versions now, with their locks held; `found`: what `ask_again()` found
    under the same locks.
    """
    if checked.stored is None or not (checked.unasked or checked.stored.outdated(versions)):
        return checked
    found = checked.stored.ask()() if found is None else found
    faults = [finding for finding in found if not finding.is_warning]
    warnings = [finding for finding in found if finding.is_warning]
    kept = [finding for finding in checked.warnings if finding.code != PART_AND_WHOLE]
    return replace(
        checked, faults=faults[:MAX_FINDINGS], more_faults=len(faults[MAX_FINDINGS:]),
        faulty_rows=len({finding.row for finding in faults}), warnings=[*kept, *warnings][:MAX_FINDINGS],
    )  # fmt: skip


def service_ids(
    names: Collection[str], *, by: Principal, service: OnlineService | None = None
) -> dict[str, int]:
    """The services that these numbers or Kennungen mean, among those that the principal may deliver for."""
    named = references.ask_deliverable(names, by, service)()
    return {name: pk for name, pk in named.services.items() if name not in named.ambiguous}


class _Check:
    """One run of the check; collects findings while columns become numbers."""

    def __init__(
        self,
        rows: Rows,
        by: Principal | None,
        service: OnlineService | None,
        scope: frozenset[ServiceMonthKey] | None,
        done_for: Collection[int] = (),
    ) -> None:
        self.rows, self.by, self.only, self.scope, self.done_for = rows, by, service, scope, done_for
        self.faults: list[Finding] = []
        self.fault_count = 0
        self.warnings: list[Finding] = list(rows.notes)
        self.faulty: Flags = np.zeros(len(rows), np.bool_)
        self.running = months.running()

    def result(self, *, unasked: bool) -> Checked:
        with pipeline():
            asked = self._ask_services(), self._ask_regions()
        services, regions = asked[0](), asked[1]()
        month = self._months()
        count = self._counts()
        parsed = [services.parsed, regions.parsed, month.parsed, count.parsed]
        self._report_cells([part for part in parsed if part is not None])
        if self.by is not None:
            self._check_levels(services, regions, count.number)
            self._check_spans(regions, month.number)
            self._check_scope(services, month.number)
        order = self._sorted(services, regions, month.number)
        passed = services.id[order], month.number[order], regions.key(order), count.number[order], order
        stored = None
        if self.by is not None:
            self._note_running(month.number)
            stored = AgainstStored(
                *passed, services.wanted_level[order], regions.has_parts()[order],
                self.rows.line, self.rows.strict, services.versions, self.scope is not None,
            )  # fmt: skip
            unasked = unasked and not self.fault_count
            if not unasked:
                self._add(stored.ask()())
        kept = self._first_faults()
        return Checked(
            *passed, len(self.rows), kept, self.warnings[:MAX_FINDINGS], self.scope,
            [int(pk) for pk in np.unique(passed[0])],
            self.fault_count - len(kept), int(self.faulty.sum()), stored, unasked, services.fixed_levels(),
        )  # fmt: skip

    def _first_faults(self) -> list[Finding]:
        """By line, as many as are written out."""
        self.faults = sorted(self.faults, key=lambda finding: (finding.line or 0, finding.field))
        del self.faults[MAX_FINDINGS:]
        return self.faults

    def _add(self, findings: list[Finding]) -> None:
        faults = [finding for finding in findings if not finding.is_warning]
        self.faults += faults
        self.fault_count += len(faults)
        self.faulty[[finding.row for finding in faults if finding.row is not None]] = True
        self.warnings += [finding for finding in findings if finding.is_warning]

    # --- cells -----------------------------------------------------------------------------------

    def _ask_services(self) -> Callable[[], Services]:
        column = self.rows.service
        if column is None:
            return self._only_service
        texts = list(islice(column.texts(), MOST_SERVICES))
        if self.by is None:
            found = references.among(texts, self.done_for)
            return lambda: _services(column, found)
        named = references.ask_deliverable(texts, self.by, self.only)
        return lambda: _services(column, named())

    def _only_service(self) -> Services:
        if self.only is None:
            raise ValueError("Rows that name no service need the one they are for.")
        levels = {self.only.pk: ReportingLevel(self.only.reporting_level)}
        versions = references.versions(levels)
        return Services(np.full(len(self.rows), self.only.pk, np.int64), levels, versions, None)

    def _ask_regions(self) -> Callable[[], Regions]:
        asked = register.ask_current(self.by)
        return lambda: self._regions(asked())

    def _regions(self, known: Register) -> Regions:
        column = self.rows.ars

        def parse(text: str) -> str | Fault:
            if text in known:  # nearly always
                return text
            value = parse_ars(text, strict=self.rows.strict)
            if isinstance(value, str):
                return value if value in known else Fault("ars_unbekannt")
            suggestion = known.ars_of_ags.get(value.params.get("ags", ""), value.suggestion)
            return Fault(value.code, suggestion if suggestion in known else "", value.params)

        return Regions(Parsed("ars", column, few_faults(map(parse, column.texts()))), known)

    def _months(self) -> Numbers:
        running = self.running

        def parse(text: str) -> int | Fault:
            month = parse_month(text, running=running, strict=self.rows.strict)
            return month if isinstance(month, Fault) else month_number(month)

        column = self.rows.month
        parsed = Parsed("monat", column, few_faults(map(parse, column.texts())))
        return Numbers(parsed.per_row(UNKNOWN, np.int64), parsed)

    def _counts(self) -> Numbers:
        column = self.rows.count
        numbers, others = _plain_counts(column)
        if not len(others):
            return Numbers(numbers[column.codes], None)
        values: list[int | Fault] = numbers.tolist()
        read = few_faults(parse_count(str(column.values[code])) for code in others.tolist())
        for code, value in zip(others.tolist(), read, strict=True):
            values[code] = value
        parsed = Parsed("anzahl", column, values)
        return Numbers(parsed.per_row(0, np.int64), parsed)

    def _report_cells(self, columns: list[Parsed[Any]]) -> None:
        """Faults of single cells. A sum line is one fault, whatever else its cells lack; and of a cell of the
        wrong type the reader has said why: it has no text to judge."""
        if not (self.rows.faults or any(parsed.has_faults for parsed in columns)):
            return
        sums = np.zeros(len(self.rows), np.bool_)
        for parsed in columns:
            found = parsed.rows_at_fault("summenzeile") & ~sums
            self._report_column(parsed, found)
            sums |= found
        known = {(fault.row, fault.field) for fault in self.rows.faults}
        for parsed in columns:
            found = parsed.rows_at_fault() & ~sums
            found[[row for row, name in known if row is not None and name == parsed.name]] = False
            self._report_column(parsed, found)
        readers = [fault for fault in self.rows.faults if fault.row is None or not sums[fault.row]]
        self.faults += readers
        self.fault_count += len(readers)
        self.faulty[[fault.row for fault in readers if fault.row is not None]] = True

    def _report_column(self, parsed: Parsed[Any], rows: Flags) -> None:
        self._report(np.flatnonzero(rows), parsed.name, parsed.column, parsed.fault)

    def _report(
        self, rows: npt.NDArray[np.intp], name: str, column: Column, fault: Callable[[int], Fault]
    ) -> None:
        """A fault in that column for each of the rows; the first of them are written out."""
        self.faulty[rows] = True
        self.fault_count += len(rows)
        self.faults += [
            self._finding(row, name, column.text(row), fault(row)) for row in rows[:MAX_FINDINGS].tolist()
        ]
        if len(self.faults) > MAX_FINDINGS:  # of each column as many: together a good part of a gigabyte
            self._first_faults()

    def _finding(self, row: int, name: str, value: str, fault: Fault) -> Finding:
        pointer = f"/zeilen/{row}/{name}" if self.rows.strict else ""
        line, params = int(self.rows.line[row]), dict(fault.params)
        return Finding(fault.code, name, value[:200], line, row, fault.suggestion, params, pointer)

    # --- rows as a whole -------------------------------------------------------------------------

    def _check_levels(self, services: Services, regions: Regions, count: Ints) -> None:
        wanted = services.wanted_level
        if not (wanted >= 0).any():
            return
        # After a change of the level, what was stored at the former one must still be removable.
        wrong = ~self.faulty & (wanted >= 0) & (count != REMOVE) & ~regions.reach(wanted)

        def fault(row: int) -> Fault:
            span = regions.span(row)
            actual, right = Level(span.bottom).label, Level(int(wanted[row])).label
            return Fault("ars_ebene", params={"name": span.name, "ist": str(actual), "soll": str(right)})

        self._report(np.flatnonzero(wrong), "ars", self.rows.ars, fault)

    def _check_spans(self, regions: Regions, month: Ints) -> None:
        early = ~self.faulty & (month < regions.register.first[regions.code])
        late = ~self.faulty & (month >= regions.register.end[regions.code])
        self._report_spans(early, regions, month, references.ancestry, _not_yet)
        self._report_spans(late, regions, month, references.descent, _ended)

    def _report_spans(
        self, wrong: Flags, regions: Regions, month: Ints, lineage: Callable[[Collection[str]], Lineage],
        fault: Callable[[Span, list[Span]], Fault],
    ) -> None:  # fmt: skip
        if not wrong.any():
            return
        rows = np.flatnonzero(wrong)
        others = lineage({regions.span(row).ars for row in rows.tolist()})

        def found(row: int) -> Fault:
            span = regions.span(row)
            return fault(span, others.at(span.ars, int(month[row])))

        self._report(rows, "ars", self.rows.ars, found)

    def _check_scope(self, services: Services, month: Ints) -> None:
        if self.scope is None:
            return
        allowed = np.array([pk * OPEN_END + month_number(first) for pk, first in self.scope], np.int64)
        outside = ~self.faulty & ~np.isin(services.id * OPEN_END + month, allowed)
        self._report(np.flatnonzero(outside), "monat", self.rows.month, lambda _row: Fault("umfang_fremd"))

    def _sorted(self, services: Services, regions: Regions, month: Ints) -> Ints:
        """Positions of the rows without fault by (service, month, ars); doubled ones become faults."""
        key = (services.rank() * (int(month.max(initial=0)) + 1) + month) * (len(regions.register) + 1)
        key += regions.code
        # Stable, so that of doubled rows the first stays; quick where the rows are in order already.
        if self.faulty.any():
            good = np.flatnonzero(~self.faulty)
            order = good[np.argsort(key[good], kind="stable")]
        else:
            order = np.argsort(key, kind="stable")
        ordered = key[order]
        again = np.zeros(len(order), np.bool_)
        again[1:] = ordered[1:] == ordered[:-1]
        if not again.any():
            return order
        self._report_doubles(order, again)
        return order[~again]

    def _report_doubles(self, order: Ints, again: Flags) -> None:
        first = order[np.maximum.accumulate(np.where(again, 0, np.arange(len(order))))]
        first_of = dict(zip(order[again].tolist(), first[again].tolist(), strict=True))

        def fault(row: int) -> Fault:
            return Fault("zeile_doppelt", params={"zuerst": str(int(self.rows.line[first_of[row]]))})

        self._report(np.sort(order[again]), "ars", self.rows.ars, fault)

    def _note_running(self, month: Ints) -> None:
        running = self.running
        rows = np.flatnonzero(~self.faulty & (month == month_number(running)))
        if len(rows):
            fault = Fault("monat_laufend", params={"monat": formats.month(running)})
            self.warnings.append(self._finding(int(rows[0]), "monat", self.rows.month.text(rows[0]), fault))


def _plain_counts(column: Column) -> tuple[Ints, Ints]:
    """The distinct counts that are plain digits, as nearly all are, and the places of others, which are 0."""
    if isinstance(column.values, list):
        plain = np.array([bool(_PLAIN.match(text)) for text in column.values], np.bool_)
        numbers = [int(text) if _PLAIN.match(text) else 0 for text in column.values]
        return np.array(numbers, np.int64), np.flatnonzero(~plain)
    matches = pc.match_substring_regex(column.values, _PLAIN.pattern)
    numbers = pc.if_else(matches, column.values, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers, np.flatnonzero(~matches.to_numpy(zero_copy_only=False))


def _services(column: Column, named: Named) -> Services:
    def parse(text: str) -> int | Fault:
        key = text.strip()
        if key in named.ambiguous:
            return Fault("onlineservice_mehrdeutig")
        return named.services.get(key) or _service_fault(key)

    parsed = Parsed("onlineservice", column, few_faults(map(parse, column.texts())))
    return Services(parsed.per_row(UNKNOWN, np.int64), named.levels, named.versions, parsed)


def _service_fault(text: str) -> Fault:
    """What is wrong with a text that names no service somebody may deliver for."""
    if not text:
        return Fault("onlineservice_fehlt")
    return general_fault(text) or Fault("onlineservice_unbekannt")


def _not_yet(span: Span, before: list[Span]) -> Fault:
    named, suggestion = _named(before)
    params = {"name": span.name, "ab": formats.month(month_of(span.first)), "vorgaenger": named}
    return Fault("ars_noch_nicht", suggestion, params)


def _ended(span: Span, after: list[Span]) -> Fault:
    named, suggestion = _named(after)
    params = {"name": span.name, "bis": formats.month(month_of(span.end - 1)), "nachfolger": named}
    return Fault("ars_beendet", suggestion, params)


def _named(others: list[Span]) -> tuple[str, str]:
    """Regions that stood in for another, in words, and the key to suggest where only one did."""
    # Of a Kreis and a Gemeinde in it, as of a city that was both, the Gemeinde is meant.
    keys = deepest({span.ars for span in others})
    named = [span for span in others if span.ars in keys]
    text = ", ".join(f"{span.name} ({span.ars})" for span in named)
    return text or "keiner bekannt", named[0].ars if len(named) == 1 else ""
