"""Statements that need not be built anew each time, and that go out together.

What a push of one row costs is mostly its statements: the ORM builds each one from scratch, and each waits
for an answer that nobody needs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models

_CONVERTED = (models.JSONField, models.BinaryField)
Answer = Callable[[], list[tuple[Any, ...]]]


@contextmanager
def pipeline() -> Iterator[None]:
    """Statements inside are sent without waiting for the ones before; the end waits for all of them.

    Answers are best read behind it: each one read inside is one more wait. An error comes with the next
    answer that is read, at the latest at the end. COPY is not possible inside.
    """
    connection.ensure_connection()
    if connection.connection.info.pipeline_status:
        yield  # it is one already
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def commit() -> None:
    """Lets the transaction end with the pipeline, without one more wait; inside of another one it goes on.

    Nothing may follow in its `atomic()`, which finds it done.
    """
    if connection.in_atomic_block and not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("COMMIT")


def array(values: Iterable[object]) -> str:
    """Numbers, dates or keys of digits as PostgreSQL writes an array; the driver asks each for its type."""
    return "{" + ",".join(map(str, values)) + "}"


def ask(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> Answer:
    """Sends a question; calling what is returned reads the rows of the answer."""
    cursor = connection.cursor()
    cursor.execute(sql, params)
    return cursor.fetchall


def put(row: models.Model) -> None:
    """Writes an object's row, new or not, as `save()` does, without signals."""
    statement, fields = _upsert(type(row))
    values = [
        field.get_db_prep_save(getattr(row, name), connection) if field else getattr(row, name)
        for name, field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
    row._state.adding, row._state.db = False, connection.alias


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
