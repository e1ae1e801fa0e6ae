"""Machines log in to the API: `Authorization: Bearer zsk_…`.

A machine is no person: `request.user` is None and `request.auth` is the `Credential`, which is the principal
for `deliverable_by()` and `visible_to()`. Views that need one ask for `HasCredential`; without a key the
answer is then 401 with `WWW-Authenticate: Bearer`, with an expired or revoked one 403.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from services.credentials import ExpiredCredential, RevokedCredential, UnknownCredential, verify_api_key
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
            return None, verify_api_key(text.strip())
        except UnknownCredential as error:
            # Not chained: a report of the error would show the variables of the frame with the key.
            raise AuthenticationFailed(str(error), code="schluessel_unbekannt") from None
        except ExpiredCredential as error:
            raise PermissionDenied(str(error), code="schluessel_abgelaufen") from None
        except RevokedCredential as error:
            raise PermissionDenied(str(error), code="schluessel_widerrufen") from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="ZSK"'


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
            "description": _("Zugangsschlüssel eines Onlineservices oder Portals: `zsk_…`"),
        }
