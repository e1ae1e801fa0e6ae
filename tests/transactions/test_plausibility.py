"""Warnings about numbers that look wrong: what they say, when they are silent, what they cost."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ozgsync.models import RegionChange
from services.models import OnlineService
from tests.factories import ServiceFactory, land
from tests.transactions.country import (
    BERLIN,
    EISENACH,
    EISENACH_OLD,
    FRANKFURT,
    FULDA,
    HESSEN,
    KUENZELL,
    MAINTAL,
    MKK,
    checked,
    delivered,
    row,
)
from transactions import plausibility
from transactions.delivery import preview
from transactions.findings import Finding
from transactions.models import Delivery, DeliveryFinding, QualityCase
from zsk import months

pytestmark = pytest.mark.django_db

JUNE = dt.date(2026, 6, 1)
LAENDER = [f"{number:02d}0000000000" for number in range(1, 17)]


@pytest.fixture(autouse=True)
def june_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(months, "running", lambda: JUNE)


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    for ars in LAENDER:
        land(ars, f"Land {ars[:2]}")
    return ServiceFactory()


def year(
    service: OnlineService, ars: str, count: int, *, before: str = "2026-05", many: int = 36
) -> list[str]:
    """That many months before a month, all about alike."""
    end = months.parse(before)
    assert end
    span = months.span(months.shift(end, -many), months.shift(end, -1))
    return [row(service, ars, count + month.month, month) for month in span]


def notes(*rows: str, **values: Any) -> list[Finding]:
    return preview(checked(*rows, **values))[0].notes


def codes(*rows: str, **values: Any) -> list[str]:
    return [note.code for note in notes(*rows, **values)]


def laender(service: OnlineService, counts: list[int], month: str = "2026-05") -> list[str]:
    return [row(service, ars, count, month) for ars, count in zip(LAENDER, counts, strict=False)]


# --- its own past --------------------------------------------------------------------------------


def test_a_sum_far_from_the_season_says_how_far_and_what_was_expected(service: OnlineService) -> None:
    delivered(*year(service, BERLIN, 1_200))
    (note,) = notes(row(service, BERLIN, 12_040, "2026-05"))
    assert note.message == (
        f"{service.number}, Mai 2026: Die Summe ist 12.040 statt erwartet 1.090 bis 1.330"
        " (Mai 2023 bis 2025), das sind 807\u00a0% darüber."
    )
    assert (note.code, note.field, note.value, note.line) == ("summe_auffaellig", "anzahl", "12040", 2)
    assert note.service == service.pk
    assert note.is_warning


def test_usual_numbers_are_not_mentioned(service: OnlineService) -> None:
    delivered(*year(service, BERLIN, 1_200))
    assert notes(row(service, BERLIN, 1_350, "2026-05")) == []


def test_a_first_file_is_judged_by_its_own_earlier_months(service: OnlineService) -> None:
    rows = year(service, BERLIN, 1_200)
    assert codes(*rows) == []
    rows[30] = row(service, BERLIN, 120_000, "2025-11")
    (note,) = notes(*rows)
    assert note.params["monat"] == "November 2025"
    assert note.line == 32


def test_few_months_and_small_counts_raise_no_alarm(service: OnlineService) -> None:
    delivered(*year(service, BERLIN, 1_200, many=5), *year(service, FRANKFURT, 1, many=5))
    assert notes(row(service, BERLIN, 90_000, "2026-05")) == []
    other = ServiceFactory()
    delivered(*[line.replace(service.number, other.number) for line in year(service, BERLIN, 0)])
    assert notes(row(other, BERLIN, 20, "2026-05")) == []


def test_a_month_that_is_not_complete_is_not_too_low(service: OnlineService) -> None:
    delivered(*(line for ars in LAENDER for line in year(service, ars, 500)))
    assert codes(row(service, LAENDER[0], 510, "2026-05")) == []
    assert codes(*laender(service, [50] * 15 + [52])) == ["summe_auffaellig", "wert_auffaellig"]
    running = [row(service, ars, 20 + place, "2026-06") for place, ars in enumerate(LAENDER)]
    assert codes(*running) == []


def test_single_regions_are_counted_and_the_farthest_is_named(service: OnlineService) -> None:
    delivered(*(line for ars in LAENDER for line in year(service, ars, 500)))
    counts = [510 + place for place in range(16)]
    counts[3], counts[4] = 5_000, 9_000
    (note,) = [note for note in notes(*laender(service, counts)) if note.code == "wert_auffaellig"]
    assert note.params["anzahl"] == "2"
    assert note.params["werte"] == "16"
    assert note.params["name"] == "Land 05"
    assert note.params["ist"] == "9.000"
    assert note.line == 6


# --- master data ---------------------------------------------------------------------------------


def test_before_the_start_and_after_the_end(service: OnlineService) -> None:
    other = ServiceFactory(live_from=dt.date(2026, 3, 15), ended_on=dt.date(2026, 4, 20))
    rows = [
        row(other, ars, 3, month)
        for month in ("2026-02", "2026-03", "2026-04", "2026-05")
        for ars in (HESSEN, BERLIN)
    ]
    found = notes(*rows, row(other, FULDA, 0, "2026-02"))
    assert [(note.code, note.params["monat"], note.params["anzahl"]) for note in found] == [
        ("monat_vor_beginn", "Februar 2026", "2"), ("monat_nach_ende", "Mai 2026", "2"),
    ]  # fmt: skip
    assert "seit 15. März 2026" in found[0].message
    assert "seit 20. April 2026" in found[1].message
    # There was nothing, and that may be said.
    assert notes(row(other, HESSEN, 0, "2026-01")) == []


def test_outside_the_area_served(service: OnlineService) -> None:
    service.area.set([MKK, EISENACH_OLD])
    inside = [row(service, ars, 3, "2026-05") for ars in (MKK, MAINTAL, HESSEN)]
    assert notes(*inside) == []
    (note,) = notes(*inside, row(service, KUENZELL, 4, "2026-05"), row(service, BERLIN, 2, "2026-05"))
    assert (note.code, note.field, note.value) == ("region_ausserhalb", "ars", KUENZELL)
    assert (note.params["anzahl"], note.params["name"], note.params["ist"]) == ("2", "Künzell", "4")
    # What took the place of a region of the area belongs to it.
    assert RegionChange.objects.filter(old=EISENACH_OLD, new=EISENACH).exists()
    assert notes(row(service, EISENACH, 5, "2026-05")) == []


# --- the month itself, and the one before --------------------------------------------------------


def test_all_regions_equal(service: OnlineService) -> None:
    (note,) = notes(*laender(service, [250] * 16))
    assert (note.code, note.params["anzahl"], note.params["ist"]) == ("regionen_gleich", "16", "250")
    assert codes(*laender(service, [250] * 15 + [251])) == []
    assert codes(*laender(service, [1] * 16)) == []
    assert codes(*laender(service, [0] * 16)) == []
    assert codes(*laender(service, [250] * 7)) == []


def test_the_same_as_the_month_before_whether_stored_or_delivered_with_it(service: OnlineService) -> None:
    counts = list(range(100, 116))
    april, may = laender(service, counts, "2026-04"), laender(service, counts)
    assert codes(*april, *may) == ["wie_vormonat"]
    delivered(*april)
    (note,) = notes(*may)
    assert note.params["anzahl"] == "16"
    assert "wie im April 2026" in note.message
    # The same sum in another order is no repeat.
    assert codes(*laender(service, counts[::-1])) == []


def test_a_month_that_becomes_empty_is_no_repeat_of_one_without_transactions(service: OnlineService) -> None:
    delivered(row(service, BERLIN, 0, "2026-04"), row(service, BERLIN, 7, "2026-05"))
    assert codes(row(service, BERLIN, "löschen", "2026-05")) == []


# --- what it costs, where it stays ---------------------------------------------------------------


def test_what_a_delivery_does_not_change_is_not_judged_again(service: OnlineService) -> None:
    rows = laender(service, [250] * 16)
    assert delivered(*rows).warning_count == 1
    assert delivered(*rows).warning_count == 0


def test_warnings_are_kept_with_the_delivery_and_open_a_case(service: OnlineService) -> None:
    done = delivered(*laender(service, [250] * 16))
    kept = DeliveryFinding.objects.get(delivery=done)
    assert (kept.code, kept.severity, kept.service_id) == ("regionen_gleich", "hinweis", service.pk)
    assert QualityCase.objects.get().kinds == ["regionen_gleich"]
    assert Delivery.objects.get().warning_count == 1


def test_very_many_are_counted_and_not_dropped(
    service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.notes.MOST", 3)
    rows = [
        line for number in range(1, 6) for line in laender(service, [40 + number] * 16, f"2026-0{number}")
    ]
    found = notes(*rows)
    assert [note.code for note in found] == ["regionen_gleich"] * 3 + ["auffaelliges_mehr"]
    assert found[-1].params == {"anzahl": "2"}


def test_a_delivery_costs_the_same_however_many_services_and_months(service: OnlineService) -> None:
    delivered(*year(service, BERLIN, 1_200))
    others = [ServiceFactory() for _number in range(5)]

    def cost(*rows: str) -> int:
        ready = checked(*rows)
        with CaptureQueriesContext(connection) as asked:
            assert preview(ready)[0].notes == []
        return len(asked)

    one = cost(row(service, BERLIN, 1_210, "2026-05"))
    assert (
        cost(*[row(other, BERLIN, 10, f"2026-0{number}") for other in others for number in range(1, 5)])
        == one
    )


def test_a_million_rows_are_looked_at_in_seconds(service: OnlineService) -> None:
    """Arrays only: a loop over the rows would take ten times as long."""
    import time

    from tests.transactions.country import many
    from transactions.staging import ServiceMonthDiff

    regions = [f"06{number:010d}" for number in range(10_000)]
    rows = many(service, regions, 1_000_000, count=5, start=dt.date(2017, 1, 1))
    rows.count[:] = 5 + rows.row * 7919 % 101
    span = months.span(dt.date(2017, 1, 1), months.shift(dt.date(2017, 1, 1), 99))
    parts = [ServiceMonthDiff(service.pk, month, 10_000, 0, 0, 0, 550_000, 10_000) for month in span]
    start = time.process_time()
    plausibility.look(rows, parts)
    assert time.process_time() - start < 3
