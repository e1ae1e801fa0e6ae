"""A message read in pieces says the same as one that is read at once, wherever the pieces end."""

import io
import json
from typing import Any

import pytest

from transactions.rows import Column
from transactions.sources import Unreadable, json_stream, push, push_stream

ROW = {"ars": "060000000000", "monat": "2025-05", "anzahl": 1}
SCOPE = [{"monat": "2025-05"}]
MESSAGES: list[Any] = [
    {"zeilen": [ROW] * 3},
    {"probelauf": True, "zeilen": [ROW, {**ROW, "anzahl": "x"}, {**ROW, "ars": 5}, {**ROW, "anzahl": None}]},
    {"zeilen": [ROW], "modus": "ersetzen", "umfang": SCOPE, "anzahl_zeilen": 1},
    {"zeilen": [], "modus": "ersetzen", "umfang": SCOPE},
    {"zeilen": []},
    {"zeilen": [ROW] * 101},
    {"zeilen": [ROW] * 3, "anzahl_zeilen": 2},
    {"zeilen": [1, ROW, {"x": 1}]},
    {"zeilen": {}},
    {"anzahl_zeilen": 1},
    {"zeilen": [ROW], "Grüße": "ß…€"},
    {"zeilen": [{**ROW, "ars": "\ud800"}]},
    {"zeilen": [{**ROW, "ars": "\0"}]},
    {"zeilen": [ROW], "modus": 5},
    [1],
    5,
]
TEXTS = [
    "", " ", '{"zeilen":[', '{"zeilen":[]} x', '{"zeilen":[],}', '{"zeilen":[1}', '{"zeilen":[NaN]}',
    '{"a":1,"a":2}',
    '{"zeilen":[{"ars":1,"ars":2}]}', '\n\n {"zeilen": [\n {"ars": "06", }]}', '{"zeilen":[],"zeilen":[]}',
    '{"anzahl_zeilen": 1', '{zeilen: []}', "[" * 3_000,
]  # fmt: skip
BYTES = [
    b"\xff{}", b'{"zeilen":[{"ars":"\xe4"}]}', b'{"x":"\xc3',
    b"\xef\xbb\xbf" + json.dumps(MESSAGES[0]).encode(),
]  # fmt: skip
BODIES = [json.dumps(message).encode() for message in MESSAGES]
BODIES += [
    json.dumps(MESSAGES[10], ensure_ascii=False, indent=2).encode(),
    *(text.encode() for text in TEXTS),
]


def said(read: Any) -> Any:
    try:
        message: push.Message = read()
    except Unreadable as fault:
        return fault.findings
    rows = message.rows
    columns = [rows.service, rows.ars, rows.month, rows.count]
    return (
        message.replace, message.dry_run, message.scope, rows.line.tolist(), rows.strict,
        sorted(rows.faults, key=lambda fault: (fault.line or 0, fault.field)),
        [texts(column) for column in columns if column is not None],
    )  # fmt: skip


def texts(column: Column) -> list[str]:
    return [column.text(row) for row in range(len(column))]


@pytest.mark.parametrize("block", [1 << 20, 7, 1])
@pytest.mark.parametrize("body", [*BODIES, *BYTES])
def test_in_pieces_as_at_once(monkeypatch: pytest.MonkeyPatch, body: bytes, block: int) -> None:
    monkeypatch.setattr(json_stream, "_BLOCK", block)
    monkeypatch.setattr(json_stream, "_BATCH", 2)
    for own in ("OS-000001", None):
        in_pieces = said(lambda own=own: push_stream.read(io.BytesIO(body), own=own, max_rows=100))
        assert in_pieces == said(lambda own=own: push.read(body, own=own, max_rows=100))


def test_no_more_is_held_than_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that never ends is not waited for."""
    monkeypatch.setattr(json_stream, "_BLOCK", 10)
    monkeypatch.setattr(json_stream, "_MOST_PENDING", 50)
    file = io.BytesIO(b'{"zeilen": ["' + b"x" * 10_000)
    with pytest.raises(Unreadable):
        push_stream.read(file, own=None, max_rows=100)
    assert file.tell() < 200


def test_many_cells_of_the_wrong_type_make_few_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "MAX_CELL_FAULTS", 3)
    body = json.dumps({"zeilen": [{**ROW, "anzahl": "x"}] * 9}).encode()
    rows = push_stream.read(io.BytesIO(body), own="OS-000001", max_rows=100).rows
    assert len(rows.faults) == 3
    assert texts(rows.count) == [""] * 9
