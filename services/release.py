"""Rules that release services for publication by the types of their Leistung: what they mean, changing them.

A service is covered when all types of its main Leistung are released; then its regions are shown down to the
shallowest depth among them. Publishing what is covered is for the room of the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from services.models import OnlineService, OnlineServiceQuerySet, ReleaseRule

Depth = OnlineService.Depth
TYPES = (
    "1", "2", "2a", "2b", "3", "3a", "3b", "2/3", "2/3a", "2/3b", "4", "4a", "4b", "5",
    "6", "7", "8", "9", "10", "11", "12",
)  # fmt: skip
# Depth by type; a type that is not in it is not released.
Rules = Mapping[str, Depth]
# Any number, the same wherever rules are written.
RULES_LOCK = 4_711_002


class RulesChanged(Exception):
    """Somebody changed the rules after they were shown."""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one type; None is "not released"."""

    type: str
    before: Depth | None
    after: Depth | None


def current_rules() -> dict[str, Depth]:
    return {rule.type: Depth(rule.depth) for rule in ReleaseRule.objects.all()}


def stamp(rules: Rules) -> str:
    """Names a state of the rules, for a form to say what its reader saw."""
    return ",".join(f"{kind}:{rules[kind].value}" for kind in TYPES if kind in rules)


def changes(before: Rules, after: Rules) -> list[Change]:
    found = [Change(kind, before.get(kind), after.get(kind)) for kind in TYPES]
    return [change for change in found if change.before != change.after]


def covered(rules: Rules) -> OnlineServiceQuerySet:
    """All services that the rules release, published or not."""
    return OnlineService.objects.filter(leistung__types__len__gt=0, leistung__types__contained_by=list(rules))


def waiting(rules: Rules) -> OnlineServiceQuerySet:
    """Services that the rules would publish: not public, and not withheld by somebody's decision."""
    return covered(rules).filter(published_at=None, withheld=False)


def depth_of(service: OnlineService, rules: Rules) -> Depth:
    return min(rules[kind] for kind in service.leistung.types)


def depths(services: OnlineServiceQuerySet, rules: Rules) -> dict[int, Depth]:
    """How deep each of these covered services would be shown."""
    return {service.pk: depth_of(service, rules) for service in services.select_related("leistung")}


@transaction.atomic
def change_rules(*, wanted: Rules, seen: str, by: User) -> list[Change]:
    """Puts these rules in place of the current ones. Nothing is published or withdrawn by it.

    Raises RulesChanged when the current ones are no longer those that `seen` names.
    """
    _lock_rules()
    before = current_rules()
    if stamp(before) != seen:
        raise RulesChanged
    found = changes(before, wanted)
    for change in found:
        _store(change, by=by)
    return found


def _lock_rules() -> None:
    """Against somebody else who changes rules now; a lock on rows would not hold off new ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RULES_LOCK])


def _store(change: Change, *, by: User) -> None:
    target = f"Typ {change.type}"
    if change.after is None:
        ReleaseRule.objects.filter(type=change.type).delete()
        audit.record(by=by, action="Freigaberegel aufgehoben", target=target)
        return
    values = {"depth": change.after, "released_by": by}
    ReleaseRule.objects.update_or_create(type=change.type, defaults=values)
    action = "Freigaberegel eingetragen" if change.before is None else "Freigaberegel geändert"
    audit.record(by=by, action=action, target=target, detail=f"Regionen bis {change.after.label}")
