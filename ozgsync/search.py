"""Search over Leistungen and regions, one function each for forms, the search of every page and the API.

Forgiving in case, umlauts and blanks: `Muenchen` finds München. Both sides are folded,
the rows in SQL, the text in Python; a row must hold every word.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import (
    Case,
    CharField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Length
from django.utils import timezone

from ozgsync.models import GERMANY, Leistung, Level, OzgOnlineService, Region, RegionVersion, in_catalogue

FOLDED_LETTERS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
# Digits with what people put between them; no-break spaces come from PDF files.
KEY = re.compile(r"[\d\s.\u00a0\u202f-]*\d[\d\s.\u00a0\u202f-]*", re.ASCII)
LONGEST_TEXT = 100
MOST_WORDS = 8
AGS_DIGITS = 8
# Spreadsheets drop the leading zero of a Kreis, an AGS and an ARS.
WITHOUT_ZERO = {4, 7, 11}


class Folded(Func):
    """SQL's side of `fold`."""

    template = (
        "replace(replace(replace(replace("
        "lower(%(expressions)s), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss')"
    )
    output_field = CharField()


def fold(text: str) -> str:
    """Lower case, umlauts written out: `Köln-Süd` → `koeln-sued`."""
    plain = unicodedata.normalize("NFC", text).lower()
    return "".join(FOLDED_LETTERS.get(letter, letter) for letter in plain)


def digits_of(text: str) -> str:
    """The digits of a key written with or without blanks; empty when the text is something else."""
    return re.sub(r"\D", "", text) if KEY.fullmatch(text.strip()) else ""


def _words(text: str) -> list[str]:
    """What every hit must hold; a NUL, which PostgreSQL cannot read, parts words."""
    return fold(text.replace("\0", " ")[:LONGEST_TEXT]).split()[:MOST_WORDS]


def find_leistungen(text: str, *, limit: int = 20) -> list[Leistung]:
    """Leistungen by key, beginning of a key, name, name of an online service, OZG-Leistung or OZG-ID.

    The nearest first, what is not valid today last; with their OZG-Leistung and Themenfeld. One query.
    """
    words = _words(text)
    if not words:
        return []
    not_now = Case(
        When(in_catalogue(timezone.localdate()), then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    found = Leistung.objects.select_related("ozg_leistung__themenfeld").annotate(not_now=not_now)
    if digits := digits_of(text):
        by_key = found.filter(Q(schluessel__startswith=digits) | _ozg_id(text))
        return list(by_key.order_by("not_now", "schluessel")[:limit])
    found = found.annotate(folded=Folded("name"), folded_bundle=Folded("ozg_leistung__name"))
    for word in words:
        found = found.filter(_holds(word))
    ranked = found.annotate(rank=_rank("folded", words)).order_by(
        "not_now", "rank", Length("name"), "name", "pk"
    )
    return list(ranked[:limit])


def _ozg_id(text: str) -> Q:
    return Q(ozg_leistung__ozg_id__istartswith=text.strip())


def _holds(word: str) -> Q:
    known_as = OzgOnlineService.objects.filter(leistung=OuterRef("pk"), valid_to=None)
    named = known_as.annotate(folded=Folded("name")).filter(folded__contains=word)
    by_name = Q(folded__contains=word) | Q(folded_bundle__contains=word) | Q(Exists(named))
    return by_name | Q(schluessel__startswith=word) | _ozg_id(word)


def _rank(column: str, words: list[str]) -> Case:
    """0 the very name; then names that begin so, have a word that does, hold the text, hold the words."""
    text = " ".join(words)
    return Case(
        When(**{column: text}, then=Value(0)),
        When(**{f"{column}__startswith": text}, then=Value(1)),
        When(**{f"{column}__contains": f" {text}"}, then=Value(2)),
        When(**{f"{column}__contains": text}, then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )


@dataclass(frozen=True, slots=True)
class FoundRegion:
    """A region as it is on a day; `within` names Kreis and Land, since many places share a name."""

    ars: str
    name: str
    kind: str
    within: str = ""


def find_regions(
    text: str, *, on: dt.date | None = None, of: QuerySet[Region] | None = None, limit: int = 20
) -> list[FoundRegion]:
    """Regions of a day (today) by ARS, AGS, beginning of either, or name; the nearest first.

    `of` are those that come into question. Two queries.
    """
    words = _words(text)
    if not words:
        return []
    found = _versions(on) if of is None else _versions(on).filter(region__in=of)
    if digits := digits_of(text):
        return _described(found.filter(_key(digits)).order_by("region")[:limit], on)
    found = found.annotate(folded=Folded("name"))
    for word in words:
        found = found.filter(folded__contains=word)
    order = ("rank", "region__level_top", F("inhabitants").desc(nulls_last=True), "region")
    return _described(found.annotate(rank=_rank("folded", words)).order_by(*order)[:limit], on)


def regions_named(keys: Iterable[str], *, on: dt.date | None = None) -> list[FoundRegion]:
    """Those of a day with these keys, in the order of the keys' digits. Two queries."""
    return _described(_versions(on).filter(region__in=list(keys)).order_by("region"), on)


def _versions(on: dt.date | None) -> QuerySet[RegionVersion]:
    day = on or timezone.localdate()
    valid = RegionVersion.objects.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)
    return valid.select_related("region")


def _key(digits: str) -> Q:
    """An ARS, its beginning, or one without its leading zero; an AGS leaves out the Verband's four digits."""
    key = Q(region__ars__startswith=digits)
    if len(digits) in WITHOUT_ZERO:
        key |= _key(f"0{digits}")
    if len(digits) == AGS_DIGITS:
        key |= Q(region__ars__startswith=digits[:5], region__ars__endswith=digits[5:])
    return key


def _described(versions: Iterable[RegionVersion], on: dt.date | None) -> list[FoundRegion]:
    chosen = list(versions)
    above = {key for version in chosen for key in _above(version.region)}
    names = dict(_versions(on).filter(region__in=above).values_list("region", "name")) if above else {}
    return [
        FoundRegion(
            version.region_id,
            version.name,
            version.kind,
            ", ".join(names[key] for key in _above(version.region) if key in names),
        )
        for version in chosen
    ]


def _above(region: Region) -> list[str]:
    """Keys of the Kreis and the Land that a region lies in, from near to far."""
    keys = []
    if region.level_top > Level.KREIS:
        keys.append(f"{region.ars[:5]}0000000")
    if region.level_top > Level.LAND:
        keys.append(f"{region.ars[:2]}0000000000")
    return [key for key in keys if key not in {region.ars, GERMANY}]
