"""The open lists: what everyone may see of services, regions and Leistungen, page by page."""

import datetime as dt
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from ozgsync.models import Leistung, LeistungChange, Level, Region, RegionVersion
from services.models import OnlineService, PortalService
from tests.factories import (
    LeistungFactory,
    OzgLeistungFactory,
    PortalFactory,
    RegionFactory,
    RegionVersionFactory,
    ServiceFactory,
    ThemenfeldFactory,
    UserFactory,
)
from tests.reports.conftest import HANAU, HESSEN, KREIS, SAARLAND, Deliver
from tests.transactions.test_push import problem
from tests.transactions.test_schema_document import document, valid
from zsk import limits

__all__ = ["document"]
pytestmark = pytest.mark.django_db

SERVICES, REGIONS, LEISTUNGEN = (f"/api/v1/{name}" for name in ("onlineservices", "regionen", "leistungen"))
LISTS = (SERVICES, REGIONS, LEISTUNGEN)
KEYS = {SERVICES: "onlineservice", REGIONS: "ars", LEISTUNGEN: "leistungsschluessel"}


def get(url: str, **query: Any) -> Any:
    return Client().get(url, query)


def keys(url: str, **query: Any) -> list[str]:
    answer = get(url, **query)
    assert answer.status_code == 200, answer.content
    return [line[KEYS[url]] for line in answer.json()["ergebnisse"]]


# --- onlineservices ------------------------------------------------------------------------------


def test_only_published_services(regions: dict[str, Region]) -> None:
    shown, hidden = ServiceFactory(published=True), ServiceFactory()
    assert keys(SERVICES) == [shown.number]
    assert keys(SERVICES, suche=hidden.number) == []
    client = Client()
    client.force_login(UserFactory())
    assert [one["onlineservice"] for one in client.get(SERVICES).json()["ergebnisse"]] == [shown.number]


def test_what_is_said_of_a_service(deliver_counts: Deliver) -> None:
    bundle = OzgLeistungFactory(ozg_id="10102", themenfeld=ThemenfeldFactory(slug="bildung"))
    leistung = LeistungFactory(name="Ausbildungsförderung", types=["2/3"], ozg_leistung=bundle)
    portal = PortalFactory(kuerzel="nord")
    service = ServiceFactory(
        name="BAföG Digital", leistung=leistung, published=True, portal=portal, contact="team@example.org",
        published_depth=Level.KREIS, live_from=dt.date(2021, 10, 1),
    )  # fmt: skip
    service.area.set([HESSEN])
    service.more_leistungen.set([LeistungFactory(schluessel="99900000000777")])
    deliver_counts(service, {("2026-05", HESSEN): 3})
    (line,) = get(SERVICES).json()["ergebnisse"]
    service.refresh_from_db()
    assert line.pop("geaendert_am") == service.changed_at.isoformat().replace("+00:00", "Z")
    assert line.pop("veroeffentlicht_am").endswith("Z")
    assert line == {
        "onlineservice": service.number, "name": "BAföG Digital", "behoerde": service.authority.name,
        "leistungsschluessel": leistung.schluessel, "leistung": "Ausbildungsförderung",
        "weitere_leistungen": ["99900000000777"], "typisierung": ["2/3"], "aufforderung": "aufgefordert",
        "ozg_id": "10102", "themenfeld": "bildung", "meldeebene": "gemischt", "einzugsgebiet": [HESSEN],
        "portal": "nord", "adresse": None, "in_betrieb_seit": "2021-10-01", "ausser_betrieb_seit": None,
        "regionen_bis": "kreis", "letzter_monat": "2026-05",
        "url": f"http://testserver/onlineservices/{service.number}/",
    }  # fmt: skip


