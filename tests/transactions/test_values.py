"""Single cells: every line of the file format's table, and what each refused value is told."""

import datetime as dt

import pytest

from transactions.values import MAX_COUNT, REMOVE, Fault, parse_ars, parse_count, parse_month

RUNNING = dt.date(2026, 11, 1)
MAY = dt.date(2025, 5, 1)


def fault(value: object) -> Fault:
    assert isinstance(value, Fault), f"{value!r} was accepted"
    return value


@pytest.mark.parametrize("text", ["060000000000", "06 0000 000000", " 060000000000 ", "06 0 00 0000 000"])
def test_an_ars_is_twelve_digits_with_or_without_blanks(text: str) -> None:
    assert parse_ars(text) == "060000000000"


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("60000000000", "ars_fuehrende_null", "060000000000"),
        ("6,0E+10", "ars_exponent", ""),
        ("6.0e10", "ars_exponent", ""),
        ("6,43500E+10", "ars_exponent", ""),
        ("06435014", "ars_ags", ""),
        ("06435", "ars_laenge", "064350000000"),
        ("06", "ars_laenge", "060000000000"),
        ("064", "ars_laenge", "064000000000"),
        ("010510044", "ars_laenge", "010510044000"),
        ("0643501", "ars_laenge", ""),
        ("0600000000000", "ars_laenge", ""),
        ("", "ars_fehlt", ""),
        ("   ", "ars_fehlt", ""),
        ("Hessen", "ars_zeichen", ""),
        ("DE-HE", "ars_zeichen", ""),
        ("٠٦٠٠٠٠٠٠٠٠٠٠", "ars_zeichen", ""),
        ("=A2", "formel", ""),
        ("Summe", "summenzeile", ""),
        ("Summe Hessen", "summenzeile", ""),
        ("Gesamt", "summenzeile", ""),
    ],
)
def test_a_wrong_ars_is_told_what_it_is(text: str, code: str, suggestion: str) -> None:
    found = fault(parse_ars(text))
    assert (found.code, found.suggestion) == (code, suggestion)


def test_an_ags_is_handed_on_so_that_the_register_can_be_asked() -> None:
    assert fault(parse_ars("06 435 014")).params == {"ags": "06435014"}


@pytest.mark.parametrize(
    "text",
    [
        "2025-05", "2025-5", "2025/05", "05.2025", "05/2025", "5/2025", "5.2025", "05 / 2025",
        "Mai 2025", "mai 2025", "MAI 2025", "Mai 25", "Mai-25", "Mai '25", "01.05.2025", "1.5.2025",
        "01.05.25", "2025-05-01", "2025-05-01 00:00:00", "2025-05-01T00:00:00", " Mai\u00a02025 ",
    ],
)  # fmt: skip
def test_a_month_is_read_as_people_write_it(text: str) -> None:
    assert parse_month(text, running=RUNNING) == MAY


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("Jan 2025", 1), ("Jän. 2025", 1), ("Januar 2025", 1), ("Feb 2025", 2), ("Mrz 2025", 3),
        ("Mär 2025", 3), ("März 2025", 3), ("Maerz 2025", 3), ("Apr. 2025", 4), ("Juni 2025", 6),
        ("Juli 2025", 7), ("August 2025", 8), ("Sept. 2025", 9), ("Okt 25", 10),
        ("November 2025", 11), ("Dez. 2025", 12),
    ],
)  # fmt: skip
def test_names_of_months(text: str, month: int) -> None:
    assert parse_month(text, running=RUNNING) == dt.date(2025, month, 1)


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("13/2025", "monat_gibt_es_nicht", ""),
        ("2025-00", "monat_gibt_es_nicht", ""),
        ("2025-13", "monat_gibt_es_nicht", ""),
        ("2025", "monat_nur_jahr", ""),
        ("Q2 2025", "monat_quartal", ""),
        ("2025 Q2", "monat_quartal", ""),
        ("2. Quartal 2025", "monat_quartal", ""),
        ("2026-12", "monat_zukunft", ""),
        ("9999-01", "monat_zukunft", ""),
        ("2015-12", "monat_zu_frueh", ""),
        ("15.05.2025", "monat_tag", "2025-05"),
        ("2025-05-31", "monat_tag", "2025-05"),
        ("45778", "monat_unlesbar", "2025-05"),
        ("", "monat_fehlt", ""),
        (" ", "monat_fehlt", ""),
        ("demnächst", "monat_unlesbar", ""),
        ("Foo 2025", "monat_unlesbar", ""),
        ("0000-05", "monat_unlesbar", ""),
        ("٢٠٢٥-٠٥", "monat_unlesbar", ""),
        ("=HEUTE()", "formel", ""),
        ("Summe 2025", "summenzeile", ""),
    ],
)
def test_a_wrong_month_is_told_what_it_is(text: str, code: str, suggestion: str) -> None:
    found = fault(parse_month(text, running=RUNNING))
    assert (found.code, found.suggestion) == (code, suggestion)


