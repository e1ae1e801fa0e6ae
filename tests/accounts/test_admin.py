"""People in the admin: changes of rights are on record."""

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from tests.factories import AuthorityFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def operations(client: Client) -> User:
    person = UserFactory(first_name="Ole", last_name="Betrieb", is_staff=True, is_superuser=True)
    client.force_login(person)
    return person


def save_person(client: Client, person: User, **changes: object) -> None:
    data = {
        "username": person.username, "first_name": person.first_name, "last_name": person.last_name,
        "email": person.email, "is_active": "on", "authority": person.authority_id or "",
        "date_joined_0": person.date_joined.date(), "date_joined_1": person.date_joined.time(),
    }  # fmt: skip
    answer = client.post(f"/admin/accounts/user/{person.pk}/change/", data | changes)
    assert answer.status_code == 302


def test_giving_rights_is_on_record(client: Client, operations: User) -> None:
    person = UserFactory()
    authority = AuthorityFactory(name="Stadt Kappeln")
    save_person(client, person, is_operations="on", authority=authority.pk)
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.actor, entry.action) == (operations, "Ole Betrieb", "Rechte geändert")
    assert entry.target == str(person)
    assert entry.detail == "Behörde: Stadt Kappeln, ZSK-Betrieb: ja"


def test_a_new_name_is_no_change_of_rights(client: Client, operations: User) -> None:
    save_person(client, UserFactory(), last_name="Neu")
    assert not AuditEntry.objects.exists()


def test_a_new_person_is_on_record(client: Client, operations: User) -> None:
    password = "ein langer satz"
    data = {"username": "neu", "usable_password": "true", "password1": password, "password2": password}
    answer = client.post("/admin/accounts/user/add/", data)
    assert answer.status_code == 302
    assert AuditEntry.objects.get().action == "Person angelegt"
    assert password not in AuditEntry.objects.get().detail


def test_the_record_cannot_be_changed(client: Client, operations: User) -> None:
    entry = AuditEntry.objects.create(actor="x", action="y", target="z")
    assert client.get("/admin/accounts/auditentry/").status_code == 200
    assert client.get("/admin/accounts/auditentry/add/").status_code == 403
    assert client.post(f"/admin/accounts/auditentry/{entry.pk}/change/", {"actor": "w"}).status_code == 403
    assert client.post(f"/admin/accounts/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
