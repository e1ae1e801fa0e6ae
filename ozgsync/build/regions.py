"""Regions and their history since 2016, from the list of Gemeinden, the Kreise and the BKG's areas of 2016.

Everything between reading and writing is pure. A date is ISO text, `valid_to` is exclusive and empty while
the version lasts.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ozgsync.build.areas import read_areas
from ozgsync.naming import ars_of, gemeinde_name, pad, parent_of, regbez_name, split_name, verband_name

BUND, LAND, REGBEZ, KREIS, VERBAND, GEMEINDE = range(6)

GERMANY = "0" * 12
# Nothing older is known to us: "at least since".
EARLIEST = "2016-01-01"
# Lines of source, licence and Gebietsstand above the header of the list of Gemeinden.
HEAD_LINES = 7

GOETTINGEN, EISENACH_JOINS, HANAU_LEAVES = "2016-11-01", "2021-07-01", "2026-01-01"
MAIN_KINZIG, HANAU_BEFORE, HANAU = "064350000000", "064350014014", "064150000000"
WARTBURGKREIS, EISENACH_BEFORE, EISENACH = "160630000000", "160560000000", "160630105105"

# Keys beginning so did not exist before this day.
BORN = {"03159": GOETTINGEN, EISENACH: EISENACH_JOINS}
ENDED_KREISE = {"031520000000": GOETTINGEN, "031560000000": GOETTINGEN, EISENACH_BEFORE: EISENACH_JOINS}


class Version(NamedTuple):
    """One row of `region_versions.csv`."""

    ars: str
    valid_from: str
    valid_to: str
    legally_from: str
    name: str
    kind: str
    parent: str
    inhabitants: int | None
    level_top: int
    level_bottom: int


class Change(NamedTuple):
    """One row of `region_changes.csv`; `share` is the part of `old` that went to `new`, empty if unknown."""

    change_id: str
    kind: str
    old: str
    new: str
    effective: str
    statistically: str
    share: str


CHANGES = (
    Change("zsk-2016-goettingen", "zusammenschluss", "031520000000", "031590000000", *2 * (GOETTINGEN,), "1"),
    Change("zsk-2016-goettingen", "zusammenschluss", "031560000000", "031590000000", *2 * (GOETTINGEN,), "1"),
    # To the Gemeinde, not to the Kreis: it is exact, and its sums reach the Wartburgkreis all the same.
    Change("zsk-2021-eisenach", "eingliederung", EISENACH_BEFORE, EISENACH, *2 * (EISENACH_JOINS,), "1"),
    Change("zsk-2026-hanau", "schluesselaenderung", HANAU_BEFORE, HANAU, *2 * (HANAU_LEAVES,), "1"),
    Change("zsk-2026-hanau", "teilung", MAIN_KINZIG, HANAU, *2 * (HANAU_LEAVES,), ""),
    Change("zsk-2026-hanau", "teilung", MAIN_KINZIG, MAIN_KINZIG, *2 * (HANAU_LEAVES,), ""),
)


class Kreis(NamedTuple):
    kind: str
    inhabitants: int


class Kinds(NamedTuple):
    """Kinds as of 2016: of Länder and Verbände by ARS, of Gemeinden by AGS, which survives a new Verband."""

    laender: Mapping[str, str]
    verbaende: Mapping[str, str]
    gemeinden: Mapping[str, str]


# --- regions of the list --------------------------------------------------------------------------------

Row = Mapping[str, str]
# ars, name, kind, level
Entry = tuple[str, str, str, int]


def parts(row: Row) -> tuple[str, str, str, str, str]:
    land, regbez, kreis = row["RGS_Land"], row["RGS_RegBez"], row["RGS_Kreis"]
    return land, regbez, kreis, row["RGS_GemVerband"], row["RGS_Gemeinde"]


def entries_of(row: Row, kinds: Kinds, kreise: Mapping[str, Kreis]) -> Iterator[Entry]:
    """The Gemeinde of a row and everything above it, from the top."""
    ars = ars_of(*parts(row))
    land, kreis, verband = pad(ars[:2]), pad(ars[:5]), pad(ars[:9])
    yield land, row["Landname"], kinds.laender[land], LAND
    if row["RegBez-Name"]:
        yield pad(ars[:3]), *regbez_name(row["RegBez-Name"]), REGBEZ
    yield kreis, split_name(row["Kreisname"])[0], kreise[ars[:5]].kind, KREIS
    if row["GemVerband-Name"]:
        yield verband, *verband_name(verband, row["GemVerband-Name"], kinds.verbaende), VERBAND
    elif ars != kreis:
        yield ars, *gemeinde_name(ars, row["Gemeindename"], kinds.gemeinden), VERBAND
    yield ars, *gemeinde_name(ars, row["Gemeindename"], kinds.gemeinden), GEMEINDE


def first_day(ars: str) -> str:
    return next((day for prefix, day in BORN.items() if ars.startswith(prefix)), EARLIEST)


def open_version(ars: str, name: str, kind: str, level: int, since: str = EARLIEST) -> Version:
    """A version without end, parent and inhabitants; the legal date is known only for reforms."""
    legally = "" if since == EARLIEST else since
    return Version(ars, since, "", legally, name, kind, "", None, level, level)


def merge_entries(entries: Iterable[Entry]) -> dict[str, Version]:
    """One version per key: the highest level gives name and kind, the lowest only widens the levels.

    So a city that has a row in every constituency, and one that is Land, Kreis and Gemeinde, is one region.
    """
    merged: dict[str, Version] = {}
    for ars, name, kind, level in entries:
        found = merged.setdefault(ars, open_version(ars, name, kind, level, first_day(ars)))
        merged[ars] = found._replace(level_bottom=max(found.level_bottom, level))
    return merged


def regions_of_list(rows: Iterable[Row], kinds: Kinds, kreise: Mapping[str, Kreis]) -> list[Version]:
    germany = (GERMANY, "Deutschland", "Bundesrepublik", BUND)
    entries = (entry for row in rows for entry in entries_of(row, kinds, kreise))
    return list(merge_entries([germany, *entries]).values())


# --- history --------------------------------------------------------------------------------------------


def ended_kreise(versions: Iterable[Version], kreise_2016: Mapping[str, tuple[str, str]]) -> list[Version]:
    """The Kreise of 2016 (name and kind by ARS) that are gone; `KeyError` if the end of one is unknown."""
    today = {version.ars for version in versions}
    gone = [
        open_version(ars, *kreise_2016[ars], KREIS)._replace(valid_to=ENDED_KREISE[ars])
        for ars in sorted(kreise_2016.keys() - today)
    ]
    # Eisenach was kreisfrei: Kreis and Gemeinde with one key.
    return [v._replace(level_bottom=GEMEINDE) if v.ars == EISENACH_BEFORE else v for v in gone]


def succeed(version: Version, since: str) -> list[Version]:
    """The version until a day and the one from that day on."""
    return [
        version._replace(valid_to=since),
        version._replace(valid_from=since, legally_from=since),
    ]


def with_reforms(versions: Iterable[Version]) -> Iterator[Version]:
    """What the list of 2024 cannot tell: Hanau after it, and Kreise whose area changed under their key."""
    for version in versions:
        if version.ars == HANAU_BEFORE:
            yield version._replace(valid_to=HANAU_LEAVES)
            city = open_version(HANAU, version.name, "Kreisfreie Stadt", KREIS, HANAU_LEAVES)
            yield city._replace(level_bottom=GEMEINDE)
        elif version.ars == MAIN_KINZIG:
            yield from succeed(version, HANAU_LEAVES)
        elif version.ars == WARTBURGKREIS:
            yield from succeed(version, EISENACH_JOINS)
        else:
            yield version


# --- inhabitants ----------------------------------------------------------------------------------------


def inhabitants_of(version: Version, kreise: Mapping[str, Kreis]) -> int | None:
    """Inhabitants at the end of 2018 on the area of the version, for Kreise, Länder and Germany.

    Hanau alone is not in the table of the Kreise, so neither it nor the Kreis without it gets a figure.
    """
    if (version.ars, version.valid_from) == (MAIN_KINZIG, HANAU_LEAVES):
        return None
    if (version.ars, version.valid_from) == (WARTBURGKREIS, EISENACH_JOINS):
        return sum(kreise[key[:5]].inhabitants for key in (WARTBURGKREIS, EISENACH_BEFORE))
    if version.level_top <= LAND:
        prefix = "" if version.ars == GERMANY else version.ars[:2]
        return sum(kreis.inhabitants for key, kreis in kreise.items() if key.startswith(prefix))
    found = kreise.get(version.ars[:5]) if version.level_top == KREIS else None
    return found.inhabitants if found else None


def complete(versions: Iterable[Version], kreise: Mapping[str, Kreis]) -> list[Version]:
    """Sorted, with parents and inhabitants."""
    ordered = sorted(versions)
    known = {version.ars for version in ordered}
    return [
        v._replace(parent=parent_of(v.ars, known), inhabitants=inhabitants_of(v, kreise)) for v in ordered
    ]


# --- reading --------------------------------------------------------------------------------------------


def read_gemeinden(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for _ in range(HEAD_LINES):
            next(file)
        return list(csv.DictReader(file, delimiter=";"))


def read_kreise(path: Path) -> dict[str, Kreis]:
    """Kind and inhabitants by the five digits of the Kreis."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter=";")
        return {row["AGS"]: Kreis(row["type"], int(row["population"])) for row in rows}


