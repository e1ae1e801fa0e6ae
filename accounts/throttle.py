"""A limit on wrong passwords: per user name and address, so that nobody can lock out someone elsewhere."""

import hashlib
import logging

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

TRIES = 10
SECONDS = 15 * 60
logger = logging.getLogger(__name__)


def allow_try(request: HttpRequest, username: str) -> bool:
    """Count one try and say whether it may be made; the count is forgotten some minutes after the first try.

    Counting comes before the password is looked at, so that tries made at the same time all count.
    Without the cache every try is allowed: a restart of Redis must not lock everybody out.
    """
    key = _key(request, username)
    try:
        cache.add(key, 0, timeout=SECONDS)
        return cache.incr(key) <= TRIES
    except (RedisError, OSError):
        logger.warning("log-in tries are not counted: the cache does not answer")
        return True
    except ValueError:  # expired between the two calls
        return True


def forget_tries(request: HttpRequest, username: str) -> None:
    """After the right password."""
    try:
        cache.delete(_key(request, username))
    except (RedisError, OSError):
        logger.warning("log-in tries are not forgotten: the cache does not answer")


def _key(request: HttpRequest, username: str) -> str:
    who = f"{username.casefold()} {_address(request)}"
    return "login:" + hashlib.sha256(who.encode()).hexdigest()


def _address(request: HttpRequest) -> str:
    """The browser's address; behind the proxy the last forwarded one, which is the proxy's own word."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_TLS_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