def test_services_are_filtered(regions: dict[str, Region]) -> None:
    bundle = OzgLeistungFactory(themenfeld=ThemenfeldFactory(slug="bildung"))
    portal, other = PortalFactory(kuerzel="nord"), PortalFactory(kuerzel="sued")
    one = ServiceFactory(
        name="Wohngeld", published=True, portal=portal,
        leistung=LeistungFactory(schluessel="99901001001000", ozg_leistung=bundle),
    )  # fmt: skip
    two = ServiceFactory(
        name="Hundesteuer", published=True, leistung=LeistungFactory(schluessel="99902001001000")
    )
    two.more_leistungen.set([LeistungFactory(schluessel="99903001001000")])
    PortalService.objects.create(
        portal=other, service=two, since=dt.date(2020, 1, 1), until=dt.date(2021, 1, 1)
    )
    one.area.set([KREIS])
    two.area.set([HESSEN, SAARLAND])
    for query, expected in (
        ({}, [one, two]),
        ({"suche": "wohn"}, [one]),
        ({"suche": two.number}, [two]),
        ({"leistung": "99901"}, [one]),
        ({"leistung": "99 901 001 001 000"}, [one]),
        ({"leistung": "99903001001000"}, [two]),
        ({"themenfeld": "bildung"}, [one]),
        ({"portal": "nord"}, [one]),
        ({"portal": "sued"}, []),
        ({"ars": HESSEN}, [one, two]),  # a Kreis of it, and itself
        ({"ars": HANAU}, [two]),  # inside Hessen, beside the Kreis
        ({"ars": SAARLAND}, [two]),
        ({"ars": "05"}, []),
        ({"suche": "wohn", "portal": "sued"}, []),
    ):
        assert keys(SERVICES, **query) == [service.number for service in expected], query


# --- regionen ------------------------------------------------------------------------------------


def test_what_is_said_of_a_region(regions: dict[str, Region]) -> None:
    RegionVersion.objects.filter(region=KREIS).update(parent=HESSEN)
    (line,) = get(REGIONS, ars=KREIS, ebene="kreis").json()["ergebnisse"]
    assert line.pop("geaendert_am").endswith("Z")
    assert line == {
        "ars": KREIS, "name": "Main-Kinzig-Kreis", "art": "Landkreis", "ebene": "kreis", "ebene_bis": "kreis",
        "uebergeordnet": HESSEN, "einwohner": None, "gueltig_ab": "2016-01-01", "gueltig_bis": None,
        "url": f"http://testserver/regionen/{KREIS}/",
    }  # fmt: skip


def test_regions_are_those_of_a_day(regions: dict[str, Region], today: dt.date) -> None:
    ended = RegionFactory(ars="160560000000", name="Eisenach", level_top=Level.KREIS)
    ended.versions.update(valid_to=dt.date(2021, 7, 1))
    RegionVersionFactory(
        region=ended, valid_from=dt.date(2010, 1, 1), valid_to=dt.date(2016, 1, 1), name="Alt"
    )
    for query, expected in (
        ({}, []),
        ({"am": "2021-06-30"}, ["Eisenach"]),
        ({"am": "2021-07-01"}, []),
        ({"am": "alle"}, ["Alt", "Eisenach"]),
        # Whoever asks for changes wants to know what has ended.
        ({"geaendert_seit": "2020-01-01"}, ["Alt", "Eisenach"]),
        ({"geaendert_seit": "2020-01-01", "am": "2020-01-01"}, ["Eisenach"]),
    ):
        found = get(REGIONS, ars="16", **query).json()["ergebnisse"]
        assert [line["name"] for line in found] == expected, query


def test_regions_are_filtered_and_found(regions: dict[str, Region]) -> None:
    assert keys(REGIONS, ebene="land") == [HESSEN, SAARLAND, "110000000000"]
    assert keys(REGIONS, ebene="kreis", ars=HESSEN) == [HANAU, KREIS]
    assert keys(REGIONS, suche="maintal") == ["064350019019"]
    assert keys(REGIONS, suche="06435") == [KREIS, "064350019019"]
    assert keys(REGIONS, suche="06435", ebene="kreis") == [KREIS]
    assert keys(REGIONS, suche="xyz") == []


