"""Operations in the admin: deliveries to look at, publication by action."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from services.models import OnlineService
from tests.factories import ServiceFactory, UserFactory, personas
from tests.transactions.uploading import HESSEN, MONTH, content, laender, page, received, signed_in

pytestmark = pytest.mark.django_db
LIST = "admin:transactions_publication_changelist"


@pytest.fixture
def operator() -> User:
    return UserFactory(is_operations=True, is_staff=True, is_superuser=True)


def act(client: Client, action: str, *services: OnlineService, **more: object) -> str:
    data = {"action": action, "_selected_action": [service.pk for service in services], **more}
    return client.post(reverse(LIST), data, follow=True).content.decode()


def test_staff_that_is_not_of_operations_is_kept_out() -> None:
    client = signed_in(UserFactory(is_staff=True, is_superuser=True))
    service = ServiceFactory()
    for name in ("publication", "delivery", "deliveryfinding"):
        assert client.get(reverse(f"admin:transactions_{name}_changelist")).status_code == 403
    act(client, "publish", service, depth=1)
    service.refresh_from_db()
    assert service.published_at is None


def test_publishing_to_a_depth_and_withdrawing(operator: User) -> None:
    service, other = ServiceFactory(), ServiceFactory()
    client = signed_in(operator)
    said = act(client, "publish", service, depth=OnlineService.Depth.LAND.value)
    assert "Veröffentlicht: 1, Regionen bis Land" in said
    service.refresh_from_db(), other.refresh_from_db()
    assert service.published_at
    assert service.published_depth == OnlineService.Depth.LAND
    assert other.published_at is None
    assert AuditEntry.objects.get(action="Veröffentlicht").user == operator
    assert "Nicht mehr öffentlich: 1" in act(client, "withdraw", service)
    service.refresh_from_db()
    assert service.published_at is None


def test_deliveries_and_findings_can_only_be_looked_at(operator: User) -> None:
    laender()
    service = ServiceFactory()
    delivery = received(personas(service).owner, content(service, (HESSEN, MONTH, "x")))
    client = signed_in(operator)
    change = reverse("admin:transactions_delivery_change", args=[delivery.pk])
    assert client.get(change).status_code == 200
    assert "anzahl_keine_zahl" in page(client, reverse("admin:transactions_deliveryfinding_changelist"))
    assert client.post(change, {"status": "uebernommen"}).status_code == 403
    assert client.post(reverse("admin:transactions_delivery_delete", args=[delivery.pk])).status_code == 403
    assert client.get(reverse("admin:transactions_delivery_add")).status_code == 403
