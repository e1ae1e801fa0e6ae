"""The open dashboard: published services only, exact, and cheap."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Authority
from ozgsync.loading import raise_version
from ozgsync.models import OzgLeistung, Themenfeld
from portals.models import Portal
from reports.queries import overview as queries
from reports.queries.completeness import completeness
from services.models import OnlineService, PortalService
from tests.factories import (
    LeistungFactory,
    OzgLeistungFactory,
    PortalFactory,
    PortalServiceFactory,
    ServiceFactory,
    UserFactory,
)
from tests.reports.conftest import BERLIN, GERMANY, HANAU, HESSEN, KREIS, MAINTAL, Deliver
from transactions import publication, totals

MAY = dt.date(2026, 5, 1)
pytestmark = pytest.mark.usefixtures("regions", "today")


def page(client: Client, address: str = "/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    # Line breaks of the templates do not matter; no-break spaces do.
    return re.sub(r"[ \n]+", " ", answer.content.decode())


def test_unpublished_services_count_for_nobody(client: Client, deliver_counts: Deliver) -> None:
    hidden = ServiceFactory(name="Geheimer Dienst")
    deliver_counts(hidden, {("2026-05", HESSEN): 4711})
    assert "Geheimer Dienst" not in page(client)
    assert "4.711" not in page(client)
    client.force_login(UserFactory())
    assert "4.711" not in page(client)
    publication.publish(hidden, by=None)
    assert "<b>4.711</b>" in page(client)


def test_an_empty_portal_says_what_comes_next(client: Client) -> None:
    assert "Noch hat kein veröffentlichter Onlineservice Zahlen geliefert" in page(client)


@pytest.mark.parametrize("text", ["2026-13", "Mai", "2030-01", "2026-06", "1999-01", "2026-5", "%00", "'"])
def test_a_month_that_does_not_exist_is_a_clear_404(
    client: Client, published: OnlineService, deliver_counts: Deliver, text: str
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    answer = client.get(f"/?monat={text}")
    assert answer.status_code == 404
    assert "Diesen Monat gibt es hier nicht" in answer.content.decode()


@pytest.mark.parametrize("month", ["0001-01", "0001-12", "1999-12", "2015-12"])
def test_months_before_the_history_are_refused_before_anything_is_computed(
    client: Client, published: OnlineService, deliver_counts: Deliver, month: str
) -> None:
    for address in ("/", f"/regionen/{HESSEN}/", "/daten/vollstaendigkeit/", "/daten/verlauf.csv"):
        assert client.get(f"{address}?monat={month}").status_code in {200, 404}
    deliver_counts(published, {("2026-05", HESSEN): 1})
    own = f"/onlineservices/{published.number}/"
    pages = ["/", f"/regionen/{HESSEN}/", "/daten/vollstaendigkeit/", own]
    files = ["/daten/verlauf.csv", "/daten/laender.json", "/daten/rangfolge.csv", f"{own}verlauf.csv"]
    for address in pages + files:
        assert client.get(f"{address}?monat={month}").status_code == 404


def test_a_month_before_the_first_is_not_computed(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    for address in ("/", f"/regionen/{HESSEN}/", f"/onlineservices/{published.number}/"):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"{address}?monat=2020-01").status_code == 404
        assert not [query for query in asked.captured_queries if "monthly_total" in query["sql"]]
        assert len(asked) <= 4


def test_the_months_figures(client: Client, published: OnlineService, deliver_counts: Deliver) -> None:
    deliver_counts(
        published,
        {("2026-05", KREIS): 110, ("2025-05", KREIS): 100, ("2026-04", HESSEN): 50, ("2026-06", HESSEN): 3},
    )
    text = page(client)
    assert "Im Mai 2026 gingen bei Bund, Ländern und Kommunen <b>110</b>" in text
    assert "<b>+10,0\u00a0%</b><small>alle Onlineservices" in text
    assert "<b>160</b>" in text
    assert "gemeldet bis" in text
    assert "Juni 2026, läuft noch" in text
    assert "<b>50</b>" in page(client, "/?monat=2026-04")


def test_a_month_without_a_number_is_no_zero(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-03", HESSEN): 5, ("2026-04", HESSEN): 0})
    assert "Für Mai 2026 gibt es noch keine Angabe." in page(client)
    assert "<b>0</b> Anträge, Anzeigen und Meldungen" in page(client, "/?monat=2026-04")


def test_laender_and_the_rest_add_up_to_the_total(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    values = {GERMANY: 5, HESSEN: 7, KREIS: 11, HANAU: 13, MAINTAL: 17, BERLIN: 19}
    deliver_counts(published, {("2026-05", ars): count for ars, count in values.items()})
    whole = queries.overview(month=MAY)
    assert whole is not None
    found = whole.laender
    by_land = {row.area.name: row.value for row in found.rows}
    assert by_land == {"Hessen": 48, "Berlin": 19, "Saarland": None}
    assert (found.undistributed, found.total) == (5, 72)
    assert sum(value or 0 for value in by_land.values()) + (found.undistributed or 0) == found.total
    text = page(client)
    assert "Nicht auf Länder verteilt" in text
    assert "Berlin: 1 je 100.000 Einwohner, 19 Transaktionen" in text
    assert "Saarland: keine Angabe" in text
    absolute = page(client, "/?wert=absolut")
    assert "Die Spanne reicht von 19 in Berlin bis 48 in Hessen." in absolute


def test_page_and_files_give_the_same_figures(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", KREIS): 1110, ("2024-01", HESSEN): 1})
    assert "<b>1.110</b>" in page(client)
    curve = client.get("/daten/verlauf.json").json()["zeilen"]
    assert next(row for row in curve if row[0] == "2026-05")[1] == 1110
    assert client.get("/daten/laender.json").json()["zeilen"][-1][3] == 1110


def test_completeness_counts_who_is_expected(published: OnlineService, deliver_counts: Deliver) -> None:
    asked, invited = LeistungFactory(types=["2a", "4"]), LeistungFactory(types=["5"])
    OnlineService.objects.filter(pk=published.pk).update(leistung=asked)
    waiting = ServiceFactory(published=True, leistung=invited)
    never = ServiceFactory(published=True, leistung=LeistungFactory(types=[]))
    ServiceFactory(published=True, live_from=dt.date(2026, 5, 2))
    ServiceFactory(published=True, ended_on=dt.date(2026, 5, 1))
    ServiceFactory(live_from=None)
    deliver_counts(published, {("2026-05", HESSEN): 0})
    deliver_counts(waiting, {("2026-04", HESSEN): 1})
    found = completeness(month=MAY)
    assert (found.delivered, found.due, found.late, found.never) == (1, 1, 0, 1)
    assert found.expected == 3
    assert (found.asked.delivered, found.asked.expected) == (1, 1)
    assert (found.invited.delivered, found.invited.expected) == (0, 1)
    assert never.pk


def test_who_misses_a_past_month_is_late(published: OnlineService, deliver_counts: Deliver) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    assert completeness(month=dt.date(2026, 4, 1)).late == 1


def test_who_delivered_without_being_expected_counts_as_both(
    published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    OnlineService.objects.filter(pk=published.pk).update(ended_on=dt.date(2026, 5, 1))
    found = completeness(month=MAY)
    assert (found.delivered, found.expected) == (1, 1)


def test_comparable_is_who_delivered_for_every_month_of_both_periods(
    published: OnlineService, deliver_counts: Deliver
) -> None:
    new = ServiceFactory(published=True)
    hidden = ServiceFactory()
    both = {("2026-05", HESSEN): 11, ("2025-05", HESSEN): 10, ("2026-04", HESSEN): 5, ("2025-04", HESSEN): 0}
    for service in (published, hidden):
        deliver_counts(service, both)
    deliver_counts(new, {("2026-05", HESSEN): 100})
    found = queries.comparable(months_compared=[MAY])
    assert (found.services, found.now, found.before) == (1, 11, 10)
    two = queries.comparable(months_compared=[dt.date(2026, 4, 1), MAY])
    assert (two.services, two.now, two.before) == (1, 16, 10)
    whole = queries.overview(month=MAY)
    assert whole is not None
    assert (whole.single.now, whole.single.before) == (111, 10)


def test_the_ranking_marks_who_has_no_last_year(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    new = ServiceFactory(name="Ganz neu", published=True)
    deliver_counts(published, {("2026-05", HESSEN): 90, ("2025-05", HESSEN): 100})
    deliver_counts(new, {("2026-05", HESSEN): 100})
    assert [row.name for row in queries.ranking(month=MAY)] == ["Ganz neu", "Wohngeld online"]
    text = page(client)
    assert "<i>neu</i>" in text
    assert "<i>−10,0\u00a0%</i>" in text


def test_a_page_that_has_not_changed_is_answered_by_its_version_alone(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    first = client.get("/")
    assert first.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    assert "Cookie" in first.headers["Vary"]
    with CaptureQueriesContext(connection) as asked:
        again = client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert len(asked) == 1
    deliver_counts(published, {("2026-05", HESSEN): 2})
    assert client.get("/", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def _move(service: OnlineService) -> None:
    held = PortalService.objects.get(service=service)
    held.until = dt.date(2026, 5, 1)
    held.save()
    PortalServiceFactory(portal=PortalFactory(name="B"), service=service, since=held.until)


CHANGES: dict[str, Callable[[OnlineService], object]] = {
    "publication": lambda service: publication.withdraw(service, by=None),
    "master data": lambda service: OnlineService.objects.filter(pk=service.pk).update(name="Anders"),
    "another portal": _move,
    "portal renamed": lambda _service: Portal.objects.update(name="Neu"),
    "portal's authority renamed": lambda _service: Authority.objects.filter(portals__name="A").update(
        name="Neue Behörde"
    ),
    "Themenfeld renamed": lambda _service: Themenfeld.objects.update(name="Neues Feld"),
    "OZG-Leistung renamed": lambda _service: OzgLeistung.objects.update(name="Neue Leistung"),
    "reference data": lambda _service: raise_version(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_version_moves_with_whatever_a_page_shows(
    client: Client, published: OnlineService, deliver_counts: Deliver, change: str
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    PortalServiceFactory(portal=PortalFactory(name="A"), service=published)
    OzgLeistungFactory()
    before = client.get("/").headers["ETag"]
    CHANGES[change](published)
    assert client.get("/").headers["ETag"] != before


def test_the_version_moves_with_the_day(
    client: Client, published: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.get("/").headers["ETag"]
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args: dt.date(2026, 6, 11))
    assert client.get("/").headers["ETag"] != before


def test_folding_changes_neither_page_nor_version(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", KREIS): 8, ("2026-05", HESSEN): 3})
    before = client.get("/")
    totals.fold()
    cache.clear()
    after = client.get("/")
    assert (after.headers["ETag"], after.content) == (before.headers["ETag"], before.content)


def test_a_person_gets_an_answer_of_their_own(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    public = client.get("/")
    client.force_login(UserFactory(first_name="Olga", last_name="Owner"))
    mine = client.get("/", headers={"If-None-Match": public.headers["ETag"]})
    assert mine.status_code == 200
    assert "private" in mine.headers["Cache-Control"]
    assert "ETag" not in mine.headers
    assert "Olga Owner" in mine.content.decode()
    assert "Olga Owner" not in Client().get("/").content.decode()


def test_without_redis_the_page_still_works(
    client: Client, published: OnlineService, deliver_counts: Deliver, settings: Any
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 4711})
    # Nobody listens on port 1.
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/1"}}
    assert cache.get("anything") is None
    assert "<b>4.711</b>" in page(client)


def test_results_are_kept_under_the_version(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    with CaptureQueriesContext(connection) as first:
        page(client)
    with CaptureQueriesContext(connection) as second:
        page(client)
    assert len(second) == 1 < len(first)


def test_the_number_of_queries_does_not_grow_with_the_data(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1, ("2025-05", HESSEN): 1})
    with CaptureQueriesContext(connection) as small:
        page(client)
    for service in ServiceFactory.create_batch(12, published=True):
        deliver_counts(service, {("2026-05", KREIS): 5, ("2025-05", BERLIN): 4, ("2026-04", HANAU): 1})
    with CaptureQueriesContext(connection) as large:
        page(client)
    assert len(large) == len(small)


def test_the_dashboard_never_reads_the_facts(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    with CaptureQueriesContext(connection) as asked:
        page(client)
    assert not [query for query in asked.captured_queries if "transaction_count" in query["sql"]]


def test_other_methods_are_refused(client: Client) -> None:
    assert client.post("/").status_code == 405


def test_the_maps_links_keep_the_month(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-04", HESSEN): 5, ("2026-05", HESSEN): 6})
    page = client.get("/?monat=2026-04").content.decode()
    assert f'<a href="/regionen/{HESSEN}/?monat=2026-04" aria-label="HE, Hessen:' in page
