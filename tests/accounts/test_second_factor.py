"""The second factor: set up, asked for, replaced, and required of operations."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import LazySettings
from django.test import Client

from accounts import second_factor
from accounts.models import AuditEntry, User
from tests.accounts.conftest import Arrivals
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
HOME = "/konto/zweiter-faktor/"
SET_UP = f"{HOME}einrichten/"
CODE = "/anmelden/code/"


def log_in(client: Client, username: str = "petra", **data: str) -> str:
    """Where one is led after the right password."""
    answer = client.post("/anmelden/", {"login": username, "password": PASSWORD, **data})
    return str(answer.headers["Location"])


def code_now(secret: str, *, steps: int = 0) -> str:
    value = totp.hotp_value(secret, int(time.time()) // 30 + steps)
    return totp.format_hotp_value(value)


def set_up(client: Client) -> str:
    """Set it up as the page says; the secret."""
    secret: str = re.search(r"<code[^>]*>([A-Z2-7]+)</code>", client.get(SET_UP).content.decode())[1]  # type: ignore[index]
    answer = client.post(SET_UP, {"code": code_now(secret, steps=-1)})
    assert answer.headers["Location"] == f"{HOME}ersatzcodes/"
    return secret


@pytest.fixture
def secret(client: Client, petra: User) -> str:
    """Petra's, who is signed out again."""
    log_in(client)
    found = set_up(client)
    client.post("/abmelden/")
    return found


@pytest.mark.parametrize("address", [HOME, SET_UP, f"{HOME}abschalten/", f"{HOME}ersatzcodes/"])
def test_strangers_are_sent_to_the_log_in(client: Client, address: str) -> None:
    assert client.get(address).headers["Location"].startswith("/anmelden/?next=")


def test_set_up_shows_a_picture_that_the_policy_allows(client: Client, petra: User) -> None:
    log_in(client)
    page = client.get(SET_UP).content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    assert "style=" not in page.partition("<main")[2]


def test_set_up_tells_by_mail_and_gives_spare_codes(client: Client, petra: User, arrivals: Arrivals) -> None:
    log_in(client)
    with arrivals() as inbox:
        set_up(client)
    assert "Der zweite Faktor wurde eingerichtet." in inbox[0].body
    codes = re.findall(r"<code>(\d{8})</code>", client.get(f"{HOME}ersatzcodes/").content.decode())
    assert len(set(codes)) == 10
    download = client.get(f"{HOME}ersatzcodes/datei/")
    assert re.findall(r"^\d{8}$", download.content.decode(), re.MULTILINE) == codes
    assert 'filename="zsk-ersatzcodes.txt"' in download.headers["Content-Disposition"]


def test_a_wrong_code_sets_nothing_up(client: Client, petra: User) -> None:
    log_in(client)
    client.get(SET_UP)
    assert "Der Code stimmt nicht" in client.post(SET_UP, {"code": "000000"}).content.decode()
    assert not Authenticator.objects.exists()


def test_log_in_asks_for_the_code_and_keeps_the_page_asked_for(client: Client, secret: str) -> None:
    assert log_in(client, next="/hilfe/fragen/") == CODE
    assert client.get("/konto/").status_code == 302
    assert client.get("/anmelden/").headers["Location"] == CODE
    assert "Der Code stimmt nicht" in client.post(CODE, {"code": "000000"}).content.decode()
    assert client.get("/konto/").status_code == 302
    answer = client.post(CODE, {"code": code_now(secret)})
    assert answer.headers["Location"] == "/hilfe/fragen/"
    assert client.get("/konto/").status_code == 200


def test_the_code_s_page_is_closed_without_the_password(client: Client, secret: str) -> None:
    assert client.get(CODE).headers["Location"] == "/anmelden/"
    assert client.post(CODE, {"code": code_now(secret)}).headers["Location"] == "/anmelden/"


def test_a_code_is_good_once(client: Client, secret: str) -> None:
    code = code_now(secret)
    for expected in (302, 200):
        log_in(client)
        assert client.post(CODE, {"code": code}).status_code == expected
        client.post("/abmelden/")


def test_guessing_codes_is_stopped(client: Client, secret: str) -> None:
    log_in(client)
    for _try in range(10):
        assert "Der Code stimmt nicht" in client.post(CODE, {"code": "000000"}).content.decode()
    assert "warten Sie 15 Minuten" in client.post(CODE, {"code": code_now(secret)}).content.decode()


def test_a_spare_code_lets_in_once(client: Client, petra: User, secret: str) -> None:
    spare = Authenticator.objects.get(user=petra, type="recovery_codes").wrap().get_unused_codes()[0]
    for expected in (302, 200):
        log_in(client)
        assert client.post(CODE, {"code": spare}).status_code == expected
        client.post("/abmelden/")


