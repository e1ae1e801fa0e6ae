"""The yearly lists of changes: versions and successors from what became of each key."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Sequence
from typing import Any

import pytest
import xlsxwriter
from celery.schedules import crontab
from django.utils import timezone
from pytest_httpserver import HTTPServer

from ozgsync import sources
from ozgsync.loading import load_reference
from ozgsync.models import Region, RegionChange, RegionToday, RegionVersion, SyncRun
from ozgsync.sync import running
from zsk.feeds import Feed

pytestmark = pytest.mark.django_db
Status = SyncRun.Status


def line(
    change_id: str, old: str, new: str, kind: str, day: Any, *, names: Sequence[str] = ("Alt", "Neu"),
    level: str = "Gemeinde", people: Any = 100,
) -> list[Any]:  # fmt: skip
    ags = [key[:5] + key[9:] for key in (old, new)]
    return [change_id, level, old, ags[0], names[0], kind, 1000, people, new, ags[1], names[1], day, day]


def workbook(*lines: list[Any]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "dd.mm.yyyy"}) as book:
        sheet = book.add_worksheet("Gebietsänderungen")
        sheet.write_row(0, 0, ["Namens-, Grenz- und Schlüsseländerungen"])
        sheet.write_row(2, 0, ["lfd. Nr.", "Ebene", "ARS", "AGS", "Name", "Art", "Fläche", "Bevölkerung"])
        for number, cells in enumerate(lines, start=4):
            sheet.write_row(number, 0, cells)
    return file.getvalue()


def sync(*lines: list[Any]) -> SyncRun:
    content = iter([workbook(*lines)])
    return running.run(sources.source("gebietsaenderungen"), file="2024.xlsx", content=content)


def place(ars: str, name: str, since: str = "2016-01-01", until: str | None = None) -> None:
    region, _new = Region.objects.get_or_create(
        ars=ars, defaults={"name": name, "level_top": 5, "level_bottom": 5}
    )
    RegionVersion.objects.create(region=region, name=name, kind="Gemeinde", valid_from=since, valid_to=until)


def versions(ars: str) -> list[tuple[str, str, str | None]]:
    found = RegionVersion.objects.filter(region=ars).order_by("valid_from")
    return [(v.name, str(v.valid_from), str(v.valid_to) if v.valid_to else None) for v in found]


def changes() -> list[tuple[str, str, str, float | None]]:
    found = RegionChange.objects.order_by("old", "new").values_list("old", "new", "kind", "share")
    return [(old, new, kind, None if share is None else float(share)) for old, new, kind, share in found]


A, B, C = "160765051001", "160765051002", "160765051003"


def test_two_gemeinden_that_merge_into_a_new_one() -> None:
    place(A, "Adorf")
    place(C, "Neudorf", "2024-12-31")
    done = sync(
        line("16/2024/0001-R", A, C, "1", "01.01.2024", names=("Adorf", "Neudorf")),
        line("16/2024/0001-R", B, C, "1", "01.01.2024", names=("Bdorf", "Neudorf")),
    )
    assert (done.status, done.error, done.warnings) == (Status.APPLIED, "", [])
    assert versions(A) == [("Adorf", "2016-01-01", "2024-01-01")]
    # Nobody knew of it before: it was there since the beginning of history.
    assert versions(B) == [("Bdorf", "2016-01-01", "2024-01-01")]
    # What the register saw only at its next date began with the merger.
    assert versions(C) == [("Neudorf", "2024-01-01", "2024-12-31"), ("Neudorf", "2024-12-31", None)]
    assert changes() == [(A, C, "zusammenschluss", 1.0), (B, C, "zusammenschluss", 1.0)]


def test_days_may_stand_in_cells_of_dates() -> None:
    place(A, "Adorf")
    place(B, "Bdorf")
    done = sync(line("16/2024/0001-R", A, B, "1", dt.date(2024, 1, 1), names=("Adorf", "Bdorf")))
    assert (done.status, done.warnings) == (Status.APPLIED, [])
    assert versions(A) == [("Adorf", "2016-01-01", "2024-01-01")]


def test_the_same_list_again_changes_nothing() -> None:
    place(A, "Adorf")
    lines = [line("16/2024/0001-R", A, C, "1", "01.01.2024"), line("16/2024/0002-N", C, C, "4", "01.06.2024")]
    sync(*lines)
    assert sync(*lines).status == Status.SAME


def test_an_incorporation_leaves_the_other_as_it_is() -> None:
    place(A, "Adorf")
    place(B, "Bdorf")
    sync(line("16/2024/0001-R", A, B, "1", "01.01.2024", names=("Adorf", "Bdorf")))
    assert versions(B) == [("Bdorf", "2016-01-01", None)]
    assert changes() == [(A, B, "eingliederung", 1.0)]


def test_a_new_key_and_a_chain_of_two_reforms() -> None:
    place(A, "Adorf")
    sync(
        line("16/2019/0001-S", A, B, "3", "01.07.2019", names=("Adorf", "Adorf")),
        line("16/2024/0001-R", B, C, "1", "01.01.2024", names=("Adorf", "Cdorf")),
    )
    assert versions(A) == [("Adorf", "2016-01-01", "2019-07-01")]
    assert versions(B) == [("Adorf", "2019-07-01", "2024-01-01")]
    assert versions(C) == [("Cdorf", "2024-01-01", None)]
    assert changes() == [(A, B, "schluesselaenderung", 1.0), (B, C, "eingliederung", 1.0)]


def test_a_new_name_begins_a_version() -> None:
    place(A, "Adorf")
    sync(line("16/2020/0001-N", A, A, "4", "01.03.2020", names=("Adorf", "Bad Adorf")))
    assert versions(A) == [("Adorf", "2016-01-01", "2020-03-01"), ("Bad Adorf", "2020-03-01", None)]


def test_a_dissolved_gemeinde_that_is_divided_is_split_by_people() -> None:
    place(A, "Adorf")
    place(B, "Bdorf")
    place(C, "Cdorf")
    sync(
        line("16/2022/0003-R", A, B, "1", "01.01.2022", names=("Adorf", "Bdorf"), people="1.500"),
        line("16/2022/0003-R", A, C, "1", "01.01.2022", names=("Adorf", "Cdorf"), people="500"),
    )
    assert changes() == [(A, B, "teilung", 0.75), (A, C, "teilung", 0.25)]
    assert versions(A) == [("Adorf", "2016-01-01", "2022-01-01")]


def test_a_part_that_goes_leaves_the_rest_its_own_successor() -> None:
    place(A, "Adorf")
    place(B, "Bdorf")
    sync(line("16/2022/0003-G", A, B, "2", "01.01.2022", names=("Adorf", "Bdorf")))
    assert changes() == [(A, A, "teilung", None), (A, B, "teilung", None)]
    assert versions(A) == [("Adorf", "2016-01-01", None)]


@pytest.mark.parametrize("people", [5, "5"])
def test_a_part_is_measured_by_the_people_of_the_whole(people: Any) -> None:
    place(A, "Adorf")
    place(B, "Bdorf")
    RegionVersion.objects.filter(region=A).update(inhabitants=1000)
    lines = [line("16/2022/0003-G", A, B, "2", "01.01.2022", names=("Adorf", "Bdorf"), people=people)]
    sync(*lines)
    assert changes() == [(A, A, "teilung", None), (A, B, "teilung", 0.005)]
    assert sync(*lines).status == Status.SAME
    assert not RegionToday.objects.exists()


def test_a_run_that_is_taken_back_takes_its_ways_along() -> None:
    place(A, "Adorf")
    place(B, "Bdorf")
    done = sync(line("16/2024/0001-R", A, B, "1", "01.01.2024", names=("Adorf", "Bdorf")))
    assert [(row.ars, row.today) for row in RegionToday.objects.all()] == [(A, B)]
    running.roll_back(done, sources.source("gebietsaenderungen"), by="Petra")
    assert not RegionToday.objects.exists()


def test_where_nobody_moves_nothing_changes_for_counts() -> None:
    place(A, "Adorf")
    place(B, "Bdorf")
    place(C, "Cdorf")
    sync(
        line("16/2022/0003-G", A, B, "2", "01.01.2022", names=("Adorf", "Bdorf"), people=0),
        line("16/2022/0004-R", B, A, "1", "01.01.2023", names=("Bdorf", "Adorf"), people=900),
        line("16/2022/0004-R", B, C, "1", "01.01.2023", names=("Bdorf", "Cdorf"), people=0),
        # Nobody lives there, and still it went somewhere.
        line("16/2022/0005-R", C, A, "1", "01.01.2024", names=("Cdorf", "Adorf"), people=0),
    )
    assert changes() == [(B, A, "eingliederung", 1.0), (C, A, "eingliederung", 1.0)]


def test_a_kreisfreie_stadt_told_of_twice_is_not_divided() -> None:
    load_reference()
    RegionChange.objects.all().delete()
    names = {"names": ("Eisenach", "Eisenach")}
    sync(
        line("16/2021/0007-S", "16056", "16063", "1", "01.07.2021", level="Kreis", people=42000, **names),
        line("16/2021/0007-S", "160560000000", "160630105105", "1", "01.07.2021", people=42000, **names),
    )
    assert {(new, share) for _old, new, _kind, share in changes()} == {
        ("160630000000", 1.0), ("160630105105", 1.0),
    }  # fmt: skip
    found = RegionToday.objects.get(ars="160560000000")
    assert (found.today, found.exact) == ("160630105105", True)


def test_reforms_that_are_known_are_not_told_twice() -> None:
    load_reference()
    before = RegionChange.objects.count()
    goettingen = {"level": "Kreis", "names": ("Göttingen", "Göttingen, Landkreis")}
    done = sync(
        line("03/2016/0006-R", "03152", "03159", "1", "01.11.2016", **goettingen),
        line(
            "03/2016/0006-R",
            "3156",
            "03159",
            "1",
            "01.11.2016",
            level="Kreis",
            names=("Osterode", "Göttingen"),
        ),
        line("06/2026/0001-S", "064350014014", "064150000000", "3", "01.01.2026", names=("Hanau", "Hanau")),
    )
    assert done.status == Status.SAME
    assert RegionChange.objects.count() == before


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (line("16/2024/0001-R", "16076505100", "abc", "1", "01.01.2024"), "„abc“ ist kein Schlüssel"),
        (line("16/2024/0001-R", A, B, "9", "01.01.2024"), "Art der Änderung „9“"),
        (line("16/2024/0001-R", A, B, "1", "Januar"), "„Januar“ ist kein Datum"),
    ],
)
def test_a_line_that_cannot_be_read_is_left_out_and_named(cells: list[Any], said: str) -> None:
    place(A, "Adorf")
    rename = ("Adorf", "Bad Adorf")
    ids = (f"16/2024/{number:04}-N" for number in range(9))
    good = [line(change_id, A, A, "4", "01.01.2024", names=rename) for change_id in ids]
    done = sync(*good, cells)
    assert done.status == Status.APPLIED
    assert said in done.warnings[0]


@pytest.mark.parametrize("content", [b"<html></html>", b"PK\x03\x04", workbook()])
def test_what_is_no_list_of_changes_is_refused(content: bytes) -> None:
    done = running.run(sources.source("gebietsaenderungen"), file="x.xlsx", content=iter([content]))
    assert done.status == Status.FAILED
    assert done.error


def test_each_year_has_its_address_and_one_may_be_missing(httpserver: HTTPServer, settings: Any) -> None:
    place(A, "Adorf")
    feed = Feed(httpserver.url_for("/{jahr}.xlsx"), "", crontab())
    settings.SYNC_FEEDS = {**settings.SYNC_FEEDS, "gebietsaenderungen": feed}
    content = workbook(line("16/2024/0001-R", A, C, "1", "01.01.2024"))
    httpserver.expect_request("/2024.xlsx").respond_with_data(content)
    httpserver.expect_request(re.compile("/.*")).respond_with_data("", status=404)
    done = running.run(sources.source("gebietsaenderungen"))
    assert (done.status, done.error, done.cursor) == (Status.APPLIED, "", "2024")
    asked = [request.path for request, _response in httpserver.log]
    assert asked[0] == "/2016.xlsx"
    assert asked[-1] == f"/{timezone.localdate().year}.xlsx"
