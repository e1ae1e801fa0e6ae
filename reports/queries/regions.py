"""Names, places and inhabitants of regions as they were in a month."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from ozgsync.models import GERMANY, Level, Region, RegionVersion, ars_prefix

LAND_CODES = {
    "01": "SH", "02": "HH", "03": "NI", "04": "HB", "05": "NW", "06": "HE", "07": "RP", "08": "BW",
    "09": "BY", "10": "SL", "11": "BE", "12": "BB", "13": "MV", "14": "SN", "15": "ST", "16": "TH",
}  # fmt: skip

_NEUTER_OR_MASCULINE = {
    "Kreis", "Landkreis", "Regierungsbezirk", "Amt", "Regionalverband", "Gemeindeverwaltungsverband",
    "Verwaltungsverband", "Gemeindeverband",
}  # fmt: skip
_FEMININE = {
    "Samtgemeinde",
    "Verbandsgemeinde",
    "Verwaltungsgemeinschaft",
    "Region",
    "Städteregion",
    "StädteRegion",
}
_SAYS_KREIS = re.compile(r"kreis\b", re.IGNORECASE)
_NAMED_KINDS = (_NEUTER_OR_MASCULINE | _FEMININE) - {"Region", "Städteregion", "StädteRegion"}


@dataclass(frozen=True, slots=True)
class Area:
    """A region as it was in a month; `code` only for the Länder (ISO 3166-2 without the `DE-`)."""

    ars: str
    name: str
    inhabitants: int | None
    kind: str = ""

    @property
    def code(self) -> str:
        return LAND_CODES.get(self.ars[:2], "")

    @property
    def title(self) -> str:
        """The name as it is said: a Landkreis with its kind, for München is a city and a Landkreis."""
        # "Main-Kinzig-Kreis", "Region Hannover" and "Regionalverband Saarbrücken" bring their kind along.
        brings_kind = _SAYS_KREIS.search(self.name) or self.name.split(" ", 1)[0] in _NAMED_KINDS | _FEMININE
        return self.name if brings_kind or self.kind not in _NAMED_KINDS else f"{self.kind} {self.name}"

    @property
    def place(self) -> str:
        """`in Hessen`, `im Saarland`, `im Landkreis Gifhorn`, `in der Samtgemeinde Brome`."""
        first = self.title.split(" ", 1)[0]
        if self.title == "Saarland" or first in _NEUTER_OR_MASCULINE or _SAYS_KREIS.search(self.title):
            return _("im %(region)s") % {"region": self.title}
        if first in _FEMININE:
            return _("in der %(region)s") % {"region": self.title}
        return _("in %(region)s") % {"region": self.title}


@dataclass(frozen=True, slots=True)
class AreaValue:
    """What was reported for an area in a month and in the same month a year before."""

    area: Area
    value: int | None
    before: int | None = None
    corrected: bool = False  # after the month was closed

    @property
    def per_100k(self) -> float | None:
        if self.value is None or not self.area.inhabitants:
            return None
        return self.value * 100_000 / self.area.inhabitants


@dataclass(frozen=True, slots=True)
class Divided:
    """What was reported for a region that a reform divided since, and where all of it lies today."""

    area: Area
    onto: Area
    value: int


def divided_areas(
    found: Sequence[tuple[dt.date, str, str, int]], parts: Collection[str], digits: int
) -> tuple[Divided, ...]:
    """Of month, key, region of today and value those that lie in none of the parts, by leading digits."""
    beyond = [row for row in found if row[2][:digits] not in parts]
    if not beyond:
        return ()
    names = newest({key for _month, ars, now, _value in beyond for key in (ars, now)})
    return tuple(Divided(names[ars], names[now], value) for _month, ars, now, value in beyond)


def newest(keys: Collection[str]) -> dict[str, Area]:
    """Every key with the name of its newest version, or with none that is known."""
    versions = RegionVersion.objects.filter(region__in=keys).order_by("region_id", "-valid_from")
    rows = versions.distinct("region_id").values_list("region_id", "name", "inhabitants", "kind")
    return {key: Area(key, key, None) for key in keys} | {row[0]: Area(*row) for row in rows}


def rest(total: int | None, rows: Iterable[AreaValue], divided: Iterable[Divided] = ()) -> int | None:
    """What of a total is in none of the rows and was not divided by a reform."""
    if total is None:
        return None
    return total - sum(row.value or 0 for row in rows) - sum(row.value for row in divided)


def areas(*, level: Level, month: dt.date, within: str = "") -> list[Area]:
    """Regions of the level that existed in the month, below the given leading digits."""
    versions = RegionVersion.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=month),
        valid_from__lte=month,
        region__ars__startswith=within,
        region__level_top__lte=level,
        region__level_bottom__gte=level,
    ).order_by("region")
    return [
        Area(ars, name, inhabitants, kind)
        for ars, name, inhabitants, kind in versions.values_list("region", "name", "inhabitants", "kind")
    ]


def germany() -> Area | None:
    """Germany with its inhabitants; None before any region is loaded."""
    version = RegionVersion.objects.filter(region=GERMANY).order_by("-valid_from").first()
    return Area(GERMANY, version.name, version.inhabitants, version.kind) if version else None


def level_of(region: Region) -> Level:
    """The level a region is named by: its highest, so that Berlin is a Land and München a Kreis."""
    return Level(region.level_top)


@dataclass(frozen=True, slots=True)
class Place:
    """A region with what lies above and directly below it; `prefix` are the digits all its parts share."""

    area: Area
    level: Level
    prefix: str
    valid_from: dt.date
    valid_to: dt.date | None
    above: tuple[Area, ...]
    below_level: Level | None
    below: tuple[Area, ...]

    @property
    def has_totals(self) -> bool:
        """Totals across services are kept down to the Kreise."""
        return self.level <= Level.KREIS


NEXT_LEVEL = {
    Level.BUND: Level.LAND,
    Level.LAND: Level.KREIS,
    Level.REGBEZ: Level.KREIS,
    Level.KREIS: Level.GEMEINDE,
    Level.VERBAND: Level.GEMEINDE,
}


def next_level(region: Region) -> Level | None:
    """The level that a breakdown of the region shows; None where the region is its own lowest part."""
    following = NEXT_LEVEL.get(level_of(region))
    return None if following is None or region.level_bottom >= following else following


def place(*, ars: str, month: dt.date) -> Place | None:
    """The region as it was in the month, else in its newest version; None for an unknown key."""
    versions = list(RegionVersion.objects.filter(region=ars).select_related("region").order_by("-valid_from"))
    if not versions:
        return None
    valid = [v for v in versions if v.valid_from <= month and (v.valid_to is None or v.valid_to > month)]
    version = (valid or versions)[0]
    region = version.region
    below_level = next_level(region)
    return Place(
        area=Area(ars, version.name, version.inhabitants, version.kind),
        level=level_of(region),
        prefix=region.prefix,
        valid_from=version.valid_from,
        valid_to=version.valid_to,
        above=_above(region, month),
        below_level=below_level,
        below=tuple(areas(level=below_level, month=month, within=region.prefix)) if below_level else (),
    )


def _above(region: Region, month: dt.date) -> tuple[Area, ...]:
    """From Germany down to the region's direct parent, by the digits of its key."""
    keys = {ars_prefix(region.ars, level).ljust(12, "0") for level in Level if level < region.level_top}
    rows = RegionVersion.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=month),
        region__in=keys - {region.ars},
        valid_from__lte=month,
    ).order_by("region__level_top")
    return tuple(Area(*row) for row in rows.values_list("region", "name", "inhabitants", "kind"))
