"""The pure parts of the build of the reference data, on small samples."""

from collections.abc import Mapping

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, Polygon, box

from ozgsync import naming
from ozgsync.build import catalogue, outlines, regions
from ozgsync.build.areas import features
from ozgsync.build.regions import Kinds, Kreis, Version

KREISE = {
    "01059": Kreis("Kreis", 200_025),
    "02000": Kreis("Kreisfreie Stadt", 1_841_179),
    "06411": Kreis("Kreisfreie Stadt", 159_207),
    "06435": Kreis("Landkreis", 418_950),
    "16056": Kreis("Kreisfreie Stadt", 42_370),
    "16063": Kreis("Landkreis", 123_025),
}
KINDS = Kinds(
    laender={
        "010000000000": "Land",
        "020000000000": "Freie und Hansestadt",
        "060000000000": "Land",
        "160000000000": "Freistaat",
    },
    verbaende={"010595912000": "Amt"},
    gemeinden={"01059045": "Stadt", "05370040": "Stadt"},
)
COLUMNS = ("RGS_Land", "RGS_RegBez", "RGS_Kreis", "RGS_GemVerband", "RGS_Gemeinde")
NAMES = ("Landname", "RegBez-Name", "Kreisname", "GemVerband-Name", "Gemeindename")


def row(key: str, *names: str) -> Mapping[str, str]:
    """A row of the list of Gemeinden: the parts of its key, then its names from Land to Gemeinde."""
    return dict(zip(COLUMNS + NAMES, (*key.split(), *names), strict=True))


KAPPELN = row("01 0 59 0000 045", "Schleswig-Holstein", "", "Schleswig-Flensburg", "", "Kappeln, Stadt")
EGGEBEK = row("01 0 59 5912 107", "Schleswig-Holstein", "", "Schleswig-Flensburg", "Eggebek", "Eggebek")
HAMBURG = row(
    "02 0 00 0000 000",
    "Hamburg",
    "",
    "Hamburg, Freie und Hansestadt",
    "",
    "Hamburg, Freie und Hansestadt",
)
DARMSTADT = row(
    "06 4 11 0000 000",
    "Hessen",
    "Reg.-Bez. Darmstadt",
    "Darmstadt, Wissenschaftsstadt",
    "",
    "Darmstadt, Wissenschaftsstadt",
)
HANAU = row(
    "06 4 35 0000 014",
    "Hessen",
    "Reg.-Bez. Darmstadt",
    "Main-Kinzig-Kreis",
    "",
    "Hanau, Brüder-Grimm-Stadt",
)
EISENACH = row("16 0 63 0000 105", "Thüringen", "", "Wartburgkreis", "", "Eisenach, Stadt")
ROWS = [KAPPELN, EGGEBEK, HAMBURG, HAMBURG, DARMSTADT, HANAU, EISENACH]


@pytest.fixture
def listed() -> list[Version]:
    return regions.regions_of_list(ROWS, KINDS, KREISE)


@pytest.fixture
def completed(listed: list[Version]) -> list[Version]:
    return regions.complete(regions.with_reforms(listed), KREISE)


def only(versions: list[Version], ars: str) -> Version:
    (found,) = [version for version in versions if version.ars == ars]
    return found


def spans(versions: list[Version], ars: str) -> list[tuple[str, str, int | None]]:
    return [(v.valid_from, v.valid_to, v.inhabitants) for v in versions if v.ars == ars]


@pytest.mark.parametrize(
    ("parts", "ars"),
    [
        ("01 0 59 0000 045", "010590045045"),  # verbandsfrei: repeats its digits
        ("06 4 11 0000 000", "064110000000"),  # kreisfrei
        ("01 0 59 5912 107", "010595912107"),  # verbandsangehörig
        ("01 0 53 9105 105", "010539105105"),  # gemeindefrei
    ],
)
def test_ars_of_the_parts(parts: str, ars: str) -> None:
    assert naming.ars_of(*parts.split()) == ars


