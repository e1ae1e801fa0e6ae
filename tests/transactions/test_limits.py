"""How many requests a sender has in a minute, and what becomes of the rest."""

import re
import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from redis import Redis

from tests.factories import ServiceFactory, api_key
from zsk import limits

pytestmark = pytest.mark.django_db
URL = "/api/v1/lieferungen"


@pytest.fixture(autouse=True)
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """None begins between two requests of a test."""
    at = float(int(time.time() // 60) * 60 + 18)
    monkeypatch.setattr(limits.time, "time", lambda: at)


def ask(key: str) -> Any:
    return Client().get(URL, headers={"Authorization": f"Bearer {key}"})


def test_a_key_has_so_many_requests_in_a_minute(settings: LazySettings) -> None:
    settings.REQUESTS_PER_KEY = 2
    _credential, key = api_key(ServiceFactory())
    first, second, third = (ask(key) for _number in range(3))
    assert (first.status_code, first["RateLimit"]) == (200, '"schluessel";r=1;t=42')
    assert first["RateLimit-Policy"] == '"schluessel";q=2;w=60'
    assert (second.status_code, second["RateLimit"]) == (200, '"schluessel";r=0;t=42')
    assert (third.status_code, third["RateLimit"]) == (429, '"schluessel";r=0;t=42')
    assert third["Retry-After"] == "42"
    assert third["Content-Type"] == "application/problem+json"
    assert third.json()["type"].endswith("/hilfe/fehler/zu_viele_anfragen/")


def test_each_key_is_counted_for_itself(settings: LazySettings) -> None:
    settings.REQUESTS_PER_KEY = 1
    service = ServiceFactory()
    keys = [api_key(service)[1] for _number in range(2)]
    assert [ask(key).status_code for key in [*keys, *keys]] == [200, 200, 429, 429]


def test_the_next_minute_is_a_new_one(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REQUESTS_PER_KEY = 1
    _credential, key = api_key(ServiceFactory())
    assert [ask(key).status_code for _number in range(2)] == [200, 429]
    later = limits.time.time() + 60
    monkeypatch.setattr(limits.time, "time", lambda: later)
    assert ask(key).status_code == 200


def test_counts_do_not_stay_in_redis() -> None:
    _credential, key = api_key(ServiceFactory())
    ask(key)
    client = cache._cache.get_client(None)
    (name,) = client.keys("*limit:*")
    assert 0 < client.ttl(name) <= 65


def test_without_a_limit_nothing_is_counted(settings: LazySettings) -> None:
    settings.REQUESTS_PER_KEY = 0
    _credential, key = api_key(ServiceFactory())
    answer = ask(key)
    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers


def test_while_redis_is_away_everybody_comes_in(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REQUESTS_PER_KEY = 1
    _credential, key = api_key(ServiceFactory())
    ask(key)
    _point_elsewhere(settings)
    answers = [ask(key) for _number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit" not in answers[0].headers


def _point_elsewhere(settings: LazySettings) -> None:
    """A cache that nobody answers for."""
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1"}
    settings.CACHES = {"default": away}


def test_one_trip_to_redis_for_all_but_the_first_of_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    trips: list[str] = []
    real = Redis.execute_command

    def execute(self: Redis, command: str, *args: Any, **options: Any) -> Any:
        trips.append(command)
        return real(self, command, *args, **options)

    monkeypatch.setattr(Redis, "execute_command", execute)
    _credential, key = api_key(ServiceFactory())
    assert re.fullmatch(r'"schluessel";r=1199;t=42', ask(key)["RateLimit"])
    assert re.fullmatch(r'"schluessel";r=1198;t=42', ask(key)["RateLimit"])
    assert trips == ["INCRBY", "EXPIRE", "INCRBY"]
