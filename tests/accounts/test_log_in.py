"""Log-in with a local account, log-out, and the limit on wrong passwords."""

import pytest
from django.conf import LazySettings
from django.core.cache import caches
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from accounts import local_urls
from accounts.models import AuditEntry, User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
ADDRESS = "/anmelden/"
TRIES = 10
DEAD_REDIS = "redis://127.0.0.1:1/1"


@pytest.fixture
def petra() -> User:
    person: User = UserFactory(username="petra", email="petra@example.org")
    return person


def try_password(client: Client, password: str = "falsch", login: str = "petra", **extra: str) -> str:
    answer = client.post(ADDRESS, {"login": login, "password": password}, **extra)
    return "angemeldet" if answer.status_code == 302 else answer.content.decode()


def test_wrong_password_is_refused_in_plain_words_and_the_name_stays(client: Client, petra: User) -> None:
    page = try_password(client)
    assert "Benutzername, E-Mail-Adresse oder Passwort stimmt nicht" in page
    assert 'value="petra"' in page
    assert client.get("/konto/").status_code == 302


@pytest.mark.parametrize("login", ["petra", "PETRA", "petra@example.org", "Petra@Example.org", " petra "])
def test_name_and_address_both_lead_in(client: Client, petra: User, login: str) -> None:
    assert try_password(client, PASSWORD, login) == "angemeldet"
    assert client.get("/konto/").status_code == 200


def test_an_unknown_account_gets_the_answer_of_a_wrong_password(client: Client, petra: User) -> None:
    known = try_password(client, login="petra@example.org")
    assert "stimmt nicht" in alert(known)
    assert alert(try_password(client, login="niemand@example.org")) == alert(known)


def test_inactive_person_cannot_log_in_and_is_told_only_for_the_right_password(client: Client) -> None:
    UserFactory(username="petra", is_active=False)
    assert "gesperrt" in try_password(client, PASSWORD)
    assert "gesperrt" not in try_password(client)
    assert client.get("/konto/").status_code == 302


def test_a_session_ends_when_its_person_is_locked(client: Client, petra: User) -> None:
    try_password(client, PASSWORD)
    User.objects.filter(pk=petra.pk).update(is_active=False)
    assert client.get("/konto/").status_code == 302


