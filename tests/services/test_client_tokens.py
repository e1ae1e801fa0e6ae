"""Tokens of Keycloak's clients at the interface, with keys made here."""

import datetime as dt
import time
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from services.client_tokens import verify_client_token
from services.credentials import register_client, revoke_credential
from services.models import Credential
from tests.accounts.fake_keycloak import OTHER_KEY, PROVIDER, FakeKeycloak, install, published, token
from tests.factories import ServiceFactory, api_key

pytestmark = pytest.mark.django_db
URL = "/api/v1/lieferungen"


@pytest.fixture(autouse=True)
def keycloak(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> FakeKeycloak:
    settings.OIDC_PROVIDER, settings.OIDC_ISSUER = PROVIDER, PROVIDER.issuer
    return install(monkeypatch)


@pytest.fixture
def credential() -> Credential:
    return register_client(service=ServiceFactory(), name="Verfahren", client_id="verfahren-x", by=None)


def access(**values: Any) -> str:
    """What Keycloak gives for `client_credentials`."""
    usual = {"aud": "zsk-schnittstelle", "azp": "verfahren-x", "client_id": "verfahren-x", "typ": "Bearer"}
    return token(**{**usual, "nonce": None, **values})


def ask(text: str) -> Any:
    return Client().get(URL, headers={"Authorization": f"Bearer {text}"})


def refused(answer: Any, status: int, code: str) -> str:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["type"].endswith(f"/hilfe/fehler/{code}/")
    return str(answer.json()["detail"])


@pytest.mark.parametrize("audience", ["zsk-schnittstelle", ["account", "zsk-schnittstelle"]])
def test_a_clients_token_is_its_credential(credential: Credential, audience: object) -> None:
    answer = ask(access(aud=audience))
    assert (answer.status_code, answer.json()) == (200, {"ergebnisse": [], "weiter": None})
    credential.refresh_from_db()
    assert credential.last_used_at is not None


def test_it_delivers_for_its_own_service_only(credential: Credential) -> None:
    other = ServiceFactory()
    message = {
        "probelauf": True,
        "zeilen": [{"onlineservice": other.number, "ars": "0", "monat": "", "anzahl": 1}],
    }
    answer = Client().post(
        URL, message, content_type="application/json", headers={"Authorization": f"Bearer {access()}"}
    )
    assert "onlineservice_unbekannt" in [fault["code"] for fault in answer.json()["fehler"]]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"aud": "zsk"}, "zsk-schnittstelle"),
        ({"aud": None}, "fehlt eine Angabe"),
        ({"iss": "https://anmeldung.example/realms/andere"}, PROVIDER.issuer),
        ({"exp": int(time.time()) - 60}, "abgelaufen"),
        ({"typ": "ID"}, "client_credentials"),
        ({"typ": None}, "client_credentials"),
        # A person's: of the same client, or of the one that people log in with.
        ({"client_id": None}, "client_credentials"),
        ({"azp": "ein-anderer"}, "client_credentials"),
        ({"key": OTHER_KEY}, "Signatur"),
        ({"kid": "erfunden"}, "Signatur"),
    ],
    ids=str,
)
def test_a_bad_token_is_401_and_says_why(credential: Credential, fault: dict[str, Any], said: str) -> None:
    assert said in refused(ask(access(**fault)), 401, "token_ungueltig")


@pytest.mark.parametrize("text", ["unsinn", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_401(text: str) -> None:
    answer = ask(text)
    refused(answer, 401, "token_ungueltig")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_the_answer_does_not_repeat_the_token(credential: Credential) -> None:
    text = access(aud="zsk")
    assert text not in ask(text).content.decode()


def test_a_client_that_nobody_entered_is_401() -> None:
    assert "verfahren-x" in refused(ask(access()), 401, "schluessel_unbekannt")


def test_an_api_key_is_no_client(credential: Credential) -> None:
    key, _text = api_key(ServiceFactory())
    refused(ask(access(azp=key.public_id, client_id=key.public_id)), 401, "schluessel_unbekannt")


def test_a_revoked_and_an_expired_credential_are_403(credential: Credential) -> None:
    Credential.objects.update(expires_at=timezone.now() - dt.timedelta(days=1))
    refused(ask(access()), 403, "schluessel_abgelaufen")
    revoke_credential(credential=credential, by=None)
    refused(ask(access()), 403, "schluessel_widerrufen")


def test_new_keys_are_learnt(credential: Credential, keycloak: FakeKeycloak) -> None:
    assert ask(access()).status_code == 200
    keycloak.keys.append(published(OTHER_KEY, kid="zwei"))
    assert ask(access(key=OTHER_KEY, kid="zwei")).status_code == 200
    assert ask(access()).status_code == 200
    assert len(keycloak.asked) == 2


def test_while_keycloak_is_down_known_keys_go_on(credential: Credential, keycloak: FakeKeycloak) -> None:
    assert ask(access()).status_code == 200
    keycloak.is_down = True
    assert ask(access()).status_code == 200


def test_while_keycloak_is_down_unknown_keys_are_503_and_api_keys_go_on(
    credential: Credential, keycloak: FakeKeycloak
) -> None:
    keycloak.is_down = True
    for _try in range(3):
        answer = ask(access())
        refused(answer, 503, "anmeldung_nicht_pruefbar")
        assert answer["Retry-After"] == "10"
    # Nobody else waits for it within these seconds.
    assert len(keycloak.asked) == 1
    _key, text = api_key(credential.service)
    assert ask(text).status_code == 200


def test_without_keycloak_a_token_is_an_unknown_key(credential: Credential, settings: LazySettings) -> None:
    settings.OIDC_PROVIDER = None
    refused(ask(access()), 401, "schluessel_unbekannt")


def test_it_costs_one_query_for_the_credential(
    credential: Credential, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    text = access()
    verify_client_token(text, PROVIDER)  # notes the use, once a minute
    with django_assert_num_queries(1):
        verify_client_token(text, PROVIDER)
