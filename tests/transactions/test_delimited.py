"""The reader of CSV files: how they are written, and what is refused before any row is looked at."""

import base64
import io
import random
import time

import numpy as np
import pytest

from transactions import rows as rows_module
from transactions.findings import Finding
from transactions.rows import Column, Rows, encode
from transactions.sources import Unreadable, files
from transactions.sources.tables import KNOWN
from zsk.readers import open_file

HEAD = "onlineservice;ars;monat;anzahl\n"
ROW = "OS-000001;060000000000;2025-05;1204\n"


def read(content: str | bytes, *, single_service: bool = False) -> Rows:
    data = content.encode() if isinstance(content, str) else content
    return files.read(io.BytesIO(data), name="zahlen.csv", single_service=single_service)


def refused(content: str | bytes, *, single_service: bool = False) -> list[Finding]:
    with pytest.raises(Unreadable) as caught:
        read(content, single_service=single_service)
    assert all(finding.message for finding in caught.value.findings)
    return caught.value.findings


def texts(column: Column | None) -> list[str]:
    assert column is not None
    return [column.text(row) for row in range(len(column))]


def cells(rows: Rows) -> list[tuple[str, ...]]:
    return list(zip(texts(rows.service), texts(rows.ars), texts(rows.month), texts(rows.count), strict=True))


EXPECTED = [("OS-000001", "060000000000", "2025-05", "1204")]


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_three_separators_and_three_line_ends(delimiter: str, newline: str) -> None:
    content = (HEAD + ROW + ROW).replace(";", delimiter).replace("\n", newline)
    rows = read(content)
    assert cells(rows) == EXPECTED * 2
    assert rows.line.tolist() == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_two_encodings_with_or_without_bom(encoding: str) -> None:
    rows = read((HEAD + "OS-000001;060000000000;März 2025;1204\n").encode(encoding))
    assert cells(rows) == [("OS-000001", "060000000000", "März 2025", "1204")]


def test_headings_in_any_order_and_case() -> None:
    assert cells(read("ANZAHL;Monat;ARS;OnlineService\n1204;2025-05;060000000000;OS-000001\n")) == EXPECTED


def test_synonyms_are_understood_and_named() -> None:
    rows = read("Kennung;Regionalschlüssel;Berichtsmonat;Transaktionen\n" + ROW)
    assert cells(rows) == EXPECTED
    assert [(note.code, note.value, note.params["spalte"]) for note in rows.notes] == [
        ("spalte_verstanden", "Kennung", "onlineservice"),
        ("spalte_verstanden", "Regionalschlüssel", "ars"),
        ("spalte_verstanden", "Berichtsmonat", "monat"),
        ("spalte_verstanden", "Transaktionen", "anzahl"),
    ]


def test_a_report_can_be_mended_and_sent_again() -> None:
    rows = read("onlineservice;ars;monat;anzahl;ergebnis;hinweis\n" + ROW.strip() + ";fehler;weg damit\n")
    assert cells(rows) == EXPECTED
    assert [(note.code, note.value) for note in rows.notes] == [
        ("spalte_uebergangen", "ergebnis"),
        ("spalte_uebergangen", "hinweis"),
    ]


def test_the_service_may_be_missing_in_a_file_for_one_service() -> None:
    rows = read("ars;monat;anzahl\n060000000000;2025-05;1204\n", single_service=True)
    assert rows.service is None
    assert texts(rows.ars) == ["060000000000"]


def test_quoted_line_breaks_do_not_shift_line_numbers() -> None:
    for newline in ("\n", "\r\n", "\r"):
        content = HEAD + 'OS-000001;"0600\n0000\n0000";2025-05;"12"\n' + ROW + ROW
        rows = read(content.replace("\n", newline))
        assert rows.line.tolist() == [2, 5, 6]
        assert texts(rows.count) == ["12", "1204", "1204"]


def test_quotes_around_cells_and_doubled_inside() -> None:
    rows = read('"onlineservice";"ars";"monat";"anzahl"\n"OS ""A""";"060000000000";"2025-05";"1;204"\n')
    assert cells(rows) == [('OS "A"', "060000000000", "2025-05", "1;204")]


