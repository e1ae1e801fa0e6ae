"""Rules on the schema that keep the numbers distributable by service."""

from typing import Any

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

BY_SERVICE = [
    "transaction_count",
    "count_revision",
    "monthly_total",
    "service_month",
    "service_state",
    "staged_count",
    "count_correction",
]


def ask(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


@pytest.mark.parametrize("table", BY_SERVICE)
def test_every_unique_key_starts_with_the_service(table: str) -> None:
    keys = ask(
        """
        SELECT i.indexrelid::regclass::text, a.attname
          FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
         WHERE i.indrelid = %s::regclass AND i.indisunique
        """,
        table,
    )
    assert keys
    assert {column for _index, column in keys} == {"service_id"}


def test_the_service_has_one_type_everywhere() -> None:
    types = ask(
        """
        SELECT DISTINCT format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = ANY(%s::regclass[]) AND attname = 'service_id'
        """,
        BY_SERVICE,
    )
    assert types == [("bigint",)]


def test_no_foreign_key_points_into_the_numbers() -> None:
    pointing = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY(%s::regclass[])"
    assert ask(pointing, BY_SERVICE) == []


def test_no_number_is_changed_by_deleting_something_else() -> None:
    acting = """
        SELECT conname FROM pg_constraint
         WHERE contype = 'f' AND conrelid = ANY(%s::regclass[]) AND confdeltype NOT IN ('a', 'r')
    """
    assert ask(acting, BY_SERVICE) == []


def test_the_numbers_have_no_triggers_of_their_own() -> None:
    assert (
        ask(
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = ANY(%s::regclass[])",
            BY_SERVICE,
        )
        == []
    )


def test_a_region_has_no_foreign_key_in_the_numbers() -> None:
    """The check of every row has compared it; a key per row would cost more than the row."""
    keys = """
        SELECT conrelid::regclass::text FROM pg_constraint
         WHERE contype = 'f' AND confrelid = 'ozgsync_region'::regclass AND conrelid = ANY(%s::regclass[])
    """
    assert ask(keys, BY_SERVICE) == []


def test_a_service_with_counts_is_protected_by_the_database() -> None:
    """By its months, which every count has: a key on the counts themselves costs more than their insert."""
    keys = """
        SELECT conrelid::regclass::text, confdeltype FROM pg_constraint
         WHERE contype = 'f' AND confrelid = 'services_onlineservice'::regclass
           AND conrelid IN ('transaction_count'::regclass, 'service_month'::regclass)
    """
    assert ask(keys) == [("service_month", "a")]


def test_only_the_staging_table_is_unlogged() -> None:
    unlogged = ask("SELECT relname FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'")
    assert unlogged == [("staged_count",)]


def test_keys_of_regions_sort_by_bytes() -> None:
    """A prefix is a range of the index only then."""
    columns = ask(
        """
        SELECT attrelid::regclass::text, collname
          FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
         WHERE attrelid = ANY(%s::regclass[]) AND attname IN ('ars', 'region')
        """,
        [*BY_SERVICE, "ozgsync_region", "region_total", "region_total_delta"],
    )
    assert len(columns) == 8
    assert {collation for _table, collation in columns} == {"C"}
