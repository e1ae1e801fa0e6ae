"""The reader of the push message: what is not readable at all, and what is a single cell's fault."""

import json
import time
import tracemalloc
from typing import Any

import pytest

from transactions.findings import Finding
from transactions.sources import Unreadable, push

ROW = {"onlineservice": "OS-000001", "ars": "060000000000", "monat": "2025-05", "anzahl": 12}


def read(message: Any, own: str | None = None, max_rows: int = 100) -> push.Message:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return push.read(body, own=own, max_rows=max_rows)


def faults(message: Any, own: str | None = None, max_rows: int = 100) -> list[Finding]:
    with pytest.raises(Unreadable) as refused:
        read(message, own, max_rows)
    return refused.value.findings


def fault(message: Any, own: str | None = None, max_rows: int = 100) -> Finding:
    (found,) = faults(message, own, max_rows)
    assert found.message
    return found


def test_whole_message() -> None:
    message = read({"modus": "ergaenzen", "probelauf": True, "anzahl_zeilen": 1, "zeilen": [ROW]})
    assert (message.replace, message.dry_run, message.scope) == (False, True, [])
    assert [message.rows.ars.text(0), message.rows.count.text(0)] == ["060000000000", "12"]


def test_byte_order_mark_is_skipped() -> None:
    assert len(read(b"\xef\xbb\xbf" + json.dumps({"zeilen": [ROW]}).encode()).rows) == 1


@pytest.mark.parametrize(
    ("body", "code", "particulars"),
    [
        (b"", "json_unlesbar", {"zeile": "1", "spalte": "1"}),
        (b'{"zeilen": [\n{"ars": 06}]}', "json_unlesbar", {"zeile": "2", "spalte": "10"}),
        (b'{"zeilen": []} {}', "json_unlesbar", {"zeile": "1", "spalte": "16"}),
        ('{"zeilen": "Köln"}'.encode("latin-1"), "json_kodierung", {"byte": "13"}),
        ('{"zeilen": []}'.encode("utf-16"), "json_kodierung", {"byte": "0"}),
        (b"[" * 200_000, "json_tiefe", {}),
        (rb'{"modus": "\u0000"}', "json_zeichen", {}),
        (rb'{"modus": "\ud800"}', "json_zeichen", {}),
    ],
)  # fmt: skip
def test_unreadable_text(body: bytes, code: str, particulars: dict[str, str]) -> None:
    found = fault(body)
    assert (found.code, found.params) == (code, particulars)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1" * 5_000])
def test_what_is_no_number_in_json(number: str) -> None:
    found = fault(f'{{"zeilen": [{{"anzahl": {number}}}]}}'.encode())
    assert found.code == "json_zahl"
    assert number.startswith(found.value.removesuffix("…"))


def test_doubled_field() -> None:
    assert fault(b'{"zeilen": [{"ars": "1", "anzahl": 1, "anzahl": 2}]}').value == "anzahl"


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert (
        len(
            read(
                rb'{"zeilen": [{"onlineservice": "\ud83d\ude00", "ars": "", "monat": "", "anzahl": 1}]}'
            ).rows
        )
        == 1
    )


