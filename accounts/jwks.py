"""Keycloak's public keys: fetched when a token names one that is not known, and kept in the cache."""

import hashlib
import logging
from typing import Any

import jwt
import requests
from django.core.cache import cache

KEEP_SECONDS = 3600
# An unknown key asks Keycloak again, but not more often: anybody can send tokens that name invented keys.
REFETCH_SECONDS = 10
TIMEOUT = (3, 7)
logger = logging.getLogger(__name__)


class KeycloakUnreachable(Exception):
    """Keycloak gives no usable answer; nothing is known about the token."""


def signing_key(url: str, *, kid: str, algorithm: str) -> jwt.PyJWK | None:
    """The public key `kid` for signatures of `algorithm`; None if Keycloak does not know it.

    Raises KeycloakUnreachable, for some seconds without asking: others would wait for it as well.
    """
    found = _pick(cache.get(_key(url)) or [], kid, algorithm)
    if found is None and cache.get(_down(url)):
        raise KeycloakUnreachable
    if found is None and _may_fetch(url):
        found = _pick(fetch(url), kid, algorithm)
    return found


def fetch(url: str) -> list[dict[str, Any]]:
    """The key set as Keycloak has it now, kept for later. Raises KeycloakUnreachable."""
    try:
        response = requests.get(url, timeout=TIMEOUT)
        response.raise_for_status()
        keys: list[dict[str, Any]] = response.json()["keys"]
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        logger.warning("Keycloak's keys cannot be fetched from %s: %s", url, error)
        cache.set(_down(url), True, timeout=REFETCH_SECONDS)
        raise KeycloakUnreachable from error
    cache.set(_key(url), keys, timeout=KEEP_SECONDS)
    return keys


def _may_fetch(url: str) -> bool:
    return cache.get(_key(url)) is None or cache.add(_key(url) + ":asked", True, timeout=REFETCH_SECONDS)


def _pick(keys: list[dict[str, Any]], kid: str, algorithm: str) -> jwt.PyJWK | None:
    """By name, use and algorithm: Keycloak's set holds a key for encryption as well."""
    for key in keys:
        if (key.get("kid"), key.get("use"), key.get("alg")) == (kid, "sig", algorithm):
            return jwt.PyJWK(key, algorithm)
    return None


def _down(url: str) -> str:
    return _key(url) + ":down"


def _key(url: str) -> str:
    return "jwks:" + hashlib.sha256(url.encode()).hexdigest()
