"""PostgreSQL and Valkey from Python wheels: real servers for the demo and the tests, nothing to install.

Settings ask here when no DATABASE_URL or REDIS_URL is given, so this package uses the standard library only.
Every process that asks counts as a user of the servers until it ends; the last one out stops them.
"""

import atexit
import fcntl
import os
import shutil
from pathlib import Path

from .place import EmbeddedError, Place
from .postgres import Postgres
from .server import Server
from .valkey import Valkey

__all__ = [
    "EmbeddedError",
    "are_ready",
    "check",
    "hand_back",
    "postgres_url",
    "redis_url",
    "release",
    "remove",
    "stop",
]

_users: dict[Path, int] = {}


def postgres_url(home: Path, *, durable: bool = True) -> str:
    """Start PostgreSQL under `home` unless it runs, and return its address.

    Costs under a millisecond while it runs. Without `durable` a power cut may destroy the data: for tests.
    Raises EmbeddedError with a message that people can act on.
    """
    server = Postgres(Place.of(home), durable=durable)
    _keep_in_use(home)
    server.ensure()
    return server.url


def redis_url(home: Path, *, durable: bool = True) -> str:
    """Start Valkey under `home` unless it runs, and return `unix://…` without a database number."""
    server = Valkey(Place.of(home), durable=durable)
    _keep_in_use(home)
    server.ensure()
    return server.url


def check(home: Path) -> None:
    """Make `home` if it is missing; raise EmbeddedError where this user cannot work in it."""
    Place.of(home)


def are_ready(home: Path, *, postgres: bool = True, valkey: bool = True) -> bool:
    """Whether those of the two that are wanted answer."""
    kinds = [kind for kind, wanted in ((Postgres, postgres), (Valkey, valkey)) if wanted]
    servers = [server for server in _servers(home) if isinstance(server, tuple(kinds))]
    return len(servers) == len(kinds) and all(server.is_ready() for server in servers)


def stop(home: Path) -> None:
    """Stop both servers, whoever uses them; Valkey first, as its tasks write to PostgreSQL."""
    for server in _servers(home):
        server.stop()


def remove(home: Path) -> None:
    """Stop the servers and delete `home` with everything that lies elsewhere for it."""
    if not home.is_dir():
        return
    stop(home)
    place = Place.of(home)
    for folder in {place.sockets, place.root, home}:
        shutil.rmtree(folder, ignore_errors=True)


def hand_back(home: Path) -> None:
    """Give what root made in another user's `home` to that user, who may be the next to start."""
    place = Place.of(home)
    if place.account and home.stat().st_uid:
        for path in home.rglob("*"):
            place.hand_over(path)


def release(home: Path) -> bool:
    """Give up this process's use; stop the servers if nobody else uses them. Returns whether they stopped."""
    descriptor = _users.pop(home, None)
    if descriptor is None:
        return False
    # Closed and opened anew: a forked child shares the old descriptor, and a lock of its own would not tell.
    os.close(descriptor)
    descriptor = _open_users(home)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stop(home)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _servers(home: Path) -> list[Server]:
    if not home.is_dir():
        return []
    place = Place.of(home)
    return [Valkey(place), Postgres(place)]


def _keep_in_use(home: Path) -> None:
    """Hold a shared lock until this process ends. Waits while another process is stopping the servers."""
    if home in _users:
        return
    _users[home] = _open_users(home)
    fcntl.flock(_users[home], fcntl.LOCK_SH)
    atexit.register(_release_at_exit, home, os.getpid())


def _release_at_exit(home: Path, pid: int) -> None:
    if os.getpid() == pid:  # not in a forked child, which inherits this handler
        release(home)


def _open_users(home: Path) -> int:
    home.mkdir(parents=True, exist_ok=True)  # somebody may delete it while we run
    return os.open(home / "users.lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
