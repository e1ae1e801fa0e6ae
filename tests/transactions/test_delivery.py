"""The one way in: what a delivery writes, and what it leaves alone."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DataError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from services.models import OnlineService, ReportingLevel, ServiceState
from tests.factories import ServiceFactory, UserFactory
from tests.transactions import country
from tests.transactions.country import (
    BERLIN,
    DARMSTADT,
    FRANKFURT,
    FULDA,
    GELNHAUSEN,
    HESSEN,
    KUENZELL,
    MAINTAL,
    MAY,
    MKK,
    checked,
    delivered,
    new_delivery,
    row,
)
from transactions import delivery as writing
from transactions import numbers, staging, totals
from transactions.delivery import DeliveryRejected, StoredDataChanged, deliver, preview
from transactions.models import (
    CountRevision,
    Delivery,
    DeliveryFinding,
    MonthlyTotal,
    RegionTotalDelta,
    ServiceMonth,
    StagedCount,
    TransactionCount,
)
from transactions.references import versions

APRIL, JUNE = dt.date(2025, 4, 1), dt.date(2025, 6, 1)
NUMBERS = (
    TransactionCount,
    CountRevision,
    MonthlyTotal,
    ServiceMonth,
    ServiceState,
    RegionTotalDelta,
    StagedCount,
)


@pytest.fixture
def service(country_regions: None) -> OnlineService:
    return ServiceFactory(published=True)


def facts(service: OnlineService) -> dict[tuple[dt.date, str], int]:
    found = TransactionCount.objects.filter(service=service).values_list("month", "ars_id", "count")
    return {(month, ars): count for month, ars, count in found}


def counts(delivery: Delivery) -> tuple[int, int, int, int]:
    return delivery.new_count, delivery.changed_count, delivery.same_count, delivery.deleted_count


def revisions(service: OnlineService) -> list[tuple[Any, ...]]:
    fields = ("month", "ars_id", "number", "old", "new", "action", "old_delivery", "delivery")
    return list(CountRevision.objects.filter(service=service).order_by("pk").values_list(*fields))


def everything() -> list[list[Any]]:
    return [list(model.objects.order_by("pk").values()) for model in NUMBERS]


# --- what is written -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_new_changed_same_and_deleted_are_counted(service: OnlineService) -> None:
    first = delivered(row(service, HESSEN, 1), row(service, BERLIN, 2), row(service, FULDA, 3))
    second = delivered(
        row(service, HESSEN, 1),
        row(service, BERLIN, 20),
        row(service, FULDA, "löschen"),
        row(service, MKK, 4),
    )
    assert counts(first) == (3, 0, 0, 0)
    assert counts(second) == (1, 1, 1, 1)
    assert facts(service) == {(MAY, HESSEN): 1, (MAY, BERLIN): 20, (MAY, MKK): 4}
    stored = Delivery.objects.get(pk=second.pk)
    assert counts(stored) == (1, 1, 1, 1)
    assert (stored.status, stored.row_count, stored.first_month, stored.last_month) == (
        "uebernommen",
        4,
        MAY,
        MAY,
    )


@pytest.mark.django_db
def test_the_same_delivery_again_changes_nothing(service: OnlineService) -> None:
    rows = [row(service, HESSEN, 1), row(service, BERLIN, 0), row(service, BERLIN, 5, APRIL)]
    delivered(*rows)
    before = everything()
    repeat = delivered(*rows)
    assert counts(repeat) == (0, 0, 3, 0)
    assert everything() == before


@pytest.mark.django_db
def test_a_second_value_replaces_and_never_adds(service: OnlineService) -> None:
    first = delivered(row(service, HESSEN, 100))
    second = delivered(row(service, HESSEN, 30))
    third = delivered(row(service, HESSEN, 30_000), reason="Zählfehler")
    assert facts(service) == {(MAY, HESSEN): 30_000}
    assert revisions(service) == [
        (MAY, HESSEN, 1, 100, 30, "geaendert", first.pk, second.pk),
        (MAY, HESSEN, 2, 30, 30_000, "geaendert", second.pk, third.pk),
    ]
    assert CountRevision.objects.get(number=2).reason == "Zählfehler"
    assert TransactionCount.objects.get().delivery == third.pk


@pytest.mark.django_db
def test_an_unchanged_value_keeps_the_delivery_that_set_it(service: OnlineService) -> None:
    first = delivered(row(service, HESSEN, 1))
    delivered(row(service, HESSEN, 1), row(service, BERLIN, 1))
    assert TransactionCount.objects.get(ars=HESSEN).delivery == first.pk


@pytest.mark.django_db
def test_taking_a_value_back_leaves_a_revision_and_no_fact(service: OnlineService) -> None:
    first = delivered(row(service, HESSEN, 7))
    second = delivered(row(service, HESSEN, "löschen"))
    again = delivered(row(service, HESSEN, 8))
    assert counts(second) == (0, 0, 0, 1)
    assert counts(again) == (1, 0, 0, 0)
    assert revisions(service) == [(MAY, HESSEN, 1, 7, None, "geloescht", first.pk, second.pk)]
    assert facts(service) == {(MAY, HESSEN): 8}


@pytest.mark.django_db
def test_taking_back_what_is_not_there_changes_nothing(service: OnlineService) -> None:
    before = everything()
    nothing = delivered(row(service, HESSEN, "löschen"))
    assert counts(nothing) == (0, 0, 1, 0)
    assert everything() == before


@pytest.mark.django_db
def test_a_reported_zero_is_not_the_same_as_nothing(service: OnlineService) -> None:
    assert counts(delivered(row(service, HESSEN, 0))) == (1, 0, 0, 0)
    assert facts(service) == {(MAY, HESSEN): 0}
    assert (ServiceMonth.objects.get().total, ServiceMonth.objects.get().rows) == (0, 1)
    delivered(row(service, HESSEN, "löschen"))
    assert facts(service) == {}
    assert not ServiceMonth.objects.exists()
    assert not MonthlyTotal.objects.exists()


# --- replacing -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_merging_touches_the_rows_it_names(service: OnlineService) -> None:
    delivered(row(service, HESSEN, 1), row(service, BERLIN, 2))
    delivered(row(service, BERLIN, 3))
    assert facts(service) == {(MAY, HESSEN): 1, (MAY, BERLIN): 3}


@pytest.mark.django_db
def test_replacing_makes_the_scope_exactly_what_it_says(service: OnlineService) -> None:
    other = ServiceFactory()
    kept = [row(service, HESSEN, 9, APRIL), row(other, HESSEN, 9)]
    delivered(
        row(service, HESSEN, 1),
        row(service, BERLIN, 2),
        row(service, FULDA, 3),
        row(service, MKK, 1, JUNE),
        *kept,
    )
    scope = frozenset({(service.pk, MAY), (service.pk, JUNE)})
    replaced = delivered(
        row(service, BERLIN, 2), row(service, FULDA, 4), row(service, FRANKFURT, 5), scope=scope
    )
    assert counts(replaced) == (1, 1, 1, 2)
    assert facts(service) == {(MAY, BERLIN): 2, (MAY, FULDA): 4, (MAY, FRANKFURT): 5, (APRIL, HESSEN): 9}
    assert facts(other) == {(MAY, HESSEN): 9}
    assert list(ServiceMonth.objects.filter(service=service).values_list("month", flat=True)) == [APRIL, MAY]


@pytest.mark.django_db
def test_a_scope_without_rows_becomes_empty(service: OnlineService) -> None:
    delivered(row(service, HESSEN, 1), row(service, HESSEN, 2, APRIL))
    by = UserFactory(is_operations=True)
    empty = Delivery(channel=Delivery.Channel.PUSH, actor="Test", mode=Delivery.Mode.REPLACE)
    deliver(country.nothing(scope=frozenset({(service.pk, MAY)}), by=by), empty)
    assert counts(empty) == (0, 0, 0, 1)
    assert facts(service) == {(APRIL, HESSEN): 2}
    assert ServiceState.objects.get(service=service).last_month == APRIL


@pytest.mark.django_db
def test_a_delivery_of_nothing_changes_nothing(service: OnlineService) -> None:
    nothing = deliver(country.nothing(scope=None, by=UserFactory(is_operations=True)), new_delivery())
    assert counts(nothing) == (0, 0, 0, 0)
    assert Delivery.objects.get().status == Delivery.Status.ACCEPTED


# --- all or nothing ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_refused_delivery_leaves_itself_and_its_findings_and_no_number(service: OnlineService) -> None:
    delivered(row(service, HESSEN, 1))
    before = everything()
    with pytest.raises(DeliveryRejected) as refusal:
        delivered(row(service, HESSEN, 2), row(service, "60000000000", 3), row(service, BERLIN, "x"))
    assert everything() == before
    refused = Delivery.objects.get(status=Delivery.Status.REFUSED)
    assert refusal.value.delivery == refused
    assert (refused.row_count, refused.fault_count, counts(refused)) == (3, 2, (0, 0, 0, 0))
    assert list(refused.findings.values_list("line", "field", "code", "value", "suggestion", "severity")) == [
        (3, "ars", "ars_fuehrende_null", "60000000000", "060000000000", "fehler"),
        (4, "anzahl", "anzahl_keine_zahl", "x", "", "fehler"),
    ]


@pytest.mark.django_db
def test_kept_findings_are_capped_and_the_count_of_faults_is_not(
    service: OnlineService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.checks.MAX_FINDINGS", 20)
    monkeypatch.setattr(writing, "MAX_FINDINGS_KEPT", 10)
    with pytest.raises(DeliveryRejected) as refusal:
        delivered(*(row(service, HESSEN, "x") for _number in range(50)))
    assert Delivery.objects.get().fault_count == 50
    assert DeliveryFinding.objects.count() == 10
    assert "50" in str(refusal.value)


@pytest.mark.django_db
def test_warnings_are_kept_with_an_accepted_delivery(service: OnlineService) -> None:
    accepted = delivered(row(service, HESSEN, 10), row(service, MKK, 3))
    assert accepted.warning_count == 1
    assert [(found.code, found.severity) for found in accepted.findings.all()] == [
        ("teil_und_ganzes", "hinweis")
    ]


@pytest.mark.django_db
def test_what_fails_halfway_leaves_nothing(service: OnlineService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "_STATES", "UPDATE service_state SET version = 1 / 0")
    before = everything()
    with pytest.raises(DataError):
        delivered(row(service, HESSEN, 1))
    assert everything() == before
    assert not Delivery.objects.exists()


# --- totals and states -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_fact_counts_in_one_total_at_its_kreis_or_above(service: OnlineService) -> None:
    delivered(
        row(service, MAINTAL, 1), row(service, GELNHAUSEN, 2), row(service, MKK, 10),
        row(service, KUENZELL, 4), row(service, HESSEN, 100), row(service, DARMSTADT, 1_000),
        row(service, FRANKFURT, 5), row(service, BERLIN, 7), row(service, "000000000000", 10_000),
    )  # fmt: skip
    found = MonthlyTotal.objects.values_list("region_id", "total", "rows")
    assert {region: (total, rows) for region, total, rows in found} == {
        MKK: (13, 3), FULDA: (4, 1), HESSEN: (100, 1), DARMSTADT: (1_000, 1), FRANKFURT: (5, 1),
        BERLIN: (7, 1), "000000000000": (10_000, 1),
    }  # fmt: skip
    assert ServiceMonth.objects.values_list("total", "rows").get() == (11_129, 9)


@pytest.mark.django_db
def test_totals_follow_changes_and_removals(service: OnlineService) -> None:
    delivered(row(service, MAINTAL, 1), row(service, GELNHAUSEN, 2), row(service, FULDA, 5))
    delivered(row(service, MAINTAL, 10), row(service, GELNHAUSEN, "löschen"), row(service, FULDA, "löschen"))
    assert MonthlyTotal.objects.values_list("region_id", "total", "rows").get() == (MKK, 10, 1)
    assert ServiceMonth.objects.values_list("total", "rows").get() == (10, 1)


@pytest.mark.django_db
def test_only_published_services_count_across_services(service: OnlineService) -> None:
    hidden = ServiceFactory()
    delivered(row(service, MAINTAL, 3), row(hidden, MAINTAL, 100))
    delivered(row(service, MAINTAL, 5))
    (total,) = totals.by_area(first=MAY, last=MAY, digits=2)
    assert (total.area, total.total, total.rows) == ("06", 5, 1)
    totals.fold()
    assert totals.by_area(first=MAY, last=MAY, digits=2) == [total]


@pytest.mark.django_db
def test_the_state_of_a_service_says_what_was_delivered_last(service: OnlineService) -> None:
    other = ServiceFactory()
    delivered(row(service, HESSEN, 1, JUNE), row(other, HESSEN, 1))
    last = delivered(row(service, HESSEN, 2, APRIL), row(other, HESSEN, 1))
    state = ServiceState.objects.get(service=service)
    assert (state.version, state.last_month, state.last_delivery) == (2, JUNE, last.pk)
    assert state.last_delivered_at == last.received_at
    assert ServiceState.objects.get(service=other).version == 1


@pytest.mark.django_db
def test_the_first_day_of_delivery_of_a_month_stays(service: OnlineService) -> None:
    first, later = dt.datetime(2025, 6, 3, tzinfo=dt.UTC), dt.datetime(2025, 7, 3, tzinfo=dt.UTC)
    delivered(row(service, HESSEN, 1), received_at=first)
    delivered(row(service, HESSEN, 2), received_at=later)
    month = ServiceMonth.objects.get()
    assert (month.first_delivered_at, month.last_delivered_at) == (first, later)


@pytest.mark.django_db
def test_a_delivery_for_two_services_has_a_part_for_each(service: OnlineService) -> None:
    other = ServiceFactory()
    delivered(row(other, HESSEN, 1))
    both = delivered(
        row(service, HESSEN, 1), row(service, BERLIN, 1), row(other, HESSEN, 2), row(other, BERLIN, 3)
    )
    parts = {part.service_id: counts(part) for part in both.parts.all()}  # type: ignore[arg-type]
    assert parts == {service.pk: (2, 0, 0, 0), other.pk: (1, 1, 0, 0)}
    assert counts(both) == (3, 1, 0, 0)


@pytest.mark.django_db
def test_a_service_without_state_gets_one(service: OnlineService) -> None:
    ServiceState.objects.all().delete()
    assert versions([service.pk]) == {service.pk: 0}
    delivered(row(service, HESSEN, 1))
    assert versions([service.pk]) == {service.pk: 1}


# --- preview -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_preview_says_what_a_delivery_would_do_and_stores_nothing(service: OnlineService) -> None:
    delivered(row(service, HESSEN, 1), row(service, BERLIN, 2), row(service, FULDA, 3))
    before = everything()
    rows = [row(service, HESSEN, 10), row(service, FULDA, "löschen"), row(service, MKK, 1)]
    outcome, changes = preview(checked(*rows), changes=10)
    assert [outcome.total(name) for name in ("new", "changed", "same", "deleted")] == [1, 1, 0, 1]
    assert [
        (change.ars, change.region_name, change.old, change.new, change.difference) for change in changes
    ] == [
        (HESSEN, "Hessen", 1, 10, 9),
        (FULDA, "Fulda", 3, None, -3),
    ]
    assert everything() == before
    assert Delivery.objects.count() == 1


@pytest.mark.django_db
def test_a_preview_of_replacing_shows_what_would_vanish(service: OnlineService) -> None:
    delivered(row(service, HESSEN, 1), row(service, BERLIN, 2))
    found = checked(row(service, HESSEN, 1), scope=frozenset({(service.pk, MAY)}))
    outcome, changes = preview(found, changes=10)
    assert (outcome.total("same"), outcome.total("deleted")) == (1, 1)
    assert [(change.ars, change.new) for change in changes] == [(BERLIN, None)]


@pytest.mark.django_db
def test_what_was_confirmed_must_be_what_was_seen(service: OnlineService) -> None:
    found = checked(row(service, HESSEN, 1))
    seen = versions(found.services)
    delivered(row(service, BERLIN, 5))
    before = everything()
    with pytest.raises(StoredDataChanged):
        deliver(found, new_delivery(), expected=seen)
    assert everything() == before
    assert Delivery.objects.count() == 1
    deliver(found, new_delivery(), expected=versions(found.services))
    assert facts(service)[MAY, HESSEN] == 1


# --- cost and concurrency ------------------------------------------------------------------------


def queries_of(action: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as captured:
        action()
    return len(captured)


@pytest.mark.django_db
def test_ten_thousand_rows_cost_as_many_queries_as_a_hundred(service: OnlineService) -> None:
    other = ServiceFactory()

    def cost(number: int, who: OnlineService, count: int) -> int:
        found = country.many(who, [BERLIN, FULDA, MKK], number, count=count)
        return queries_of(lambda: deliver(found, new_delivery()))

    assert cost(10_000, other, 1) == cost(100, service, 1)
    assert cost(10_000, other, 2) == cost(100, service, 2)
    assert TransactionCount.objects.filter(count=2).count() == 10_100


@pytest.mark.django_db
@pytest.mark.parametrize(("rows", "nested_loops"), [(30, "on"), (31, "off")])
def test_joins_of_many_rows_are_linear_and_planned_anew(
    service: OnlineService, rows: int, nested_loops: str
) -> None:
    staging.stage(country.many(service, [BERLIN], rows, count=1), new_delivery().pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_nestloop'), current_setting('plan_cache_mode')")
        planning = cursor.fetchone()
    assert planning == (nested_loops, "force_custom_plan" if nested_loops == "off" else "auto")


class Together:
    """Deliveries in threads with connections of their own; errors come back."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.errors: list[BaseException] = []

    def start(self, *rows: str) -> threading.Thread:
        thread = threading.Thread(target=self._run, args=rows)
        self.threads.append(thread)
        thread.start()
        return thread

    def _run(self, *rows: str) -> None:
        try:
            delivered(*rows)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def wait(self) -> None:
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()
        assert self.errors == []

    def refused(self) -> DeliveryRejected:
        """The refusal of the only delivery."""
        self.threads[0].join(20)
        [error] = self.errors
        assert isinstance(error, DeliveryRejected)
        return error