def test_empty_lines_are_skipped_and_counted() -> None:
    rows = read("\n\n" + HEAD + "\n" + ROW + " \n;;;\n" + ROW + "\n\n")
    assert cells(rows) == EXPECTED * 2
    assert rows.line.tolist() == [5, 8]


def test_blank_lines_before_the_head_do_not_hide_the_separator() -> None:
    assert cells(read(("\n \n" + HEAD + ROW).replace(";", ","))) == EXPECTED


def test_columns_without_heading_and_content_are_skipped() -> None:
    assert cells(read("onlineservice;ars;monat;anzahl;;\n" + ROW.strip() + ";;\n")) == EXPECTED


def test_a_column_without_heading_but_content_is_named() -> None:
    (found,) = refused(
        "onlineservice;ars;monat;anzahl;;\n" + ROW.strip() + ";;\n" + ROW.strip() + ";;geprüft\n"
    )
    assert (found.code, found.line, found.value) == ("spalte_ohne_kopf", 3, "geprüft")
    assert "Spalte 6" in found.message


def test_short_rows_keep_their_place_and_get_empty_cells() -> None:
    rows = read(HEAD + ROW + "OS-000001;060000000000\n" + ROW)
    assert rows.line.tolist() == [2, 3, 4]
    assert cells(rows)[1] == ("OS-000001", "060000000000", "", "")


def test_rows_that_are_too_wide_are_a_fault_of_that_row() -> None:
    rows = read(HEAD + ROW + "OS-000001;060000000000;2025-05;1;204\n" + ROW + ";;;;x\n")
    assert [(found.code, found.line, found.row, found.value) for found in rows.faults] == [
        ("zeile_spalten", 3, 1, "OS-000001;060000000000;2025-05;1;204"),
        ("zeile_spalten", 5, 3, ";;;;x"),
    ]
    assert rows.line.tolist() == [2, 3, 4, 5]


def test_empty_cells_behind_the_last_column_are_no_fault() -> None:
    assert read(HEAD + ROW.strip() + ";;\n").faults == []


def test_a_file_of_rows_that_are_too_wide_is_refused_as_a_whole() -> None:
    found = refused(HEAD + "OS-000001;060000000000;2025-05;1;204\n" * 5_000)
    assert {finding.code for finding in found} == {"zeile_spalten"}
    assert (len(found), found[0].line) == (1_000, 2)


# --- refused before any row ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "XLS"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "Bild"),
        ("onlineservice;ars".encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"<!doctype html><table>", "HTML"),
        (b'{"zeilen": []}', "JSON"),
        (b"\x00\x01\x02\x03", "ohne lesbaren Text"),
        ((HEAD + ROW * 40_000).encode() + b"OS-000001;\x00;2025-05;1\n", "ohne lesbaren Text"),
        ((HEAD + ROW * 40_000 + "ä").encode("cp1252") + b"\x00", "ohne lesbaren Text"),
    ],
)
def test_a_file_that_is_something_else_than_its_name(content: bytes, kind: str) -> None:
    (found,) = refused(content)
    assert found.code == "datei_art"
    assert kind in found.message


@pytest.mark.parametrize("content", ["", " \n\r\n\t", "\ufeff", HEAD, HEAD.strip(), HEAD + "\n;;;\n"])
def test_a_file_without_rows(content: str) -> None:
    assert [found.code for found in refused(content)] == ["datei_leer"]


@pytest.mark.parametrize("content", [ROW, "060000000000;2025-05;5", "Statistik Mai 2025\n" + HEAD + ROW])
def test_a_file_without_header_shows_what_was_read(content: str) -> None:
    (found,) = refused(content)
    assert (found.code, found.line) == ("kopfzeile_fehlt", 1)
    assert content.split("\n")[0].split(";")[0] in found.message


def test_missing_doubled_and_unknown_columns_are_all_named() -> None:
    found = refused("ars;ARS;monat;wert\n060000000000;060000000000;2025-05;1\n")
    assert [(finding.code, finding.field, finding.value) for finding in found] == [
        ("spalte_doppelt", "ars", ""),
        ("spalte_fehlt", "onlineservice", ""),
        ("spalte_fehlt", "anzahl", ""),
        ("spalte_unbekannt", "", "wert"),
    ]
    assert "ars, ARS" in found[0].message


