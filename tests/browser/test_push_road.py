"""The provider's road: a key, the documented commands against a running server, the number in public."""

import io
import re

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from services.models import OnlineService, ReportingLevel
from tests.browser.steps import run
from tests.browser.test_accessibility import faults
from tests.factories import ServiceFactory
from tests.transactions.uploading import laender
from transactions.models import Delivery

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(live_server: LiveServer, settings: LazySettings) -> str:
    settings.SITE_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def service(site: str) -> OnlineService:
    laender()
    return ServiceFactory(name="BAföG Digital", published=True, reporting_level=ReportingLevel.LAND)


def issued(service: OnlineService) -> tuple[str, str]:
    """The key that the command prints, and the command to try it with."""
    out = io.StringIO()
    call_command("create_credential", service.number, name="Verfahren", stdout=out)
    key = re.search(r"zsk_\w+_[\w-]+", out.getvalue())
    assert key
    return key[0], out.getvalue()[out.getvalue().index("curl ") :]


def documented(page: Page, name: str, service: OnlineService, key: str) -> str:
    """A command as it stands on the page, with what a provider fills in."""
    command = page.inner_text(f"#befehl-{name}")
    for blank, value in (("OS-000123", service.number), ("$ZSK_SCHLUESSEL", key), ("$(uuidgen)", "einmal-1")):
        command = command.replace(blank, value)
    return command


def test_from_a_key_to_the_published_number(page: Page, site: str, service: OnlineService) -> None:
    key, trial = issued(service)
    assert run(trial).body["status"] == "probelauf"

    page.goto(f"{site}/api/docs/")
    tried = run(documented(page, "probelauf", service, key))
    assert (tried.status, tried.body["status"], tried.body["neu"]) == (200, "probelauf", 1)
    assert not Delivery.objects.exists()

    delivering = documented(page, "liefern", service, key)
    refused = run(delivering.replace("060000000000", "60000000000"))
    assert (refused.status, refused.kind) == (422, "application/problem+json")
    (fault,) = refused.body["fehler"]
    assert (fault["zeile"], fault["zeiger"], fault["vorschlag"]) == (2, "/zeilen/0/ars", "060000000000")
    page.goto(refused.body["type"])
    assert "fehlerhaft" in page.inner_text("h1")
    page.goto(f"{site}/hilfe/fehler/{fault['code']}/")
    assert "führende Null" in page.inner_text("h1")
    page.goto(site)
    assert "1.204" not in page.inner_text("main")

    mended = delivering.replace("einmal-1", "einmal-2")
    stored = run(mended)
    assert (stored.status, stored.body["neu"]) == (201, 1)
    assert run(mended) == stored
    page.goto(site)
    assert "1.204" in page.inner_text("h1")
    page.goto(f"{site}/onlineservices/{service.number}/")
    assert "1.204" in page.inner_text("main")
    assert "Hessen" in page.inner_text("main")

    page.goto(f"{site}/api/docs/")
    listed = run(documented(page, "nachsehen", service, key)).body["ergebnisse"]
    assert [item["status"] for item in listed] == ["uebernommen", "abgelehnt"]


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (320, "dark")])
def test_the_page_of_the_interface_is_accessible(page: Page, site: str, width: int, colours: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    page.goto(f"{site}/api/docs/")
    assert faults(page) == []
