"""What every test may use: the browser, and an empty cache."""

import os
from pathlib import Path

import pytest
from django.core.cache import cache, caches

# One browser for the whole run: playwright refuses to be started twice.
from tests.browsing import INSTALL_HINT, browser, context, find_browser, page

__all__ = ["browser", "context", "page"]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    # Ends the pause that the cache takes after a test in which Redis was away.
    caches["default"].answers()
    cache.clear()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes several seconds; left out by `-m 'not slow'`")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    missed = config.stash.get(MISSED_BROWSER_TESTS, 0)
    if missed:
        terminalreporter.write_sep("!", "Browsertests nicht gelaufen", red=True, bold=True)
        terminalreporter.write_line(f"{missed} Tests brauchen Chromium oder Chrome; {INSTALL_HINT}", red=True)


MISSED_BROWSER_TESTS = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything in these folders needs a browser. Without one it is skipped loudly; in CI it fails."""
    folders = {Path(__file__).parent / name for name in ("browser", "keycloak")}
    browser_tests = [item for item in items if not folders.isdisjoint(item.path.parents)]
    for item in browser_tests:
        item.add_marker(pytest.mark.browser)
    if find_browser() or os.environ.get("CI") == "true":
        return
    config.stash[MISSED_BROWSER_TESTS] = len(browser_tests)
    for item in browser_tests:
        item.add_marker(pytest.mark.skip(reason="kein Chromium oder Chrome gefunden"))
