"""Services that report at mixed levels: sums beside their parts, and parents beside parts."""

import datetime as dt
import time

import numpy as np
import pytest

from services.models import OnlineService, ReportingLevel
from tests.factories import ServiceFactory
from tests.transactions.country import (
    BERLIN,
    DARMSTADT,
    DEIDESHEIM,
    FRANKFURT,
    FULDA,
    GELNHAUSEN,
    HESSEN,
    KUENZELL,
    MAINTAL,
    MAY,
    MKK,
    VERBAND,
    checked,
    delivered,
    row,
)
from transactions import overlaps
from transactions.models import TransactionCount
from transactions.values import REMOVE

APRIL = dt.date(2025, 4, 1)
GERMANY = "000000000000"


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    return ServiceFactory(reporting_level=ReportingLevel.MIXED)


def found(*rows: str, **values: object) -> tuple[list[str], list[str]]:
    """The keys in rows that count something twice, and in rows that are only warned about."""
    result = checked(*rows, **values)
    assert {fault.code for fault in result.faults} <= {"doppelzaehlung"}
    assert {warning.code for warning in result.warnings} <= {"teil_und_ganzes"}
    return [fault.value for fault in result.faults], [warning.value for warning in result.warnings]


@pytest.mark.django_db
def test_a_land_that_is_the_sum_of_its_kreise_counts_twice(service: OnlineService) -> None:
    result = checked(row(service, HESSEN, 10), row(service, MKK, 4), row(service, FULDA, 6))
    (fault,) = result.faults
    assert (fault.code, fault.line, fault.field, fault.value) == ("doppelzaehlung", 2, "ars", HESSEN)
    assert "Hessen" in fault.message
    assert "Summe der 2 " in fault.message
    assert "Mai 2025" in fault.message
    assert (result.fault_count, result.faulty_rows) == (1, 1)


@pytest.mark.django_db
def test_a_parent_and_its_parts_are_one_warning_for_each_parent(service: OnlineService) -> None:
    rows = [row(service, HESSEN, 12), row(service, MKK, 4), row(service, FULDA, 6), row(service, MAINTAL, 1)]
    result = checked(*rows)
    assert result.faults == []
    assert [(finding.code, finding.line, finding.value) for finding in result.warnings] == [
        ("teil_und_ganzes", 2, HESSEN),
        ("teil_und_ganzes", 3, MKK),
    ]
    assert "Hessen" in result.warnings[0].message


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "doubles", "warnings"),
    [
        # every level reports its total: each parent is the sum of what is next below it
        ([(HESSEN, 10), (MKK, 4), (MAINTAL, 1), (GELNHAUSEN, 3), (FULDA, 6)], [HESSEN, MKK], []),
        # the Kreis reports its total, the Land something of its own
        ([(HESSEN, 7), (MKK, 4), (MAINTAL, 1), (GELNHAUSEN, 3)], [MKK], [HESSEN]),
        # parts report only their own, and the Land all of it
        ([(HESSEN, 10), (MKK, 4), (MAINTAL, 1), (GELNHAUSEN, 5)], [HESSEN], [MKK]),
        # Gemeinden of several Kreise with no Kreis between
        ([(HESSEN, 10), (MAINTAL, 1), (GELNHAUSEN, 5), (KUENZELL, 4)], [HESSEN], []),
        # a Regierungsbezirk between; Fulda is not in it
        ([(HESSEN, 10), (DARMSTADT, 4), (MKK, 1), (FRANKFURT, 3), (FULDA, 6)], [HESSEN, DARMSTADT], []),
        # Germany is above all
        ([(GERMANY, 10), (HESSEN, 4), (BERLIN, 6)], [GERMANY], []),
        ([(GERMANY, 10), (BERLIN, 6), (MAINTAL, 4)], [GERMANY], []),
        ([(GERMANY, 11), (HESSEN, 4), (BERLIN, 6)], [], [GERMANY]),
        # a Verband and its Gemeinde: one part is no sum
        ([(VERBAND, 5), (DEIDESHEIM, 5)], [], [VERBAND]),
        ([(HESSEN, 4), (MKK, 4)], [], [HESSEN]),
        # a second part of 0 makes no sum either
        ([(HESSEN, 4), (MKK, 4), (FULDA, 0)], [], [HESSEN]),
        # where either side is 0, nothing can count twice
        ([(HESSEN, 0), (MKK, 4), (FULDA, 6)], [], []),
        ([(HESSEN, 4), (MKK, 0), (FULDA, 0)], [], []),
        # a Kreis that reports 0 does not hide its Gemeinden
        ([(HESSEN, 4), (MKK, 0), (MAINTAL, 1), (GELNHAUSEN, 3)], [HESSEN], []),
        # neighbours
        ([(MKK, 10), (FULDA, 4), (FRANKFURT, 6), (BERLIN, 10)], [], []),
        ([(FULDA, 5), (MAINTAL, 2), (GELNHAUSEN, 3)], [], []),
        # what is taken back is not there
        ([(HESSEN, 10), (MKK, 4), (FULDA, 6), (MAINTAL, "löschen")], [HESSEN], []),
        ([(HESSEN, "löschen"), (MKK, 4), (FULDA, 6)], [], []),
    ],
)
def test_what_is_a_sum_and_what_is_not(
    service: OnlineService, rows: list[tuple[str, int | str]], doubles: list[str], warnings: list[str]
) -> None:
    assert found(*(row(service, ars, count) for ars, count in rows)) == (doubles, warnings)


