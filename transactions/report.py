"""The report of a delivery: what was sent, in its own format and order, plus `ergebnis` and `hinweis`."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

from django.conf import settings
from django.db import connection, transaction
from django.http import StreamingHttpResponse

from services.models import Credential
from transactions import contents, staging
from transactions.checks import Checked, Principal, check, read_again
from transactions.findings import Finding
from transactions.models import Delivery
from transactions.push import check_message
from transactions.rows import Rows
from transactions.sources import Unreadable, delimited, push
from transactions.staging import JOIN, MINE
from zsk.spreadsheets import harmless

ADDED = ["ergebnis", "hinweis"]
FAULTY = "fehler"
BATCH = 10_000


def response(delivery: Delivery, *, principal: Principal) -> StreamingHttpResponse:
    """The report as a CSV download. Raises ContentExpired when what was sent is no longer kept."""
    lines = report_lines(delivery, principal=principal)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{_file_name(delivery)}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def report_lines(delivery: Delivery, *, principal: Principal) -> Iterator[bytes]:
    """Says for each row what became of it, or checks once more what would; UTF-8 with BOM, for Excel.

    Who sees a push that a key has sent sees it as its key: a row may leave out the key's own service.
    """
    if delivery.channel == Delivery.Channel.PUSH:
        return _push_lines(delivery, delivery.credential or principal)
    return _file_lines(delivery, principal)


def _is_done(delivery: Delivery) -> bool:
    return delivery.status in {Delivery.Status.ACCEPTED, Delivery.Status.UNDONE}


def _read_again(delivery: Delivery, rows: Rows) -> Checked:
    """What was taken over is not judged again: rights, levels and regions may be others today."""
    services = list(delivery.parts.values_list("service", flat=True))
    return read_again(rows, services=services, service=delivery.service)


def _file_name(delivery: Delivery) -> str:
    stem = delivery.file_name.rpartition(".")[0] or f"lieferung-{delivery.pk}"
    safe = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in stem)
    return f"{safe.encode('ascii', 'replace').decode().replace('?', '_')}-bericht.csv"


def _file_lines(delivery: Delivery, principal: Principal) -> Iterator[bytes]:
    try:
        rows = delimited.read(contents.open_content(delivery), single_service=delivery.service_id is not None)
    except Unreadable as fault:
        return _unreadable_lines(delivery, fault)
    if _is_done(delivery):
        checked = _read_again(delivery, rows)
    else:
        checked = check(rows, by=principal, service=delivery.service)
    results = _Results(delivery, checked, rows)
    layout, records = delimited.open_records(contents.open_content(delivery))
    return _lines(layout.header, records, results, layout.delimiter)


def _unreadable_lines(delivery: Delivery, fault: Unreadable) -> Iterator[bytes]:
    rows = [(index + 1, [finding.message]) for index, finding in enumerate(fault.findings)]
    return _encode(["hinweis"], (cells for _line, cells in rows), ";")


def _push_lines(delivery: Delivery, principal: Principal) -> Iterator[bytes]:
    own = principal.service.number if isinstance(principal, Credential) and principal.service else None
    with contents.open_content(delivery) as file:
        body = file.read()
    done = _is_done(delivery)
    try:
        message = push.read(body, own=own, max_rows=10**9 if done else settings.MAX_PUSH_ROWS)
    except Unreadable as fault:
        return _unreadable_lines(delivery, fault)
    rows = message.rows
    checked = _read_again(delivery, rows) if done else check_message(message, principal)
    results = _Results(delivery, checked, rows)
    columns = [column for column in (rows.service, rows.ars, rows.month, rows.count) if column is not None]
    records = ((int(rows.line[row]), [column.text(row) for column in columns]) for row in range(len(rows)))
    lines = _lines(list(push.ROW_FIELDS), records, results, ";")
    return chain(lines, _scope_lines(results.of_no_line)) if results.of_no_line else lines


def _scope_lines(faults: list[Finding]) -> Iterator[bytes]:
    """Faults of the message's scope, which no row has, below the rows."""
    blank = [""] * len(push.ROW_FIELDS)
    return _encode(None, ([*blank, FAULTY, f"{fault.pointer} {_hint(fault)}"] for fault in faults), ";")


