"""Registering and editing a service with a real browser: without JavaScript, with it, and as axe sees it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from services.models import OnlineService, RegistrationDraft, ServiceMember
from tests.browser.test_accessibility import VIEWS, faults
from tests.factories import (
    PASSWORD,
    AuthorityFactory,
    MemberFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
)
from tests.services.registering import HESSEN, KASSEL, KEY, catalogue, draft_of

pytestmark = pytest.mark.django_db(transaction=True)
START = "/meine/onlineservices/neu"


@pytest.fixture
def petra() -> User:
    catalogue()
    return UserFactory(
        username="petra",
        first_name="Petra",
        last_name="Lindner",
        authority=AuthorityFactory(name="Stadt Kassel"),
    )


@pytest.fixture(params=[False, True], ids=["without script", "with script"])
def visitor(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="de-DE", java_script_enabled=request.param)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def log_in(page: Page, server: LiveServer, address: str) -> None:
    page.goto(f"{server.url}/anmelden/?next={address}")
    page.fill("#id_login", "petra")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")


def on(page: Page) -> None:
    page.get_by_role("button", name="Speichern und weiter").click()


def test_a_service_is_registered(visitor: Page, live_server: LiveServer, petra: User) -> None:
    page = visitor
    log_in(page, live_server, START)
    page.get_by_label("selbst entwickelt").check()
    page.get_by_role("button", name="Weiter").click()
    page.get_by_label("Leistung suchen", exact=True).fill("hundest")
    page.keyboard.press("Enter")
    page.get_by_label("Hundesteuer Anmeldung").check()
    on(page)
    page.get_by_role("button", name="Hundesteuer Anmeldung").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Hundesteuer Anmeldung")
    page.get_by_label("Funktionspostfach").fill("hund@amt.de")
    on(page)
    page.get_by_label("Region suchen").fill("Kassel")
    page.keyboard.press("Enter")
    page.locator("#treffer-area").get_by_label("Kassel").check()
    page.get_by_label("Kreis: eine Zahl").check()
    on(page)
    page.get_by_label("In Betrieb seit").fill("1.5.2026")
    on(page)
    page.get_by_role("button", name="Onlineservice registrieren").click()
    expect(page.get_by_role("status").or_(page.locator(".zsk-messages"))).to_contain_text("ist registriert")
    service = OnlineService.objects.get()
    assert (service.name, service.leistung_id, service.authority) == (
        "Hundesteuer Anmeldung",
        KEY,
        petra.authority,
    )
    assert [region.ars for region in service.area.all()] == [KASSEL]


def test_hits_come_while_typing_and_what_is_chosen_stays(
    page: Page, live_server: LiveServer, petra: User
) -> None:
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    draft = draft_of(petra, area=[])
    log_in(page, live_server, f"{START}/{draft.pk}/gebiet")
    page.get_by_label("Region suchen").press_sequentially("hess")
    page.locator("#treffer-area").get_by_label("Hessen").check()
    page.get_by_label("Region suchen").fill("kass")
    page.locator("#treffer-area").get_by_label("Kassel").check()
    expect(page.locator("#gewaehlt-area").get_by_label("Hessen")).to_be_checked()
    on(page)
    assert RegistrationDraft.objects.get().data["area"] == [HESSEN, KASSEL]
    assert [text for text in refused if "Content Security Policy" in text] == []


@pytest.mark.parametrize(("width", "colours"), VIEWS)
def test_every_page_passes_axe(
    browser: Browser, live_server: LiveServer, petra: User, width: int, colours: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=colours)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    page = context.new_page()
    PortalMemberFactory(user=petra)
    service = ServiceFactory(leistung_id=KEY, name="Hundesteuer Anmeldung digital")
    service.area.set([KASSEL])
    MemberFactory(service=service, user=petra, role=ServiceMember.Role.RESPONSIBLE)
    draft, broken = draft_of(petra), draft_of(petra, name="", area=[], live_from="31.02.2026")
    log_in(page, live_server, START)
    own, steps = f"/meine/onlineservices/{service.number}/", f"{START}/{draft.pk}/"
    addresses = [
        START,
        *(
            f"{steps}{slug}"
            for slug in ("leistung", "beschreibung", "gebiet", "betrieb", "pruefen", "verwerfen")
        ),
    ]
    addresses += [f"{START}/{broken.pk}/{slug}?fehlt=" for slug in ("beschreibung", "gebiet", "betrieb")]
    addresses += [own, *(f"{own}{part}" for part in ("stammdaten", "verlauf", "beenden", "loeschen"))]
    found = {}
    for address in addresses:
        page.goto(live_server.url + address)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found[address] = faults(page)
    context.close()
    assert {address: lines for address, lines in found.items() if lines} == {}
