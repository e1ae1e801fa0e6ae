"""Loading reference data: complete, repeatable, and careful with what a sync has learnt since."""

import datetime as dt
import shutil
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db.utils import DataError

from ozgsync.loading import DATA_DIR, Loaded, load_reference
from ozgsync.models import (
    GERMANY,
    Leistung,
    LeistungChange,
    Level,
    ReferenceVersion,
    Region,
    RegionChange,
    RegionVersion,
    Themenfeld,
)

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 7, 1)

VERSIONS = """\
ars,valid_from,valid_to,legally_from,name,kind,parent,inhabitants,level_top,level_bottom
000000000000,2016-01-01,,,Deutschland,Bundesrepublik,,83019213,0,0
010000000000,2016-01-01,2020-01-01,,Altland,Land,000000000000,,1,1
010000000000,2020-01-01,,,Neuland,Land,000000000000,,1,3
010010000000,2016-01-01,,,"Stadt, Große",,010000000000,5,3,5
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small set of files; a test may rewrite any of them."""
    (tmp_path / "region_versions.csv").write_text(VERSIONS, encoding="utf-8")
    for name in ("region_changes", "leistungen", "themenfelder", "postcodes"):
        header = (DATA_DIR / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
        (tmp_path / f"{name}.csv").write_text(header + "\n", encoding="utf-8")
    return tmp_path


def rewrite(folder: Path, old: str, new: str) -> None:
    path = folder / "region_versions.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def counted(loaded: list[Loaded]) -> dict[str, tuple[int, int, int]]:
    return {table.title: table[1:] for table in loaded}


def test_the_committed_files_give_todays_germany() -> None:
    load_reference()
    today = Region.objects.valid_in(TODAY)
    levels = (Level.BUND, Level.LAND, Level.KREIS, Level.GEMEINDE)
    assert [today.at_level(level).count() for level in levels] == [1, 16, 401, 10_956]
    assert today.at_level(Level.KREIS).filter(name="Berlin").exists()
    assert today.at_level(Level.GEMEINDE).filter(ars="091620000000").exists()
    assert not today.filter(ars="064350014014").exists(), "Hanau ended under its old key"
    assert RegionChange.objects.filter(old="064350014014", new="064150000000").exists()
    assert Themenfeld.objects.count() == 14
    assert Leistung.objects.get(pk="99102013002000").name == "Hundesteuer Festsetzung"


def test_a_second_run_writes_nothing(folder: Path) -> None:
    shutil.copy(DATA_DIR / "leistungen.csv", folder)
    first, second = counted(load_reference(folder)), counted(load_reference(folder))
    assert first["Fassungen von Regionen"] == (4, 0, 0)
    assert {(new, changed) for new, changed, _same in second.values()} == {(0, 0)}
    assert second["Regionen"] == (0, 0, 3)
    assert second["Leistungen"] == (0, 0, first["Leistungen"][0])


def test_a_load_that_changes_something_raises_the_version(folder: Path) -> None:
    def version() -> int:
        return ReferenceVersion.objects.get().version

    load_reference(folder)
    first = version()
    load_reference(folder)
    assert version() == first
    rewrite(folder, "Neuland", "Neustland")
    load_reference(folder)
    assert version() == first + 1


def test_the_latest_version_names_the_region(folder: Path) -> None:
    load_reference(folder)
    land = Region.objects.get(pk="010000000000")
    assert (land.name, land.level_bottom) == ("Neuland", Level.KREIS)
    assert Region.objects.get(pk="010010000000").name == "Stadt, Große"
    assert Region.objects.get(pk=GERMANY).versions.get().parent is None


def test_only_what_differs_is_changed(folder: Path) -> None:
    load_reference(folder)
    rewrite(folder, "Neuland", "Neustland")
    assert counted(load_reference(folder))["Fassungen von Regionen"] == (0, 1, 3)
    assert Region.objects.get(pk="010000000000").name == "Neustland"


def test_a_later_version_and_an_end_from_the_sync_stay(folder: Path) -> None:
    load_reference(folder)
    version = RegionVersion.objects.get(region="010010000000")
    version.valid_to = dt.date(2027, 1, 1)
    version.save()
    RegionVersion.objects.create(region_id="010010000000", valid_from=version.valid_to, name="Umbenannt")
    Region.objects.filter(pk="010010000000").update(name="Umbenannt")
    assert {table.changed for table in load_reference(folder)} == {0}
    version.refresh_from_db()
    assert version.valid_to == dt.date(2027, 1, 1)
    assert Region.objects.get(pk="010010000000").name == "Umbenannt"


def test_a_leistung_that_the_sync_took_over_stays(folder: Path) -> None:
    shutil.copy(DATA_DIR / "leistungen.csv", folder)
    load_reference(folder)
    synced = {"name": "Amtlicher Name", "confidence": "", "types": ["2/3"], "focus": True}
    Leistung.objects.filter(pk="99102013002000").update(**synced)
    Leistung.objects.filter(pk="99102013000000").update(name="vertippt", types=["5"])
    assert counted(load_reference(folder))["Leistungen"][1] == 1
    assert Leistung.objects.filter(pk="99102013002000", **synced).exists()
    assert Leistung.objects.filter(pk="99102013000000", name="Hundesteuer", types=["5"]).exists()


def test_validity_and_successors_that_the_sync_has_written_stay(folder: Path) -> None:
    shutil.copy(DATA_DIR / "leistungen.csv", folder)
    load_reference(folder)
    old = Leistung.objects.get(pk="99102013002000")
    old.valid_from, old.valid_to, old.name = dt.date(2020, 1, 1), dt.date(2026, 1, 1), "vertippt"
    old.save()
    LeistungChange.objects.create(old=old, new_id="99102013000000", effective=old.valid_to)
    load_reference(folder)
    old.refresh_from_db()
    assert (old.valid_from, old.valid_to) == (dt.date(2020, 1, 1), dt.date(2026, 1, 1))
    assert old.name != "vertippt"
    assert LeistungChange.objects.get().new_id == "99102013000000"


def test_a_file_with_other_columns_is_refused_and_changes_nothing(folder: Path) -> None:
    rewrite(folder, "ars,valid_from", "rs,valid_from")
    with pytest.raises((DataError, psycopg.Error)):
        load_reference(folder)


def test_the_command_says_what_changed(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_reference")
    call_command("load_reference")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Regionen: 12.501 neu, 0 geändert")
    assert lines[5] == "Regionen: 0 neu, 0 geändert, 12.501 unverändert"


def test_postcodes_are_loaded_and_those_of_a_sync_stay(folder: Path) -> None:
    (folder / "postcodes.csv").write_text("ars,postcode\n010010000000,24937\n", encoding="utf-8")
    load_reference(folder)
    assert Region.objects.get(pk="010010000000").postcode == "24937"
    Region.objects.filter(pk="010000000000").update(postcode="24105")
    load_reference(folder)
    assert Region.objects.get(pk="010000000000").postcode == "24105"
