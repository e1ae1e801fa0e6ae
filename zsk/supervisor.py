"""`make demo`: the whole ZSK on this machine under one process, which starts, watches and ends the others.

Each child has a process group of its own and gets SIGTERM from the kernel when this process dies in any way,
so that nothing is left behind. Runs before Django is set up: settings would start the servers unasked.
"""

import argparse
import contextlib
import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from zsk import embedded, keycloak, probe, processes

BASE_DIR = Path(__file__).resolve().parent.parent
READY_SECONDS = 180
GRACE_SECONDS = 12
TICK = 0.1
LINE = "─" * 78


class DemoError(Exception):
    """The demo cannot start or go on; the message says why and what to do."""


class StopRequest(Exception):
    """Ctrl-C or SIGTERM came while the demo was starting or running."""


@dataclass(frozen=True)
class Child:
    name: str
    process: "subprocess.Popen[bytes]"
    log: Path | None

    def has_ended(self) -> bool:
        return self.process.poll() is not None


class Demo:
    def __init__(self, home: Path, port: int, keycloak_port: int | None = None) -> None:
        self.home = home
        self.keycloak = keycloak_port and keycloak.demo_setup(home, port=keycloak_port, site_port=port)
        self.port = port
        self.bind = f"127.0.0.1:{port}"
        self.url = f"http://{self.bind}/"
        self.children: list[Child] = []
        self.stops_asked_for = 0

    def run(self) -> None:
        embedded.check(self.home)
        with self._only_one_here():
            self._check_ports()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._note_stop)
            try:
                self._start()
                self._watch()
            except StopRequest:
                say("\nDie Demo wird beendet …")
            finally:
                self._stop()

    def _start(self) -> None:
        began = time.monotonic()
        self._start_servers()
        self._start_keycloak()
        self._start_registers()
        say("Daten: wird vorbereitet (beim ersten Mal etwa eine Minute) …")
        self._prepare()
        self._spawn("web", processes.WEB)
        self._spawn("worker", processes.WORKER)
        self._spawn("beat", processes.beat(self.home))
        self._note_children()
        self._wait_until_ready()
        say(self._welcome(time.monotonic() - began))

    def _start_servers(self) -> None:
        if not _is_set("DATABASE_URL"):
            say("PostgreSQL: wird gestartet …")
            embedded.postgres_url(self.home)
        if not _is_set("REDIS_URL"):
            say("Valkey: wird gestartet …")
            embedded.redis_url(self.home)

    def _start_keycloak(self) -> None:
        """Beside the preparation of data, which takes longer; the portal finds it in its environment."""
        if self.keycloak:
            say("Keycloak: wird gestartet (beim ersten Mal wird es geholt, etwa eine Minute) …")
            keycloak.prepare(self.keycloak, self.home)
            os.environ.update(self.keycloak.environment() | self.keycloak.portal_environment())
            self._spawn("keycloak", self.keycloak.command())
            self._note_children()

    def _start_registers(self) -> None:
        """Stand-ins for the official registers, unless the operator has named a source."""
        if any(_is_set(f"SYNC_{name}_URL") for name in ("FIM", "OZG", "REGIONEN")):
            return
        port = _free_port(self.port)
        url = f"http://127.0.0.1:{port}"
        os.environ |= {
            "SYNC_FIM_URL": f"{url}/fim", "SYNC_OZG_URL": f"{url}/ozg",
            "SYNC_REGIONEN_URL": f"{url}/xrepository", "SYNC_ASK_ROWS": "2",
        }  # fmt: skip
        self._spawn("registers", ("python", "-m", "zsk.demo.registers", str(port)))
        self._note_children()

    def _prepare(self) -> None:
        child = self._spawn("prepare", (*processes.MIGRATE, "--demo"), quiet=False)
        self._note_children()
        while not child.has_ended():
            self._pause()
        self.children.remove(child)
        if child.process.returncode:
            raise DemoError(
                "Das Vorbereiten der Daten ist gescheitert, siehe oben.\n"
                "Abhilfe, wenn die Daten entbehrlich sind: make clean, dann make demo"
            )

    def _spawn(self, name: str, words: Sequence[str], *, quiet: bool = True) -> Child:
        log = self.home / "logs" / f"{name}.log" if quiet else None
        if log:
            log.parent.mkdir(exist_ok=True)
        with log.open("wb") if log else contextlib.nullcontext() as output:
            process = subprocess.Popen(
                _program(words),
                cwd=BASE_DIR,
                env=self._environment(name),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                # A group of its own: Ctrl-C in the terminal reaches only us, and we end all in order.
                start_new_session=True,
                preexec_fn=processes.die_with_parent,
            )
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def _environment(self, name: str) -> dict[str, str]:
        own = {"WEB_BIND": self.bind, "PYTHONUNBUFFERED": "1"}
        if name == "worker" and not os.environ.get("SITE_URL"):
            # No request tells its jobs which address the links in their mails begin with.
            own["SITE_URL"] = self.url.rstrip("/")
        return os.environ | own

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while found := probe.problem(self.bind, seconds=2):
            self._check_children()
            if time.monotonic() > deadline:
                raise DemoError(f"Der Webserver wird nicht bereit: {found}\n{self._last_words('web')}")
            self._pause()
        while self.keycloak and not self.keycloak.is_ready():
            self._check_children()
            if time.monotonic() > deadline:
                raise DemoError(f"Keycloak wird nicht bereit.\n{self._last_words('keycloak')}")
            self._pause()

    def _watch(self) -> None:
        silent = 0
        while True:
            for _tick in range(20):
                self._check_children()
                self._pause()
            ready = embedded.are_ready(
                self.home, postgres=not _is_set("DATABASE_URL"), valkey=not _is_set("REDIS_URL")
            )
            # A busy server may fail to answer once.
            silent = 0 if ready else silent + 1
            if silent >= 3:
                raise DemoError(f"PostgreSQL oder Valkey antwortet nicht mehr. Protokolle: {self.home}/*.log")

    def _check_children(self) -> None:
        for child in self.children:
            if child.has_ended():
                code = child.process.returncode
                raise DemoError(
                    f"„{child.name}“ ist ausgefallen (Code {code}).\n{self._last_words(child.name)}"
                )

    def _last_words(self, name: str) -> str:
        log = self.home / "logs" / f"{name}.log"
        lines = log.read_text(errors="replace").splitlines()[-12:] if log.exists() else []
        return "\n".join([*(f"  {line}" for line in lines), f"Protokoll: {log}"])

    def _pause(self) -> None:
        if self.stops_asked_for:
            raise StopRequest
        time.sleep(TICK)

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        self.stops_asked_for += 1

    def _stop(self) -> None:
        """End the children in the order they were started, web first; a second Ctrl-C ends the patience."""
        for child in self.children:
            end_group(child.process.pid, self._has_patience, child.has_ended)
        if embedded.release(self.home) or not embedded.are_ready(self.home):
            say("Alles ist beendet. Die Daten bleiben; make clean entfernt sie.")
        else:
            say("Die Demo ist beendet; PostgreSQL und Valkey laufen noch, ein anderer Befehl benutzt sie.")
        embedded.hand_back(self.home)

    def _has_patience(self) -> bool:
        return self.stops_asked_for < 2

    # --- One demo per folder -----------------------------------------------------------------------
    @property
    def note(self) -> Path:
        return self.home / "demo.json"

    @contextlib.contextmanager
    def _only_one_here(self) -> Iterator[None]:
        """Hold the note's lock, which ends with this process; end what a killed run left."""
        with self.note.open("a+", encoding="utf-8") as note:
            try:
                fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DemoError(_already_running(self.note)) from None
            end_leftovers(self.note)
            self._note_children()
            try:
                yield
            finally:
                self.note.write_text("", encoding="utf-8")

    def _note_children(self) -> None:
        pids = [child.process.pid for child in self.children]
        started = {str(pid): _start_time(pid) for pid in pids}
        content = {"pid": os.getpid(), "url": self.url, "children": started}
        self.note.write_text(json.dumps(content), encoding="utf-8")

    def _check_ports(self) -> None:
        if self.keycloak:
            _check_port("KEYCLOAK_PORT", self.keycloak.port, "make demo-keycloak")
        _check_port("PORT", self.port, "make demo-keycloak" if self.keycloak else "make demo")

    def _welcome(self, seconds: float) -> str:
        logins = self.home / "logins.txt"
        lines = logins.read_text(encoding="utf-8").splitlines() if logins.exists() else []
        return "\n".join(
            [
                "",
                LINE,
                f"  Die ZSK läuft:  {self.url}    (bereit nach {seconds:.0f} s)",
                "",
                *(["  Anmelden mit:", *(f"    {line}" for line in lines), ""] if lines else []),
                *(self.keycloak.welcome() if self.keycloak else []),
                f"  Protokolle:     {self.home / 'logs'}",
                "  Beenden:        Strg+C",
                LINE,
            ]
        )


