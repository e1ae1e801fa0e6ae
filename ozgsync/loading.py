"""Loading the committed reference data: COPY into a temporary table, then only what is new or differs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg import sql

from ozgsync import today

DATA_DIR = Path(__file__).resolve().parent / "data"
# One load at a time: two would wait for each other's rows and could lock each other out.
LOAD_LOCK = 0x5A534B01


class Loaded(NamedTuple):
    """What a load did to one table."""

    title: str
    new: int
    changed: int
    same: int


@dataclass(frozen=True)
class Step:
    """One table and the rows it takes from a file; `select` yields `keys + values` of distinct keys.

    `keeps`: columns where a stored value outlives a missing one. `unless`: a stored row that stays as it is.
    """

    title: str
    table: str
    file: str
    select: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    keeps: tuple[str, ...] = ()
    unless: str = "false"


STAGING = {
    "region_versions": """
        ars text COLLATE "C", valid_from date, valid_to date, legally_from date, name text, kind text,
        parent text COLLATE "C", inhabitants integer, level_top smallint, level_bottom smallint""",
    "region_changes": """
        change_id text, kind text, old text COLLATE "C", new text COLLATE "C", effective date,
        statistically date, share numeric""",
    "postcodes": 'ars text COLLATE "C", postcode text',
    "leistungen": "schluessel text, name text, name_source text, confidence text",
    "themenfelder": "slug text, name text",
}

STEPS = (
    Step(
        title="Regionen",
        table="ozgsync_region",
        file="region_versions",
        # The latest version names the region; where the database knows a later one than the file, that stays.
        select="""
            SELECT DISTINCT ON (i.ars) i.ars, i.name, i.level_top, i.level_bottom,
                coalesce(p.postcode, r.postcode, '') AS postcode
            FROM incoming_region_versions i
            LEFT JOIN incoming_postcodes p ON p.ars = i.ars LEFT JOIN ozgsync_region r ON r.ars = i.ars
            WHERE NOT EXISTS (
                SELECT FROM ozgsync_regionversion v WHERE v.ars = i.ars AND v.valid_from > i.valid_from
            )
            ORDER BY i.ars, i.valid_from DESC""",
        keys=("ars",),
        values=("name", "level_top", "level_bottom", "postcode"),
    ),
    Step(
        title="Fassungen von Regionen",
        table="ozgsync_regionversion",
        file="region_versions",
        select="""
            SELECT ars, valid_from, valid_to, legally_from, name, coalesce(kind, ''), parent, inhabitants
            FROM incoming_region_versions""",
        keys=("ars", "valid_from"),
        values=("valid_to", "legally_from", "name", "kind", "parent", "inhabitants"),
        # An end that a sync has learnt of since the file was made must not be forgotten.
        keeps=("valid_to", "legally_from", "inhabitants"),
    ),
    Step(
        title="Gebietsänderungen",
        table="ozgsync_regionchange",
        file="region_changes",
        select="""
            SELECT change_id, old, new, kind, effective, statistically, share
            FROM incoming_region_changes""",
        keys=("change_id", "old", "new"),
        values=("kind", "effective", "statistically", "share"),
    ),
    Step(
        title="Themenfelder",
        table="ozgsync_themenfeld",
        file="themenfelder",
        select="SELECT slug, name FROM incoming_themenfelder",
        keys=("slug",),
        values=("name",),
    ),
    Step(
        title="Leistungen",
        table="ozgsync_leistung",
        file="leistungen",
        select="""
            SELECT schluessel, name, coalesce(name_source, ''), coalesce(confidence, ''),
                '{}'::varchar[], false
            FROM incoming_leistungen""",
        keys=("schluessel",),
        values=("name", "name_source", "confidence"),
        # A row without `confidence` is no longer the starter catalogue's: a sync knows better.
        unless="t.confidence = ''",
    ),
)
# Columns that a new row needs and that the files say nothing about; never changed afterwards.
ONLY_NEW = {"ozgsync_leistung": ("types", "focus")}


@transaction.atomic
def load_reference(folder: Path = DATA_DIR) -> list[Loaded]:
    """Bring the reference tables to the state of the files; rows that the files do not name stay.

    Independent of migrations and safe to repeat: a second run writes nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
        with _staged(cursor, folder):
            loaded = [_merge(cursor, step) for step in STEPS]
        for step, result in zip(STEPS, loaded, strict=True):
            # The first delivery must not plan its joins as if the tables were empty.
            if result.new:
                cursor.execute(f"ANALYZE {step.table}")
    if any(result.new or result.changed for result in loaded) or today.refresh():
        raise_version()
    return loaded


def raise_version() -> None:
    """Whoever writes reference data calls this in the same transaction, or open pages stay as they were, and
    counts of the past where they were.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ozgsync_referenceversion AS kept (id, version) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET version = kept.version + 1"
        )
    today.refresh()


@transaction.atomic
def follow_calendar() -> bool:
    """Changes that were known before come into force on their day; whether there were any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
    changed = today.refresh()
    if changed:
        raise_version()
    return changed


@contextmanager
def _staged(cursor: Any, folder: Path) -> Iterator[None]:
    """The files as temporary tables `incoming_…`; HEADER MATCH refuses a file with other columns."""
    for name, columns in STAGING.items():
        cursor.execute(f"CREATE TEMPORARY TABLE incoming_{name} ({columns})")
        with cursor.copy(f"COPY incoming_{name} FROM STDIN (FORMAT csv, HEADER MATCH)") as copy:
            copy.write((folder / f"{name}.csv").read_bytes())
        cursor.execute(f"ANALYZE incoming_{name}")
    yield
    cursor.execute("DROP TABLE " + ", ".join(f"incoming_{name}" for name in STAGING))


def _merge(cursor: Any, step: Step) -> Loaded:
    cursor.execute(_merge_statement(step))
    inserted = [row[0] for row in cursor.fetchall()]
    cursor.execute(f"SELECT count(*) FROM ({step.select}) rows")
    total = cursor.fetchone()[0]
    new = sum(inserted)
    return Loaded(step.title, new, len(inserted) - new, total - len(inserted))


def _merge_statement(step: Step) -> sql.Composed:
    """`xmax` is 0 in a row that was inserted and holds this transaction in one that was updated."""
    columns = step.keys + step.values + ONLY_NEW.get(step.table, ())
    incoming = [_incoming(step, column) for column in step.values]
    return sql.SQL(
        "INSERT INTO {table} AS t ({columns}) {select} ON CONFLICT ({keys}) DO UPDATE SET {sets} "
        "WHERE ({old}) IS DISTINCT FROM ({new}) AND NOT ({unless}) RETURNING xmax = 0"
    ).format(
        table=sql.Identifier(step.table),
        columns=_names(columns),
        select=sql.SQL(step.select),
        keys=_names(step.keys),
        sets=sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(column), value)
            for column, value in zip(step.values, incoming, strict=True)
        ),
        old=sql.SQL(", ").join(sql.Identifier("t", column) for column in step.values),
        new=sql.SQL(", ").join(incoming),
        unless=sql.SQL(step.unless),
    )


def _names(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)


def _incoming(step: Step, column: str) -> sql.Composed:
    pattern = "coalesce(excluded.{0}, t.{0})" if column in step.keeps else "excluded.{0}"
    return sql.SQL(pattern).format(sql.Identifier(column))
