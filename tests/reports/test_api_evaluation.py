"""`/api/v1/auswertung`: one address, one answer; every sum is that of the pages, missing is null."""

import datetime as dt
from collections import defaultdict
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from ozgsync.models import Level, Region, RegionVersion
from portals.models import Portal
from reports.queries import corrections, evaluation
from reports.queries.completeness import completeness
from reports.queries.overview import overview
from services.models import OnlineService, PortalService
from tests.factories import LeistungFactory, PortalFactory, ServiceFactory
from tests.reports.conftest import BERLIN, GERMANY, HANAU, HESSEN, KREIS, MAINTAL, SAARLAND, Deliver
from tests.transactions.test_push import problem
from tests.transactions.test_schema_document import document, valid
from transactions.checks import check
from transactions.closing import close_months
from transactions.delivery import deliver
from transactions.models import Delivery
from transactions.publication import publish
from transactions.rows import Rows

__all__ = ["document"]
pytestmark = pytest.mark.django_db

URL = "/api/v1/auswertung"
MAY = "2026-05"


def ask(**query: Any) -> Any:
    answer = Client().get(URL, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def rows(**query: Any) -> list[list[Any]]:
    found: list[list[Any]] = ask(**query)["zeilen"]
    return found


@pytest.fixture
def bafoeg(deliver_counts: Deliver) -> OnlineService:
    """One published service with values at every level, from February on."""
    leistung = LeistungFactory(schluessel="99900000001017")
    service: OnlineService = ServiceFactory(name="BAföG Digital", published=True, leistung=leistung)
    deliver_counts(
        service,
        {
            (MAY, MAINTAL): 3, (MAY, HANAU): 40, (MAY, BERLIN): 500, (MAY, SAARLAND): 0, (MAY, GERMANY): 7000,
            ("2026-02", HANAU): 1, ("2026-04", HANAU): 2, ("2026-06", HANAU): 9,
        },
    )  # fmt: skip
    return service


# --- the shape -----------------------------------------------------------------------------------


def test_how_many_in_may_with_bafoeg_digital_in_hessen(
    bafoeg: OnlineService, document: dict[str, Any]
) -> None:
    body = ask(onlineservice=bafoeg.number, region=HESSEN, von=MAY, bis=MAY)
    assert body["zeilen"] == [[MAY, 43, "gemeldet"]]
    assert [(column["name"], column["typ"]) for column in body["spalten"]] == [
        ("zeitraum", "monat"), ("anzahl", "zahl"), ("status", "text"),
    ]  # fmt: skip
    meta = body["meta"]
    assert meta["titel"] == "BAföG Digital: Anträge in Hessen, Mai 2026"
    assert meta["zeitraum"] == MAY
    assert meta["filter"] == {"onlineservice": bafoeg.number, "region": HESSEN, "koernung": "monat"}
    assert meta["vollstaendigkeit"] == {"geliefert": 1, "erwartet": 1}
    assert meta["lizenz"] == "https://www.govdata.de/dl-de/by-2-0"
    assert meta["stand"].startswith("20")
    assert {"gebietsstand", "datenversion", "quelle", "hinweise"} <= meta.keys()
    valid(document, "Auswertung", body)


def test_the_last_full_month_is_what_is_meant(bafoeg: OnlineService) -> None:
    assert rows(onlineservice=bafoeg.number) == [[MAY, 7543, "gemeldet"]]
    assert rows(onlineservice=bafoeg.number, von="2026-04") == [
        ["2026-04", 2, "gemeldet"],
        [MAY, 7543, "gemeldet"],
    ]
    assert rows(onlineservice=bafoeg.number, bis="2026-02") == [["2026-02", 1, "gemeldet"]]
    assert rows(onlineservice=bafoeg.number, von="2026-06") == [["2026-06", 9, "laufend"]]


def test_missing_is_null_and_zero_is_zero(bafoeg: OnlineService) -> None:
    query = {"onlineservice": bafoeg.number, "von": "2026-03", "bis": "2026-06"}
    assert rows(region=SAARLAND, **query) == [
        ["2026-03", None, "fehlt"], ["2026-04", None, "fehlt"], [MAY, 0, "null_gemeldet"],
        ["2026-06", None, "fehlt"],
    ]  # fmt: skip
    assert rows(region=HESSEN, **query)[-1] == ["2026-06", 9, "laufend"]
    assert "vorläufig" in " ".join(ask(**query)["meta"]["hinweise"])


def test_quarters_and_years_say_how_many_months_they_have(bafoeg: OnlineService) -> None:
    query = {"onlineservice": bafoeg.number, "region": HESSEN, "von": "2026-01", "bis": "2026-06"}
    assert rows(koernung="quartal", **query) == [
        ["2026-Q1", 1, "gemeldet", 1, 3], ["2026-Q2", 54, "laufend", 3, 3],
    ]  # fmt: skip
    assert rows(koernung="jahr", **query) == [["2026", 55, "laufend", 4, 6]]
    body = ask(koernung="jahr", **query)
    assert [column["name"] for column in body["spalten"]][-2:] == ["monate_gemeldet", "monate"]


# --- parts ---------------------------------------------------------------------------------------


def test_parts_are_all_regions_of_the_level_and_the_rest(bafoeg: OnlineService) -> None:
    query = {"onlineservice": bafoeg.number, "von": MAY, "bis": MAY}
    assert rows(aufteilung="land", **query) == [
        [MAY, HESSEN, "Hessen", 43, "gemeldet"],
        [MAY, SAARLAND, "Saarland", 0, "null_gemeldet"],
        [MAY, BERLIN, "Berlin", 500, "gemeldet"],
        [MAY, None, "nicht auf die Ebene Land verteilt", 7000, None],
    ]
    assert rows(aufteilung="kreis", region=HESSEN, **query) == [
        [MAY, HANAU, "Hanau", 40, "gemeldet"], [MAY, KREIS, "Main-Kinzig-Kreis", 3, "gemeldet"],
    ]  # fmt: skip
    assert rows(aufteilung="gemeinde", region=KREIS, **query) == [[MAY, MAINTAL, "Maintal", 3, "gemeldet"]]


def test_regions_that_ended_in_the_period_are_parts_of_it(bafoeg: OnlineService) -> None:
    RegionVersion.objects.filter(region=HANAU).update(valid_from=dt.date(2026, 5, 1))
    found = rows(
        onlineservice=bafoeg.number,
        aufteilung="kreis",
        region=HESSEN,
        von="2026-04",
        bis=MAY,
        koernung="monat",
    )
    # In April there was no such Kreis: what was reported for its key is not lost.
    assert [row[:2] + row[3:4] for row in found] == [
        ["2026-04", KREIS, None], ["2026-04", None, 2], [MAY, HANAU, 40], [MAY, KREIS, 3],
    ]  # fmt: skip


def test_by_service(bafoeg: OnlineService, deliver_counts: Deliver) -> None:
    other, hidden = ServiceFactory(name="Wohngeld", published=True), ServiceFactory()
    ServiceFactory(name="Ohne Zahl", published=True)
    deliver_counts(other, {(MAY, HESSEN): 5})
    deliver_counts(hidden, {(MAY, HESSEN): 6})
    query = {"aufteilung": "onlineservice", "region": HESSEN, "von": "2026-04", "bis": MAY}
    assert rows(**query) == [
        ["2026-04", bafoeg.number, "BAföG Digital", 2, "gemeldet"],
        ["2026-04", other.number, "Wohngeld", None, "fehlt"],
        [MAY, bafoeg.number, "BAföG Digital", 43, "gemeldet"],
        [MAY, other.number, "Wohngeld", 5, "gemeldet"],
    ]


# --- what is counted -----------------------------------------------------------------------------


def test_all_together_are_the_published_ones_as_on_the_first_page(
    bafoeg: OnlineService, deliver_counts: Deliver
) -> None:
    other, hidden = ServiceFactory(published=True), ServiceFactory()
    deliver_counts(other, {(MAY, HESSEN): 5, (MAY, HANAU): 1})
    deliver_counts(hidden, {(MAY, HESSEN): 1_000_000})
    shown = overview(month=dt.date(2026, 5, 1))
    assert shown
    assert rows() == [[MAY, shown.value, "gemeldet"]]
    assert [row[3] for row in rows(aufteilung="land")] == [
        *(row.value for row in shown.laender.rows), shown.laender.undistributed,
    ]  # fmt: skip
    assert rows(region=HESSEN) == [[MAY, 49, "gemeldet"]]
    assert rows(region=HESSEN, aufteilung="kreis")[-1][:4] == [
        MAY,
        None,
        "nicht auf die Ebene Kreis verteilt",
        5,
    ]
    found = ask()["meta"]
    expected = completeness(month=dt.date(2026, 5, 1))
    assert found["vollstaendigkeit"] == {"geliefert": expected.delivered, "erwartet": expected.expected}
    assert found["titel"] == "Transaktionen in Deutschland, Mai 2026"


@pytest.fixture
def portal(bafoeg: OnlineService, deliver_counts: Deliver) -> Portal:
    """Held BAföG Digital until April, and holds another one since; and one that is not published."""
    found: Portal = PortalFactory(kuerzel="nord", name="Nordportal")
    PortalService.objects.create(
        portal=found, service=bafoeg, since=dt.date(2020, 1, 1), until=dt.date(2026, 5, 1)
    )
    other, hidden = ServiceFactory(published=True), ServiceFactory()
    for service in (other, hidden):
        deliver_counts(service, {("2026-04", HESSEN): 10, (MAY, HESSEN): 20})
        PortalService.objects.create(portal=found, service=service, since=dt.date(2026, 4, 10))
    return found


def test_a_portal_counts_who_belonged_to_it_in_the_month(portal: Portal, bafoeg: OnlineService) -> None:
    query = {"portal": "nord", "von": "2026-03", "bis": MAY}
    assert rows(**query) == [
        ["2026-03", None, "fehlt"], ["2026-04", 12, "gemeldet"], [MAY, 20, "gemeldet"],
    ]  # fmt: skip
    assert rows(region=HANAU, **query)[1] == ["2026-04", 2, "gemeldet"]
    april = {"portal": "nord", "von": "2026-04", "bis": "2026-04"}
    assert [row[3] for row in rows(aufteilung="onlineservice", **april)] == [2, 10]
    assert [row[3] for row in rows(aufteilung="kreis", region=HESSEN, **april)] == [2, None, 10]
    # March and April of the one, April and May of the other; March is missing.
    assert ask(**query)["meta"]["vollstaendigkeit"] == {"geliefert": 3, "erwartet": 4}
    title = "Portal Nordportal: Transaktionen in Deutschland, März 2026 bis Mai 2026"
    assert ask(**query)["meta"]["titel"] == title


def test_what_was_changed_after_its_month_was_closed_is_corrected(
    portal: Portal, bafoeg: OnlineService, operations: User
) -> None:
    close_months([dt.date(2026, 4, 1)], by=operations, reason="Jahresbericht")
    lines = Rows.of(service=[bafoeg.number], ars=[HANAU], month=["2026-04"], count=["3"])
    deliver(check(lines, by=operations), Delivery(channel="datei", user=operations, reason="Zahlendreher"))
    query = {"von": "2026-04", "bis": MAY}
    for scope, count in (({"onlineservice": bafoeg.number}, 3), ({}, 13), ({"portal": "nord"}, 13)):
        first, second = rows(region=HESSEN, **query, **scope)
        assert first == ["2026-04", count, "korrigiert"], scope
        assert second[2] == "gemeldet", scope
        parts = {row[1]: row[4] for row in rows(region=HESSEN, aufteilung="kreis", bis="2026-04", **scope)}
        assert parts[HANAU] == "korrigiert"
        assert parts[KREIS] == "fehlt"
    by_service = rows(aufteilung="onlineservice", bis="2026-04")
    assert [row[4] for row in by_service] == ["korrigiert", "gemeldet"]
    assert rows(region=HESSEN, koernung="quartal", von="2026-04", bis=MAY)[0][2] == "korrigiert"


# --- who may -------------------------------------------------------------------------------------


def test_what_is_not_published_is_not_there(bafoeg: OnlineService) -> None:
    hidden = ServiceFactory()
    for number in (hidden.number, "OS-999999", "BAföG"):
        problem(Client().get(URL, {"onlineservice": number}), 404, "nicht_gefunden")
    problem(Client().get(URL, {"portal": "gibt-es-nicht"}), 404, "nicht_gefunden")


def test_below_the_published_depth_there_is_nothing(bafoeg: OnlineService) -> None:
    OnlineService.objects.update(published_depth=Level.LAND)
    query = {"onlineservice": bafoeg.number}
    assert rows(region=HESSEN, **query) == [[MAY, 43, "gemeldet"]]
    for more in ({"region": KREIS}, {"region": HESSEN, "aufteilung": "kreis"}, {"region": MAINTAL}):
        detail = problem(Client().get(URL, {**query, **more}), 404, "nicht_gefunden")["detail"]
        assert "Ebene Land" in detail


def test_a_service_published_by_land_shows_in_no_kreis_of_many(deliver_counts: Deliver) -> None:
    service = ServiceFactory()
    deliver_counts(service, {(MAY, HANAU): 40})
    publish(service, by=None, depth=OnlineService.Depth.LAND)
    portal = PortalFactory(kuerzel="nord")
    PortalService.objects.create(portal=portal, service=service, since=dt.date(2020, 1, 1))
    for query in ({}, {"portal": "nord"}):
        assert rows(region=HESSEN, **query) == [[MAY, 40, "gemeldet"]]
        assert rows(region=HANAU, **query) == [[MAY, None, "fehlt"]]
    assert rows(region=HANAU, aufteilung="onlineservice") == []


def test_no_kreis_tells_what_was_corrected_in_a_service_published_by_land(
    deliver_counts: Deliver, operations: User
) -> None:
    by_land, by_kreis = ServiceFactory(), ServiceFactory()
    deliver_counts(by_land, {(MAY, HANAU): 40})
    deliver_counts(by_kreis, {(MAY, HANAU): 2})
    publish(by_land, by=None, depth=OnlineService.Depth.LAND)
    publish(by_kreis, by=None)
    close_months([dt.date(2026, 5, 1)], by=operations, reason="Jahresbericht")
    lines = Rows.of(service=[by_land.number], ars=[HANAU], month=[MAY], count=["41"])
    deliver(check(lines, by=operations), Delivery(channel="datei", user=operations, reason="Zahlendreher"))
    # Both ways to the same figure: the interface and the page of the region.
    months = [dt.date(2026, 5, 1)]
    for place, corrected in ((HESSEN, True), (HANAU, False)):
        assert (rows(region=place)[0][2] == "korrigiert") == corrected
        digits = 2 if place == HESSEN else 5
        assert bool(corrections.of_published(months, digits=digits, within=place[:digits])) == corrected


def test_across_services_nothing_is_deeper_than_kreise(regions: dict[str, Region]) -> None:
    for query in ({"region": MAINTAL}, {"region": KREIS, "aufteilung": "gemeinde"}):
        problem(Client().get(URL, query), 404, "nicht_gefunden")


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"von": "Mai"}, "von muss ein Monat"),
        ({"bis": "2026-07"}, "bis muss ein Monat"),
        ({"von": MAY, "bis": "2026-04"}, "von liegt nach bis"),
        ({"koernung": "woche"}, "monat, quartal, jahr"),
        ({"aufteilung": "strasse"}, "land, kreis, gemeinde, onlineservice"),
        ({"aufteilung": "land", "region": HESSEN}, "nicht nach der Ebene Land"),
        ({"monat": MAY}, "monat"),
        ({"onlineservice": "{service}", "portal": "nord"}, "nicht beides"),
        ({"onlineservice": "{service}", "aufteilung": "onlineservice"}, "nicht nach Onlineservices"),
    ],
    ids=str,
)
def test_a_question_that_cannot_be_read_is_400(
    portal: Portal, bafoeg: OnlineService, query: dict[str, str], said: str
) -> None:
    asked = {name: value.format(service=bafoeg.number) for name, value in query.items()}
    assert said in problem(Client().get(URL, asked), 400, "nicht_lesbar")["detail"]