@pytest.fixture
def together(transactional_db: None) -> Iterator[Together]:
    country.create()
    crowd = Together()
    yield crowd
    for thread in crowd.threads:
        thread.join(20)


def test_deliveries_of_different_services_do_not_wait_for_one_another(together: Together) -> None:
    first, second = ServiceFactory(published=True), ServiceFactory(published=True)
    with transaction.atomic():
        delivered(row(first, HESSEN, 1))
        together.start(row(second, HESSEN, 2)).join(10)
        assert not together.threads[0].is_alive()
        assert facts(second) == {(MAY, HESSEN): 2}
    together.wait()


def test_deliveries_of_one_service_follow_each_other(together: Together) -> None:
    service = ServiceFactory()
    with transaction.atomic():
        delivered(row(service, HESSEN, 1))
        waiting = together.start(row(service, HESSEN, 2))
        waiting.join(0.5)
        assert waiting.is_alive()
    together.wait()
    assert facts(service) == {(MAY, HESSEN): 2}
    assert CountRevision.objects.values_list("old", "new").get() == (1, 2)
    assert ServiceState.objects.get().version == 2


def test_a_double_count_by_two_deliveries_at_once_is_refused(together: Together) -> None:
    """Each alone is right, and both are checked before either is stored."""
    service = ServiceFactory(reporting_level=ReportingLevel.MIXED)
    with transaction.atomic():
        delivered(row(service, HESSEN, 7))
        together.start(row(service, MKK, 3), row(service, FULDA, 4)).join(0.5)
        assert together.threads[0].is_alive()
    refused = together.refused()
    assert [(finding.code, finding.line) for finding in refused.faults] == [("doppelzaehlung", 2)]
    assert refused.delivery.status == Delivery.Status.REFUSED
    assert list(refused.delivery.findings.values_list("code", flat=True)) == ["doppelzaehlung"]
    assert facts(service) == {(MAY, HESSEN): 7}
    assert not StagedCount.objects.exists()


