"""What people do on their way in, step by step, for tests that walk it in a browser."""

import json
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from playwright.sync_api import Page, expect

from tests.factories import PASSWORD

NEW_SERVICE = "/meine/onlineservices/neu"


def log_in(page: Page, site: str, username: str, target: str) -> None:
    """With a local account of the factories; until the page is there with its script."""
    page.goto(f"{site}/anmelden/?next={target}")
    page.fill("#id_login", username)
    page.fill("#id_password", PASSWORD)
    with page.expect_navigation():
        page.click("main button[type=submit]")


# --- Access -------------------------------------------------------------------------------------------


def follow_mail(page: Page, site: str, part: str) -> None:
    """Open the newest link of this kind in the demo's mailbox."""
    page.goto(f"{site}/demo/post/")
    page.locator(f"main a[href*='{part}']").first.click()


def fill_request(page: Page, **changed: str) -> None:
    values = {
        "first_name": "Anna", "last_name": "Antrag", "email": "anna@kappeln.example",
        "authority": "Hafenamt", "purpose": "Ich liefere die Zahlen der Hundesteuer.", **changed,
    }  # fmt: skip
    for name, value in values.items():
        page.fill(f"#id_{name}", value)
    page.check("#id_privacy")


def ask_for_access(page: Page, site: str, *, region: str, **changed: str) -> str:
    """From the start page to a confirmed request for a new authority; the address of where it stands."""
    page.goto(f"{site}/")
    page.locator("footer").get_by_role("link", name="Zugang beantragen").click()
    page.locator("main").get_by_role("link", name="Zugang beantragen").click()
    fill_request(page, **changed)
    page.get_by_role("button", name="Antrag absenden").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.select_option("#id_level", "kommune")
    page.fill("#id_region", region)
    page.get_by_role("button", name="Antrag absenden").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sehen Sie in Ihr Postfach")
    follow_mail(page, site, "/landing/bestaetigen/")
    page.get_by_role("button", name="Das ist mein Antrag").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Wir prüfen Ihren Antrag")
    return page.url


def approve(desk: Page, *, name: str, email: str) -> None:
    """Operations, signed in and on their start page, approve the request, the authority as a new one."""
    desk.get_by_role("link", name="Anträge prüfen").click()
    desk.get_by_role("link", name=name).click()
    desk.get_by_role("link", name="Bewilligen").click()
    desk.get_by_role("button", name="Bewilligen und einladen").click()
    expect(desk.locator("main")).to_contain_text(f"Die Einladung ging an {email}")


def open_invitation(page: Page, site: str, status: str) -> None:
    """The applicant sees that the request is granted, and follows the link of the mail."""
    page.goto(status)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ihr Antrag ist bewilligt")
    follow_mail(page, site, "/einladung/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Willkommen bei der ZSK")


def create_account(page: Page) -> None:
    """A local one, on the page of the invitation."""
    page.fill("#id_password1", "vier lange worte hier")
    page.fill("#id_password2", "vier lange worte hier")
    page.get_by_role("button", name="Konto anlegen und annehmen").click()
    page.wait_for_url("**/meine/")
    expect(page.locator("main")).to_contain_text("Willkommen bei der ZSK")


# --- A service and its key ----------------------------------------------------------------------------


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Speichern und weiter").click()


def register_service(page: Page, *, region: str) -> None:
    """What `tests.services.registering.catalogue` has: from the question where it comes from to its page."""
    page.get_by_label("selbst entwickelt").check()
    page.get_by_role("button", name="Weiter").click()
    page.get_by_label("Leistung suchen", exact=True).fill("hundest")
    page.keyboard.press("Enter")
    page.get_by_label("Hundesteuer Anmeldung").check()
    go_on(page)
    page.get_by_role("button", name="Hundesteuer Anmeldung").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Hundesteuer Anmeldung")
    page.get_by_label("Funktionspostfach").fill("hund@amt.de")
    go_on(page)
    page.get_by_label("Region suchen").fill(region)
    page.keyboard.press("Enter")
    page.locator("#treffer-area").get_by_label(region).check()
    page.get_by_label("Kreis: eine Zahl").check()
    go_on(page)
    page.get_by_label("In Betrieb seit").fill("1.5.2026")
    go_on(page)
    page.get_by_role("button", name="Onlineservice registrieren").click()
    expect(page.locator(".zsk-messages")).to_contain_text("ist registriert")


def make_key(page: Page) -> str:
    """From a service's own page; the command that the page of the new key shows."""
    page.get_by_role("link", name="Schlüssel anlegen").click()
    page.fill("#id_name", "Verfahren")
    page.get_by_role("button", name="Schlüssel anlegen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ihr neuer Schlüssel")
    return page.inner_text("pre")


def register_and_try_a_key(page: Page, *, region: str) -> None:
    """From the page of somebody who may deliver for nothing yet, to a dry run that is accepted."""
    page.get_by_role("link", name="Onlineservice registrieren").first.click()
    register_service(page, region=region)
    answer = typed(make_key(page))
    assert (answer["status"], answer["neu"]) == ("probelauf", 1), answer


def typed(command: str) -> Any:
    """The body of the answer to a command that is pasted into a shell; without curl, to what it asks for."""
    if not shutil.which("curl"):
        return run(command).body
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


class Answer(NamedTuple):
    status: int
    kind: str
    body: Any


def run(command: str) -> Answer:
    """What the command line of curl asks for, over HTTP."""
    words = shlex.split(command.replace("\\\n", " "))
    assert words[0] == "curl"
    headers, data, url = {}, None, ""
    for word, following in zip(words[1:], [*words[2:], ""], strict=True):
        if word in {"--header", "-H"}:
            name, _colon, value = following.partition(": ")
            headers[name] = value
        elif word in {"--data", "-d"}:
            data = following.encode()
        elif word.startswith("http"):
            url = word
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request) as response:
            return _answer(response)
    except urllib.error.HTTPError as error:
        return _answer(error)


def _answer(response: Any) -> Answer:
    return Answer(response.status, response.headers["Content-Type"], json.load(response))
