"""The FIM-Portal's Leistungssteckbriefe: Leistungsschlüssel with names, types and successors.

`GET <address>/api/v0/leistung-steckbriefe` with `offset`, `limit` and `updated_since`; the answer is
`{items, offset, limit, count, total_count}`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django.utils.text import slugify

from ozgsync.search import fold
from ozgsync.sources import leistungen as tables
from ozgsync.sources import pages
from ozgsync.sources.pages import BadEntry
from ozgsync.sync.http import Client
from ozgsync.sync.protocol import Parsed, Skipped, SourceFault
from zsk.feeds import Feed

PATH = "/api/v0/leistung-steckbriefe"
LIMIT = 200  # the most that the portal gives at once
# Entries that change while the pages are read must not be missed: the next run asks for this much more.
OVERLAP = dt.timedelta(days=1)


class FimPortal:
    name = "fim"
    title = "FIM-Portal: Leistungen"
    staging = {name: columns for name, columns in tables.STAGING.items() if name != "incoming_services"}
    targets = (
        tables.THEMENFELDER,
        tables.BUNDLES,
        # The FIM-Portal is the catalogue itself; which OZG-Leistung a Leistung belongs to, the OZG database
        # knows better where it is asked.
        tables.leistungen("FIM", over="true", bundle="coalesce(t.ozg_leistung_id, i.ozg_id)"),
        tables.SUCCESSORS,
    )

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def fetch(self, *, cursor: str, have: int) -> Iterator[bytes]:
        client = Client(token=self._feed.token)
        offset = have * LIMIT
        while True:
            params: dict[str, str | int] = {"offset": offset, "limit": LIMIT}
            if cursor:
                params["updated_since"] = cursor
            content = client.get(self._feed.address + PATH, params=params)
            yield content
            number = offset // LIMIT + 1
            found = pages.page(content, number)
            offset += LIMIT
            if offset >= pages.count(found, "total_count", number):
                return
            if not pages.entries(found, "items", number):
                raise SourceFault(f"Seite {number} ist leer, obwohl noch Einträge fehlen.")

    def parse(self, pieces: Iterator[bytes], *, cursor: str) -> Parsed:
        read = _Reader()
        total = -1
        for number, content in enumerate(pieces, start=1):
            found = pages.page(content, number)
            total = pages.count(found, "total_count", number)
            for entry in pages.entries(found, "items", number):
                read.entry(entry, number)
        if total < 0:
            raise SourceFault("Die Antwort ist leer; erwartet wird mindestens eine Seite.")
        if read.count != total:
            raise SourceFault(f"Die Quelle nennt {total} Einträge und liefert {read.count}.")
        if not total and not cursor:
            raise SourceFault("Die Quelle liefert keine einzige Leistung.")
        read.skipped.judge(total)
        today = timezone.localdate()
        return Parsed(
            version=str(today), day=today, rows=read.rows(),
            complete=not cursor and not read.skipped.count,
            cursor=str(today - OVERLAP), warnings=read.skipped.warnings,
        )  # fmt: skip


class _Reader:
    """Collects rows of Leistungen, entry by entry."""

    def __init__(self) -> None:
        self.count = 0
        self.skipped = Skipped()
        self._themenfelder: dict[str, str] = {}
        self._bundles: dict[str, tuple[str, str]] = {}
        self._leistungen: dict[str, tuple[Any, ...]] = {}
        self._successors: dict[tuple[str, str], dt.date] = {}

    def entry(self, entry: Any, page: int) -> None:
        self.count += 1
        try:
            if not isinstance(entry, dict):
                raise BadEntry("kein Objekt")
            self._read(entry)
        except BadEntry as bad:
            self.skipped.note(f"Seite {page}, Eintrag {self.count}: {bad}; ausgelassen.")

    def _read(self, entry: dict[str, Any]) -> None:
        key = pages.key(entry.get("leistungsschluessel"))
        name = pages.text(entry, "leistungsbezeichnung", "title")
        types = pages.types(entry.get("typisierung"))
        ends = pages.day(entry.get("gueltig_bis"), "gueltig_bis")
        begins = pages.day(entry.get("gueltig_ab"), "gueltig_ab")
        successors: dict[tuple[str, str], dt.date] = {}
        for successor in pages.keys(entry.get("nachfolger"), "nachfolger"):
            if ends is None:
                raise BadEntry("hat Nachfolger, aber kein „gueltig_bis“")
            successors[key, successor] = ends
        bundle = self._bundle(entry.get("ozg"))
        also = entry.get("leistungsbezeichnung_2") and pages.text(entry, "leistungsbezeichnung_2")
        if ends is not None and begins is not None and ends <= begins:
            raise BadEntry(f"„gueltig_bis“ {ends} liegt nicht nach „gueltig_ab“ {begins}")
        self._leistungen[key] = (key, name, types, bundle, None, begins, ends, also or None)
        self._successors |= successors

    def _bundle(self, block: Any) -> str | None:
        """The OZG-Leistung that an entry belongs to; of several blocks the first."""
        if isinstance(block, list):
            block = block[0] if block else None
        if not isinstance(block, dict) or not block.get("id"):
            return None
        ozg_id = str(block["id"])[:20]
        label = pages.text(block, "themenfeld_label", "themenfeld")
        slug = slugify(fold(label))
        self._themenfelder[slug] = label
        self._bundles[ozg_id] = (pages.text(block, "leistung"), slug)
        return ozg_id

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        return {
            "incoming_themenfelder": list(self._themenfelder.items()),
            "incoming_bundles": [(key, *rest) for key, rest in self._bundles.items()],
            "incoming_leistungen": list(self._leistungen.values()),
            "incoming_successors": [(*pair, day) for pair, day in self._successors.items()],
        }
