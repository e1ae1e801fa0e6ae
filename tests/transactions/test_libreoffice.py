"""Files that a real spreadsheet has saved, in each format that people have, and whether it opens ours."""

import csv
import datetime as dt
import os
import shutil
from pathlib import Path

import pytest

from tests.factories import ServiceFactory, personas
from tests.transactions.saved_by_libreoffice import SOFFICE, day, document, number, row, saved, sheet, text
from tests.transactions.uploading import HESSEN, MONTH, SAARLAND, laender, received
from transactions import blanks, report
from transactions.sources import Unreadable, files
from transactions.values import Fault, parse_ars, parse_count, parse_month
from zsk.kinds import XLSX
from zsk.tables import Table, pieces

LACKING = shutil.which(SOFFICE) is None and os.environ.get("CI") != "true"
pytestmark = pytest.mark.skipif(LACKING, reason="LibreOffice fehlt; als root: make libreoffice")
HEAD = row(*map(text, ("Onlineservice", "ARS", "Monat", "Anzahl")))
ROWS = (
    HEAD,
    row(text("OS-000001"), text("060000000000"), day("2025-05-01", "day"), number(1204)),
    row(text("OS-000001"), text("090000000000"), day("2025-06-01", "month"), number(1234567, "grouped")),
    row(),
    row(text("OS-000001"), number(110000000000), text("Mai 2025"), number(7, formula="of:=3+4")),
    row(text("OS-000001"), text("070000000000"), text("März 2025"), text("1.204")),
)
EXPECTED = [
    ("OS-000001", "060000000000", dt.date(2025, 5, 1), 1204),
    ("OS-000001", "090000000000", dt.date(2025, 6, 1), 1234567),
    ("OS-000001", "110000000000", dt.date(2025, 5, 1), 7),
    ("OS-000001", "070000000000", dt.date(2025, 3, 1), 1204),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("libreoffice")
    old = row(text("OS-000009"), text("060000000000"), text("2024-05"), number(9))
    wrong = row(text("OS-000001"), number(60000000000), day("2025-05-02", "day"), number(1.5))
    sent = row(text(HESSEN), day(f"{MONTH}-01", "day"), number(5))
    documents = {
        "plain": [sheet("Zahlen", *ROWS)],
        "sheets": [sheet("Leer"), sheet("Alt", HEAD, old, style="hidden"), sheet("Zahlen", *ROWS)],
        "faults": [sheet("Zahlen", HEAD, row(), wrong)],
        "sent": [sheet("Zahlen", row(*map(text, ("ars", "monat", "anzahl"))), sent, row(text("=1+1")))],
    }
    for name, sheets in documents.items():
        (made / f"{name}.fods").write_text(document(*sheets), encoding="utf-8")
    saved(made, "xlsx", *(made / f"{name}.fods" for name in documents))
    return made


def read(path: Path) -> tuple[list[int], list[tuple[object, ...]]]:
    """The rows' numbers, and what their cells mean."""
    with path.open("rb") as file:
        rows = files.read(file, name=path.name, single_service=False)
    assert rows.service
    columns = [
        [rows.service.text(at) for at in range(len(rows))],
        [parse_ars(rows.ars.text(at)) for at in range(len(rows))],
        [parse_month(rows.month.text(at), running=dt.date(2026, 1, 1)) for at in range(len(rows))],
        [parse_count(rows.count.text(at)) for at in range(len(rows))],
    ]
    return rows.line.tolist(), list(zip(*columns, strict=True))


@pytest.mark.parametrize("name", ["plain", "sheets"])
def test_its_xlsx_is_read_with_its_meaning(folder: Path, name: str) -> None:
    assert read(folder / "xlsx" / f"{name}.xlsx") == ([2, 3, 5, 6], EXPECTED)


def test_its_csv_in_windows_1252_is_read_with_its_meaning(folder: Path) -> None:
    path = saved(folder, "windows", folder / "plain.fods") / "plain.csv"
    assert "März".encode("cp1252") in path.read_bytes()
    assert read(path) == ([2, 3, 5, 6], EXPECTED)


def test_faults_in_its_cells_are_found(folder: Path) -> None:
    lines, [(_service, *faults)] = read(folder / "xlsx" / "faults.xlsx")
    assert lines == [3]
    assert all(isinstance(fault, Fault) for fault in faults)
    codes = [fault.code for fault in faults if isinstance(fault, Fault)]
    assert codes == ["ars_fuehrende_null", "monat_tag", "anzahl_nachkomma"]


@pytest.mark.parametrize(
    ("kind", "said"), [("ods", "OpenDocument-Tabelle (ODS)"), ("xls", "alte Excel-Datei (XLS)")]
)
def test_other_formats_are_named_and_told_what_to_do(folder: Path, kind: str, said: str) -> None:
    made = saved(folder, kind, folder / "plain.fods")
    with pytest.raises(Unreadable) as caught:
        read(made / f"plain.{kind}")
    (found,) = caught.value.findings
    assert said in found.message
    assert "XLSX oder CSV" in str(found.kind.cure)


@pytest.mark.django_db
def test_it_opens_our_report_and_template_as_we_meant_them(folder: Path) -> None:
    laender()
    service = ServiceFactory(reporting_level="land")
    service.area.set([HESSEN, SAARLAND])
    person = personas(service).owner
    content = (folder / "xlsx" / "sent.xlsx").read_bytes()
    delivery = received(person, content, name="zahlen.xlsx", service=service)
    write(folder / "bericht.xlsx", report.table(delivery, principal=person))
    write(folder / "vorlage.xlsx", blanks.table(blanks.make(person), XLSX))
    # With it what the program itself writes as UTF-8: each of its starts takes seconds.
    sources = [folder / name for name in ("bericht.xlsx", "vorlage.xlsx", "plain.fods")]
    made = saved(folder, "utf-8", *sources)

    assert read(made / "plain.csv") == ([2, 3, 5, 6], EXPECTED)
    assert lines(made / "bericht.csv")[:2] == [
        ["ars", "monat", "anzahl", "ergebnis", "hinweis"],
        [HESSEN, f"{MONTH}-01", "5", "wäre neu", ""],
    ]
    assert lines(made / "bericht.csv")[2][0] == "=1+1"  # a text, not 2
    assert [cells[:4] for cells in lines(made / "vorlage.csv")] == [
        ["onlineservice", "ars", "monat", "anzahl"],
        [service.number, HESSEN, MONTH, ""],
        [service.number, SAARLAND, MONTH, ""],
    ]


def write(path: Path, table: Table) -> None:
    path.write_bytes(b"".join(pieces(table)))


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [cells for cells in csv.reader(file, delimiter=";") if any(cells)]
