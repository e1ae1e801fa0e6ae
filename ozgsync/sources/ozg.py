"""The OZG database (OZG-IP): OZG-Leistungen, Themenfelder, Leistungen and online services.

It has no public description of an interface. This is a format of our own, described in `docs/abgleich.md`,
that an operator's adapter speaks: pages of `{stand, seite, seiten, anzahl, …}`, `?seite=2&geaendert_seit=…`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from ozgsync.sources import leistungen as tables
from ozgsync.sources import pages
from ozgsync.sources.pages import BadEntry
from ozgsync.sync.http import Client
from ozgsync.sync.protocol import Parsed, Skipped, SourceFault
from zsk.feeds import Feed

LISTS = ("themenfelder", "ozg_leistungen", "leistungen", "onlineservices")


class OzgDatabase:
    name = "ozg"
    title = "OZG-Datenbank"
    staging = tables.STAGING
    targets = (
        tables.THEMENFELDER,
        tables.BUNDLES,
        # What the FIM-Portal has said of a Leistung counts more.
        tables.leistungen(
            "OZG",
            over="NOT (t.name_source = 'FIM' AND t.confidence = '')",
            bundle="coalesce(i.ozg_id, t.ozg_leistung_id)",
        ),
        tables.SUCCESSORS,
        tables.SERVICES,
    )

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def fetch(self, *, cursor: str, have: int) -> Iterator[bytes]:
        client = Client(token=self._feed.token)
        number = have + 1
        while True:
            params: dict[str, str | int] = {"seite": number}
            if cursor:
                params["geaendert_seit"] = cursor
            content = client.get(self._feed.address, params=params)
            yield content
            if number >= pages.count(pages.page(content, number), "seiten", number):
                return
            number += 1

    def parse(self, pieces: Iterator[bytes], *, cursor: str) -> Parsed:
        read, head = _Reader(), None
        for number, content in enumerate(pieces, start=1):
            found = pages.page(content, number)
            head = _head(found, number, head)
            for name in LISTS:
                for entry in pages.entries(found, name, number):
                    read.entry(name, entry, number)
        if head is None:
            raise SourceFault("Die Antwort ist leer; erwartet wird mindestens eine Seite.")
        state, total = head
        if read.count != total:
            raise SourceFault(f"Die Quelle nennt {total} Einträge und liefert {read.count}.")
        if not total and not cursor:
            raise SourceFault("Die Quelle liefert keinen einzigen Eintrag.")
        read.skipped.judge(total)
        return Parsed(
            version=str(state), day=state, rows=read.rows(), complete=not cursor and not read.skipped.count,
            cursor=str(state), warnings=read.skipped.warnings,
        )  # fmt: skip


_Head = tuple[dt.date, int]


def _head(found: dict[str, Any], number: int, before: _Head | None) -> _Head:
    """What every page says of the whole; all pages must say the same, in order."""
    try:
        state = pages.day(found.get("stand"), "stand")
    except BadEntry as bad:
        raise SourceFault(f"Auf Seite {number}: {bad}.") from bad
    if state is None:
        raise SourceFault(f"Auf Seite {number} fehlt „stand“.")
    if pages.count(found, "seite", number) != number:
        raise SourceFault(f"Auf Seite {number} steht „seite“: {found['seite']}.")
    head = (state, pages.count(found, "anzahl", number))
    if before not in (None, head):
        raise SourceFault(f"Seite {number} nennt einen anderen Stand oder eine andere Anzahl als die davor.")
    return head


class _Reader:
    """Collects rows, entry by entry."""

    def __init__(self) -> None:
        self.count = 0
        self.skipped = Skipped()
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in tables.STAGING}
        self._readers: dict[str, Callable[[dict[str, Any]], None]] = {
            "themenfelder": self._themenfeld, "ozg_leistungen": self._bundle,
            "leistungen": self._leistung, "onlineservices": self._service,
        }  # fmt: skip

    def entry(self, name: str, entry: Any, page: int) -> None:
        self.count += 1
        try:
            if not isinstance(entry, dict):
                raise BadEntry("kein Objekt")
            self._readers[name](entry)
        except BadEntry as bad:
            self.skipped.note(f"Seite {page}, {name}, Eintrag {self.count}: {bad}; ausgelassen.")

    def _themenfeld(self, entry: dict[str, Any]) -> None:
        row = (pages.text(entry, "kuerzel")[:50], pages.text(entry, "name")[:60])
        self._rows["incoming_themenfelder"].append(row)

    def _bundle(self, entry: dict[str, Any]) -> None:
        ozg_id, themenfeld = pages.text(entry, "ozg_id")[:20], pages.text(entry, "themenfeld")[:50]
        row = (ozg_id, pages.text(entry, "name"), themenfeld)
        self._rows["incoming_bundles"].append(row)

    def _leistung(self, entry: dict[str, Any]) -> None:
        key = pages.key(entry.get("leistungsschluessel"))
        name, types = pages.text(entry, "name"), pages.types(entry.get("typisierung"))
        begins = pages.day(entry.get("gueltig_ab"), "gueltig_ab")
        ends = pages.day(entry.get("gueltig_bis"), "gueltig_bis")
        if begins and ends and ends <= begins:
            raise BadEntry(f"„gueltig_bis“ {ends} liegt nicht nach „gueltig_ab“ {begins}")
        successors = pages.keys(entry.get("nachfolger"), "nachfolger")
        if successors and ends is None:
            raise BadEntry("hat Nachfolger, aber kein „gueltig_bis“")
        focus = entry.get("fokus", False)
        if type(focus) is not bool:
            raise BadEntry("„fokus“ ist weder true noch false")
        bundle = pages.text(entry, "ozg_id")[:20] if entry.get("ozg_id") else None
        self._rows["incoming_leistungen"].append((key, name, types, bundle, focus, begins, ends, None))
        self._rows["incoming_successors"] += [(key, new, ends) for new in successors]

    def _service(self, entry: dict[str, Any]) -> None:
        number, name = pages.text(entry, "nummer")[:40], pages.text(entry, "name")
        ends = pages.day(entry.get("gueltig_bis"), "gueltig_bis")
        key = pages.key(entry.get("leistungsschluessel"))
        self._rows["incoming_services"].append((number, name, key, ends))

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        pairs = {"incoming_successors"}
        return {name: pages.distinct(rows, 2 if name in pairs else 1) for name, rows in self._rows.items()}
