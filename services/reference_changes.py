"""What a sync of the reference data means for registered services: their people are told, once per run."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import mail
from accounts.models import User
from ozgsync.models import Leistung, SyncChange, SyncRun
from ozgsync.succession import successors_of
from services.models import OnlineService, ServiceMember
from zsk import formats


@dataclass(frozen=True)
class News:
    """What became of a service's Leistung, as a sentence."""

    service: OnlineService
    text: str


def tell() -> int:
    """Mails for every applied run that nobody was told of yet; how many."""
    runs = SyncRun.objects.filter(status=SyncRun.Status.APPLIED, followed_up=False).order_by("pk")
    return sum(_tell(pk) for pk in list(runs.values_list("pk", flat=True)))


@transaction.atomic
def _tell(pk: int) -> int:
    """One mail to each responsible person, about all of their services."""
    run = SyncRun.objects.select_for_update().get(pk=pk)
    if run.followed_up:
        return 0
    SyncRun.objects.filter(pk=pk).update(followed_up=True)
    news = {item.service.pk: item for item in _news(run)}
    members = ServiceMember.objects.filter(
        service__in=news, role=ServiceMember.Role.RESPONSIBLE, user__is_active=True
    ).exclude(user__email="")
    by_person: dict[User, list[News]] = defaultdict(list)
    for member in members.select_related("user").order_by("service__name"):
        by_person[member.user].append(news[member.service_id])
    for person, items in by_person.items():
        mail.send("leistung_changed", to=person.email, context={"person": person, "news": items})
    return len(by_person)


def _news(run: SyncRun) -> list[News]:
    """Of services that are still in use: a Leistung renamed, ended or replaced by this run."""
    changes = run.changes.filter(table="ozgsync_leistung").exclude(kind=SyncChange.Kind.NEW)
    told = {change.key: change for change in changes}
    services = OnlineService.objects.filter(leistung__in=told, ended_on=None).select_related("leistung")
    # A successor may begin later than today.
    successors = successors_of(told, on=dt.date.max)
    found = []
    for service in services:
        if text := _sentence(told[service.leistung_id], service, successors.get(service.leistung_id, ())):
            found.append(News(service, text))
    return found


def _sentence(change: SyncChange, service: OnlineService, successors: Sequence[Leistung]) -> str:
    """Empty where nothing changes for whoever keeps the service."""
    old, new = change.old or {}, change.new
    if new.get("valid_to") and not old.get("valid_to") and service.leistung.valid_to:
        words = {"key": service.leistung, "day": formats.day(service.leistung.valid_to)}
        ended = _("Die Leistung %(key)s endet am %(day)s.") % words
        if not successors:
            return ended + " " + _("Ein Nachfolger ist nicht bekannt; bitte wählen Sie eine andere Leistung.")
        return (
            ended
            + " "
            + _("Ihr Nachfolger: %(names)s.") % {"names": ", ".join(str(leistung) for leistung in successors)}
        )
    if "name" in new and old.get("name") != new["name"]:
        words = {"old": old.get("name"), "new": new["name"]}
        return _("Die Leistung „%(old)s“ heißt jetzt „%(new)s“. Sie müssen nichts tun.") % words
    return ""
