"""Choosing Leistungen and regions in a form: by search, or from a tree. Works by sending the form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ozgsync.models import GERMANY, Invitation, Leistung, Level, RegionVersion
from ozgsync.search import FoundRegion, find_leistungen, find_regions, regions_named

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose; `marks` are words that stand beside it."""

    value: str
    label: str
    detail: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picker:
    """What the template shows: what is chosen, the search, and what it found that is not chosen yet."""

    name: str
    single: bool
    text: str
    chosen: Sequence[Option]
    found: Sequence[Option]
    more: bool = False
    tree: Sequence[Branch] = field(default_factory=list)

    @property
    def searched(self) -> bool:
        return bool(self.text.strip())

    @property
    def preselected(self) -> str:
        """The only hit, where one is wanted and none is chosen."""
        only = len(self.found) == 1 and not self.more
        return self.found[0].value if self.single and only and not self.chosen else ""


@dataclass(frozen=True, slots=True)
class Branch:
    """A Land and its Kreise; none where the Land is one itself."""

    land: Option
    kreise: Sequence[Option]


def asks_for_search(sent: Mapping[str, Any]) -> bool:
    """Whether the form was sent to search: by its button, or by Enter with a text not searched for yet."""
    if "suchen" in sent:
        return True
    texts = {
        name.removeprefix("suche_"): str(sent[name]).strip() for name in sent if name.startswith("suche_")
    }
    return any(text and text != sent.get(f"gesucht_{name}", "") for name, text in texts.items())


def leistung_picker(name: str, *, text: str, chosen: Iterable[str], single: bool) -> Picker:
    keys = [key for key in chosen if key]
    held = Leistung.objects.filter(pk__in=keys).select_related("ozg_leistung__themenfeld")
    hits = find_leistungen(text, limit=SHOWN + 1)
    found = [_leistung_option(leistung) for leistung in hits if leistung.pk not in keys]
    options = [_leistung_option(leistung) for leistung in held]
    return Picker(name, single, text, options, found[:SHOWN], more=len(hits) > SHOWN)


def _leistung_option(leistung: Leistung) -> Option:
    return Option(leistung.schluessel, leistung.name, leistung_detail(leistung), leistung_marks(leistung))


def leistung_detail(leistung: Leistung) -> str:
    """`99 102 013 104 000 · Typ 5 · Steuern & Zoll`: the key in its parts, as the catalogue writes it."""
    types = _("Typ %(types)s") % {"types": ", ".join(leistung.types)} if leistung.types else ""
    bundle = leistung.ozg_leistung
    return " · ".join(
        filter(None, [spaced(leistung.schluessel), types, bundle.themenfeld.name if bundle else ""])
    )


def spaced(key: str) -> str:
    return " ".join([key[:2], *(key[start : start + 3] for start in range(2, len(key), 3))])


def leistung_marks(leistung: Leistung) -> tuple[str, ...]:
    invited = leistung.invitation
    marks = [str(invited.label)] if invited is not Invitation.NEITHER else []
    return (*marks, *([_("Fokusleistung")] if leistung.focus else []))


def region_picker(name: str, *, text: str, chosen: Iterable[str], tree: bool = True) -> Picker:
    keys = [key for key in chosen if key]
    hits = find_regions(text, limit=SHOWN + 1)
    found = [region_option(region) for region in hits if region.ars not in keys]
    return Picker(
        name,
        single=False,
        text=text,
        chosen=[region_option(region) for region in regions_named(keys)] if keys else [],
        found=found[:SHOWN],
        more=len(hits) > SHOWN,
        tree=region_tree() if tree else [],
    )


def region_option(region: FoundRegion) -> Option:
    if region.ars == GERMANY:
        return Option(GERMANY, _("ganz Deutschland"))
    within = _("in %(within)s") % {"within": region.within} if region.within else ""
    return Option(region.ars, region.name, " · ".join(filter(None, [region.kind, within, region.ars])))


def region_tree(on: dt.date | None = None) -> list[Branch]:
    """The Länder of a day with their Kreise, by name. One query."""
    day = on or timezone.localdate()
    valid = RegionVersion.objects.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)
    rows = valid.filter(region__level_top__in=[Level.LAND, Level.KREIS]).order_by("name", "region")
    kreise: dict[str, list[Option]] = {}
    for version in rows.filter(region__level_top=Level.KREIS):
        kreise.setdefault(version.region_id[:2], []).append(_branch_option(version))
    laender = rows.filter(region__level_top=Level.LAND)
    return [Branch(_branch_option(version), kreise.get(version.region_id[:2], [])) for version in laender]


def _branch_option(version: RegionVersion) -> Option:
    return Option(version.region_id, version.name, version.kind)
