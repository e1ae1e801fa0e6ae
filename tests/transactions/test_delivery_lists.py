"""Deliveries of one service, one portal, and for operations: filter, order, file, and whose part is shown."""

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from portals.models import Portal
from services.models import OnlineService
from tests.factories import MemberFactory, PortalFactory, PortalMemberFactory, ServiceFactory, UserFactory
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    MONTH,
    address,
    content,
    file_text,
    laender,
    page,
    received,
    signed_in,
    taken_over,
)
from transactions.models import Delivery

pytestmark = pytest.mark.django_db
ALL = "/lieferungen/"


@pytest.fixture
def portal() -> Portal:
    laender()
    return PortalFactory(name="Musterportal")


@pytest.fixture
def services(portal: Portal) -> list[OnlineService]:
    return [ServiceFactory(portal=portal, name=name) for name in ("Wohngeld online", "Gewerbe anmelden")]


@pytest.fixture
def admin(portal: Portal) -> User:
    return PortalMemberFactory(portal=portal).user


@pytest.fixture
def member(services: list[OnlineService]) -> User:
    return MemberFactory(service=services[0]).user


@pytest.fixture
def of_portal(admin: User, services: list[OnlineService]) -> Delivery:
    first = content(services[0], (HESSEN, MONTH, 111))
    more = content(services[1], (HESSEN, MONTH, 222), (BAYERN, MONTH, 333)).split(b"\n", 1)[1]
    return taken_over(admin, first + more)


def of_service(service: OnlineService) -> str:
    return reverse("transactions:service_deliveries", args=[service.number])


def rows(said: str) -> int:
    return said.count('scope="row"')


def test_a_services_list_shows_its_part_also_to_those_who_see_the_whole(
    of_portal: Delivery, admin: User, services: list[OnlineService]
) -> None:
    said = page(signed_in(admin), of_service(services[0]))
    assert 'aria-label="1 Wert ansehen">1</a>' in said
    assert "Gewerbe anmelden" not in said
    said = page(signed_in(admin), ALL)
    assert 'aria-label="3 Werte ansehen">3</a>' in said


def test_a_portals_list_holds_its_services_deliveries_and_no_others(
    of_portal: Delivery, admin: User, services: list[OnlineService], portal: Portal
) -> None:
    elsewhere = ServiceFactory(name="Anderswo")
    MemberFactory(service=elsewhere, user=admin)
    taken_over(admin, content(elsewhere, (HESSEN, MONTH, 1)))
    said = page(signed_in(admin), f"/meine/portale/{portal.kuerzel}/lieferungen")
    assert rows(said) == 1
    assert "Anderswo" not in said
    assert rows(page(signed_in(admin), ALL)) == 2
    assert rows(page(signed_in(admin), f"{ALL}?portal={portal.kuerzel}")) == 1


def test_a_member_finds_what_a_colleague_failed_with_for_the_service_alone(
    member: User, services: list[OnlineService]
) -> None:
    colleague = MemberFactory(service=services[0]).user
    bad = content(services[0], (HESSEN, MONTH, "x"))
    refused = received(colleague, bad, service=services[0])
    received(colleague, bad)
    received(colleague, content(services[0], (HESSEN, MONTH, 1)), service=services[0])  # waits, stays theirs
    said = page(signed_in(member), of_service(services[0]))
    assert rows(said) == 1
    assert refused.get_absolute_url() in said
    assert "1 Fehler: " in said
    assert "keine Zahl" in page(signed_in(member), refused.get_absolute_url())
    assert signed_in(UserFactory()).get(refused.get_absolute_url()).status_code == 404


def test_who_leaves_the_service_no_longer_sees_its_deliveries(
    of_portal: Delivery, member: User, services: list[OnlineService]
) -> None:
    assert rows(page(signed_in(member), of_service(services[0]))) == 1
    member.service_memberships.all().delete()  # type: ignore[attr-defined]
    assert signed_in(member).get(of_service(services[0])).status_code == 403
    assert signed_in(member).get(address("delivery_values", of_portal)).status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("monat={month}", 1),
        ("monat=2019-01", 0),
        ("von={today}&bis={today}", 1),
        ("von={tomorrow}", 0),
        ("bis={yesterday}", 0),
        ("bis=9999-12-31", 1),
        ("wer=gibt+es+nicht", 0),
        ("portal=gibt-es-nicht", 1),
        ("portal=%00&wer=%00&monat=%00&von=x&sortierung=x&seite=-1", 1),
        ("sortierung=fehler", 1),
        ("sortierung=umfang", 1),
    ],
)
def test_the_address_filters(of_portal: Delivery, admin: User, query: str, expected: int) -> None:
    today = timezone.localdate()
    asked = query.format(
        month=MONTH, today=today, tomorrow=today + dt.timedelta(days=1),
        yesterday=today - dt.timedelta(days=1),
    )  # fmt: skip
    assert rows(page(signed_in(admin), f"{ALL}?{asked}")) == expected


def test_operations_find_deliveries_by_who_sent_them(
    of_portal: Delivery, services: list[OnlineService]
) -> None:
    operations = signed_in(UserFactory(is_operations=True))
    name = of_portal.actor.split(",")[0]
    assert rows(page(operations, f"{ALL}?wer={name}")) == 1
    assert "Musterportal" in page(operations, ALL)


def test_the_oldest_may_come_first(member: User, services: list[OnlineService]) -> None:
    first = taken_over(member, content(services[0], (HESSEN, MONTH, 1)))
    second = taken_over(member, content(services[0], (HESSEN, MONTH, 2)))

    def order(query: str) -> list[str]:
        said = page(signed_in(member), ALL + query)
        return sorted((str(first.pk), str(second.pk)), key=said.index)

    assert order("") == [str(second.pk), str(first.pk)]
    assert order("?sortierung=aelteste") == [str(first.pk), str(second.pk)]


def test_the_file_holds_what_the_page_shows_and_no_more(
    of_portal: Delivery, member: User, admin: User, services: list[OnlineService]
) -> None:
    head, line, *more = file_text(signed_in(member), "/lieferungen.csv").splitlines()
    assert more == []
    cells = dict(zip(head.split(";"), line.split(";"), strict=True))
    assert (cells["onlineservice"], cells["neu"], cells["fehler"], cells["erster_monat"]) == (
        services[0].number, "1", "", "",
    )  # fmt: skip
    whole = file_text(signed_in(admin), f"/lieferungen.csv?monat={MONTH}").splitlines()[1].split(";")
    assert (whole[6], whole[7], whole[12]) == ("2", "3", MONTH)
    assert len(file_text(signed_in(admin), "/lieferungen.csv?status=abgelehnt").splitlines()) == 1
    of_one = file_text(signed_in(admin), f"{of_service(services[1])}.csv").splitlines()[1].split(";")
    assert of_one[7] == "2"


@pytest.mark.parametrize("count", [2, 20])
def test_a_services_list_costs_the_same_for_few_and_many(
    member: User, services: list[OnlineService], count: int, django_assert_num_queries: Any
) -> None:
    for index in range(count):
        taken_over(member, content(services[0], (HESSEN, MONTH, index)))
    client = signed_in(member)
    with django_assert_num_queries(10):
        said = page(client, of_service(services[0]))
    assert rows(said) == count
