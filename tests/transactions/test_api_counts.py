"""`/api/v1/transaktionszahlen`: what is stored comes back, page by page, and what changed since."""

import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from services.models import OnlineService, PortalService
from tests.factories import PortalFactory, ServiceFactory, UserFactory
from tests.transactions.country import BERLIN, FULDA, HESSEN, KUENZELL, MKK, delivered, row
from tests.transactions.test_push import NOBODY, Sender, problem, sender
from transactions.models import Delivery
from transactions.undo import undo

pytestmark = pytest.mark.django_db

URL = "/api/v1/transaktionszahlen"
Value = tuple[str, str, str, int | None]


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    return ServiceFactory()


@pytest.fixture
def me(service: OnlineService) -> Sender:
    return sender(service)


def values(answer: Any) -> list[Value]:
    assert answer.status_code == 200, answer.content
    return [
        (one["onlineservice"], one["monat"], one["ars"], one["anzahl"]) for one in answer.json()["ergebnisse"]
    ]


def at(delivery: Delivery, text: str) -> Delivery:
    Delivery.objects.filter(pk=delivery.pk).update(finished_at=dt.datetime.fromisoformat(text))
    return delivery


# --- who may -------------------------------------------------------------------------------------


def test_only_ones_own_services(service: OnlineService, me: Sender) -> None:
    other = ServiceFactory()
    delivered(row(service, HESSEN, 1), row(other, HESSEN, 2))
    problem(NOBODY.get(URL), 401, "anmeldung_fehlt")
    assert values(me.get(URL)) == [(service.number, "2025-05", HESSEN, 1)]
    foreign, missing = (me.get(URL, onlineservice=number) for number in (other.number, "OS-999999"))
    for answer, number in ((foreign, other.number), (missing, "OS-999999")):
        assert number in problem(answer, 404, "nicht_gefunden")["detail"]


def test_a_portal_reads_what_it_holds_today_by_its_own_names(service: OnlineService) -> None:
    portal = PortalFactory()
    held, gone = ServiceFactory(portal=portal, portal__kennung="hund"), ServiceFactory()
    PortalService.objects.create(
        portal=portal, service=gone, since=dt.date(2020, 1, 1), until=dt.date(2024, 1, 1)
    )
    delivered(row(service, HESSEN, 1), row(held, HESSEN, 2), row(gone, HESSEN, 3))
    mine = sender(portal=portal)
    assert values(mine.get(URL)) == [(held.number, "2025-05", HESSEN, 2)]
    assert values(mine.get(URL, onlineservice="hund")) == values(mine.get(URL))
    problem(mine.get(URL, onlineservice=gone.number), 404, "nicht_gefunden")


# --- what comes back -----------------------------------------------------------------------------


def test_a_value_names_when_and_by_what_it_was_set(service: OnlineService, me: Sender) -> None:
    delivery = at(delivered(row(service, HESSEN, 1204)), "2026-06-10T08:15:00+02:00")
    assert me.get(URL).json() == {
        "ergebnisse": [
            {
                "onlineservice": service.number, "ars": HESSEN, "monat": "2025-05", "anzahl": 1204,
                "status": "gespeichert", "geaendert_am": "2026-06-10T06:15:00Z",
                "lieferung": str(delivery.pk),
            }
        ],
        "weiter": None,
    }  # fmt: skip


def test_filters(service: OnlineService, me: Sender) -> None:
    keys = [(FULDA, "2025-03"), (KUENZELL, "2025-04"), (MKK, "2025-05"), (BERLIN, "2025-05")]
    delivered(*(row(service, ars, 1, month) for ars, month in keys))
    for query, expected in (
        ({}, keys),
        ({"von": "2025-04"}, keys[1:]),
        ({"bis": "2025-04"}, keys[:2]),
        ({"von": "2025-04", "bis": "2025-04"}, keys[1:2]),
        ({"ars": HESSEN}, keys[:3]),
        ({"ars": "06631"}, keys[:2]),
        ({"ars": FULDA}, keys[:2]),
        ({"ars": KUENZELL}, keys[1:2]),
        ({"ars": "000000000000"}, keys),
        ({"ars": HESSEN, "von": "2025-05"}, keys[2:3]),
    ):
        found = {(ars, month) for _service, month, ars, _count in values(me.get(URL, **query))}
        assert found == set(expected), query


