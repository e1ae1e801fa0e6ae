"""Reading about people: authorities by name, regions to choose from, and what waits for operations."""

import datetime as dt
import re
from collections import Counter
from difflib import SequenceMatcher

from django.db.models import Count, Q, QuerySet

from accounts.models import AccessRequest, Authority, Invitation
from ozgsync import search
from ozgsync.models import Level, Region
from ozgsync.search import FoundRegion, fold

WORD = re.compile(r"\w{4,}")
# In so many names that they say nothing about which authority is meant.
COMMON_WORDS = frozenset(
    {"stadt", "land", "kreis", "landkreis", "gemeinde", "behörde", "freie", "freistaat", "verwaltung"}
)
MOST_CANDIDATES = 200
LEVELS = {
    Authority.Level.BUND: Q(level_top=Level.BUND),
    Authority.Level.LAND: Q(level_top=Level.LAND),
    Authority.Level.KOMMUNE: Q(level_bottom__gte=Level.KREIS),
}


def authority_named(text: str) -> Authority | None:
    """The authority of exactly this name; upper and lower case do not matter."""
    return Authority.objects.filter(name__iexact=text).first()


def similar_authorities(text: str, *, limit: int = 6) -> list[Authority]:
    """Authorities that share a telling word with the text, the most alike first."""
    words = {word for word in WORD.findall(text.casefold()) if word not in COMMON_WORDS}
    if not words:
        return []
    shared = Q(name__icontains=text)
    for word in words:
        # Without its ending: „Kölner Stadtverwaltung“ and „Stadt Köln“ are to meet.
        shared |= Q(name__icontains=word if len(word) < 6 else word[:-2])
    found = list(Authority.objects.filter(shared)[:MOST_CANDIDATES])
    return sorted(found, key=lambda authority: -_likeness(authority.name, text))[:limit]


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def authority_names(*, limit: int = 1000) -> list[str]:
    """What the browser proposes while somebody types."""
    return list(Authority.objects.values_list("name", flat=True)[:limit])


def find_regions(text: str, *, level: str = "", limit: int = 12) -> list[FoundRegion]:
    """Regions of today that an authority of this level may be there for.

    Only those of exactly this name, where there are any.
    """
    of = Region.objects.filter(LEVELS[Authority.Level(level)]) if level in LEVELS else None
    found = search.find_regions(text, of=of, limit=limit)
    return [region for region in found if fold(region.name) == fold(text.strip())] or found


def region_label(region: FoundRegion) -> str:
    """`Kappeln (010590045045), Schleswig-Flensburg, Schleswig-Holstein`: many places share a name."""
    return ", ".join(filter(None, [f"{region.name} ({region.ars})", region.within]))


# --- What waits for operations -----------------------------------------------------------------------


def requests_by_status() -> Counter[str]:
    rows = AccessRequest.objects.order_by().values_list("status").annotate(Count("pk"))
    return Counter(dict(rows))


def requests_for_operations(*, status: str) -> QuerySet[AccessRequest]:
    """Those of one status, the oldest first; decided ones the newest first."""
    decided = status in {AccessRequest.Status.APPROVED, AccessRequest.Status.DECLINED}
    order = ("-decided_at", "pk") if decided else ("created_at", "pk")
    found = AccessRequest.objects.filter(status=status).order_by(*order)
    return found.select_related("authority", "decided_by", "invitation")


def open_invitations(*, now: dt.datetime | None = None) -> QuerySet[Invitation]:
    """Neither accepted nor withdrawn; those that have run out are among them for as long as they are kept."""
    return Invitation.objects.filter(accepted_at=None, withdrawn_at=None).select_related(
        "authority", "invited_by"
    )


def waiting_longest(*, status: str) -> dt.datetime | None:
    """Since when the oldest request of this status waits."""
    first = AccessRequest.objects.filter(status=status).order_by("created_at").first()
    return first.created_at if first else None
