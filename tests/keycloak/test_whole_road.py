"""The whole road of somebody who has never seen the ZSK, where people log in with Keycloak."""

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts import request_forms
from accounts.models import User
from services.models import OnlineService, ServiceMember
from tests.browser import steps
from tests.keycloak.conftest import GAST, OLE, Admin, enter, log_in
from tests.services.registering import catalogue
from transactions.models import Delivery
from zsk.demo import subject

pytestmark = pytest.mark.django_db(transaction=True)


def test_from_the_landing_page_to_a_key_that_works(
    browser: Browser,
    page: Page,
    live_server: LiveServer,
    admin: Admin,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.EMAIL_BACKEND = "accounts.kept_mail.Backend"
    monkeypatch.setattr(request_forms, "LEAST_SECONDS", 0)
    site, email = live_server.url, "gast@demo.invalid"
    catalogue()
    status = steps.ask_for_access(
        page, site, region="Kassel", first_name="Gudrun", last_name="Gast", email=email
    )
    desk = browser.new_page(locale="de-DE")
    log_in(desk, site, OLE, "/betrieb/")
    steps.approve(desk, name="Gudrun Gast", email=email)
    desk.close()
    steps.open_invitation(page, site, status)
    page.click("text=Mit Keycloak anmelden")
    enter(page, GAST)
    expect(page.locator("main")).to_contain_text("Ihre Einladung ist angenommen")
    page.goto(f"{site}/meine/")
    steps.register_and_try_a_key(page, region="Kassel")
    guest = User.objects.get(sub=subject("gast"))
    assert not guest.has_usable_password()
    assert ServiceMember.objects.get().user == guest
    assert OnlineService.objects.get().authority.name == "Hafenamt"
    assert not Delivery.objects.exists()
