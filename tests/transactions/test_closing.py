"""Closed months: every door asks for a reason, what changes is marked, a delivery under way is waited for."""

import json
import threading
import time
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from accounts.models import AuditEntry, User
from services.models import OnlineService
from tests.factories import Personas, ServiceFactory, UserFactory, api_key, personas
from tests.transactions import country
from tests.transactions.country import BERLIN, HESSEN, MAY, checked, delivered, new_delivery, row
from tests.transactions.uploading import (
    BAYERN,
    LAST,
    MONTH,
    address,
    content,
    laender,
    page,
    received,
    signed_in,
    taken_over,
)
from transactions import uploads
from transactions.closing import DeliveriesRunning, close_months, reopen_month
from transactions.delivery import PeriodClosed, deliver
from transactions.models import (
    ClosedMonth,
    CountCorrection,
    CountRevision,
    Delivery,
    TransactionCount,
)
from zsk import months

pytestmark = pytest.mark.django_db
URL = "/api/v1/lieferungen"
REASON = "Nachmeldung der Behörde"


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory(published=True)


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


@pytest.fixture
def operator() -> User:
    return UserFactory(is_operations=True, first_name="Bernd", last_name="Trieb")


@pytest.fixture
def closed(people: Personas, service: OnlineService, operator: User) -> Delivery:
    """A delivery of the last month, which was closed then."""
    done = taken_over(people.owner, content(service, (HESSEN, MONTH, 100)))
    assert close_months([LAST], by=operator, reason="Jahresbericht") == [LAST]
    return done


def values() -> dict[str, int]:
    return dict(TransactionCount.objects.values_list("ars_id", "count"))


def corrected() -> set[str]:
    return set(CountCorrection.objects.values_list("ars_id", flat=True))


# --- operations ----------------------------------------------------------------------------------


def test_only_months_that_are_over_are_closed_and_only_once(operator: User) -> None:
    assert close_months([LAST, months.running()], by=operator, reason="Bericht") == [LAST]
    assert close_months([LAST], by=operator, reason="noch einmal") == []
    assert ClosedMonth.objects.get().reason == "Bericht"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.detail) == ("Bernd Trieb", "Monat abgeschlossen", "Bericht")


def test_the_pages_close_all_earlier_months_and_open_one_again(closed: Delivery, operator: User) -> None:
    client = signed_in(operator)
    ClosedMonth.objects.all().delete()
    for_month = f"/betrieb/monate/{LAST:%Y-%m}/"
    assert "1 Onlineservice hat Zahlen" in page(client, f"{for_month}abschliessen")
    client.post(f"{for_month}abschliessen", {"reason": "Bericht", "earlier": "on"})
    assert ClosedMonth.objects.count() == 1  # nothing was reported before
    said = page(client, "/betrieb/monate/")
    assert "Ein Monat ist abgeschlossen." in said
    assert "Bericht" in said
    client.post(f"{for_month}oeffnen", {"reason": "Irrtum"})
    assert not ClosedMonth.objects.exists()
    assert AuditEntry.objects.filter(action="Monat wieder geöffnet", detail="Irrtum").exists()


def test_the_months_page_costs_the_same_for_many(
    closed: Delivery, operator: User, django_assert_num_queries: Any
) -> None:
    client = signed_in(operator)
    first = months.shift(LAST, -20)
    page(client, "/betrieb/monate/")
    with django_assert_num_queries(9):
        page(client, "/betrieb/monate/")
    close_months(months.span(first, LAST), by=operator, reason="Bericht")
    with django_assert_num_queries(9):
        page(client, "/betrieb/monate/")


# --- push ----------------------------------------------------------------------------------------


def push(service: OnlineService, *counts: tuple[str, int | None], **more: Any) -> Any:
    kept = vars(service)  # a service has two keys at most
    kept["test_key"] = kept.get("test_key") or api_key(service)[1]
    headers = {"Authorization": f"Bearer {kept['test_key']}"}
    rows = [{"ars": ars, "monat": MONTH, "anzahl": count} for ars, count in counts]
    return Client().post(URL, json.dumps({"zeilen": rows, **more}), "application/json", headers=headers)


