"""The log-in by Keycloak against one that misbehaves; tests/keycloak has the real one."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.accounts.fake_keycloak import PROVIDER, FakeKeycloak, answer, install
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
START, BACK = "/anmelden/keycloak/", "/anmelden/keycloak/zurueck/"


@pytest.fixture
def keycloak(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> FakeKeycloak:
    settings.OIDC_PROVIDER, settings.OIDC_ISSUER = PROVIDER, PROVIDER.issuer
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "accounts.oidc.KeycloakBackend"]
    return install(monkeypatch)


def begin(client: Client, target: str = "/konto/") -> dict[str, str]:
    """Go to Keycloak, and return what the browser takes along."""
    response = client.get(START, {"next": target})
    assert response.status_code == 302, response.content
    return {name: values[0] for name, values in parse_qs(urlsplit(response["Location"]).query).items()}


def come_back(client: Client, keycloak: FakeKeycloak, **id_claims: Any) -> Any:
    sent = begin(client)
    keycloak.id_claims = {"nonce": sent["nonce"], **id_claims}
    return client.get(BACK, {"state": sent["state"], "code": "code"})


def is_signed_in(client: Client) -> bool:
    return client.get("/konto/").status_code == 200


def test_the_way_to_keycloak_carries_state_nonce_and_pkce(client: Client, keycloak: FakeKeycloak) -> None:
    first, second = begin(client), begin(client)
    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) > 20
        assert first[name] != second[name]
    assert first["redirect_uri"] == f"http://testserver{BACK}"


def test_who_is_bound_gets_in(client: Client, keycloak: FakeKeycloak) -> None:
    UserFactory(sub="sub-1")
    response = come_back(client, keycloak, given_name="Petra")
    assert (response.status_code, response["Location"]) == (302, "/konto/")
    assert is_signed_in(client)
    assert len(keycloak.sent["code_verifier"]) >= 43
    assert User.objects.get().first_name == "Petra"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (answer({"error": "invalid_grant"}, 400), 400),
        (answer({"error": "invalid_client"}, 401), 502),
        (answer(["unsinn"], 400), 502),
        (answer({}, 500), 503),
        (answer({}, 200), 502),
        (answer(["unsinn"]), 502),
        (answer(None, text="<html>"), 503),
        (requests.Timeout(), 503),
        (requests.ConnectionError(), 503),
    ],
    ids=str,
)
def test_every_fault_of_the_token_endpoint_is_a_page(
    client: Client, keycloak: FakeKeycloak, given: Any, status: int
) -> None:
    UserFactory(sub="sub-1")
    keycloak.token_answer = given
    response = come_back(client, keycloak)
    assert response.status_code == status
    assert "Noch einmal anmelden" in response.content.decode()
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    ("info", "status"),
    [
        (answer({"sub": "sub-2"}), 502),
        (answer({}), 502),
        (answer({}, 401), 502),
        (requests.Timeout(), 503),
    ],
    ids=str,
)
def test_userinfo_must_be_about_the_same_person(
    client: Client, keycloak: FakeKeycloak, info: Any, status: int
) -> None:
    UserFactory(sub="sub-1")
    UserFactory(sub="sub-2")
    keycloak.info = info
    assert come_back(client, keycloak).status_code == status
    assert not is_signed_in(client)


@pytest.mark.parametrize("fault", [{"aud": "andere"}, {"nonce": "alt"}, {"exp": 1}], ids=str)
def test_a_token_that_proves_nothing_lets_nobody_in(
    client: Client, keycloak: FakeKeycloak, fault: dict[str, Any]
) -> None:
    UserFactory(sub="sub-1")
    assert come_back(client, keycloak, **fault).status_code == 502
    assert not is_signed_in(client)


def test_a_state_of_another_browser_lets_nobody_in(client: Client, keycloak: FakeKeycloak) -> None:
    UserFactory(sub="sub-1")
    sent = begin(client)
    keycloak.id_claims = {"nonce": sent["nonce"]}
    stranger = Client()
    for query in ({"state": sent["state"], "code": "code"}, {"code": "code"}, {"state": sent["state"]}, {}):
        assert stranger.get(BACK, query).status_code == 400
    assert not is_signed_in(stranger)


def test_an_error_without_a_state_of_ours_ends_no_session(client: Client, keycloak: FakeKeycloak) -> None:
    client.force_login(UserFactory())
    client.get(BACK, {"error": "access_denied"})
    assert is_signed_in(client)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"error": "access_denied"}, 403),
        ({"error": "temporarily_unavailable"}, 503),
        ({"error": "temporarily_unavailable", "error_description": "authentication_expired"}, 400),
        ({"error": "invalid_scope"}, 502),
    ],
)
def test_what_keycloak_complains_of_is_a_page(
    client: Client, keycloak: FakeKeycloak, query: dict[str, str], status: int
) -> None:
    assert client.get(BACK, {"state": begin(client)["state"], **query}).status_code == status


def test_the_same_address_does_not_make_it_the_same_person(client: Client, keycloak: FakeKeycloak) -> None:
    person = UserFactory(email="petra@example.org")
    response = come_back(client, keycloak, email="petra@example.org")
    assert response.status_code == 403
    assert "noch keinen Zugang" in response.content.decode()
    person.refresh_from_db()
    assert person.sub is None
    assert not is_signed_in(client)


def test_somebody_locked_here_stays_out_and_gets_no_rights(client: Client, keycloak: FakeKeycloak) -> None:
    UserFactory(sub="sub-1", is_active=False)
    response = come_back(client, keycloak, roles=["zsk-betrieb"])
    assert response.status_code == 403
    assert "Ihr Konto ist gesperrt" in response.content.decode()
    assert not is_signed_in(client)
    assert not User.objects.get().is_operations


def test_who_is_locked_while_signed_in_is_out_at_once(client: Client, keycloak: FakeKeycloak) -> None:
    UserFactory(sub="sub-1")
    come_back(client, keycloak)
    assert is_signed_in(client)
    User.objects.update(is_active=False)
    assert not is_signed_in(client)


@pytest.mark.parametrize("roles", [{"roles": ["zsk-betrieb"]}, {"client_roles": ["zsk-betrieb"]}])
def test_the_role_of_operations_may_be_of_the_realm_or_the_client(
    client: Client, keycloak: FakeKeycloak, roles: dict[str, list[str]]
) -> None:
    UserFactory(sub="sub-1")
    come_back(client, keycloak, **roles)
    assert User.objects.get().is_operations


@pytest.mark.parametrize("roles", [{}, {"roles": "zsk-betrieb"}, {"roles": [["zsk-betrieb"], None]}])
def test_without_the_role_the_rights_end(
    client: Client, keycloak: FakeKeycloak, roles: dict[str, Any]
) -> None:
    UserFactory(sub="sub-1", is_operations=True, is_staff=True, is_superuser=True)
    come_back(client, keycloak, **roles)
    person = User.objects.get()
    assert (person.is_operations, person.is_staff, person.is_superuser) == (False, False, False)


def test_a_password_with_a_code_in_the_address_is_no_way_round(
    client: Client, keycloak: FakeKeycloak, settings: Settings
) -> None:
    """Every back end sees every try; ours must not take a code without state and nonce."""
    UserFactory(sub="sub-1")
    settings.BREAK_GLASS_USER = "notfall"
    client.post("/anmelden/notfall/?code=code&state=state", {"login": "x", "password": PASSWORD})
    assert not keycloak.sent
    assert not is_signed_in(client)


def test_log_out_goes_on_to_keycloak_while_it_is_there(client: Client, keycloak: FakeKeycloak) -> None:
    UserFactory(sub="sub-1")
    come_back(client, keycloak)
    there = urlsplit(client.post("/abmelden/")["Location"])
    query = parse_qs(there.query)
    assert there.path == "/realms/zsk/protocol/openid-connect/logout"
    assert query["post_logout_redirect_uri"] == ["http://testserver/abmelden/"]
    assert query["id_token_hint"][0].count(".") == 2
    assert not is_signed_in(client)
    come_back(client, keycloak)
    keycloak.is_down = True
    assert client.post("/abmelden/")["Location"] == "/abmelden/"
    assert not is_signed_in(client)


def test_without_keycloak_its_addresses_do_not_exist(client: Client) -> None:
    assert client.get(START).status_code == client.get(BACK).status_code == 404