def test_ags_leaves_out_the_verband() -> None:
    assert naming.ags_of("010590045045") == "01059045"


@pytest.mark.parametrize(
    ("ars", "parent"),
    [
        ("010595912107", "010595912000"),
        ("010590045045", "010590000000"),
        ("010590000000", "010000000000"),
        ("064110000000", "064000000000"),
        ("020000000000", "000000000000"),
        ("000000000000", ""),
    ],
)
def test_parent_is_the_next_known_region_above(ars: str, parent: str, listed: list[Version]) -> None:
    assert naming.parent_of(ars, {version.ars for version in listed}) == parent


@pytest.mark.parametrize(
    ("official", "name", "addition"),
    [
        ("Hanau, Brüder-Grimm-Stadt", "Hanau", "Brüder-Grimm-Stadt"),
        ("Garding, Kirchspiel", "Garding, Kirchspiel", ""),
        ("Ebstorf,Klosterflecken", "Ebstorf", "Klosterflecken"),
        ("Ahlbeck, Seebad , Stadt", "Ahlbeck", "Seebad, Stadt"),
        ("Lauenburg/ Elbe, Stadt", "Lauenburg/Elbe", "Stadt"),
        ("Lübben (Spreewald) / Lubin (Błota), Stadt", "Lübben (Spreewald) / Lubin (Błota)", "Stadt"),
        ("Abensberg, St", "Abensberg", "Stadt"),
        ("Harrislee", "Harrislee", ""),
    ],
)
def test_split_name(official: str, name: str, addition: str) -> None:
    assert naming.split_name(official) == (name, addition)


@pytest.mark.parametrize(
    ("ars", "official", "expected"),
    [
        ("064350014014", "Hanau, Brüder-Grimm-Stadt", ("Hanau", "Stadt, Brüder-Grimm-Stadt")),
        ("053700040040", "Wegberg, Tor zur Eifel", ("Wegberg", "Stadt, Tor zur Eifel")),
        ("130745560001", "Boltenhagen, Ostseebad", ("Boltenhagen", "Gemeinde, Ostseebad")),
        ("091780136136", "Au i.d.Hallertau, M", ("Au i.d.Hallertau", "Markt")),
        ("091780143143", "Freising, GKSt", ("Freising", "Große Kreisstadt")),
        ("143010000001", "Reuth, Kurort, Stadt", ("Reuth", "Stadt, Kurort")),
        ("146260610610", "Weißwasser/O.L., Stadt / Běła Woda", ("Weißwasser/O.L.", "Stadt")),
        ("010590120120", "Harrislee", ("Harrislee", "Gemeinde")),
        ("010590045045", "Kappeln", ("Kappeln", "Stadt")),
        ("010539105105", "Sachsenwald,gemfr.Geb.", ("Sachsenwald", "Gemeindefreies Gebiet")),
        ("033519501501", "Lohheide, gemfr. Bezirk", ("Lohheide", "Gemeindefreier Bezirk")),
    ],
)
def test_name_and_kind_of_a_gemeinde(ars: str, official: str, expected: tuple[str, str]) -> None:
    assert naming.gemeinde_name(ars, official, KINDS.gemeinden) == expected


@pytest.mark.parametrize(
    ("ars", "official", "expected"),
    [
        ("010595912000", "Eggebek", ("Eggebek", "Amt")),
        ("071325012000", "Betzdorf-Gebhardshain", ("Betzdorf-Gebhardshain", "Verbandsgemeinde")),
        ("081155003000", "VVG der Stadt Herrenberg", ("Herrenberg", "Vereinbarte Verwaltungsgemeinschaft")),
        ("081155004000", "GVV Holzgerlingen", ("Holzgerlingen", "Gemeindeverwaltungsverband")),
        ("160615008000", "EG Uder", ("Uder", "Erfüllende Gemeinde")),
        ("160625009000", "Bleicherode, Stadt", ("Bleicherode", "Erfüllende Gemeinde")),
        ("160735010000", "Schwarzatal", ("Schwarzatal", "Gemeindeverband")),
        (
            "145235122000",
            "Oelsnitz, Eichigt und Triebel",
            ("Oelsnitz, Eichigt und Triebel", "Gemeindeverband"),
        ),
    ],
)
def test_name_and_kind_of_a_verband(ars: str, official: str, expected: tuple[str, str]) -> None:
    assert naming.verband_name(ars, official, KINDS.verbaende) == expected


