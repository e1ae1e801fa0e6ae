"""A forgotten password: the mail, the link, and what it does not tell."""

import datetime as dt

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import Arrivals, link_in
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ASK = "/konto/passwort-vergessen/"
NEW = "ein ganz neuer satz"


def ask(client: Client, arrivals: Arrivals, address: str = "petra@example.org") -> str:
    """Ask for a link and give the one that came."""
    with arrivals() as inbox:
        assert client.post(ASK, {"email": address}).status_code == 302
    (message,) = inbox
    return link_in(message)


def set_password(client: Client, link: str, first: str = NEW, again: str = NEW) -> str:
    form = client.get(link, follow=True)
    answer = client.post(form.redirect_chain[-1][0], {"password1": first, "password2": again}, follow=True)
    return str(answer.content.decode())


def test_the_link_in_the_mail_sets_a_password(client: Client, petra: User, arrivals: Arrivals) -> None:
    with arrivals() as inbox:
        answer = client.post(ASK, {"email": "Petra@Example.org"}, follow=True)
    assert "Sehen Sie in Ihr Postfach" in answer.content.decode()
    (message,) = inbox
    assert message.subject == "[ZSK Test] Neues Passwort setzen"
    assert message.to == ["petra@example.org"]
    assert "Guten Tag Petra Lindner" in message.body
    assert "http://testserver/hilfe/kontakt/" in message.body
    with arrivals() as inbox:
        assert "Ihr Passwort ist gesetzt" in set_password(client, link_in(message))
    petra.refresh_from_db()
    assert petra.check_password(NEW)
    assert "neu gesetzt" in inbox[0].body
    assert client.post("/anmelden/", {"login": "petra", "password": NEW}).status_code == 302


def test_nobody_learns_whether_there_is_an_account(client: Client, petra: User, arrivals: Arrivals) -> None:
    UserFactory(email="gesperrt@example.org", is_active=False)
    pages = {}
    for address in ("petra@example.org", "niemand@example.org", "gesperrt@example.org"):
        with arrivals() as inbox:
            answer = client.post(ASK, {"email": address}, follow=True)
        pages[address] = (answer.redirect_chain, answer.content)
        assert len(inbox) == (address == "petra@example.org")
    assert len(set(map(str, pages.values()))) == 1


def test_the_link_is_good_once(client: Client, petra: User, arrivals: Arrivals) -> None:
    link = ask(client, arrivals)
    set_password(client, link)
    assert "Dieser Link gilt nicht mehr" in Client().get(link, follow=True).content.decode()


def test_the_link_ends_after_three_days(
    client: Client, petra: User, arrivals: Arrivals, settings: LazySettings
) -> None:
    link = ask(client, arrivals)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "gilt nicht mehr" in client.get(link, follow=True).content.decode()


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"last_login": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)}]
)
def test_the_link_ends_with_a_lock_and_with_a_log_in(
    client: Client, petra: User, arrivals: Arrivals, change: dict[str, object]
) -> None:
    link = ask(client, arrivals)
    User.objects.filter(pk=petra.pk).update(**change)
    assert "gilt nicht mehr" in client.get(link, follow=True).content.decode()


def test_the_link_is_worth_nothing_beside_keycloak(
    client: Client, petra: User, arrivals: Arrivals, settings: LazySettings
) -> None:
    link = ask(client, arrivals)
    settings.OIDC_ISSUER = "https://keycloak.example/realms/zsk"
    settings.BREAK_GLASS_USER = "notfall"
    assert "gilt nicht mehr" in client.get(link, follow=True).content.decode()
    settings.BREAK_GLASS_USER = "petra"
    assert "Neues Passwort setzen" in client.get(link, follow=True).content.decode()


@pytest.mark.parametrize("key", ["abc-def", "1-set-password", "zzzzzzz-c1-00"])
def test_an_invented_link_is_told_like_an_old_one(client: Client, petra: User, key: str) -> None:
    answer = client.get(f"{ASK}{key}/", follow=True)
    assert answer.status_code == 200
    assert "Dieser Link gilt nicht mehr" in answer.content.decode()


@pytest.mark.parametrize(
    ("first", "again", "message"),
    [
        ("kurz", "kurz", "12 Zeichen"),
        (NEW, "etwas anderes!", "nicht gleich"),
        ("1qaz2wsx3edc", "1qaz2wsx3edc", "zu üblich"),
        ("petra@example.org", "petra@example.org", "zu ähnlich"),
    ],
)
def test_a_bad_password_is_refused_and_the_link_stays_good(
    client: Client, petra: User, arrivals: Arrivals, first: str, again: str, message: str
) -> None:
    link = ask(client, arrivals)
    assert message in set_password(client, link, first, again)
    assert "ist gesetzt" in set_password(client, link)


def test_links_start_with_the_configured_address_whatever_the_request_says(
    client: Client, petra: User, arrivals: Arrivals, settings: LazySettings
) -> None:
    settings.SITE_URL = "https://zsk.example"
    with arrivals() as inbox:
        client.post(ASK, {"email": "petra@example.org"}, headers={"host": "boese.example"})
    assert "https://zsk.example/konto/passwort-vergessen/" in inbox[0].body
    assert "boese.example" not in inbox[0].body


def test_many_requests_for_one_address_are_stopped(client: Client, petra: User, arrivals: Arrivals) -> None:
    with arrivals() as inbox:
        statuses = [client.post(ASK, {"email": "petra@example.org"}).status_code for _try in range(6)]
    assert statuses == [302] * 5 + [429]
    assert len(inbox) == 5


def test_sessions_elsewhere_end_with_the_old_password(
    client: Client, petra: User, arrivals: Arrivals
) -> None:
    elsewhere = Client()
    elsewhere.force_login(petra)
    # The link is bound to the last log-in; ask after it.
    set_password(client, ask(client, arrivals))
    assert elsewhere.get("/konto/").status_code == 302
