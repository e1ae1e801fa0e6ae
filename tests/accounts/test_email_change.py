"""Changing one's e-mail address: it holds when it was confirmed."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import Arrivals, link_in
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/konto/email/"


@pytest.fixture
def signed_in(client: Client, petra: User) -> Client:
    client.post("/anmelden/", {"login": "petra", "password": PASSWORD})
    return client


def ask(client: Client, arrivals: Arrivals, address: str = "neu@example.org") -> str:
    with arrivals() as inbox:
        client.post(PAGE, {"action_add": "", "email": address})
    (message,) = inbox
    assert message.to == [address]
    return link_in(message)


def test_strangers_are_sent_to_the_log_in(client: Client) -> None:
    assert client.get(PAGE).headers["Location"] == f"/anmelden/?next={PAGE}"


def test_the_new_address_holds_when_it_is_confirmed(
    signed_in: Client, petra: User, arrivals: Arrivals
) -> None:
    link = ask(signed_in, arrivals)
    petra.refresh_from_db()
    assert petra.email == "petra@example.org"
    assert "Wartet auf Bestätigung" in signed_in.get(PAGE).content.decode()
    assert "Adresse bestätigen" in signed_in.get(link).content.decode()
    petra.refresh_from_db()
    assert petra.email == "petra@example.org"
    with arrivals() as inbox:
        assert "neu@example.org ist jetzt die Adresse" in signed_in.post(link).content.decode()
    petra.refresh_from_db()
    assert petra.email == "neu@example.org"
    assert [message.to for message in inbox] == [["petra@example.org"]]
    assert "neu@example.org" in inbox[0].body
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("neu@example.org", True)]


def test_the_link_works_in_another_browser_and_only_once(
    signed_in: Client, petra: User, arrivals: Arrivals
) -> None:
    link = ask(signed_in, arrivals)
    other = Client()
    assert "ist jetzt die Adresse" in other.post(link).content.decode()
    assert "gilt nicht mehr" in other.get(link).content.decode()


def test_an_address_of_somebody_else_is_not_given_away_and_not_taken(
    signed_in: Client, petra: User, arrivals: Arrivals
) -> None:
    olga = UserFactory(email="olga@example.org")
    EmailAddress.objects.create(user=olga, email="olga@example.org", verified=True, primary=True)
    link = ask(signed_in, arrivals, "olga@example.org")
    assert "Wartet auf Bestätigung" in signed_in.get(PAGE).content.decode()
    assert "gilt nicht mehr" in signed_in.get(link).content.decode()
    assert "gilt nicht mehr" in signed_in.post(link).content.decode()
    petra.refresh_from_db()
    assert petra.email == "petra@example.org"


def test_a_change_can_be_taken_back(signed_in: Client, petra: User, arrivals: Arrivals) -> None:
    link = ask(signed_in, arrivals)
    page = signed_in.post(PAGE, {"action_remove": "", "email": "neu@example.org"}, follow=True)
    assert "zurückgenommen" in page.content.decode()
    assert "gilt nicht mehr" in signed_in.get(link).content.decode()
    petra.refresh_from_db()
    assert petra.email == "petra@example.org"


def test_an_old_log_in_asks_for_the_password_and_loses_nothing(
    client: Client, petra: User, arrivals: Arrivals
) -> None:
    client.force_login(petra)
    answer = client.post(PAGE, {"action_add": "", "email": "neu@example.org"})
    assert answer.headers["Location"] == f"/konto/bestaetigen/?next={PAGE.replace('/', '%2F')}"
    assert not EmailAddress.objects.filter(email="neu@example.org").exists()
    with arrivals() as inbox:
        client.post(answer.headers["Location"], {"password": PASSWORD, "next": PAGE})
    assert [message.to for message in inbox] == [["neu@example.org"]]


@pytest.mark.parametrize(
    ("address", "message"),
    [("petra@example.org", "schon Ihre"), ("kein at-zeichen", "gültige E-Mail"), ("", "zwingend")],
)
def test_a_faulty_address_is_named(signed_in: Client, address: str, message: str) -> None:
    assert message in signed_in.post(PAGE, {"action_add": "", "email": address}).content.decode()


def test_what_operations_enter_is_the_address_at_the_next_log_in(client: Client, petra: User) -> None:
    client.post("/anmelden/", {"login": "petra", "password": PASSWORD})
    client.logout()
    User.objects.filter(pk=petra.pk).update(email="Petra.Neu@example.org")
    assert client.post("/anmelden/", {"login": "petra", "password": PASSWORD}).status_code == 302
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [
        ("petra.neu@example.org", True, True)
    ]
