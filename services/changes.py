"""Reading the history of a service: what it was at a revision, who changed what, as sentences."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

from django.db.models.functions import Reverse
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Authority
from ozgsync.models import Leistung, Region
from services.history import REGISTERED
from services.master_data import LISTS, TOLD_BY_HISTORY, MasterData, by_key, changed_fields
from services.models import MASTER_DATA_HISTORY, OnlineService, ReportingLevel
from services.sentences import LABELS, change_sentence, list_sentences, value_text

# So many of the newest changes and of the newest entries of the audit log are read.
MOST_READ = 500
FIELDS = [field.name for field in fields(MasterData)]


@dataclass(frozen=True)
class Version:
    """The master data after one change; fields as values, lists as keys."""

    revision: int
    at: dt.datetime
    actor: str
    first: bool
    values: dict[str, Any]


@dataclass(frozen=True)
class Event:
    """Something that happened, at a time, in sentences."""

    at: dt.datetime
    sentences: tuple[str, ...]


def versions_of(service: OnlineService) -> list[Version]:
    """The newest first. Three queries."""
    entries = list(OnlineService.history.filter(id=service.pk).order_by("-history_id")[:MOST_READ])
    lists = {
        field.name: _kept_keys(field, model, entries)
        for field, model in MASTER_DATA_HISTORY.m2m_models.items()
    }
    return [_version(entry, lists) for entry in entries]


def _version(entry: Any, lists: dict[str, dict[int, frozenset[str]]]) -> Version:
    values = {name: getattr(entry, name) for name in FIELDS if name not in (*LISTS, "leistung", "authority")}
    keys = {name: lists[name].get(entry.pk, frozenset()) for name in LISTS}
    relations = {"leistung": entry.leistung_id, "authority": entry.authority_id}
    first = entry.history_type == REGISTERED
    return Version(entry.revision, entry.history_date, entry.actor, first, values | relations | keys)


def _kept_keys(field: Any, model: Any, entries: Iterable[Any]) -> dict[int, frozenset[str]]:
    """The keys of a list at each entry."""
    column = f"{field.m2m_reverse_field_name()}_id"
    rows = model.objects.filter(history__in=[entry.pk for entry in entries]).values_list("history_id", column)
    found: dict[int, set[str]] = defaultdict(set)
    for entry, key in rows:
        found[entry].add(key)
    return {entry: frozenset(keys) for entry, keys in found.items()}


class _Names:
    """Names of everything that versions name by key; three queries for all of them."""

    def __init__(self, versions: Iterable[Version]) -> None:
        values = [version.values for version in versions]
        leistungen = {one["leistung"] for one in values}.union(*(one["more_leistungen"] for one in values))
        areas: set[str] = set().union(*(one["area"] for one in values))
        self.leistung = Leistung.objects.in_bulk(list(leistungen))
        self.region = Region.objects.in_bulk(list(areas))
        self.authority = Authority.objects.in_bulk([one["authority"] for one in values])

    def text(self, field: str, value: Any) -> str:
        if field == "authority":
            return str(self.authority.get(value, _("eine gelöschte Behörde")))
        if field in {"leistung", "more_leistungen"}:
            found = self.leistung.get(value)
            return found.name if found else str(value)
        if field == "area":
            region = self.region.get(value)
            return value_text("area", region) if region else str(value)
        return value_text(field, value)


def events_of(service: OnlineService) -> list[Event]:
    """Changes of master data, members, keys and publication, the newest first. Seven queries."""
    versions = versions_of(service)
    names = _Names(versions)
    told = [
        Event(_time(version, service), tuple(_sentences(version, older, names)))
        for version, older in pairwise([*versions, None])
        if version
    ]
    return sorted(
        [*(event for event in told if event.sentences), *_audited(service)],
        key=lambda event: event.at,
        reverse=True,
    )


def _time(version: Version, service: OnlineService) -> dt.datetime:
    return service.created_at if version.first else version.at


def _sentences(version: Version, older: Version | None, names: _Names) -> Iterable[str]:
    if version.first:
        yield _("%(who)s hat den Onlineservice registriert.") % {"who": version.actor}
        return
    for field in FIELDS if older else ():
        assert older is not None  # noqa: S101 (the loop is empty without)
        old, new = older.values[field], version.values[field]
        if old == new:
            continue
        if field in LISTS:
            added, removed = (
                [names.text(field, key) for key in sorted(keys)] for keys in (new - old, old - new)
            )
            yield from list_sentences(version.actor, field, added, removed)
        else:
            yield change_sentence(version.actor, field, names.text(field, old), names.text(field, new))


def _audited(service: OnlineService) -> list[Event]:
    """What the audit log has of this service and its history does not tell."""
    backwards = AuditEntry.objects.annotate(backwards=Reverse("target"))
    entries = backwards.filter(backwards__startswith=f"({service.number})"[::-1])
    entries = entries.exclude(action__in=[str(action) for action in TOLD_BY_HISTORY])
    return [Event(entry.at, (_audit_sentence(entry),)) for entry in entries[:MOST_READ]]


def _audit_sentence(entry: AuditEntry) -> str:
    words = {"who": entry.actor, "action": entry.action, "detail": entry.detail}
    return (_("%(action)s von %(who)s: %(detail)s") if entry.detail else _("%(action)s von %(who)s")) % words


# --- Two who change at once ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A field that others changed: what it is now, and what somebody typed where that differs."""

    label: str
    before: str
    now: str
    own: str
    who: str
    at: dt.datetime


def version_at(service: OnlineService, revision: int) -> MasterData | None:
    """The master data as they were at a revision; None where the history does not reach back."""
    found = next((one for one in versions_of(service) if one.revision == revision), None)
    if found is None:
        return None
    values = dict(found.values)
    values["leistung"] = Leistung.objects.get(pk=values["leistung"])
    values["authority"] = Authority.objects.get(pk=values["authority"])
    values["reporting_level"] = ReportingLevel(values["reporting_level"]).value
    values["area"] = by_key(Region.objects.filter(pk__in=values["area"]))
    values["more_leistungen"] = by_key(Leistung.objects.filter(pk__in=values["more_leistungen"]))
    return MasterData(**values)


def merged(base: MasterData, *, own: MasterData, now: MasterData) -> MasterData:
    """What is stored now, with what somebody changed against the base that they saw."""
    return replace(now, **{name: getattr(own, name) for name in changed_fields(base, own)})


def differences(
    service: OnlineService, base: MasterData, *, own: MasterData, now: MasterData
) -> list[Difference]:
    """What others made of the base, field by field, with who did it last."""
    versions, mine = versions_of(service), changed_fields(base, own)
    found = []
    for name in changed_fields(base, now):
        last = _last_change(versions, name)
        own_text = value_text(name, getattr(own, name)) if name in mine else ""
        found.append(
            Difference(
                label=str(LABELS[name]),
                before=value_text(name, getattr(base, name)),
                now=value_text(name, getattr(now, name)),
                own=own_text,
                who=last.actor,
                at=last.at,
            )
        )
    return found


def _last_change(versions: list[Version], name: str) -> Version:
    changing = (new for new, old in pairwise(versions) if new.values[name] != old.values[name])
    return next(changing, versions[0])
