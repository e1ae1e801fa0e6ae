"""A database of a measurement's own, on the server that the environment names or the embedded one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from zsk import embedded

DATA_DIR = Path(os.environ.get("ZSK_DATA_DIR") or Path(__file__).resolve().parent.parent / ".zsk")


@contextmanager
def database() -> Iterator[None]:
    """Django, set up on a new database with its tables; dropped at the end, whatever happens.

    Must come before anything of Django's. Processes started inside find the same database.
    """
    home = os.environ.get("DATABASE_URL") or embedded.postgres_url(DATA_DIR)
    name = f"zsk_bench_{os.getpid()}"
    _execute(home, f'CREATE DATABASE "{name}"')
    os.environ["DATABASE_URL"] = urlunsplit(urlsplit(home)._replace(path=f"/{name}"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    try:
        _set_up()
        yield
    finally:
        # Not WITH (FORCE): that fails where the server's own vacuum is at work, which a plain DROP ends.
        _execute(
            home,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND usename = current_user",
        )
        _execute(home, f'DROP DATABASE "{name}"')
        os.environ["DATABASE_URL"] = home


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _set_up() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from ozgsync.loading import load_reference

    call_command("migrate", verbosity=0)
    load_reference()


def report(**figures: float) -> None:
    """One line of JSON for each figure."""
    for name, value in figures.items():
        print(json.dumps({"name": name, "value": round(value, 2)}), flush=True)