class _Results:
    """What became of each line: its findings, or `neu`, `geändert`, `unverändert`, `gelöscht`.

    Of a delivery that was taken over these are the findings that were kept with it.
    """

    def __init__(self, delivery: Delivery, checked: Checked, rows: Rows) -> None:
        self.notes: defaultdict[int, list[Finding]] = defaultdict(list)
        self.done = _is_done(delivery)
        kept = map(Finding.from_stored, delivery.findings.all()) if self.done else []
        for finding in kept if self.done else [*checked.faults, *checked.warnings]:
            if finding.line is not None:
                self.notes[finding.line].append(finding)
        self.of_no_line = [] if self.done else [fault for fault in checked.faults if fault.line is None]
        self.result_of_line = dict(
            zip(rows.line[checked.row].tolist(), row_results(checked, delivery), strict=True)
        )

    def cells(self, line: int) -> list[str]:
        notes = self.notes.get(line, [])
        text = " ".join(_hint(finding) for finding in notes)
        if any(not finding.is_warning for finding in notes):
            return [FAULTY, text]
        result = self.result_of_line.get(line, "")
        return [f"wäre {result}" if result and not self.done else result, text]


def _hint(finding: Finding) -> str:
    field = f"{finding.field}: " if finding.field else ""
    suggestion = f" Vorschlag: {finding.suggestion}" if finding.suggestion else ""
    return f"{field}{finding.message}{suggestion}"


def row_results(checked: Checked, delivery: Delivery) -> list[str]:
    """One word for each checked row, in their order; by the diff, or by what the delivery left behind."""
    if not len(checked):
        return []
    sql = _DONE if _is_done(delivery) else _DIFF
    with transaction.atomic(), connection.cursor() as cursor:
        staged = staging.stage(checked, Delivery().pk)
        cursor.execute(sql, {**staged.params, "done": delivery.pk})
        words = [row[0] for row in cursor.fetchall()]
        transaction.set_rollback(True)
    return words


_ORDER = "ORDER BY s.service_id, s.month, s.ars"
_DIFF = f"""
    SELECT CASE WHEN s.remove AND f.count IS NOT NULL THEN 'gelöscht'
                WHEN s.remove OR f.count = s.count THEN 'unverändert'
                WHEN f.count IS NULL THEN 'neu' ELSE 'geändert' END
      FROM {JOIN} WHERE {MINE} {_ORDER}
"""
_DONE = f"""
    SELECT CASE WHEN r.action = 'geloescht' THEN 'gelöscht' WHEN r.action = 'geaendert' THEN 'geändert'
                WHEN f.delivery = %(done)s OR later.ars IS NOT NULL THEN 'neu' ELSE 'unverändert' END
      FROM {JOIN}
      LEFT JOIN count_revision r ON r.service_id = s.service_id AND r.month = s.month AND r.ars = s.ars
           AND r.delivery = %(done)s AND r.service_id = ANY(%(services)s)
           AND r.month BETWEEN %(first)s AND %(last)s
      LEFT JOIN (SELECT DISTINCT service_id, month, ars FROM count_revision
                  WHERE old_delivery = %(done)s AND service_id = ANY(%(services)s)
                    AND month BETWEEN %(first)s AND %(last)s) later
           ON later.service_id = s.service_id AND later.month = s.month AND later.ars = s.ars
     WHERE {MINE} {_ORDER}
"""


def _lines(
    header: list[str], records: Iterable[tuple[int, list[str]]], results: _Results, delimiter: str
) -> Iterator[bytes]:
    # A report that is mended and checked again does not grow.
    keep = [index for index, name in enumerate(header) if name.lower() not in ADDED]
    width = len(header)

    def rows() -> Iterator[list[str]]:
        for line, cells in records:
            if any(cell.strip() for cell in cells):
                filled = cells + [""] * (width - len(cells))
                yield [*(filled[index] for index in keep), *cells[width:], *results.cells(line)]

    return _encode([*(header[index] for index in keep), *ADDED], rows(), delimiter)


def _encode(header: list[str] | None, rows: Iterable[list[str]], delimiter: str) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    if header is not None:
        buffer.write("\ufeff")
        writer.writerow(header)
    for number, row in enumerate(rows, start=1):
        writer.writerow(map(harmless, row))
        if number % BATCH == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
