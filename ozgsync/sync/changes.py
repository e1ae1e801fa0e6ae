"""The difference between an answer and what is stored: written down first, then applied, later undone.

Everything is set-based: rows are copied into temporary tables, compared in SQL, and each difference becomes
a row of `SyncChange` with the old and the new values. Applying and rolling back read those rows, so that a
run can wait for operations in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from ozgsync.models import SyncChange, SyncRun

NEW, CHANGED, ENDED = SyncChange.Kind.NEW, SyncChange.Kind.CHANGED, SyncChange.Kind.ENDED


class Stale(Exception):
    """What is stored is no longer what the run was compared with."""


@dataclass(frozen=True)
class Target:
    """One table that a source keeps.

    `select` yields `keys + values` of distinct keys from the staging tables; `%(day)s` is the answer's date.
    `defaults`: SQL for columns of a new row that the source says nothing about. `alive`: which stored rows
    `t` end when a complete answer lacks them; they get `valid_to`. Without it nothing ever ends.
    `minor`: columns that may change in every row without anybody being asked.
    `new_undone`: what rolling back does with a new row: `delete`, `end` or `keep`.
    """

    table: str
    title: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    select: str
    defaults: Mapping[str, str] = field(default_factory=dict)
    alive: str = ""
    new_undone: str = "keep"
    minor: tuple[str, ...] = ()

    @property
    def written(self) -> tuple[str, ...]:
        """Columns that a run may change in a stored row."""
        ends = ("valid_to",) if self.alive and "valid_to" not in self.values else ()
        return self.values + ends


@dataclass
class Tally:
    """How many rows of one table, or of a run, are new, changed, ended and the same.

    `grave`: changed ones that differ in more than minor columns.
    """

    new: int = 0
    changed: int = 0
    ended: int = 0
    same: int = 0
    grave: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.new + other.new,
            self.changed + other.changed,
            self.ended + other.ended,
            self.same + other.same,
            self.grave + other.grave,
        )


@contextmanager
def staged(staging: Mapping[str, str], rows: Mapping[str, Sequence[tuple[Any, ...]]]) -> Iterator[None]:
    """The rows in temporary tables, until the end of the block."""
    with connection.cursor() as cursor:
        for name, columns in staging.items():
            cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
            with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                for row in rows.get(name, ()):
                    copy.write_row(row)
            cursor.execute(f"ANALYZE {name}")
        yield
        cursor.execute("DROP TABLE " + ", ".join(staging))


def compare(run: SyncRun, target: Target, params: dict[str, Any], *, complete: bool) -> Tally:
    """Writes down what is new, changed and, for a complete answer, ended; nothing else."""
    params = {**params, "run": run.pk, "table": target.table}
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS {target.select}", params)
        cursor.execute("SELECT count(*) FROM incoming")
        total: int = cursor.fetchone()[0]
        cursor.execute(_differences(target), params)
        found = cursor.fetchall()
        ended = 0
        if complete and target.alive:
            cursor.execute(_ends(target), params)
            ended = cursor.rowcount
        cursor.execute("DROP TABLE incoming")
    new = sum(kind == NEW.value for kind, _grave in found)
    changed = len(found) - new
    grave = sum(bool(grave) for kind, grave in found if kind != NEW.value)
    return Tally(new, changed, ended, total - new - changed, grave)


def _differences(target: Target) -> str:
    first = target.keys[0]
    grave = tuple(name for name in target.values if name not in target.minor)
    return f"""
        INSERT INTO ozgsync_syncchange (run_id, "table", key, kind, old, new, minor)
        SELECT %(run)s, %(table)s, {_key_text("i", target)},
               CASE WHEN t.{first} IS NULL THEN '{NEW.value}' ELSE '{CHANGED.value}' END,
               CASE WHEN t.{first} IS NOT NULL THEN {_object("t", target.keys + target.values)} END,
               {_object("i", target.keys + target.values)},
               t.{first} IS NOT NULL AND {_row("t", grave)} IS NOT DISTINCT FROM {_row("i", grave)}
          FROM incoming i LEFT JOIN {target.table} t ON {_same_key("t", "i", target)}
         WHERE t.{first} IS NULL OR {_row("t", target.values)} IS DISTINCT FROM {_row("i", target.values)}
        RETURNING kind, NOT minor
    """


def _ends(target: Target) -> str:
    return f"""
        INSERT INTO ozgsync_syncchange (run_id, "table", key, kind, old, new)
        SELECT %(run)s, %(table)s, {_key_text("t", target)}, '{ENDED.value}',
               {_object("t", tuple(dict.fromkeys((*target.keys, *target.values, "valid_to"))))},
               {_object("t", target.keys)} || jsonb_build_object('valid_to', %(day)s::date)
          FROM {target.table} t
         WHERE ({target.alive}) AND t.valid_to IS NULL
           AND NOT EXISTS (SELECT FROM incoming i WHERE {_same_key("t", "i", target)})
    """


def apply(run: SyncRun, target: Target) -> None:
    """Writes the differences. Raises Stale when a stored row is no longer as it was when compared."""
    params: dict[str, Any] = {"run": run.pk, "table": target.table}
    columns = (*target.keys, *target.values)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({_strays(target)})", params)
        if cursor.fetchone()[0]:
            raise Stale
        cursor.execute(
            f"INSERT INTO {target.table} ({', '.join((*columns, *target.defaults))})"
            f" SELECT {', '.join((*(f'r.{name}' for name in columns), *target.defaults.values()))}"
            f"   FROM ozgsync_syncchange c, jsonb_populate_record(NULL::{target.table}, c.new) r"
            f" WHERE c.run_id = %(run)s AND c.\"table\" = %(table)s AND c.kind = '{NEW.value}'",
            params,
        )
        inserted = cursor.rowcount
        cursor.execute(_update(target, "becomes"), params)
        if inserted + cursor.rowcount > 1_000:
            cursor.execute(f"ANALYZE {target.table}")


def _strays(target: Target) -> str:
    """Changes whose stored row is gone or no longer has the old values; new ones that are there meanwhile."""
    return f"""
        SELECT FROM ozgsync_syncchange c
         CROSS JOIN jsonb_populate_record(NULL::{target.table}, c.new) r
          LEFT JOIN {target.table} t ON {_same_key("t", "r", target)}
         WHERE c.run_id = %(run)s AND c."table" = %(table)s
           AND CASE WHEN c.kind = '{NEW.value}' THEN t.{target.keys[0]} IS NOT NULL
                    ELSE t.{target.keys[0]} IS NULL OR NOT to_jsonb(t) @> c.old END
    """


def _update(target: Target, side: str) -> str:
    """Sets the columns that `side` (`was` or `becomes`) of each change and end names."""
    names = target.written
    return f"""
        UPDATE {target.table} t
           SET ({", ".join(names)}) = (
               SELECT {", ".join(f"n.{name}" for name in names)} FROM jsonb_populate_record(t, c.{side}) n)
          FROM (SELECT c.old AS was, c.new AS becomes, r.* FROM ozgsync_syncchange c
                 CROSS JOIN jsonb_populate_record(NULL::{target.table}, c.new) r
                 WHERE c.run_id = %(run)s AND c."table" = %(table)s AND c.kind <> '{NEW.value}') c
         WHERE {_same_key("t", "c", target)}
    """


def roll_back(run: SyncRun, target: Target, *, day: Any) -> None:
    """Gives stored rows their former values; new ones are deleted, ended on `day`, or kept.

    Raises Stale when a row was changed since.
    """
    params: dict[str, Any] = {"run": run.pk, "table": target.table, "day": day}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT EXISTS (SELECT FROM ozgsync_syncchange c
             CROSS JOIN jsonb_populate_record(NULL::{target.table}, c.new) r
              LEFT JOIN {target.table} t ON {_same_key("t", "r", target)}
             WHERE c.run_id = %(run)s AND c."table" = %(table)s
               AND (t.{target.keys[0]} IS NULL OR NOT to_jsonb(t) @> c.new))
            """,
            params,
        )
        if cursor.fetchone()[0]:
            raise Stale
        cursor.execute(_update(target, "was"), params)
        if target.new_undone != "keep":
            verb = f"DELETE FROM {target.table} t USING" if target.new_undone == "delete" else (
                f"UPDATE {target.table} t SET valid_to = greatest(%(day)s, t.valid_from + 1) FROM"
            )  # fmt: skip
            cursor.execute(
                f"{verb} ozgsync_syncchange c CROSS JOIN jsonb_populate_record(NULL::{target.table}, c.new) r"
                f" WHERE c.run_id = %(run)s AND c.\"table\" = %(table)s AND c.kind = '{NEW.value}'"
                f"   AND {_same_key('t', 'r', target)}",
                params,
            )


def _same_key(left: str, right: str, target: Target) -> str:
    return " AND ".join(f"{left}.{name} = {right}.{name}" for name in target.keys)


def _key_text(alias: str, target: Target) -> str:
    return "concat_ws(' ', " + ", ".join(f"{alias}.{name}" for name in target.keys) + ")"


def _object(alias: str, names: tuple[str, ...]) -> str:
    return "jsonb_build_object(" + ", ".join(f"'{name}', {alias}.{name}" for name in names) + ")"


def _row(alias: str, names: tuple[str, ...]) -> str:
    return "ROW(" + ", ".join(f"{alias}.{name}" for name in names) + ")"
