"""A changed Meldeebene: what is stored at the former level must go before the new one is delivered."""

import datetime as dt
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from ozgsync.models import Level
from services.models import OnlineService, ReportingLevel
from tests.factories import ServiceFactory, UserFactory
from tests.transactions.country import BERLIN, FULDA, HESSEN, MAY, MKK, checked, delivered, row
from transactions import levels
from transactions.checks import Checked
from transactions.models import ServiceMonth, TransactionCount
from transactions.undo import undo
from zsk.statements import array, ask

pytestmark = pytest.mark.django_db

JUNE = dt.date(2025, 6, 1)


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    """Delivered by Kreise; reports by Land since."""
    service = ServiceFactory(reporting_level=ReportingLevel.KREIS)
    delivered(row(service, MKK, 3), row(service, FULDA, 4), row(service, BERLIN, 5))
    OnlineService.objects.update(reporting_level=ReportingLevel.LAND)
    return service


def faults(found: Checked) -> list[tuple[int | None, str]]:
    return [(finding.line, finding.code) for finding in found.faults]


def test_a_month_with_values_of_another_level_is_refused(service: OnlineService) -> None:
    found = checked(row(service, BERLIN, 6), row(service, HESSEN, 7), row(service, HESSEN, 7, JUNE))
    assert faults(found) == [(3, "ebene_gespeichert")]
    assert found.faults[0].params == {"monat": "Mai 2025", "ist": "Kreis", "soll": "Land"}
    assert found.fault_count == 1


def test_other_months_and_other_services_are_free(service: OnlineService) -> None:
    other = ServiceFactory(reporting_level=ReportingLevel.LAND)
    assert not checked(row(service, HESSEN, 7, JUNE), row(other, HESSEN, 7)).faults


def test_what_the_delivery_removes_is_no_obstacle(service: OnlineService) -> None:
    rows = [row(service, HESSEN, 7), row(service, MKK, "löschen")]
    assert faults(checked(*rows)) == [(2, "ebene_gespeichert")]
    delivered(*rows, row(service, FULDA, "löschen"))
    assert dict(TransactionCount.objects.values_list("ars", "count")) == {HESSEN: 7, BERLIN: 5}


def test_replacing_the_month_is_no_obstacle(service: OnlineService) -> None:
    delivered(row(service, HESSEN, 7), scope=frozenset({(service.pk, MAY)}))
    assert dict(TransactionCount.objects.values_list("ars", "count")) == {HESSEN: 7}


def test_only_removing_is_no_obstacle(service: OnlineService) -> None:
    assert not checked(row(service, MKK, "löschen")).faults


def test_costs_one_query_for_many_months(
    service: OnlineService, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    several = [row(service, HESSEN, 1, dt.date(2025, month, 1)) for month in range(6, 12)]
    checked(*several)
    with django_assert_num_queries(3):
        checked(*several)


# --- what is known of a month ----------------------------------------------------------------------


def known(service: OnlineService) -> int:
    return ServiceMonth.objects.get(service=service, month=MAY).level


def test_a_month_knows_the_level_of_its_values(service: OnlineService) -> None:
    assert known(service) == Level.KREIS
    delivered(row(service, HESSEN, 7), row(service, MKK, "löschen"), row(service, FULDA, "löschen"))
    assert known(service) == Level.LAND


def test_what_only_takes_values_back_leaves_it_unknown(service: OnlineService) -> None:
    delivered(row(service, MKK, "löschen"))
    assert known(service) == -1
    assert faults(checked(row(service, HESSEN, 7))) == [(2, "ebene_gespeichert")]


def test_so_does_what_is_undone(service: OnlineService) -> None:
    lines = [row(service, HESSEN, 7), row(service, MKK, "löschen"), row(service, FULDA, "löschen")]
    undo(delivered(*lines), by=UserFactory(is_operations=True))
    assert known(service) == -1
    assert faults(checked(row(service, HESSEN, 7))) == [(2, "ebene_gespeichert")]


def test_and_values_of_mixed_levels(service: OnlineService) -> None:
    OnlineService.objects.update(reporting_level=ReportingLevel.MIXED)
    delivered(row(service, HESSEN, 70))
    assert known(service) == -1
    OnlineService.objects.update(reporting_level=ReportingLevel.KREIS)
    assert faults(checked(row(service, FULDA, 8))) == [(2, "ebene_gespeichert")]


def test_a_push_of_one_row_reads_no_other_of_its_month(service: OnlineService) -> None:
    """Of a month of thousands it would read all of them, to see that they are of its level."""
    OnlineService.objects.update(reporting_level=ReportingLevel.KREIS)
    asked = {
        "services": array([service.pk]), "months": array([MAY]), "gone_services": "{}", "gone_months": "{}",
        "gone_ars": "{}",
    }  # fmt: skip
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {levels._STORED_AT_OTHERS}"
    ((right,),) = ask(explain, asked | {"levels": array([int(Level.KREIS)])})()
    ((other,),) = ask(explain, asked | {"levels": array([int(Level.LAND)])})()
    assert (read(right), read(other)) == (0, 3)


def read(plan: list[dict[str, Any]]) -> int:
    """How many facts a plan has read."""

    def of(node: dict[str, Any]) -> float:
        own = node["Actual Rows"] * node["Actual Loops"]
        below = sum(of(child) for child in node.get("Plans", []))
        return below + (own if node.get("Relation Name") == "transaction_count" else 0)

    return round(of(plan[0]["Plan"]))