@pytest.mark.parametrize("ars", ["hessen", "06", "990000000000", "0600000000000"])
def test_an_unknown_region_is_404(bafoeg: OnlineService, ars: str) -> None:
    assert ars in problem(Client().get(URL, {"region": ars}), 404, "nicht_gefunden")["detail"]


def test_too_much_is_refused_before_it_is_read(
    bafoeg: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "MOST_VALUES", 5)
    monkeypatch.setattr(evaluation, "_found", None)
    query = {"onlineservice": bafoeg.number, "aufteilung": "land", "von": "2026-04", "bis": MAY}
    assert "6 Werte" in problem(Client().get(URL, query), 400, "nicht_lesbar")["detail"]


def test_in_english(bafoeg: OnlineService) -> None:
    answer = Client().get(URL, {"onlineservice": bafoeg.number}, headers={"Accept-Language": "en"})
    assert answer.json()["spalten"][0]["titel"] == "Period"
    assert "Accept-Language" in answer["Vary"]


# --- cost, caching -------------------------------------------------------------------------------


def test_kept_until_something_is_delivered(bafoeg: OnlineService, deliver_counts: Deliver) -> None:
    answer = Client().get(URL)
    assert "public" in answer["Cache-Control"]
    tag = {"If-None-Match": answer["ETag"]}
    assert Client().get(URL, headers=tag).status_code == 304
    deliver_counts(bafoeg, {(MAY, HANAU): 41})
    assert Client().get(URL, headers=tag).json()["zeilen"] == [[MAY, 7544, "gemeldet"]]


