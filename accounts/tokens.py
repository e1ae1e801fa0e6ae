"""What a token must prove before a word of it is believed."""

from typing import Any

import jwt

from accounts.jwks import signing_key

ALGORITHM = "RS256"
# How far our clock and Keycloak's may differ, in seconds.
LEEWAY = 30


class TokenRefused(Exception):
    """A token that proves nothing; the message is for the log."""


def verified_claims(token: str, *, issuer: str, audience: str, jwks_url: str) -> dict[str, Any]:
    """The claims of a token signed by `issuer` for `audience` that has not expired.

    `aud` may be a text or a list. Raises TokenRefused, or KeycloakUnreachable if the key cannot be had.
    """
    key = signing_key(jwks_url, kid=_kid(token), algorithm=ALGORITHM)
    if key is None:
        raise TokenRefused("signed with a key that Keycloak does not have")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.InvalidTokenError as error:
        raise TokenRefused(str(error)) from error
    return claims


def check_id_token(claims: dict[str, Any], *, client_id: str, nonce: str) -> None:
    """That an ID token is for this client and answers this log-in. Raises TokenRefused."""
    if not nonce or claims.get("nonce") != nonce:
        raise TokenRefused("the nonce is that of another log-in")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise TokenRefused("issued to another client")
    if claims.get("typ", "ID") != "ID":
        raise TokenRefused("not an ID token")


def _kid(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise TokenRefused(str(error)) from error
    if header.get("alg") != ALGORITHM:
        raise TokenRefused(f"signed by {header.get('alg')!r}, not {ALGORITHM}")
    return str(header.get("kid", ""))
