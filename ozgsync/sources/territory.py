"""How a state of all regions on one day becomes versions of regions, whichever register tells it.

Rows are compared with the versions that are valid on that day. A new name or parent ends a version and
begins the next; a key that the register lacks ends. When exactly something changed, the lists of changes
know better: what they have written is found here and stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ozgsync.models import GERMANY, Level
from ozgsync.naming import pad, parent_of
from ozgsync.sync.changes import Target
from ozgsync.sync.http import Client
from zsk.feeds import Feed


class Listed(NamedTuple):
    """A region as a register lists it; `kind` and `postcode` are empty where it does not tell."""

    ars: str
    name: str
    kind: str = ""
    inhabitants: int | None = None
    postcode: str = ""


LONGEST_NAME, LONGEST_KIND = 200, 60
STAGING = {
    "incoming_regions": """
        ars text COLLATE "C", name text, kind text, inhabitants integer, parent text COLLATE "C",
        level_top smallint, level_bottom smallint, postcode text"""
}
# The stored version of each listed region on the day, and what would follow it.
_NOW = """
    SELECT i.*, v.valid_from, v.valid_to, v.legally_from, v.name AS old_name, v.kind AS old_kind,
           v.parent AS old_parent, v.inhabitants AS old_inhabitants,
           coalesce(nullif(i.kind, ''), v.kind, '') AS new_kind,
           -- A register without Gemeindeverbände does not put their Gemeinden elsewhere.
           CASE WHEN v.parent IS NULL OR p.level_top IS NULL
                  OR (p.level_top, p.level_bottom) IN (SELECT level_top, level_bottom FROM incoming_regions)
                THEN nullif(i.parent, '') ELSE v.parent END AS new_parent
      FROM incoming_regions i
      LEFT JOIN ozgsync_regionversion v ON v.ars = i.ars AND v.valid_from <= %(day)s
           AND (v.valid_to IS NULL OR v.valid_to > %(day)s)
      LEFT JOIN ozgsync_region p ON p.ars = v.parent"""
_MOVED = "n.valid_from < %(day)s AND (n.old_name, n.old_parent) IS DISTINCT FROM (n.name, n.new_parent)"

REGIONS = Target(
    table="ozgsync_region",
    title="Regionen",
    keys=("ars",),
    values=("name", "level_top", "level_bottom", "postcode"),
    minor=("postcode",),
    # The latest version names the region. Levels of a known region stay.
    select="""
        SELECT i.ars,
               CASE WHEN EXISTS (SELECT FROM ozgsync_regionversion v
                                  WHERE v.ars = i.ars AND v.valid_from > %(day)s)
                    THEN r.name ELSE i.name END AS name,
               coalesce(r.level_top, i.level_top) AS level_top,
               coalesce(r.level_bottom, i.level_bottom) AS level_bottom,
               coalesce(nullif(i.postcode, ''), r.postcode, '') AS postcode
          FROM incoming_regions i LEFT JOIN ozgsync_region r ON r.ars = i.ars""",
)
VERSIONS = Target(
    table="ozgsync_regionversion",
    title="Fassungen von Regionen",
    keys=("ars", "valid_from"),
    values=("valid_to", "legally_from", "name", "kind", "parent", "inhabitants"),
    select=f"""
        WITH n AS ({_NOW})
        -- What is valid on the day: it goes on, or ends there.
        SELECT n.ars, n.valid_from, CASE WHEN {_MOVED} THEN %(day)s::date ELSE n.valid_to END AS valid_to,
               n.legally_from,
               CASE WHEN {_MOVED} THEN n.old_name ELSE n.name END AS name,
               CASE WHEN {_MOVED} THEN n.old_kind ELSE n.new_kind END AS kind,
               CASE WHEN {_MOVED} THEN n.old_parent ELSE n.new_parent END AS parent,
               CASE WHEN {_MOVED} THEN n.old_inhabitants
                    ELSE coalesce(n.inhabitants, n.old_inhabitants) END AS inhabitants
          FROM n WHERE n.valid_from IS NOT NULL
        UNION ALL
        -- What begins on the day: keys without a version then, and the successors of those that ended.
        SELECT n.ars, %(day)s::date,
               coalesce(n.valid_to, (SELECT min(l.valid_from) FROM ozgsync_regionversion l
                                      WHERE l.ars = n.ars AND l.valid_from > %(day)s)),
               NULL::date, n.name, n.new_kind, n.new_parent, n.inhabitants
          FROM n WHERE n.valid_from IS NULL OR {_MOVED}""",
    # Only at levels that the register lists; Germany is in none.
    minor=("inhabitants", "kind"),
    alive=f"""
        t.ars <> '{GERMANY}' AND t.valid_from <= %(day)s AND EXISTS (
            SELECT FROM ozgsync_region r WHERE r.ars = t.ars
               AND (r.level_top, r.level_bottom) IN (
                    SELECT level_top, level_bottom FROM incoming_regions))""",
    new_undone="delete",
)
TARGETS = (REGIONS, VERSIONS)


class OneFile:
    """A register whose state is a single file at the feed's address."""

    staging = STAGING
    targets = TARGETS
    accept: str

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def fetch(self, *, cursor: str, have: int) -> Iterator[bytes]:
        if have == 0:
            yield Client(token=self._feed.token).get(self._feed.address, accept=self.accept)


def rows(listed: Mapping[str, Listed]) -> list[tuple[Any, ...]]:
    """Rows for the staging table: with parents and levels, which follow from the keys that are listed."""
    known = {*listed, GERMANY}
    above = {parent_of(ars, known) for ars in listed}
    staged = []
    for region in listed.values():
        top, bottom = levels(region.ars, has_parts=region.ars in above)
        parent = parent_of(region.ars, known)
        name, kind = (text.replace("\0", "") for text in (region.name, region.kind))
        told = (region.ars, name[:LONGEST_NAME], kind[:LONGEST_KIND], region.inhabitants, parent)
        staged.append((*told, int(top), int(bottom), region.postcode))
    return staged


def levels(ars: str, *, has_parts: bool) -> tuple[Level, Level]:
    """Highest and lowest level of a key: a Land or Kreis without parts is a Gemeinde as well."""
    if ars == GERMANY:
        return Level.BUND, Level.BUND
    if ars[9:] != "000":
        # Who belongs to no Gemeindeverband is its own, and so are areas without a Gemeinde.
        return (Level.GEMEINDE if ars[5] == "5" else Level.VERBAND), Level.GEMEINDE
    for level, length in ((Level.LAND, 2), (Level.REGBEZ, 3), (Level.KREIS, 5)):
        if ars == pad(ars[:length]):
            alone = not has_parts and level is not Level.REGBEZ
            return level, Level.GEMEINDE if alone else level
    return Level.VERBAND, Level.VERBAND
