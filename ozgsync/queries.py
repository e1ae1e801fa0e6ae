"""Questions about regions that checks ask for many keys at once; one query each."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from django.db import connection
from django.db.models import Max, Min, Q

from ozgsync.models import Region


class RegionSpan(NamedTuple):
    """A key, its levels, and the time it existed; `ended` is exclusive, None while it lasts."""

    ars: str
    name: str
    level_top: int
    level_bottom: int
    began: dt.date
    ended: dt.date | None


class Successor(NamedTuple):
    """What became of a key; `exact` when all of it went there."""

    ars: str
    name: str
    exact: bool


def region_spans(keys: Collection[str]) -> list[RegionSpan]:
    """The known ones among the keys, in order of the key."""
    lasts = Max("versions__pk", filter=Q(versions__valid_to=None))
    rows = (
        Region.objects.filter(ars__in=keys)
        .annotate(began=Min("versions__valid_from"), ended=Max("versions__valid_to"), lasting=lasts)
        .filter(began__isnull=False)
        .order_by("ars")
        .values_list("ars", "name", "level_top", "level_bottom", "began", "ended", "lasting")
    )
    return [RegionSpan(*row[:5], None if row[6] else row[5]) for row in rows]


# Follows the reforms from each key until a region that exists in the month. A Kreis that lost a part is its
# own successor; the path keeps such a step, and any ring of key changes, from going round for ever.
SUCCESSORS = """
    WITH RECURSIVE trail (origin, ars, exact, path) AS (
        SELECT key, key COLLATE "C", true, ARRAY[key COLLATE "C"] FROM unnest(%(keys)s::text[]) AS key
        UNION ALL
        SELECT trail.origin, change.new, trail.exact AND change.share = 1, trail.path || change.new::text
        FROM trail JOIN ozgsync_regionchange AS change ON change.old = trail.ars
        WHERE change.statistically <= %(month)s AND NOT change.new = ANY (trail.path)
    )
    SELECT trail.origin, region.ars, region.name, bool_and(trail.exact)
    FROM trail JOIN ozgsync_region AS region ON region.ars = trail.ars
    WHERE trail.ars <> trail.origin AND EXISTS (
        SELECT FROM ozgsync_regionversion AS version WHERE version.ars = trail.ars
        AND version.valid_from <= %(month)s AND (version.valid_to IS NULL OR version.valid_to > %(month)s)
    )
    GROUP BY trail.origin, region.ars, region.name ORDER BY trail.origin, region.ars"""


def successors(keys: Collection[str], month: dt.date) -> dict[str, list[Successor]]:
    """Per key the regions that it has become by the month; keys without any are left out."""
    found: dict[str, list[Successor]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(SUCCESSORS, {"keys": list(keys), "month": month})
        for origin, *successor in cursor.fetchall():
            found[origin].append(Successor(*successor))
    return dict(found)
