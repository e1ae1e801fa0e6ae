"""What PostgreSQL and Valkey have in common: found through their files, started once, stopped by their id."""

import fcntl
import os
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from .place import EmbeddedError, Place

# After kill -9 the old server's children may hold its files for a moment: a start that fails is repeated.
RETRY_SECONDS = 10
# A server that lives but is not ready may be recovering a crash.
START_SECONDS = 90
STOP_SECONDS = 20
PAUSE = 0.02

# What this process started itself, by data folder: to be reaped, and found even without its files.
_children: dict[Path, "subprocess.Popen[bytes]"] = {}


class Server(ABC):
    title: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    kill_signal: ClassVar[signal.Signals]

    def __init__(self, place: Place, *, durable: bool = True) -> None:
        self.place = place
        self.durable = durable

    @property
    @abstractmethod
    def data(self) -> Path: ...

    @property
    @abstractmethod
    def socket(self) -> Path: ...

    @property
    @abstractmethod
    def pid_file(self) -> Path: ...

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers now; cheap, as every process asks at its start."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder if there is none, and mend what an interrupted run left."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @property
    def log(self) -> Path:
        return self.place.home / f"{self.title.lower()}.log"

    def ensure(self) -> None:
        """Start the server unless it runs. Many processes may call this at once; one of them starts it."""
        if self.is_ready():
            return
        with locked(self.place.home / "start.lock"):
            if not self.is_ready():
                self.place.private_folder(self.place.sockets)
                self.prepare()
                self._start()

    def stop(self) -> None:
        pid = self.pid()
        if pid is None:
            return
        for number in (self.stop_signal, self.kill_signal):
            os.kill(pid, number)
            if _wait_for_end(pid):
                return
        raise EmbeddedError(f"{self.title} (Prozess {pid}) lässt sich nicht beenden.")

    def pid(self) -> int | None:
        """The process id of this very server, if it lives; a stale file may name a stranger's."""
        child = _children.get(self.data)
        if child and child.poll() is None:
            return child.pid
        try:
            pid = int(self.pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return pid if is_alive(pid) and self._is_ours(pid) else None

    def answer(self, request: bytes = b"") -> bytes | None:
        """What the server says to `request` on its socket; None when it does not listen."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                if not request:
                    return b""
                connection.sendall(request)
                return connection.recv(64)
            except OSError:
                return None

    def _is_ours(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:  # no /proc: trust the file
            return not Path("/proc/self").exists()
        return os.fsencode(self.data) in words

    def _start(self) -> None:
        began = time.monotonic()
        while True:
            process = self._spawn()
            while process.poll() is None and time.monotonic() < began + START_SECONDS:
                if self.is_ready():
                    _children[self.data] = process
                    return
                time.sleep(PAUSE)
            patience = START_SECONDS if self.pid() else RETRY_SECONDS
            if time.monotonic() > began + patience:
                process.kill()
                raise EmbeddedError(self._failure())
            time.sleep(0.5)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self.log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - words of our own
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.data,
                # Ctrl-C in the terminal is for the one who started it, not for the server.
                start_new_session=True,
                **self.place.identity(),
            )

    def _failure(self) -> str:
        said = "\n".join(f"  {line}" for line in self.log.read_text(errors="replace").splitlines()[-8:])
        return (
            f"{self.title} startet nicht. Es meldet:\n{said}\n"
            f"Protokoll: {self.log}\nAbhilfe, wenn die Daten entbehrlich sind: make clean"
        )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock that ends with the process, so that none is ever stale."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_alive(pid: int) -> bool:
    """Whether a process runs; our own ended children are reaped, as they would count."""
    for child in _children.values():
        child.poll()
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _wait_for_end(pid: int) -> bool:
    deadline = time.monotonic() + STOP_SECONDS
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True
