"""From each number to its deliveries, and from each delivery to its numbers."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from services.models import OnlineService
from tests.factories import MemberFactory, ServiceFactory, UserFactory
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    LAST,
    MONTH,
    SAARLAND,
    address,
    content,
    file_text,
    laender,
    page,
    signed_in,
    taken_over,
)
from transactions.models import Delivery
from transactions.queries.values import SetValues, month_values, regions_of_month
from transactions.undo import undo

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory(name="Wohngeld online")


@pytest.fixture
def member(service: OnlineService) -> User:
    return MemberFactory(service=service).user


def set_by(delivery: Delivery, *services: OnlineService, **more: Any) -> dict[str, tuple[Any, ...]]:
    found = SetValues(
        delivery, services={each.pk: each for each in services}, first=LAST, last=LAST, **more
    )  # fmt: skip
    rows = found[0 : len(found)]
    return {row.region: (row.kind, row.before, row.given, row.today, row.holds) for row in rows}


def of_month(service: OnlineService, month: str = MONTH) -> str:
    return reverse("transactions:month_values", args=[service.number, month])


def test_a_delivery_leads_to_each_value_and_what_became_of_it(member: User, service: OnlineService) -> None:
    first = taken_over(member, content(service, (HESSEN, MONTH, 1), (BAYERN, MONTH, 2), (SAARLAND, MONTH, 3)))
    second = taken_over(
        member, content(service, (HESSEN, MONTH, 10), (BAYERN, MONTH, "löschen"), (SAARLAND, MONTH, 3))
    )
    third = taken_over(member, content(service, (BAYERN, MONTH, 20)))
    assert set_by(first, service) == {
        "Hessen": ("neu", None, 1, 10, False),
        "Bayern": ("neu", None, 2, 20, False),
        "Saarland": ("neu", None, 3, 3, True),
    }
    # The unchanged value is not the second delivery's.
    assert set_by(second, service) == {
        "Hessen": ("geaendert", 1, 10, 10, True),
        "Bayern": ("geloescht", 2, None, 20, False),
    }
    assert set_by(second, service, kinds=["geaendert"]).keys() == {"Hessen"}
    assert set_by(third, service) == {"Bayern": ("neu", None, 20, 20, True)}
    taken_back = undo(third, by=member)
    assert set_by(third, service) == {"Bayern": ("neu", None, 20, None, False)}
    said = page(signed_in(member), address("delivery_values", third))
    assert f'{taken_back.get_absolute_url()}">zurückgenommen</a>' in said
    said = page(signed_in(member), address("delivery_values", first))
    assert f'{second.get_absolute_url()}">ersetzt</a>' in said
    assert "gilt noch" in said


def test_a_deleted_value_that_stays_deleted_holds(member: User, service: OnlineService) -> None:
    taken_over(member, content(service, (HESSEN, MONTH, 1)))
    delivery = taken_over(member, content(service, (HESSEN, MONTH, "löschen")))
    assert set_by(delivery, service) == {"Hessen": ("geloescht", 1, None, None, True)}


def test_a_member_of_one_service_sees_only_its_values(member: User, service: OnlineService) -> None:
    other = ServiceFactory(name="Gewerbe anmelden")
    both = MemberFactory(service=service).user
    MemberFactory(service=other, user=both)
    rows = content(service, (HESSEN, MONTH, 4711)) + content(other, (HESSEN, MONTH, 98765)).split(b"\n", 1)[1]
    delivery = taken_over(both, rows)
    where = address("delivery_values", delivery)
    for query in ("", f"?service={other.number}", "?art=neu", f"?monat={MONTH}"):
        said = page(signed_in(member), where + query)
        assert "4.711" in said
        assert "98.765" not in said
        assert "Gewerbe" not in said
    said = page(signed_in(both), f"{where}?service={other.number}")
    assert "98.765" in said
    assert "4.711" not in said
    assert signed_in(UserFactory()).get(where).status_code == 404


def test_the_values_page_filters_pages_and_survives_nonsense(member: User, service: OnlineService) -> None:
    delivery = taken_over(member, content(service, (HESSEN, MONTH, 1), (BAYERN, MONTH, 2)))
    where = address("delivery_values", delivery)
    assert "2 Werte" in page(signed_in(member), f"{where}?seite=99&service=%00&monat=x&art=%00")
    assert "Kein Wert gefunden" in page(signed_in(member), f"{where}?art=geloescht")
    assert "Kein Wert gefunden" in page(signed_in(member), f"{where}?monat=2019-01")
    same = taken_over(member, content(service, (HESSEN, MONTH, 1)))
    assert "hat nichts geändert" in page(signed_in(member), address("delivery_values", same))


def test_each_value_of_a_month_leads_to_the_deliveries_that_made_it(
    member: User, service: OnlineService
) -> None:
    first = taken_over(member, content(service, (HESSEN, MONTH, 1), (BAYERN, MONTH, 2)))
    second = taken_over(member, content(service, (HESSEN, MONTH, 5), (BAYERN, MONTH, "löschen")))
    third = taken_over(member, content(service, (HESSEN, MONTH, 7)))
    keys = [ars for (ars,) in regions_of_month(service, LAST)]
    found = {
        row.region: [(step.value, step.delivery) for step in row.steps]
        for row in month_values(service, LAST, keys)
    }
    assert found == {
        "Hessen": [(7, third), (5, second), (1, first)],
        "Bayern": [(None, second), (2, first)],
    }
    said = page(signed_in(member), of_month(service))
    assert "7 aus einer Region." in said
    assert all(each.get_absolute_url() in said for each in (first, second, third))
    lines = file_text(signed_in(member), f"{of_month(service).rstrip('/')}.csv").splitlines()
    assert [line.split(";")[3:5] for line in lines[1:]] == [
        ["gilt", "7"], ["frueher", "5"], ["frueher", "1"], ["gilt", ""], ["frueher", "2"],
    ]  # fmt: skip


def test_a_value_that_came_back_keeps_its_whole_history(member: User, service: OnlineService) -> None:
    taken_over(member, content(service, (HESSEN, MONTH, 1)))
    taken_over(member, content(service, (HESSEN, MONTH, "löschen")))
    said = page(signed_in(member), of_month(service))
    assert "keine Angabe" in said
    assert f"keine-transaktionen?monat={MONTH}" in said
    taken_over(member, content(service, (HESSEN, MONTH, 3)))
    assert "keine-transaktionen" not in page(signed_in(member), of_month(service))
    (row,) = month_values(service, LAST, [HESSEN])
    assert [step.value for step in row.steps] == [3, None, 1]


def test_an_empty_month_says_so_and_offers_the_next_step(member: User, service: OnlineService) -> None:
    said = page(signed_in(member), of_month(service, "2025-05"))
    assert "keine Angabe. Das ist nicht dasselbe wie 0." in said
    assert "keine-transaktionen?monat=2025-05" in said
    for month in ("9999-12", "0001-01"):
        page(signed_in(member), of_month(service, month))
    for month in ("2025-13", "x", "2025"):
        assert signed_in(member).get(of_month(service, month)).status_code == 404


@pytest.mark.parametrize("changes", [1, 6])
def test_both_pages_cost_the_same_for_few_and_many(
    member: User, service: OnlineService, changes: int, django_assert_num_queries: Any
) -> None:
    for index in range(changes):
        rows = [(ars, MONTH, index) for ars in (HESSEN, BAYERN, SAARLAND)[: changes // 2 + 1]]
        delivery = taken_over(member, content(service, *rows))
    client = signed_in(member)
    with django_assert_num_queries(11):
        page(client, of_month(service))
    with django_assert_num_queries(7):
        page(client, address("delivery_values", delivery))