# --- leistungen ----------------------------------------------------------------------------------


def test_what_is_said_of_a_leistung() -> None:
    old = LeistungFactory(schluessel="99900000000001", name="Alt", valid_to=dt.date(2026, 1, 1))
    new = LeistungFactory(schluessel="99900000000002", name="Neu", types=["4"], focus=True)
    LeistungChange.objects.create(old=old, new=new, effective=dt.date(2026, 1, 1))
    first, second = get(LEISTUNGEN).json()["ergebnisse"]
    assert first.pop("geaendert_am").endswith("Z")
    assert first == {
        "leistungsschluessel": "99900000000001", "name": "Alt", "typisierung": ["2"],
        "aufforderung": "aufgefordert", "ozg_id": None, "ozg_leistung": None, "themenfeld": None,
        "fokus": False, "gueltig_ab": None, "gueltig_bis": "2026-01-01", "nachfolger": ["99900000000002"],
    }  # fmt: skip
    assert (second["aufforderung"], second["fokus"], second["nachfolger"]) == ("eingeladen", True, [])


def test_leistungen_are_filtered_and_found() -> None:
    bundle = OzgLeistungFactory(ozg_id="10102", themenfeld=ThemenfeldFactory(slug="bildung"))
    one = LeistungFactory(
        schluessel="99901000000000", name="Führerschein", types=["2/3"], ozg_leistung=bundle
    )
    two = LeistungFactory(schluessel="99902000000000", name="Führerscheintausch", types=["4", "5"])
    for query, expected in (
        ({}, [one, two]),
        ({"schluessel": "99 902"}, [two]),
        ({"typisierung": "5"}, [two]),
        ({"themenfeld": "bildung"}, [one]),
        ({"ozg_id": "10102"}, [one]),
        ({"suche": "fuehrerschein"}, [one, two]),
        ({"suche": "fuehrerschein", "typisierung": "4"}, [two]),
        ({"suche": "fuehrerschein", "limit": 1}, [one]),
    ):
        assert keys(LEISTUNGEN, **query) == [leistung.schluessel for leistung in expected], query
    assert get(LEISTUNGEN, suche="fuehrerschein", limit=1).json()["weiter"] is None


# --- all of them ---------------------------------------------------------------------------------


@pytest.fixture
def several(regions: dict[str, Region]) -> None:
    """Services, each with its own Leistung."""
    for number in range(5):
        ServiceFactory(name=f"Service {number}", published=True).area.set([HESSEN])


@pytest.mark.parametrize("url", LISTS)
def test_pages_have_everything_once(several: None, url: str) -> None:
    whole = keys(url, limit=1000)
    assert len(whole) >= 5
    found, answer = [], get(url, limit=2)
    while True:
        body = answer.json()
        found += [line[KEYS[url]] for line in body["ergebnisse"]]
        if body["weiter"] is None:
            break
        assert parse_qs(urlsplit(body["weiter"]).query)["limit"] == ["2"]
        answer = Client().get(body["weiter"])
    assert found == whole


