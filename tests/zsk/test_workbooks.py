"""The reader of XLSX: what each kind of cell becomes, which sheet is read, and files made to do harm."""

import io
import os
import time
import tracemalloc
import zipfile

import pytest

from tests.zsk.making_workbooks import HEAD, cell, row, sheet, workbook
from zsk import kinds, workbooks
from zsk.kinds import NotReadable
from zsk.workbooks import Day, Number

KNOWN = {"onlineservice", "ars", "monat", "anzahl"}


def read(content: bytes) -> list[tuple[int, list[str]]]:
    return list(workbooks.read_sheet(io.BytesIO(content), known=KNOWN).rows)


def one(value: str, **more: str) -> str:
    """The text of one cell, given as XML."""
    [(_line, cells)] = read(workbook(HEAD + row(value), **more))  # type: ignore[arg-type]
    return cells[0]


def refused(content: bytes, name: str = "") -> str:
    def both() -> None:
        kinds.kind(io.BytesIO(content), name=name)
        read(content)

    with pytest.raises(NotReadable) as caught:
        both()
    return caught.value.code


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("1204", "1204"),
        ("1204.0", "1204"),
        ("6.0E10", "60000000000"),
        ("60000000000", "60000000000"),
        ("060000000000", "060000000000"),
        ("110000000000", "110000000000"),
        ("1.1E+11", "110000000000"),
        ("1.5", "1,5"),
        ("1.204", "1,204"),  # a fraction, not twelve hundred
        ("-3", "-3"),
        ("1e300", "1e300"),
        ("0.1", "0,1"),
    ],
)
def test_numbers_are_exact_texts(raw: str, text: str) -> None:
    found = one(cell(raw))
    assert found == text
    assert isinstance(found, Number)


def test_a_number_without_a_type_is_a_number_and_nonsense_in_one_is_damage() -> None:
    assert one("<c><v>7</v></c>") == "7"
    assert refused(workbook(HEAD + row(cell("siebzehn")))) == "datei_beschaedigt"
    assert refused(workbook(HEAD + row(cell("NaN")))) == "datei_beschaedigt"


@pytest.mark.parametrize("style", [1, 2])
def test_date_cells_by_built_in_and_own_formats(style: int) -> None:
    found = one(cell(45778, s=style))
    assert found == "2025-05-01"
    assert isinstance(found, Day)
    assert one(cell(45778.5, s=style)) == "2025-05-01 12:00:00"
    assert one(cell(44316, s=style), settings='<workbookPr date1904="1"/>') == "2025-05-01"
    assert one(cell("2025-05-01T00:00:00.000", "d")) == "2025-05-01"
    assert one(cell(10**9, s=style)) == "1000000000"  # no calendar goes that far


def test_a_format_with_letters_in_quotes_is_no_date() -> None:
    assert one(cell(45778, s=3)) == "45778"


def test_texts_shared_in_runs_inline_and_of_formulas() -> None:
    shared = "<si><t>eins</t></si><si><r><t>0600</t></r><r><t>00000000</t></r><rPh><t>nein</t></rPh></si>"
    assert one(cell(1, "s"), texts=shared) == "060000000000"
    assert one("<c t='inlineStr'><is><r><t>Mai </t></r><r><t>2025</t></r></is></c>") == "Mai 2025"
    assert one("<c t='str'><f>A1&amp;B1</f><v>OS-000001</v></c>") == "OS-000001"
    assert one("<c><f>SUM(1,2)</f><v>3</v></c>") == "3"
    assert one("<c><f>SUM(1,2)</f></c>") == "=SUM(1,2)"
    assert one(cell(1, "b")) == "WAHR"
    assert one(cell("#REF!", "e")) == "#REF!"
    assert one(cell("a_x000A_b", "str")) == "a\nb"
    assert one(cell("a_x0000_b_xD83D_", "str")) == "a_x0000_b_xD83D_"


def test_rows_keep_the_numbers_of_the_spreadsheet_and_gaps_are_empty_cells() -> None:
    rows = (
        row(cell(5, r="D4"), number=4)
        + row(cell(1), cell(2, r="C9"), number=9)
        + row(number=12)
        + row(cell(3))
    )
    content = workbook(HEAD + rows)
    assert read(content) == [(4, ["", "", "", "5"]), (9, ["1", "", "2"]), (13, ["3"])]


