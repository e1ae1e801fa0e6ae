"""Pages of keys: who may, that a key is shown once and works, rotation, revoking, clients of Keycloak."""

import datetime as dt
import json
import logging
import re
import shlex

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from portals.models import Portal
from services.models import Credential, OnlineService, ReportingLevel
from tests.accounts.fake_keycloak import PROVIDER
from tests.factories import (
    PortalFactory,
    PortalMemberFactory,
    RegionFactory,
    ServiceFactory,
    api_key,
    germany,
    kreis,
    land,
    personas,
)

pytestmark = pytest.mark.django_db
KEY = re.compile(r"zsk_[a-z0-9]{16}_[A-Za-z0-9_-]{43}")


@pytest.fixture
def service() -> OnlineService:
    germany()
    made: OnlineService = ServiceFactory(reporting_level=ReportingLevel.LAND)
    made.area.add(land())
    return made


@pytest.fixture
def owner(client: Client, service: OnlineService) -> User:
    found = personas(service).owner
    client.force_login(found)
    return found


def page(service: OnlineService) -> str:
    return f"/meine/onlineservices/{service.number}/schluessel"


def form(**changes: str) -> dict[str, str]:
    until = timezone.localdate() + dt.timedelta(days=365)
    return {"name": "Produktion", "until": until.isoformat(), "seen": "", **changes}


def test_suppliers_see_no_keys_and_make_none(client: Client, service: OnlineService) -> None:
    client.force_login(personas(service).colleague)
    assert client.get(page(service)).status_code == 403
    assert client.post(page(service), form()).status_code == 403
    assert not Credential.objects.exists()


def test_a_key_is_shown_once_and_nowhere_else(
    client: Client, service: OnlineService, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = client.post(page(service), form())
    key = KEY.search(answer.content.decode())
    assert answer.status_code == 200
    assert key
    assert "no-store" in answer.headers["Cache-Control"]
    assert key[0] not in caplog.text
    assert key[0] not in json.dumps(dict(client.session.items()))
    assert key[0] not in client.get(page(service)).content.decode()
    assert not AuditEntry.objects.filter(detail__contains=key[0]).exists()
    stored = Credential.objects.get()
    assert (stored.name, stored.created_by) == ("Produktion", owner)
    assert timezone.localtime(stored.expires_at).date() == timezone.localdate() + dt.timedelta(days=365)


def _send(client: Client, command: str) -> object:
    """What the shell would make of the command."""
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:3] == ["curl", "-X", "POST"]
    headers = dict(words[index + 1].split(": ", 1) for index, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1]
    path = words[3].replace("http://testserver", "")
    return Client().post(path, body, content_type=headers.pop("Content-Type"), headers=headers)


def _command(answer: object) -> str:
    return str(answer.context["command"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("level", ReportingLevel.values)
@pytest.mark.parametrize("area", ["060000000000", "064350000000", ""])
def test_the_curl_line_works(
    client: Client, service: OnlineService, owner: User, level: str, area: str
) -> None:
    """Whatever the service reports, and wherever."""
    OnlineService.objects.update(reporting_level=level)
    RegionFactory(ars="064350014014")
    kreis()
    service.area.set([area] if area else [])
    answer = _send(client, _command(client.post(page(service), form())))
    assert (answer.status_code, answer.json()["status"]) == (200, "probelauf")  # type: ignore[attr-defined]


def test_a_portals_curl_line_works(client: Client, service: OnlineService) -> None:
    portal = PortalFactory(kuerzel="nord")
    client.force_login(PortalMemberFactory(portal=portal).user)
    answer = client.post("/meine/portale/nord/schluessel", form())
    assert "api/v1/lieferungen" in _command(answer)
    ServiceFactory(portal=portal, reporting_level=ReportingLevel.LAND).area.add(land())
    again = client.post("/meine/portale/nord/schluessel", form(seen=str(Credential.objects.get().pk)))
    assert _send(client, _command(again)).status_code == 200  # type: ignore[attr-defined]


def test_a_form_sent_twice_makes_one_key(client: Client, service: OnlineService, owner: User) -> None:
    client.post(page(service), form())
    answer = client.post(page(service), form())
    assert answer.status_code == 422
    assert "Inzwischen wurde hier ein Schlüssel angelegt" in answer.content.decode()
    assert Credential.objects.count() == 1


def test_two_may_overlap_and_no_third(client: Client, service: OnlineService, owner: User) -> None:
    newest = [api_key(service)[0] for _number in range(2)][-1]
    assert "Zwei gültige Schlüssel sind das Höchste" in client.get(page(service)).content.decode()
    answer = client.post(page(service), form(seen=str(newest.pk)))
    assert answer.status_code == 422
    assert "schon zwei gültige Schlüssel" in answer.content.decode()
    assert Credential.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "Geben Sie dem Schlüssel einen Namen."),
        ({"until": "2020-01-01"}, "Dieser Tag ist schon vorbei."),
        ({"until": "2999-01-01"}, "höchstens 3 Jahre"),
        ({"until": "bald"}, "Schreiben Sie das Datum wie 31.12.2027."),
    ],
)
def test_a_faulty_form_comes_back(
    client: Client, service: OnlineService, owner: User, changes: dict[str, str], message: str
) -> None:
    answer = client.post(page(service), form(**changes))
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not Credential.objects.exists()


