"""A number that was changed after its month was closed says so wherever the month is shown."""

import csv
import datetime as dt
import io
import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from services.models import OnlineService
from tests.factories import PortalFactory, ServiceFactory
from tests.reports.conftest import BERLIN, GERMANY, HANAU, HESSEN, KREIS, Deliver
from transactions.checks import check
from transactions.closing import close_months
from transactions.delivery import deliver
from transactions.models import Delivery
from transactions.publication import publish
from transactions.rows import Rows

MAY = dt.date(2026, 5, 1)
MARK = "(korrigiert)"
SENTENCE = "Korrigiert, nachdem der Monat abgeschlossen war."
CHART = "Nach dem Abschluss des Monats korrigiert (◇): Mai 2026."


def correct(service: OnlineService, by: User, ars: str, count: str) -> None:
    lines = Rows.of(service=[service.number], ars=[ars], month=["2026-05"], count=[count])
    deliver(check(lines, by=by), Delivery(channel="datei", user=by, reason="Zahlendreher"))


@pytest.fixture
def corrected(deliver_counts: Deliver, operations: User) -> OnlineService:
    """Hanau's May of one service changed after May was closed; another one of its portal did not."""
    portal = PortalFactory(name="Nordportal", kuerzel="nord")
    service, other = (ServiceFactory(name=name, portal=portal) for name in ("Wohngeld", "Elterngeld"))
    for each in (service, other):
        publish(each, by=None)
    deliver_counts(service, {("2026-04", HANAU): 9, ("2026-05", HANAU): 12})
    deliver_counts(other, {("2026-05", BERLIN): 7, ("2026-05", KREIS): 1})
    PortalFactory(name="Südportal", kuerzel="sued")
    close_months([MAY], by=operations, reason="Jahresbericht")
    correct(service, operations, HANAU, "10")
    return service


def page(address: str) -> str:
    answer = Client().get(address)
    assert answer.status_code == 200, address
    return re.sub(r"\s+", " ", answer.content.decode())


def marked(html: str) -> list[str]:
    """First words of the table rows that bear the mark."""
    rows = re.findall(r"<tr.*?</tr>", html)
    texts = [re.sub(r"<[^>]*>|\u00ad", " ", row).split() for row in rows if MARK in row]
    return [" ".join(words[:2]) for words in texts]


def statuses(address: str, key: str) -> dict[str, str]:
    answer = Client().get(address)
    assert answer.status_code == 200, address
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";")
    return {line[key]: line["status"] for line in lines}


# --- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["/", f"/regionen/{HESSEN}/", "/portale/nord/", "{service}"])
def test_the_number_its_curve_and_its_table_say_so(corrected: OnlineService, where: str) -> None:
    html = page(where.format(service=corrected.get_absolute_url()))
    assert SENTENCE in html
    # For eyes and ears: the sentence describes the chart; the sign and the value under the pointer are in it.
    assert CHART in html
    assert html.count('class="fix"') == 1
    assert re.search(r"<title>Mai 2026: \d+ \(korrigiert\), Vorjahr: keine Angabe</title>", html)
    april = page(f"{where.format(service=corrected.get_absolute_url())}?monat=2026-04")
    assert SENTENCE not in april
    assert MARK not in april
    assert 'class="fix"' not in april


def test_the_rows_of_tables_say_so(corrected: OnlineService) -> None:
    overview = page("/")
    assert marked(overview) == ["HE Hessen", "Deutschland (korrigiert)"]
    assert '<td class="kern-table__cell">korrigiert</td>' in overview
    assert re.search(r'aria-label="HE, Hessen: [^"]*\(korrigiert\)"', overview)
    assert re.search(r">Wohngeld</a><span[^>]*> \(korrigiert\)</span>", overview)
    assert not re.search(r">Elterngeld</a><span", overview)
    assert marked(page(f"/regionen/{HESSEN}/")) == ["Mai 2026", "Hanau (korrigiert)", "Hessen (korrigiert)"]
    assert marked(page(f"/regionen/{GERMANY}/")) == [
        "Mai 2026",
        "Hessen (korrigiert)",
        "Deutschland (korrigiert)",
    ]
    assert marked(page("/portale/nord/")) == ["Mai 2026", "Wohngeld (korrigiert)"]
    own = marked(page(f"{corrected.get_absolute_url()}?region={HESSEN}"))
    assert own == [
        "Mai 2026",
        "Hessen (korrigiert)", "Deutschland (korrigiert)",
        "Hanau (korrigiert)", "Hessen (korrigiert)",
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["/portale/", "/onlineservices/", "/daten/vollstaendigkeit/"])
def test_lists_say_so_at_the_number(corrected: OnlineService, address: str) -> None:
    html = page(address)
    assert html.count(MARK) == 1
    assert re.search(r">(10|18)<span[^>]*> \(korrigiert\)", html)


