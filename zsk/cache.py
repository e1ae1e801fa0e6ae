"""The cache on Redis, made so that nobody notices when it is away."""

import functools
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

# One try, and no long wait: whoever asks the cache can do without it.
CONNECTION = {"retry": Retry(NoBackoff(), 0), "socket_timeout": 1}


# After a failure it is not asked again for this long, so that a page with many questions waits once.
PAUSE_SECONDS = 5


class ForgivingRedisCache(RedisCache):
    """While Redis is away nothing is found, nothing is kept, and every `add` succeeds.

    So limits on tries, which count in the cache, let everybody in rather than nobody.
    """

    _silent_until = 0.0

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._or(default, lambda: super(ForgivingRedisCache, self).get(key, default, version))

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._or(True, lambda: super(ForgivingRedisCache, self).add(key, value, timeout, version))

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._or(None, lambda: super(ForgivingRedisCache, self).set(key, value, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._or(False, lambda: super(ForgivingRedisCache, self).delete(key, version))

    def count(self, key: str, timeout: int) -> int | None:
        """One more under the key, which is forgotten `timeout` seconds later; None while Redis is away."""
        return self._or(None, lambda: self._count(self.make_and_validate_key(key), timeout))

    def _count(self, key: str, timeout: int) -> int:
        count = int(self._counter.incr(key))
        if count == 1:
            self._counter.expire(key, timeout)
        return count

    @functools.cached_property
    def _counter(self) -> Redis:
        # Made once: a client costs more than the count.
        return self._cache.get_client(None, write=True)

    def answers(self) -> bool:
        """Whether Redis is there now; for the readiness of the process."""
        self._silent_until = 0.0
        return self._or(False, lambda: bool(super(ForgivingRedisCache, self).has_key("health") or True))

    def _or(self, substitute: Result, ask: Callable[[], Result]) -> Result:
        if time.monotonic() < self._silent_until:
            return substitute
        try:
            return ask()
        except (RedisError, OSError) as error:
            self._silent_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("The cache does not answer: %s", type(error).__name__)
            return substitute
