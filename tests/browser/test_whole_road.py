"""The whole road of somebody who has never seen the ZSK: from the landing page to a key that works."""

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import request_forms
from accounts.models import User
from services.models import OnlineService, ServiceMember
from tests.browser import steps
from tests.factories import UserFactory
from tests.services.registering import catalogue
from transactions.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kept_mail(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail is shown and not sent, as in the demo; and the form may be filled in as fast as a test does."""
    settings.EMAIL_BACKEND = "accounts.kept_mail.Backend"
    monkeypatch.setattr(request_forms, "LEAST_SECONDS", 0)


def test_from_the_landing_page_to_a_key_that_works(
    browser: Browser, page: Page, live_server: LiveServer
) -> None:
    site = live_server.url
    catalogue()
    UserFactory(username="betrieb", is_operations=True)
    status = steps.ask_for_access(page, site, region="Kassel")
    desk = browser.new_page(locale="de-DE")
    steps.log_in(desk, site, "betrieb", "/betrieb/")
    steps.approve(desk, name="Anna Antrag", email="anna@kappeln.example")
    desk.close()
    steps.open_invitation(page, site, status)
    steps.create_account(page)
    page.goto(f"{site}/konto/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Anna Antrag")
    expect(page.locator("main")).to_contain_text("Hafenamt")
    page.goto(f"{site}/meine/")
    steps.register_and_try_a_key(page, region="Kassel")
    assert not Delivery.objects.exists()
    assert ServiceMember.objects.get().user == User.objects.get(email="anna@kappeln.example")
    assert OnlineService.objects.get().authority.name == "Hafenamt"