@pytest.mark.parametrize(
    ("message", "code", "pointer"),
    [
        ([], "feld_typ", ""),
        ("x", "feld_typ", ""),
        ({}, "feld_fehlt", "/zeilen"),
        ({"zeilen": None}, "feld_typ", "/zeilen"),
        ({"zeilen": {}}, "feld_typ", "/zeilen"),
        ({"zeilen": []}, "zeilen_leer", "/zeilen"),
        ({"zeilen": ["x"]}, "feld_typ", "/zeilen/0"),
        ({"zeilen": [ROW], "modus": "anders"}, "feld_typ", "/modus"),
        ({"zeilen": [ROW], "modus": None}, "feld_typ", "/modus"),
        ({"zeilen": [ROW], "modus": ["ersetzen"]}, "feld_typ", "/modus"),
        ({"zeilen": [ROW], "probelauf": "true"}, "feld_typ", "/probelauf"),
        ({"zeilen": [ROW], "probelauf": 1}, "feld_typ", "/probelauf"),
        ({"zeilen": [ROW], "anzahl_zeilen": 2}, "zeilenzahl", "/anzahl_zeilen"),
        ({"zeilen": [ROW], "anzahl_zeilen": True}, "feld_typ", "/anzahl_zeilen"),
        ({"zeilen": [ROW], "anzahl_zeilen": 1.0}, "feld_typ", "/anzahl_zeilen"),
        ({"zeilen": [ROW], "anzahl_zeilen": None}, "feld_typ", "/anzahl_zeilen"),
        ({"zeilen": [ROW], "a/b~": 1}, "feld_unbekannt", "/a~1b~0"),
        ({"zeilen": [ROW], "umfang": []}, "umfang_ueberfluessig", "/umfang"),
        ({"zeilen": [ROW], "modus": "ersetzen"}, "umfang_fehlt", "/umfang"),
        ({"zeilen": [ROW], "modus": "ersetzen", "umfang": []}, "umfang_fehlt", "/umfang"),
        ({"zeilen": [ROW], "modus": "ersetzen", "umfang": {}}, "feld_typ", "/umfang"),
        ({"zeilen": [ROW], "modus": "ersetzen", "umfang": ["2025-05"]}, "feld_typ", "/umfang/0"),
    ],
)  # fmt: skip
def test_wrong_shape(message: Any, code: str, pointer: str) -> None:
    found = fault(message)
    assert (found.code, found.pointer) == (code, pointer)


def test_types_are_named() -> None:
    found = fault({"zeilen": [ROW], "probelauf": "true"})
    assert found.message == "Das Feld „probelauf“ muss ein Wahrheitswert sein, nicht ein Text."
    assert found.value == '"true"'


def test_too_many_rows() -> None:
    assert fault({"zeilen": [ROW] * 3}, max_rows=2).params == {"ist": "3", "grenze": "2"}
    assert len(read({"zeilen": [ROW] * 3}, max_rows=3).rows) == 3


def test_every_row_of_the_wrong_shape_is_named() -> None:
    rows = [{**ROW, "summe": 1}, ROW, {"ars": "060000000000", "anzahl": 1}, 7]
    found = faults({"zeilen": rows})
    assert [(one.code, one.line, one.pointer) for one in found] == [
        ("feld_unbekannt", 2, "/zeilen/0/summe"),
        ("feld_fehlt", 4, "/zeilen/2/onlineservice"),
        ("feld_fehlt", 4, "/zeilen/2/monat"),
        ("feld_typ", 5, "/zeilen/3"),
    ]


def test_a_key_for_one_service_may_leave_it_out() -> None:
    row = {"ars": "060000000000", "monat": "2025-05", "anzahl": 1}
    service = read({"zeilen": [row]}, own="OS-000007").rows.service
    assert service is not None
    assert service.text(0) == "OS-000007"
    assert fault({"zeilen": [row]}).code == "feld_fehlt"


@pytest.mark.parametrize("value", ["5", 12.0, True, False, [5], {}, 1e3])
def test_count_of_the_wrong_type(value: Any) -> None:
    rows = read({"zeilen": [ROW, {**ROW, "anzahl": value}]}).rows
    (found,) = rows.faults
    assert (found.code, found.field, found.line, found.pointer) == (
        "anzahl_typ",
        "anzahl",
        3,
        "/zeilen/1/anzahl",
    )
    assert found.message.startswith("„anzahl“ muss eine ganze Zahl ab 0 oder null sein, nicht ein")


def test_null_takes_a_value_back() -> None:
    rows = read({"zeilen": [{**ROW, "anzahl": None}]}).rows
    assert (rows.count.text(0), rows.faults) == ("löschen", [])


