"""A whole ZSK of a test's own, to be killed: durable PostgreSQL, Valkey, gunicorn and a Celery worker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connections

from tests.zsk.conftest import plain_environment
from zsk import embedded, servers
from zsk.celery import app
from zsk.embedded.place import Place
from zsk.embedded.postgres import Postgres
from zsk.embedded.server import Server
from zsk.embedded.valkey import Valkey
from zsk.processes import WEB, WORKER, die_with_parent

ROOT = Path(__file__).resolve().parents[2]


def wait_for(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


class Installation:
    """Its processes run on the folder `home`; each can be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = _free_port()
        self._web: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self.start_postgres()
        self.start_valkey()
        self._run("manage.py", "migrate", "--verbosity", "0")

    # --- PostgreSQL and Valkey -------------------------------------------------------------------

    def start_postgres(self) -> str:
        return embedded.postgres_url(self.home, durable=True)

    def start_valkey(self) -> str:
        return embedded.redis_url(self.home, durable=True)

    def kill_postgres(self) -> None:
        """All of it at once, as a power cut does."""
        _kill_whole(Postgres(Place.of(self.home)))

    def kill_backend(self) -> None:
        """The process of one connection: PostgreSQL throws out everybody and recovers by itself."""
        postmaster = Postgres(Place.of(self.home)).pid()
        busy = [pid for pid in _children(postmaster or 0) if b" zsk zsk " in _words(pid)]
        if not busy:
            return
        with psycopg.connect(self.start_postgres()) as bystander, suppress(psycopg.OperationalError):
            _kill(max(busy))
            while True:  # until it has noticed
                bystander.execute("SELECT 1")

    def kill_valkey(self) -> None:
        _kill_whole(Valkey(Place.of(self.home)))

    # --- our own processes -----------------------------------------------------------------------

    def start_web(self) -> None:
        if self._web is None or self._web.poll() is not None:
            self._web = self._spawn([*WEB])
        wait_for(self.web_answers)

    def kill_web(self) -> None:
        _kill_group(self._web)

    def kill_web_worker(self) -> None:
        """One of gunicorn's processes, which gunicorn replaces."""
        assert self._web
        for pid in _children(self._web.pid)[:1]:
            _kill(pid)

    def start_worker(self) -> None:
        if self._worker is None or self._worker.poll() is not None:
            self._worker = self._spawn([*WORKER, "--concurrency", "1"])

    def kill_worker(self) -> None:
        _kill_group(self._worker)

    def mend(self) -> None:
        """Everything that should run runs again."""
        connections["default"].close()  # perhaps to a server that is gone
        self.start_postgres()
        self.start_valkey()
        wait_for(self.database_answers)
        self.start_web()
        if self._worker:
            self.start_worker()

    def end(self) -> None:
        _kill_group(self._web)
        _kill_group(self._worker)
        embedded.release(self.home)  # or the folder would come back at the end of this process
        embedded.remove(self.home)

    # --- seen from outside -----------------------------------------------------------------------

    def web_answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
        return False

    def database_answers(self) -> bool:
        """Whether somebody can work: while PostgreSQL recovers from a killed backend nobody can."""
        try:
            with psycopg.connect(self.start_postgres()) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def queue(self) -> redis.Redis:
        path = self.start_valkey().removeprefix("unix://")
        return redis.Redis(unix_socket_path=path, db=0)

    @contextmanager
    def here(self, blocker: Any) -> Iterator[None]:
        """In this block Django in this process works on the database and the queue of the installation."""
        ours = connections["default"]
        database = servers.database(self.start_postgres(), self.home, pool_size=0, prepare=True)
        theirs = type(ours)({**ours.settings_dict, **database}, "default")
        broker = servers.redis(self.start_valkey(), self.home)[1]
        with pytest.MonkeyPatch.context() as patch, blocker.unblock():
            patch.setattr(app.conf, "task_always_eager", False)
            # First: its former value is that of the other, unless it was set itself.
            patch.setattr(app.conf, "broker_write_url", broker)
            patch.setattr(app.conf, "broker_url", broker)
            patch.setattr(app, "_pool", None)
            patch.setattr(app.amqp, "_producer_pool", None)
            connections["default"] = theirs
            try:
                yield
            finally:
                theirs.close()
                connections["default"] = ours

    # --- starting --------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        return plain_environment(self.home) | {
            "DATABASE_URL": self.start_postgres(),
            "REDIS_URL": self.start_valkey(),
            "WEB_BIND": f"127.0.0.1:{self.port}",
            "REQUESTS_PER_KEY": "0",
            # Keys that this process issues are known there.
            "KEY_PEPPERS": ",".join(f"{number}:{text}" for number, text in settings.KEY_PEPPERS.items()),
        }

    def _run(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=self._environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def _spawn(self, words: list[str]) -> subprocess.Popen[bytes]:
        with (self.home / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT, env=self._environment(), start_new_session=True, preexec_fn=die_with_parent,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _kill_group(process: subprocess.Popen[bytes] | None) -> None:
    if process and process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _kill_whole(server: Server) -> None:
    pid = server.pid()
    assert pid, f"{server.title} does not run"
    for each in (pid, *_children(pid)):
        _kill(each)
    wait_for(lambda: server.pid() is None)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _words(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
