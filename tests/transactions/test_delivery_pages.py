"""The list of deliveries and one delivery: who sees the whole, who a part, who nothing."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portals.models import Portal
from services.models import OnlineService
from tests.factories import (
    MemberFactory,
    PortalFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
    api_key,
)
from tests.transactions.uploading import (
    BAYERN,
    HESSEN,
    MONTH,
    address,
    content,
    laender,
    page,
    received,
    signed_in,
    taken_over,
)
from transactions import push, uploads
from transactions.models import Delivery
from zsk import months

pytestmark = pytest.mark.django_db
LIST = "transactions:deliveries"


@pytest.fixture
def portal() -> Portal:
    laender()
    return PortalFactory()


@pytest.fixture
def services(portal: Portal) -> list[OnlineService]:
    return [ServiceFactory(portal=portal, name=name) for name in ("Wohngeld online", "Gewerbe anmelden")]


@pytest.fixture
def admin(portal: Portal) -> User:
    return PortalMemberFactory(portal=portal).user


@pytest.fixture
def member(services: list[OnlineService]) -> User:
    """May deliver for the first of the portal's services only."""
    return MemberFactory(service=services[0]).user


@pytest.fixture
def of_portal(admin: User, services: list[OnlineService]) -> Delivery:
    first = content(services[0], (HESSEN, MONTH, 111))
    more = content(services[1], (HESSEN, MONTH, 222), (BAYERN, MONTH, 333)).split(b"\n", 1)[1]
    return taken_over(admin, first + more)


def pushed(text: dict[str, Any], **owner: Any) -> Delivery:
    receipt = push.receive(json.dumps(text).encode(), by=api_key(**owner)[0])
    assert receipt.delivery
    return receipt.delivery


def test_strangers_find_nothing(of_portal: Delivery) -> None:
    stranger = signed_in(UserFactory())
    for name in ("delivery", "delivery_report", "undo"):
        where = address(name, of_portal)
        assert Client().get(where)["Location"] == f"/anmelden/?next={where}"
        assert stranger.get(where).status_code == 404
    assert "Noch keine Lieferung" in page(stranger, reverse(LIST))


def test_a_member_of_one_service_sees_only_its_part(
    of_portal: Delivery, member: User, services: list[OnlineService]
) -> None:
    client = signed_in(member)
    said = page(client, of_portal.get_absolute_url())
    assert "Für Ihre Onlineservices gespeichert: 1 neu." in said
    assert "Wohngeld online" in said
    for hidden in ("Gewerbe anmelden", services[1].number, "zahlen.csv", "/bericht", "<b>3</b>"):
        assert hidden not in said
    listed = page(client, reverse(LIST))
    assert "Wohngeld online" in listed
    assert "zahlen.csv" not in listed
    assert f'/werte/?art=neu&amp;service={services[0].number}" aria-label="1 Wert ansehen">1</a>' in listed
    assert client.get(address("delivery_report", of_portal)).status_code == 404
    assert client.get(address("undo", of_portal)).status_code == 403
    assert client.post(address("undo", of_portal)).status_code == 403


def test_the_sender_operations_and_who_delivers_for_all_see_the_whole(
    of_portal: Delivery, admin: User, services: list[OnlineService], member: User
) -> None:
    MemberFactory(service=services[1], user=member)
    for person in (admin, UserFactory(is_operations=True), member):
        client = signed_in(person)
        said = page(client, of_portal.get_absolute_url())
        assert "Gespeichert: 3 neu." in said
        assert "Gewerbe anmelden" in said
        report = b"".join(client.get(address("delivery_report", of_portal)))  # type: ignore[arg-type]
        assert report.count(b";neu;") == 3


def test_what_a_key_sent_is_seen_by_its_people(
    portal: Portal, services: list[OnlineService], admin: User, member: User
) -> None:
    bad = {"onlineservice": services[0].number, "ars": "1", "monat": MONTH, "anzahl": 1}
    by_portal = pushed({"zeilen": [bad]}, portal=portal)
    by_service = pushed(
        {"zeilen": [{key: bad[key] for key in ("ars", "monat", "anzahl")}]}, service=services[0]
    )
    assert by_portal.status == by_service.status == Delivery.Status.REFUSED
    assert signed_in(member).get(by_portal.get_absolute_url()).status_code == 404
    said = page(signed_in(member), by_service.get_absolute_url())
    assert "Es wurde nichts gespeichert." in said
    assert "Der Regionalschlüssel hat 1 statt 12 Ziffern." in said
    report = b"".join(signed_in(member).get(address("delivery_report", by_service)))  # type: ignore[arg-type]
    assert b";fehler;" in report
    assert "Ziffern." in page(signed_in(admin), by_portal.get_absolute_url())