def test_the_running_month_is_accepted_and_the_first_month_of_the_regions_history() -> None:
    assert parse_month("2026-11", running=RUNNING) == RUNNING
    assert parse_month("2016-01", running=RUNNING) == dt.date(2016, 1, 1)


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("05.2025", "monat_form", "2025-05"),
        ("Mai 2025", "monat_form", "2025-05"),
        ("2025-5", "monat_form", "2025-05"),
        ("2025-05-31", "monat_form", "2025-05"),
        ("Foo", "monat_form", ""),
        ("2025-13", "monat_gibt_es_nicht", ""),
    ],
)
def test_the_interface_accepts_one_form_of_month(text: str, code: str, suggestion: str) -> None:
    found = fault(parse_month(text, running=RUNNING, strict=True))
    assert (found.code, found.suggestion) == (code, suggestion)
    assert parse_month("2025-05", running=RUNNING, strict=True) == MAY


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1204", 1204), ("1.204", 1204), ("1 204", 1204), ("1\u00a0204", 1204), ("1\u202f204", 1204),
        ("1.234.567", 1_234_567), (" 1204 ", 1204), ("0", 0), ("007", 7), ("1000000000", MAX_COUNT),
        ("1.000.000.000", MAX_COUNT), ("löschen", REMOVE), ("LÖSCHEN", REMOVE), ("loeschen", REMOVE),
    ],
)  # fmt: skip
def test_a_count_is_a_whole_number_with_or_without_groups_of_thousands(text: str, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize(
    ("text", "code", "suggestion"),
    [
        ("", "anzahl_fehlt", ""),
        ("  ", "anzahl_fehlt", ""),
        ("-1", "anzahl_negativ", ""),
        ("−1", "anzahl_negativ", ""),
        ("- 1.204", "anzahl_negativ", ""),
        ("1,5", "anzahl_nachkomma", ""),
        ("1.5", "anzahl_nachkomma", ""),
        ("1.20", "anzahl_nachkomma", ""),
        ("12,0", "anzahl_nachkomma", "12"),
        ("12.00", "anzahl_nachkomma", "12"),
        ("1,204", "anzahl_nachkomma", ""),
        ("1,000", "anzahl_nachkomma", ""),
        ("0.204", "anzahl_nachkomma", ""),
        ("1.204,5", "anzahl_nachkomma", ""),
        ("1.204 567", "anzahl_keine_zahl", ""),
        ("12e3", "anzahl_exponent", ""),
        ("1,2E+3", "anzahl_exponent", ""),
        ("k. A.", "anzahl_keine_zahl", ""),
        ("-", "anzahl_keine_zahl", ""),
        ("-.", "anzahl_keine_zahl", ""),
        (".", "anzahl_keine_zahl", ""),
        ("/", "anzahl_keine_zahl", ""),
        ("x", "anzahl_keine_zahl", ""),
        ("12 Stück", "anzahl_keine_zahl", ""),
        ("١٢", "anzahl_keine_zahl", ""),
        ("1000000001", "anzahl_zu_gross", ""),
        ("9" * 5000, "anzahl_zu_gross", ""),
        ("=SUMME(D2:D9)", "formel", ""),
        ("Summe: 12", "summenzeile", ""),
    ],
)
def test_a_wrong_count_is_told_what_it_is(text: str, code: str, suggestion: str) -> None:
    found = fault(parse_count(text))
    assert (found.code, found.suggestion) == (code, suggestion)


def test_months_out_of_range_are_said_as_people_read_them() -> None:
    running = dt.date(2026, 6, 1)
    assert fault(parse_month("2026-07", running=running)).params == {"laufend": "Juni 2026"}
    assert fault(parse_month("2015-12", running=running)).params == {"erster": "Januar 2016"}


def test_an_ars_of_the_interface_holds_no_blanks() -> None:
    assert parse_ars("060000000000", strict=True) == "060000000000"
    found = fault(parse_ars("06 0000000000", strict=True))
    assert (found.code, found.suggestion) == ("ars_zeichen", "060000000000")