def kinds_by(folder: Path, name: str, key: str = "RS_0") -> dict[str, str]:
    properties = (feature["properties"] for feature in read_areas(folder, name).values())
    return {p[key]: p["BEZ"] for p in properties}


def read_kinds(folder: Path) -> Kinds:
    verbaende = kinds_by(folder, "verwaltungsgemeinschaften")
    return Kinds(kinds_by(folder, "laender"), verbaende, kinds_by(folder, "gemeinden", "AGS_0"))


def read_kreise_2016(folder: Path) -> dict[str, tuple[str, str]]:
    areas = read_areas(folder, "kreise")
    return {ars: (area["properties"]["GEN"], area["properties"]["BEZ"]) for ars, area in areas.items()}


def build_versions(gemeinden: Path, kreise_einwohner: Path, areas: Path) -> list[Version]:
    kreise = read_kreise(kreise_einwohner)
    listed = regions_of_list(read_gemeinden(gemeinden), read_kinds(areas), kreise)
    ended = ended_kreise(listed, read_kreise_2016(areas))
    return complete([*with_reforms(listed), *ended], kreise)


def postcodes(gemeinden: Path) -> list[tuple[str, str]]:
    """Key and postcode of the town hall of each Gemeinde that has one."""
    found = {ars_of(*parts(row)): row["PLZ-GemVerwaltung"].strip() for row in read_gemeinden(gemeinden)}
    # Hanau has another key since the list was made.
    found[HANAU] = found.get(HANAU_BEFORE, "")
    return sorted((ars, postcode) for ars, postcode in found.items() if postcode)
