"""How much one sender may ask for in a minute: counted in Redis, and open to all while Redis is away.

The headers are those of the IETF's draft "RateLimit header fields for HTTP", in its form since 2024:
`RateLimit-Policy: "schluessel";q=1200;w=60` and `RateLimit: "schluessel";r=1199;t=42`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import cast

from django.core.cache import cache

from zsk.cache import ForgivingRedisCache

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Taken:
    """One request more of a sender's minute; `reset` is in seconds, `remaining` below 0 is too much."""

    policy: str
    quota: int
    remaining: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.remaining < 0

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.policy}";r={max(self.remaining, 0)};t={self.reset}',
        }


def take(policy: str, sender: object, quota: int) -> Taken | None:
    """Counts a request of the sender in this minute; one round trip. None: not limited (0), or no Redis.

    The minute is that of the clock, so that a count is one number and not a list of times.
    """
    if not quota:
        return None
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    count = cast(ForgivingRedisCache, cache).count(f"limit:{policy}:{sender}:{window}", WINDOW_SECONDS + 5)
    if count is None:
        return None
    return Taken(policy, quota, quota - count, WINDOW_SECONDS - int(now % WINDOW_SECONDS))