@pytest.mark.parametrize("name", ["onlineservice", "ars", "monat"])
@pytest.mark.parametrize("value", [60000000000, None, 1.5, True, ["x"]])
def test_text_of_the_wrong_type(name: str, value: Any) -> None:
    (found,) = read({"zeilen": [{**ROW, name: value}]}, own="OS-000001").rows.faults
    assert (found.code, found.field, found.line, found.pointer) == ("feld_typ", name, 2, f"/zeilen/0/{name}")


def test_scope_is_read() -> None:
    scope = [{"onlineservice": "OS-000001", "monat": "2025-05"}]
    message = read({"modus": "ersetzen", "umfang": scope, "zeilen": []})
    assert message.replace
    assert [(entry.service, f"{entry.month:%Y-%m}") for entry in message.scope] == [("OS-000001", "2025-05")]
    own = read({"modus": "ersetzen", "umfang": [{"monat": "2025-05"}], "zeilen": []}, own="OS-000009")
    assert own.scope[0].service == "OS-000009"


def test_every_fault_of_the_scope_is_named() -> None:
    scope = [{"monat": 5}, {"onlineservice": "OS-000001", "monat": "2025-05", "jahr": 1}]
    found = faults({"modus": "ersetzen", "umfang": scope, "zeilen": []})
    assert [(one.code, one.pointer) for one in found] == [
        ("feld_fehlt", "/umfang/0/onlineservice"),
        ("feld_typ", "/umfang/0/monat"),
        ("feld_unbekannt", "/umfang/1/jahr"),
    ]
    months = [{"monat": "05.2025"}, {"monat": "2999-01"}, {"monat": "2025-13"}]
    found = faults({"modus": "ersetzen", "umfang": months, "zeilen": []}, own="OS-000001")
    assert [(one.code, one.suggestion, one.pointer) for one in found] == [
        ("monat_form", "2025-05", "/umfang/0/monat"),
        ("monat_zukunft", "", "/umfang/1/monat"),
        ("monat_gibt_es_nicht", "", "/umfang/2/monat"),
    ]


def test_doubled_names_are_found_in_one_pass() -> None:
    names = ", ".join(f'"x{number}": 1' for number in range(100_000))
    started = time.process_time()
    found = fault(f'{{{names}, "x99999": 2}}'.encode())
    assert (found.code, found.value) == ("json_doppelt", "x99999")
    assert time.process_time() - started < 5


def test_the_scope_has_a_limit() -> None:
    entry = {"onlineservice": "OS-000001", "monat": "2025-05"}
    message = {"modus": "ersetzen", "zeilen": [], "umfang": [entry] * 4}
    assert len(read(message, max_rows=4).scope) == 4
    found = fault(message, max_rows=3)
    assert (found.code, found.pointer) == ("umfang_zu_gross", "/umfang")
    assert found.params == {"ist": "4", "grenze": "3"}


@pytest.mark.parametrize(
    "message",
    [
        {f"x{number}": 1 for number in range(2_000)},
        {"zeilen": [{f"x{number}": 1 for number in range(2_000)}]},
        {"zeilen": [1] * 2_000},
        {"modus": "ersetzen", "zeilen": [], "umfang": [1] * 2_000},
        {"modus": "ersetzen", "zeilen": [], "umfang": [{"onlineservice": "", "monat": "x"}] * 2_000},
    ],
)
def test_a_message_wrong_in_too_many_places_is_not_read_on(message: Any) -> None:
    assert len(faults(message, max_rows=2_000)) == push.MAX_SHAPE_FAULTS


@pytest.mark.parametrize("item", ["{}", '"ab"', "[]", "1.5"])
def test_far_too_many_values_are_refused_before_they_are_read(item: str) -> None:
    """20 MB of them would be half a gigabyte of objects."""
    body = f'{{"zeilen":[{",".join([item] * 1_500_000)}]}}'.encode()
    tracemalloc.start()
    try:
        found = fault(body, max_rows=100_000)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert found.code == "zeilen_zu_viele"
    assert found.params["ist"] == ("1.500.000" if item == "{}" else "1.499.999")
