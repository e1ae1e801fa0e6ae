"""Regions of the report and regions of today: every breakdown of both sums to the same total, to the unit."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from ozgsync import today as regions_today
from ozgsync.loading import LOAD_LOCK, raise_version
from ozgsync.models import Level, RegionChange, RegionVersion
from reports.queries import evaluation
from reports.queries.evaluation import Question
from reports.queries.region_page import region_report
from reports.queries.regions import place
from reports.queries.service_page import service_report
from services.models import OnlineService, ServiceState
from tests.factories import PortalFactory, RegionChangeFactory, RegionFactory, ServiceFactory, UserFactory
from tests.reports.conftest import TODAY
from tests.transactions import country
from tests.transactions.country import (
    BERLIN,
    DARMSTADT,
    EISENACH,
    EISENACH_OLD,
    FULDA,
    GELNHAUSEN,
    GERMANY,
    GOETTINGEN,
    HANAU,
    HANAU_OLD,
    HESSEN,
    KUENZELL,
    MAINTAL,
    MKK,
    OSTERODE,
    WARTBURG,
)  # fmt: skip
from transactions import totals
from transactions.checks import check
from transactions.delivery import deliver
from transactions.models import Delivery, TransactionCount
from transactions.publication import publish
from transactions.rows import Rows

pytestmark = pytest.mark.usefixtures("today")
NIEDERSACHSEN, THUERINGEN, GOETTINGEN_OLD = "030000000000", "160000000000", "031520000000"
OHM, NIDDA, OHM_NIDDA = "066310001001", "066310002002", "066310003003"
MAY_2016, MAY_2021, MAY_2025, MAY_2026 = (dt.date(year, 5, 1) for year in (2016, 2021, 2025, 2026))


def build() -> None:
    """`country` with its Länder, the split of the Main-Kinzig-Kreis, and a chain of two reforms in Fulda."""
    country.create()
    for ars, name in ((NIEDERSACHSEN, "Niedersachsen"), (THUERINGEN, "Thüringen")):
        RegionFactory(ars=ars, name=name, level_top=Level.LAND)
    RegionFactory(ars=GOETTINGEN_OLD, name="Göttingen (alt)", level_top=Level.KREIS)
    for ars in (OHM, NIDDA, OHM_NIDDA):
        RegionFactory(ars=ars)
    for old, new, day in (
        (GOETTINGEN_OLD, GOETTINGEN, "2016-11-01"), (OHM, NIDDA, "2018-01-01"),
        (NIDDA, OHM_NIDDA, "2022-07-01"),
    ):  # fmt: skip
        RegionChangeFactory(old_id=old, new_id=new, effective=dt.date.fromisoformat(day))
        RegionVersion.objects.filter(region=old).update(valid_to=day)
    for new in (MKK, HANAU):
        RegionChangeFactory(
            change_id="mkk", kind="teilung", old_id=MKK, new_id=new, effective=dt.date(2026, 1, 1), share=None
        )
    raise_version()


@pytest.fixture
def there(db: None) -> None:
    build()


@pytest.fixture
def operations(there: None) -> User:
    return UserFactory(is_operations=True)


@pytest.fixture
def service(there: None) -> OnlineService:
    return ServiceFactory(name="Wohngeld online", published=True)


def send(service: OnlineService, values: dict[tuple[dt.date, str], int], by: User) -> None:
    rows = Rows.of(
        service=[service.number] * len(values), ars=[ars for _month, ars in values],
        month=[f"{month:%Y-%m}" for month, _ars in values], count=[str(count) for count in values.values()],
    )  # fmt: skip
    checked = check(rows, by=by)
    assert checked.faults == []
    deliver(checked, Delivery(channel=Delivery.Channel.FILE, user=by, actor="Test"))


COUNTS = {
    (MAY_2016, OSTERODE): 3, (MAY_2016, GOETTINGEN_OLD): 5, (MAY_2016, EISENACH_OLD): 7,
    (MAY_2016, BERLIN): 11,
    (MAY_2016, HANAU_OLD): 13, (MAY_2016, MKK): 17, (MAY_2016, OHM): 19, (MAY_2016, NIDDA): 23,
    (MAY_2016, GERMANY): 29, (MAY_2021, EISENACH_OLD): 31, (MAY_2021, WARTBURG): 37, (MAY_2021, NIDDA): 41,
    (MAY_2025, HANAU_OLD): 43, (MAY_2025, MKK): 47, (MAY_2025, MAINTAL): 53, (MAY_2025, EISENACH): 59,
    (MAY_2025, BERLIN): 61, (MAY_2025, HESSEN): 67, (MAY_2026, HANAU): 71, (MAY_2026, MKK): 73,
    (MAY_2026, MAINTAL): 79, (MAY_2026, GOETTINGEN): 83, (MAY_2026, OHM_NIDDA): 89,
}  # fmt: skip


@pytest.fixture
def delivered(service: OnlineService, operations: User) -> OnlineService:
    send(service, COUNTS, operations)
    return service


def by_part(
    service: OnlineService | None, month: dt.date, parts: Level, *, now: bool, ars: str = GERMANY, **more: Any
) -> dict[str, int | None]:
    """Parts with a value by key; `rest` and what was divided by its names."""
    day = TODAY if now else None
    found = place(ars=ars, month=day or month)
    assert found
    question = Question(month, month, "monat", found, parts=parts, service=service, today=day, **more)
    cells = evaluation.evaluate(question)
    named = {
        cell.key or (f"{cell.divided.area.ars} {cell.divided.onto.ars}" if cell.divided else "rest"): cell
        for cell in cells
    }
    return {key: cell.value for key, cell in named.items() if cell.value is not None}


def test_goettingen_and_osterode_2016(delivered: OnlineService) -> None:
    then = by_part(delivered, MAY_2016, Level.KREIS, now=False)
    now = by_part(delivered, MAY_2016, Level.KREIS, now=True)
    assert (then[OSTERODE], then[GOETTINGEN_OLD]) == (3, 5)
    assert now[GOETTINGEN] == 8
    assert OSTERODE not in now


def test_eisenach_2021_before_and_after(delivered: OnlineService) -> None:
    for month, then, now in ((MAY_2016, 7, 7), (MAY_2021, 31, 31 + 37), (MAY_2025, None, 59)):
        old = by_part(delivered, month, Level.KREIS, now=False)
        assert old.get(EISENACH_OLD) == then
        assert by_part(delivered, month, Level.KREIS, now=True)[WARTBURG] == now
    assert by_part(delivered, MAY_2021, Level.GEMEINDE, now=True, ars=WARTBURG) == {EISENACH: 31, "rest": 37}


def test_hanau_2026_leaves_and_the_kreis_that_was_is_marked(delivered: OnlineService) -> None:
    then = by_part(delivered, MAY_2025, Level.KREIS, now=False, ars=HESSEN)
    assert then == {MKK: 43 + 47 + 53, "rest": 67}
    now = by_part(delivered, MAY_2025, Level.KREIS, now=True, ars=HESSEN)
    # Hanau and Maintal are known; only what was reported for the Kreis itself is not.
    assert now == {HANAU: 43, MKK: 53, f"{MKK} {DARMSTADT}": 47, "rest": 67}
    after = by_part(delivered, MAY_2026, Level.KREIS, now=True, ars=HESSEN)
    assert after == {HANAU: 71, MKK: 73 + 79, FULDA: 89}


def test_a_chain_of_two_reforms(delivered: OnlineService) -> None:
    assert by_part(delivered, MAY_2016, Level.GEMEINDE, now=True, ars=FULDA) == {OHM_NIDDA: 42}
    assert by_part(delivered, MAY_2016, Level.GEMEINDE, now=False, ars=FULDA) == {OHM: 19, NIDDA: 23}


@pytest.mark.parametrize("month", [MAY_2016, MAY_2021, MAY_2025, MAY_2026])
@pytest.mark.parametrize("level", [Level.LAND, Level.KREIS, Level.GEMEINDE])
def test_both_sum_to_the_same_at_every_level(delivered: OnlineService, month: dt.date, level: Level) -> None:
    total = sum(count for (of, _ars), count in COUNTS.items() if of == month)
    for now in (False, True):
        found = by_part(delivered, month, level, now=now)
        assert sum(value or 0 for value in found.values()) == total
        if (month, BERLIN) in COUNTS:
            assert found[BERLIN] == COUNTS[month, BERLIN]


def test_across_services_a_kreis_goes_as_a_whole(delivered: OnlineService) -> None:
    portal = PortalFactory()
    portal.held_services.create(service=delivered, since=dt.date(2016, 1, 1))
    for more in ({}, {"portal": portal}):
        assert by_part(None, MAY_2016, Level.KREIS, now=True, **more)[GOETTINGEN] == 8
        assert by_part(None, MAY_2021, Level.KREIS, now=True, **more) == {WARTBURG: 68, FULDA: 41}
        found = by_part(None, MAY_2025, Level.KREIS, now=True, ars=HESSEN, **more)
        assert found == {f"{MKK} {DARMSTADT}": 143, "rest": 67}


@pytest.mark.parametrize(
    ("depth", "level", "expected"),
    [
        (Level.KREIS, Level.KREIS, {f"{MKK} {DARMSTADT}": 43 + 47 + 53, "rest": 67}),
        (Level.LAND, Level.LAND, {HESSEN: 210}),
    ],
)
def test_the_difference_of_both_tells_nothing_that_is_not_published(
    delivered: OnlineService, depth: Level, level: Level, expected: dict[str, int]
) -> None:
    """Hanau was a Gemeinde: where only Kreise are public, the Kreis goes as a whole."""
    publish(delivered, depth=OnlineService.Depth(depth), by=None)
    within = HESSEN if level == Level.KREIS else GERMANY
    found = by_part(delivered, MAY_2025, level, now=True, ars=within)
    assert {key: found.get(key) for key in expected} == expected
    for ars in (GERMANY, HESSEN) if depth == Level.KREIS else (GERMANY,):
        shown = service_report(service=delivered, ars=ars, month=MAY_2025, depth=depth, today=True)
        assert shown
        assert shown.below
        rows = sum(row.value or 0 for row in shown.below.rows) + sum(row.value for row in shown.below.divided)
        assert rows + (shown.below.undistributed or 0) == shown.value == shown.below.total
        assert {row.area.ars for row in shown.below.divided} == ({MKK} if ars == HESSEN else set())


def test_the_page_of_a_service_sums_in_both(delivered: OnlineService) -> None:
    for now in (False, True):
        for ars in (GERMANY, HESSEN, MKK, WARTBURG, BERLIN):
            found = service_report(
                service=delivered, ars=ars, month=MAY_2025, depth=Level.GEMEINDE, today=now
            )
            assert found is not None
            for part in (found.beside, found.below):
                if part is not None and part.total is not None:
                    rows = sum(row.value or 0 for row in part.rows) + sum(row.value for row in part.divided)
                    assert rows + (part.undistributed or 0) == part.total
                    assert (part.undistributed or 0) >= 0
            if found.below:
                assert found.below.total == found.value
    assert found.germany == 43 + 47 + 53 + 59 + 61 + 67


def test_the_page_of_a_region_sums_in_both(delivered: OnlineService) -> None:
    then = region_report(ars=HESSEN, month=MAY_2025)
    now = region_report(ars=HESSEN, month=MAY_2025, today=True)
    assert then
    assert now
    assert then.value == now.value == 210
    assert (then.undistributed, now.undistributed) == (67, 67)
    assert [(row.area.ars, row.onto.ars, row.value) for row in now.divided] == [(MKK, DARMSTADT, 143)]
    kreis = region_report(ars=GOETTINGEN, month=MAY_2016, today=True)
    assert kreis
    assert kreis.value == 8


def test_totals_are_never_rewritten(delivered: OnlineService) -> None:
    before = totals.by_area(first=MAY_2016, last=MAY_2026, digits=12)
    RegionChangeFactory(old_id=MAINTAL, new_id=GELNHAUSEN, effective=dt.date(2026, 6, 1))
    raise_version()
    assert totals.by_area(first=MAY_2016, last=MAY_2026, digits=12) == before
    assert by_part(delivered, MAY_2026, Level.GEMEINDE, now=True, ars=MKK) == {GELNHAUSEN: 79, "rest": 73}


KEYS = [GERMANY, HESSEN, BERLIN, DARMSTADT, MKK, FULDA, MAINTAL, GELNHAUSEN, KUENZELL]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.dictionaries(
        st.tuples(st.sampled_from([MAY_2021, MAY_2025]), st.sampled_from(KEYS)), st.integers(1, 1000),
        min_size=1,
    ),
    changes=st.lists(
        st.tuples(
            st.sampled_from(KEYS[4:]), st.sampled_from(KEYS[4:]),
            st.sampled_from([dt.date(2020, 1, 1), dt.date(2022, 3, 15), dt.date(2026, 1, 1)]),
            st.sampled_from([None, 0.001, 0.5, 1]),
        ),
        max_size=5, unique_by=lambda row: row[:3],
    ),
)  # fmt: skip
def test_whatever_happened_both_sum_to_what_was_reported(
    service: OnlineService, operations: User, counts: dict[Any, int], changes: list[Any]
) -> None:
    with transaction.atomic():
        # Parts and wholes at once are a warning at most, unless one is the sum of the others.
        TransactionCount.objects.filter(service=service).delete()
        for (month, ars), count in counts.items():
            TransactionCount.objects.create(
                service=service, month=month, ars_id=ars, count=count, delivery=uuid4()
            )
        _make_totals(service)
        for old, new, day, share in changes:
            RegionChangeFactory(old_id=old, new_id=new, effective=day, share=share)
        regions_today.refresh()
        for month in (MAY_2021, MAY_2025):
            total = sum(count for (of, _ars), count in counts.items() if of == month)
            for level in (Level.LAND, Level.KREIS, Level.GEMEINDE):
                for now in (False, True):
                    found = by_part(service, month, level, now=now)
                    assert sum(value or 0 for value in found.values()) == total
                    assert all(value is None or value >= 0 for value in found.values())
        transaction.set_rollback(True)


def _make_totals(service: OnlineService) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO monthly_total (service_id, month, region, total, rows)"
            " SELECT service_id, month, rpad(left(ars, 5), 12, '0'), sum(count), count(*)"
            "   FROM transaction_count WHERE service_id = %s GROUP BY 1, 2, 3",
            [service.pk],
        )


@pytest.mark.django_db(transaction=True)
def test_a_reform_that_comes_in_during_a_delivery_leaves_no_half_state() -> None:
    build()
    by = UserFactory(is_operations=True)
    service = ServiceFactory(published=True)
    held, done = threading.Event(), threading.Event()

    def reform() -> None:
        """A sync in another connection: it ends a region that a delivery under way has values for."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOAD_LOCK])
                held.wait(20)
                RegionVersion.objects.filter(region=MAINTAL).update(valid_to="2025-01-01")
                RegionChange.objects.create(
                    change_id="spaet", kind="eingliederung", old_id=MAINTAL, new_id=GELNHAUSEN,
                    effective="2025-01-01", statistically="2025-01-01", share=1,
                )  # fmt: skip
                raise_version()
        finally:
            connections.close_all()
            done.set()

    other = threading.Thread(target=reform)
    other.start()
    rows = Rows.of(
        service=[service.number] * 2, ars=[MAINTAL, BERLIN], month=["2024-05", "2025-05"], count=["4", "6"]
    )
    checked = check(rows, by=by)
    with transaction.atomic():
        ServiceState.objects.select_for_update().get(service=service)
        held.set()
        # The sync commits while the delivery is under way: neither waits for the other.
        assert done.wait(20)
        deliver(checked, Delivery(channel=Delivery.Channel.FILE, user=by, actor="Test"))
    other.join()
    for month, total in ((dt.date(2024, 5, 1), 4), (MAY_2025, 6)):
        for now in (False, True):
            assert sum(v or 0 for v in by_part(service, month, Level.GEMEINDE, now=now).values()) == total
    assert by_part(service, dt.date(2024, 5, 1), Level.GEMEINDE, now=True) == {GELNHAUSEN: 4}
    # What is checked from now on knows of it.
    late = Rows.of(service=[service.number], ars=[MAINTAL], month=["2025-05"], count=["1"])
    assert [fault.code for fault in check(late, by=by).faults] == ["ars_beendet"]


