"""Destatis' yearly lists of changes in names, borders and keys: what became of each key, and when.

XLSX with 13 columns below a head of varying height; a row is one whose first cell is an identifier like
`03/2016/0006-R`. Several rows with one identifier are one reform.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.utils import timezone

from ozgsync.models import RegionChange
from ozgsync.naming import gemeinde_name, parent_of, split_name, verband_name
from ozgsync.sources import territory
from ozgsync.sync.changes import Target
from ozgsync.sync.http import Client, NotThere
from ozgsync.sync.protocol import Parsed, Skipped, SourceFault
from zsk.feeds import Feed
from zsk.kinds import NotReadable
from zsk.workbooks import read_sheet

FIRST_YEAR = 2016  # the history of regions begins here
_ID = re.compile(r"[0-9]{2}/[0-9]{4}/[0-9]+-[A-Z]+")
_COLUMNS = 13
Kind = RegionChange.Kind
DISSOLVED, PART, KEY, NAME = "1", "2", "3", "4"  # what the column "change type" says


class Row(NamedTuple):
    """One line of a list; `people` moved, None where the list does not say."""

    change_id: str
    level: str
    old: str
    old_name: str
    type: str
    people: int | None
    new: str
    new_name: str
    legal: dt.date
    statistical: dt.date


STAGING = {
    "incoming_changes": """
        change_id text, kind text, old text COLLATE "C", new text COLLATE "C", effective date,
        statistically date, share numeric, people integer""",
    "incoming_events": """
        ars text COLLATE "C", day date, legally date, name text, parent text COLLATE "C",
        level_top smallint, level_bottom smallint, what text""",
}
# A Kreis that nobody has told of yet is no parent.
_PARENT = "(SELECT r.ars FROM ozgsync_region r WHERE r.ars = parent)"
_KNOWN = "EXISTS (SELECT FROM ozgsync_region r WHERE r.ars = e.ars)"
REGIONS = Target(
    table="ozgsync_region",
    title="Regionen",
    keys=("ars",),
    values=("name", "level_top", "level_bottom"),
    select=f"""
        SELECT DISTINCT ON (ars) ars, name, level_top, level_bottom FROM incoming_events e
         WHERE NOT {_KNOWN} ORDER BY ars, day DESC""",
)
# A key begins where no version covers the day; a new name begins another version. What no version precedes
# has been there since the beginning of history. A version ends where the next begins, or where its key ends.
VERSIONS = Target(
    table="ozgsync_regionversion",
    title="Fassungen von Regionen",
    keys=("ars", "valid_from"),
    values=("valid_to", "legally_from", "name", "kind", "parent", "inhabitants"),
    select=f"""
        WITH touched AS (SELECT DISTINCT ars FROM incoming_events),
        stored AS (SELECT v.* FROM ozgsync_regionversion v JOIN touched USING (ars)),
        births AS (
            SELECT DISTINCT ON (e.ars, e.day) e.ars, e.day, e.legally, e.name, e.parent FROM incoming_events e
             WHERE e.what = 'begins' AND NOT EXISTS (
                   SELECT FROM stored s WHERE s.ars = e.ars AND s.valid_from <= e.day
                      AND (s.valid_to IS NULL OR s.valid_to > e.day))
               AND NOT EXISTS (
                   SELECT FROM incoming_events b WHERE b.ars = e.ars AND b.what = 'begins' AND b.day < e.day)
             ORDER BY e.ars, e.day),
        -- The first that is known of a key is its end, or a change of its name.
        old AS (
            SELECT DISTINCT ON (e.ars) e.ars, e.name, e.parent FROM incoming_events e
             WHERE e.what = 'was' AND NOT EXISTS (
                   SELECT FROM stored s WHERE s.ars = e.ars AND s.valid_from < e.day)
               AND NOT EXISTS (SELECT FROM births b WHERE b.ars = e.ars AND b.day < e.day)
             ORDER BY e.ars, e.day),
        known AS (
            SELECT ars, valid_from, valid_to, legally_from, name, kind, parent, inhabitants FROM stored
            UNION ALL SELECT ars, day, NULL, legally, name, '', {_PARENT}, NULL FROM births
            UNION ALL SELECT ars, '{FIRST_YEAR}-01-01'::date, NULL, NULL, name, '', {_PARENT}, NULL FROM old),
        renamed AS (
            SELECT DISTINCT ON (e.ars, e.day)
                   e.ars, e.day, e.legally, e.name, s.kind, s.parent, s.inhabitants, s.valid_to
              FROM incoming_events e JOIN known s ON s.ars = e.ars AND s.valid_from < e.day
                   AND (s.valid_to IS NULL OR s.valid_to > e.day)
             WHERE e.what = 'renamed' ORDER BY e.ars, e.day),
        all_starts AS (
            SELECT * FROM known
            UNION ALL SELECT ars, day, valid_to, legally, name, kind, parent, inhabitants FROM renamed)
        SELECT a.ars, a.valid_from,
               least(a.valid_to, lead(a.valid_from) OVER (PARTITION BY a.ars ORDER BY a.valid_from),
                     (SELECT min(e.day) FROM incoming_events e
                       WHERE e.ars = a.ars AND e.what = 'ends' AND e.day > a.valid_from)) AS valid_to,
               a.legally_from, a.name, a.kind, a.parent, a.inhabitants
          FROM all_starts a""",
    minor=("kind",),
    new_undone="delete",
)
CHANGES = Target(
    table="ozgsync_regionchange",
    title="Gebietsänderungen",
    keys=("change_id", "old", "new"),
    values=("kind", "effective", "statistically", "share"),
    # A part is measured by the people that the register knew of the whole, as far as it did. The committed
    # data have some reforms already, under identifiers of our own.
    select="""
        SELECT i.change_id, i.old, i.new, i.kind, i.effective, i.statistically,
               coalesce(i.share, round(i.people::numeric / (
                   SELECT v.inhabitants FROM ozgsync_regionversion v
                    WHERE v.ars = i.old AND v.inhabitants >= i.people AND v.inhabitants > 0
                    ORDER BY v.valid_from >= i.statistically, v.valid_from DESC LIMIT 1), 6)) AS share
          FROM incoming_changes i
         WHERE NOT EXISTS (
               SELECT FROM ozgsync_regionchange c WHERE c.old = i.old AND c.new = i.new
                  AND c.statistically = i.statistically AND c.change_id <> i.change_id)""",
    # The whole is counted anew every year.
    minor=("share",),
    new_undone="delete",
)


class Changes:
    name = "gebietsaenderungen"
    title = "Destatis: Gebietsänderungen"
    staging = STAGING
    targets = (REGIONS, VERSIONS, CHANGES)

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def fetch(self, *, cursor: str, have: int) -> Iterator[bytes]:
        """A file for each year since the last run; `{jahr}` in the address is the year."""
        first = int(cursor) if cursor else FIRST_YEAR
        client = Client(token=self._feed.token)
        for year in range(first + have, timezone.localdate().year + 1):
            try:
                yield client.get(self._feed.address.replace("{jahr}", str(year)), accept="*/*")
            except NotThere:
                yield b""  # not published yet, and still one piece a year

    def parse(self, pieces: Iterator[bytes], *, cursor: str) -> Parsed:
        skipped = Skipped()
        rows = [row for content in pieces if content for row in _rows(content, skipped)]
        if not rows:
            raise SourceFault("In keiner der Listen steht eine Änderung.")
        skipped.judge(len(rows) + skipped.count)
        newest = max(row.statistical for row in rows)
        return Parsed(
            version=f"bis {newest}", day=timezone.localdate(), complete=False, cursor=str(newest.year),
            rows={"incoming_changes": _changes(rows), "incoming_events": _events(rows)},
            warnings=skipped.warnings,
        )  # fmt: skip


# --- reading -------------------------------------------------------------------------------------


def _rows(content: bytes, skipped: Skipped) -> Iterator[Row]:
    try:
        sheet = read_sheet(io.BytesIO(content), known=())
        lines = [(sheet.header_line, sheet.header), *sheet.rows]
    except NotReadable as error:
        raise SourceFault("Eine der Listen ist keine Tabelle im Format XLSX.") from error
    found = False
    for number, cells in lines:
        if not _ID.fullmatch(cells[0].strip()):
            continue  # head, foot and blank lines
        found = True
        try:
            yield _row(cells)
        except ValueError as error:
            skipped.note(f"{cells[0].strip()}, Zeile {number}: {error}; ausgelassen.")
    if not found:
        raise SourceFault("Eine der Listen hat keine Zeile mit einer Kennung wie 03/2016/0006-R.")


def _row(cells: Sequence[str]) -> Row:
    if len(cells) < _COLUMNS:
        raise ValueError(f"{len(cells)} statt {_COLUMNS} Spalten")
    texts = [cell.strip() for cell in cells]
    change_id, level, old, _ags, old_name, kind, _area, people, new, _new_ags, new_name = texts[:11]
    if kind[:1] not in (DISSOLVED, PART, KEY, NAME):
        raise ValueError(f"die Art der Änderung „{kind}“ ist nicht bekannt")
    digits = re.sub(r"\D", "", people)
    return Row(
        change_id, level, _ars(old, level), old_name, kind[:1], int(digits) if digits else None,
        _ars(new, level), new_name, _day(texts[11]), _day(texts[12]),
    )  # fmt: skip


def _ars(text: str, level: str) -> str:
    """A key of its level, whose leading zero a spreadsheet may have dropped."""
    digits = re.sub(r"\s", "", text)
    length = {"Kreis": 5, "Gemeindeverband": 9}.get(level, 12)
    if not digits.isdecimal() or len(digits) not in (length - 1, length, 12):
        raise ValueError(f"„{text}“ ist kein Schlüssel der Ebene {level}")
    return digits.zfill(length).ljust(12, "0")


def _day(text: str) -> dt.date:
    """A date cell's `2024-01-01`, or `01.01.2024` typed as text."""
    if match := re.fullmatch(r"(\d{2})\.(\d{2})\.(\d{4})", text):
        text = f"{match[3]}-{match[2]}-{match[1]}"
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"„{text}“ ist kein Datum") from error


