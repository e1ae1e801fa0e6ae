"""The admin of services and credentials: for operations only, through the same code as everything else."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import AuditEntry, User
from services.models import OnlineService, ServiceMember
from tests.factories import (
    AuthorityFactory,
    LeistungFactory,
    PortalFactory,
    ServiceFactory,
    UserFactory,
    api_key,
    personas,
)

pytestmark = pytest.mark.django_db
ADD = reverse("admin:services_onlineservice_add")
EMPTY_INLINE = {"portal_links-TOTAL_FORMS": "0", "portal_links-INITIAL_FORMS": "0"}


@pytest.fixture
def operations() -> User:
    return UserFactory(username="betrieb", is_operations=True, is_staff=True, is_superuser=True)


@pytest.fixture
def admin(client: Client, operations: User) -> Client:
    client.force_login(operations)
    return client


def master_data(person: User, **values: object) -> dict[str, object]:
    return {
        "name": "Wohngeld online",
        "leistung": LeistungFactory().pk,
        "authority": AuthorityFactory().pk,
        "reporting_level": "kreis",
        "responsible": person.pk,
        **EMPTY_INLINE,
        **values,
    }


@pytest.mark.parametrize("persona", ["owner", "colleague", "stranger"])
def test_the_admin_is_closed_to_everyone_but_operations(client: Client, persona: str) -> None:
    client.force_login(getattr(personas(ServiceFactory()), persona))
    assert client.get(ADD).status_code in {302, 403, 404}
    assert client.post(ADD, master_data(UserFactory())).status_code in {302, 403, 404}
    assert OnlineService.objects.count() == 1


def test_adding_a_service_registers_it(admin: Client) -> None:
    person, portal = UserFactory(), PortalFactory()
    link = {
        "portal_links-TOTAL_FORMS": "1",
        "portal_links-0-portal": portal.pk,
        "portal_links-0-kennung": "wohngeld",
        "portal_links-0-since": "01.01.2025",
    }
    response = admin.post(ADD, master_data(person, **link))
    assert response.status_code == 302, response.context["errors"]
    service = OnlineService.objects.get()
    assert service.state.version == 0
    assert OnlineService.objects.editable_by(person).get() == service
    assert service.portal_links.get().kennung == "wohngeld"
    assert AuditEntry.objects.filter(action="Onlineservice registriert", actor="betrieb").exists()


def test_a_service_needs_a_responsible_person(admin: Client) -> None:
    response = admin.post(ADD, master_data(UserFactory(), responsible=""))
    assert response.status_code == 200
    assert not OnlineService.objects.exists()


def test_a_member_added_and_removed_is_in_the_audit_log(admin: Client) -> None:
    service, person = ServiceFactory(), UserFactory(username="neu")
    address = reverse("admin:services_onlineservice_change", args=[service.pk])
    values = master_data(person, leistung=service.leistung_id, authority=service.authority_id)
    row = {"memberships-0-user": person.pk, "memberships-0-role": "lieferant"}
    counts = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0"}
    assert admin.post(address, values | row | counts).status_code == 302
    member = ServiceMember.objects.get()
    counts = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1"}
    gone = {"memberships-0-id": member.pk, "memberships-0-service": service.pk, "memberships-0-DELETE": "on"}
    assert admin.post(address, values | row | counts | gone).status_code == 302
    assert not ServiceMember.objects.exists()
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["Mitglied hinzugefügt", "Mitglied entfernt"]


def test_publication_cannot_be_typed_in(admin: Client) -> None:
    service = ServiceFactory()
    page = admin.get(reverse("admin:services_onlineservice_change", args=[service.pk])).content.decode()
    assert 'name="published_at' not in page
    assert 'name="published_depth' not in page


def test_a_service_is_found_by_its_number(admin: Client) -> None:
    wanted, other = ServiceFactory(name="Gesucht"), ServiceFactory(name="Anderer")
    page = admin.get(
        reverse("admin:services_onlineservice_changelist"), {"q": wanted.number}
    ).content.decode()
    assert wanted.name in page
    assert other.name not in page


def test_the_list_costs_the_same_with_more_services(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse("admin:services_onlineservice_changelist")
    ServiceFactory.create_batch(2)
    admin.get(address)
    with django_assert_max_num_queries(8) as few:
        admin.get(address)
    ServiceFactory.create_batch(8)
    with django_assert_max_num_queries(len(few)):
        assert admin.get(address).status_code == 200


def test_credentials_are_shown_without_hash_and_can_be_revoked(admin: Client) -> None:
    credential, _key = api_key(ServiceFactory())
    page = admin.get(reverse("admin:services_credential_change", args=[credential.pk])).content.decode()
    assert credential.public_id in page
    assert credential.hash not in page
    assert admin.get(reverse("admin:services_credential_add")).status_code == 403
    action = {"action": "revoke", "_selected_action": [credential.pk]}
    admin.post(reverse("admin:services_credential_changelist"), action)
    credential.refresh_from_db()
    assert credential.revoked_at is not None
    assert AuditEntry.objects.filter(action="Zugangsschlüssel widerrufen", actor="betrieb").count() == 1