def test_a_push_without_a_reason_is_423_and_stores_nothing(service: OnlineService, closed: Delivery) -> None:
    response = push(service, (HESSEN, 120), (BAYERN, 7))
    body = response.json()
    assert (response.status_code, body["type"]) == (423, "http://testserver/hilfe/fehler/begruendung_fehlt/")
    (fault,) = body["fehler"]
    assert (fault["code"], fault["zeiger"], fault["zeile"]) == ("monat_abgeschlossen", "/zeilen/0/monat", 2)
    assert values() == {HESSEN: 100}
    assert Delivery.objects.order_by("-pk")[0].status == Delivery.Status.REFUSED
    assert push(service, (HESSEN, 120), probelauf=True).status_code == 423
    assert push(service, (HESSEN, 120), begruendung="   ").status_code == 423


def test_with_a_reason_it_is_stored_and_marked_also_where_it_is_new(
    service: OnlineService, closed: Delivery
) -> None:
    response = push(service, (HESSEN, 120), (BAYERN, 7), begruendung=REASON)
    assert response.status_code == 201, response.content
    done = Delivery.objects.get(pk=response.json()["id"])
    assert done.reason == REASON
    assert CountRevision.objects.get().reason == REASON
    assert corrected() == {HESSEN, BAYERN}


def test_what_changes_nothing_needs_no_reason(service: OnlineService, closed: Delivery) -> None:
    assert push(service, (HESSEN, 100)).status_code == 200
    assert corrected() == set()


def test_a_csv_brings_its_reason_in_the_address(service: OnlineService, closed: Delivery) -> None:
    headers = {"Authorization": f"Bearer {api_key(service)[1]}"}
    body = f"ars;monat;anzahl\n{HESSEN};{MONTH};130\n"
    assert Client().post(URL, body, "text/csv", headers=headers).status_code == 423
    answer = Client().post(f"{URL}?begruendung=Tippfehler", body, "text/csv", headers=headers)
    assert answer.status_code == 201
    assert values() == {HESSEN: 130}


@pytest.mark.parametrize(("reason", "status"), [("x" * 500, 201), ("x" * 501, 400), (7, 400), (None, 400)])
def test_a_reason_is_a_text_of_some_length(
    service: OnlineService, closed: Delivery, reason: Any, status: int
) -> None:
    assert push(service, (HESSEN, 120), begruendung=reason).status_code == status


# --- file ----------------------------------------------------------------------------------------


def test_the_preview_asks_for_the_reason_and_keeps_what_was_typed(
    service: OnlineService, people: Personas, closed: Delivery
) -> None:
    client = signed_in(people.owner)
    delivery = received(people.owner, content(service, (HESSEN, MONTH, 120)))
    assert 'name="reason"' in page(client, address("review", delivery))
    seen = uploads.review(delivery, by=people.owner).seen
    refused = client.post(address("confirm", delivery), {"gesehen": seen, "reason": ""})
    assert refused.status_code == 422
    assert "Begründen Sie, warum sich ein abgeschlossener Monat ändert." in refused.content.decode()
    long = client.post(address("confirm", delivery), {"gesehen": seen, "reason": "y" * 501})
    assert "y" * 501 in long.content.decode()
    changed = client.post(address("confirm", delivery), {"gesehen": "alt", "reason": REASON})
    assert REASON in changed.content.decode()
    assert values() == {HESSEN: 100}
    client.post(address("confirm", delivery), {"gesehen": seen, "reason": REASON})
    assert values() == {HESSEN: 120}
    assert REASON in page(client, address("delivery", delivery))
    assert corrected() == {HESSEN}


def test_without_a_closed_month_nobody_is_asked(service: OnlineService, people: Personas) -> None:
    delivery = received(people.owner, content(service, (HESSEN, MONTH, 120)))
    assert 'name="reason"' not in page(signed_in(people.owner), address("review", delivery))


# --- undo ----------------------------------------------------------------------------------------