def test_revoking_asks_and_then_ends_it(client: Client, service: OnlineService, owner: User) -> None:
    credential, key = api_key(service)
    address = f"{page(service)}/{credential.pk}/widerrufen"
    assert "sofort nicht mehr liefern" in client.get(address).content.decode()
    credential.refresh_from_db()
    assert credential.revoked_at is None
    client.post(address)
    credential.refresh_from_db()
    assert credential.revoked_at
    answer = Client().get("/api/v1/lieferungen", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403


def test_keys_of_others_are_not_there(client: Client, service: OnlineService, owner: User) -> None:
    foreign, _key = api_key(ServiceFactory())
    assert client.post(f"{page(service)}/{foreign.pk}/widerrufen").status_code == 404
    foreign.refresh_from_db()
    assert foreign.revoked_at is None


# --- Clients of Keycloak -----------------------------------------------------------------------------


@pytest.fixture
def keycloak(settings: LazySettings) -> None:
    settings.OIDC_PROVIDER, settings.OIDC_ISSUER = PROVIDER, PROVIDER.issuer


def test_a_client_is_entered_without_a_secret(
    client: Client, service: OnlineService, owner: User, keycloak: None
) -> None:
    client.post(f"{page(service)}/keycloak", {"name": "Produktion", "client_id": "fachverfahren"})
    made = Credential.objects.get()
    assert (made.kind, made.public_id, made.hash) == (Credential.Kind.OIDC_CLIENT, "fachverfahren", "")
    assert AuditEntry.objects.filter(action="Keycloak-Client eingetragen").exists()


def test_a_client_stands_for_one_only(
    client: Client, service: OnlineService, owner: User, keycloak: None
) -> None:
    portal: Portal = PortalFactory()
    Credential.objects.create(
        portal=portal, kind=Credential.Kind.OIDC_CLIENT, name="x", public_id="fachverfahren"
    )
    answer = client.post(f"{page(service)}/keycloak", {"name": "y", "client_id": "fachverfahren"})
    assert answer.status_code == 422
    assert "Diese Client-ID ist schon eingetragen" in answer.content.decode()
    assert str(portal) not in answer.content.decode()
    answer = client.post(f"{page(service)}/keycloak", {"name": "y", "client_id": "mit leer"})
    assert "Eine Client-ID besteht aus" in answer.content.decode()


def test_the_page_tells_how_to_get_a_token(
    client: Client, service: OnlineService, owner: User, keycloak: None
) -> None:
    shown = client.get(f"{page(service)}/keycloak").content.decode()
    assert PROVIDER.public_token_endpoint in shown
    assert PROVIDER.api_audience in shown
    assert "Bearer $TOKEN" in shown
    client.post(f"{page(service)}/keycloak", {"name": "Produktion", "client_id": "fachverfahren"})
    assert "/schluessel/keycloak#token" in client.get(page(service)).content.decode()
