"""The report of a delivery: what was sent, in its own format and order, plus `ergebnis` and `hinweis`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from services.models import OnlineService
from transactions import contents, messages, staging
from transactions.checks import Checked, Principal, check, read_again
from transactions.findings import Finding
from transactions.messages import Envelope
from transactions.models import Delivery
from transactions.notes import KINDS
from transactions.push import check_message
from transactions.rows import Rows
from transactions.sources import Unreadable, files, push
from transactions.sources.tables import KNOWN, field_of
from zsk.kinds import CSV, XLSX
from zsk.readers import Source, open_file
from zsk.tables import Table, download

ADDED = ["ergebnis", "hinweis"]
FAULTY = "fehler"
WIDTHS = {"hinweis": 90}


def response(delivery: Delivery, *, principal: Principal, as_csv: bool = False) -> StreamingHttpResponse:
    """The report as a download in the format of what was sent, or as CSV; a push has a CSV in any case.

    Raises ContentExpired when what was sent is no longer kept.
    """
    report = table(delivery, principal=principal)
    return download(replace(report, kind=CSV) if as_csv else report, stem=f"{_file_stem(delivery)}-bericht")


def table(delivery: Delivery, *, principal: Principal) -> Table:
    """Says for each row what became of it, or checks once more what would. Raises ContentExpired.

    Who sees a push that a key has sent sees it as its key: a row may leave out the key's own service.
    """
    if delivery.channel == Delivery.Channel.PUSH:
        return _push_report(delivery, delivery.credential or principal)
    return _file_report(delivery, principal)


def _is_done(delivery: Delivery) -> bool:
    return delivery.status in {Delivery.Status.ACCEPTED, Delivery.Status.UNDONE}


def _read_again(delivery: Delivery, rows: Rows) -> Checked:
    """What was taken over is not judged again: rights, levels and regions may be others today."""
    services = list(delivery.parts.values_list("service", flat=True))
    own = delivery.credential.service if delivery.credential else None
    return read_again(rows, services=services, service=delivery.service or own)


def _file_stem(delivery: Delivery) -> str:
    stem = delivery.file_name.rpartition(".")[0] or f"lieferung-{delivery.pk}"
    safe = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in stem)
    return safe.encode("ascii", "replace").decode().replace("?", "_")


def _file_report(delivery: Delivery, principal: Principal) -> Table:
    file, name = contents.open_content(delivery), delivery.file_name
    is_workbook = False
    try:
        is_workbook = files.is_workbook(file, name=name)
        rows = files.read(file, name=name, single_service=delivery.service_id is not None)
    except Unreadable as fault:
        return _unreadable_report(fault, is_workbook=is_workbook)
    if _is_done(delivery):
        checked = _read_again(delivery, rows)
    else:
        _refuse_unless_may(delivery, principal)
        checked = check(rows, by=principal, service=delivery.service)
    results = _Results(delivery, checked, rows)
    # The CSV reader has closed its file.
    source = open_file(contents.open_content(delivery), name=name, known=KNOWN)
    return _with_results(source, results)


def _refuse_unless_may(delivery: Delivery, principal: Principal) -> None:
    """Rows without a service column are compared with what is stored for this one, whoever asks."""
    own = OnlineService.objects.deliverable_by(principal)
    if delivery.service_id and not own.filter(pk=delivery.service_id).exists():
        raise PermissionDenied(_("Sie dürfen für %(service)s nicht liefern.") % {"service": delivery.service})


def _unreadable_report(fault: Unreadable, *, is_workbook: bool = False) -> Table:
    rows = ((number, [finding.message]) for number, finding in enumerate(fault.findings, start=2))
    return Table(["hinweis"], rows, kind=XLSX if is_workbook else CSV, widths=WIDTHS)


def _push_report(delivery: Delivery, principal: Principal) -> Table:
    envelope, file = Envelope.of(delivery), contents.open_content(delivery)
    # One that was refused for too many rows is refused again.
    most = settings.MAX_ASYNC_ROWS if delivery.row_count else settings.MAX_PUSH_ROWS
    try:
        message = messages.read(file, envelope, by=principal, max_rows=most)
    except Unreadable as fault:
        return _unreadable_report(fault)
    rows = message.rows
    checked = _read_again(delivery, rows) if _is_done(delivery) else check_message(message, principal)
    results = _Results(delivery, checked, rows)
    if envelope.csv:
        source = open_file(contents.open_content(delivery), name="", known=KNOWN)
    else:
        source = Source(CSV, list(push.ROW_FIELDS), _records(rows))
    report = _with_results(source, results)
    scope = _scope_rows(results.of_no_line, after=len(rows) + 1)
    return replace(report, rows=chain(report.rows, scope))


def _records(rows: Rows) -> Iterator[tuple[int, list[str]]]:
    columns = [column for column in (rows.service, rows.ars, rows.month, rows.count) if column is not None]
    return ((int(rows.line[row]), [column.text(row) for column in columns]) for row in range(len(rows)))


def _scope_rows(faults: list[Finding], *, after: int) -> Iterator[tuple[int, list[str]]]:
    """Faults of the message's scope, which no row has, below the rows."""
    blank = [""] * len(push.ROW_FIELDS)
    for line, fault in enumerate(faults, start=after + 1):
        yield line, [*blank, FAULTY, f"{fault.pointer} {_hint(fault)}"]