def test_a_refused_file_for_one_service_does_not_show_others_to_its_members(
    admin: User, member: User, services: list[OnlineService]
) -> None:
    """Somebody sends a file of the whole portal, and chooses one service by mistake."""
    first, other = content(services[0], (HESSEN, MONTH, 1)), content(services[1], (BAYERN, MONTH, 76543))
    both = first + other.split(b"\n", 1)[1]
    refused = uploads.receive(lambda: [both], name="zahlen.csv", by=admin, service=services[0])
    assert Delivery.objects.get(pk=refused.pk).status == Delivery.Status.REFUSED
    client = signed_in(member)
    assert "Es wurde nichts gespeichert." in page(client, refused.get_absolute_url())
    assert "/bericht" not in page(client, refused.get_absolute_url())
    assert client.get(address("delivery_report", refused)).status_code == 404
    for person in (admin, UserFactory(is_operations=True)):
        assert signed_in(person).get(address("delivery_report", refused)).status_code == 200


def test_who_lost_a_service_learns_nothing_more_of_it(member: User, services: list[OnlineService]) -> None:
    rows = b"ars;monat;anzahl\n" + f"{HESSEN};{MONTH};5\n".encode()
    sent = taken_over(member, content(services[0], (HESSEN, MONTH, 5)))
    waiting = uploads.receive(lambda: [rows], name="zahlen.csv", by=member, service=services[0])
    client = signed_in(member)
    values = reverse("transactions:delivery_values", args=[sent.pk])
    assert client.get(values).status_code == 200
    services[0].memberships.all().delete()
    assert client.get(address("review_report", waiting)).status_code == 403
    assert client.get(values).status_code == 404
    assert "/werte/" not in page(client, sent.get_absolute_url())


def test_changed_values_are_shown_from_and_to(member: User, services: list[OnlineService]) -> None:
    taken_over(member, content(services[0], (HESSEN, MONTH, 2188), (BAYERN, MONTH, 5)))
    later = taken_over(member, content(services[0], (HESSEN, MONTH, 2231), (BAYERN, MONTH, "löschen")))
    said = page(signed_in(member), later.get_absolute_url())
    assert "2 Werte haben sich geändert" in said
    assert ">2.188</td>" in said
    assert "<b>2.231</b>" in said
    assert ">+43</td>" in said
    assert '<span class="zsk-meta">gelöscht</span>' in said


def test_a_part_shows_no_changes_of_other_services(
    of_portal: Delivery, admin: User, member: User, services: list[OnlineService]
) -> None:
    rows = (
        content(services[0], (HESSEN, MONTH, 112))
        + content(services[1], (HESSEN, MONTH, 98765)).split(b"\n", 1)[1]
    )
    said = page(signed_in(member), taken_over(admin, rows).get_absolute_url())
    assert "<b>112</b>" in said
    assert "98.765" not in said


def test_findings_belong_to_those_who_see_the_whole(
    admin: User, member: User, services: list[OnlineService]
) -> None:
    running = f"{months.running():%Y-%m}"
    first, other = content(services[0], (HESSEN, MONTH, 1)), content(services[1], (HESSEN, running, 2))
    delivery = taken_over(admin, first + other.split(b"\n", 1)[1])
    assert "läuft noch" in page(signed_in(admin), delivery.get_absolute_url())
    assert "läuft noch" not in page(signed_in(member), delivery.get_absolute_url())


def test_a_waiting_upload_leads_its_sender_back_to_the_preview(
    member: User, services: list[OnlineService]
) -> None:
    waiting = received(member, content(services[0], (HESSEN, MONTH, 1)))
    assert address("review", waiting) in page(signed_in(member), waiting.get_absolute_url())
    said = page(signed_in(UserFactory(is_operations=True)), waiting.get_absolute_url())
    assert address("review", waiting) not in said


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 2),
        ("?status=uebernommen", 1),
        ("?status=abgelehnt", 1),
        ("?weg=push", 0),
        ("?weg=datei", 2),
        ("?service=wohn", 1),
        ("?service=Gewerbe", 0),
        ("?status=unsinn", 2),
        ("?seite=99", 2),
        ("?service=%00", 2),
    ],
)
def test_the_address_filters_the_list(
    member: User, services: list[OnlineService], query: str, expected: int
) -> None:
    taken_over(member, content(services[0], (HESSEN, MONTH, 1)))
    received(member, content(services[0], (HESSEN, MONTH, "x")))
    said = page(signed_in(member), reverse(LIST) + query)
    assert said.count('role="rowheader"') == expected


def test_a_number_finds_the_deliveries_of_its_service(member: User, services: list[OnlineService]) -> None:
    taken_over(member, content(services[0], (HESSEN, MONTH, 1)))
    for text, count in ((services[0].number, 1), (services[1].number, 0), ("OS-999999999999999999", 0)):
        assert page(signed_in(member), f"{reverse(LIST)}?service={text}").count('role="rowheader"') == count


@pytest.mark.parametrize("rows", [3, 20])
def test_the_list_costs_the_same_for_few_and_many(
    member: User, services: list[OnlineService], rows: int, django_assert_num_queries: Any
) -> None:
    for index in range(rows):
        taken_over(member, content(services[0], (HESSEN, MONTH, index)))
    client = signed_in(member)
    with django_assert_num_queries(LIST_QUERIES):
        said = page(client, reverse(LIST))
    assert said.count('role="rowheader"') == rows


LIST_QUERIES = 9