def test_another_account_can_be_chosen_instead(client: Client, secret: str) -> None:
    log_in(client)
    client.post("/abmelden/")
    assert "Benutzername oder E-Mail" in client.get("/anmelden/").content.decode()


def test_taking_it_off_needs_a_fresh_password_or_code(client: Client, petra: User, secret: str) -> None:
    client.force_login(petra)
    answer = client.get(f"{HOME}abschalten/")
    assert answer.headers["Location"].startswith("/konto/bestaetigen/?next=")
    page = client.get(answer.headers["Location"]).content.decode()
    assert "/konto/bestaetigen/code/?next=" in page
    wrong = client.post("/konto/bestaetigen/code/", {"code": "000000"})
    assert "Der Code stimmt nicht" in wrong.content.decode()
    client.post("/konto/bestaetigen/code/", {"code": code_now(secret), "next": f"{HOME}abschalten/"})
    client.post(f"{HOME}abschalten/")
    assert not Authenticator.objects.exists()


def test_secrets_lie_encrypted_and_none_is_in_the_log(
    client: Client, petra: User, caplog: pytest.LogCaptureFixture
) -> None:
    log_in(client)
    secret = set_up(client)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert secret not in caplog.text
    assert PASSWORD not in caplog.text


def test_without_the_key_no_code_fits(client: Client, secret: str, settings: LazySettings) -> None:
    settings.SECRET_KEY = "another"
    log_in(client)
    assert client.post(CODE, {"code": code_now(secret)}).status_code == 200
    assert second_factor.SecondFactorAdapter().decrypt("nonsense") != ""


def test_the_old_key_still_opens(client: Client, secret: str, settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    log_in(client)
    assert client.post(CODE, {"code": code_now(secret)}).status_code == 302


def test_operations_take_it_from_somebody_who_lost_it(client: Client, petra: User, secret: str) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    authenticator = Authenticator.objects.get(type="totp")
    page = client.get(f"/admin/mfa/authenticator/{authenticator.pk}/change/").content.decode()
    assert "TOTP" in page
    assert "secret" not in page
    client.post(f"/admin/mfa/authenticator/{authenticator.pk}/delete/", {"post": "yes"})
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get().action == "Zweiter Faktor entfernt"


# --- Required of operations -------------------------------------------------------------------------


@pytest.fixture
def required(settings: LazySettings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("rights", [{"is_operations": True}, {"is_staff": True}])
def test_operations_set_it_up_before_anything_else(client: Client, rights: dict[str, bool]) -> None:
    UserFactory(username="betrieb", **rights)
    log_in(client, "betrieb")
    for address in ("/", "/konto/", "/konto/passwort/", "/meine/", "/admin/"):
        assert client.get(address).headers["Location"] == SET_UP, address
    assert client.post("/konto/passwort/").headers["Location"] == SET_UP
    assert "deshalb braucht es einen zweiten Faktor" in client.get(SET_UP).content.decode()
    set_up(client)
    assert client.get("/konto/").status_code == 200


@pytest.mark.usefixtures("required")
def test_operations_without_one_can_log_out(client: Client) -> None:
    UserFactory(username="betrieb", is_operations=True)
    log_in(client, "betrieb")
    assert client.post("/abmelden/").headers["Location"] == "/abmelden/"
    assert client.get("/konto/").headers["Location"] == "/anmelden/?next=/konto/"


@pytest.mark.usefixtures("required")
def test_others_need_none(client: Client, petra: User) -> None:
    log_in(client)
    assert client.get("/konto/").status_code == 200


@pytest.mark.usefixtures("required")
def test_the_account_for_emergencies_needs_one(client: Client, settings: LazySettings) -> None:
    settings.BREAK_GLASS_USER = "notfall"
    UserFactory(username="notfall")
    log_in(client, "notfall")
    assert client.get("/konto/").headers["Location"] == SET_UP


@pytest.mark.usefixtures("required")
def test_who_comes_by_keycloak_is_asked_there(client: Client, settings: LazySettings) -> None:
    """Any other backend than the one of local accounts stands for Keycloak's."""
    other = "django.contrib.auth.backends.ModelBackend"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, other]
    client.force_login(UserFactory(is_operations=True), other)
    assert client.get("/konto/").status_code == 200


@pytest.mark.usefixtures("required")
def test_the_public_is_not_asked_and_gets_no_session(client: Client) -> None:
    answer = client.get("/hilfe/")
    assert answer.status_code == 200
    assert not client.cookies


def test_in_the_demo_operations_need_none(client: Client) -> None:
    UserFactory(username="betrieb", is_operations=True)
    log_in(client, "betrieb")
    assert client.get("/konto/").status_code == 200
