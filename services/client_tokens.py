"""Keycloak's tokens for programs (client credentials): checked here, without asking Keycloak each time."""

from __future__ import annotations

import jwt
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts.tokens import TokenRefused, verified_claims
from services.credentials import UnknownCredential, find, judge
from services.models import Credential
from zsk.oidc import Provider


class BadToken(UnknownCredential):
    """Not a token of our Keycloak for us, or no longer one; the sender has proved nothing."""


@sensitive_variables("text", "claims")
def verify_client_token(text: str, provider: Provider) -> Credential:
    """The credential of the client that a token was issued to.

    Raises `BadToken`, `UnknownCredential` for a client that nobody has entered, `ExpiredCredential`
    and `RevokedCredential`; `KeycloakUnreachable` where the key that signed it cannot be had.
    """
    try:
        claims = verified_claims(
            text,
            issuer=provider.issuer,
            audience=provider.api_audience,
            jwks_url=provider.jwks_endpoint,
        )
    except TokenRefused as error:
        # Not chained: a report of the error would show the variables of the frame with the token.
        raise BadToken(_reason(error, provider)) from None
    client = claims.get("client_id")
    # People's tokens of the same client have no `client_id`: with them nobody may deliver.
    if claims.get("typ") != "Bearer" or not client or claims.get("azp", client) != client:
        raise BadToken(_("Das ist kein Token aus „grant_type=client_credentials“."))
    found = find(client, Credential.Kind.OIDC_CLIENT)
    if found is None:
        raise UnknownCredential(
            _("Der Client „%(client)s“ ist bei keinem Onlineservice oder Portal eingetragen.")
            % {"client": str(client)[:100]}
        )
    judge(found, timezone.now())
    return found


def _reason(error: TokenRefused, provider: Provider) -> str:
    cause = error.__cause__
    if isinstance(cause, jwt.ExpiredSignatureError):
        return _("Das Token ist abgelaufen. Holen Sie ein neues.")
    if isinstance(cause, jwt.InvalidAudienceError):
        return _("Das Token ist nicht für die ZSK: Unter „aud“ fehlt „%(audience)s“.") % {
            "audience": provider.api_audience
        }
    if isinstance(cause, jwt.InvalidIssuerError):
        return _("Das Token ist nicht von unserem Keycloak. Unter „iss“ muss stehen: %(issuer)s") % {
            "issuer": provider.issuer
        }
    return _("Die Signatur des Tokens lässt sich nicht prüfen, oder ihm fehlt eine Angabe.")


def token_provider() -> Provider | None:
    """The Keycloak that issues tokens; None where there is none."""
    provider: Provider | None = settings.OIDC_PROVIDER
    return provider