@pytest.mark.django_db
def test_months_and_services_are_looked_at_apart(service: OnlineService) -> None:
    other = ServiceFactory(reporting_level=ReportingLevel.MIXED)
    kreise = ServiceFactory(reporting_level=ReportingLevel.KREIS)
    rows = [
        row(service, HESSEN, 10), row(service, MKK, 4), row(service, FULDA, 6, APRIL), row(other, FULDA, 6),
        row(kreise, BERLIN, 1), row(other, GERMANY, 5, APRIL), row(other, HESSEN, 2, APRIL),
        row(other, BERLIN, 3, APRIL),
    ]  # fmt: skip
    assert found(*rows) == ([GERMANY], [HESSEN])


@pytest.mark.django_db
def test_services_with_one_level_are_not_looked_at(
    country_regions: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlaps, "find", None)
    berlin_is_all_levels = ServiceFactory(reporting_level=ReportingLevel.GEMEINDE)
    assert found(row(berlin_is_all_levels, BERLIN, 1)) == ([], [])


# --- together with what is stored ------------------------------------------------------------------


@pytest.mark.django_db
def test_a_parent_is_compared_with_stored_parts(service: OnlineService) -> None:
    delivered(row(service, MKK, 4), row(service, FULDA, 6))
    assert found(row(service, HESSEN, 10)) == ([HESSEN], [])
    assert found(row(service, HESSEN, 11)) == ([], [HESSEN])
    assert found(row(service, HESSEN, 10, APRIL)) == ([], [])
    assert found(row(service, HESSEN, 10), row(service, FULDA, 7)) == ([], [HESSEN])
    assert found(row(service, HESSEN, 10), row(service, FULDA, "löschen")) == ([], [HESSEN])
    assert found(row(service, GERMANY, 10)) == ([GERMANY], [])


@pytest.mark.django_db
def test_a_part_is_compared_with_its_stored_parent_and_names_itself(service: OnlineService) -> None:
    delivered(row(service, HESSEN, 10), row(service, MKK, 4))
    result = checked(row(service, BERLIN, 1), row(service, FULDA, 6))
    (fault,) = result.faults
    assert (fault.line, fault.value, fault.params["name"]) == (3, FULDA, "Hessen")
    assert found(row(service, FULDA, 7)) == ([], [FULDA])
    assert found(row(service, FULDA, 6), row(service, HESSEN, "löschen")) == ([], [])
    assert found(row(service, KUENZELL, 6)) == ([KUENZELL], [])


