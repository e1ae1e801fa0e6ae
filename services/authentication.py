"""Machines log in to the API: `Authorization: Bearer zsk_…`, or a token of a client of Keycloak.

A machine is no person: `request.user` is None and `request.auth` is the `Credential`, which is the principal
for `deliverable_by()` and `visible_to()`. Views that need one ask for `HasCredential`; without a key the
answer is then 401 with `WWW-Authenticate: Bearer`, with an expired or revoked one 403.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.jwks import REFETCH_SECONDS, KeycloakUnreachable
from services.client_tokens import BadToken, token_provider, verify_client_token
from services.credentials import (
    PREFIX,
    ExpiredCredential,
    RevokedCredential,
    UnknownCredential,
    verify_api_key,
)
from services.models import Credential


class CredentialAuthentication(BaseAuthentication):
    @sensitive_variables()
    def authenticate(self, request: Request) -> tuple[None, Credential] | None:
        scheme, _blank, text = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed(
                _("Melden Sie sich mit „Authorization: Bearer zsk_…“ an."), code="anmeldung_verfahren"
            )
        try:
            return None, _verify(text.strip())
        except KeycloakUnreachable:
            raise Unverifiable from None
        except BadToken as error:
            raise AuthenticationFailed(str(error), code="token_ungueltig") from None
        except UnknownCredential as error:
            # Not chained: a report of the error would show the variables of the frame with the key.
            raise AuthenticationFailed(str(error), code="schluessel_unbekannt") from None
        except ExpiredCredential as error:
            raise PermissionDenied(str(error), code="schluessel_abgelaufen") from None
        except RevokedCredential as error:
            raise PermissionDenied(str(error), code="schluessel_widerrufen") from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="ZSK"'


@sensitive_variables("text")
def _verify(text: str) -> Credential:
    provider = token_provider()
    if provider is None or text.startswith(PREFIX):
        return verify_api_key(text)
    return verify_client_token(text, provider)


class Unverifiable(APIException):
    """Neither right nor wrong: Keycloak does not say with which keys it signs now."""

    status_code = 503
    default_code = "anmeldung_nicht_pruefbar"
    default_detail = ""
    # As often as Keycloak is asked for a key that is not known.
    wait = REFETCH_SECONDS


class HasCredential(BasePermission):
    """Only for machines with a valid key."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Credential)


class CredentialScheme(OpenApiAuthenticationExtension):
    """How the interface's description names this way to log in."""

    target_class = CredentialAuthentication
    name = "Zugangsschluessel"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": _(
                "Zugangsschlüssel eines Onlineservices oder Portals: `zsk_…`. Wo die ZSK mit Keycloak "
                "arbeitet, auch das Token eines eingetragenen Clients (`grant_type=client_credentials`)."
            ),
        }
