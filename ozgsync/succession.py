"""What took the place of a Leistung that has ended, through chains of changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection

from ozgsync.models import Leistung

# UNION, not UNION ALL: a circle in the catalogue ends instead of running for ever.
CHAINS = """
    WITH RECURSIVE chain (origin, key) AS (
        SELECT old, new FROM ozgsync_leistungchange WHERE old = ANY(%(keys)s) AND effective <= %(day)s
        UNION
        SELECT chain.origin, c.new FROM chain JOIN ozgsync_leistungchange c ON c.old = chain.key
        WHERE c.effective <= %(day)s
    )
    SELECT origin, key FROM chain JOIN ozgsync_leistung l ON l.schluessel = key
    WHERE (l.valid_from IS NULL OR l.valid_from <= %(day)s) AND (l.valid_to IS NULL OR l.valid_to > %(day)s)
    ORDER BY origin, key
"""

PREDECESSORS = """
    WITH RECURSIVE chain (origin, key) AS (
        SELECT new, old FROM ozgsync_leistungchange WHERE new = ANY(%(keys)s)
        UNION
        SELECT chain.origin, c.old FROM chain JOIN ozgsync_leistungchange c ON c.new = chain.key
    )
    SELECT key, origin FROM chain
"""


def predecessors_of(keys: Iterable[str]) -> dict[str, set[str]]:
    """Every key, also an older one, whose place some of these keys took, with those; one query."""
    with connection.cursor() as cursor:
        cursor.execute(PREDECESSORS, {"keys": list(keys)})
        pairs = cursor.fetchall()
    found: dict[str, set[str]] = {}
    for old, new in pairs:
        found.setdefault(old, set()).add(new)
    return found


def successors_of(keys: Iterable[str], *, on: dt.date) -> dict[str, list[Leistung]]:
    """Of each key the Leistungen valid on a day that took its place, by key; two queries at most.

    A successor that has ended itself is passed over for its own. Keys without successors are not there.
    """
    wanted = list(keys)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(CHAINS, {"keys": wanted, "day": on})
        pairs = cursor.fetchall()
    rows = Leistung.objects.select_related("ozg_leistung__themenfeld").in_bulk([new for _old, new in pairs])
    found: dict[str, list[Leistung]] = {}
    for old, new in pairs:
        found.setdefault(old, []).append(rows[new])
    return found
