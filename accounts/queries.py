"""Reading about people: authorities by name, regions to choose from, and what waits for operations."""

import datetime as dt
import re
from collections import Counter
from difflib import SequenceMatcher

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from accounts.models import AccessRequest, Authority, Invitation
from ozgsync.models import Level, Region, RegionVersion

ARS = re.compile(r"\d{12}")
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


def find_regions(text: str, *, level: str = "", limit: int = 12) -> list[Region]:
    """Regions of today by key or name; only those of exactly this name, where there are any."""
    today = Region.objects.valid_in(timezone.localdate())
    if level in LEVELS:
        today = today.filter(LEVELS[Authority.Level(level)])
    text = text.strip()
    key = text.replace(" ", "")
    if ARS.fullmatch(key):
        return list(today.filter(ars=key))
    if not text:
        return []
    exact = list(today.filter(name__iexact=text)[:limit])
    return exact or list(today.filter(name__icontains=text).order_by("name")[:limit])


def region_labels(regions: list[Region]) -> dict[str, str]:
    """`010590045045` → `Kappeln (010590045045), Schleswig-Flensburg`: many places share a name."""
    versions = RegionVersion.objects.filter(region__in=regions, valid_to=None).select_related("parent")
    parents = {version.region_id: version.parent for version in versions}
    return {
        region.ars: f"{region}, {parent.name}" if (parent := parents.get(region.ars)) else str(region)
        for region in regions
    }


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
