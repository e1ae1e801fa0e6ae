"""Error pages, through real addresses, as the public and signed-in people meet them."""

import sys
from types import ModuleType

import pytest
from django.conf import LazySettings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from tests.factories import UserFactory
from zsk import urls


def refuse(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("Für diesen Onlineservice dürfen Sie nicht liefern.")


def suspect(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("etwas Seltsames")


def break_down(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("geheime Einzelheit")


def accept(request: HttpRequest) -> HttpResponse:
    return HttpResponse("angenommen")


@pytest.fixture(autouse=True)
def faulty_addresses(settings: LazySettings) -> None:
    """The real addresses and handlers, and some that fail."""
    module = ModuleType("tests.zsk.faulty_urls")
    faulty = {"verboten": refuse, "seltsam": suspect, "kaputt": break_down, "formular": accept}
    vars(module).update({name: value for name, value in vars(urls).items() if name.startswith("handler")})
    vars(module)["urlpatterns"] = [*(path(name, view) for name, view in faulty.items()), *urls.urlpatterns]
    sys.modules[module.__name__] = module
    settings.ROOT_URLCONF = module.__name__
    settings.DEBUG = False


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def page(client: Client, address: str, status: int) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    text = answer.content.decode()
    assert 'class="zsk-brand"' in text
    assert "Was Sie tun können" in text
    return text


def test_unknown_address_offers_the_way_on(client: Client) -> None:
    text = page(client, "/gibt/es/nicht?a=1&b=2", 404)
    assert "Diese Seite gibt es nicht" in text
    assert "/anmelden/?next=%2Fgibt%2Fes%2Fnicht%3Fa%3D1%26b%3D2" in text
    assert not client.cookies


def test_refusal_names_the_reason(client: Client) -> None:
    text = page(client, "/verboten", 403)
    assert "Für diesen Onlineservice dürfen Sie nicht liefern." in text
    assert "/anmelden/" in text


@pytest.mark.django_db
def test_signed_in_people_keep_their_navigation(client: Client) -> None:
    client.force_login(UserFactory(first_name="Petra", last_name="Lindner"))
    assert "Sie sind Petra Lindner" in page(client, "/verboten", 403)
    text = page(client, "/gibt-es-nicht", 404)
    assert "/meine/" in text
    assert "/anmelden/?next" not in text


def test_suspicious_request_is_not_readable(client: Client) -> None:
    text = page(client, "/seltsam", 400)
    assert "Die Anfrage ist nicht lesbar" in text
    assert "Seltsames" not in text


def test_unknown_host_is_not_readable(client: Client, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["zsk.example.org"]
    answer = client.get("/hilfe/", headers={"host": "boese.example"})
    assert answer.status_code == 400
    assert "Die Anfrage ist nicht lesbar" in answer.content.decode()


def test_breakdown_needs_no_database_and_tells_no_secrets(client: Client) -> None:
    """Even a session cookie does not lead to the database, which this test may not use."""
    client.cookies["sessionid"] = "x" * 32
    text = page(client, "/kaputt", 500)
    assert "Das liegt nicht an Ihnen" in text
    assert "geheime Einzelheit" not in text
    assert "zsk-env" in text


def test_form_without_its_token_says_what_to_do() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/formular")
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "Das Formular ist abgelaufen" in text
    assert 'href="/formular"' in text
