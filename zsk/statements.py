"""Statements that go to the database in one go, prepared once for each connection.

A push of one row is mostly its statements. The ORM builds each one anew, and the driver's own pipeline sends
each by itself, waits for BEGIN, and makes a cursor for every answer; together that is most of the time.
"""

from __future__ import annotations

import functools
import itertools
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, models
from psycopg import generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, TransactionStatus

_CONVERTED = (models.JSONField, models.BinaryField)
Row = tuple[Any, ...]
Answer = Callable[[], list[Row]]
Params = Sequence[Any] | Mapping[str, Any]
Statement = tuple[str, Params]


class _Question:
    """One statement on its way, then its rows. All but the last of its parts write something beside it."""

    def __init__(self, parts: tuple[str, ...], params: tuple[Params, ...]) -> None:
        self.parts, self.params = parts, params
        self.rows: list[Row] | None = None

    def __call__(self) -> list[Row]:
        if self.rows is None:
            _send()
        if self.rows is None:
            raise RuntimeError("Asked in a pipeline that something was raised in: it was never sent.")
        return self.rows


class _Waiting(threading.local):
    questions: list[_Question] | None = None  # None: not inside of a pipeline


_waiting = _Waiting()


@contextmanager
def pipeline() -> Iterator[None]:
    """What is asked and told inside waits for the end, and then goes out in one go: one round trip.

    Answers are to be read behind it; one that is read inside sends what waits until then. So an error comes
    with an answer or at the end. What goes to the database by other ways does not wait: it overtakes. Where
    something is raised inside, what waits is never sent.
    """
    if _waiting.questions is not None:
        yield  # it is one already
        return
    _waiting.questions = []
    try:
        yield
        _send()
    finally:
        _waiting.questions = None


def ask(sql: str, params: Params) -> Answer:
    """Puts a question, with `%s` or `%(name)s`; calling what is returned gives the rows of the answer."""
    question = _Question((sql,), (params,))
    _put_question(question)
    return question


def _put_question(question: _Question) -> None:
    if _waiting.questions is None:
        _exchange([question])
    else:
        _waiting.questions.append(question)


def tell(sql: str, params: Params) -> None:
    """The same for a statement without an answer."""
    ask(sql, params)


def commit() -> None:
    """Lets the transaction end with the pipeline, without one more wait; inside of another one it goes on.

    Nothing may follow in its `atomic()`, which finds it done.
    """
    if connection.in_atomic_block and not connection.savepoint_ids:
        tell("COMMIT", ())


def array(values: Iterable[object]) -> str:
    """Numbers, dates or keys of digits as PostgreSQL writes an array; the driver asks each for its type."""
    return "{" + ",".join(map(str, values)) + "}"


def tell_at_once(statements: Sequence[Statement]) -> None:
    """Statements of which none is to see what another writes, as a single one."""
    _put_question(_Question(*zip(*statements, strict=True)))


def putting(row: models.Model) -> Statement:
    """The statement that writes an object's row, new or not, as `save()` does, without signals."""
    statement, fields = _upsert(type(row))
    values = [
        field.get_db_prep_save(getattr(row, name), connection) if field else getattr(row, name)
        for name, field in fields
    ]
    row._state.adding, row._state.db = False, connection.alias
    return statement, values


@functools.cache
def _upsert(model: type[models.Model]) -> tuple[str, list[tuple[str, models.Field[Any, Any] | None]]]:
    """With each field's attribute, and the field itself where its values are not the database's."""
    fields = model._meta.concrete_fields
    names = [str(field.column) for field in fields]
    key = {str(field.column) for field in model._meta.pk_fields}
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}",
        [(field.attname, field if isinstance(field, _CONVERTED) else None) for field in fields],
    )


# --- the wire ------------------------------------------------------------------------------------


def _send() -> None:
    if questions := _waiting.questions:
        _waiting.questions = []
        _exchange(questions)


