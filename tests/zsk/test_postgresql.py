"""The pool of connections; that it outlives a crash of the server is a test of faults."""

from collections.abc import Iterator

import pytest
from django.db import connection

from zsk.postgresql.base import DatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pooled() -> Iterator[DatabaseWrapper]:
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": 1, "max_size": 1, "timeout": 10}}
    pooled = DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, "default")
    yield pooled
    pooled.close_pool()


def process_of(pooled: DatabaseWrapper) -> int:
    """The server's process that answers, as for one request."""
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    pooled.close()
    return int(process)


def test_a_connection_is_handed_out_again(pooled: DatabaseWrapper) -> None:
    assert process_of(pooled) == process_of(pooled)


def test_one_that_the_server_has_ended_is_not(pooled: DatabaseWrapper) -> None:
    ended = process_of(pooled)
    with connection.cursor() as cursor:
        # Waits until the process is gone: its socket ends with it.
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
        assert cursor.fetchone() == (True,)
    assert process_of(pooled) != ended
