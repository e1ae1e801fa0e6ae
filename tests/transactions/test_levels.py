"""A changed Meldeebene: what is stored at the former level must go before the new one is delivered."""

import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from services.models import OnlineService, ReportingLevel
from tests.factories import ServiceFactory
from tests.transactions.country import BERLIN, FULDA, HESSEN, MAY, MKK, checked, delivered, row
from transactions.checks import Checked
from transactions.models import TransactionCount

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
