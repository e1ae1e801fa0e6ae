"""The pages of the way in, in a browser: a question of operations, and what axe says of them."""

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import invitations, request_forms
from accounts.models import AccessRequest, User
from tests.browser.steps import fill_request, follow_mail, log_in
from tests.browser.test_accessibility import faults
from tests.factories import (
    AccessRequestFactory,
    AuthorityFactory,
    InvitationFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kept_mail(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail is shown and not sent, as in the demo; and the form may be filled in as fast as a test does."""
    settings.EMAIL_BACKEND = "accounts.kept_mail.Backend"
    monkeypatch.setattr(request_forms, "LEAST_SECONDS", 0)


@pytest.fixture
def operator() -> User:
    person: User = UserFactory(username="betrieb", first_name="Bernd", last_name="Trieb", is_operations=True)
    return person


def test_a_question_is_answered_by_the_applicant(
    browser: Browser, page: Page, live_server: LiveServer, operator: User
) -> None:
    request = AccessRequestFactory()
    log_in(page, live_server.url, "betrieb", f"/betrieb/antraege/{request.pk}/")
    page.get_by_role("link", name="Nachfragen").click()
    page.fill("#id_text", "Für welchen Onlineservice?")
    page.get_by_role("button", name="Frage absenden").click()
    applicant = browser.new_page(locale="de-DE")
    follow_mail(applicant, live_server.url, "/landing/antrag/")
    applicant.fill("#id_text", "Für die Hundesteuer.")
    applicant.get_by_role("button", name="Antwort absenden").click()
    expect(applicant.get_by_role("heading", level=1)).to_have_text("Wir prüfen Ihren Antrag")
    applicant.close()
    page.goto(f"{live_server.url}/betrieb/antraege/{request.pk}/")
    expect(page.locator("main")).to_contain_text("Für die Hundesteuer.")


@pytest.mark.parametrize("view", [(1280, "light"), (320, "dark")], ids=["1280-light", "320-dark"])
def test_the_pages_are_accessible(
    browser: Browser, live_server: LiveServer, operator: User, view: tuple[int, str]
) -> None:
    width, colours = view
    context = browser.new_context(
        locale="de-DE", viewport={"width": width, "height": 900}, color_scheme=colours
    )
    page, found = context.new_page(), {}
    for address in _public_addresses():
        page.goto(live_server.url + address)
        found[address] = faults(page)
    page.goto(f"{live_server.url}/landing/register")
    fill_request(page, email="anna@")
    page.get_by_role("button", name="Antrag absenden").click()
    found["faulty form"] = faults(page)
    log_in(page, live_server.url, "betrieb", "/betrieb/")
    for address in _addresses_of_operations():
        page.goto(live_server.url + address)
        found[address] = faults(page)
    context.close()
    assert {address: lines for address, lines in found.items() if lines} == {}


def _public_addresses() -> list[str]:
    AuthorityFactory(name="Hafenbehörde")
    InvitationFactory(token_hash=invitations.hash_of("token"))
    asked = AccessRequestFactory(status=AccessRequest.Status.ASKED)
    asked.messages.create(from_operations=True, text="Welcher?")
    AccessRequestFactory(status=AccessRequest.Status.UNCONFIRMED, token_hash=invitations.hash_of("wartet"))
    return [
        "/landing/", "/landing/register", "/landing/register/gesendet", "/landing/bestaetigen/wartet/",
        "/landing/bestaetigen/falsch/", f"/landing/antrag/{asked.pk}/", "/einladung/token/",
        "/einladung/falsch/",
    ]  # fmt: skip


def _addresses_of_operations() -> list[str]:
    request, person = AccessRequestFactory(), UserFactory()
    one = f"/betrieb/antraege/{request.pk}"
    return [
        "/betrieb/", "/betrieb/antraege/", f"{one}/", f"{one}/bewilligen", f"{one}/ablehnen",
        f"{one}/rueckfrage", "/betrieb/einladungen/", "/betrieb/personen/", f"/betrieb/personen/{person.pk}/",
        "/betrieb/behoerden/", "/betrieb/behoerden/neu", "/betrieb/protokoll/", "/einladung/token/",
    ]  # fmt: skip