def test_a_synonym_beside_the_name_is_a_doubled_column() -> None:
    (found,) = refused("onlineservice;ars;monat;anzahl;Transaktionen\n")
    assert (found.code, found.params["gefunden"]) == ("spalte_doppelt", "anzahl, Transaktionen")


@pytest.mark.parametrize("tail", ["", ROW * 3, ROW * 100_000])
def test_a_quote_that_is_never_closed_names_where_it_opens(tail: str) -> None:
    (found,) = refused(HEAD + ROW + 'OS-000001;060000000000;2025-05;"12' + tail)
    assert (found.code, found.line) == ("datei_anfuehrung", 3)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_file_cut_inside_a_character_is_refused_with_its_line(quote: str) -> None:
    whole = f"onlineservice;ars;monat;anzahl\nOS-000001;060000000000;{quote}März 2026{quote};5\nä".encode()
    [found] = refused(whole[:-1])
    assert (found.code, found.line) == ("datei_zeichen", 3)


def test_latin_1_inside_utf_8_is_refused_with_its_line() -> None:
    march = "OS-000001;060000000000;März 2025;3\n"
    for content in (
        (HEAD + march).encode() + march.encode("cp1252"),
        (HEAD + ROW).encode() + march.encode("cp1252") + march.encode(),
    ):
        (found,) = refused(content)
        assert (found.code, found.line) == ("datei_zeichen", 3)
        assert "0xE4" in found.message


def test_bytes_that_no_encoding_has_are_refused_with_their_line() -> None:
    (found,) = refused((HEAD + ROW).encode() + b"OS-000001;\x81;2025-05;3\n")
    assert (found.code, found.line, found.params["bytes"]) == ("datei_zeichen", 3, "Byte 0x81")


def test_a_record_longer_than_any_can_be_is_refused_with_its_line() -> None:
    (found,) = refused(HEAD + ROW + "OS-000001;" + "9" * 3_000_000 + ";2025-05;1\n" + ROW)
    assert (found.code, found.line) == ("zeile_zu_lang", 3)


def test_a_long_cell_is_read_and_can_be_reported() -> None:
    content = (HEAD + "OS-000001;" + "9" * 200_000 + ";2025-05;1\n").encode()
    assert len(read(content)) == 1
    source = open_file(io.BytesIO(content), name="", known=KNOWN)
    assert [line for line, _cells in source.rows] == [2]


def noise(kind: str) -> bytes:
    data = random.Random(7).randbytes(50_000_000 if kind == "bytes" else 37_500_000)
    return {"bytes": bytes, "letters": base64.b64encode, "lines": base64.encodebytes}[kind](data)


@pytest.mark.parametrize("kind", ["bytes", "letters", "lines"])
def test_50_mb_of_nonsense_is_refused_at_once(kind: str) -> None:
    content = noise(kind)
    start = time.monotonic()
    (found,) = refused(content)
    assert found.code == ("datei_art" if kind == "bytes" else "kopfzeile_fehlt")
    assert time.monotonic() - start < 2


def test_a_refused_file_stays_open_for_its_owner() -> None:
    file = io.BytesIO(b"no head\n")
    with pytest.raises(Unreadable):
        files.read(file, name="zahlen.csv", single_service=False)
    assert not file.closed


# --- for the report ------------------------------------------------------------------------------


def test_records_are_given_with_the_lines_that_the_rows_have() -> None:
    content = ("\n" + HEAD + 'OS-000001;"06\n00";2025-05;1\n' + ROW + "\n" + "OS-000001\n").encode()
    source = open_file(io.BytesIO(content), name="", known=KNOWN)
    assert (source.delimiter, source.header) == (";", ["onlineservice", "ars", "monat", "anzahl"])
    given = {line: cells for line, cells in source.rows if any(cells)}
    assert list(given) == read(content).line.tolist() == [3, 5, 7]
    assert given[5][3] == "1204"


def test_very_many_texts_are_not_compared_with_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "_MOST_UNIFIED", 3)
    column = Column.joined([encode(["a", "b", "a"]), encode(["b", "c"])])
    assert [column.text(row) for row in range(5)] == ["a", "b", "a", "b", "c"]
    assert list(column.texts()) == ["a", "b", "b", "c"]
    kept = column.filter(np.array([True, False, False, True, False]))
    assert [kept.text(row) for row in range(2)] == ["a", "b"]
    assert list(kept.texts()) == ["a", "b"]
