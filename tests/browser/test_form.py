"""The form in a browser: typing, keys, pasting over fields, without JavaScript, and an ended session."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from services.models import OnlineService, ReportingLevel
from tests.browser.test_accessibility import faults, log_in
from tests.factories import PASSWORD, MemberFactory, ServiceFactory
from tests.transactions.uploading import BAYERN, HESSEN, LAST, SAARLAND, laender
from transactions.models import TransactionCount
from zsk import formats, months

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RUNNING = months.running()


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory(name="BAföG Digital", published=True, reporting_level=ReportingLevel.LAND)


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A browser without JavaScript, on a phone."""
    context = browser.new_context(
        locale="de-DE", viewport={"width": 360, "height": 800}, java_script_enabled=False
    )
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def cell(ars: str, month: object = LAST) -> str:
    return f"#z-{ars}-{month:%Y-%m}"


def open_form(page: Page, server: LiveServer, service: OnlineService) -> None:
    MemberFactory(service=service, user=log_in(page, server))
    page.goto(f"{server.url}/liefern/")
    page.get_by_role("link", name="Formular öffnen").click()
    # The whole page: styles that are measured, and the script that the fields listen to.
    with page.expect_navigation():
        page.get_by_role("link", name="BAföG Digital").click()


def check(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Eingaben prüfen").click()


def paste(page: Page, field: str, text: str) -> None:
    """Ctrl+V as the browser tells the page of it."""
    page.eval_on_selector(
        field,
        """(field, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            field.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        text,
    )


def test_from_typing_to_the_published_number(
    page: Page, live_server: LiveServer, service: OnlineService
) -> None:
    open_form(page, live_server, service)
    assert page.inner_text("#grid-stand") == "noch nichts geändert"
    assert faults(page) == []
    page.fill(cell(HESSEN), "k. A.")
    page.press(cell(HESSEN), "Enter")
    page.keyboard.type("12")
    page.keyboard.press("ArrowRight")
    page.keyboard.type("13")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("14")
    page.keyboard.press("Shift+Enter")
    assert page.evaluate("document.activeElement.id") == cell(BAYERN, RUNNING)[1:]
    assert page.inner_text("#grid-stand") == "4 Felder geändert"
    assert page.input_value(cell(BAYERN)) == "12"
    check(page)
    assert faults(page) == []
    page.get_by_role("link", name="Hier steht keine Zahl").click()
    assert page.evaluate("document.activeElement.id") == cell(HESSEN)[1:]
    page.fill(cell(HESSEN), "1.204")
    check(page)
    assert page.inner_text("h1") == "Alles in Ordnung: 4 Werte sind bereit"
    assert faults(page) == []
    page.get_by_role("link", name="Zurück zum Formular").click()
    assert page.input_value(cell(HESSEN)) == "1.204"
    check(page)
    page.get_by_role("button", name="Lieferung übernehmen").click()
    assert "Übernommen: 4 neu." in page.inner_text("main")
    assert "Formular" in page.inner_text("main")
    assert faults(page) == []
    assert TransactionCount.objects.get(ars=HESSEN).count == 1204


def test_a_pasted_block_spreads_over_the_fields(
    page: Page, live_server: LiveServer, service: OnlineService
) -> None:
    open_form(page, live_server, service)
    paste(page, cell(BAYERN), "1.000\t2\r\n\t4\r\n")
    ids = [cell(BAYERN), cell(BAYERN, RUNNING), cell(SAARLAND), cell(SAARLAND, RUNNING)]
    assert [page.input_value(field) for field in ids] == ["1.000", "2", "", "4"]
    assert page.inner_text("#grid-stand") == "3 Felder geändert"
    paste(page, cell(SAARLAND), "7\n8\n")
    assert page.input_value(cell(SAARLAND)) == ""
    assert "passen von hier aus nicht" in page.inner_text("#grid-stand")
    # With regions and months it goes the way of the text field.
    paste(page, cell(HESSEN), "Region\tMai 2025\nSaarland\t77\n")
    page.get_by_text("1 Zahl ist eingefügt.").wait_for()
    assert page.input_value(f"#z-{SAARLAND}-2025-05") == "77"
    assert page.input_value(cell(BAYERN)) == "1.000"
    assert faults(page) == []


def focused(page: Page) -> str:
    said: str = page.evaluate("(e => e.id || e.name || e.className)(document.activeElement)")
    return said


def test_a_value_is_replaced_and_keys_lead_through_to_the_fault(
    page: Page, live_server: LiveServer, service: OnlineService
) -> None:
    open_form(page, live_server, service)
    for field in (cell(HESSEN), cell(BAYERN)):
        page.fill(field, "951")
    page.click(cell(HESSEN))
    page.keyboard.type("12")
    assert page.input_value(cell(HESSEN)) == "12"
    # The second click is one into the number.
    page.click(cell(BAYERN))
    page.click(cell(BAYERN))
    page.keyboard.press("End")
    page.keyboard.type("0")
    assert page.input_value(cell(BAYERN)) == "9510"
    page.focus(cell(SAARLAND))
    page.keyboard.type("k. A.")
    page.keyboard.press("Enter")
    assert focused(page) == "pruefen"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "kern-alert--danger" in focused(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert focused(page) == cell(SAARLAND)[1:]


def test_without_javascript_on_a_phone(plain: Page, live_server: LiveServer, service: OnlineService) -> None:
    open_form(plain, live_server, service)
    plain.fill("#id_tabelle", "Hessen\t5\nSaarland\t0\n")
    plain.get_by_role("button", name="In das Formular einfügen").click()
    assert plain.input_value(cell(SAARLAND)) == "0"
    plain.fill(cell(BAYERN), "9")
    plain.fill("#id_suche_area", "Hess")
    plain.get_by_role("button", name="Suchen", exact=True).click()
    assert plain.input_value(cell(BAYERN)) == "9"
    # Enter checks, though other buttons come first.
    plain.fill("#id_suche_area", "")
    plain.press(cell(BAYERN), "Enter")
    assert plain.inner_text("h1") == "Alles in Ordnung: 3 Werte sind bereit"
    plain.get_by_role("button", name="Lieferung übernehmen").click()
    assert sorted(TransactionCount.objects.values_list("count", flat=True)) == [0, 5, 9]


def test_after_an_ended_session_what_was_typed_is_still_there(
    page: Page, live_server: LiveServer, service: OnlineService
) -> None:
    open_form(page, live_server, service)
    page.fill(cell(HESSEN), "55")
    page.context.clear_cookies(name="sessionid")
    check(page)
    page.fill("#id_login", "petra")
    page.fill("#id_password", PASSWORD)
    page.click("main button[type=submit]")
    page.get_by_role("button", name="Weiter: jetzt absenden").click()
    assert page.inner_text("h1") == "Alles in Ordnung: 1 Wert ist bereit"
    assert f"Lieferung für {formats.month(LAST)}" in page.inner_text("main")


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (320, "dark")])
def test_the_form_is_accessible(
    page: Page, live_server: LiveServer, service: OnlineService, width: int, colours: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=colours)
    MemberFactory(service=service, user=log_in(page, live_server))
    found = {}
    page.goto(f"{live_server.url}/liefern/formular")
    found["choice"] = faults(page)
    page.goto(f"{live_server.url}/liefern/formular?service={service.number}")
    found["form"] = faults(page)
    page.select_option("#id_von", "2025-11")
    page.get_by_role("button", name="Zeitraum zeigen").click()
    page.fill(cell(HESSEN), "x")
    page.fill("#id_tabelle", "Hesssen\t5")
    check(page)
    found["block at fault"] = faults(page)
    page.fill("#id_tabelle", "")
    check(page)
    found["fields at fault"] = faults(page)
    page.fill(cell(HESSEN), "5")
    check(page)
    page.get_by_role("link", name="Eingaben verwerfen").click()
    found["discard"] = faults(page)
    assert {address: lines for address, lines in found.items() if lines} == {}