def test_undoing_in_a_closed_month_needs_a_reason_on_the_page(people: Personas, closed: Delivery) -> None:
    client = signed_in(people.owner)
    assert "ist abgeschlossen" in page(client, address("undo", closed))
    assert client.post(address("undo", closed)).status_code == 422
    assert values() == {HESSEN: 100}
    assert client.post(address("undo", closed), {"reason": REASON}).status_code == 302
    assert values() == {}
    assert Delivery.objects.get(undoes=closed).reason == REASON
    assert corrected() == {HESSEN}


def test_undoing_by_a_key_needs_one_as_well(service: OnlineService, closed: Delivery) -> None:
    headers = {"Authorization": f"Bearer {api_key(service)[1]}"}
    refused = Client().delete(f"{URL}/{closed.pk}", headers=headers)
    assert refused.status_code == 423
    assert refused.json()["detail"].endswith("ist abgeschlossen. Eine Korrektur braucht eine Begründung.")
    assert Client().delete(f"{URL}/{closed.pk}?begruendung=Irrtum", headers=headers).status_code == 200
    assert values() == {}


# --- reports -------------------------------------------------------------------------------------


def test_corrected_values_say_so_on_the_page_and_in_files(service: OnlineService, closed: Delivery) -> None:
    where = f"/onlineservices/{service.number}/"
    curve = f"{where}verlauf.csv?region={HESSEN}&monat={MONTH}"
    assert "gemeldet" in Client().get(curve).content.decode()
    push(service, (HESSEN, 120), (BAYERN, 7), begruendung=REASON)
    assert f"{MONTH};120;;korrigiert" in Client().get(curve).content.decode()
    regions = Client().get(f"{where}regionen.csv?monat={MONTH}").content.decode()
    assert sum("korrigiert" in line for line in regions.splitlines()) == 2
    said = page(Client(), f"{where}?region={HESSEN}&monat={MONTH}")
    assert "Korrigiert, nachdem der Monat abgeschlossen war." in said
    laender = Client().get(f"/daten/laender.csv?monat={MONTH}").content.decode()
    assert [line.split(";")[0] for line in laender.splitlines() if "korrigiert" in line] == [
        HESSEN, BAYERN, "000000000000",
    ]  # fmt: skip


def test_a_month_opened_again_asks_no_more_and_stays_marked(
    service: OnlineService, closed: Delivery, operator: User
) -> None:
    push(service, (HESSEN, 120), begruendung=REASON)
    assert reopen_month(LAST, by=operator, reason="Nachträge") is True
    assert reopen_month(LAST, by=operator, reason="Nachträge") is False
    assert push(service, (BAYERN, 3)).status_code == 201
    assert corrected() == {HESSEN}


# --- at once -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_a_delivery_under_way_and_holds_off_the_next() -> None:
    country.create()
    service, operator = ServiceFactory(), UserFactory(is_operations=True)
    events: list[str] = []

    def close() -> None:
        close_months([MAY], by=operator, reason="Bericht")
        events.append("closed")
        connections.close_all()

    thread = threading.Thread(target=close)
    with transaction.atomic():
        deliver(checked(row(service, HESSEN, 12)), new_delivery())
        thread.start()
        time.sleep(0.5)
        events.append("delivered")
    thread.join()
    assert events == ["delivered", "closed"]
    with pytest.raises(PeriodClosed):
        delivered(row(service, BERLIN, 5))
    assert values() == {HESSEN: 12}


@pytest.mark.django_db(transaction=True)
def test_closing_gives_up_when_a_delivery_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transactions.closing._PATIENCE", "200ms")
    country.create()
    service, operator = ServiceFactory(), UserFactory(is_operations=True)
    refused: list[bool] = []

    def close() -> None:
        try:
            close_months([MAY], by=operator, reason="Bericht")
        except DeliveriesRunning:
            refused.append(True)
        connection.close()

    with transaction.atomic():
        deliver(checked(row(service, HESSEN, 12)), new_delivery())
        thread = threading.Thread(target=close)
        thread.start()
        thread.join()
    assert refused == [True]
    assert not ClosedMonth.objects.exists()
