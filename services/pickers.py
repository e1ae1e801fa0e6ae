"""Choosing Leistungen and regions in a form: by search, or from a tree. Works by sending the form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ozgsync.models import GERMANY, Invitation, Leistung, Level, RegionVersion
from ozgsync.search import FoundRegion, find_leistungen, find_regions, regions_named
from services.superseded import Superseded, superseded

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose; `marks` are words that stand beside it; `ended`: not to be chosen any more."""

    value: str
    label: str
    detail: str = ""
    marks: tuple[str, ...] = ()
    ended: bool = False


@dataclass(frozen=True)
class Picker:
    """What the template shows: what is chosen, the search, and what it found that is not chosen yet.

    `successors` may take the place of what is chosen and has ended; `notes` tell of hits that have ended.
    """

    name: str
    single: bool
    text: str
    chosen: Sequence[Option]
    found: Sequence[Option]
    more: bool = False
    tree: Sequence[Branch] = field(default_factory=list)
    successors: Sequence[Option] = ()
    notes: Sequence[str] = ()

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
    ended = superseded([*held, *hits])
    instead = _successors([key for key in keys if key in ended], ended, keys)
    found = {hit.pk: _leistung_option(hit) for hit in hits if hit.pk not in ended and hit.pk not in keys}
    led_to = _successors([hit.pk for hit in hits], ended, keys)
    return Picker(
        name,
        single,
        text,
        chosen=[_leistung_option(leistung, ended=leistung.pk in ended) for leistung in held],
        found=[*{**found, **led_to}.values()][:SHOWN],
        more=len(hits) > SHOWN,
        successors=[*instead.values()],
        notes=[ended[hit.pk].message for hit in hits if hit.pk in ended and not ended[hit.pk].successors],
    )


def _successors(
    keys: Iterable[str], ended: Mapping[str, Superseded], chosen: Sequence[str]
) -> dict[str, Option]:
    """What may be chosen instead of those of the keys that have ended, by key."""
    found = {}
    for old in keys:
        for leistung in ended[old].successors if old in ended else ():
            mark = _("Nachfolger von %(key)s") % {"key": spaced(old)}
            option = _leistung_option(leistung)
            found[leistung.pk] = replace(option, marks=(mark, *option.marks))
    return {key: option for key, option in found.items() if key not in chosen}


def _leistung_option(leistung: Leistung, *, ended: bool = False) -> Option:
    marks = leistung_marks(leistung)
    return Option(leistung.schluessel, leistung.name, leistung_detail(leistung), marks, ended)


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
