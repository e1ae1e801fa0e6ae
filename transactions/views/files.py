"""Lists as files for a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

from zsk.spreadsheets import harmless, notice


class _Echo:
    """Hands back what the writer writes."""

    def write(self, text: str) -> str:
        return text


def csv_response(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]
) -> StreamingHttpResponse:
    """A CSV with semicolons, UTF-8 with a mark so that Excel reads it; no cell becomes a formula.

    Like the open files it says in its last column that numbers are invented.
    """
    response = StreamingHttpResponse(_lines(columns, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _lines(columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=";")
    yield "\ufeff"
    yield writer.writerow([*columns, "hinweis"])
    last = notice()
    for row in rows:
        yield writer.writerow(["" if cell is None else harmless(str(cell)) for cell in row] + [last])


def month_cell(month: dt.date | None) -> str:
    return f"{month:%Y-%m}" if month else ""
