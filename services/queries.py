"""Reading about services for the pages of their people."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from ozgsync.models import Leistung
from services.models import Credential, OnlineService, PortalService, RegistrationDraft
from services.portal_services import open_move
from services.standing import Standing, missing_months, with_standing
from zsk import months


@dataclass(frozen=True)
class Draft:
    """A registration that somebody has begun."""

    pk: int
    title: str
    updated_at: dt.datetime

    @property
    def address(self) -> str:
        return reverse("services:draft", args=[self.pk])

    @property
    def discard_address(self) -> str:
        return reverse("services:discard_draft", args=[self.pk])


def drafts_of(user: User) -> list[Draft]:
    """What this person has begun to register, the latest first. Two queries."""
    rows = RegistrationDraft.objects.filter(user=user).exclude(data={}).exclude(data__has_key="registered")
    drafts = list(rows.order_by("-updated_at"))
    keys = {str(draft.data.get("leistung", "")) for draft in drafts}
    leistungen = dict(Leistung.objects.filter(pk__in=keys).values_list("pk", "name")) if keys else {}
    return [Draft(draft.pk, _title(draft, leistungen), draft.updated_at) for draft in drafts]


def _title(draft: RegistrationDraft, leistungen: dict[str, str]) -> str:
    leistung = leistungen.get(str(draft.data.get("leistung", "")), "")
    return str(draft.data.get("name") or leistung or _("noch ohne Namen"))


@dataclass(frozen=True)
class Task:
    """One step on the way to regular deliveries; `for_editors`: only they may open its page."""

    title: str
    text: str
    address: str
    done: bool
    label: str = ""
    for_editors: bool = False


@dataclass(frozen=True)
class Start:
    """What the start page of a service shows its people."""

    service: OnlineService
    standing: Standing
    last_month: dt.date | None
    last_delivered_at: dt.datetime | None
    next_month: dt.date | None
    due_on: dt.date | None
    portal: PortalService | None
    move: Any
    members: int
    keys: int
    ended: bool


def start_of(service: OnlineService) -> Start:
    """A constant number of queries."""
    state = getattr(service, "state", None)
    found: Any = with_standing(OnlineService.objects.filter(pk=service.pk)).get()
    next_month = next(iter(missing_months(found)), None)
    links = PortalService.objects.current().filter(service=service).select_related("portal")
    return Start(
        service=service,
        standing=Standing(found.standing),
        last_month=state.last_month if state else None,
        last_delivered_at=state.last_delivered_at if state else None,
        next_month=next_month,
        due_on=months.due_on(next_month) if next_month else None,
        portal=links.first(),
        move=open_move(service),
        members=service.memberships.count(),
        keys=Credential.objects.usable().filter(service=service).count(),
        ended=service.ended_on is not None and service.ended_on <= timezone.localdate(),
    )


def first_tasks(start: Start, *, may_edit: bool) -> list[Task]:
    """What makes a registered service a delivering one; once it is, only what this person can still do."""
    base = reverse("services:manage", args=[start.service.number])
    delivered = start.last_delivered_at is not None
    tasks = [
        Task(
            _("Erste Zahlen liefern"),
            _("Als Datei, im Formular oder über die Schnittstelle. Vorher sehen Sie, was sich ändert."),
            f"{reverse_upload()}?service={start.service.number}",
            delivered,
            _("Datei hochladen"),
        ),
        Task(
            _("Zugangsschlüssel anlegen"),
            _("Damit liefert Ihr Verfahren jeden Monat von selbst. Für Dateien brauchen Sie keinen."),
            f"{base}schluessel",
            start.keys > 0 or start.portal is not None,
            _("Schlüssel anlegen"),
            for_editors=True,
        ),
        Task(
            _("Kolleginnen und Kollegen eintragen"),
            _("Damit jemand liefern kann, wenn Sie nicht da sind."),
            f"{base}mitglieder",
            start.members > 1,
            _("Person eintragen"),
            for_editors=True,
        ),
        Task(
            _("Veröffentlichung"),
            _("Der ZSK-Betrieb prüft den Onlineservice und veröffentlicht ihn. Dazu müssen Sie nichts tun."),
            "",
            start.service.published_at is not None,
        ),
    ]
    if not delivered:
        return tasks
    return [task for task in tasks if not task.done and (may_edit or not task.for_editors)]


def reverse_upload() -> str:
    # A page of the room to the right: its name is resolved when it is asked for, nothing is imported.
    return reverse("transactions:upload")
