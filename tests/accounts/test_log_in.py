"""Log-in, log-out and the limit on wrong passwords."""

import time

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from redis.exceptions import ConnectionError as RedisDown

from accounts import throttle
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
ADDRESS = "/anmelden/"


def try_password(client: Client, password: str = "falsch", username: str = "petra", **extra: str) -> str:
    answer = client.post(ADDRESS, {"username": username, "password": password}, **extra)
    return "angemeldet" if answer.status_code == 302 else answer.content.decode()


def test_wrong_password_is_refused_in_plain_words_and_the_name_stays(client: Client) -> None:
    UserFactory(username="petra")
    page = try_password(client)
    assert "Benutzername oder Passwort stimmt nicht" in page
    assert 'value="petra"' in page
    assert "sessionid" not in client.cookies


def test_inactive_person_cannot_log_in(client: Client) -> None:
    UserFactory(username="petra", is_active=False)
    assert "stimmt nicht" in try_password(client, PASSWORD)


def test_log_in_leads_back_to_the_page_asked_for(client: Client) -> None:
    UserFactory(username="petra")
    answer = client.post(ADDRESS, {"username": "petra", "password": PASSWORD, "next": "/hilfe/fragen/?a=1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/hilfe/fragen/?a=1")


@pytest.mark.parametrize("target", ["https://boese.example/", "//boese.example/", "javascript:alert(1)"])
def test_log_in_never_leads_to_a_foreign_address(client: Client, target: str) -> None:
    UserFactory(username="petra")
    answer = client.post(ADDRESS, {"username": "petra", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/"


def test_form_keeps_the_page_asked_for(client: Client) -> None:
    page = client.get(ADDRESS, {"next": "/konto/"}).content.decode()
    assert '<input type="hidden" name="next" value="/konto/">' in page


def test_after_too_many_wrong_tries_the_right_password_waits_too(client: Client) -> None:
    UserFactory(username="petra")
    for _try in range(throttle.TRIES):
        assert "stimmt nicht" in try_password(client)
    assert "warten Sie 15 Minuten" in try_password(client, PASSWORD)
    assert "warten Sie 15 Minuten" in try_password(client, PASSWORD, username="PETRA")


def test_the_limit_holds_per_person_and_address(client: Client) -> None:
    UserFactory(username="petra")
    UserFactory(username="olga")
    for _try in range(throttle.TRIES + 1):
        try_password(client)
    assert try_password(client, PASSWORD, username="olga") == "angemeldet"
    client.logout()
    assert try_password(client, PASSWORD, REMOTE_ADDR="192.0.2.7") == "angemeldet"


def test_behind_the_proxy_only_its_own_word_counts(client: Client, settings: LazySettings) -> None:
    settings.BEHIND_TLS_PROXY = True
    UserFactory(username="petra")
    for number in range(throttle.TRIES):
        try_password(client, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 192.0.2.7")
    assert "warten Sie" in try_password(client, PASSWORD, HTTP_X_FORWARDED_FOR="10.9.9.9, 192.0.2.7")
    assert try_password(client, PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.7, 192.0.2.8") == "angemeldet"


def test_the_right_password_forgets_the_wrong_tries(client: Client) -> None:
    UserFactory(username="petra")
    for _round in range(2):
        for _try in range(throttle.TRIES - 1):
            try_password(client)
        assert try_password(client, PASSWORD) == "angemeldet"
        client.logout()


def test_the_wait_has_an_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "SECONDS", 1)
    UserFactory(username="petra")
    for _try in range(throttle.TRIES + 1):
        try_password(client)
    time.sleep(1.1)
    assert try_password(client, PASSWORD) == "angemeldet"


def test_without_the_cache_people_can_still_log_in(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*args: object, **options: object) -> None:
        raise RedisDown

    monkeypatch.setattr(cache, "add", down)
    monkeypatch.setattr(cache, "delete", down)
    UserFactory(username="petra")
    assert try_password(client, PASSWORD) == "angemeldet"


def test_log_out_by_get_only_asks(client: Client) -> None:
    client.force_login(UserFactory())
    page = client.get("/abmelden/").content.decode()
    assert "Jetzt abmelden" in page
    assert client.get("/konto/").status_code == 200


def test_log_out_by_post_ends_the_session(client: Client) -> None:
    client.force_login(UserFactory())
    answer = client.post("/abmelden/", follow=True)
    assert "Sie sind abgemeldet" in answer.content.decode()
    assert client.get("/konto/").status_code == 302


def test_log_out_needs_the_form_s_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    assert client.post("/abmelden/").status_code == 403
    assert client.get("/konto/").status_code == 200


def test_admin_sends_strangers_to_our_log_in(client: Client) -> None:
    answer = client.get("/admin/services/onlineservice/", follow=True)
    assert answer.redirect_chain[-1][0] == "/anmelden/?next=%2Fadmin%2Fservices%2Fonlineservice%2F"


def test_admin_is_closed_to_people_who_are_not_staff(client: Client) -> None:
    client.force_login(UserFactory())
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "nur dem ZSK-Betrieb" in answer.content.decode()
