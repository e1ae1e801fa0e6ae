"""A real Keycloak for the demo and the tests, fetched by Maven: no container engine needed.

Its first start takes half a minute, so one that has been started once is kept as a template, and each run
uses a copy of it. Runs without Django, as the demo's supervisor does.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zsk.demo import LOGINS, subject
from zsk.processes import die_with_parent

BASE_DIR = Path(__file__).resolve().parent.parent
REALM_FILE = BASE_DIR / "deploy" / "keycloak" / "realm.json"
# docker-compose.yml names the image of the same version; a test compares both.
VERSION = "26.7.3"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
OPERATIONS_ROLE = "zsk-betrieb"
LEAST_JAVA = 17
READY_SECONDS = 180
GRACE_SECONDS = 8
ADMIN = ("admin", "demo-keycloak-4444")
# Somebody whom Keycloak knows and the ZSK does not: the start of a request for access.
STRANGER = ("gast", "demo-ohne-zugang", "Gudrun", "Gast")


class KeycloakError(Exception):
    """Keycloak cannot be started; the message says why and what to do."""


@dataclass(frozen=True)
class KeycloakUser:
    username: str
    password: str
    first_name: str = "Vorname"
    last_name: str = "Nachname"
    email: str = ""
    roles: tuple[str, ...] = ()
    enabled: bool = True

    def as_json(self) -> dict[str, Any]:
        return {
            "id": subject(self.username),
            "username": self.username,
            "enabled": self.enabled,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "email": self.email or f"{self.username}@demo.invalid",
            "emailVerified": True,
            "realmRoles": list(self.roles),
            "credentials": [{"type": "password", "value": self.password, "temporary": False}],
        }


@dataclass(frozen=True)
class Setup:
    """One Keycloak: where it listens, whom it knows, and the portal that it is for."""

    home: Path
    port: int
    management_port: int
    client_secret: str
    site: str = "http://localhost:8000"
    redirects: tuple[str, ...] = ()
    users: tuple[KeycloakUser, ...] = field(default=(), repr=False)
    # Of `zsk-lieferant`, the example of a client that delivers.
    supplier_secret: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/zsk"

    def realm(self) -> dict[str, Any]:
        """The realm file of production, with this run's people and further addresses to return to."""
        realm: dict[str, Any] = json.loads(REALM_FILE.read_text(encoding="utf-8"))
        client = realm["clients"][0]
        client["redirectUris"] += self.redirects
        log_out = [client["attributes"]["post.logout.redirect.uris"], *self.redirects]
        client["attributes"]["post.logout.redirect.uris"] = "##".join(log_out)
        realm["clients"][1]["secret"] = self.supplier_secret
        realm["users"] = [user.as_json() for user in self.users]
        return realm

    def command(self) -> tuple[str, ...]:
        return (
            str(self.home / "bin" / "kc.sh"),
            "start-dev",
            "--import-realm",
            "--http-host=127.0.0.1",
            f"--http-port={self.port}",
            f"--http-management-port={self.management_port}",
            "--health-enabled=true",
            # Or the issuer would follow the name under which somebody asks.
            f"--hostname={self.url}",
        )

    def environment(self) -> dict[str, str]:
        """Beside what Keycloak reads itself: what the placeholders of the realm file stand for."""
        return {
            "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN[0],
            "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN[1],
            # The fast compiler only: ready in half the time.
            "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
            "OIDC_CLIENT_SECRET": self.client_secret,
            "ZSK_URL": self.site,
        }

    def portal_environment(self) -> dict[str, str]:
        return {
            "OIDC_ISSUER": self.issuer,
            "OIDC_CLIENT_ID": "zsk",
            "OIDC_CLIENT_SECRET": self.client_secret,
        }

    def welcome(self) -> list[str]:
        """Lines for whoever started the demo."""
        name, password, *_names = STRANGER
        return [
            "  Bei Keycloak gelten dieselben Passwörter. Wen Keycloak kennt, die ZSK aber nicht:",
            f"    {name}  {password}",
            f"  Keycloaks Verwaltung:  {self.url}/admin/    {ADMIN[0]}  {ADMIN[1]}",
            f"  Ein Client, der liefern kann:  zsk-lieferant  {self.supplier_secret}",
            "",
        ]

    def is_ready(self) -> bool:
        address = f"http://127.0.0.1:{self.management_port}/health/ready"
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def missing() -> str:
    """What this machine lacks to run Keycloak; empty if nothing."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            return (
                f"{program} fehlt. Abhilfe (Debian, als root): apt-get install openjdk-17-jre-headless maven"
            )
    answer = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    version = (answer.stderr + answer.stdout).partition('"')[2].partition(".")[0].partition('"')[0]
    if not version.isdecimal() or int(version) < LEAST_JAVA:
        return f"Java {LEAST_JAVA} oder neuer fehlt; gefunden: {version or 'keine Version'}."
    return ""


def template(home: Path) -> Path:
    """An unpacked Keycloak under `home` that has been started once; made if it is not there."""
    if lack := missing():
        raise KeycloakError(lack)
    folder = home / "keycloak" / VERSION
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / "template.lock"):
        if not folder.exists():
            aside = folder.with_name(f"{VERSION}.new")
            shutil.rmtree(aside, ignore_errors=True)
            _start_once(_unpack(aside))
            next(aside.glob("keycloak-*")).rename(folder)
            shutil.rmtree(aside)
    return folder


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(folder: Path) -> Path:
    folder.mkdir()
    command = [
        "mvn",
        "-B",
        "-q",
        "dependency:unpack",
        f"-Dartifact={ARTIFACT}",
        f"-DoutputDirectory={folder}",
    ]
    # In there: Maven notes in its working folder what it has unpacked, and would not do it again.
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        last = "\n".join((answer.stdout + answer.stderr).splitlines()[-8:])
        raise KeycloakError(f"Maven konnte Keycloak {VERSION} nicht holen:\n{last}")
    return next(folder.glob("keycloak-*"))


def _start_once(folder: Path) -> None:
    """The first start builds the server and its own realm; without ours, which would never be read again."""
    server = Server(Setup(folder, port=free_port(), management_port=free_port(), client_secret=""))
    try:
        server.start()
        server.wait_until_ready()
    finally:
        server.stop()


def prepare(setup: Setup, template_home: Path) -> None:
    """Make `setup.home` a copy of the template with this run's realm, in place of an earlier run's."""
    source = template(template_home)
    shutil.rmtree(setup.home, ignore_errors=True)
    shutil.copytree(source, setup.home, symlinks=True)
    imports = setup.home / "data" / "import"
    imports.mkdir(parents=True, exist_ok=True)
    (imports / "zsk-realm.json").write_text(json.dumps(setup.realm()), encoding="utf-8")


class Server:
    """A Keycloak that ends with this process; its output goes to `keycloak.log` in its folder."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.log = setup.home / "keycloak.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.setup.command(),
                env=os.environ | self.setup.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # kc.sh is the parent of the Java process and hands its signals on: one group, to end both.
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.setup.is_ready():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise KeycloakError(f"Keycloak startet nicht:\n{self._last_words()}")
            time.sleep(0.2)

    def _last_words(self) -> str:
        return "\n".join(f"  {line}" for line in self.log.read_text(errors="replace").splitlines()[-12:])

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def demo_setup(home: Path, *, port: int, site_port: int) -> Setup:
    """The Keycloak of `make demo-keycloak`: knows the demo's people, under the demo's passwords."""
    sites = [f"http://{host}:{site_port}" for host in ("127.0.0.1", "localhost")]
    return Setup(
        home / "keycloak" / "demo",
        port=port,
        management_port=free_port(),
        client_secret=uuid.uuid4().hex,
        site=sites[0],
        redirects=(f"{sites[1]}/*",),
        users=(*_demo_users(), KeycloakUser(*STRANGER)),
    )


def _demo_users() -> Iterator[KeycloakUser]:
    for login in LOGINS:
        roles = (OPERATIONS_ROLE,) if login.username == "betrieb" else ()
        yield KeycloakUser(login.username, login.password, login.first_name, login.last_name, roles=roles)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
