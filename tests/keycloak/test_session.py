"""Sessions that end while somebody works, log-out at both ends, and a Keycloak that is away."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from accounts import jwks, oidc_session
from accounts.models import Authority
from tests.factories import AuthorityFactory, ServiceFactory, api_key
from tests.keycloak.conftest import OLE, PETRA, Admin, enter, log_in, use
from tests.keycloak.test_log_in import bound, heading
from zsk.keycloak import Server
from zsk.oidc import Provider

pytestmark = pytest.mark.django_db(transaction=True)


def type_a_name(page: Page, live_server: LiveServer) -> Authority:
    """A form of the portal, filled in and not yet sent."""
    authority: Authority = AuthorityFactory(name="Amt Alt")
    address = f"/admin/accounts/authority/{authority.pk}/change/"
    log_in(page, live_server.url, OLE, address)
    expect(page).to_have_url(live_server.url + address)
    page.fill("#id_name", "Amt Neu & Söhne")
    return authority


def forget_check() -> None:
    """As if Keycloak had been asked for the last time long ago."""
    for row in Session.objects.all():
        store = row.get_session_store_class()(row.session_key)
        store[oidc_session.CHECKED_AT] = 0
        store.save()


def send_kept_form(page: Page, authority: Authority) -> None:
    expect(page.locator("h1")).to_have_text("Ihre Eingaben sind noch da")
    authority.refresh_from_db()
    assert authority.name == "Amt Alt"
    page.click("text=Weiter: jetzt absenden")
    expect(page.locator("body")).to_contain_text("erfolgreich geändert")
    authority.refresh_from_db()
    assert authority.name == "Amt Neu & Söhne"


def test_a_form_sent_after_the_session_ended_is_not_lost(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    authority = type_a_name(page, live_server)
    Session.objects.all().delete()
    page.click("[name=_save]")
    page.click("text=Mit Keycloak anmelden")
    send_kept_form(page, authority)


def test_a_form_sent_after_both_sessions_ended_is_not_lost(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    authority = type_a_name(page, live_server)
    Session.objects.all().delete()
    admin.end_sessions(OLE)
    page.click("[name=_save]")
    page.click("text=Mit Keycloak anmelden")
    enter(page, OLE)
    send_kept_form(page, authority)


def test_a_form_sent_long_after_the_last_check_waits_for_the_next(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    authority = type_a_name(page, live_server)
    forget_check()
    page.click("[name=_save]")
    send_kept_form(page, authority)


def test_a_form_is_not_lost_when_that_check_ends_the_session(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    authority = type_a_name(page, live_server)
    forget_check()
    admin.end_sessions(OLE)
    page.click("[name=_save]")
    page.click("text=Mit Keycloak anmelden")
    enter(page, OLE)
    send_kept_form(page, authority)


def test_log_out_ends_both_sessions(page: Page, live_server: LiveServer, admin: Admin) -> None:
    bound(PETRA)
    log_in(page, live_server.url, PETRA)
    assert admin.sessions(PETRA) == 1
    page.goto(f"{live_server.url}/abmelden/")
    page.click("text=Jetzt abmelden")
    expect(page).to_have_url(f"{live_server.url}/abmelden/")
    assert heading(page) == "Sie sind abgemeldet"
    assert admin.sessions(PETRA) == 0
    page.goto(f"{live_server.url}/konto/")
    page.click("text=Mit Keycloak anmelden")
    expect(page.locator("#password")).to_be_visible()


def test_log_out_at_keycloak_ends_the_session_here(page: Page, live_server: LiveServer, admin: Admin) -> None:
    bound(PETRA)
    log_in(page, live_server.url, PETRA)
    forget_check()
    page.goto(f"{live_server.url}/konto/?a=1")
    expect(page).to_have_url(f"{live_server.url}/konto/?a=1")
    admin.end_sessions(PETRA)
    forget_check()
    page.goto(f"{live_server.url}/konto/")
    assert heading(page) == "Anmelden"


def test_somebody_disabled_at_keycloak_is_out_at_the_next_check(
    page: Page, live_server: LiveServer, admin: Admin
) -> None:
    bound(PETRA)
    log_in(page, live_server.url, PETRA)
    admin.set_enabled(PETRA, False)
    forget_check()
    page.goto(f"{live_server.url}/konto/")
    assert heading(page) == "Anmelden"


# --- Keycloak is away ------------------------------------------------------------------------------


def take_away(settings: Settings, provider: Provider) -> None:
    nowhere = "http://127.0.0.1:9/realms/zsk"
    use(settings, replace(provider, issuer=nowhere, internal_url=nowhere))


def test_without_keycloak_log_in_is_a_page_and_the_rest_goes_on(
    page: Page, live_server: LiveServer, settings: Settings, provider: Provider
) -> None:
    take_away(settings, provider)
    page.goto(f"{live_server.url}/konto/")
    with page.expect_navigation() as navigation:
        page.click("text=Mit Keycloak anmelden")
    answer = navigation.value
    assert (answer.status, answer.headers["retry-after"]) == (503, "60")
    assert heading(page) == "Die Anmeldung ist gerade nicht möglich"
    assert page.locator("header").is_visible()
    _credential, key = api_key(ServiceFactory())
    for path in ("/", "/api/v1/lieferungen"):
        found = requests.get(live_server.url + path, headers={"Authorization": f"Bearer {key}"}, timeout=20)
        assert found.status_code == 200, path


def test_who_is_signed_in_works_on_without_keycloak_and_gets_out(
    page: Page, live_server: LiveServer, settings: Settings, provider: Provider, admin: Admin
) -> None:
    authority = type_a_name(page, live_server)
    take_away(settings, provider)
    forget_check()
    page.click("[name=_save]")
    expect(page.locator("body")).to_contain_text("erfolgreich geändert")
    authority.refresh_from_db()
    assert authority.name == "Amt Neu & Söhne"
    page.goto(f"{live_server.url}/abmelden/")
    page.click("text=Jetzt abmelden")
    expect(page.locator("h1")).to_have_text("Sie sind abgemeldet")


@pytest.fixture
def stopped(server: Server) -> Iterator[None]:
    """Keycloak takes connections and never answers."""
    assert server.process
    os.killpg(server.process.pid, signal.SIGSTOP)
    yield
    os.killpg(server.process.pid, signal.SIGCONT)


def test_a_keycloak_that_hangs_is_given_up(
    page: Page, live_server: LiveServer, provider: Provider, stopped: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "TIMEOUT", (1, 1))
    answer = page.goto(f"{live_server.url}/anmelden/keycloak/")
    assert answer
    assert answer.status == 503
