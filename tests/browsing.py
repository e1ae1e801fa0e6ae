"""A real Chromium for every test that wants one; playwright's own download is never used."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
INSTALL_HINT = "als root: make chromium, sonst den Browser installieren oder CHROME_PATH setzen."


def find_browser() -> str | None:
    """A Chromium or Chrome that is there; `CHROME_PATH` goes first."""
    named = os.environ.get("CHROME_PATH")
    if named and Path(named).exists():
        return named
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        pytest.fail(f"Kein Chromium oder Chrome gefunden; {INSTALL_HINT}")
    # The synchronous playwright runs an event loop, in which Django refuses its database by default.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    # Chromium's sandbox does not work as root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    fresh = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 900})
    fresh.set_default_timeout(10_000)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A fresh page; use it with pytest-django's `live_server`: `page.goto(live_server.url + "/")`."""
    return context.new_page()
