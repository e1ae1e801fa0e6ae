"""The cache on Redis, made so that nobody notices when it is away."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

# One try, and no long wait: whoever asks the cache can do without it.
CONNECTION = {"retry": Retry(NoBackoff(), 0), "socket_timeout": 1}


class ForgivingRedisCache(RedisCache):
    """While Redis is away nothing is found, nothing is kept, and every `add` succeeds.

    So limits on tries, which count in the cache, let everybody in rather than nobody.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _or(default, lambda: super(ForgivingRedisCache, self).get(key, default, version))

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return _or(True, lambda: super(ForgivingRedisCache, self).add(key, value, timeout, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        _or(None, lambda: super(ForgivingRedisCache, self).set(key, value, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return _or(False, lambda: super(ForgivingRedisCache, self).delete(key, version))

    def answers(self) -> bool:
        """Whether Redis is there; for the readiness of the process."""
        return _or(False, lambda: bool(super(ForgivingRedisCache, self).has_key("health") or True))


def _or(substitute: Result, ask: Callable[[], Result]) -> Result:
    try:
        return ask()
    except (RedisError, OSError) as error:
        logger.warning("The cache does not answer: %s", type(error).__name__)
        return substitute