def test_prefixed_names_and_a_head_further_down() -> None:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<x:worksheet xmlns:x="{main}"><x:sheetData>'
    xml += '<x:row r="3"><x:c r="B3" t="str"><x:v>ars</x:v></x:c></x:row>'
    xml += '<x:row r="5"><x:c r="B5"><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    found = workbooks.read_sheet(io.BytesIO(workbook({"Tabelle1": xml})), known=KNOWN)
    assert (found.header, found.header_line, list(found.rows)) == (["", "ars"], 3, [(5, ["", "7"])])


def test_the_first_visible_sheet_with_the_head_is_read_and_others_like_it_are_named() -> None:
    data = sheet(HEAD + row(cell(1)))
    sheets = {
        "Alt": data, "Deckblatt": sheet(row(cell("ars", "text"))), "Leer": sheet(""), "2025": data,
        "2024": data,
    }  # fmt: skip
    found = workbooks.read_sheet(io.BytesIO(workbook(sheets, hidden=("Alt",))), known=KNOWN)
    assert (found.name, found.others) == ("2025", ["2024"])


def test_without_a_fitting_sheet_the_first_with_content_is_shown() -> None:
    sheets = {"Leer": sheet(""), "Text": sheet(row(cell("Statistik 2025", "text")))}
    found = workbooks.read_sheet(io.BytesIO(workbook(sheets)), known=KNOWN)
    assert (found.name, found.header) == ("Text", ["Statistik 2025"])


@pytest.mark.parametrize("sheets", [{}, {"Leer": sheet("")}, {"Blank": sheet(row(cell(" ", "text")))}])
def test_a_workbook_without_content_is_empty(sheets: dict[str, str]) -> None:
    assert refused(workbook(sheets)) == "datei_leer"


# --- files that are not what they seem -----------------------------------------------------------


def archive(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "art"),
    [
        (archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "ODS"),
        (archive(**{"[Content_Types].xml": b"", "xl/workbook.bin": b""}), "XLSB"),
        (archive(**{"[Content_Types].xml": b"", "word/document.xml": b""}), "Word"),
        (archive(**{"Index/Document.iwa": b""}), "Numbers"),
        (archive(**{"a.csv": b""}), "ZIP"),
        (b"\xd0\xcf\x11\xe0" + bytes(900) + "EncryptedPackage".encode("utf-16-le"), "Kennwort"),
        (b"\xd0\xcf\x11\xe0" + bytes(900) + "Workbook".encode("utf-16-le"), "alte Excel-Datei"),
    ],
)
def test_other_kinds_are_named(content: bytes, art: str) -> None:
    with pytest.raises(NotReadable) as caught:
        kinds.kind(io.BytesIO(content))
    assert caught.value.code == "datei_art"
    assert art in caught.value.params["art"]


def test_content_and_name_must_say_the_same() -> None:
    xlsx, text = workbook(HEAD), b"onlineservice;ars;monat;anzahl\n"
    for content, name, kind in [(xlsx, "a.csv", "XLSX"), (text, "a.XLSX", "CSV"), (text, "a.xls", "CSV")]:
        with pytest.raises(NotReadable) as caught:
            kinds.kind(io.BytesIO(content), name=name)
        assert caught.value.code == "datei_name"
        assert kind in caught.value.params["art"]
    for content, name in [
        (xlsx, "a.xlsx"),
        (xlsx, "a.v2"),
        (text, "a.CSV"),
        (text, "zahlen"),
        (text, "a.dat"),
    ]:
        assert kinds.kind(io.BytesIO(content), name=name) == ("xlsx" if content is xlsx else "csv")


@pytest.mark.parametrize("cut", [30, 300, 0.5, -30])
def test_a_cut_file_is_damaged(cut: float) -> None:
    content = workbook(HEAD + row(cell(1)) * 500)
    end = int(cut * len(content)) if isinstance(cut, float) else cut
    assert refused(content[:end]) == "datei_beschaedigt"


