"""Search over Leistungen and regions, one function each for forms, the search of every page and the API.

Forgiving in case, umlauts, blanks and typing errors: `Muenchen` finds München, `Dithmarshen` Dithmarschen.
Both sides are folded, the rows by the database, the text in Python. A row must hold every word; where none
does, words that no name holds are taken for the nearest that one does.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.fields.array import ArrayContains  # type: ignore[attr-defined]  # missing in the stubs
from django.core.cache import cache
from django.db import connection
from django.db.models import Case, F, Func, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Length
from django.utils import timezone
from rapidfuzz import process
from rapidfuzz.distance import OSA

from ozgsync.models import (
    GERMANY,
    Leistung,
    Level,
    OzgLeistung,
    OzgOnlineService,
    ReferenceVersion,
    Region,
    RegionVersion,
    in_catalogue,
)

FOLDED_LETTERS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
# Digits with what people put between them; no-break spaces come from PDF files.
KEY = re.compile(r"[\d\s.\u00a0\u202f-]*\d[\d\s.\u00a0\u202f-]*", re.ASCII)
LONGEST_TEXT = 100
MOST_WORDS = 8
AGS_DIGITS = 8
POSTCODE_DIGITS = 5
# What counts as a typing error: words of four letters or more, three quarters of which are right.
SHORTEST_MISTYPED = 4
NEAR = 0.74
MOST_NEAR = 3
LEISTUNG_NAMES = ("ozgsync_leistung", "ozgsync_ozgonlineservice", "ozgsync_ozgleistung")
REGION_NAMES = ("ozgsync_regionversion",)
# Spreadsheets drop the leading zero of a Kreis, an AGS and an ARS.
WITHOUT_ZERO = {4, 7, 11}


def fold(text: str) -> str:
    """Lower case, umlauts written out: `Köln-Süd` → `koeln-sued`."""
    plain = unicodedata.normalize("NFC", text).lower()
    return "".join(FOLDED_LETTERS.get(letter, letter) for letter in plain)


def digits_of(text: str) -> str:
    """The digits of a key written with or without blanks; empty when the text is something else."""
    return re.sub(r"\D", "", text) if KEY.fullmatch(text.strip()) else ""


def words_of(text: str) -> list[str]:
    """What every hit must hold; a NUL, which PostgreSQL cannot read, parts words."""
    return fold(text.replace("\0", " ")[:LONGEST_TEXT]).split()[:MOST_WORDS]


def _contains(word: str, column: str = "folded") -> Q:
    """Names that hold a text; from three characters on the index knows them."""
    found = Q(**{f"{column}__contains": word})
    trigrams = sorted({word[start : start + 3] for start in range(len(word) - 2)})
    if not trigrams:
        return found
    function = Func(F(column), function="zsk_trigrams", output_field=ArrayField(TextField()))
    return Q(ArrayContains(function, Value(trigrams, output_field=ArrayField(TextField())))) & found


def find_leistungen(text: str, *, limit: int = 20) -> list[Leistung]:
    """Leistungen by key, beginning of a key, name, citizens' name, name of an online service,
    OZG-Leistung or OZG-ID.

    The nearest first, what is not valid today last; with their OZG-Leistung and Themenfeld. One query; two or
    three more where nothing has the text as it was typed.
    """
    words = words_of(text)
    if not words:
        return []
    not_now = Case(
        When(in_catalogue(timezone.localdate()), then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    found = Leistung.objects.select_related("ozg_leistung__themenfeld").annotate(not_now=not_now)
    if digits := digits_of(text):
        by_key = found.filter(Q(schluessel__startswith=digits) | _ozg_id(text))
        return list(by_key.order_by("not_now", "schluessel")[:limit])

    def ranked(words: list[list[str]]) -> list[Leistung]:
        rows = found
        for meant in words:
            rows = rows.filter(_any(_holds(word) for word in meant))
        rows = rows.annotate(rank=_rank(words))
        return list(rows.order_by("not_now", "rank", Length("name"), "name", "pk")[:limit])

    return ranked([[word] for word in words]) or ranked(_meant(words, LEISTUNG_NAMES))


def _ozg_id(text: str) -> Q:
    return Q(ozg_leistung__ozg_id__istartswith=text.strip())


def _holds(word: str) -> Q:
    named = OzgOnlineService.objects.filter(_contains(word), valid_to=None).values("leistung")
    bundles = OzgLeistung.objects.filter(folded__contains=word).values("pk")
    own = Leistung.objects.filter(_contains(word)).values("pk")
    also = Leistung.objects.filter(_contains(word, "folded_also")).values("pk")
    by_name = Q(pk__in=own) | Q(pk__in=also) | Q(pk__in=named) | Q(ozg_leistung__in=bundles)
    return by_name | Q(schluessel__startswith=word) | _ozg_id(word)


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions)


def _meant(words: list[str], tables: tuple[str, ...]) -> list[list[str]]:
    return nearest(words, _vocabulary(tables))


def nearest(words: Sequence[str], known: Collection[str]) -> list[list[str]]:
    """For each word what may have been meant by it: itself where a known one holds it, else the nearest."""
    found = []
    for word in words:
        near = []
        if len(word) >= SHORTEST_MISTYPED and not any(word in one for one in known):
            near = process.extract(
                word, known, scorer=OSA.normalized_similarity, score_cutoff=NEAR, limit=MOST_NEAR
            )
        found.append([one for one, *_rest in near] or [word])
    return found


def _vocabulary(tables: tuple[str, ...]) -> list[str]:
    """Every word of the tables' names, as of this version of the reference data."""
    version = ReferenceVersion.objects.values_list("version", flat=True).first()
    key = f"words:{version}:{','.join(tables)}"
    words: list[str] | None = cache.get(key)
    if words is None:
        names = " UNION ALL ".join(f"SELECT folded FROM {table}" for table in tables)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT word"
                f" FROM ({names}) n, regexp_split_to_table(folded, '[^[:alnum:]]+') AS word"
                f" WHERE length(word) >= {SHORTEST_MISTYPED} ORDER BY word"
            )
            words = [word for (word,) in cursor.fetchall()]
        cache.set(key, words, timeout=3600)
    return words


def _rank(words: list[list[str]]) -> Case:
    """0 the very name; then names that begin so, have a word that does, hold the text, hold the words."""
    text, column = " ".join(meant[0] for meant in words), "folded"
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
    """Regions of a day (today) by ARS, AGS, beginning of either, postcode or name; the nearest first.

    `of` are those that come into question. Two queries; two or three more where nothing has the
    text as it was typed.
    """
    words = words_of(text)
    if not words:
        return []
    found = _versions(on) if of is None else _versions(on).filter(region__in=of)
    if digits := digits_of(text):
        return _described(found.filter(_key(digits)).order_by("region")[:limit], on)

    def ranked(words: list[list[str]]) -> list[RegionVersion]:
        rows = found
        for meant in words:
            rows = rows.filter(_any(_contains(word) for word in meant))
        order = ("rank", "region__level_top", F("inhabitants").desc(nulls_last=True), "region")
        return list(rows.annotate(rank=_rank(words)).order_by(*order)[:limit])

    hits = ranked([[word] for word in words]) or ranked(_meant(words, REGION_NAMES))
    return _described(hits, on)


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
    if len(digits) == POSTCODE_DIGITS:
        key |= Q(region__postcode=digits)
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