@pytest.mark.django_db
def test_what_was_stored_before_and_is_not_touched_is_not_judged(service: OnlineService) -> None:
    delivered(row(service, HESSEN, 11), row(service, MKK, 4), row(service, FULDA, 6))
    TransactionCount.objects.filter(ars=HESSEN).update(count=10)
    assert found(row(service, BERLIN, 1), row(service, FRANKFURT, "löschen")) == ([], [])
    assert found(row(service, FULDA, "löschen")) == ([], [])
    assert found(row(service, FULDA, 6)) == ([FULDA], [])


@pytest.mark.django_db
def test_where_months_are_replaced_stored_values_do_not_count(service: OnlineService) -> None:
    delivered(row(service, MKK, 4), row(service, FULDA, 6))
    scope = frozenset({(service.pk, MAY)})
    assert found(row(service, HESSEN, 10), scope=scope) == ([], [])
    assert found(row(service, HESSEN, 10), row(service, MKK, 4), row(service, FULDA, 6), scope=scope) == (
        [HESSEN],
        [],
    )


@pytest.mark.django_db
def test_many_rows_find_their_stored_parents_as_few_do(
    service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlaps, "_FEW_KEYS", 0)
    delivered(row(service, HESSEN, 10), row(service, FRANKFURT, 4), row(service, BERLIN, 3))
    assert found(row(service, FULDA, 6), row(service, BERLIN, 3)) == ([FULDA], [])
    assert found(row(service, FULDA, 7), row(service, FRANKFURT, 4)) == ([], [FULDA])


@pytest.mark.django_db
def test_where_nothing_can_have_parts_only_parents_are_asked_for(
    service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlaps, "_stored_in_areas", None)
    delivered(row(service, FRANKFURT, 4), row(service, BERLIN, 3), row(service, MAINTAL, 3))
    assert found(row(service, FRANKFURT, 4), row(service, BERLIN, 4), row(service, MAINTAL, 3)) == ([], [])


# --- size ----------------------------------------------------------------------------------------


def a_million() -> overlaps.Values:
    """90 months of 16 Länder, 400 Kreise and 11,000 Gemeinden, none the sum of others."""
    laender = np.arange(1, 17) * 10**10
    kreise = (laender[:, None] + np.arange(1, 26) * 10**7).ravel()
    gemeinden = (kreise[:, None] + np.arange(1, 29) * 1_001).ravel()
    ars = np.sort(np.concatenate([laender, kreise, gemeinden]))
    count = np.where(ars % 10**7 == 0, 7, 1)
    months = 90
    rows = len(ars) * months
    return overlaps.Values(
        np.full(rows, 1), np.repeat(np.arange(600, 600 + months), len(ars)), np.tile(ars, months),
        np.tile(count, months), np.arange(rows),
    )  # fmt: skip


def test_a_million_rows_take_about_a_second() -> None:
    values = a_million()
    assert len(values) > 1_000_000
    start = time.monotonic()
    result = overlaps.find(values, values.ars % 1_000 == 0, replaces_months=True)
    assert time.monotonic() - start < 4  # room for a busy machine
    assert len(result) == 90 * (16 + 400)
    assert not any(overlap.is_double for overlap in result)


def test_areas_are_told_by_the_zeros_of_a_key() -> None:
    keys = [GERMANY, "100000000000", HESSEN, DARMSTADT, MKK, VERBAND, MAINTAL, "110000000000"]
    sizes = overlaps.area_size(np.array([int(key) for key in keys]))
    assert sizes.tolist() == [10**12, 10**10, 10**10, 10**9, 10**7, 10**3, 1, 10**10]


def test_removals_alone_are_not_judged() -> None:
    one = np.array([1])
    values = overlaps.Values(one, one, np.array([int(HESSEN)]), np.array([REMOVE]), np.array([0]))
    assert overlaps.find(values, np.array([True]), replaces_months=True) == []
