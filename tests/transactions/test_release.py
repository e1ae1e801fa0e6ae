"""Release rules: what they publish, how deep, and what they leave alone."""

from collections.abc import Collection

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, User
from services import release as rules_of
from services.models import OnlineService, ReleaseRule, ServiceState
from tests.factories import LeistungFactory, ServiceFactory, UserFactory
from transactions import release
from transactions.publication import publish, withdraw
from transactions.tasks import apply_release_rules

pytestmark = pytest.mark.django_db
Depth = OnlineService.Depth
LAND, KREIS, GEMEINDE = Depth.LAND, Depth.KREIS, Depth.GEMEINDE


@pytest.fixture
def operator() -> User:
    person: User = UserFactory(is_operations=True)
    return person


def service_of(*types: str) -> OnlineService:
    service: OnlineService = ServiceFactory(leistung=LeistungFactory(types=list(types)))
    return service


def rule(kind: str, depth: Depth = GEMEINDE) -> None:
    ReleaseRule.objects.create(type=kind, depth=depth)


def change(*, wanted: rules_of.Rules, seen: str, by: User) -> int:
    rules_of.change_rules(wanted=wanted, seen=seen, by=by)
    return release.apply(by=by)


def public() -> dict[int, Depth]:
    return {service.pk: Depth(service.published_depth) for service in OnlineService.objects.published()}


def test_all_types_must_be_released() -> None:
    both, one, other, none = service_of("2", "3a"), service_of("2"), service_of("2", "5"), service_of()
    rule("2")
    rule("3a")
    assert release.apply() == 2
    assert set(public()) == {both.pk, one.pk}
    assert not {other.pk, none.pk} & set(public())


def test_the_shallowest_rule_of_the_types_counts() -> None:
    both, one = service_of("2", "3a"), service_of("2")
    rule("2", GEMEINDE)
    rule("3a", LAND)
    release.apply()
    assert public() == {both.pk: LAND, one.pk: GEMEINDE}


def test_again_changes_nothing() -> None:
    service = service_of("2")
    rule("2")
    release.apply()
    version = ServiceState.objects.get(service=service).version
    assert release.apply() == 0
    assert ServiceState.objects.get(service=service).version == version
    assert AuditEntry.objects.filter(action="Veröffentlicht").count() == 1


def test_what_a_person_took_back_stays_so_until_a_person_publishes_it(operator: User) -> None:
    service = service_of("2")
    rule("2")
    release.apply()
    withdraw(service, by=operator)
    assert release.apply() == 0
    assert public() == {}
    publish(service, by=operator)
    service.refresh_from_db()
    assert not service.withheld


def test_one_that_is_not_public_can_be_kept_from_the_rules(operator: User) -> None:
    service = service_of("2")
    withdraw(service, by=operator)
    withdraw(service, by=operator)
    rule("2")
    assert release.apply() == 0
    assert AuditEntry.objects.get(action="Von Freigaberegeln ausgenommen").user == operator


def test_a_service_taken_back_meanwhile_is_not_published(
    operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is changed after it was found and before it is locked."""
    service = service_of("2")
    rule("2")
    lock = release.lock

    def slower(pks: Collection[int]) -> list[OnlineService]:
        withdraw(OnlineService.objects.get(pk=service.pk), by=operator)
        return lock(pks)

    monkeypatch.setattr(release, "lock", slower)
    assert release.apply() == 0
    assert public() == {}


def test_a_depth_chosen_by_a_person_is_left_alone(operator: User) -> None:
    service = service_of("2")
    publish(service, depth=LAND, by=operator)
    change(wanted={"2": GEMEINDE}, seen="", by=operator)
    assert public() == {service.pk: LAND}


def test_services_registered_later_follow_by_the_task() -> None:
    rule("2", KREIS)
    service = service_of("2")
    assert apply_release_rules() == 1
    assert public() == {service.pk: KREIS}
    assert AuditEntry.objects.get().actor == "System"


def test_a_change_publishes_at_once_and_is_in_the_log(operator: User) -> None:
    service = service_of("2")
    assert change(wanted={"2": KREIS, "5": LAND}, seen="", by=operator) == 1
    assert public() == {service.pk: KREIS}
    log = AuditEntry.objects.filter(action="Freigaberegel eingetragen").values_list(
        "target", "detail", "user"
    )
    assert set(log) == {
        ("Typ 2", "Regionen bis Kreis", operator.pk),
        ("Typ 5", "Regionen bis Land", operator.pk),
    }


def test_taking_a_rule_away_withdraws_nothing(operator: User) -> None:
    service = service_of("2")
    change(wanted={"2": KREIS}, seen="", by=operator)
    assert change(wanted={}, seen="2:3", by=operator) == 0
    later = service_of("2")
    release.apply()
    assert set(public()) == {service.pk}
    assert later.pk not in public()
    assert AuditEntry.objects.get(action="Freigaberegel aufgehoben").target == "Typ 2"


def test_rules_changed_meanwhile_are_not_overwritten(operator: User) -> None:
    rule("3a")
    with pytest.raises(rules_of.RulesChanged):
        change(wanted={"2": KREIS}, seen="", by=operator)
    assert rules_of.current_rules() == {"3a": GEMEINDE}


def test_many_are_published_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "AT_ONCE", 2)
    for _number in range(5):
        service_of("2")
    rule("2")
    assert release.apply() == 5
    assert len(public()) == 5


def test_the_finding_is_one_query_whatever_there_is(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _number in range(5):
        service_of("2")
    with django_assert_num_queries(1):
        assert rules_of.waiting({"2": KREIS}).count() == 5