def _exchange(questions: Sequence[_Question]) -> None:
    """Sends the questions and reads all answers; raises the first error."""
    connection.ensure_connection()
    driver: psycopg.Connection[Any] = connection.connection
    with connection.wrap_database_errors, driver.lock:
        try:
            driver.wait(_ask_and_read(driver, questions))
        except BaseException:
            if driver.pgconn.pipeline_status:  # answers are still under way: nobody can read them now
                driver.close()
            raise
    if connection.queries_logged:
        connection.queries_log.extend({"sql": "; ".join(each.parts), "time": "0"} for each in questions)


def _ask_and_read(driver: psycopg.Connection[Any], questions: Sequence[_Question]) -> Any:
    pgconn = driver.pgconn
    # The driver's own list of what is prepared on the connection: after a rollback it forgets all of it.
    yield from driver._prepared.maintain_gen(driver)
    bound = [_Bound(driver, question) for question in questions]  # a value may be none for the database
    expected: list[Callable[[Any], object]] = []
    new: _Names = {}
    pgconn.enter_pipeline_mode()
    if not driver.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
        pgconn.send_query_params(b"BEGIN", None)
        expected.append(_done)
    for statement in bound:
        expected += statement.send(driver, new)
    pgconn.pipeline_sync()
    yield from generators.send(pgconn)
    failed = None
    for understand in expected:
        for result in (yield from generators.fetch_many(pgconn)):
            if result.status == ExecStatus.FATAL_ERROR:
                failed = failed or result
            elif result.status != ExecStatus.PIPELINE_ABORTED:
                understand(result)
    yield from generators.fetch_many(pgconn)  # the sync
    pgconn.exit_pipeline_mode()
    if failed:
        raise error_from_result(failed)


class _Bound:
    """A statement as libpq takes it, and how to read its answer."""

    def __init__(self, driver: psycopg.Connection[Any], question: _Question) -> None:
        self.question, self.transformer = question, Transformer(driver)
        self.text, names = _numbered(question.parts)
        self.values = self.transformer.dump_sequence(
            [question.params[part][name] for part, name in names],  # type: ignore[index]
            [PyFormat.AUTO] * len(names),
        )
        self.types, self.formats = self.transformer.types, self.transformer.formats

    def send(self, driver: psycopg.Connection[Any], new: _Names) -> list[Callable[[Any], object]]:
        """How to understand what comes back for it, in order.

        `new`: what is prepared in this go, and so can be used in it already.
        """
        pgconn = driver.pgconn
        if driver.prepare_threshold is None:
            pgconn.send_query_params(self.text, self.values, self.types, self.formats, Format.BINARY)
            return [self.read]
        prepared, key = driver._prepared._names, (self.text, self.types or ())
        if name := prepared.get(key):
            prepared.move_to_end(key)  # the driver drops those that were not used for long
        if name := name or new.get(key):
            pgconn.send_query_prepared(name, self.values, self.formats, Format.BINARY)
            return [self.read]
        name = new[key] = b"zsk_%d" % next(_numbers)
        pgconn.send_prepare(name, self.text, self.types)
        pgconn.send_query_prepared(name, self.values, self.formats, Format.BINARY)
        return [lambda _result: prepared.setdefault(key, name), self.read]

    def read(self, result: Any) -> None:
        self.transformer.set_pgresult(result)
        self.question.rows = self.transformer.load_rows(0, result.ntuples, tuple)


_Names = dict[tuple[bytes, tuple[int, ...]], bytes]  # of prepared statements
_numbers = itertools.count()


def _done(_result: Any) -> None:
    """BEGIN says nothing that anybody wants to know."""


_Place = tuple[int, str | int]
_PLACE = re.compile(r"%(?:\((\w+)\)s|(s)|%)")


@functools.cache
def _numbered(parts: tuple[str, ...]) -> tuple[bytes, tuple[_Place, ...]]:
    """One statement with the database's own placeholders, and of each its part and name or position."""
    places: dict[_Place, int] = {}

    def numbered(part: int, match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        place = part, match[1] or sum(of == part for of, _name in places)
        return f"${places.setdefault(place, len(places) + 1)}"

    *others, last = (_PLACE.sub(functools.partial(numbered, part), text) for part, text in enumerate(parts))
    beside = ", ".join(f"part_{part} AS ({text})" for part, text in enumerate(others))
    return (f"WITH {beside} {last}" if others else last).encode(), tuple(places)
