"""Properties of the committed reference data: what the whole application takes for granted."""

import csv
import json
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[2] / "ozgsync" / "data"
LAND, KREIS, GEMEINDE = 1, 3, 5
TODAY = "2026-07-01"

Row = dict[str, str]


def read(name: str) -> list[Row]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def versions() -> list[Row]:
    return read("region_versions.csv")


@pytest.fixture(scope="module")
def changes() -> list[Row]:
    return read("region_changes.csv")


@pytest.fixture(scope="module")
def outlines() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "outlines.json").read_text(encoding="utf-8"))
    return found


def valid(row: Row, day: str) -> bool:
    return row["valid_from"] <= day and (not row["valid_to"] or day < row["valid_to"])


def keys_at(versions: list[Row], level: int, day: str) -> set[str]:
    return {
        row["ars"]
        for row in versions
        if int(row["level_top"]) <= level <= int(row["level_bottom"]) and valid(row, day)
    }


def of(versions: list[Row], ars: str) -> list[Row]:
    return [row for row in versions if row["ars"] == ars]


@pytest.mark.parametrize(
    ("level", "day", "count"),
    [
        (0, TODAY, 1),
        (LAND, "2016-01-01", 16),
        (LAND, TODAY, 16),
        (2, TODAY, 31),  # 19 Regierungsbezirke, 10 former and statistical ones, Berlin and Hamburg
        (KREIS, "2016-01-01", 402),
        (KREIS, "2016-10-31", 402),
        (KREIS, "2016-11-01", 401),
        (KREIS, "2021-07-01", 400),
        (KREIS, "2024-12-31", 400),
        (KREIS, "2025-12-31", 400),
        (KREIS, "2026-01-01", 401),
        (GEMEINDE, "2024-11-30", 10_956),
        (GEMEINDE, TODAY, 10_956),
    ],
)
def test_how_many_regions(level: int, day: str, count: int, versions: list[Row]) -> None:
    assert len(keys_at(versions, level, day)) == count


def test_kreisfreie_staedte_belong_to_several_levels(versions: list[Row]) -> None:
    """107 today, with Berlin and Hamburg, which are Länder as well."""
    both = keys_at(versions, KREIS, TODAY) & keys_at(versions, GEMEINDE, TODAY)
    assert len(both) == 107
    assert both & keys_at(versions, LAND, TODAY) == {"020000000000", "110000000000"}


@pytest.mark.parametrize(
    ("ars", "name", "levels"),
    [
        ("110000000000", "Berlin", ("1", "5")),
        ("040000000000", "Bremen", ("1", "1")),
        ("091620000000", "München", ("3", "5")),
        ("091840000000", "München", ("3", "3")),
        ("010590045045", "Kappeln", ("4", "5")),
        ("010595912000", "Eggebek", ("4", "4")),
        ("010595912107", "Eggebek", ("5", "5")),
    ],
)
def test_known_regions(ars: str, name: str, levels: tuple[str, str], versions: list[Row]) -> None:
    (row,) = of(versions, ars)
    assert (row["name"], (row["level_top"], row["level_bottom"])) == (name, levels)


def test_columns_and_order(versions: list[Row]) -> None:
    header = "ars,valid_from,valid_to,legally_from,name,kind,parent,inhabitants,level_top,level_bottom"
    assert list(versions[0]) == header.split(",")
    assert versions == sorted(versions, key=lambda row: (row["ars"], row["valid_from"]))


