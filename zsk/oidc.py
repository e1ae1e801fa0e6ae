"""Which Keycloak people log in with: as the environment says, or none."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from zsk import env

REALM = re.compile(r"https?://[^/?#\s]+(?:/[^?#\s]+)*/realms/[^/?#\s]+")


@dataclass(frozen=True)
class Provider:
    """A realm of Keycloak and our client in it. Its endpoints follow from the issuer: there is no discovery.

    `internal_url` is the realm's address as the portal itself reaches it, where that is another one than the
    browser's.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    internal_url: str = ""
    operations_role: str = "zsk-betrieb"
    # What programs' tokens must name as their audience; another one than that of people's log-in.
    api_audience: str = "zsk-schnittstelle"

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/auth"

    @property
    def public_token_endpoint(self) -> str:
        """Where others get their tokens."""
        return f"{self.issuer}/protocol/openid-connect/token"

    @property
    def end_session_endpoint(self) -> str:
        return f"{self.issuer}/protocol/openid-connect/logout"

    @property
    def token_endpoint(self) -> str:
        return self._internal("token")

    @property
    def user_endpoint(self) -> str:
        return self._internal("userinfo")

    @property
    def jwks_endpoint(self) -> str:
        return self._internal("certs")

    def _internal(self, name: str) -> str:
        return f"{self.internal_url or self.issuer}/protocol/openid-connect/{name}"

    @property
    def origin(self) -> str:
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"


def provider(*, production: bool) -> Provider | None:
    """The provider that OIDC_* names; None without any of them. Half of one raises ImproperlyConfigured."""
    needed = {
        "OIDC_ISSUER": env.text("OIDC_ISSUER", "").rstrip("/"),
        "OIDC_CLIENT_ID": env.text("OIDC_CLIENT_ID", ""),
        "OIDC_CLIENT_SECRET": env.text("OIDC_CLIENT_SECRET", ""),
    }
    internal = env.text("OIDC_INTERNAL_URL", "").rstrip("/")
    role = env.text("OIDC_OPERATIONS_ROLE", "")
    audience = env.text("OIDC_API_AUDIENCE", "")
    if not any((*needed.values(), internal, role, audience)):
        return None
    if lacking := [name for name, value in needed.items() if not value]:
        raise ImproperlyConfigured(f"Anmeldung mit Keycloak: {', '.join(lacking)} fehlt.")
    _check_realm("OIDC_ISSUER", needed["OIDC_ISSUER"])
    if production and not needed["OIDC_ISSUER"].startswith("https://"):
        raise ImproperlyConfigured("OIDC_ISSUER muss im Produktivbetrieb mit https:// beginnen.")
    if internal:
        _check_realm("OIDC_INTERNAL_URL", internal)
    if audience == needed["OIDC_CLIENT_ID"]:
        # Or the token of anybody who logs in here would be one for the interface.
        raise ImproperlyConfigured("OIDC_API_AUDIENCE muss etwas anderes sein als OIDC_CLIENT_ID.")
    return Provider(
        issuer=needed["OIDC_ISSUER"],
        client_id=needed["OIDC_CLIENT_ID"],
        client_secret=needed["OIDC_CLIENT_SECRET"],
        internal_url=internal,
        operations_role=role or Provider.operations_role,
        api_audience=audience or Provider.api_audience,
    )


def _check_realm(name: str, value: str) -> None:
    if not REALM.fullmatch(value):
        raise ImproperlyConfigured(
            f"{name}={value!r} ist keine Adresse eines Realms, wie https://anmeldung.example.org/realms/zsk."
        )