def end_group(pid: int, has_patience: Callable[[], bool], has_ended: Callable[[], bool]) -> None:
    """Ask a child's group to end, wait, and kill whatever of it is left."""
    deadline = time.monotonic() + GRACE_SECONDS
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    while not has_ended() and has_patience() and time.monotonic() < deadline:
        time.sleep(TICK / 2)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    while not has_ended():
        time.sleep(TICK / 2)


def end_leftovers(note: Path) -> None:
    """End the children of a killed run; a start time tells them from a stranger with the same number."""
    try:
        children: dict[str, int] = json.loads(note.read_text(encoding="utf-8"))["children"]
    except (ValueError, KeyError):
        return
    for pid, started in children.items():
        if _start_time(int(pid)) == started != 0:
            say("Ein früherer Lauf wurde abgebrochen; seine Prozesse werden beendet.")
            _end_stranger(int(pid), started)


def _end_stranger(pid: int, started: int) -> None:
    end_group(pid, lambda: True, lambda: _start_time(pid) != started)


def clean(home: Path) -> None:
    """Stop whatever runs from `home` and remove it."""
    if not home.exists():
        return
    embedded.check(home)
    note = home / "demo.json"
    if note.exists():
        _stop_running_demo(note)
    for folder in (*home.glob("test*"), home):
        embedded.remove(folder)
    say(f"{home} ist entfernt.")