@pytest.mark.parametrize("url", LISTS)
def test_a_page_costs_the_same_at_any_size(
    several: None, url: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(5):
        get(url, limit=1)
    with django_assert_max_num_queries(5):
        get(url)


@pytest.mark.parametrize("url", LISTS)
def test_changed_since(several: None, url: str) -> None:
    model: Any = {SERVICES: OnlineService, REGIONS: RegionVersion, LEISTUNGEN: Leistung}[url]
    model.objects.update(changed_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    row = model.objects.order_by("-pk").first()
    model.objects.filter(pk=row.pk).update(changed_at=dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    key = {SERVICES: "number", REGIONS: "region_id", LEISTUNGEN: "schluessel"}[url]
    assert keys(url, geaendert_seit="2026-01-15") == [getattr(row, key)]
    assert keys(url, geaendert_seit="2026-02-01T00:00:00Z") == [getattr(row, key)]
    assert keys(url, geaendert_seit="2026-02-01T00:00:01Z") == []


@pytest.mark.parametrize("url", LISTS)
def test_an_unchanged_list_is_304(several: None, url: str) -> None:
    answer = get(url)
    assert "public" in answer["Cache-Control"]
    assert not answer.cookies
    again = Client().get(url, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    OnlineService.objects.filter(name="Service 0").update(name="Anders")
    assert Client().get(url, headers={"If-None-Match": answer["ETag"]}).status_code == 200


@pytest.mark.parametrize("url", LISTS)
def test_answers_are_as_described(several: None, url: str, document: dict[str, Any]) -> None:
    name = {SERVICES: "Onlineservicesseite", REGIONS: "Regionenseite", LEISTUNGEN: "Leistungenseite"}[url]
    valid(document, name, get(url, limit=2).json())


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"nach": "x"}, {"geaendert_seit": "x"}, {"seite": "2"}], ids=str
)
def test_a_question_that_cannot_be_read_is_400(url: str, query: dict[str, str]) -> None:
    answer = get(url, **query)
    problem(answer, 400, "nicht_lesbar")
    # What is wrong must not be kept under the tag of what is right.
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("url", "query", "said"),
    [
        (REGIONS, {"ebene": "stadt"}, "gemeindeverband"),
        (REGIONS, {"am": "gestern"}, "am muss ein Tag"),
        (REGIONS, {"nach": "060000000000-2016-13-01"}, "weiter"),
        (REGIONS, {"ars": "x"}, "ars"),
        (SERVICES, {"leistung": "Hund"}, "14 Ziffern"),
        (LEISTUNGEN, {"schluessel": "9" * 15}, "14 Ziffern"),
    ],
    ids=str,
)
def test_bad_filters_say_what_would_be_right(url: str, query: dict[str, str], said: str) -> None:
    assert said in problem(get(url, **query), 400, "nicht_lesbar")["detail"]


@pytest.mark.parametrize("url", [SERVICES, REGIONS])
def test_an_unknown_region_is_404(url: str) -> None:
    problem(get(url, ars="990000000000"), 404, "nicht_gefunden")


@pytest.mark.parametrize("url", LISTS)
def test_strange_texts_break_nothing(several: None, url: str) -> None:
    for text in ("\0", "%", "_", "'", "\\", "ß" * 500, "😀", "(", " "):
        assert get(url, suche=text).status_code == 200


def test_other_methods_are_405() -> None:
    for url in LISTS:
        answer = Client().post(url)
        problem(answer, 405, "methode")
        assert set(answer["Allow"].split(", ")) == {"GET", "HEAD"}


def test_each_address_has_so_many_requests_in_a_minute(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REQUESTS_PER_ADDRESS = 2
    at = float(int(time.time() // 60) * 60 + 18)
    monkeypatch.setattr(limits.time, "time", lambda: at)

    def ask(address: str, **headers: str) -> Any:
        return Client(REMOTE_ADDR=address).get(LEISTUNGEN, headers=headers)

    answers = [ask("192.0.2.1") for _number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0]["RateLimit"] == '"adresse";r=1;t=42'
    assert answers[2]["Retry-After"] == "42"
    problem(answers[2], 429, "zu_viele_anfragen")
    assert ask("2001:db8::1").status_code == 200
    # What a caller says of itself counts behind our own proxy only, and there its last word.
    assert ask("192.0.2.1", **{"X-Forwarded-For": "198.51.100.7"}).status_code == 429
    settings.BEHIND_TLS_PROXY = True
    assert ask("192.0.2.1", **{"X-Forwarded-For": "192.0.2.1, 198.51.100.7"}).status_code == 200