@pytest.mark.parametrize(
    ("official", "expected"),
    [
        ("Reg.-Bez. Köln", ("Köln", "Regierungsbezirk")),
        ("Oberbayern", ("Oberbayern", "Regierungsbezirk")),
        ("Statistische Region Weser-Ems", ("Weser-Ems", "Statistische Region")),
        ("früher: Reg.-Bez. Trier", ("Trier", "Früherer Regierungsbezirk")),
        ("früher: Direktionsbezirk Leipzig", ("Leipzig", "Früherer Direktionsbezirk")),
    ],
)
def test_name_and_kind_of_a_regierungsbezirk(official: str, expected: tuple[str, str]) -> None:
    assert naming.regbez_name(official) == expected


@pytest.mark.parametrize(
    ("ars", "name", "kind", "levels"),
    [
        ("020000000000", "Hamburg", "Freie und Hansestadt", (1, 5)),
        ("064110000000", "Darmstadt", "Kreisfreie Stadt", (3, 5)),
        ("010590045045", "Kappeln", "Stadt", (4, 5)),
        ("010595912000", "Eggebek", "Amt", (4, 4)),
        ("010595912107", "Eggebek", "Gemeinde", (5, 5)),
        ("010590000000", "Schleswig-Flensburg", "Kreis", (3, 3)),
        ("064000000000", "Darmstadt", "Regierungsbezirk", (2, 2)),
    ],
)
def test_one_region_per_key(
    ars: str, name: str, kind: str, levels: tuple[int, int], listed: list[Version]
) -> None:
    """Hamburg has two rows, is Land, Kreis and Gemeinde, and yet one region."""
    found = only(listed, ars)
    assert (found.name, found.kind, (found.level_top, found.level_bottom)) == (name, kind, levels)


def test_hanau_ends_as_gemeinde_and_begins_as_kreis(completed: list[Version]) -> None:
    before, after = only(completed, "064350014014"), only(completed, "064150000000")
    assert (before.valid_from, before.valid_to) == ("2016-01-01", "2026-01-01")
    assert (after.valid_from, after.valid_to, after.legally_from) == ("2026-01-01", "", "2026-01-01")
    assert (after.name, after.level_top, after.level_bottom) == ("Hanau", 3, 5)


def test_no_inhabitants_are_invented_for_a_split(completed: list[Version]) -> None:
    assert spans(completed, "064150000000") == [("2026-01-01", "", None)]
    assert spans(completed, "064350000000") == [
        ("2016-01-01", "2026-01-01", 418_950),
        ("2026-01-01", "", None),
    ]


def test_the_wartburgkreis_grows_by_eisenach(completed: list[Version]) -> None:
    assert spans(completed, "160630000000") == [
        ("2016-01-01", "2021-07-01", 123_025),
        ("2021-07-01", "", 165_395),
    ]
    assert only(completed, "160630105105").valid_from == "2021-07-01"


def test_laender_and_germany_are_sums(completed: list[Version]) -> None:
    assert only(completed, "060000000000").inhabitants == 159_207 + 418_950
    assert only(completed, "000000000000").inhabitants == sum(k.inhabitants for k in KREISE.values())


