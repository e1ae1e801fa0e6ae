"""Registering and editing a service with a real browser: without JavaScript, with it, and as axe sees it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from services.models import OnlineService, RegistrationDraft, ServiceMember
from tests.browser.steps import NEW_SERVICE as START
from tests.browser.steps import go_on, log_in, register_service
from tests.browser.test_accessibility import VIEWS, faults
from tests.factories import (
    AuthorityFactory,
    MemberFactory,
    PortalMemberFactory,
    ServiceFactory,
    UserFactory,
)
from tests.services.registering import HESSEN, KASSEL, KEY, catalogue, draft_of

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_service_is_registered(visitor: Page, live_server: LiveServer, petra: User) -> None:
    page = visitor
    log_in(page, live_server.url, "petra", START)
    register_service(page, region="Kassel")
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
    log_in(page, live_server.url, "petra", f"{START}/{draft.pk}/gebiet")
    page.get_by_label("Region suchen").press_sequentially("hess")
    page.locator("#treffer-area").get_by_label("Hessen").check()
    page.get_by_label("Region suchen").fill("kass")
    page.locator("#treffer-area").get_by_label("Kassel").check()
    expect(page.locator("#gewaehlt-area").get_by_label("Hessen")).to_be_checked()
    go_on(page)
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
    log_in(page, live_server.url, "petra", START)
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
