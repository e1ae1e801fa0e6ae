"""Publishing what the release rules cover."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from accounts.models import User
from services import release
from transactions.publication import lock, publish_many

# So many services at most are held back from delivering while they are published.
AT_ONCE = 100


def apply(by: User | None = None) -> int:
    """Publishes every service that the rules release and nobody withholds; how many became public by it.

    What is public stays as it is: a rule neither withdraws nor changes a depth that somebody chose.
    """
    rules = release.current_rules()
    pks = list(release.waiting(rules).order_by("pk").values_list("pk", flat=True))
    parts = [pks[start : start + AT_ONCE] for start in range(0, len(pks), AT_ONCE)]
    return sum(_publish_released(part, by=by) for part in parts)


@transaction.atomic
def _publish_released(pks: Collection[int], *, by: User | None) -> int:
    """Looks again under the lock: a person may just have taken one back, or changed the rules."""
    lock(pks)
    rules = release.current_rules()
    wanted = release.depths(release.waiting(rules).filter(pk__in=pks), rules)
    return len(publish_many(wanted, by=by))