def test_the_interface_offers_both(delivered: OnlineService) -> None:
    query = {"onlineservice": delivered.number, "region": HESSEN, "von": "2025-05", "bis": "2025-05",
             "aufteilung": "kreis"}  # fmt: skip
    then = Client().get("/api/v1/auswertung", query).json()
    now = Client().get("/api/v1/auswertung", {**query, "gebietsstand": "heute"}).json()
    assert then["meta"]["gebietsstand"] == "Gebietsstand der Meldung"
    assert now["meta"]["gebietsstand"] == "heutiger Gebietsstand"
    assert now["meta"]["filter"]["gebietsstand"] == "heute"
    assert sum(row[3] or 0 for row in then["zeilen"]) == sum(row[3] or 0 for row in now["zeilen"]) == 210
    assert [
        "2025-05", None, "Main-Kinzig-Kreis: aufgeteilt durch Reform, auf Darmstadt gezählt", 47, None,
    ] in now["zeilen"]  # fmt: skip
    assert Client().get("/api/v1/auswertung", {**query, "gebietsstand": "gestern"}).status_code == 400


def test_a_divided_gemeinde_is_not_told_apart_where_kreise_are_the_most_that_is_public(
    service: OnlineService, operations: User
) -> None:
    send(service, {(MAY_2025, MAINTAL): 53, (MAY_2025, KUENZELL): 5}, operations)
    for new in (GELNHAUSEN, KUENZELL):
        RegionChangeFactory(
            change_id="maintal", kind="teilung", old_id=MAINTAL, new_id=new, effective=dt.date(2026, 1, 1),
            share=None,
        )  # fmt: skip
    RegionVersion.objects.filter(region=MAINTAL).update(valid_to="2026-01-01")
    raise_version()
    # With all that there are in its Kreis, it cannot be told.
    shown = {Level.GEMEINDE: (MAINTAL, HESSEN), Level.KREIS: (MKK, DARMSTADT)}
    for depth, (divided, onto) in shown.items():
        found = service_report(service=service, ars=HESSEN, month=MAY_2025, depth=depth, today=True)
        assert found
        assert found.below
        assert [(row.area.ars, row.onto.ars) for row in found.below.divided] == [(divided, onto)]
        assert not found.below.undistributed
        OnlineService.objects.update(published_depth=depth)
        service.refresh_from_db()
        values = by_part(service, MAY_2025, Level.KREIS, now=True, ars=HESSEN)
        assert {key: value for key, value in values.items() if value} == {FULDA: 5, f"{divided} {onto}": 53}