def _stop_running_demo(note: Path) -> None:
    with note.open("r", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Die laufende Demo wird beendet …")
            os.kill(json.loads(note.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_EX)
    end_leftovers(note)


def _already_running(note: Path) -> str:
    try:
        running = json.loads(note.read_text(encoding="utf-8"))
    except ValueError:
        return "Die Demo startet in diesem Ordner gerade schon."
    return (
        f"Die Demo läuft in diesem Ordner schon: {running['url']} (Prozess {running['pid']}).\n"
        f"Beenden: Strg+C in ihrem Fenster, oder kill {running['pid']}"
    )


def _start_time(pid: int) -> int:
    """When a process started, in ticks since boot; 0 if it does not run (or the system has no /proc)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])


def _program(words: Sequence[str]) -> list[str]:
    """Through this interpreter, not through scripts: their first line breaks in a deep folder."""
    if words[0].startswith("/"):
        return [*words]
    if words[0] == "python":
        return [sys.executable, *words[1:]]
    return [sys.executable, "-m", *words]


def _is_set(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _check_port(name: str, port: int, command: str) -> None:
    try:
        _try_port(port)
    except PermissionError:
        raise DemoError(f"Port {port} ist nicht erlaubt. Abhilfe: {name}=8000 {command}") from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise DemoError(
            f"Port {port} ist belegt, von einem anderen Programm.\n"
            f"Abhilfe: {name}={_free_port(port)} {command}"
        ) from None


def _try_port(port: int) -> None:
    with socket.socket() as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe_socket.bind(("127.0.0.1", port))


def _free_port(after: int) -> int:
    for port in range(after + 1, 65536):
        with contextlib.suppress(OSError):
            _try_port(port)
            return port
    return 0


def say(text: str) -> None:
    # The terminal may be gone; the children must still be ended.
    with contextlib.suppress(OSError):
        print(text, flush=True)


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m zsk.supervisor")
    parser.add_argument("command", choices=["demo", "clean"])
    parser.add_argument("--keycloak", action="store_true", help="a Keycloak beside the demo, to log in with")
    return parser.parse_args(words)


def _port(name: str = "PORT", default: str = "8000") -> int:
    text = os.environ.get(name) or default
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise DemoError(f"{name}={text!r} ist keine Portnummer. Beispiel: {name}=8123 make demo")
    return int(text)


def main(words: Sequence[str]) -> int:
    arguments = _arguments(words)
    home = Path(os.environ.get("ZSK_DATA_DIR") or BASE_DIR / ".zsk")
    try:
        if arguments.command == "clean":
            clean(home)
        else:
            Demo(home, _port(), _port("KEYCLOAK_PORT", "8180") if arguments.keycloak else None).run()
    except (DemoError, embedded.EmbeddedError, keycloak.KeycloakError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