@pytest.mark.parametrize(
    "rows",
    [
        row(cell(1, r="A5"), number=5) + row(cell(1), number=4),
        row(cell(1, r="A2"), cell(1, r="A2")),
        row(cell(1, r="XFE2")),
        row(cell(1), number=1_048_577),
        row(cell(99, "s")),
        "<row><c><v>1</v></row>",
    ],
)
def test_what_no_spreadsheet_writes_is_damage(rows: str) -> None:
    assert refused(workbook(HEAD + rows)) == "datei_beschaedigt"


def test_entities_are_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    assert refused(workbook({"A": bomb + sheet(HEAD)})) == "datei_beschaedigt"


def test_what_unpacks_to_too_much_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = HEAD.encode() + b" " * (200 << 20)
    content = workbook({"A": sheet("")}, more={"xl/worksheets/s0.xml": bomb})
    assert len(content) < 1 << 20
    monkeypatch.setattr(workbooks, "MOST_BYTES", 100 << 20)
    start = time.monotonic()
    tracemalloc.start()
    try:
        assert refused(content) == "datei_zu_gross"
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < 2


def test_a_declared_size_that_lies_does_not_help() -> None:
    """The archive gives no more than it declares, so that the limit on that is one on everything."""
    content = bytearray(workbook(HEAD + row(cell(1)) * 5_000))
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        size = made.getinfo("xl/worksheets/s0.xml").file_size
    lie = content.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    assert refused(bytes(lie)) == "datei_beschaedigt"


def test_too_many_texts_parts_and_columns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_TEXTS", 3)
    assert refused(workbook(HEAD, texts="<si><t>a</t></si>" * 4)) == "datei_zu_gross"
    assert refused(workbook(HEAD + row(cell(1, r="XFD2")))) == "datei_zu_breit"
    assert refused(workbook(HEAD, more={f"p{n}": b"" for n in range(10_000)})) == "datei_zu_gross"


@pytest.mark.parametrize("endless", ['<c r="{}">', "<c><v>{}</v></c>", "<c><f>{}</f></c>"])
def test_a_tag_or_cell_without_end_is_given_up_early(monkeypatch: pytest.MonkeyPatch, endless: str) -> None:
    monkeypatch.setattr(workbooks, "_MOST_PACKED", 10_000)  # in a file that cannot be packed so small
    content = workbook(HEAD + row(endless.format("A" * (40 << 20))))
    tracemalloc.start()
    start = time.monotonic()
    try:
        assert refused(content) == "datei_beschaedigt"
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < 4


def test_what_is_packed_as_no_spreadsheet_can_be_is_refused_at_once() -> None:
    bomb = workbook(HEAD + row("<c/>" * 12_000_000))
    assert len(bomb) < 100_000
    start = time.monotonic()
    assert refused(bomb) == "datei_zu_gross"
    assert time.monotonic() - start < 1


def test_sheets_without_a_head_are_read_so_far_only() -> None:
    """Each of many may name the same part: a small file would be read for minutes."""
    wide = sheet(row("<c/>" * 300_000))
    parts = {"xl/worksheets/s0.xml": (wide + f"<!--{os.urandom(15_000).hex()}-->").encode()}
    links = "".join(f'<sheet name="x{n}" sheetId="{n + 9}" r:id="r0"/>' for n in range(2_000))
    content = workbook({"A": sheet("")}, settings=f"<s>{links}</s>", more=parts)
    start = time.monotonic()
    assert refused(content) == "datei_zu_gross"
    assert time.monotonic() - start < 8


def test_only_the_first_sheets_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_SHEETS", 2)
    assert read(workbook({"A": sheet(""), "B": sheet(HEAD + row(cell(5)))})) == [(2, ["5"])]
    assert refused(workbook({"A": sheet(""), "B": sheet(""), "C": sheet(HEAD)})) == "datei_leer"


def test_a_small_part_of_endless_tags_is_given_up_early() -> None:
    content = workbook(HEAD, settings="<a/>" * 3_000_000 + f"<!--{os.urandom(100_000).hex()}-->")
    tracemalloc.start()
    try:
        assert refused(content) == "datei_zu_gross"
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()


def test_a_cell_in_the_last_corner_costs_nothing() -> None:
    """A grid of all cells between would have 17 billion."""
    content = workbook(HEAD + row(cell(5), number=2) + row('<c r="XFD1048576" s="1"/>', number=1_048_576))
    assert read(content) == [(2, ["5"])]
