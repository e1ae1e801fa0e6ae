"""OIDC_* in the environment, and the realm file that goes with it."""

import json
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.urls import reverse
from pytest_django import Settings

from tests.factories import ServiceFactory, UserFactory
from zsk import keycloak, oidc
from zsk.demo import LOGINS, subject

ROOT = Path(__file__).resolve().parents[2]
WHOLE = {
    "OIDC_ISSUER": "https://anmeldung.example/realms/zsk",
    "OIDC_CLIENT_ID": "zsk",
    "OIDC_CLIENT_SECRET": "geheim",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*WHOLE, "OIDC_INTERNAL_URL", "OIDC_OPERATIONS_ROLE"):
        monkeypatch.delenv(name, raising=False)


def read(monkeypatch: pytest.MonkeyPatch, *, production: bool = False, **values: str) -> oidc.Provider | None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return oidc.provider(production=production)


def test_without_any_accounts_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch) is None


def test_endpoints_follow_from_the_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, **WHOLE, OIDC_INTERNAL_URL="http://keycloak:8080/realms/zsk/", production=True)
    assert found
    base = "/realms/zsk/protocol/openid-connect"
    assert found.authorization_endpoint == f"https://anmeldung.example{base}/auth"
    assert found.end_session_endpoint == f"https://anmeldung.example{base}/logout"
    assert found.token_endpoint == f"http://keycloak:8080{base}/token"
    assert found.user_endpoint == f"http://keycloak:8080{base}/userinfo"
    assert found.jwks_endpoint == f"http://keycloak:8080{base}/certs"
    assert (found.origin, found.operations_role) == ("https://anmeldung.example", "zsk-betrieb")
    assert "geheim" not in repr(found)


@pytest.mark.parametrize("name", WHOLE)
def test_half_of_it_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    half = {key: value for key, value in WHOLE.items() if key != name}
    with pytest.raises(ImproperlyConfigured, match=name):
        read(monkeypatch, **half)


@pytest.mark.parametrize(
    "values",
    [
        {"OIDC_ISSUER": "anmeldung.example"},
        {"OIDC_ISSUER": "https://anmeldung.example/"},
        {"OIDC_ISSUER": "https://anmeldung.example/realms/zsk?x=1"},
        {"OIDC_ISSUER": "http://anmeldung.example/realms/zsk"},
        {"OIDC_INTERNAL_URL": "http://keycloak:8080"},
    ],
    ids=str,
)
def test_wrong_addresses_stop_the_start(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="OIDC_"):
        read(monkeypatch, **{**WHOLE, **values}, production=True)


def test_the_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("aus-der-datei\n")
    rest = {name: value for name, value in WHOLE.items() if name != "OIDC_CLIENT_SECRET"}
    found = read(monkeypatch, **rest, OIDC_CLIENT_SECRET_FILE=str(secret))
    assert found
    assert found.client_secret == "aus-der-datei"


def test_the_realm_file_leads_back_to_our_addresses_and_holds_no_people() -> None:
    realm = json.loads(keycloak.REALM_FILE.read_text(encoding="utf-8"))
    client, supplier = realm["clients"]
    assert client["redirectUris"] == ["${ZSK_URL}" + reverse("accounts:oidc_callback")]
    log_out = client["attributes"]["post.logout.redirect.uris"]
    assert log_out == "${ZSK_URL}" + reverse("accounts:logout")
    assert client["secret"] == "${OIDC_CLIENT_SECRET}"
    assert not client["publicClient"]
    assert not realm["registrationAllowed"]
    assert "users" not in realm
    # The example of a client that delivers: for programs only, with a secret that Keycloak makes.
    assert supplier["serviceAccountsEnabled"]
    assert not supplier["standardFlowEnabled"]
    assert "secret" not in supplier
    (mapper,) = supplier["protocolMappers"]
    assert mapper["config"]["included.custom.audience"] == oidc.Provider.api_audience


def test_the_interface_has_an_audience_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, **WHOLE).api_audience == "zsk-schnittstelle"  # type: ignore[union-attr]
    assert read(monkeypatch, **WHOLE, OIDC_API_AUDIENCE="statistik").api_audience == "statistik"  # type: ignore[union-attr]
    with pytest.raises(ImproperlyConfigured, match="OIDC_API_AUDIENCE"):
        read(monkeypatch, **WHOLE, OIDC_API_AUDIENCE=WHOLE["OIDC_CLIENT_ID"])


def test_containers_run_the_keycloak_of_the_tests_with_its_realm() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    container = services["keycloak"]
    assert container["image"].rpartition(":")[2] == keycloak.VERSION
    assert "./deploy/keycloak/realm.json:/opt/keycloak/data/import/zsk-realm.json:ro" in container["volumes"]
    issuer = services["web"]["environment"]["OIDC_ISSUER"]
    assert issuer.rpartition("/")[2] == json.loads(keycloak.REALM_FILE.read_text(encoding="utf-8"))["realm"]


def test_the_demo_s_keycloak_knows_the_demo_s_people(tmp_path: Path) -> None:
    users = keycloak.demo_setup(tmp_path, port=8180, site_port=8000).realm()["users"]
    by_name = {user["username"]: user for user in users}
    for login in LOGINS:
        found = by_name.pop(login.username)
        assert found["id"] == subject(login.username)
        assert found["credentials"][0]["value"] == login.password
        assert ("zsk-betrieb" in found["realmRoles"]) == login.role.startswith("ZSK-Betrieb")
    assert list(by_name) == [keycloak.STRANGER[0]]


@pytest.mark.django_db
def test_a_demo_that_is_loaded_already_is_bound_to_them(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    ServiceFactory()
    person, stranger = UserFactory(username=LOGINS[0].username), UserFactory()
    call_command("load_demo")
    person.refresh_from_db()
    stranger.refresh_from_db()
    assert (person.sub, stranger.sub) == (subject(person.username), None)