# --- what they mean ------------------------------------------------------------------------------


def _changes(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Old and new keys with what happened and the share of the old one, once each.

    Of a part that goes the people are given instead of the share. Where nobody moves, nothing changes for
    counts.
    """
    # A kreisfreie Stadt is told of as a Kreis and as a Gemeinde, under one key: each is a whole.
    by_old: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    sources: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        sources[row.change_id, row.new].add(row.old)
        if row.type != PART or row.people != 0:
            by_old[row.change_id, row.level, row.old].append(row)
    found: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for (change_id, _level, old), told in by_old.items():
        group = [row for row in told if row.people != 0] or told
        stays = any(row.type == PART for row in group) and not any(row.type == DISSOLVED for row in group)
        several = len({row.new for row in group}) > 1
        for row in group:
            kind = _kind(row, several=several or stays, merger=len(sources[change_id, row.new]) > 1)
            share = None if stays else _share(row, group) if several else 1
            people = row.people if stays else None
            found[change_id, old, row.new] = (
                change_id, kind, old, row.new, row.legal, row.statistical, share, people
            )  # fmt: skip
        if stays:
            # What is left of a key is its own successor.
            dates = (group[0].legal, group[0].statistical)
            found.setdefault((change_id, old, old), (change_id, Kind.SPLIT, old, old, *dates, None, None))
    return list(found.values())


def _kind(row: Row, *, several: bool, merger: bool) -> str:
    if row.type == NAME:
        return Kind.RENAME
    if row.type == KEY:
        return Kind.REKEY
    if several:
        return Kind.SPLIT
    return Kind.MERGER if merger else Kind.INCORPORATION


def _share(row: Row, group: Sequence[Row]) -> float | None:
    people = [other.people for other in group]
    total = sum(number or 0 for number in people)
    if None in people or not total:
        return None
    return round((row.people or 0) / total, 6)


def _events(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """When keys begin, end and get another name, and what they were called before."""
    events = []
    for row in rows:
        gone = row.type in (DISSOLVED, KEY) and row.old != row.new
        events.append(_event(row, row.old, row.old_name, "was"))
        if gone:
            events.append(_event(row, row.old, row.old_name, "ends"))
        if row.old != row.new:
            events.append(_event(row, row.new, row.new_name, "begins"))
        elif row.type == NAME or row.old_name != row.new_name:
            events.append(_event(row, row.new, row.new_name, "renamed"))
    return events


def _event(row: Row, ars: str, official: str, what: str) -> tuple[Any, ...]:
    if row.level == "Kreis":
        name = split_name(official)[0]
    elif row.level == "Gemeindeverband":
        name = verband_name(ars, official, {})[0]
    else:
        name = gemeinde_name(ars, official, {})[0]
    top, bottom = territory.levels(ars, has_parts=row.level == "Kreis")
    return ars, row.statistical, row.legal, name, _parent(ars), int(top), int(bottom), what


def _parent(ars: str) -> str:
    """The Kreis of a Gemeinde and the Land of a Kreis: what is certain without the register."""
    kreis, land = f"{ars[:5]}0000000", f"{ars[:2]}0000000000"
    return parent_of(ars, {kreis, land})
