"""A program's token from a real Keycloak: what it may, and that nobody else's token is one."""

import json
import os
import subprocess
from typing import Any

import pytest
import requests
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from services.credentials import register_client, revoke_credential
from services.key_example import command, token_command
from services.models import Credential, ReportingLevel
from tests.factories import ServiceFactory, land
from tests.keycloak.conftest import PASSWORD, PETRA, Admin
from zsk.keycloak import Server
from zsk.oidc import Provider

pytestmark = pytest.mark.django_db
URL = "/api/v1/lieferungen"


@pytest.fixture
def credential(provider: Provider) -> Credential:
    return register_client(service=ServiceFactory(), name="Verfahren", client_id="zsk-lieferant", by=None)


def token(provider: Provider, server: Server, **values: str) -> str:
    """As the page for clients tells to get it."""
    answer = requests.post(
        provider.public_token_endpoint,
        data={
            "grant_type": "client_credentials",
            "client_id": "zsk-lieferant",
            "client_secret": server.setup.supplier_secret,
            **values,
        },
        timeout=20,
    )
    return str(answer.json()["access_token"])


def ask(text: str) -> Any:
    return Client().get(URL, headers={"Authorization": f"Bearer {text}"})


def test_a_clients_token_opens_its_service(
    provider: Provider, server: Server, credential: Credential
) -> None:
    assert ask(token(provider, server)).status_code == 200
    credential.refresh_from_db()
    assert credential.last_used_at is not None
    revoke_credential(credential=credential, by=None)
    assert ask(token(provider, server)).status_code == 403


def test_new_keys_of_the_realm_are_learnt(
    provider: Provider, server: Server, credential: Credential, admin: Admin
) -> None:
    old = token(provider, server)
    assert ask(old).status_code == 200
    realm = admin.call("get", "")
    component = {
        "name": "rsa-neu", "providerId": "rsa-generated", "parentId": realm["id"],
        "providerType": "org.keycloak.keys.KeyProvider",
        "config": {"priority": ["200"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"]},
    }  # fmt: skip
    admin.call("post", "/components", json=component)
    assert ask(token(provider, server)).status_code == 200
    # What was signed before still holds.
    assert ask(old).status_code == 200


def test_a_persons_token_of_the_same_client_delivers_nothing(
    provider: Provider, server: Server, credential: Credential, admin: Admin
) -> None:
    (client,) = admin.call("get", "/clients?clientId=zsk-lieferant")
    admin.call("put", f"/clients/{client['id']}", json={**client, "directAccessGrantsEnabled": True})
    person = {"grant_type": "password", "username": PETRA.username, "password": PASSWORD}
    answer = ask(token(provider, server, **person))
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("/token_ungueltig/")


def test_a_client_without_the_audience_is_told_so(
    provider: Provider, server: Server, credential: Credential, admin: Admin
) -> None:
    made = {"clientId": "fremd", "secret": "geheim-geheim", "serviceAccountsEnabled": True}
    admin.call("post", "/clients", json={**made, "publicClient": False, "standardFlowEnabled": False})
    answer = ask(token(provider, server, client_id="fremd", client_secret="geheim-geheim"))
    assert answer.status_code == 401
    assert "zsk-schnittstelle" in answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_the_commands_of_the_page_for_clients_work(
    live_server: LiveServer, provider: Provider, server: Server
) -> None:
    """As they stand there, in a shell."""
    land()
    service = ServiceFactory(reporting_level=ReportingLevel.LAND)
    register_client(service=service, name="Verfahren", client_id="zsk-lieferant", by=None)
    trial = command(key="$TOKEN", site=live_server.url, service=service, portal=None)
    environment = {"CLIENT_ID": "zsk-lieferant", "CLIENT_SECRET": server.setup.supplier_secret}
    script = f"{token_command(provider)}\n{trial} --silent --show-error"
    run = subprocess.run(
        ["bash", "-ec", script], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout)["status"] == "probelauf"
