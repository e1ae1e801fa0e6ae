"""Taking a delivery back on its page: the consequence in numbers first, then done, then both ways linked."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from services.models import OnlineService
from tests.factories import MemberFactory, Personas, ServiceFactory, api_key, personas
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    MONTH,
    address,
    content,
    laender,
    page,
    signed_in,
    taken_over,
)
from transactions.models import Delivery, TransactionCount
from transactions.undo import UndoRefused, undo

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory(published=True)


@pytest.fixture
def people(service: OnlineService) -> Personas:
    return personas(service)


@pytest.fixture
def first(people: Personas, service: OnlineService) -> Delivery:
    return taken_over(people.owner, content(service, (HESSEN, MONTH, 100)))


@pytest.fixture
def second(people: Personas, service: OnlineService, first: Delivery) -> Delivery:
    return taken_over(people.owner, content(service, (HESSEN, MONTH, 90), (BAYERN, MONTH, 7)))


def values() -> dict[str, int]:
    return dict(TransactionCount.objects.values_list("ars_id", "count"))


def test_the_page_states_the_consequence_and_get_changes_nothing(people: Personas, second: Delivery) -> None:
    said = page(signed_in(people.colleague), address("undo", second))
    assert "1 Wert, der neu war, wird gelöscht" in said
    assert "1 geänderter Wert bekommt seinen früheren Stand zurück" in said
    assert "Die öffentlichen Zahlen ändern sich sofort." in said
    assert values() == {HESSEN: 90, BAYERN: 7}


def test_post_takes_back_and_links_both_ways(people: Personas, second: Delivery) -> None:
    client = signed_in(people.colleague)
    answer = client.post(address("undo", second))
    back = Delivery.objects.get(undoes=second)
    assert answer["Location"] == back.get_absolute_url()
    assert values() == {HESSEN: 100}
    said = page(client, back.get_absolute_url())
    assert "Rückgängig gemacht: 1 Wert gelöscht, 1 Wert wiederhergestellt." in said
    assert second.get_absolute_url() in said
    assert back.get_absolute_url() in page(client, second.get_absolute_url())
    assert "rückgängig gemacht" in page(client, second.get_absolute_url())


def test_a_second_time_and_a_later_change_are_refused_in_words(
    people: Personas, first: Delivery, second: Delivery
) -> None:
    client = signed_in(people.owner)
    assert "1 Wert dieser Lieferung wurde danach geändert." in page(client, address("undo", first))
    assert address("undo", first) not in page(client, first.get_absolute_url())
    answer = client.post(address("undo", first))
    assert answer.status_code == 409
    assert "wurde danach geändert" in answer.content.decode()
    client.post(address("undo", second))
    again = client.post(address("undo", second))
    assert again.status_code == 409
    assert "schon rückgängig gemacht" in again.content.decode()
    assert values() == {HESSEN: 100}


def test_what_came_and_went_since_is_not_brought_back(
    people: Personas, service: OnlineService, first: Delivery
) -> None:
    gone = taken_over(people.owner, content(service, (HESSEN, MONTH, "löschen")))
    taken_over(people.owner, content(service, (HESSEN, MONTH, 5)))
    last = taken_over(people.owner, content(service, (HESSEN, MONTH, "löschen")))
    with pytest.raises(UndoRefused, match="1 Wert dieser Lieferung wurde danach geändert"):
        undo(gone, by=people.owner)
    assert values() == {}
    undo(last, by=people.owner)
    assert values() == {HESSEN: 5}


def test_undo_needs_a_token(people: Personas, second: Delivery) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.owner)
    assert strict.post(address("undo", second)).status_code == 403
    assert values() == {HESSEN: 90, BAYERN: 7}


def test_a_key_cannot_take_back_what_also_belongs_to_others(people: Personas, service: OnlineService) -> None:
    other = MemberFactory(user=people.owner).service
    rows = content(service, (HESSEN, MONTH, 1)) + content(other, (HESSEN, MONTH, 2)).split(b"\n", 1)[1]
    delivery = taken_over(people.owner, rows)
    key, text = api_key(service)
    with pytest.raises(PermissionDenied):
        undo(delivery, by=key)
    answer = Client().delete(
        f"/api/v1/lieferungen/{delivery.pk}", headers={"Authorization": f"Bearer {text}"}
    )
    assert answer.status_code == 403
    assert TransactionCount.objects.count() == 2
