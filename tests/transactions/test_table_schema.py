"""The file's Table Schema: what it accepts the portal accepts, and the example is such a file."""

import csv
import datetime as dt
import io
import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from transactions.sources.table_schema import table_schema
from transactions.sources.tables import FIELDS, field_of
from transactions.values import FIRST_MONTH, MAX_COUNT, REMOVE, Fault, parse_ars, parse_count, parse_month

RUNNING = dt.date(2026, 6, 1)
SCHEMA = table_schema()
# The first example of a pattern takes long on a busy machine.
unhurried = settings(deadline=None)
FORMS = {"string": r"(?s).*", "integer": r"[+-]?[0-9]+", "yearmonth": r"[0-9]{4}-(0[1-9]|1[0-2])"}


def column(name: str) -> dict[str, Any]:
    return next(field for field in SCHEMA["fields"] if field["name"] == name)


def fits(name: str, text: str) -> bool:
    """Whether a cell is valid by the schema, as https://specs.frictionlessdata.io/table-schema/ says."""
    field = column(name)
    rules = field.get("constraints", {})
    if text in SCHEMA["missingValues"]:
        return not rules.get("required", False)
    if not re.fullmatch(FORMS[field["type"]], text):
        return False
    cast: Any = int if field["type"] == "integer" else str
    value = cast(text)
    checks = {
        "required": lambda _on: True,
        "pattern": lambda pattern: bool(re.search(pattern, text)),
        "minLength": lambda least: len(text) >= least,
        "maxLength": lambda most: len(text) <= most,
        "minimum": lambda least: value >= cast(least),
        "maximum": lambda most: value <= cast(most),
    }
    return all(checks[rule](limit) for rule, limit in rules.items())


def test_the_example_is_such_a_file(client: Client) -> None:
    text = client.get("/hilfe/dateiformat/beispiel.csv").content.decode()
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert list(rows[0]) == list(FIELDS)
    assert [(name, cell) for row in rows for name, cell in row.items() if not fits(name, cell)] == []
    keys = [tuple(row[name] for name in SCHEMA["primaryKey"]) for row in rows]
    assert len(set(keys)) == len(keys)


def test_it_is_served_and_linked(client: Client) -> None:
    answer = client.get("/hilfe/dateiformat/schema.json")
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == SCHEMA
    assert 'href="/hilfe/dateiformat/schema.json"' in client.get("/hilfe/dateiformat/").content.decode()


def test_columns_and_synonyms_are_those_that_are_read() -> None:
    assert tuple(field["name"] for field in SCHEMA["fields"]) == FIELDS
    for field in SCHEMA["fields"]:
        assert {field_of(synonym) for synonym in field["synonyme"]} == {field["name"]}
        assert fits(field["name"], field["example"])


@unhurried
@given(st.from_regex(column("ars")["constraints"]["pattern"].rstrip("$"), fullmatch=True))
def test_keys_that_fit_are_read(text: str) -> None:
    assert fits("ars", text)
    assert parse_ars(text) == text


@unhurried
@given(st.dates(FIRST_MONTH, RUNNING))
def test_months_that_fit_are_read(day: dt.date) -> None:
    assert fits("monat", f"{day:%Y-%m}")
    assert parse_month(f"{day:%Y-%m}", running=RUNNING) == day.replace(day=1)


@unhurried
@given(st.integers(0, MAX_COUNT))
def test_counts_that_fit_are_read(count: int) -> None:
    assert fits("anzahl", str(count))
    assert parse_count(str(count)) == count


@pytest.mark.parametrize("word", SCHEMA["missingValues"])
def test_what_takes_a_value_back_is_missing(word: str) -> None:
    assert fits("anzahl", word)
    assert parse_count(word) == REMOVE
    assert not fits("ars", word)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ars", "60000000000"), ("ars", "6,0E+10"), ("ars", "06411000"), ("ars", ""),
        ("monat", "2026-13"), ("monat", "2026"), ("monat", "2015-12"), ("monat", ""),
        ("anzahl", "-1"), ("anzahl", "1,5"), ("anzahl", "1.5"), ("anzahl", ""), ("anzahl", "x"),
        ("anzahl", str(MAX_COUNT + 1)),
    ],
)  # fmt: skip
def test_what_is_refused_does_not_fit(name: str, text: str) -> None:
    found = {"ars": parse_ars, "anzahl": parse_count}
    parse = found.get(name, lambda month: parse_month(month, running=RUNNING))
    assert isinstance(parse(text), Fault)
    assert not fits(name, text)