def test_log_in_leads_back_to_the_page_asked_for(client: Client, petra: User) -> None:
    answer = client.post(ADDRESS, {"login": "petra", "password": PASSWORD, "next": "/hilfe/fragen/?a=1"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/hilfe/fragen/?a=1")


@pytest.mark.parametrize(
    "target",
    ["https://boese.example/", "//boese.example/", "javascript:alert(1)", "https://partner.example/"],
)
def test_log_in_never_leads_to_another_host(
    client: Client, petra: User, settings: LazySettings, target: str
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "partner.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://partner.example"]
    answer = client.post(ADDRESS, {"login": "petra", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/meine/"


def test_form_keeps_the_page_asked_for(client: Client) -> None:
    page = client.get(ADDRESS, {"next": "/konto/"}).content.decode()
    assert '<input type="hidden" name="next" value="/konto/">' in page


def test_the_session_is_a_new_one_and_ends_with_the_browser(client: Client, petra: User) -> None:
    client.get(ADDRESS)
    before = client.session.session_key
    try_password(client, PASSWORD)
    assert client.session.session_key != before
    assert client.cookies["sessionid"]["max-age"] == ""


def test_after_too_many_wrong_tries_the_right_password_waits_too(client: Client, petra: User) -> None:
    for _try in range(TRIES):
        assert "stimmt nicht" in try_password(client)
    assert "warten Sie 15 Minuten" in try_password(client, PASSWORD)
    assert "warten Sie 15 Minuten" in try_password(client, PASSWORD, login="PETRA")


def test_the_limit_holds_per_person_and_place(client: Client, petra: User) -> None:
    UserFactory(username="olga")
    for _try in range(TRIES + 1):
        try_password(client)
    assert try_password(client, PASSWORD, login="olga") == "angemeldet"
    client.logout()
    assert try_password(client, PASSWORD, REMOTE_ADDR="192.0.2.7") == "angemeldet"


def test_behind_the_proxy_only_its_own_word_counts(
    client: Client, settings: LazySettings, petra: User
) -> None:
    settings.BEHIND_TLS_PROXY = True
    for number in range(TRIES):
        try_password(client, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 192.0.2.7")
    assert "warten Sie" in try_password(client, PASSWORD, HTTP_X_FORWARDED_FOR="10.9.9.9, 192.0.2.7")
    assert try_password(client, PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.7, 192.0.2.8") == "angemeldet"


def test_very_many_tries_from_one_place_get_a_page_of_ours(client: Client, petra: User) -> None:
    for number in range(30):
        try_password(client, login=f"person{number}")
    answer = client.post(ADDRESS, {"login": "petra", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Zu viele Versuche" in answer.content.decode()
    assert client.get(ADDRESS).status_code == 200


@pytest.fixture
def redis_is_away(settings: LazySettings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": DEAD_REDIS}}


@pytest.mark.usefixtures("redis_is_away")
def test_without_redis_people_log_in_and_pages_are_there(client: Client, petra: User) -> None:
    assert caches["default"]._servers == [DEAD_REDIS]
    assert client.get("/").status_code == 200
    assert "stimmt nicht" in try_password(client)
    assert try_password(client, PASSWORD) == "angemeldet"
    assert client.get("/konto/").status_code == 200
    assert client.get("/health/ready").json()["zwischenspeicher"] == "nicht erreichbar"


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


# --- allauth's own look and sign-up -----------------------------------------------------------------


def test_nobody_signs_up(client: Client) -> None:
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
    for address in ("/accounts/signup/", "/anmelden/signup/", "/signup/", "/konto/registrieren/"):
        assert client.get(address).status_code == 404


def test_every_page_of_allauth_that_there_is_has_a_template_of_ours() -> None:
    """Found by their names: views that render one of allauth's templates are not among them."""
    names = [name for name in get_resolver().reverse_dict if isinstance(name, str)]
    found = [name for name in names if name.startswith(("account_", "mfa_", "socialaccount_"))]
    assert len(found) == 17
    for name in found:
        (pattern,) = [p for p in _patterns() if p.name == name]
        assert pattern.callback.view_class.template_name.startswith("accounts/"), name


def _patterns() -> list[URLPattern]:
    return [*local_urls.urlpatterns]


# --- Beside Keycloak --------------------------------------------------------------------------------


@pytest.fixture
def keycloak(settings: LazySettings) -> None:
    settings.OIDC_ISSUER = "https://keycloak.example/realms/zsk"
    settings.BREAK_GLASS_USER = "notfall"


EMERGENCY = "/anmelden/notfall/"


def try_emergency(client: Client, login: str, password: str = PASSWORD) -> str:
    answer = client.post(EMERGENCY, {"login": login, "password": password})
    return "angemeldet" if answer.status_code == 302 else answer.content.decode()


def alert(page: str) -> str:
    return page.partition('role="alert"')[2].partition("</ul>")[0]


def test_without_keycloak_there_is_no_emergency_log_in(client: Client, settings: LazySettings) -> None:
    settings.BREAK_GLASS_USER = "notfall"
    assert client.get(EMERGENCY).status_code == 404
    assert client.post(EMERGENCY).status_code == 404


@pytest.mark.usefixtures("keycloak")
def test_beside_keycloak_without_a_named_account_there_is_none_either(
    client: Client, settings: LazySettings
) -> None:
    settings.BREAK_GLASS_USER = ""
    UserFactory(username="")
    assert client.get(EMERGENCY).status_code == 404


@pytest.mark.usefixtures("keycloak")
def test_only_the_named_account_gets_in(client: Client) -> None:
    UserFactory(username="notfall", is_operations=True, email="not@example.org")
    UserFactory(username="betrieb", is_operations=True, is_superuser=True)
    UserFactory(username="gesperrt", is_active=False)
    wrong = alert(try_emergency(client, "notfall", "falsch"))
    assert "stimmt nicht" in wrong
    assert [alert(try_emergency(client, name)) for name in ("betrieb", "gesperrt", "niemand")] == [wrong] * 3
    assert client.get("/konto/").status_code == 302
    assert try_emergency(client, "notfall") == "angemeldet"


@pytest.mark.usefixtures("keycloak")
def test_every_emergency_log_in_is_on_record(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    person = UserFactory(username="notfall")
    try_emergency(client, "notfall", "falsch")
    assert not AuditEntry.objects.exists()
    try_emergency(client, "notfall")
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.action, entry.detail) == (person, "Notfall-Anmeldung", "127.0.0.1")
    assert "break-glass log-in of notfall from 127.0.0.1" in caplog.text
    assert PASSWORD not in caplog.text


@pytest.mark.usefixtures("keycloak")
def test_our_own_form_is_closed_beside_keycloak(client: Client) -> None:
    UserFactory(username="notfall")
    assert client.post(ADDRESS, {"login": "notfall", "password": PASSWORD}).status_code == 405
    assert client.get("/konto/").status_code == 302


@pytest.mark.usefixtures("keycloak")
def test_beside_keycloak_the_account_s_own_pages_are_for_the_named_one_only(client: Client) -> None:
    for name, status in (("petra", 404), ("notfall", 200)):
        client.force_login(UserFactory(username=name))
        for address in ("/konto/passwort/", "/konto/email/", "/konto/zweiter-faktor/", "/konto/bestaetigen/"):
            assert client.get(address).status_code == status, (name, address)
    client.logout()
    for address in ("/konto/passwort-vergessen/", "/konto/passwort-vergessen/gesendet/"):
        assert client.get(address).status_code == 404


def test_pages_that_need_a_fresh_password_send_strangers_to_the_log_in(client: Client) -> None:
    answer = client.get("/konto/zweiter-faktor/einrichten/")
    assert answer.headers["Location"] == "/anmelden/?next=/konto/zweiter-faktor/einrichten/"
