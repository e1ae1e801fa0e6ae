"""Typed access to environment variables; a wrong or missing value stops the start."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """`NAME`, or the content of the file `NAME_FILE` (for secrets), or the default; required without one."""
    if file := os.environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {file} ist nicht lesbar ({error.strerror}).") from error
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Die Umgebungsvariable {name} (oder {name}_FILE) fehlt.")
    return value


def flag(name: str, default: bool) -> bool:
    value = text(name, str(default)).strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} ist kein Wahrheitswert; erlaubt sind true und false.")


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    value = text(name, str(default))
    try:
        result = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} ist keine ganze Zahl.") from error
    if result < least:
        raise ImproperlyConfigured(f"{name}={result} ist kleiner als {least}.")
    if most is not None and result > most:
        raise ImproperlyConfigured(f"{name}={result} ist größer als {most}.")
    return result


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list without blanks and empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def origin(name: str, *, only_https: bool = False) -> str:
    """`https://host` or `https://host:port`, without a slash at the end; empty where it is not set."""
    given = text(name, "").strip()
    value = given.removesuffix("/")
    try:
        parts = urlsplit(value)
        bare = f"{parts.scheme}://{parts.netloc}" == value and bool(parts.hostname) and parts.port != 0
    except ValueError:
        bare = False
    schemes = {"https"} if only_https else {"https", "http"}
    if given and not (bare and "@" not in value and parts.scheme in schemes):
        kinds = "https" if only_https else "https oder http"
        raise ImproperlyConfigured(
            f"{name}={given!r} ist keine Adresse ({kinds}) wie https://zsk.example.org."
        )
    return value


def numbered(name: str, default: str) -> dict[int, str]:
    """Numbered secrets, `1:…,2:…`; errors never say them."""
    result: dict[int, str] = {}
    for item in items(name, default):
        key, _colon, secret = item.partition(":")
        if not key.isdigit() or not secret:
            raise ImproperlyConfigured(f"{name} (oder {name}_FILE) muss die Form 1:zufälliger-Text haben.")
        result[int(key)] = secret
    if not result:
        raise ImproperlyConfigured(f"{name} (oder {name}_FILE) fehlt, zum Beispiel 1:zufälliger-Text.")
    return result
