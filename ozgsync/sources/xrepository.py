"""The code list of the ARS in the XRepository: which keys there are, with their names.

`<address>/api/codeliste/<urn>/gueltigeVersion` names the current version, in JSON or XML;
`<address>/api/xrepository/<version>/download/Regionalschl_ssel_<date>.json` is its content.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

from ozgsync.models import GERMANY
from ozgsync.naming import REGBEZ_KINDS, gemeinde_name, pad, split_name, strip_prefix, tidy, verband_name
from ozgsync.sources import pages, territory
from ozgsync.sources.territory import Listed
from ozgsync.sync.http import Client
from ozgsync.sync.protocol import Parsed, Skipped, SourceFault
from zsk.feeds import Feed

URN = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:rs"
_VERSION = re.compile(re.escape(URN) + r"_([0-9]{4}-[0-9]{2}-[0-9]{2})")
_ARS = re.compile(r"[0-9]{12}")
# A list of all of Germany has some 16,000 keys; one with fewer than this was cut off.
FEWEST = 1_000


class Regions:
    name = "regionen"
    title = "XRepository: Regionalschlüssel"
    staging = territory.STAGING
    targets = territory.TARGETS

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def fetch(self, *, cursor: str, have: int) -> Iterator[bytes]:
        """The version's name, then its content."""
        client = Client(token=self._feed.token)
        current = client.get(f"{self._feed.address}/api/codeliste/{URN}/gueltigeVersion")
        version, day = _current(current)
        if have == 0:
            yield current
        if have <= 1:
            path = f"/api/xrepository/{version}/download/Regionalschl_ssel_{day}.json"
            yield client.get(self._feed.address + path)

    def parse(self, pieces: Iterator[bytes], *, cursor: str) -> Parsed:
        all_pieces = list(pieces)
        if not all_pieces:
            raise SourceFault("Die Antwort ist leer; erwartet wird die Codeliste.")
        found = pages.page(all_pieces[-1], len(all_pieces))
        day = _current(all_pieces[0])[1] if len(all_pieces) > 1 else _day_of(found)
        skipped = Skipped()
        listed = _listed(found, skipped)
        if len(listed) < FEWEST:
            raise SourceFault(f"Die Codeliste hat nur {len(listed)} Schlüssel; erwartet werden etwa 16.000.")
        skipped.judge(len(listed) + skipped.count)
        return Parsed(
            version=f"rs_{day}", day=day, rows={"incoming_regions": territory.rows(listed)},
            complete=not skipped.count, warnings=skipped.warnings,
        )  # fmt: skip


def _current(content: bytes) -> tuple[str, dt.date]:
    """The current version's URN and date, from JSON or XML of which only the URN matters."""
    text = content.decode("utf-8", "replace")
    if match := _VERSION.search(text):
        return match[0], dt.date.fromisoformat(match[1])
    try:
        told = json.loads(text).get("meldung", "")
    except (ValueError, AttributeError):
        told = ""
    raise SourceFault(f"Die Quelle nennt keine gültige Fassung der Codeliste. {str(told)[:200]}".strip())


def _day_of(found: dict[str, Any]) -> dt.date:
    """A file names its version among its own data."""
    head = json.dumps(found.get("metadaten"), ensure_ascii=False)
    if match := _VERSION.search(head) or re.search(r'"version": "(\d{4}-\d{2}-\d{2})"', head):
        return dt.date.fromisoformat(match[1])
    raise SourceFault("In „metadaten“ steht nicht, von wann die Codeliste ist.")


def _listed(found: dict[str, Any], skipped: Skipped) -> dict[str, Listed]:
    columns = [column.get("spaltennameTechnisch") for column in pages.entries(found, "spalten", 1)]
    key, name = _column(columns, "SCHLUESSEL"), _column(columns, "BEZEICHNUNG")
    listed: dict[str, Listed] = {}
    for number, row in enumerate(pages.entries(found, "daten", 1), start=1):
        if not isinstance(row, list) or len(row) != len(columns) or not isinstance(row[name], str):
            skipped.note(f"Zeile {number}: hat nicht die Spalten der Codeliste; ausgelassen.")
        elif not _ARS.fullmatch(str(row[key])):
            skipped.note(f"Zeile {number}: „{str(row[key])[:30]}“ hat nicht 12 Ziffern; ausgelassen.")
        else:
            listed[row[key]] = Listed(row[key], *named(row[key], row[name]))
    return listed


def _column(columns: list[Any], name: str) -> int:
    if name not in columns:
        raise SourceFault(f"In der Codeliste fehlt die Spalte „{name}“.")
    return columns.index(name)


def named(ars: str, official: str) -> tuple[str, str]:
    """Name and kind; the kind is empty where the name does not tell it."""
    if ars[9:] != "000":
        name, kind = gemeinde_name(ars, official, {})
        return name, kind if "," in official else ""
    if ars in (GERMANY, pad(ars[:2])):
        return tidy(official), ""
    if ars == pad(ars[:3]):
        return strip_prefix(tidy(official), REGBEZ_KINDS)
    if ars == pad(ars[:5]):
        return split_name(official)[0], ""
    name, kind = verband_name(ars, official, {})
    return name, "" if kind == "Gemeindeverband" else kind
