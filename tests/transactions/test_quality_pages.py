"""Deliveries that stand out, as operations and the services' people see them."""

import uuid
from typing import Any

import pytest

from accounts.models import AuditEntry, User
from services.models import OnlineService
from tests.factories import (
    PortalFactory,
    ServiceFactory,
    UserFactory,
    land,
    personas,
)
from tests.transactions.uploading import MONTH, address, content, page, signed_in, taken_over
from transactions.models import Delivery, QualityCase
from transactions.quality import SeenAlready, mark_seen

pytestmark = pytest.mark.django_db
LAENDER = [f"{number:02d}0000000000" for number in range(1, 17)]
LIST = "/betrieb/qualitaet/"


@pytest.fixture
def operator() -> User:
    return UserFactory(is_operations=True, first_name="Bernd", last_name="Trieb")


@pytest.fixture
def service() -> OnlineService:
    for ars in LAENDER:
        land(ars, f"Land {ars[:2]}")
    return ServiceFactory(name="Wohngeld", portal=PortalFactory(kuerzel="bund"))


def odd(*services: OnlineService, by: User | None = None) -> Delivery:
    """All regions equal, for each of the services."""
    rows = [content(one, *((ars, MONTH, 250) for ars in LAENDER)).decode().splitlines() for one in services]
    lines = [rows[0][0], *(line for one in rows for line in one[1:])]
    return taken_over(by or UserFactory(is_operations=True), "\n".join(lines).encode())


def test_the_list_says_what_is_odd_and_the_start_page_counts_it(
    service: OnlineService, operator: User
) -> None:
    done = odd(service)
    said = page(signed_in(operator), LIST)
    assert f"{service.number}, " in said
    assert "Alle 16 gemeldeten Regionen haben den Wert 250." in said
    assert f"{LIST}{done.pk}/" in said
    assert "Eine Lieferung ist auffällig" in page(signed_in(operator), "/betrieb/")


def test_the_newest_stands_first(service: OnlineService, operator: User) -> None:
    older, newer = odd(service), odd(ServiceFactory())
    said = page(signed_in(operator), LIST)
    assert said.index(f"{LIST}{newer.pk}/") < said.index(f"{LIST}{older.pk}/")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True), ("?art=regionen_gleich", True), ("?art=wie_vormonat", False), ("?service=wohn", True),
        ("?service=Gewerbe", False), ("?portal=bund", True), ("?portal=anderes", False),
        ("?stand=geprueft", False), ("?stand=alle", True), ("?art=unsinn&seite=99", True),
        ("?service=%00", True),
    ],
)  # fmt: skip
def test_the_address_filters_the_list(
    service: OnlineService, operator: User, query: str, found: bool
) -> None:
    PortalFactory(kuerzel="anderes")
    odd(service)
    assert ("Alle 16 gemeldeten" in page(signed_in(operator), LIST + query)) is found


def test_marking_it_as_looked_at_is_kept_and_told_to_the_services_people(
    service: OnlineService, operator: User
) -> None:
    owner, done = personas(service).owner, odd(service)
    client = signed_in(operator)
    assert client.post(f"{LIST}{done.pk}/", {"note": ""}).status_code == 422
    client.post(f"{LIST}{done.pk}/", {"note": "Nachgefragt, stimmt"})
    case = QualityCase.objects.get()
    assert (case.actor, case.note, case.seen_at is not None) == ("Bernd Trieb", "Nachgefragt, stimmt", True)
    assert AuditEntry.objects.filter(actor="Bernd Trieb", detail="Nachgefragt, stimmt").exists()
    assert "Nichts zu prüfen" in page(client, LIST)
    assert "Nachgefragt, stimmt" in page(signed_in(owner), address("delivery", done))
    with pytest.raises(SeenAlready):
        mark_seen(case, by=operator, note="noch einmal")
    assert QualityCase.objects.get().note == "Nachgefragt, stimmt"


def test_of_a_portals_delivery_people_see_what_is_said_about_their_service(service: OnlineService) -> None:
    other = ServiceFactory(name="Geheimnis")
    owner, done = personas(service).owner, odd(service, other)
    said = page(signed_in(owner), address("delivery", done))
    assert f"{service.number}, " in said
    assert other.number not in said
    mark_seen(QualityCase.objects.get(), by=UserFactory(), note="Geheimnis: 250 stimmt")
    assert "250 stimmt" not in page(signed_in(owner), address("delivery", done))
    assert "250 stimmt" in page(signed_in(UserFactory(is_operations=True)), address("delivery", done))


def test_one_that_was_taken_back_waits_no_more(service: OnlineService, operator: User) -> None:
    done = odd(service)
    Delivery.objects.filter(pk=done.pk).update(status=Delivery.Status.UNDONE)
    assert "Nichts zu prüfen" in page(signed_in(operator), LIST)
    assert "rückgängig gemacht" in page(signed_in(operator), f"{LIST}?stand=alle")


def test_a_delivery_without_anything_odd_is_not_there(operator: User) -> None:
    assert signed_in(operator).get(f"{LIST}{uuid.uuid4()}/").status_code == 404


def test_the_list_costs_the_same_for_few_and_many(
    service: OnlineService, operator: User, django_assert_num_queries: Any
) -> None:
    client = signed_in(operator)
    odd(service)
    page(client, LIST)
    with django_assert_num_queries(9):
        page(client, LIST)
    for _number in range(4):
        odd(service, ServiceFactory(), ServiceFactory())
        odd(ServiceFactory())
    with django_assert_num_queries(9):
        page(client, LIST)
