"""Changing what is known about a service, ending it and taking that back, and deleting it.

Every change locks the service's row (deliveries lock its state, and are not held up), counts its revision up
and leaves an entry in its history and in the audit log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.models import Authority, User
from ozgsync.models import Leistung, Region
from services.history import remember, remember_beginning
from services.models import OnlineService

CHANGED = gettext_lazy("Stammdaten geändert")
ENDED = gettext_lazy("Onlineservice beendet")
RESUMED = gettext_lazy("Onlineservice wieder in Betrieb")
# The history tells these in full, so that a service's own page leaves them out.
TOLD_BY_HISTORY = (CHANGED, ENDED, RESUMED, gettext_lazy("Onlineservice registriert"))
LISTS = ("area", "more_leistungen")


class ChangedMeanwhile(Exception):
    """Somebody else has changed the service since it was read."""


@dataclass(frozen=True)
class StillNeeded(Exception):
    """A service with counts or deliveries is not deleted; `months` have counts."""

    months: int


@dataclass(frozen=True)
class MasterData:
    """What people say about a service; lists are sorted by key, so that two of the same are equal."""

    name: str
    leistung: Leistung
    authority: Authority
    reporting_level: str
    area: tuple[Region, ...] = ()
    more_leistungen: tuple[Leistung, ...] = ()
    url: str = ""
    contact: str = ""
    live_from: dt.date | None = None
    ended_on: dt.date | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The columns of the service's own row."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in LISTS}


def by_key(rows: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(sorted(rows, key=lambda row: row.pk))


def master_data_of(service: OnlineService) -> MasterData:
    names = [field.name for field in fields(MasterData) if field.name not in LISTS]
    return MasterData(
        **{name: getattr(service, name) for name in names},
        area=by_key(service.area.all()),
        more_leistungen=by_key(service.more_leistungen.all()),
    )


def leistungen_of(service: OnlineService) -> set[str]:
    """Keys of the main Leistung and of the further ones."""
    return {service.leistung_id, *service.more_leistungen.values_list("pk", flat=True)}


def changed_fields(old: MasterData, new: MasterData) -> list[str]:
    return [
        field.name for field in fields(MasterData) if getattr(old, field.name) != getattr(new, field.name)
    ]


@transaction.atomic
def change_master_data(*, service: OnlineService, data: MasterData, revision: int, by: User) -> OnlineService:
    """`revision` is the one that `by` has read. Raises ChangedMeanwhile; the same data change nothing."""
    locked = _locked(service)
    if locked.revision != revision:
        raise ChangedMeanwhile
    _change(locked, data, by=by, action=str(CHANGED))
    return locked


@transaction.atomic
def end_service(*, service: OnlineService, on: dt.date, by: User) -> None:
    """From `on` no counts are expected; everything stays to be seen, and `resume_service` takes it back."""
    locked = _locked(service)
    _change(locked, replace(master_data_of(locked), ended_on=on), by=by, action=str(ENDED))


@transaction.atomic
def resume_service(*, service: OnlineService, by: User) -> None:
    locked = _locked(service)
    _change(locked, replace(master_data_of(locked), ended_on=None), by=by, action=str(RESUMED))


@transaction.atomic
def delete_service(*, service: OnlineService, by: User) -> None:
    """With its members and keys; only while nothing was delivered for it. Raises StillNeeded."""
    locked = _locked(service)
    try:
        with transaction.atomic():
            locked.credentials.all().delete()
            locked._history_user = by  # type: ignore[attr-defined]
            # The number is gone with the row.
            target = str(locked)
            locked.delete()
    except ProtectedError as error:
        # By the relation that the room of the counts adds; nothing is imported from there.
        raise StillNeeded(service.months.count()) from error
    audit.record(by=by, action=_("Onlineservice gelöscht"), target=target)


def _locked(service: OnlineService) -> OnlineService:
    return OnlineService.objects.select_for_update(no_key=True).get(pk=service.pk)


def _change(locked: OnlineService, data: MasterData, *, by: User, action: str) -> None:
    changed = changed_fields(master_data_of(locked), data)
    if not changed:
        return
    remember_beginning(locked)
    for name, value in data.row.items():
        setattr(locked, name, value)
    locked.revision += 1
    locked.save()
    locked.area.set(data.area)
    locked.more_leistungen.set(data.more_leistungen)
    remember(locked, by=by)
    labels = [str(OnlineService._meta.get_field(name).verbose_name) for name in changed]  # type: ignore[union-attr]
    audit.record(by=by, action=action, target=locked, detail=", ".join(labels))
