"""Leistungen that have ended: what is said of them, and registered services that still name one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from ozgsync.models import Leistung
from ozgsync.succession import successors_of
from services.master_data import MasterData, by_key, change_master_data, master_data_of
from services.models import OnlineService
from zsk import formats


class NoSuccessor(Exception):
    """The service does not name the old Leistung any more, or the new one did not take its place."""


@dataclass(frozen=True)
class Superseded:
    """A Leistung that must not be chosen (any more), and what took its place."""

    leistung: Leistung
    successors: Sequence[Leistung]

    @property
    def message(self) -> str:
        """What is wrong and what would be right, in sentences."""
        return " ".join([since(self.leistung), self._instead()])

    def _instead(self) -> str:
        if not self.successors:
            return _("Einen Nachfolger nennt der Katalog nicht. Wählen Sie eine andere Leistung.")
        names = ", ".join(str(leistung) for leistung in self.successors)
        one = len(self.successors) == 1
        return (_("Nachfolger: %(names)s.") if one else _("Nachfolger sind: %(names)s.")) % {"names": names}


def since(leistung: Leistung) -> str:
    """From when on, or until when, a key is not to be used."""
    words = {"key": leistung.schluessel, "name": leistung.name}
    if leistung.valid_to and leistung.valid_to <= timezone.localdate():
        text = _("Der Leistungsschlüssel %(key)s („%(name)s“) gilt seit %(day)s nicht mehr.")
        return text % {**words, "day": formats.day(leistung.valid_to)}
    assert leistung.valid_from is not None  # noqa: S101 (it is not valid today, and has not ended)
    text = _("Der Leistungsschlüssel %(key)s („%(name)s“) gilt erst ab %(day)s.")
    return text % {**words, "day": formats.day(leistung.valid_from)}


def superseded(leistungen: Iterable[Leistung], *, on: dt.date | None = None) -> dict[str, Superseded]:
    """Those that are not valid on a day (today), by key; two queries where there are any."""
    day = on or timezone.localdate()
    wrong = {leistung.pk: leistung for leistung in leistungen if not leistung.is_valid_on(day)}
    followed_by = successors_of(wrong, on=day)
    return {key: Superseded(leistung, followed_by.get(key, ())) for key, leistung in wrong.items()}


# --- Registered services ------------------------------------------------------------------------------


def with_superseded(services: QuerySet[OnlineService]) -> QuerySet[OnlineService]:
    """Those in operation whose main or a further Leistung has ended."""
    today = timezone.localdate()
    ended = Leistung.objects.filter(valid_to__lte=today)
    further = OnlineService.more_leistungen.through.objects.filter(leistung__in=ended)
    names_one = Q(leistung__in=ended) | Q(pk__in=further.values("onlineservice"))
    return services.filter(names_one, Q(ended_on=None) | Q(ended_on__gt=today))


def superseded_in(service: OnlineService) -> list[Superseded]:
    """What of a service's Leistungen has ended, the main one first."""
    if service.ended_on and service.ended_on <= timezone.localdate():
        return []
    return list(superseded([service.leistung, *service.more_leistungen.all()]).values())


@transaction.atomic
def take_successor(*, service: OnlineService, old: str, new: str, by: User) -> OnlineService:
    """Put a successor in the place of a Leistung that has ended. Raises NoSuccessor, ChangedMeanwhile."""
    found = next((one for one in superseded_in(service) if one.leistung.pk == old), None)
    chosen = next((one for one in found.successors if one.pk == new), None) if found else None
    if chosen is None:
        raise NoSuccessor
    data = _replaced(master_data_of(service), old, chosen)
    return change_master_data(service=service, data=data, revision=service.revision, by=by)


def _replaced(data: MasterData, old: str, new: Leistung) -> MasterData:
    main = new if data.leistung.pk == old else data.leistung
    further = {new if one.pk == old else one for one in data.more_leistungen} - {main}
    return replace(data, leistung=main, more_leistungen=by_key(further))
