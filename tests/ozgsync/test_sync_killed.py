"""A sync by a real process that dies: while it fetches, and while it writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from celery.schedules import crontab
from django.db import connection
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ozgsync import sources
from ozgsync.models import Leistung, SyncRun
from ozgsync.sync import running
from zsk.feeds import Feed
from zsk.processes import die_with_parent

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
Status = SyncRun.Status
TOTAL = 250  # two pages


class Register:
    """The FIM-Portal, whose second page waits until it may come."""

    def __init__(self, server: HTTPServer) -> None:
        self.may_go_on = threading.Event()
        self.asked: list[int] = []
        server.expect_request("/api/v0/leistung-steckbriefe").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        offset = int(request.args["offset"])
        self.asked.append(offset)
        if offset:
            self.may_go_on.wait(30)
        items = [
            {"leistungsschluessel": f"99{number:012}", "leistungsbezeichnung": f"Leistung {number}"}
            for number in range(offset, min(offset + 200, TOTAL))
        ]
        return Response(json.dumps({"items": items, "total_count": TOTAL}))


@pytest.fixture
def register(httpserver: HTTPServer, settings: Any) -> Iterator[Register]:
    feed = Feed(httpserver.url_for("").rstrip("/"), "", crontab())
    settings.SYNC_FEEDS = {**settings.SYNC_FEEDS, "fim": feed}
    found = Register(httpserver)
    yield found
    found.may_go_on.set()


def database_url() -> str:
    name = connection.settings_dict["NAME"]
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def start(httpserver: HTTPServer) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "zsk.settings",
        "SYNC_FIM_URL": httpserver.url_for("").rstrip("/"),
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "manage.py", "sync", "fim"], cwd=ROOT, env=environment,
        start_new_session=True, preexec_fn=die_with_parent,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def run() -> SyncRun:
    """As soon as the dead process's connection, and with it the lock, is gone."""
    wait_for(lambda: not _locked())
    return running.run(sources.source("fim"))


def _locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = %s)",
            [running.RUN_LOCK],
        )
        return bool(cursor.fetchone()[0])


def test_a_run_killed_while_it_fetches_goes_on_where_it_was(
    httpserver: HTTPServer, register: Register
) -> None:
    process = start(httpserver)
    wait_for(lambda: 200 in register.asked)
    kill(process)
    left = SyncRun.objects.get()
    assert (left.status, left.pieces.count()) == (Status.RUNNING, 1)
    wait_for(lambda: running.left_behind() == ["fim"])
    register.may_go_on.set()
    done = run()
    assert (done.pk, done.status, done.new_count) == (left.pk, Status.APPLIED, TOTAL)
    assert register.asked == [0, 200, 200]


def test_a_run_killed_while_it_writes_has_written_nothing(httpserver: HTTPServer, register: Register) -> None:
    Leistung.objects.create(schluessel="99000000000000", name="Alter Name", name_source="FIM")
    register.may_go_on.set()
    with psycopg.connect(database_url()) as other:
        # Somebody holds a row that the run wants to change, so that it stands still in the middle.
        other.execute("SELECT 1 FROM ozgsync_leistung WHERE schluessel = '99000000000000' FOR UPDATE")
        process = start(httpserver)
        wait_for(lambda: _waits_for_a_row())
        kill(process)
        other.rollback()
    assert Leistung.objects.count() == 1
    done = run()
    assert (done.status, done.new_count, done.changed_count) == (Status.APPLIED, TOTAL - 1, 1)
    assert Leistung.objects.count() == TOTAL


def _waits_for_a_row() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND wait_event_type = 'Lock' AND pid <> pg_backend_pid())"
        )
        return bool(cursor.fetchone()[0])