def test_keys_dates_names_and_levels_are_well_formed(versions: list[Row]) -> None:
    for row in versions:
        assert re.fullmatch(r"\d{12}", row["ars"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["valid_from"])
        assert row["valid_to"] == "" or row["valid_to"] > row["valid_from"]
        assert 0 < len(row["name"]) <= 60
        assert 0 < len(row["kind"]) <= 60
        assert 0 <= int(row["level_top"]) <= int(row["level_bottom"]) <= 5


def test_versions_of_a_key_do_not_overlap_and_keep_their_levels(versions: list[Row]) -> None:
    by_key = defaultdict(list)
    for row in versions:
        by_key[row["ars"]].append(row)
    for rows in by_key.values():
        assert all(a["valid_to"] and a["valid_to"] <= b["valid_from"] for a, b in pairwise(rows))
        assert len({(row["level_top"], row["level_bottom"]) for row in rows}) == 1


def test_parents_exist_above_and_as_long_as_their_children(versions: list[Row]) -> None:
    spans = defaultdict(list)
    for row in versions:
        spans[row["ars"]].append(row)
    for row in versions:
        if row["ars"] == "000000000000":
            assert row["parent"] == ""
            continue
        parents = spans[row["parent"]]
        assert row["ars"].startswith(row["parent"].rstrip("0"))
        assert all(int(parent["level_bottom"]) < int(row["level_top"]) for parent in parents)
        assert parents[0]["valid_from"] <= row["valid_from"]
        assert parents[-1]["valid_to"] == "" or row["valid_to"] <= parents[-1]["valid_to"]


@pytest.mark.parametrize(
    ("ars", "expected"),
    [
        ("031520000000", [("2016-01-01", "2016-11-01")]),
        ("031560000000", [("2016-01-01", "2016-11-01")]),
        ("031590000000", [("2016-11-01", "")]),
        ("160560000000", [("2016-01-01", "2021-07-01")]),
        ("160630105105", [("2021-07-01", "")]),
        ("160630000000", [("2016-01-01", "2021-07-01"), ("2021-07-01", "")]),
        ("064350014014", [("2016-01-01", "2026-01-01")]),
        ("064150000000", [("2026-01-01", "")]),
        ("064350000000", [("2016-01-01", "2026-01-01"), ("2026-01-01", "")]),
    ],
)
def test_reforms(ars: str, expected: list[tuple[str, str]], versions: list[Row]) -> None:
    assert [(row["valid_from"], row["valid_to"]) for row in of(versions, ars)] == expected


def test_nothing_below_goettingen_is_older_than_the_kreis(versions: list[Row]) -> None:
    assert {row["valid_from"] for row in versions if row["ars"].startswith("03159")} == {"2016-11-01"}


def test_every_ended_key_has_a_successor(versions: list[Row], changes: list[Row]) -> None:
    ended = {row["ars"] for row in versions if row["valid_to"]}
    exact = {row["old"] for row in changes if row["share"] == "1"}
    assert ended - {"064350000000", "160630000000"} == exact
    assert {(row["old"], row["new"]) for row in changes if row["kind"] == "teilung"} == {
        ("064350000000", "064350000000"),
        ("064350000000", "064150000000"),
    }


def test_changes_fit_the_versions(versions: list[Row], changes: list[Row]) -> None:
    for change in changes:
        assert change["effective"] in {row["valid_to"] for row in of(versions, change["old"])}
        assert change["effective"] in {row["valid_from"] for row in of(versions, change["new"])}


def test_inhabitants(versions: list[Row]) -> None:
    """83,019,213 is the official figure for the end of 2018."""
    assert [row["inhabitants"] for row in of(versions, "000000000000")] == ["83019213"]
    assert [row["inhabitants"] for row in of(versions, "160630000000")] == ["123025", "165395"]
    without = {row["ars"] for row in versions if row["level_top"] == "3" and not row["inhabitants"]}
    assert without == {"031520000000", "031560000000", "064150000000", "064350000000"}


def test_outlines_are_those_of_today(versions: list[Row], outlines: dict[str, Any]) -> None:
    assert set(outlines["laender"]) == keys_at(versions, LAND, TODAY)
    assert set(outlines["kreise"]) == keys_at(versions, KREIS, TODAY)
    assert "© GeoBasis-DE / BKG, dl-de/by-2-0" in outlines["attribution"]


def test_outlines_stay_small(outlines: dict[str, Any]) -> None:
    assert len(json.dumps(outlines["laender"])) <= 40_000
    assert (DATA / "outlines.json").stat().st_size <= 350_000


def rings(path: str) -> list[list[tuple[float, float]]]:
    """Absolute corners of a path of `M x y l dx dy … z`, read as SVG's grammar says."""
    found = []
    for ring in path.removesuffix("z").split("z"):
        assert re.fullmatch(r"M[-.\d ]+l[-.\d ]+", ring)
        numbers = [float(text) for text in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", ring)]
        x = y = 0.0
        corners = []
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = x + dx, y + dy
            corners.append((x, y))
        found.append(corners)
    return found


def test_outlines_lie_on_the_canvas(outlines: dict[str, Any]) -> None:
    width, height = map(float, outlines["viewBox"].split()[2:])
    for shape in (*outlines["laender"].values(), *outlines["kreise"].values()):
        corners = [corner for ring in rings(shape["d"]) for corner in ring]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in corners)
        xs, ys = zip(*corners, strict=True)
        assert min(xs) < shape["x"] < max(xs)
        assert min(ys) < shape["y"] < max(ys)


def test_the_box_of_a_land_holds_just_its_kreise(outlines: dict[str, Any]) -> None:
    for ars, land in outlines["laender"].items():
        kreise = [kreis for key, kreis in outlines["kreise"].items() if key[:2] == ars[:2]]
        corners = [corner for kreis in kreise for ring in rings(kreis["d"]) for corner in ring]
        xs, ys = zip(*corners, strict=True)
        box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
        assert land["bbox"] == pytest.approx(box, abs=0.01)


def test_bremen_has_its_two_parts(outlines: dict[str, Any]) -> None:
    assert len(rings(outlines["laender"]["040000000000"]["d"])) == 2


def test_neighbours_share_their_border(outlines: dict[str, Any]) -> None:
    """Each side of Hanau's outline is also a side of a neighbour's, in Hessen or in Bayern."""
    sides = {
        frozenset((round(x, 1), round(y, 1)) for x, y in side)
        for key, kreis in outlines["kreise"].items()
        if key != "064150000000"
        for ring in rings(kreis["d"])
        for side in pairwise([*ring, ring[0]])
    }
    (hanau,) = rings(outlines["kreise"]["064150000000"]["d"])
    own = [frozenset((round(x, 1), round(y, 1)) for x, y in side) for side in pairwise([*hanau, hanau[0]])]
    assert all(side in sides for side in own)


def test_leistungen() -> None:
    rows = read("leistungen.csv")
    assert len(rows) == 54
    assert all(re.fullmatch(r"99\d{12}", row["schluessel"]) for row in rows)
    assert all(row["name"] and row["name_source"] and row["confidence"] for row in rows)
    assert len({row["schluessel"] for row in rows}) == 54


def test_themenfelder() -> None:
    rows = read("themenfelder.csv")
    assert len({row["slug"] for row in rows}) == 14
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", row["slug"]) for row in rows)