def test_a_part_delivered_at_once_with_the_whole_is_a_warning(together: Together) -> None:
    service = ServiceFactory(reporting_level=ReportingLevel.MIXED)
    with transaction.atomic():
        delivered(row(service, HESSEN, 7))
        together.start(row(service, MKK, 3)).join(0.5)
        assert together.threads[0].is_alive()
    together.wait()
    later = Delivery.objects.latest("pk")
    assert (later.status, later.warning_count) == (Delivery.Status.ACCEPTED, 1)
    assert facts(service) == {(MAY, HESSEN): 7, (MAY, MKK): 3}


def test_values_of_two_levels_at_once_are_refused(together: Together) -> None:
    service = ServiceFactory(reporting_level=ReportingLevel.KREIS)
    of_a_kreis = checked(row(service, MKK, 3))
    OnlineService.objects.update(reporting_level=ReportingLevel.LAND)
    with transaction.atomic():
        deliver(of_a_kreis, new_delivery())
        together.start(row(service, HESSEN, 7)).join(0.5)
        assert together.threads[0].is_alive()
    assert [finding.code for finding in together.refused().faults] == ["ebene_gespeichert"]
    assert facts(service) == {(MAY, MKK): 3}


def test_overlapping_services_in_any_order_do_not_lock_each_other_out(together: Together) -> None:
    services = [ServiceFactory(published=True) for _number in range(4)]
    for number in range(6):
        chosen = [services[(number + step) % 4] for step in (2, 1, 0)]
        together.start(*(row(service, HESSEN, number) for service in chosen))
    together.wait()
    assert Delivery.objects.filter(status=Delivery.Status.ACCEPTED).count() == 6
    for service in services:
        stored = facts(service)[MAY, HESSEN]
        assert ServiceMonth.objects.get(service=service).total == stored
        assert MonthlyTotal.objects.get(service=service).total == stored
