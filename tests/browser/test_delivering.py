"""The clerk's road: a file with three faults, their messages, the mended file, the number in public."""

from pathlib import Path

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from services.models import OnlineService, ReportingLevel
from tests.browser.test_accessibility import faults, log_in
from tests.factories import MemberFactory, ServiceFactory
from tests.transactions.uploading import BAYERN, HESSEN, MONTH, SAARLAND, content, laender

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


FAULTY = [("60000000000", MONTH, 1204), (HESSEN, "13/2026", 1), (SAARLAND, MONTH, "k. A.")]
SCREENS = [
    "/liefern/", "/meine/", "/lieferungen/", "/hilfe/fehler/", "/hilfe/fehler/ars_ebene/", "/liefern/datei",
]  # fmt: skip


@pytest.fixture
def service() -> OnlineService:
    laender()
    return ServiceFactory(name="BAföG Digital", published=True, reporting_level=ReportingLevel.LAND)


def upload(page: Page, file: Path, data: bytes) -> None:
    file.write_bytes(data)
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Datei prüfen").click()


def test_from_three_faults_to_the_published_number(
    page: Page, live_server: LiveServer, service: OnlineService, tmp_path: Path
) -> None:
    MemberFactory(service=service, user=log_in(page, live_server))
    page.goto(f"{live_server.url}/liefern/")
    page.get_by_role("link", name="Datei hochladen").click()
    upload(page, tmp_path / "mai.csv", content(service, (BAYERN, MONTH, "5.000"), *FAULTY))

    assert page.inner_text("h1") == "Ihre Datei hat 3 Fehler"
    said = page.inner_text("main")
    for message in ("fehlt die führende Null", "Diesen Monat gibt es nicht", "Hier steht keine Zahl"):
        assert message in said
    assert faults(page) == []
    page.get_by_role("link", name="anzahl 1").click()
    assert "Hier steht keine Zahl" in page.inner_text("main")
    assert "führende Null:" not in page.inner_text(".zsk-cards")
    with page.expect_download() as download:
        page.get_by_role("link", name="Ihre Datei mit Hinweisen herunterladen").click()
    assert download.value.suggested_filename == "mai-bericht.csv"

    mended = content(service, (BAYERN, MONTH, "5.000"), (HESSEN, MONTH, 1204), (SAARLAND, MONTH, 30))
    upload(page, tmp_path / "mai-neu.csv", mended)
    assert page.inner_text("h1") == "Alles in Ordnung: 3 Zeilen sind bereit"
    assert faults(page) == []
    page.get_by_role("button", name="Lieferung übernehmen").click()
    assert "Übernommen: 3 neu." in page.inner_text("main")
    assert faults(page) == []

    page.get_by_role("link", name="Zahlen von BAföG Digital ansehen").click()
    assert "6.234" in page.inner_text("main")
    page.context.clear_cookies()
    page.goto(live_server.url)
    assert "6.234" in page.inner_text("h1")
    assert "BAföG Digital" in page.inner_text("main")


@pytest.mark.parametrize(("width", "colours"), [(1280, "light"), (320, "dark")])
def test_the_screens_of_delivering_are_accessible(
    page: Page, live_server: LiveServer, service: OnlineService, tmp_path: Path, width: int, colours: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    MemberFactory(service=service, user=log_in(page, live_server))
    found = {}
    for address in SCREENS:
        page.goto(live_server.url + address)
        found[address] = faults(page)
    upload(page, tmp_path / "leer.csv", b"nur;text\n1;2\n")
    found["unreadable"] = faults(page)
    upload(page, tmp_path / "gut.csv", content(service, (HESSEN, MONTH, 4)))
    page.get_by_role("button", name="Lieferung übernehmen").click()
    page.get_by_role("link", name="Lieferung rückgängig machen").click()
    found["undo"] = faults(page)
    page.get_by_role("button", name="Lieferung rückgängig machen").click()
    assert "Rückgängig gemacht: 1 Wert gelöscht." in page.inner_text("main")
    found["undone"] = faults(page)
    assert {address: lines for address, lines in found.items() if lines} == {}
