"""Regions from the registers' own formats, against the real reference data."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import pytest
from celery.schedules import crontab
from pytest_httpserver import HTTPServer

from ozgsync import sources
from ozgsync.loading import load_reference
from ozgsync.models import GERMANY, Level, Region, RegionVersion, SyncRun
from ozgsync.sources import territory
from ozgsync.sync import running
from zsk.feeds import Feed

pytestmark = pytest.mark.django_db
Status = SyncRun.Status
DAY = dt.date(2026, 6, 30)
URN = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:rs"
Rows = dict[str, str]


@pytest.fixture
def reference() -> None:
    load_reference()


def names_on(day: dt.date) -> Rows:
    """What the code list of a day would hold: keys and names without Germany."""
    found = RegionVersion.objects.filter(valid_from__lte=day).exclude(valid_to__lte=day)
    return dict(found.exclude(region=GERMANY).values_list("region", "name"))


def code_list(rows: Rows, day: dt.date = DAY) -> bytes:
    columns = [{"spaltennameTechnisch": name} for name in ("SCHLUESSEL", "BEZEICHNUNG", "HINWEIS")]
    head = {"kennung": URN, "kennungInhalt": f"{URN}_{day}", "version": str(day)}
    data = [[key, name, None] for key, name in rows.items()]
    return json.dumps({"metadaten": head, "spalten": columns, "daten": data}).encode()


def sync(content: bytes, name: str = "regionen", **options: Any) -> SyncRun:
    return running.run(sources.source(name), file="datei", content=iter([content]), **options)


def versions(ars: str) -> list[tuple[str, str, str | None]]:
    found = RegionVersion.objects.filter(region=ars).order_by("valid_from")
    return [(v.name, str(v.valid_from), str(v.valid_to) if v.valid_to else None) for v in found]


def changed_tables(done: SyncRun) -> dict[tuple[str, str], int]:
    counted: dict[tuple[str, str], int] = {}
    for table, kind in done.changes.values_list("table", "kind"):
        counted[table, kind] = counted.get((table, kind), 0) + 1
    return counted


@pytest.mark.usefixtures("reference")
def test_the_state_that_is_known_changes_nothing() -> None:
    done = sync(code_list(names_on(DAY)))
    assert (done.status, done.version, done.warnings) == (Status.SAME, f"rs_{DAY}", [])


@pytest.mark.usefixtures("reference")
def test_new_renamed_and_vanished_regions_get_versions() -> None:
    rows = names_on(DAY)
    del rows["010590045045"]
    rows |= {"010515163999": "Neudorf", "010010000000": "Flensburg (neu), Stadt"}
    done = sync(code_list(rows))
    assert (done.status, done.new_count, done.ended_count) == (Status.APPLIED, 3, 1)
    assert versions("010515163999") == [("Neudorf", str(DAY), None)]
    new = Region.objects.get(pk="010515163999")
    assert (new.level_top, new.level_bottom) == (Level.GEMEINDE, Level.GEMEINDE)
    assert RegionVersion.objects.get(region=new).parent_id == "010515163000"
    assert versions("010590045045") == [("Kappeln", "2016-01-01", str(DAY))]
    assert versions("010010000000") == [
        ("Flensburg", "2016-01-01", str(DAY)), ("Flensburg (neu)", str(DAY), None),
    ]  # fmt: skip
    assert Region.objects.get(pk="010010000000").name == "Flensburg (neu)"
    assert sync(code_list(rows)).status == Status.SAME


@pytest.mark.usefixtures("reference")
def test_a_rolled_back_run_leaves_the_versions_as_they_were() -> None:
    rows = names_on(DAY)
    columns = ("region", "valid_from", "valid_to", "name", "kind", "parent", "inhabitants")
    before = list(RegionVersion.objects.order_by("pk").values(*columns))
    del rows["010590045045"]
    done = sync(code_list(rows | {"010515163999": "Neudorf", "010010000000": "Flensburg (neu)"}))
    running.roll_back(done, sources.source("regionen"), by="Petra")
    assert list(RegionVersion.objects.order_by("pk").values(*columns)) == before


@pytest.mark.usefixtures("reference")
def test_a_list_that_was_cut_off_ends_nothing() -> None:
    rows = dict(list(names_on(DAY).items())[:500])
    done = sync(code_list(rows))
    assert (done.status, "nur 500 Schlüssel" in done.error) == (Status.FAILED, True)
    half = dict(list(names_on(DAY).items())[:6_000])
    waits = sync(code_list(half))
    assert (waits.status, waits.ended_count > 5_000) == (Status.WAITING, True)
    assert RegionVersion.objects.filter(valid_to=DAY).count() == 0


@pytest.mark.usefixtures("reference")
def test_a_list_without_gemeindeverbaende_does_not_end_them() -> None:
    pure = Region.objects.filter(level_top=Level.VERBAND, level_bottom=Level.VERBAND)
    verbaende = set(pure.values_list("pk", flat=True))
    rows = {key: name for key, name in names_on(DAY).items() if key not in verbaende}
    assert verbaende
    assert sync(code_list(rows)).status == Status.SAME


# --- the XRepository over HTTP -------------------------------------------------------------------


@pytest.fixture
def xrepository(httpserver: HTTPServer, settings: Any) -> HTTPServer:
    feed = Feed(httpserver.url_for("").rstrip("/"), "", crontab())
    settings.SYNC_FEEDS = {**settings.SYNC_FEEDS, "regionen": feed}
    return httpserver


CURRENT = f"/api/codeliste/{URN}/gueltigeVersion"
CONTENT = f"/api/xrepository/{URN}_{DAY}/download/Regionalschl_ssel_{DAY}.json"


@pytest.mark.parametrize("current", [
    json.dumps({"kennung": f"{URN}_{DAY}"}),
    f"<dat:VersionCodeliste xmlns:dat='x'><dat:kennung>{URN}_{DAY}</dat:kennung></dat:VersionCodeliste>",
])  # fmt: skip
@pytest.mark.usefixtures("reference")
def test_the_current_version_is_looked_up_in_json_or_xml(xrepository: HTTPServer, current: str) -> None:
    xrepository.expect_request(CURRENT).respond_with_data(current)
    xrepository.expect_request(CONTENT).respond_with_data(code_list(names_on(DAY)))
    done = running.run(sources.source("regionen"))
    assert (done.status, done.error, done.version) == (Status.SAME, "", f"rs_{DAY}")


def test_a_missing_version_is_named(xrepository: HTTPServer) -> None:
    xrepository.expect_request(CURRENT).respond_with_json({"meldung": "Keine gültige Version vorhanden"})
    done = running.run(sources.source("regionen"))
    assert "Keine gültige Version vorhanden" in done.error


# --- GV100AD and the list of Gemeinden -----------------------------------------------------------


def gv100ad(rows: Iterable[tuple[str, str, str]], day: str = "20260630", inhabitants: int = 10) -> str:
    """Records of fixed width from (kind of record, ARS, name)."""
    lines = []
    for kind, ars, name in rows:
        length = {"10": 2, "20": 3}.get(kind, 5)
        key = (ars[:length] + (ars[9:] if kind == "60" else "")).ljust(8)
        verband = ars[5:9] if kind in ("50", "60") else "    "
        line = f"{kind}{day}{key}{verband}{name:50}{'':50}"
        if kind == "60":
            line += f"{63:02}    {100:011}{inhabitants:011}{5:011}    24937     "
        lines.append(line.ljust(220))
    return "\n".join(lines)


def records(day: dt.date) -> list[tuple[str, str, str]]:
    found = Region.objects.filter(pk__in=names_on(day)).order_by("pk")
    rows = []
    for region in found:
        kinds = {Level.LAND: "10", Level.REGBEZ: "20", Level.KREIS: "40", Level.VERBAND: "50"}
        for level in range(region.level_top, region.level_bottom + 1):
            if level == Level.GEMEINDE:
                rows.append(("60", region.ars, region.name))
            elif level != Level.REGBEZ or region.level_top == Level.REGBEZ:
                rows.append((kinds[Level(level)], region.ars, region.name))
    return rows


@pytest.mark.usefixtures("reference")
def test_the_gemeindeverzeichnis_brings_inhabitants_without_asking() -> None:
    done = sync(gv100ad(records(DAY)).encode(), "gv100ad")
    assert (done.status, done.error) == (Status.APPLIED, "")
    assert changed_tables(done).get(("ozgsync_regionversion", "neu"), 0) == 0
    assert done.ended_count == 0
    gemeinden = len([kind for kind, *_rest in records(DAY) if kind == "60"])
    germany = RegionVersion.objects.get(region=GERMANY)
    assert (gemeinden, germany.inhabitants) == (10_956, 109_560)
    flensburg = RegionVersion.objects.get(region="010010000000")
    assert (flensburg.inhabitants, flensburg.kind) == (10, "Kreisfreie Stadt")
    assert Region.objects.get(pk="010010000000").postcode == "24937"
    assert sync(gv100ad(records(DAY)).encode(), "gv100ad").status == Status.SAME


def test_a_file_from_before_utf_8_is_read_as_well() -> None:
    places = [("60", f"0101{number:05}{number:03}"[:12], "Köln") for number in range(1_000)]
    parsed = sources.source("gv100ad").parse(iter([gv100ad(places).encode("iso-8859-1")]), cursor="")
    assert {row[1] for row in parsed.rows["incoming_regions"]} == {"Köln", "Deutschland"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"PK\x03\x04", "ZIP"),
        (b"", "nur 0 Datensätze"),
        (b"99" + b" " * 200, "nur 0 Datensätze"),
    ],
)
def test_what_is_no_gemeindeverzeichnis_is_refused(content: bytes, said: str) -> None:
    assert said in sync(content, "gv100ad").error


LIST = """\ufeff# (c) Die Bundeswahlleiterin;;
# Gebietsstand: 30.11.2024;;
Wahlkreis-Nr;RGS_Land;RGS_RegBez;RGS_Kreis;RGS_GemVerband;RGS_Gemeinde;Landname;RegBez-Name;Kreisname;\
GemVerband-Name;Gemeindename;PLZ-GemVerwaltung
001;01;0;01;0000;000;Schleswig-Holstein;;Flensburg, Stadt;;Flensburg, Stadt;24939
001;01;0;59;0000;045;Schleswig-Holstein;;Schleswig-Flensburg;;Kappeln, Stadt;24377
"""


@pytest.mark.usefixtures("reference")
def test_the_list_of_gemeinden_brings_postcodes() -> None:
    done = sync(LIST.encode(), "gemeinden")
    assert done.status == Status.WAITING  # two Gemeinden of 10,956: everything else would end
    assert (done.version, done.error) == ("Gemeinden 2024-11-30", "")
    running.discard(done, by="Petra")
    codes = done.changes.filter(table="ozgsync_region").values_list("key", "new__postcode")
    assert dict(codes) == {"010010000000": "24939", "010590045045": "24377"}


@pytest.mark.parametrize("broken", [LIST.replace("Kreisname", "Kreis"), LIST.replace("30.11.2024", "heute"),
                                    LIST.replace(";045;", ";45;")])  # fmt: skip
def test_a_list_of_another_form_is_refused(broken: str) -> None:
    assert sync(broken.encode(), "gemeinden").status == Status.FAILED


@pytest.mark.parametrize(
    ("ars", "has_parts", "expected"),
    [
        (GERMANY, True, (Level.BUND, Level.BUND)),
        ("110000000000", False, (Level.LAND, Level.GEMEINDE)),
        ("060000000000", True, (Level.LAND, Level.LAND)),
        ("064000000000", False, (Level.REGBEZ, Level.REGBEZ)),
        ("064150000000", False, (Level.KREIS, Level.GEMEINDE)),
        ("064350000000", True, (Level.KREIS, Level.KREIS)),
        ("010515163000", True, (Level.VERBAND, Level.VERBAND)),
        ("010515163003", False, (Level.GEMEINDE, Level.GEMEINDE)),
        ("010590045045", False, (Level.VERBAND, Level.GEMEINDE)),
        ("033519501501", False, (Level.VERBAND, Level.GEMEINDE)),
    ],
)
def test_levels_follow_from_the_key(ars: str, has_parts: bool, expected: tuple[Level, Level]) -> None:
    assert territory.levels(ars, has_parts=has_parts) == expected


@pytest.mark.usefixtures("reference")
def test_levels_of_all_known_regions_follow_from_their_keys() -> None:
    rows = names_on(DAY)
    staged = territory.rows({key: territory.Listed(key, name) for key, name in rows.items()})
    derived = {row[0]: (row[5], row[6]) for row in staged}
    stored = {pk: levels for pk, *levels in Region.objects.values_list("pk", "level_top", "level_bottom")}
    assert derived == {key: tuple(stored[key]) for key in derived}
