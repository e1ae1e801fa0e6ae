"""axe-core on every page of ours, in the sizes and colours people use, and what axe does not see."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import LazySettings
from playwright.sync_api import Browser, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import KeptMail, User
from tests.factories import PASSWORD, MemberFactory, PortalMemberFactory, ServiceFactory, UserFactory
from tests.reports import test_gebietsstand as gebietsstand
from tests.transactions import country
from tests.transactions.uploading import BAYERN, HESSEN, content, laender, taken_over
from zsk.pages import PAGES

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Width in CSS pixels and colours; 320 is 1280 at 400 % zoom.
VIEWS = [(1280, "light"), (320, "dark")]
RESET = "/konto/passwort-vergessen/"
PUBLIC = [
    *(f"/{address}" for address in PAGES), "/anmelden/", "/abmelden/", "/gibt-es-nicht", "/demo/post/",
    RESET, f"{RESET}gesendet/", f"{RESET}fertig/", f"{RESET}abc-def/", "/konto/email/kein-link/",
]  # fmt: skip
OWN = [
    "/konto/", "/konto/passwort/", "/konto/email/", "/konto/zweiter-faktor/", "/konto/bestaetigen/",
    "/konto/zweiter-faktor/einrichten/", "/abmelden/", "/hilfe/dateiformat/", "/gibt-es-nicht",
]  # fmt: skip

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=VIEWS, ids=lambda view: f"{view[0]}-{view[1]}")
def view(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page that notes what the browser refused, in `violations`."""
    width, colours = request.param
    context = browser.new_context(
        locale="de-DE", viewport={"width": width, "height": 900}, color_scheme=colours
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    yield page
    context.close()


def log_in(page: Page, server: LiveServer) -> User:
    person = UserFactory(username="petra", first_name="Petra", last_name="Lindner")
    MemberFactory(user=person)
    PortalMemberFactory(user=person)
    page.goto(f"{server.url}/anmelden/?next=/konto/")
    page.fill("#id_login", "petra")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    return person


def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page scrolls sideways."""
    found = Axe.from_file(AXE).run(page, options=RULES).response["violations"]
    lines = [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return lines + ([f"{too_wide} px too wide"] if too_wide > 0 else [])


def test_public_pages(view: Page, live_server: LiveServer, settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "accounts.kept_mail.Backend"
    KeptMail.objects.create(sender="a", recipient="b", subject="Betreff", body="https://zsk.example/")
    refused: list[str] = []
    view.on("console", lambda message: refused.extend(_refusals(message)))
    found = {}
    for address in PUBLIC:
        view.goto(live_server.url + address)
        found[address] = faults(view)
    assert {address: lines for address, lines in found.items() if lines} == {}
    assert refused == []


def test_pages_of_regions_and_reforms(view: Page, live_server: LiveServer) -> None:
    gebietsstand.build()
    service = ServiceFactory(published=True)
    past = {key: count for key, count in gebietsstand.COUNTS.items() if key[0].year < 2022}
    gebietsstand.send(service, past, UserFactory(is_operations=True))
    then = "monat=2016-05&gebietsstand=heute"
    addresses = [
        "/regionen/aenderungen/", "/regionen/aenderungen/?q=quatsch", "/regionen/aenderungen/mkk/",
        f"/regionen/{country.HESSEN}/?{then}", f"/regionen/{country.EISENACH_OLD}/",
        f"/onlineservices/{service.number}/?region={country.HESSEN}&{then}",
    ]  # fmt: skip
    found = {}
    for address in addresses:
        answer = view.goto(live_server.url + address)
        found[address] = faults(view) if answer and answer.ok else ["not shown"]
    assert {address: lines for address, lines in found.items() if lines} == {}


def _refusals(message: ConsoleMessage) -> list[str]:
    return [message.text] if "Content Security Policy" in message.text else []


def test_pages_of_a_person(view: Page, live_server: LiveServer) -> None:
    log_in(view, live_server)
    found = {}
    for address in OWN:
        view.goto(live_server.url + address)
        found[address] = faults(view)
    assert {address: lines for address, lines in found.items() if lines} == {}


def test_pages_that_show_what_happened(view: Page, live_server: LiveServer) -> None:
    person = log_in(view, live_server)
    laender()
    service = person.service_memberships.get().service
    taken_over(person, content(service, (HESSEN, "2026-01", 1), (BAYERN, "2026-01", 0)))
    delivery = taken_over(person, content(service, (HESSEN, "2026-01", 2)))
    own = f"/meine/onlineservices/{service.number}/"
    found = {}
    for address in (
        "/lieferungen/?wer=petra", f"{own}lieferungen", delivery.get_absolute_url(),
        f"{delivery.get_absolute_url()}werte/", f"{own}zahlen/2026-01/", f"{own}zahlen/2025-01/",
        f"{own}keine-transaktionen?monat=2026-01", f"{own}keine-transaktionen?monat=2025-12",
        "/meine/vollstaendigkeit/?jahr=2026", "/meine/",
    ):  # fmt: skip
        view.goto(live_server.url + address)
        found[address] = faults(view)
    assert {address: lines for address, lines in found.items() if lines} == {}


def test_faulty_forms(view: Page, live_server: LiveServer) -> None:
    view.goto(f"{live_server.url}/anmelden/")
    view.fill("#id_login", "niemand")
    view.fill("#id_password", "falsch")
    view.click("main button[type=submit]")
    assert view.get_by_role("alert").is_visible()
    assert faults(view) == []
    log_in(view, live_server)
    view.goto(f"{live_server.url}/konto/passwort/")
    for field in ("oldpassword", "password1", "password2"):
        view.fill(f"#id_{field}", f"falsch und anders {field}")
    view.click("main button[type=submit]")
    view.get_by_role("alert").get_by_role("link", name="Das bisherige Passwort stimmt nicht.").click()
    assert view.evaluate("document.activeElement.id") == "id_oldpassword"
    assert faults(view) == []


def test_error_pages(view: Page, live_server: LiveServer, settings: LazySettings) -> None:
    context = view.context
    log_in(view, live_server)
    view.goto(f"{live_server.url}/konto/passwort/")
    context.clear_cookies(name="csrftoken")
    view.click("main button[type=submit]")
    assert "abgelaufen" in view.inner_text("h1")
    assert faults(view) == []
    view.goto(f"{live_server.url}/admin/")
    assert "Berechtigung" in view.inner_text("h1")
    assert faults(view) == []
    settings.ALLOWED_HOSTS = ["zsk.example.org"]
    view.goto(f"{live_server.url}/hilfe/")
    assert "nicht lesbar" in view.inner_text("h1")
    assert faults(view) == []


def test_keyboard_reaches_content_first_and_the_menu_on_a_phone(
    browser: Browser, live_server: LiveServer
) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 700})
    page.goto(f"{live_server.url}/hilfe/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Zum Inhalt"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "inhalt"
    assert not page.get_by_role("navigation", name="Hauptmenü").is_visible()
    page.get_by_role("button", name="Menü").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Onlineservices", exact=True).wait_for()
    assert faults(page) == []
    page.keyboard.press("Escape")
    assert not page.get_by_role("navigation", name="Hauptmenü").is_visible()
    page.close()


def test_what_scrolls_shows_that_it_has_the_focus(page: Page, live_server: LiveServer) -> None:
    log_in(page, live_server)
    page.goto(f"{live_server.url}/liefern/datei")
    page.get_by_role("button", name="Datei prüfen").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "PRE"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "4px"


def test_print_leaves_out_what_cannot_be_clicked_on_paper(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/hilfe/dateiformat/")
    page.emulate_media(media="print")
    assert (
        page.get_by_text("Demo: synthetische Daten.")
        .or_(page.get_by_text("Alle Zahlen dieser"))
        .first.is_visible()
    )
    assert page.locator("h1").is_visible()
    for gone in (".zsk-nav", ".zsk-menu", ".zsk-bottom nav", ".kern-btn"):
        assert not page.locator(gone).first.is_visible()
