"""One's own account, and the change of the password."""

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from services.models import ServiceMember
from tests.factories import (
    PASSWORD,
    MemberFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
    personas,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/konto/", "/konto/passwort/"])
def test_strangers_are_sent_to_the_log_in(client: Client, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/anmelden/?next={address}")


def test_account_names_who_and_which_roles(client: Client) -> None:
    service = ServiceFactory(name="BAföG Digital")
    owner, colleague, stranger = personas(service)
    PortalMemberFactory(user=owner, portal__name="Sozialplattform")
    for person, role in ((owner, "Verantwortlich"), (colleague, "Lieferant")):
        client.force_login(person)
        page = client.get("/konto/").content.decode()
        assert person.get_full_name() in page
        assert service.authority.name in page
        assert f"/onlineservices/{service.number}/" in page
        assert f'<td class="kern-table__cell">{role}</td>' in page
        assert ("Sozialplattform" in page) == (person == owner)
    client.force_login(stranger)
    page = client.get("/konto/").content.decode()
    assert "BAföG Digital" not in page
    assert "bei keinem Onlineservice eingetragen" in page


def test_account_costs_the_same_for_many_services(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    person = UserFactory()
    client.force_login(person)
    for _round in range(2):
        MemberFactory.create_batch(3, user=person, role=ServiceMember.Role.RESPONSIBLE)
        PortalMemberFactory.create_batch(2, user=person)
        with django_assert_num_queries(5):
            client.get("/konto/")


def change_password(client: Client, old: str, new: str, again: str | None = None) -> str:
    data = {"oldpassword": old, "password1": new, "password2": again or new}
    return client.post("/konto/passwort/", data, follow=True).content.decode()


def test_password_changes_and_the_person_stays_signed_in(client: Client) -> None:
    person = UserFactory()
    client.force_login(person)
    assert "Ihr Passwort ist geändert" in change_password(client, PASSWORD, "ganz neuer satz")
    person.refresh_from_db()
    assert person.check_password("ganz neuer satz")


@pytest.mark.parametrize(
    ("old", "new", "again", "message"),
    [
        ("falsch", "ganz neuer satz", None, "Das bisherige Passwort stimmt nicht."),
        (PASSWORD, "ganz neuer satz", "ein anderer satz", "nicht gleich"),
        (PASSWORD, "kurz", None, "12 Zeichen"),
    ],
)
def test_faulty_password_change_names_the_field(
    client: Client, old: str, new: str, again: str | None, message: str
) -> None:
    person = UserFactory()
    client.force_login(person)
    page = change_password(client, old, new, again)
    assert message in page
    assert 'href="#id_' in page
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_pages_of_a_person_are_never_for_a_shared_cache(client: Client) -> None:
    client.force_login(UserFactory())
    assert "private" in client.get("/konto/").headers["Cache-Control"]