class _Results:
    """What became of each line: its findings, or `neu`, `geändert`, `unverändert`, `gelöscht`.

    Of a delivery that was taken over these are the findings that were kept with it.
    """

    def __init__(self, delivery: Delivery, checked: Checked, rows: Rows) -> None:
        self.notes: defaultdict[int, list[Finding]] = defaultdict(list)
        self.done = _is_done(delivery)
        for finding in self._found(delivery, checked):
            if finding.line is not None:
                self.notes[finding.line].append(finding)
        self.of_no_line = [] if self.done else [fault for fault in checked.faults if fault.line is None]
        self.lines = rows.line
        self.results = np.zeros(len(rows), np.uint8)  # of each row; 0 where nothing becomes of it
        self.results[checked.row] = _result_codes(checked, delivery)

    def _found(self, delivery: Delivery, checked: Checked) -> list[Finding]:
        kept = [Finding.from_stored(row) for row in delivery.findings.all()]
        if self.done:
            return kept
        notes = [finding for finding in kept if finding.code in KINDS]
        return [*checked.faults, *notes, *checked.warnings]

    def cells(self, line: int) -> list[str]:
        notes = self.notes.get(line, [])
        text = " ".join(_hint(finding) for finding in notes)
        if any(not finding.is_warning for finding in notes):
            return [FAULTY, text]
        result = self._result(line)
        return [f"wäre {result}" if result and not self.done else result, text]

    def _result(self, line: int) -> str:
        row = int(np.searchsorted(self.lines, line))
        known = row < len(self.lines) and self.lines[row] == line
        return _WORDS.get(int(self.results[row]), "") if known else ""


def _hint(finding: Finding) -> str:
    field = f"{finding.field}: " if finding.field else ""
    suggestion = f" Vorschlag: {finding.suggestion}" if finding.suggestion else ""
    return f"{field}{finding.message}{suggestion}"


def row_results(checked: Checked, delivery: Delivery) -> list[str]:
    """One word for each checked row, in their order; by the diff, or by what the delivery left behind."""
    return [_WORDS[code] for code in _result_codes(checked, delivery).tolist()]


def _result_codes(checked: Checked, delivery: Delivery) -> npt.NDArray[np.uint8]:
    """The same as one letter each, by COPY: rows of millions would be objects of a gigabyte."""
    if not len(checked):
        return np.empty(0, np.uint8)
    letters = bytearray()
    with transaction.atomic(), connection.cursor() as cursor:
        staged = staging.stage(checked, Delivery().pk)
        select = (_DONE if _is_done(delivery) else _DIFF).format(join=staged.join, mine=staged.mine)
        # psycopg's own cursor: Django's takes no parameters here.
        with cursor.cursor.copy(f"COPY ({select}) TO STDOUT", {**staged.params, "done": delivery.pk}) as copy:
            for piece in copy:
                letters += piece
        transaction.set_rollback(True)
    return np.frombuffer(letters, np.uint8)[::2]  # each is followed by a line break


_WORDS = {ord("n"): "neu", ord("a"): "geändert", ord("g"): "gelöscht", ord("u"): "unverändert"}
_DIFF = """
    SELECT CASE WHEN s.remove AND f.count IS NOT NULL THEN 'g'
                WHEN s.remove OR f.count = s.count THEN 'u'
                WHEN f.count IS NULL THEN 'n' ELSE 'a' END
      FROM {join} WHERE {mine} ORDER BY s.service_id, s.month, s.ars
"""
_DONE = """
    SELECT CASE WHEN r.action = 'geloescht' THEN 'g' WHEN r.action = 'geaendert' THEN 'a'
                WHEN f.delivery = %(done)s OR later.ars IS NOT NULL THEN 'n' ELSE 'u' END
      FROM {join}
      LEFT JOIN count_revision r ON r.service_id = s.service_id AND r.month = s.month AND r.ars = s.ars
           AND r.delivery = %(done)s AND r.service_id = ANY(%(services)s::bigint[])
           AND r.month BETWEEN %(first)s AND %(last)s
      LEFT JOIN (SELECT DISTINCT service_id, month, ars FROM count_revision
                  WHERE old_delivery = %(done)s AND service_id = ANY(%(services)s::bigint[])
                    AND month BETWEEN %(first)s AND %(last)s) later
           ON later.service_id = s.service_id AND later.month = s.month AND later.ars = s.ars
     WHERE {mine} ORDER BY s.service_id, s.month, s.ars
"""


def _with_results(source: Source, results: _Results) -> Table:
    # A report that is mended and checked again does not grow.
    header = source.header
    keep = [index for index, name in enumerate(header) if name.lower() not in ADDED]

    def rows() -> Iterator[tuple[int, list[str]]]:
        for line, cells in source.rows:
            if any(cell.strip() for cell in cells):
                filled = cells + [""] * (len(header) - len(cells))
                kept = [filled[index] for index in keep]
                yield line, [*kept, *cells[len(header) :], *results.cells(line)]

    return Table(
        [*(header[index] for index in keep), *ADDED], rows(), source.kind, source.delimiter, source.sheet,
        source.header_line, [name for name in header if field_of(name) == "anzahl"], WIDTHS,
    )  # fmt: skip
