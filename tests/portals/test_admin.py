import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from portals.models import Portal
from tests.factories import AuthorityFactory, PortalFactory, PortalMemberFactory, UserFactory

pytestmark = pytest.mark.django_db
ADD = reverse("admin:portals_portal_add")


def new_portal(**values: object) -> dict[str, object]:
    return {
        "name": "Landesportal",
        "kuerzel": "landesportal",
        "authority": AuthorityFactory().pk,
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        **values,
    }


def test_a_portal_admin_may_not_make_portals(client: Client) -> None:
    client.force_login(PortalMemberFactory().user)
    assert client.post(ADD, new_portal()).status_code in {302, 403, 404}
    assert Portal.objects.count() == 1


def test_operations_makes_a_portal_with_its_first_admin(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    person = UserFactory(username="portaladmin")
    member = {"memberships-TOTAL_FORMS": "1", "memberships-0-user": person.pk}
    assert client.post(ADD, new_portal(**member)).status_code == 302
    assert Portal.objects.get().members.get() == person
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target) == ("Portal-Admin hinzugefügt", "Landesportal")
    assert "portaladmin" in entry.detail


def test_the_kuerzel_is_chosen_once(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    portal = PortalFactory(kuerzel="alt")
    values = new_portal(kuerzel="neu", authority=portal.authority_id)
    client.post(reverse("admin:portals_portal_change", args=[portal.pk]), values)
    portal.refresh_from_db()
    assert (portal.name, portal.kuerzel) == ("Landesportal", "alt")
