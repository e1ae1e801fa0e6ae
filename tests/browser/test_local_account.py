"""Journeys with a local account: by the mail that the demo keeps, and with a second factor."""

import time

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.conf import LazySettings
from playwright.sync_api import ConsoleMessage, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.test_accessibility import faults
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "ein ganz neuer satz"


@pytest.fixture(autouse=True)
def kept_mail(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "accounts.kept_mail.Backend"
    UserFactory(username="petra", email="petra@example.org", first_name="Petra", last_name="Lindner")


def log_in(page: Page, server: LiveServer, password: str) -> None:
    page.goto(f"{server.url}/anmelden/?next=/konto/")
    page.get_by_label("Benutzername oder E-Mail-Adresse").fill("petra@example.org")
    page.get_by_label("Passwort", exact=True).fill(password)
    page.locator("main").get_by_role("button", name="Anmelden").click()


def test_a_forgotten_password_is_set_by_the_mail(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/anmelden/")
    page.get_by_role("link", name="Passwort vergessen?").click()
    page.get_by_label("E-Mail-Adresse Ihres Kontos").fill("petra@example.org")
    page.get_by_role("button", name="Link schicken").click()
    page.get_by_role("link", name="Post der Demo").click()
    expect(page.get_by_role("heading", name="Neues Passwort setzen")).to_be_visible()
    page.get_by_role("link", name="/konto/passwort-vergessen/").click()
    page.get_by_label("Neues Passwort", exact=True).fill(NEW)
    page.get_by_label("Neues Passwort, noch einmal").fill("etwas anderes")
    page.get_by_role("button", name="Passwort setzen").click()
    expect(page.get_by_role("alert")).to_contain_text("nicht gleich")
    assert faults(page) == []
    page.get_by_label("Neues Passwort", exact=True).fill(NEW)
    page.get_by_label("Neues Passwort, noch einmal").fill(NEW)
    page.get_by_role("button", name="Passwort setzen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ihr Passwort ist gesetzt")
    log_in(page, live_server, NEW)
    expect(page.get_by_role("heading", level=1)).to_have_text("Petra Lindner")


def code(secret: str, *, steps: int = 0) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps))


def test_a_second_factor_is_set_up_and_asked_for(page: Page, live_server: LiveServer) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.extend(_refusals(message)))
    log_in(page, live_server, PASSWORD)
    page.get_by_role("link", name="Zweiter Faktor").click()
    page.get_by_role("link", name="Zweiten Faktor einrichten").click()
    picture = page.get_by_role("img", name="QR-Code")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    secret = page.locator("main code").inner_text()
    page.get_by_label("Code", exact=True).fill(code(secret, steps=-1))
    page.get_by_role("button", name="Zweiten Faktor einrichten").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ersatzcodes")
    assert page.get_by_role("list", name="Ihre Ersatzcodes").get_by_role("listitem").count() == 10
    assert faults(page) == []
    page.goto(f"{live_server.url}/abmelden/")
    page.get_by_role("button", name="Jetzt abmelden").click()
    log_in(page, live_server, PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Code eingeben")
    assert faults(page) == []
    page.get_by_label("Code", exact=True).fill(code(secret))
    page.locator("main").get_by_role("button", name="Anmelden", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Petra Lindner")
    assert refused == []


def _refusals(message: ConsoleMessage) -> list[str]:
    return [message.text] if "Content Security Policy" in message.text else []
