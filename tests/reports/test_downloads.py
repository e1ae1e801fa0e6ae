"""Files: the same rows as the pages, for machines, and honest about what they are."""

import csv
import gzip
import io
import json
from xml.etree import ElementTree

import openpyxl
import pytest
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext

from reports.views import data as views
from services.models import OnlineService
from tests.factories import ServiceFactory, UserFactory
from tests.reports.conftest import BERLIN, GERMANY, HESSEN, KREIS, MAINTAL, Deliver
from transactions import publication

pytestmark = pytest.mark.usefixtures("regions", "today")
FILES = ["verlauf", "laender", "rangfolge", "onlineservices"]


def rows(client: Client, address: str) -> list[dict[str, str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


@pytest.mark.parametrize("signed_in", [False, True])
def test_no_file_holds_an_unpublished_service(
    client: Client, published: OnlineService, deliver_counts: Deliver, signed_in: bool
) -> None:
    hidden = ServiceFactory(name="Geheimer Dienst")
    deliver_counts(hidden, {("2026-05", HESSEN): 4711})
    deliver_counts(published, {("2026-05", HESSEN): 1})
    if signed_in:
        client.force_login(UserFactory())
    for address in [f"/daten/{name}.csv" for name in FILES] + ["/daten/transaktionszahlen.csv"]:
        text = str(rows(client, address))
        assert "Geheimer" not in text
        assert "471" not in text


def test_the_laender_add_up_in_the_file_too(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", GERMANY): 5, ("2026-05", KREIS): 7, ("2026-05", BERLIN): 0})
    found = rows(client, "/daten/laender.csv?monat=2026-05")
    by_land = {row["land"]: row for row in found}
    assert (by_land["Hessen"]["anzahl"], by_land["Hessen"]["ars"]) == ("7", HESSEN)
    assert (by_land["Berlin"]["anzahl"], by_land["Berlin"]["status"]) == ("0", "null_gemeldet")
    assert (by_land["Saarland"]["anzahl"], by_land["Saarland"]["status"]) == ("", "fehlt")
    total = int(by_land.pop("Deutschland")["anzahl"])
    assert total == sum(int(row["anzahl"] or 0) for row in by_land.values()) == 12


def test_a_remainder_of_nothing_is_no_reported_zero(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-04", HESSEN): 0})
    for month, total, rate in (("2026-05", "", ""), ("2026-04", "0", "0.0")):
        found = {row["land"]: row for row in rows(client, f"/daten/laender.csv?monat={month}")}
        rest, germany = found["Nicht auf Länder verteilt"], found["Deutschland"]
        assert (rest["anzahl"], rest["status"]) == (total, "")
        assert (germany["anzahl"], germany["je_100000"]) == (total, rate)
        parts = rows(client, f"/onlineservices/{published.number}/regionen.csv?monat={month}")
        assert (parts[-1]["anzahl"], parts[-1]["status"]) == (total, "")


def test_the_curve_has_missing_and_running_months(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-03", HESSEN): 1234567, ("2026-05", HESSEN): 0, ("2026-06", HESSEN): 2})
    found = {row["monat"]: (row["anzahl"], row["status"]) for row in rows(client, "/daten/verlauf.csv")}
    assert found == {
        "2026-03": ("1234567", "gemeldet"),
        "2026-04": ("", "fehlt"),
        "2026-05": ("0", "null_gemeldet"),
        "2026-06": ("2", "laufend"),
    }


def test_invented_numbers_say_so_in_every_file(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    for name in FILES:
        assert {row["hinweis"] for row in rows(client, f"/daten/{name}.csv")} == {"synthetische Daten"}
        meta = json.loads(client.get(f"/daten/{name}.json").content)["meta"]
        assert "synthetische Daten" in meta["hinweise"]
        assert meta["lizenz"].endswith("/dl-de/by-2-0")
        book = openpyxl.load_workbook(io.BytesIO(client.get(f"/daten/{name}.xlsx").content))
        assert "synthetische Daten" in str([cell.value for cell in book["Beschreibung"]["B"]])
    assert "synthetische Daten" in client.get("/daten/verlauf.svg").content.decode()
    with override_settings(SYNTHETIC_DATA=False):
        assert {row["hinweis"] for row in rows(client, "/daten/verlauf.csv")} == {""}
        assert "synthetisch" not in client.get("/daten/verlauf.svg").content.decode()


def test_text_cannot_become_a_formula(client: Client, deliver_counts: Deliver) -> None:
    evil = ServiceFactory(name='=HYPERLINK("http://x")', published=True)
    deliver_counts(evil, {("2026-05", HESSEN): 1})
    assert rows(client, "/daten/rangfolge.csv")[0]["name"].startswith("'=")
    assert rows(client, "/daten/transaktionszahlen.csv")[0]["name"].startswith("'=")
    book = openpyxl.load_workbook(io.BytesIO(client.get("/daten/rangfolge.xlsx").content))
    cells = [cell for row in book["Daten"].iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert [cell.value for cell in cells if cell.data_type == "n" and cell.value == 1]


def test_a_csv_names_its_description(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 1})
    link = client.get("/daten/laender.csv?monat=2026-05").headers["Link"]
    assert link.startswith('</daten/laender.json?monat=2026-05>; rel="describedby"')


def test_the_complete_file_holds_every_published_total(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", MAINTAL): 4, ("2026-05", KREIS): 3, ("2026-04", GERMANY): 9})
    found = rows(client, "/daten/transaktionszahlen.csv")
    assert [(row["ars"], row["monat"], row["anzahl"]) for row in found] == [
        (GERMANY, "2026-04", "9"),
        (KREIS, "2026-05", "7"),
    ]
    publication.publish(published, depth=OnlineService.Depth.LAND, by=None)
    assert [row["ars"] for row in rows(client, "/daten/transaktionszahlen.csv")] == [GERMANY, HESSEN]


def test_the_complete_file_is_computed_once_and_sent_without_the_database(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    address = "/daten/transaktionszahlen.csv"
    deliver_counts(published, {("2026-05", HESSEN): 4})
    first = client.get(address)
    with CaptureQueriesContext(connection) as asked:
        b"".join(first.streaming_content)
    assert len(asked) == 0
    with CaptureQueriesContext(connection) as again:
        packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert not [query for query in again.captured_queries if "monthly_total" in query["sql"]]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert f"{HESSEN};Hessen;2026-05;4;" in gzip.decompress(packed.getvalue()).decode()
    deliver_counts(published, {("2026-05", HESSEN): 5})
    assert [row["anzahl"] for row in rows(client, address)] == ["5"]


@pytest.mark.django_db(transaction=True)
def test_who_reads_slowly_holds_no_connection(client: Client) -> None:
    handed_out = views.counts(RequestFactory().get("/daten/transaktionszahlen.csv"))
    assert connection.connection is None
    assert b"onlineservice;name" in handed_out.getvalue()


def test_the_description_says_regions_and_completeness(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    ServiceFactory(published=True)
    deliver_counts(published, {("2026-05", HESSEN): 4})
    for name in ("verlauf", "laender", "rangfolge"):
        meta = client.get(f"/daten/{name}.json").json()["meta"]
        assert meta["gebietsstand"] == "Gebietsstand der Meldung"
        assert meta["vollstaendigkeit"] == {"geliefert": 1, "erwartet": 2}
    meta = client.get(f"/onlineservices/{published.number}/verlauf.json").json()["meta"]
    assert meta["vollstaendigkeit"] is None


def test_a_services_files(client: Client, published: OnlineService, deliver_counts: Deliver) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 4, ("2026-05", KREIS): 3, ("2026-05", GERMANY): 1})
    base = f"/onlineservices/{published.number}"
    curve = rows(client, f"{base}/verlauf.csv?region={HESSEN}&monat=2026-05")
    assert (curve[0]["onlineservice"], curve[0]["ars"]) == (published.number, HESSEN)
    assert {row["monat"]: row["anzahl"] for row in curve}["2026-05"] == "7"
    parts = rows(client, f"{base}/regionen.csv?region={HESSEN}")
    by_level = {level: [r for r in parts if r["ebene"] == level] for level in ("Land", "Kreis")}
    assert sum(int(row["anzahl"] or 0) for row in by_level["Land"]) == 8
    assert sum(int(row["anzahl"] or 0) for row in by_level["Kreis"]) == 7
    meta = json.loads(client.get(f"{base}/regionen.json?region={HESSEN}").content)["meta"]
    assert meta["filter"] == {"onlineservice": published.number, "ars": HESSEN}


def test_pictures_bring_their_own_style_under_a_strict_policy(
    client: Client, published: OnlineService, deliver_counts: Deliver
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 4})
    for name in (
        "/daten/verlauf.svg",
        "/daten/laender.svg",
        f"/onlineservices/{published.number}/verlauf.svg",
    ):
        answer = client.get(name)
        ElementTree.fromstring(answer.content)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy


def test_a_service_without_numbers_has_files_that_say_so(client: Client, published: OnlineService) -> None:
    base = f"/onlineservices/{published.number}/verlauf"
    picture = client.get(f"{base}.svg")
    assert picture.status_code == 200
    ElementTree.fromstring(picture.content)
    assert "keine Angabe" in picture.content.decode()
    assert rows(client, f"{base}.csv") == []


@pytest.mark.parametrize(
    "address",
    [
        "/daten/verlauf.pdf",
        "/daten/rangfolge.svg",
        "/daten/verlauf.csv?monat=x",
        "/daten/verlauf.csv?monat=2000-01",
    ],
)
def test_what_does_not_exist_is_a_404(
    client: Client, published: OnlineService, deliver_counts: Deliver, address: str
) -> None:
    deliver_counts(published, {("2026-05", HESSEN): 4})
    assert client.get(address).status_code == 404


def test_an_empty_portal_has_its_page_and_no_files(client: Client) -> None:
    assert client.get("/daten/").status_code == 200
    assert client.get("/daten/vollstaendigkeit/").status_code == 200
    assert client.get("/daten/verlauf.csv").status_code == 404
    assert rows(client, "/daten/transaktionszahlen.csv") == []
