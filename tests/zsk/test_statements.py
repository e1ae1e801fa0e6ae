"""Statements in one go: what they answer, what happens to an error, and what the driver knows of them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from zsk.statements import array, ask, commit, pipeline, tell, tell_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def things() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE things (id bigint PRIMARY KEY, name text)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE things")


def stored() -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM things ORDER BY id")
        return cursor.fetchall()


def test_values_come_back_as_they_went() -> None:
    values = {
        "number": 12, "large": 10**12, "text": "Zürich %s", "day": dt.date(2026, 5, 1), "none": None,
        "moment": dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC), "key": uuid.uuid4(), "bytes": b"\0\xff",
    }  # fmt: skip
    sql = (
        "SELECT %(number)s::int, %(large)s::bigint, %(text)s::text, %(day)s::date, %(none)s::text,"
        " %(moment)s::timestamptz, %(key)s::uuid, %(bytes)s::bytea"
    )
    assert ask(sql, values)() == [tuple(values.values())]
    assert ask("SELECT %s::int[], '50 %%'", [array([1, 2])])() == [([1, 2], "50 %")]


def test_a_name_that_stands_twice_is_sent_once() -> None:
    assert ask("SELECT %(a)s::int + %(a)s::int + %(b)s::int", {"a": 1, "b": 2, "c": 3})() == [(4,)]


def test_inside_a_pipeline_all_goes_out_at_the_end(things: None) -> None:
    with transaction.atomic():
        with pipeline():
            tell("INSERT INTO things VALUES (%s, %s)", [1, "eins"])
            count = ask("SELECT count(*) FROM things", ())
            assert stored() == []
        assert count() == [(1,)]


def test_an_answer_read_inside_sends_what_waits(things: None) -> None:
    with pipeline():
        tell("INSERT INTO things VALUES (%s, %s)", [1, "eins"])
        assert ask("SELECT count(*) FROM things", ())() == [(1,)]
        tell("INSERT INTO things VALUES (%s, %s)", [2, "zwei"])
    assert stored() == [(1, "eins"), (2, "zwei")]


def test_what_waits_is_dropped_where_something_is_raised(things: None) -> None:
    answers = []

    def write() -> None:
        with pipeline():
            answers.append(ask("INSERT INTO things VALUES (%s, %s) RETURNING id", [1, "eins"]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    with pytest.raises(RuntimeError, match="never sent"):
        answers[0]()
    assert stored() == []
    tell("INSERT INTO things VALUES (%s, %s)", [2, "zwei"])
    assert stored() == [(2, "zwei")]


def test_the_first_error_is_raised_as_djangos_and_nothing_stays(things: None) -> None:
    def write() -> None:
        with transaction.atomic(), pipeline():
            tell("INSERT INTO things VALUES (%s, %s)", [1, "eins"])
            tell("INSERT INTO things VALUES (%s, %s)", [1, "noch einmal"])
            tell("INSERT INTO things VALUES (%s, %s)", [2, "zwei"])

    with pytest.raises(IntegrityError, match="things_pkey"):
        write()
    assert stored() == []
    assert ask("SELECT 1", ())() == [(1,)]


def test_several_as_one_do_not_see_one_another(things: None) -> None:
    insert = "INSERT INTO things VALUES (%s, %s)"
    copy = "INSERT INTO things SELECT id + %(more)s, name FROM things"
    tell_at_once([(insert, [1, "eins"])])
    tell_at_once([(insert, [2, "zwei"]), (insert, [3, "drei"]), (copy, {"more": 10})])
    assert stored() == [(1, "eins"), (2, "zwei"), (3, "drei"), (11, "eins")]


def test_the_transaction_can_end_with_the_pipeline(things: None) -> None:
    with transaction.atomic(), pipeline():
        tell("INSERT INTO things VALUES (%s, %s)", [1, "eins"])
        commit()
    assert stored() == [(1, "eins")]


def test_inside_of_another_transaction_that_one_goes_on(things: None) -> None:
    with transaction.atomic():
        with transaction.atomic(), pipeline():
            tell("INSERT INTO things VALUES (%s, %s)", [2, "zwei"])
            commit()
        transaction.set_rollback(True)
    assert stored() == []


def test_what_is_prepared_is_prepared_again_after_the_driver_forgot_it() -> None:
    def prepared() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'zsk_%%'")
            (count,) = cursor.fetchone()
        return int(count)

    for _time in range(3):
        assert ask("SELECT %s::int AS once", [1])() == [(1,)]
    assert prepared() == 1
    connection.connection.execute("ROLLBACK")  # the driver drops all of them then
    assert ask("SELECT %s::int AS once", [1])() == [(1,)]
    assert prepared() == 1


def test_without_prepared_statements_nothing_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    assert ask("SELECT name FROM pg_prepared_statements WHERE statement LIKE %s", ["%never%"])() == []


def test_queries_are_logged() -> None:
    with CaptureQueriesContext(connection) as captured:
        ask("SELECT 1", ())
    assert [query["sql"] for query in captured] == ["SELECT 1"]


def test_a_connection_that_is_cut_is_left_and_the_next_one_answers() -> None:
    with pytest.raises(DatabaseError):
        tell("SELECT pg_terminate_backend(pg_backend_pid())", ())
    connection.close()
    assert ask("SELECT 1", ())() == [(1,)]


def test_a_value_that_the_database_does_not_know_harms_nothing(things: None) -> None:
    def write() -> None:
        with pipeline():
            tell("INSERT INTO things VALUES (%s, %s)", [1, "eins"])
            tell("INSERT INTO things VALUES (%s, %s)", [2, "\0"])

    with transaction.atomic():
        with pytest.raises(DatabaseError, match="NUL"):
            write()
        tell("INSERT INTO things VALUES (%s, %s)", [3, "drei"])
    assert stored() == [(3, "drei")]
