"""A real Keycloak, started once for all tests here, and the portal set up to use it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from playwright.sync_api import Page
from pytest_django import Settings

from zsk import keycloak
from zsk.demo import subject
from zsk.keycloak import KeycloakUser, Server, Setup, free_port
from zsk.oidc import Provider

PASSWORD = "ein-langes-passwort"
PETRA = KeycloakUser("petra", PASSWORD, "Petra", "Lindner")
OLE = KeycloakUser("ole", PASSWORD, "Ole", "Betrieb", roles=("zsk-betrieb",))
GAST = KeycloakUser("gast", PASSWORD, "Gudrun", "Gast")
DISABLED = KeycloakUser("dora", PASSWORD, "Dora", "Draußen", enabled=False)
FOLDER = Path(__file__).parent
MISSED = pytest.StashKey[tuple[int, str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without Java and Maven these tests are skipped loudly; in CI they fail."""
    lack = keycloak.missing()
    if not lack or os.environ.get("CI") == "true":
        return
    ours = [item for item in items if FOLDER in item.path.parents]
    config.stash[MISSED] = (len(ours), lack)
    for item in ours:
        item.add_marker(pytest.mark.skip(reason=lack))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    missed, lack = config.stash.get(MISSED, (0, ""))
    if missed:
        terminalreporter.write_sep("!", "Keycloak-Tests nicht gelaufen", red=True, bold=True)
        terminalreporter.write_line(f"{missed} Tests brauchen Keycloak: {lack}", red=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    setup = Setup(
        Path(django_settings.DATA_DIR) / "keycloak",
        port=free_port(),
        management_port=free_port(),
        client_secret="geheimnis-der-tests",
        # The live server's port is not known yet.
        redirects=("http://localhost:*",),
        users=(PETRA, OLE, GAST, DISABLED),
    )
    # Kept beside the folders of single runs: the first start takes half a minute.
    keycloak.prepare(setup, Path(django_settings.BASE_DIR) / ".zsk")
    running = Server(setup)
    running.start()
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def use(settings: Settings, provider: Provider) -> None:
    """What the settings say with OIDC_* in the environment."""
    settings.OIDC_PROVIDER = provider
    settings.OIDC_ISSUER = provider.issuer
    settings.AUTHENTICATION_BACKENDS = [
        "allauth.account.auth_backends.AuthenticationBackend",
        "accounts.oidc.KeycloakBackend",
    ]
    policy = settings.CONTENT_SECURITY_POLICY
    directives = {**policy["DIRECTIVES"], "form-action": ["'self'", provider.origin]}
    settings.CONTENT_SECURITY_POLICY = {**policy, "DIRECTIVES": directives}


@pytest.fixture
def provider(server: Server, settings: Settings) -> Provider:
    # By another name than the browser's, as from one container to the other.
    internal = f"http://127.0.0.1:{server.setup.port}/realms/zsk"
    found = Provider(server.setup.issuer, "zsk", server.setup.client_secret, internal)
    use(settings, found)
    return found


class Admin:
    """Keycloak's own administration, as its operator would use it."""

    def __init__(self, server: Server) -> None:
        self.url = f"{server.setup.url}/admin/realms/zsk"
        answer = requests.post(
            f"{server.setup.url}/realms/master/protocol/openid-connect/token",
            data={
                "grant_type": "password",
                "client_id": "admin-cli",
                "username": keycloak.ADMIN[0],
                "password": keycloak.ADMIN[1],
            },
            timeout=20,
        )
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = requests.request(method, self.url + path, headers=self.headers, timeout=20, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def end_sessions(self, user: KeycloakUser) -> None:
        self.call("post", f"/users/{subject(user.username)}/logout")

    def sessions(self, user: KeycloakUser) -> int:
        return len(self.call("get", f"/users/{subject(user.username)}/sessions"))

    def set_enabled(self, user: KeycloakUser, enabled: bool) -> None:
        self.call("put", f"/users/{subject(user.username)}", json={"enabled": enabled})

    def set_operations(self, user: KeycloakUser, wanted: bool) -> None:
        role = self.call("get", f"/roles/{keycloak.OPERATIONS_ROLE}")
        path = f"/users/{subject(user.username)}/role-mappings/realm"
        self.call("post" if wanted else "delete", path, json=[role])


@pytest.fixture
def admin(server: Server, provider: Provider) -> Iterator[Admin]:
    found = Admin(server)
    yield found
    for user in (PETRA, OLE, GAST):
        found.set_enabled(user, True)
        found.end_sessions(user)
    found.set_operations(PETRA, False)
    found.set_operations(OLE, True)


def enter(page: Page, user: KeycloakUser, password: str = PASSWORD) -> None:
    """On Keycloak's own page."""
    page.fill("#username", user.username)
    page.fill("#password", password)
    page.click("#kc-login")


def log_in(page: Page, url: str, user: KeycloakUser, target: str = "/konto/") -> None:
    page.goto(f"{url}{target}")
    page.click("text=Mit Keycloak anmelden")
    enter(page, user)