def test_pages_have_everything_once_and_keep_the_filters(service: OnlineService) -> None:
    portal = PortalFactory()
    services = [ServiceFactory(portal=portal) for _number in range(3)]
    delivered(
        *(
            row(one, ars, number, month)
            for number, one in enumerate(services)
            for ars in (HESSEN, BERLIN)
            for month in ("2025-04", "2025-05")
        )
    )
    mine = sender(portal=portal)
    found, answer = [], mine.get(URL, limit=3, von="2025-04", ars="0")
    while True:
        found += values(answer)
        more = answer.json()["weiter"]
        if more is None:
            break
        asked = parse_qs(urlsplit(more).query)
        assert (asked["limit"], asked["von"], asked["ars"]) == (["3"], ["2025-04"], ["0"])
        answer = mine.get(more)
    expected = [
        (one.number, month, HESSEN, number)
        for number, one in enumerate(services)
        for month in ("2025-04", "2025-05")
    ]
    assert found == expected


def test_a_page_costs_the_same_whatever_is_stored(
    service: OnlineService, me: Sender, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    delivered(row(service, HESSEN, 1))
    me.get(URL)
    with django_assert_num_queries(3):  # the key, its services, the values
        me.get(URL)
    delivered(*(row(service, ars, 1, f"2024-{month:02d}") for ars in (HESSEN, MKK) for month in range(1, 13)))
    with django_assert_num_queries(3):
        me.get(URL)


# --- deltas --------------------------------------------------------------------------------------


def test_what_changed_since(service: OnlineService, me: Sender) -> None:
    at(delivered(row(service, HESSEN, 1), row(service, BERLIN, 2)), "2026-06-01T00:00:00Z")
    at(delivered(row(service, HESSEN, 5), row(service, BERLIN, 2)), "2026-06-02T00:00:00Z")
    every = [(service.number, "2025-05", HESSEN, 5), (service.number, "2025-05", BERLIN, 2)]
    for since, expected in (
        ("2026-06-01", every),
        # The second delivery changed nothing for Berlin.
        ("2026-06-01T00:00:01Z", every[:1]),
        ("2026-06-02T00:00:00Z", every[:1]),
        ("2026-06-02T02:00:00 02:00", every[:1]),  # a plus that nobody encoded
        ("2026-06-02T00:00:01Z", []),
        ("9999-01-01", []),
    ):
        assert values(me.get(URL, geaendert_seit=since)) == expected, since


def test_what_was_taken_back_is_null(service: OnlineService, me: Sender) -> None:
    at(delivered(row(service, HESSEN, 1), row(service, BERLIN, 2)), "2026-06-01T00:00:00Z")
    at(delivered(row(service, BERLIN, "löschen")), "2026-06-02T00:00:00Z")
    assert values(me.get(URL)) == [(service.number, "2025-05", HESSEN, 1)]
    (line,) = me.get(URL, geaendert_seit="2026-06-02").json()["ergebnisse"]
    assert (line["ars"], line["anzahl"], line["status"]) == (BERLIN, None, "zurueckgenommen")
    assert line["geaendert_am"] == "2026-06-02T00:00:00Z"
    # There again: a value, and no longer a deletion.
    at(delivered(row(service, BERLIN, 7)), "2026-06-03T00:00:00Z")
    assert values(me.get(URL, geaendert_seit="2026-06-02")) == [(service.number, "2025-05", BERLIN, 7)]
    # And gone once more: once, not twice.
    at(delivered(row(service, BERLIN, "löschen")), "2026-06-04T00:00:00Z")
    assert values(me.get(URL, geaendert_seit="2026-06-02")) == [(service.number, "2025-05", BERLIN, None)]


def test_an_undone_delivery_is_a_change_too(service: OnlineService, me: Sender) -> None:
    delivery = at(delivered(row(service, HESSEN, 1)), "2026-06-01T00:00:00Z")
    at(undo(delivery, by=UserFactory(is_operations=True)), "2026-06-05T00:00:00Z")
    assert values(me.get(URL, geaendert_seit="2026-06-02")) == [(service.number, "2025-05", HESSEN, None)]


def test_deltas_are_paged_and_filtered(service: OnlineService, me: Sender) -> None:
    months = ("2025-03", "2025-04", "2025-05")
    at(delivered(*(row(service, HESSEN, 1, month) for month in months)), "2026-06-01T00:00:00Z")
    at(delivered(row(service, HESSEN, "löschen", "2025-04")), "2026-06-02T00:00:00Z")
    first = me.get(URL, geaendert_seit="2026-06-01", limit=2)
    second = me.get(first.json()["weiter"])
    assert [(month, count) for _s, month, _a, count in values(first) + values(second)] == [
        ("2025-03", 1), ("2025-04", None), ("2025-05", 1),
    ]  # fmt: skip
    assert second.json()["weiter"] is None
    assert len(values(me.get(URL, geaendert_seit="2026-06-01", bis="2025-04"))) == 2


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"von": "05.2025"}, "von muss ein Monat"),
        ({"bis": "2015-12"}, "2016-01"),
        ({"bis": "2999-01"}, "bis muss ein Monat"),
        ({"von": "2025-05", "bis": "2025-04"}, "von liegt nach bis"),
        ({"ars": "hessen"}, "Regionalschlüssel"),
        ({"ars": "0600000000000"}, "Regionalschlüssel"),
        ({"geaendert_seit": "gestern"}, "geaendert_seit"),
        ({"geaendert_seit": "0001-01-01"}, "geaendert_seit"),
        ({"limit": "0"}, "1000"),
        ({"limit": "1001"}, "1000"),
        ({"nach": "x"}, "weiter"),
        ({"nach": "1-2025-13-060000000000"}, "weiter"),
        ({"seite": "2"}, "seite"),
    ],
    ids=str,
)
def test_a_question_that_cannot_be_read_is_400(me: Sender, query: dict[str, str], said: str) -> None:
    assert said in problem(me.get(URL, **query), 400, "nicht_lesbar")["detail"]


