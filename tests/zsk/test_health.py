"""Liveness answers as long as the process does; readiness only while its servers do."""

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client

from zsk import health


def test_live_needs_no_database(client: Client) -> None:
    response = client.get("/health/live")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready_while_both_servers_answer(client: Client) -> None:
    response = client.get("/health/ready")
    assert response.status_code == 200
    assert response.json() == {"datenbank": "ok", "zwischenspeicher": "ok"}


def test_not_ready_without_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down:
        def cursor(self) -> None:
            raise OperationalError("secret address")

    monkeypatch.setattr(health, "connection", Down())
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["datenbank"] == "nicht erreichbar"
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
def test_not_ready_without_cache(client: Client, settings: LazySettings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/1"}}
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"datenbank": "ok", "zwischenspeicher": "nicht erreichbar"}
