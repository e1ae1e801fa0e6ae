"""From each number to its deliveries, and from each delivery to its numbers."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import User
from ozgsync.models import Level, Region
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
from transactions.models import Delivery, DeliveryService
from transactions.queries.values import FIRST as FIRST_KEY
from transactions.queries.values import LAST as LAST_KEY
from transactions.queries.values import SetValues, month_values, regions_of_month
from transactions.undo import undo
from zsk import months

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
    return {row.region: (row.kind, row.before, row.given, row.today, row.holds) for row in found}


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
    assert "2 Werte" in page(signed_in(member), f"{where}?nach=%00&vor=x.y.z&service=%00&monat=x&art=%00")
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
    with django_assert_num_queries(8):
        page(client, address("delivery_values", delivery))


# --- many values ---------------------------------------------------------------------------------


REGIONS, MONTHS_BACK = 500, 100


@pytest.fixture
def large(member: User) -> Delivery:
    """200,000 values of four services in 100 months; the first service is the member's."""
    level = Level.GEMEINDE
    Region.objects.bulk_create(
        Region(ars=f"{number:012}", name=f"R{number}", level_top=level, level_bottom=level)
        for number in range(1, 1 + REGIONS)
    )
    own = OnlineService.objects.get()
    services = [own, *(ServiceFactory(name=name) for name in ("=Zwei", "Drei", "Vier"))]
    sent = Delivery.objects.create(
        channel=Delivery.Channel.FILE, user=member, actor="Test", status=Delivery.Status.ACCEPTED,
        first_month=months.shift(LAST, 1 - MONTHS_BACK), last_month=LAST,
    )  # fmt: skip
    each = REGIONS * MONTHS_BACK
    DeliveryService.objects.bulk_create(
        DeliveryService(delivery=sent, service=service, new_count=each) for service in services
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO transaction_count (service_id, month, ars, count, delivery)"
            " SELECT s, m, ars, 7, %s FROM unnest(%s::bigint[]) AS s, ozgsync_region AS r,"
            " generate_series(%s::date, %s::date, interval '1 month') AS m WHERE r.name LIKE 'R%%'",
            [sent.pk, [service.pk for service in services], sent.first_month, sent.last_month],
        )
        cursor.execute("ANALYZE transaction_count")
    return sent


def replaced(sent: Delivery) -> None:
    """Another delivery sets everything again."""
    other = Delivery.objects.create(
        channel=Delivery.Channel.FILE, actor="Test", status=Delivery.Status.ACCEPTED
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO count_revision"
            " (service_id, month, ars, number, old, new, action, old_delivery, delivery, reason)"
            " SELECT service_id, month, ars, 1, count, 8, 'geaendert', delivery, %s, ''"
            " FROM transaction_count WHERE delivery = %s",
            [other.pk, sent.pk],
        )
        cursor.execute(
            "UPDATE transaction_count SET delivery = %s, count = 8 WHERE delivery = %s", [other.pk, sent.pk]
        )
        cursor.execute("ANALYZE transaction_count")
        cursor.execute("ANALYZE count_revision")


class Cost:
    """Pages of the tables that statements touched, as PostgreSQL counts them."""

    def __init__(self) -> None:
        self.pages = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        with context["connection"].connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
            plan = cursor.fetchone()[0][0]["Plan"]
        self.pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return execute(sql, params, many, context)


@pytest.mark.parametrize("become", [None, replaced])
def test_a_page_far_inside_costs_what_the_first_costs(
    member: User, large: Delivery, become: Callable[[Delivery], None] | None
) -> None:
    if become:
        become(large)
    services = {service.pk: service for service in OnlineService.objects.all()}
    found = SetValues(large, services=services, first=large.first_month, last=large.last_month)
    newest = (max(services), months.shift(LAST, -1), f"{10:012}")
    costs = []
    for turn in (
        lambda: found.after(FIRST_KEY, limit=51), lambda: found.after(newest, limit=51),
        lambda: found.before(newest, limit=51), lambda: found.before(LAST_KEY, limit=51),
    ):  # fmt: skip
        with connection.execute_wrapper(cost := Cost()):
            assert len(turn()) == 51
        costs.append(cost.pages)
    assert max(costs) < 1.5 * costs[0]
    assert max(costs) < 3_000  # what the delivery has overwritten is read as well until it is swept


