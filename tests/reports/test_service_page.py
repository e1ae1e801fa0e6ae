"""The page of one service: the mission's question, for one region and month."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ozgsync.models import GERMANY, Level
from reports.queries.service_page import ServiceReport, service_report
from services.models import OnlineService
from tests.factories import LeistungFactory, MemberFactory, ServiceFactory, UserFactory
from tests.reports.conftest import BERLIN, HANAU, HESSEN, KREIS, MAINTAL, SAARLAND, Deliver
from transactions import publication

MAY = dt.date(2026, 5, 1)
pytestmark = pytest.mark.usefixtures("regions", "today")


def page(client: Client, service: OnlineService, query: str = "") -> str:
    answer = client.get(f"/onlineservices/{service.number}/{query}")
    assert answer.status_code == 200
    return re.sub(r"[ \n]+", " ", answer.content.decode())


def report(service: OnlineService, ars: str, depth: Level = Level.GEMEINDE) -> ServiceReport:
    found = service_report(service=service, ars=ars, month=MAY, depth=depth)
    assert found is not None
    return found


def test_an_unpublished_service_is_for_signed_in_people_only(client: Client, deliver_counts: Deliver) -> None:
    hidden = ServiceFactory()
    deliver_counts(hidden, {("2026-05", HESSEN): 5})
    for name in ("", "verlauf.csv", "regionen.csv", "verlauf.svg"):
        assert client.get(f"/onlineservices/{hidden.number}/{name}").status_code == 404
    client.force_login(UserFactory())
    text = page(client, hidden)
    assert "nicht veröffentlicht" in text
    assert "<b>5</b>" in text


def test_the_numbers_lead_their_people_to_the_deliveries(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 5})
    link = f"/meine/onlineservices/{published.number}/zahlen/2026-05/"
    assert link not in page(client, published)
    client.force_login(UserFactory())
    assert link not in page(client, published)
    client.force_login(MemberFactory(service=published).user)
    assert link in page(client, published)


@pytest.mark.parametrize("number", ["OS-999999", "OS-000000000000000000", "OS-0000000000000000001"])
def test_an_unknown_service_is_a_404(client: Client, number: str) -> None:
    assert client.get(f"/onlineservices/{number}/").status_code == 404


def test_the_question_of_the_mission(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    leistung = LeistungFactory(schluessel="99022001017003", types=["2/3"])
    OnlineService.objects.filter(pk=published.pk).update(leistung=leistung)
    deliver_counts(
        published,
        {("2026-05", HESSEN): 1204, ("2025-05", HESSEN): 1118, ("2026-05", BERLIN): 2408},
    )
    text = page(client, published, f"?region={HESSEN}&monat=2026-05")
    assert "Im Mai 2026 wurden in Hessen <b>1.204</b> Anträge gestellt." in text
    assert "+7,7\u00a0%" in text
    assert "86 mehr" in text
    assert "33,3\u00a0%" in text
    assert "Rang 2 von 2 Ländern mit Angabe" in text
    assert f"/onlineservices/{published.number}/?region={HESSEN}&amp;monat=2026-05" in text
    assert "liefert aktuell, bis Mai 2026" in text


def test_zero_and_nothing_reported_are_not_the_same(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 0, ("2026-05", BERLIN): 1})
    assert "Gemeldet wurde ausdrücklich 0." in page(client, published, f"?region={HESSEN}")
    missing = page(client, published, f"?region={SAARLAND}")
    assert "Für Mai 2026 gibt es im Saarland keine Angabe." in missing
    assert "nicht für diese Region" in missing


def test_a_service_without_numbers_has_a_page(client: Client, published: OnlineService) -> None:
    text = page(client, published)
    assert "hat noch keine Zahlen geliefert" in text
    assert "noch nie geliefert" in text


@pytest.mark.parametrize("region", ["6", "060000000001", "60000000000", "abc", "06000000000%C2%B2", "'"])
def test_an_unknown_region_is_a_clear_404(client: Client, published: OnlineService, region: str) -> None:
    answer = client.get(f"/onlineservices/{published.number}/?region={region}")
    assert answer.status_code == 404
    assert "Für diese Region gibt es keine veröffentlichten Zahlen" in answer.content.decode()


@pytest.mark.parametrize("month", ["2026-13", "x", "2026-07", "2010-01"])
def test_a_month_that_does_not_exist_is_a_clear_404(
    client: Client, published: OnlineService, deliver_counts: Deliver, month: str
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    answer = client.get(f"/onlineservices/{published.number}/?monat={month}")
    assert answer.status_code == 404
    assert "Diesen Monat gibt es hier nicht" in answer.content.decode()


def test_every_breakdown_sums_to_its_whole(published: OnlineService, deliver_counts: Deliver) -> None:
    values = {GERMANY: 3, HESSEN: 5, KREIS: 7, MAINTAL: 11, HANAU: 13, BERLIN: 17}
    deliver_counts(published, {("2026-05", ars): count for ars, count in values.items()})
    country = report(published, GERMANY)
    assert country.value == 56
    assert country.below is not None
    assert {row.area.name: row.value for row in country.below.rows} == {
        "Hessen": 36,
        "Saarland": None,
        "Berlin": 17,
    }
    assert (country.below.undistributed, country.below.total) == (3, 56)
    land = report(published, HESSEN)
    assert land.below is not None
    assert {row.area.ars: row.value for row in land.below.rows} == {HANAU: 13, KREIS: 18}
    assert (land.value, land.below.undistributed) == (36, 5)
    kreis = report(published, KREIS)
    assert kreis.below is not None
    assert {row.area.ars: row.value for row in kreis.below.rows} == {MAINTAL: 11}
    assert (kreis.value, kreis.below.undistributed) == (18, 7)
    gemeinde = report(published, MAINTAL)
    assert (gemeinde.value, gemeinde.below) == (11, None)
    assert gemeinde.beside is not None
    assert gemeinde.beside.whole.ars == KREIS
    for city in (HANAU, BERLIN):
        assert report(published, city).below is None


def test_the_page_names_what_is_not_distributed(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 5, ("2026-05", KREIS): 7})
    text = page(client, published, f"?region={HESSEN}")
    assert "Nicht auf Kreise verteilt" in text
    assert f'<a href="?region={KREIS}&amp;monat=2026-05">Main-Kinzig-Kreis</a>' in text


def test_the_public_sees_regions_down_to_the_published_depth(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", MAINTAL): 4711, ("2026-05", HANAU): 1})
    publication.publish(published, depth=OnlineService.Depth.LAND, by=None)
    address = f"/onlineservices/{published.number}/"
    assert "<b>4.712</b>" in page(client, published, f"?region={HESSEN}")
    for text in (page(client, published), page(client, published, f"?region={HESSEN}")):
        assert "4.711" not in text
        assert MAINTAL not in text
        assert KREIS not in text
    for ars in (KREIS, HANAU, MAINTAL):
        assert client.get(f"{address}?region={ars}").status_code == 404
        assert client.get(f"{address}verlauf.csv?region={ars}").status_code == 404
    assert "4711" not in client.get(f"{address}regionen.csv?region={HESSEN}").content.decode()
    client.force_login(UserFactory())
    assert "4.711" in page(client, published, f"?region={KREIS}")


def test_published_down_to_the_kreise_no_gemeinde_is_shown(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", MAINTAL): 4711, ("2026-05", HANAU): 1})
    publication.publish(published, depth=OnlineService.Depth.KREIS, by=None)
    text = page(client, published, f"?region={KREIS}")
    assert "<b>4.711</b>" in text
    assert MAINTAL not in text
    address = f"/onlineservices/{published.number}/"
    for name in ("", "verlauf.csv", "regionen.csv"):
        assert client.get(f"{address}{name}?region={MAINTAL}").status_code == 404
    assert MAINTAL not in client.get(f"{address}regionen.csv?region={KREIS}").content.decode()
    assert client.get(f"{address}?region={HANAU}").status_code == 200


def test_what_a_correction_replaced_stays_visible(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1180})
    deliver_counts(published, {("2026-05", HESSEN): 1204})
    text = page(client, published, f"?region={HESSEN}")
    assert "vorher 1.180, seither 1.204" in text


def test_regions_offered_have_numbers_or_are_chosen(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", MAINTAL): 1})
    offered = {offer.level: [area.ars for area in offer.areas] for offer in report(published, KREIS).offers}
    assert offered == {Level.LAND: [HESSEN], Level.KREIS: [KREIS], Level.GEMEINDE: [MAINTAL]}
    assert f'<option value="{SAARLAND}" selected>' in page(client, published, f"?region={SAARLAND}")


@pytest.mark.parametrize(
    ("months", "ended", "badge"),
    [
        (["2026-05"], None, "liefert aktuell, bis Mai 2026"),
        (["2026-04"], None, "fällig bis 15. Juni 2026"),
        (["2026-04"], dt.date(2026, 5, 1), "außer Betrieb, Zahlen bis April 2026"),
        ([], None, "noch nie geliefert"),
    ],
)
def test_the_badge_says_how_deliveries_stand(
    client: Client,
    published: OnlineService,
    deliver_counts: Deliver,
    months: list[str],
    ended: dt.date | None,
    badge: str,
) -> None:
    if months:
        deliver_counts(published, {(month, HESSEN): 1 for month in months})
    OnlineService.objects.filter(pk=published.pk).update(ended_on=ended)
    assert badge in page(client, published)


def test_the_number_of_queries_does_not_grow_with_the_regions(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", KREIS): 1})
    with CaptureQueriesContext(connection) as small:
        page(client, published, f"?region={HESSEN}")
    values = {(f"2025-{m:02d}", ars): m for m in range(1, 13) for ars in (HANAU, BERLIN, MAINTAL)}
    deliver_counts(published, {**values, ("2026-05", HANAU): 2, ("2026-05", SAARLAND): 2})
    with CaptureQueriesContext(connection) as large:
        page(client, published, f"?region={HESSEN}")
    assert len(large) == len(small)


def test_names_from_outside_are_escaped(client: Client, deliver_counts: Deliver) -> None:
    service = ServiceFactory(name="<script>alert(1)</script>", published=True)
    deliver_counts(service, {("2026-05", HESSEN): 1})
    assert "<script>" not in page(client, service)
