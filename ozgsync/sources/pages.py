"""What sources in JSON share: pages that must add up, and entries read field by field."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Any

from ozgsync.sync.protocol import SourceFault

KEY = re.compile(r"99[0-9]{12}")
TYPES = {
    "1", "2", "2a", "2b", "3", "3a", "3b", "2/3", "2/3a", "2/3b", "4", "4a", "4b",
    "5", "6", "7", "8", "9", "10", "11", "12",
}  # fmt: skip
LONGEST_NAME = 300


class BadEntry(Exception):
    """One entry cannot be read; the text says which field and why."""


def page(content: bytes, number: int) -> dict[str, Any]:
    """A page as a JSON object. Raises SourceFault that tells HTML, emptiness and cut-off answers apart."""
    if not content.strip():
        raise SourceFault(f"Seite {number} der Antwort ist leer; erwartet wird JSON.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceFault(f"Seite {number} ist nicht in UTF-8 (Byte {error.start}).") from error
    if text.lstrip()[:1] == "<":
        raise SourceFault(f"Seite {number} ist HTML oder XML, meist eine Fehlerseite; erwartet wird JSON.")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SourceFault(f"Seite {number} ist kein vollständiges JSON: {error}.") from error
    except RecursionError as error:
        raise SourceFault(f"Seite {number} ist zu tief verschachtelt.") from error
    if not isinstance(found, dict):
        raise SourceFault(f"Seite {number} ist kein JSON-Objekt.")
    return found


def entries(found: dict[str, Any], name: str, number: int) -> list[Any]:
    """A list of a page. Raises SourceFault."""
    value = found.get(name)
    if not isinstance(value, list):
        raise SourceFault(f"Auf Seite {number} fehlt die Liste „{name}“.")
    return value


def count(found: dict[str, Any], name: str, number: int) -> int:
    value = found.get(name)
    if type(value) is not int or value < 0:
        raise SourceFault(f"Auf Seite {number} fehlt die Zahl „{name}“.")
    return value


def text(entry: dict[str, Any], *names: str) -> str:
    """The first of these fields that holds text. Raises BadEntry."""
    for name in names:
        value = entry.get(name)
        if isinstance(value, str) and (plain := " ".join(value.replace("\0", "").split())):
            return plain[:LONGEST_NAME]
    raise BadEntry(f"„{names[0]}“ fehlt")


def key(value: Any) -> str:
    """A Leistungsschlüssel. Raises BadEntry."""
    plain = re.sub(r"\s", "", value) if isinstance(value, str) else ""
    if not KEY.fullmatch(plain):
        raise BadEntry(f"Leistungsschlüssel {json.dumps(value)[:40]} hat nicht die Form 99 und zwölf Ziffern")
    return plain


def keys(value: Any, name: str) -> list[str]:
    """A list of Leistungsschlüssel, empty where there is none. Raises BadEntry."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadEntry(f"„{name}“ ist keine Liste")
    return [key(one) for one in value]


def types(value: Any) -> list[str] | None:
    """A Typisierung as the list that it is; also one text, as older answers have it. Raises BadEntry.

    None where the entry says nothing of it, which is no reason to forget what is known.
    """
    found = [value] if isinstance(value, str) else value
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadEntry("„typisierung“ ist keine Liste von Texten")
    if unknown := [one for one in found if one not in TYPES]:
        raise BadEntry(f"die Typisierung „{unknown[0][:20]}“ gibt es nicht")
    return list(dict.fromkeys(found))


def day(value: Any, name: str) -> dt.date | None:
    """A date `YYYY-MM-DD`, also with a time behind it; None where there is none. Raises BadEntry."""
    if value in (None, ""):
        return None
    try:
        return dt.date.fromisoformat(value[:10])
    except (ValueError, TypeError) as error:
        raise BadEntry(f"„{name}“ ist kein Datum: {json.dumps(value)[:40]}") from error


def distinct(rows: Iterable[tuple[Any, ...]], width: int = 1) -> list[tuple[Any, ...]]:
    """Rows with distinct first columns; of several the last, as later pages are newer."""
    return list({row[:width]: row for row in rows}.values())
