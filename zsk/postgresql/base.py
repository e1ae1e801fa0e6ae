"""Django's PostgreSQL with a pool that hands out no connection that a restart of the server has cut.

The pool's own check asks each connection a question first: a round trip for every request. The socket of a
server that is gone has ended, and that can be seen without asking.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import ConnStatus


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection[Any]:
        connection = super().get_new_connection(conn_params)
        while self.pool and _has_ended(connection):
            self.pool.putconn(connection)  # it makes another in its place
            connection = super().get_new_connection(conn_params)
        return connection


def _has_ended(connection: psycopg.Connection[Any]) -> bool:
    """Reads what lies there without waiting: a last message of the server, then the end."""
    try:
        for _message in range(2):
            connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return connection.pgconn.status == ConnStatus.BAD