def test_an_unknown_region_is_404(me: Sender) -> None:
    assert "990000000000" in problem(me.get(URL, ars="990000000000"), 404, "nicht_gefunden")["detail"]


def test_other_methods_and_too_many(me: Sender, settings: Any) -> None:
    problem(me.delete(URL), 405, "methode")
    settings.REQUESTS_PER_KEY = 1
    assert [me.get(URL).status_code for _number in range(2)][-1] == 429


# --- deliveries since ----------------------------------------------------------------------------


def test_deliveries_since(service: OnlineService, me: Sender) -> None:
    now = timezone.now()
    first, second = delivered(row(service, HESSEN, 1)), delivered(row(service, HESSEN, 2))
    old = now - dt.timedelta(days=10)
    Delivery.objects.update(received_at=old, finished_at=old)
    since = (now - dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    url = "/api/v1/lieferungen"

    def found() -> list[str]:
        return [one["id"] for one in me.get(url, geaendert_seit=since).json()["ergebnisse"]]

    assert found() == []
    # One that has run for days and is finished now.
    Delivery.objects.filter(pk=first.pk).update(finished_at=now)
    assert found() == [str(first.pk)]
    undoing = undo(second, by=UserFactory(is_operations=True))
    assert found() == [str(undoing.pk), str(second.pk), str(first.pk)]
    more = me.get(url, geaendert_seit=since, limit=1).json()["weiter"]
    assert [one["id"] for one in me.get(more).json()["ergebnisse"]] == [str(second.pk)]
    problem(me.get(url, geaendert_seit="gestern"), 400, "nicht_lesbar")
