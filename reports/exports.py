"""Tables as files: CSV, XLSX and JSON of what a page shows, from the same rows.

A CSV is only its header and its rows, so that machines need not skip anything; what describes it (title,
Stand, source, licence, notes) stands in the JSON of the same address and in the `Link` header that names it.
Invented numbers say so in every row.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from zsk.spreadsheets import harmless, notice

LICENCE = "https://www.govdata.de/dl-de/by-2-0"
FORMATS = ("csv", "xlsx", "json")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    title: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """What is exported: `slug` becomes the file's name; `meta` goes into JSON and the XLSX's second sheet."""

    slug: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    period: str = ""
    stand: dt.datetime | None = None
    version: int | None = None
    filters: dict[str, str] | None = None
    notes: Sequence[str] = ()
    # Of the services that were expected to deliver for the period, how many did; where one can say so.
    delivered: int | None = None
    expected: int | None = None
    # By the regions of today, instead of those that the counts were reported for.
    today: bool = False


def source() -> str:
    return _("ZSK, synthetische Daten") if settings.SYNTHETIC_DATA else "ZSK"


def machine_month(month: dt.date) -> str:
    return f"{month:%Y-%m}"


def safe(cell: Cell) -> Cell:
    """No formula; see `harmless`. Numbers stay numbers."""
    return harmless(cell) if isinstance(cell, str) else cell


def respond(request: HttpRequest, table: Table, kind: str) -> HttpResponse:
    """The table as a file of this kind, one of `FORMATS`."""
    if kind == "json":
        response: HttpResponse = JsonResponse(as_json(table), json_dumps_params={"ensure_ascii": False})
    elif kind == "xlsx":
        response = HttpResponse(as_xlsx(table), content_type=XLSX)
    else:
        response = HttpResponse(as_csv(table), content_type="text/csv; charset=utf-8; header=present")
        described = request.get_full_path().replace(".csv", ".json", 1)
        response.headers["Link"] = f'<{described}>; rel="describedby"; type="application/json"'
    response.headers["Content-Disposition"] = f'attachment; filename="{table.slug}.{kind}"'
    return response


def as_csv(table: Table) -> str:
    return "".join(csv_lines([column.name for column in table.columns], table.rows))


def csv_lines(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Lines of a CSV with semicolons, UTF-8 with a mark so that Excel reads it, the notice as last column."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    last = notice()
    yield "\ufeff"
    writer.writerow([*names, "hinweis"])
    for row in rows:
        writer.writerow(["" if cell is None else safe(cell) for cell in row] + [last])
        if buffer.tell() > 32_000:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def describe(table: Table) -> dict[str, Any]:
    return {
        "titel": table.title,
        "stand": timezone.localtime(table.stand).isoformat(timespec="seconds") if table.stand else None,
        "datenversion": table.version,
        "gebietsstand": _("heutiger Gebietsstand") if table.today else _("Gebietsstand der Meldung"),
        "zeitraum": table.period,
        "filter": table.filters or {},
        "vollstaendigkeit": None
        if table.expected is None
        else {"geliefert": table.delivered, "erwartet": table.expected},
        "lizenz": LICENCE,
        "quelle": source(),
        "hinweise": [note for note in (notice(), *table.notes) if note],
    }


def as_json(table: Table) -> dict[str, Any]:
    return {
        "meta": describe(table),
        "spalten": [{"name": c.name, "typ": c.kind, "titel": c.title} for c in table.columns],
        "zeilen": [list(row) for row in table.rows],
    }


def as_xlsx(table: Table) -> bytes:
    """Two sheets: the data, and what describes them. Text is written as text: no cell becomes a formula."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as book:
        bold = book.add_format({"bold": True})
        data = book.add_worksheet(_("Daten"))
        data.freeze_panes(1, 0)
        titles = [column.title for column in table.columns] + [_("Hinweis")]
        data.write_row(0, 0, titles, bold)
        for number, row in enumerate(table.rows, start=1):
            _write_row(data, number, [*row, notice()])
        data.set_column(0, len(titles) - 1, 18)
        _describe_in(book.add_worksheet(_("Beschreibung")), describe(table))
    return content.getvalue()


def _write_row(sheet: xlsxwriter.worksheet.Worksheet, number: int, row: Sequence[Cell]) -> None:
    for place, cell in enumerate(row):
        if isinstance(cell, str):
            sheet.write_string(number, place, cell)
        elif cell is not None:
            sheet.write_number(number, place, cell)


def _describe_in(sheet: xlsxwriter.worksheet.Worksheet, meta: dict[str, Any]) -> None:
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 80)
    for number, (name, value) in enumerate(meta.items()):
        text = "; ".join(value) if isinstance(value, list) else value
        if isinstance(text, dict):
            text = "; ".join(f"{key}: {part}" for key, part in text.items())
        _write_row(sheet, number, [name, "" if text is None else str(text)])
