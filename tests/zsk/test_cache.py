"""The cache while Redis is there, away, and silent."""

import socket
import time
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.core.cache import cache, caches


def test_it_keeps_what_it_is_given() -> None:
    assert cache.add("name", 1)
    assert not cache.add("name", 2)
    assert cache.get("name") == 1
    cache.set("name", None)
    assert cache.get("name", "nothing") is None
    assert cache.delete("name")
    assert caches["default"].answers()


@pytest.fixture
def silence() -> Iterator[int]:
    """The port of something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def use(settings: LazySettings, port: int) -> None:
    location = f"redis://127.0.0.1:{port}/1"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}


def check_absence() -> None:
    assert cache.get("name", "nothing") == "nothing"
    assert cache.add("name", 1)
    cache.set("name", 1)
    assert not cache.delete("name")
    assert not caches["default"].answers()


def test_while_redis_is_away_nothing_is_found_and_nobody_is_kept_out(settings: LazySettings) -> None:
    use(settings, 1)
    started = time.monotonic()
    check_absence()
    assert time.monotonic() - started < 1


def test_a_silent_redis_is_not_waited_for_long(settings: LazySettings, silence: int) -> None:
    use(settings, silence)
    started = time.monotonic()
    check_absence()
    # Twice: by the first question, and by that of the readiness, which asks whatever was before.
    assert time.monotonic() - started < 3


def test_it_is_asked_again_after_a_while(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches["default"], "_silent_until", time.monotonic() + 0.2)
    cache.set("name", 1)
    assert cache.get("name") is None
    time.sleep(0.25)
    cache.set("name", 1)
    assert cache.get("name") == 1