def test_a_citation_says_so(corrected: OnlineService) -> None:
    # What they are called depends on the Leistung.
    assert re.search(r"Mai 2026: 10 \w+ \(korrigiert\)\.", page(corrected.get_absolute_url()))


def test_a_value_taken_back_is_marked_where_there_is_none(corrected: OnlineService, operations: User) -> None:
    correct(corrected, operations, HANAU, "löschen")
    assert marked(page("/portale/nord/")) == ["Mai 2026", "Wohngeld (korrigiert)"]
    hanau = page(f"/regionen/{HANAU}/")
    assert "keine Angabe" in hanau
    assert SENTENCE in hanau
    assert marked(hanau)[0] == "Mai 2026"


def test_many_months_are_counted_and_each_is_marked(
    deliver_counts: Deliver, published: OnlineService, operations: User
) -> None:
    spring = [dt.date(2026, month, 1) for month in (3, 4, 5)]
    values = {(f"{month:%Y-%m}", HESSEN): 5 for month in spring}
    deliver_counts(published, values)
    close_months(spring, by=operations, reason="Bericht")
    lines = Rows.of(
        service=[published.number] * 3,
        ars=[HESSEN] * 3,
        month=[month for month, _ars in values],
        count=["6"] * 3,
    )
    deliver(check(lines, by=operations), Delivery(channel="datei", user=operations, reason="Nachtrag"))
    html = page("/")
    assert "Nach dem Abschluss des Monats korrigiert (◇): 3 Monate." in html
    assert html.count('class="fix"') == 3


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "key", "found"),
    [
        ("/daten/verlauf.csv", "monat", {"2026-04": "gemeldet", "2026-05": "korrigiert"}),
        ("/daten/rangfolge.csv", "name", {"Wohngeld": "korrigiert", "Elterngeld": "gemeldet"}),
        ("/daten/onlineservices.csv", "name", {"Wohngeld": "korrigiert", "Elterngeld": "gemeldet"}),
        ("/portale/nord/verlauf.csv", "monat", {"2026-04": "gemeldet", "2026-05": "korrigiert"}),
        ("/portale/nord/onlineservices.csv", "name", {"Wohngeld": "korrigiert", "Elterngeld": "gemeldet"}),
        ("/daten/transaktionszahlen.csv", "ars", {HANAU: "korrigiert", BERLIN: "gemeldet"}),
    ],
)  # fmt: skip
def test_files_say_so_in_their_status(
    corrected: OnlineService, address: str, key: str, found: dict[str, str]
) -> None:
    said = statuses(address, key)
    assert {name: said[name] for name in found} == found


def test_json_and_pictures_say_so(corrected: OnlineService) -> None:
    told = json.loads(page("/portale/nord/onlineservices.json"))
    assert [column["name"] for column in told["spalten"]][-1] == "status"
    assert [line[-1] for line in told["zeilen"]] == ["korrigiert", "gemeldet"]
    assert 'class="fix"' in page("/portale/nord/verlauf.svg")
    assert MARK in page("/daten/laender.svg")


def test_the_complete_file_tells_no_kreis_of_a_service_published_by_land(corrected: OnlineService) -> None:
    publish(corrected, by=None, depth=OnlineService.Depth.LAND)
    said = statuses("/daten/transaktionszahlen.csv", "ars")
    assert said == {HESSEN: "korrigiert", BERLIN: "gemeldet", KREIS: "gemeldet"}


def test_the_running_month_is_named_in_the_complete_file(
    deliver_counts: Deliver, published: OnlineService
) -> None:
    deliver_counts(published, {("2026-06", HESSEN): 5, ("2026-06", BERLIN): 0, ("2026-05", KREIS): 0})
    said = statuses("/daten/transaktionszahlen.csv", "ars")
    assert said == {HESSEN: "laufend", BERLIN: "laufend", KREIS: "null_gemeldet"}


# --- cost ----------------------------------------------------------------------------------------


def test_many_corrections_cost_no_query_more(corrected: OnlineService, operations: User) -> None:
    addresses = [
        "/", f"/regionen/{HESSEN}/", "/portale/nord/", "/portale/", "/onlineservices/",
        "/daten/vollstaendigkeit/", "/portale/nord/onlineservices.csv", "/daten/rangfolge.csv",
        "/daten/onlineservices.csv",
    ]  # fmt: skip
    counted = []
    for ars in (HANAU, BERLIN, KREIS, HESSEN):
        correct(corrected, operations, ars, "77")
        queries = []
        for address in addresses:
            with CaptureQueriesContext(connection) as captured:
                page(address)
            queries.append(len(captured))
        counted.append(queries)
    assert counted[0] == counted[-1]
