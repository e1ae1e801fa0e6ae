import pytest
from django.db import IntegrityError

from accounts.models import AuditEntry
from services.models import OnlineService, ServiceMember, ServiceState
from services.registration import register_service
from tests.factories import AuthorityFactory, LeistungFactory, ServiceFactory, UserFactory, land

pytestmark = pytest.mark.django_db


def unsaved(**values: object) -> OnlineService:
    return OnlineService(name="Neu", leistung=LeistungFactory(), authority=AuthorityFactory(), **values)


def test_a_registered_service_can_be_delivered_for_by_its_first_person_only() -> None:
    person, hessen, further = UserFactory(), land(), LeistungFactory()
    service = register_service(
        service=unsaved(), responsible=person, by=person, area=[hessen], more_leistungen=[further]
    )
    assert OnlineService.objects.editable_by(person).get() == service
    assert not OnlineService.objects.deliverable_by(UserFactory()).exists()
    assert list(service.area.all()) == [hessen]
    assert list(service.more_leistungen.all()) == [further]
    assert service.state.version == 0


def test_registration_is_in_the_audit_log() -> None:
    by, person = UserFactory(username="betrieb"), UserFactory(first_name="Petra", last_name="Lindner")
    service = register_service(service=unsaved(), responsible=person, by=by)
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.actor, entry.target) == (by, "betrieb", str(service))
    assert "Petra Lindner" in entry.detail


@pytest.mark.django_db(transaction=True)
def test_a_registration_that_fails_halfway_leaves_nothing() -> None:
    before = OnlineService.objects.count()
    with pytest.raises(IntegrityError):
        register_service(service=unsaved(), responsible=UserFactory.build(pk=987_654), by=None)
    assert OnlineService.objects.count() == before
    assert not ServiceMember.objects.exists()
    assert not ServiceState.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_stored_service_is_not_registered_twice() -> None:
    with pytest.raises(IntegrityError):
        register_service(service=ServiceFactory(), responsible=UserFactory(), by=None)
