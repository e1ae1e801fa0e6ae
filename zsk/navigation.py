"""The main navigation, in one place: who is offered which page. Only pages that exist belong here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class Audience(Enum):
    ALL = "all"
    SIGNED_IN = "signed in"
    OPERATIONS = "operations"


@dataclass(frozen=True)
class Entry:
    label: str | Promise
    address: str
    audience: Audience = Audience.ALL


MAIN = (
    Entry(_("Überblick"), "/"),
    Entry(_("Onlineservices"), "/onlineservices/"),
    Entry(_("Daten"), "/daten/"),
    Entry(_("Hilfe"), "/hilfe/"),
    Entry(_("Meine Onlineservices"), "/meine/", Audience.SIGNED_IN),
    Entry(_("Liefern"), "/liefern/", Audience.SIGNED_IN),
    Entry(_("Betrieb"), "/betrieb/", Audience.OPERATIONS),
)


@dataclass(frozen=True)
class Link:
    """An entry as it stands on a page; `current` is the value of `aria-current`, empty elsewhere."""

    label: str | Promise
    address: str
    current: str


def links(path: str, person: User | None) -> list[Link]:
    """The entries for this person; the one that holds the page at `path` is marked."""
    return [
        Link(entry.label, entry.address, _current(entry, path)) for entry in MAIN if _offered(entry, person)
    ]


def _offered(entry: Entry, person: User | None) -> bool:
    if entry.audience is Audience.ALL:
        return True
    if person is None:
        return False
    return entry.audience is Audience.SIGNED_IN or person.is_operations


def _current(entry: Entry, path: str) -> str:
    if path == entry.address:
        return "page"
    below = entry.address != "/" and path.startswith(entry.address)
    return "true" if below else ""
