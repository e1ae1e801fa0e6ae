"""What every test may use: the browser, and an empty cache."""

import os
import shutil
from pathlib import Path

import pytest
from django.core.cache import cache

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """A Chromium or Chrome that is there; `CHROME_PATH` goes first."""
    named = os.environ.get("CHROME_PATH")
    if named and Path(named).exists():
        return named
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes several seconds; left out by `-m 'not slow'`")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    missed = config.stash.get(MISSED_BROWSER_TESTS, 0)
    if missed:
        terminalreporter.write_sep("!", "Browsertests nicht gelaufen", red=True, bold=True)
        terminalreporter.write_line(f"{missed} Tests brauchen Chromium oder Chrome; {INSTALL_HINT}", red=True)


INSTALL_HINT = "als root: make chromium, sonst den Browser installieren oder CHROME_PATH setzen."
MISSED_BROWSER_TESTS = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything under tests/browser needs a browser. Without one it is skipped loudly; in CI it fails."""
    folder = Path(__file__).parent / "browser"
    browser_tests = [item for item in items if folder in item.path.parents]
    for item in browser_tests:
        item.add_marker(pytest.mark.browser)
    if find_browser() or os.environ.get("CI") == "true":
        return
    config.stash[MISSED_BROWSER_TESTS] = len(browser_tests)
    for item in browser_tests:
        item.add_marker(pytest.mark.skip(reason="kein Chromium oder Chrome gefunden"))