def test_ended_kreise_come_from_2016(listed: list[Version]) -> None:
    kreise = {
        "160560000000": ("Eisenach", "Kreisfreie Stadt"),
        "010590000000": ("Schleswig-Flensburg", "Kreis"),
    }
    (eisenach,) = regions.ended_kreise(listed, kreise)
    assert (eisenach.ars, eisenach.valid_to) == ("160560000000", "2021-07-01")
    assert (eisenach.level_top, eisenach.level_bottom) == (3, 5)


def test_a_kreis_that_vanished_without_known_end_stops_the_build(listed: list[Version]) -> None:
    with pytest.raises(KeyError):
        regions.ended_kreise(listed, {"010990000000": ("Nirgends", "Kreis")})


def test_slugs() -> None:
    assert catalogue.slug_of("Ein- & Auswanderung") == "ein-auswanderung"
    assert catalogue.slug_of("Mobilität & Reisen") == "mobilitaet-reisen"


def test_a_doubled_leistung_is_refused() -> None:
    source = {"leistungsschluessel": "99102013000000", "name": "Hundesteuer", "herkunft_des_namens": "FIM"}
    doubled = [{**source, "sicher": "1 Quelle"}, {**source, "sicher": ">=2 Quellen"}]
    with pytest.raises(ValueError, match="mehrfach"):
        catalogue.leistungen(doubled)


def test_features_are_found_in_lists_and_collections() -> None:
    one, two = {"type": "Feature", "id": 1}, {"type": "Feature", "id": 2}
    assert list(features([one, {"type": "FeatureCollection", "features": [two]}])) == [one, two]


def test_projection_keeps_origin_and_scale() -> None:
    """A degree of longitude on a standard parallel is as long as on the ellipsoid."""
    parallel = 48 + 2 / 3
    points = np.array([[10.0, parallel], [11.0, parallel], [10.5, 51.0]])
    west, east, origin = outlines.project(points)
    on_ellipsoid = np.radians(1) * outlines.GRS80_RADIUS * outlines.conic_m(np.radians(parallel))
    assert np.allclose(origin, 0, atol=1e-6)
    assert np.hypot(*(east - west)) == pytest.approx(on_ellipsoid, rel=1e-4)


@pytest.mark.parametrize(("tenths", "text"), [(0, "0"), (-5, "-.5"), (120, "12"), (-13, "-1.3"), (7, ".7")])
def test_short_numbers(tenths: int, text: str) -> None:
    assert outlines.number(tenths) == text


def test_numbers_never_run_into_each_other() -> None:
    assert outlines.joined([12, -30, 45, 6, 70, 8, -20, 5]) == "1.2-3 4.5.6 7 .8-2 .5"


def test_a_ring_is_relative_and_closed() -> None:
    assert outlines.ring_path([(10, 20), (15, 20), (15, 30)]) == "M1 2l.5 0 0 1z"


def test_small_islands_go_but_exclaves_and_whole_regions_stay() -> None:
    km = 1000.0
    island, exclave = box(90 * km, 0, 91 * km, km), box(30 * km, 0, 31 * km, km)
    shapes = {
        "a": MultiPolygon([box(0, 0, 10 * km, 10 * km), island, exclave]),
        "b": box(31 * km, 0, 50 * km, 9 * km),
        "c": box(70 * km, 0, 71 * km, km),
    }
    kept = outlines.drop_islands(shapes)
    assert [len(outlines.polygons(kept[key])) for key in "abc"] == [2, 1, 1]
    assert exclave in outlines.polygons(kept["a"])


def test_holes_turn_against_their_ring() -> None:
    ring = Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(3, 3), (6, 3), (6, 6), (3, 6)]])
    outer, hole = outlines.Canvas(0, 9, 10).rings(ring)
    assert (outlines.signed_area(outer), outlines.signed_area(hole)) in [(8100, -900), (-8100, 900)]


def test_specks_are_not_drawn() -> None:
    parts = MultiPolygon([box(0, 0, 9, 9), box(20, 0, 20.5, 0.5)])
    assert len(outlines.Canvas(0, 9, 10).rings(parts)) == 1