def test_the_number_of_queries_does_not_depend_on_the_period(
    bafoeg: OnlineService, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for first in ("2026-04", "2016-01"):
        with django_assert_max_num_queries(10):
            rows(onlineservice=bafoeg.number, von=first, bis=MAY, aufteilung="land")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    values=st.dictionaries(
        st.tuples(st.sampled_from([f"2026-{m:02d}" for m in range(1, 6)]),
                  st.sampled_from([GERMANY, HESSEN, SAARLAND, BERLIN, HANAU, KREIS, MAINTAL])),
        st.one_of(st.none(), st.integers(0, 1000)), min_size=1,
    ),
    grain=st.sampled_from(["monat", "quartal", "jahr"]),
)  # fmt: skip
def test_parts_sum_to_the_whole_at_every_level(
    bafoeg: OnlineService, deliver_counts: Deliver, values: dict[tuple[str, str], int | None], grain: str
) -> None:
    deliver_counts(bafoeg, values)
    query = {"von": "2026-01", "bis": MAY, "koernung": grain}
    for scope in ({}, {"onlineservice": bafoeg.number}):
        for region, splits in ((GERMANY, ["land", "kreis"]), (HESSEN, ["kreis"]), (KREIS, [])):
            whole = {row[0]: row[1] for row in rows(region=region, **query, **scope)}
            for split in [*splits, *(["gemeinde"] if scope else ["onlineservice"])]:
                sums: dict[str, Any] = defaultdict(lambda: None)
                for period, _key, _name, value, *_rest in rows(
                    region=region, aufteilung=split, **query, **scope
                ):
                    sums[period] = sums[period] if value is None else (sums[period] or 0) + value
                assert {period: sums[period] for period in whole} == whole, (region, split)
