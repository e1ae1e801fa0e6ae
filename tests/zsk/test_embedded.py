"""The embedded servers: found, started, mended and stopped, whatever happened before."""

import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from zsk import embedded
from zsk.embedded import EmbeddedError, server
from zsk.embedded.place import SOCKET_PATH_LIMIT, Place
from zsk.embedded.postgres import Postgres
from zsk.embedded.valkey import Valkey

USE_AND_WAIT = """
import sys
from pathlib import Path
from zsk import embedded
print(embedded.postgres_url(Path(sys.argv[1]), durable=False), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def postgres(home: Path) -> Postgres:
    return Postgres(Place.of(home), durable=False)


def use(home: Path) -> "subprocess.Popen[str]":
    """A process that uses the server until its input closes."""
    words = [sys.executable, "-c", USE_AND_WAIT, str(home)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> str:
    printed, _errors = process.communicate("\n", timeout=30)
    assert process.returncode == 0
    return printed.strip()


def ask(postgres: Postgres, sql: str) -> object:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute(sql).fetchone()
    return row[0] if row else None


def create_table(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")


def test_starts_and_serves_utf8_as_a_plain_user(postgres: Postgres) -> None:
    postgres.ensure()
    assert ask(postgres, "SELECT lower('ÄÖÜ')") == "äöü"
    assert ask(postgres, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_second_call_is_cheap_and_keeps_the_process(postgres: Postgres) -> None:
    postgres.ensure()
    pid = postgres.pid()
    began = time.perf_counter()
    for _call in range(20):
        postgres.ensure()
    assert time.perf_counter() - began < 0.2
    assert postgres.pid() == pid


def test_many_processes_at_once_start_one_server(home: Path, postgres: Postgres) -> None:
    processes = [use(home) for _number in range(4)]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline().strip() == postgres.url
    pid = postgres.pid()
    assert pid is not None
    for process in processes:
        finish(process)
    assert postgres.pid() is None


def test_last_user_stops_the_server(home: Path, postgres: Postgres) -> None:
    first, second = use(home), use(home)
    for process in (first, second):
        assert process.stdout
        process.stdout.readline()
    finish(first)
    assert postgres.is_ready()
    finish(second)
    assert not postgres.is_ready()


def test_recovers_from_kill_with_its_data(home: Path) -> None:
    postgres = Postgres(Place.of(home), durable=True)
    postgres.ensure()
    create_table(postgres)
    pid = postgres.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    while postgres.is_ready():
        time.sleep(0.01)
    postgres.ensure()
    assert postgres.pid() != pid
    assert ask(postgres, "SELECT value FROM kept") == 7


def test_half_made_cluster_is_made_anew(postgres: Postgres, caplog: pytest.LogCaptureFixture) -> None:
    draft = postgres.data.with_name(f"{postgres.data.name}.entwurf")
    (draft / "base").mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    postgres.ensure()
    assert not draft.exists()
    assert "unterbrochen" in caplog.text


def test_stale_pid_of_a_stranger_does_not_block(postgres: Postgres) -> None:
    postgres.ensure()
    content = postgres.pid_file.read_text()
    postgres.stop()
    stranger = subprocess.Popen(["sleep", "60"], **postgres.place.identity())
    try:
        postgres.pid_file.write_text("\n".join([str(stranger.pid), *content.splitlines()[1:]]))
        assert postgres.pid() is None
        postgres.ensure()
    finally:
        stranger.kill()
        stranger.wait()
    assert ask(postgres, "SELECT 1") == 1


def test_broken_data_say_what_to_do(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres.ensure()
    postgres.stop()
    (postgres.data / "global" / "pg_control").write_bytes(b"nonsense")
    monkeypatch.setattr(server, "RETRY_SECONDS", 0)
    with pytest.raises(EmbeddedError, match="pg_control") as caught:
        postgres.ensure()
    assert "make clean" in str(caught.value)


def test_deep_folder_gets_a_short_socket(home: Path) -> None:
    deep = home / ("tief" * 20) / ("unten" * 10)
    place = Place.of(deep)
    postgres = Postgres(place, durable=False)
    try:
        postgres.ensure()
        assert len(os.fsencode(postgres.socket)) <= SOCKET_PATH_LIMIT
        assert ask(postgres, "SELECT 1") == 1
    finally:
        postgres.stop()
        (postgres.socket.parent).rmdir()


def test_open_socket_folder_is_refused(home: Path) -> None:
    place = Place.of(home)
    place.sockets.mkdir()
    place.sockets.chmod(0o777)
    with pytest.raises(EmbeddedError, match="offen"):
        Postgres(place, durable=False).ensure()


def test_valkey_keeps_tasks_over_a_restart(home: Path) -> None:
    valkey = Valkey(Place.of(home))
    valkey.ensure()
    with redis.Redis.from_url(valkey.url) as client:
        client.set("task", "waiting")
    valkey.stop()
    assert not valkey.is_ready()
    valkey.ensure()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.get("task") == b"waiting"


@pytest.mark.skipif(os.geteuid() != 0, reason="nur root startet die Server als anderer Benutzer")
def test_private_folder_of_root_stays_private(home: Path) -> None:
    home.parent.chmod(0o700)
    place = Place.of(home)
    postgres = Postgres(place, durable=False)
    postgres.ensure()
    assert place.root != home
    assert ask(postgres, "SELECT 1") == 1
    assert home.parent.stat().st_mode & 0o777 == 0o700


def test_folder_of_another_user_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    owner = pwd.getpwuid(os.getuid()).pw_name
    with monkeypatch.context() as other:
        other.setattr(os, "geteuid", lambda: 54321)
        with pytest.raises(EmbeddedError, match=f"gehört {owner}"):
            embedded.check(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="nur root kann Dateien verschenken")
def test_root_in_a_folder_of_an_unknown_owner(home: Path) -> None:
    home.mkdir()
    os.chown(home, 54321, 54321)
    postgres = Postgres(Place.of(home), durable=False)
    postgres.ensure()
    assert ask(postgres, "SELECT 1") == 1