def test_pages_follow_one_another_and_keep_what_was_chosen(member: User, large: Delivery) -> None:
    client, where = signed_in(member), address("delivery_values", large)
    month = f"{months.shift(LAST, -3):%Y-%m}"
    seen: list[str] = []
    here = f"{where}?monat={month}&art=neu"
    said = page(client, here)
    assert 'rel="prev"' not in said
    while True:
        seen += re.findall(r"\?region=(\d{12})", said)
        following = re.search(r'href="(\?[^"]*)" rel="next"', said)
        if following is None:
            break
        here = where + following[1].replace("&amp;", "&")
        assert f"monat={month}" in here
        assert "art=neu" in here
        said = page(client, here)
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen) == REGIONS
    backwards: list[str] = []
    while True:
        backwards = [*re.findall(r"\?region=(\d{12})", said), *backwards]
        before = re.search(r'href="(\?[^"]*)" rel="prev"', said)
        if before is None:
            break
        said = page(client, where + before[1].replace("&amp;", "&"))
    assert backwards == seen
    assert "50.000 Werte" in page(client, where)


def test_addresses_from_outside_lead_to_the_first_and_the_last_page(member: User, large: Delivery) -> None:
    client, where = signed_in(member), address("delivery_values", large)
    number = OnlineService.objects.order_by("pk")[0].number
    behind = page(client, f"{where}?nach={number}.{LAST:%Y-%m}.999999999999")
    assert "R500<" in behind
    assert 'rel="next"' not in behind
    assert 'rel="prev"' in behind
    early = page(client, f"{where}?vor={number}.{large.first_month:%Y-%m}.000000000003")
    assert "R1<" in early
    assert 'rel="prev"' not in early
    assert "R50<" in early


def test_the_file_has_every_value_that_the_person_may_see(member: User, large: Delivery) -> None:
    where = address("delivery_values", large).rstrip("/") + ".csv"
    answer = signed_in(member).get(where)
    assert answer.streaming
    lines = file_text(signed_in(member), where).splitlines()
    assert len(lines) == 1 + REGIONS * MONTHS_BACK
    assert lines[0].startswith("onlineservice;name;ars;region;monat;art;vorher;geliefert;heute;stand;")
    own = OnlineService.objects.get(name="Wohngeld online").number
    oldest = f"{large.first_month:%Y-%m}"
    assert lines[1] == f"{own};Wohngeld online;000000000001;R1;{oldest};neu;;7;7;gilt;;synthetische Daten"
    assert {line.split(";")[0] for line in lines[1:]} == {own}
    everything = file_text(signed_in(UserFactory(is_operations=True)), f"{where}?monat={MONTH}").splitlines()
    assert len(everything) == 1 + 4 * REGIONS
    assert sum(";'=Zwei;" in line for line in everything) == REGIONS


def test_a_file_says_that_numbers_are_invented_only_where_they_are(
    member: User, service: OnlineService, settings: Any
) -> None:
    first = taken_over(member, content(service, (HESSEN, MONTH, 1234567)))
    second = taken_over(member, content(service, (HESSEN, MONTH, 5)))
    settings.SYNTHETIC_DATA = False
    where = address("delivery_values", first).rstrip("/") + ".csv"
    (line,) = file_text(signed_in(member), where).splitlines()[1:]
    assert line.split(";")[4:] == [MONTH, "neu", "", "1234567", "5", "geaendert", str(second.pk), ""]
