"""XLSX through the door: the rows of a CSV, faults by the spreadsheet's rows, an XLSX as report."""

import datetime as dt
import io
import tracemalloc
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from django.conf import LazySettings

from services.models import OnlineService
from tests.factories import Personas, ServiceFactory, api_key, personas
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    LAST,
    MONTH,
    SAARLAND,
    address,
    laender,
    page,
    post,
    signed_in,
)
from transactions import report, tasks, uploads
from transactions.findings import Finding
from transactions.models import Delivery, DeliveryJob, TransactionCount
from transactions.rows import Rows
from transactions.sources import Unreadable, files
from zsk import kinds, tables

HEAD = ["onlineservice", "ars", "monat", "anzahl"]


def xlsx(*rows: list[Any], name: str = "Zahlen", first: int = 0) -> bytes:
    """A sheet whose first row stands at `first`, from 0; dates become date cells."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "dd.mm.yyyy"}) as book:
        sheet = book.add_worksheet(name)
        for number, cells in enumerate(rows, start=first):
            sheet.write_row(number, 0, cells)
    return file.getvalue()


def read(content: bytes) -> Rows:
    return files.read(io.BytesIO(content), name="zahlen.xlsx", single_service=False)


def refused(content: bytes) -> list[Finding]:
    with pytest.raises(Unreadable) as caught:
        read(content)
    assert all(finding.message for finding in caught.value.findings)
    return caught.value.findings


def texts(rows: Rows) -> list[list[str]]:
    columns = [rows.service, rows.ars, rows.month, rows.count]
    return [[column.text(row) for column in columns if column] for row in range(len(rows))]


def test_rows_have_the_texts_that_a_csv_would_have_and_the_numbers_of_the_spreadsheet() -> None:
    month = dt.date(2025, 5, 1)
    cells = [
        ["OS-000001", HESSEN, month, 1204],
        ["", " ", None, ""],
        ["OS-000001", 110000000000, "Mai 2025", 1.5],
    ]
    rows = read(xlsx(HEAD, *cells, first=2))
    assert texts(rows) == [
        ["OS-000001", HESSEN, "2025-05-01", "1204"],
        ["OS-000001", "110000000000", "Mai 2025", "1,5"],
    ]
    assert rows.line.tolist() == [4, 6]


def test_synonyms_are_named_with_the_row_of_the_head() -> None:
    rows = read(
        xlsx(["OS", "Regionalschlüssel", "Monat", "Anzahl"], ["OS-000001", HESSEN, "2025-05", 1], first=4)
    )
    assert {(note.code, note.line) for note in rows.notes} == {("spalte_verstanden", 5)}
    assert len(rows.notes) == 2


def test_other_columns_with_content_are_refused_and_empty_ones_are_not() -> None:
    row = ["OS-000001", HESSEN, "2025-05", 1]
    assert len(read(xlsx([*HEAD, "", ""], [*row, "", " "]))) == 1
    for cells in ([*row, "", "Rückfrage"], [*row, "Rückfrage"]):
        (found,) = refused(xlsx(HEAD, row, cells))
        assert (found.code, found.line) == ("spalte_ohne_kopf", 3)
    (found,) = refused(xlsx(["Statistik 2025"], HEAD, row))
    assert (found.code, found.line) == ("kopfzeile_fehlt", 1)
    assert [found.code for found in refused(xlsx([*HEAD, "ars", "wert"], row))] == [
        "spalte_doppelt", "spalte_unbekannt",
    ]  # fmt: skip
    assert [found.code for found in refused(xlsx(HEAD))] == ["datei_leer"]


def test_only_the_first_of_two_like_sheets_is_read_and_said() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        for name in ("2025", "2024"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, HEAD)
            sheet.write_row(1, 0, ["OS-000001", HESSEN, f"{name}-05", 1])
    rows = read(file.getvalue())
    assert texts(rows) == [["OS-000001", HESSEN, "2025-05", "1"]]
    [note] = rows.notes
    assert (note.code, note.is_warning) == ("blatt_gelesen", True)
    assert "2024" in note.message


def test_many_rows_need_little_memory() -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        for row in range(1, 60_001):
            sheet.write_row(row, 0, ["OS-000001", f"{row % 11_000:012d}", f"20{row // 11_000 + 18}-05", row])
    tracemalloc.start()
    try:
        rows = read(file.getvalue())
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()
    assert len(rows) == 60_000
    assert len(rows.ars.values) == 11_000


# --- through the door ----------------------------------------------------------------------------


@pytest.fixture
def service(db: None) -> OnlineService:
    laender()
    return ServiceFactory()


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


def uploaded(people: Personas, data: bytes, name: str = "mai 2025.xlsx") -> Delivery:
    post(signed_in(people.owner), data, name=name)
    return Delivery.objects.latest("pk")


def sheet_of(people: Personas, where: str) -> Any:
    answer = signed_in(people.owner).get(where)
    assert answer["Content-Type"] == tables.MEDIA_TYPES["xlsx"]
    assert answer["Content-Disposition"] == 'attachment; filename="mai 2025-bericht.xlsx"'
    assert answer["Cache-Control"] == "private, no-store"
    [sheet] = openpyxl.load_workbook(io.BytesIO(b"".join(answer))).worksheets  # type: ignore[arg-type]
    return sheet


def test_a_workbook_is_delivered_and_its_report_is_one(people: Personas, service: OnlineService) -> None:
    rows = [[service.number, HESSEN, LAST, 1204], ["", "", "", ""], [service.number, BAYERN, MONTH, 7]]
    delivery = uploaded(people, xlsx(HEAD, *rows, name="Mai"))
    uploads.confirm(delivery, by=people.owner, seen=uploads.review(delivery, by=people.owner).seen)
    assert set(TransactionCount.objects.values_list("ars", "month", "count")) == {
        (HESSEN, LAST, 1204), (BAYERN, LAST, 7),
    }  # fmt: skip
    sheet = sheet_of(people, address("delivery_report", delivery))
    assert sheet.title == "Mai"
    assert [cell.value for cell in sheet[1]] == [*HEAD, "ergebnis", "hinweis"]
    found = [cell.value for cell in sheet[2]][:5]
    assert found == [service.number, HESSEN, dt.datetime.combine(LAST, dt.time()), 1204, "neu"]
    assert sheet["A3"].value is None  # rows keep their numbers
    assert sheet["C4"].value == MONTH


@pytest.mark.parametrize(("number", "worker"), [(4_000, False), (8_000, True)])
def test_what_a_workbook_unpacks_to_says_whether_a_worker_reads_it(
    people: Personas, service: OnlineService, settings: LazySettings, number: int, worker: bool
) -> None:
    settings.UPLOAD_AT_ONCE_BYTES = 1 << 20
    data = xlsx(HEAD, *([service.number, HESSEN, LAST, count] for count in range(number)))
    assert len(data) < 1 << 18
    assert (kinds.unpacked_bytes(io.BytesIO(data)) > 1 << 20) == worker
    delivery = uploaded(people, data)
    assert DeliveryJob.objects.filter(pk=delivery.pk).exists() == worker
    tasks.work_on_delivery(str(delivery.pk))
    delivery.refresh_from_db()
    assert delivery.status == Delivery.Status.REFUSED
    assert uploads.review(delivery, by=people.owner).fault_count == number - 1


def test_how_much_is_in_what_is_no_archive_or_broken() -> None:
    data = xlsx(HEAD)
    assert kinds.unpacked_bytes(io.BytesIO(b"ars;monat")) == 9
    assert kinds.unpacked_bytes(io.BytesIO(data[:-40])) == 0


def test_faults_name_the_rows_of_the_spreadsheet_and_the_report_can_be_mended(
    people: Personas, service: OnlineService
) -> None:
    rows = [
        [service.number, 60000000000, LAST, 5],
        [service.number, BAYERN, LAST.replace(day=2), 5],
        [service.number, SAARLAND, MONTH, 1.5],
        ["=1+1", HESSEN, MONTH, -3],
    ]
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "mmm yy", "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate([HEAD, *rows], start=3):
            sheet.write_row(number, 0, cells)
    delivery = uploaded(people, file.getvalue())
    assert delivery.status == Delivery.Status.REFUSED
    found = {(finding.line, finding.code) for finding in delivery.findings.all()}
    assert found == {
        (5, "ars_fuehrende_null"), (6, "monat_tag"), (7, "anzahl_nachkomma"), (8, "formel"),
        (8, "anzahl_negativ"),
    }  # fmt: skip
    sheet = sheet_of(people, address("review_report", delivery))
    assert [cell.value for cell in sheet[4]] == [*HEAD, "ergebnis", "hinweis"]
    assert sheet["B5"].value == 60000000000
    assert "Vorschlag: 060000000000" in sheet["F5"].value
    assert sheet["D7"].value == 1.5
    assert (sheet["A8"].value, sheet["A8"].data_type) == ("=1+1", "s")  # text, no formula
    assert (sheet["B6"].value, sheet["B6"].data_type) == (BAYERN, "s")

    mended = openpyxl.load_workbook(io.BytesIO(report_bytes(delivery, people)))
    cells = mended.worksheets[0]
    cells["B5"], cells["C6"], cells["D7"] = HESSEN, MONTH, 1
    cells.delete_rows(8)
    again = io.BytesIO()
    mended.save(again)
    second = uploaded(people, again.getvalue())
    assert second.status == Delivery.Status.WAITING, list(second.findings.all())
    assert len(sheet_of(people, address("review_report", second))[4]) == 6  # it does not grow


def report_bytes(delivery: Delivery, people: Personas) -> bytes:
    return b"".join(tables.pieces(report.table(delivery, principal=people.owner)))


def test_an_unreadable_workbook_says_why_on_the_page_and_in_its_report(people: Personas) -> None:
    delivery = uploaded(people, xlsx(["Statistik 2025"], HEAD))
    assert "Statistik 2025" in page(signed_in(people.owner), address("review", delivery))
    assert "Statistik 2025" in sheet_of(people, address("review_report", delivery))["A2"].value


def test_a_workbook_with_another_name_is_refused_on_the_page(people: Personas) -> None:
    delivery = uploaded(people, xlsx(HEAD), name="zahlen.csv")
    assert delivery.status == Delivery.Status.REFUSED
    shown = page(signed_in(people.owner), address("review", delivery))
    assert "heißt „zahlen.csv“, ist aber eine Excel-Datei (XLSX)" in shown


def test_the_interface_reports_any_file_as_csv(people: Personas, service: OnlineService) -> None:
    delivery = uploaded(people, xlsx(HEAD, [service.number, HESSEN, MONTH, 5]))
    uploads.confirm(delivery, by=people.owner, seen=uploads.review(delivery, by=people.owner).seen)
    key, _text = api_key(service)
    answer = report.response(delivery, principal=key, as_csv=True)
    lines = b"".join(answer).decode("utf-8-sig").splitlines()  # type: ignore[arg-type]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert lines == [f"{';'.join(HEAD)};ergebnis;hinweis", f"{service.number};{HESSEN};{MONTH};5;neu;"]
