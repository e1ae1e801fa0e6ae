"""Writing the history of master data: one entry for each change, with everything that belongs to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from services.models import MASTER_DATA_HISTORY, OnlineService

REGISTERED, CHANGED = "+", "~"
BATCH = 2000


def remember(
    service: OnlineService, *, by: User | None, kind: str = CHANGED, at: dt.datetime | None = None
) -> None:
    """Keep the service's master data as they are now; its area and further Leistungen are written already."""
    remember_all([service], by=by, kind=kind, at=at)


def remember_all(
    services: Sequence[OnlineService], *, by: User | None, kind: str, at: dt.datetime | None = None
) -> None:
    """As many queries for 5,000 services as for one, but for the size of a batch."""
    versions: Any = OnlineService.history.model
    names = [field.attname for field in versions.tracked_fields]
    actor = by.display_name if by else _("System")
    entries = versions.objects.bulk_create(
        [
            versions(
                history_date=at or timezone.now(), history_type=kind, history_user=by, actor=actor[:200],
                **{name: getattr(service, name) for name in names},
            )
            for service in services
        ],
        batch_size=BATCH,
    )  # fmt: skip
    by_service = {entry.id: entry for entry in entries}
    for field, model in MASTER_DATA_HISTORY.m2m_models.items():
        _keep_list(field, model, by_service)


def _keep_list(field: Any, model: Any, by_service: dict[int, Any]) -> None:
    through = field.remote_field.through
    other = field.m2m_reverse_name()
    rows = through.objects.filter(onlineservice__in=by_service).values_list("pk", "onlineservice_id", other)
    kept = [
        model(**{"history": by_service[pk], "id": row, "onlineservice_id": pk, other: key})
        for row, pk, key in rows
    ]
    model.objects.bulk_create(kept, batch_size=BATCH)


def remember_beginning(service: OnlineService) -> None:
    """For a service that came without history: what is stored, before its first change is written."""
    if not OnlineService.history.filter(id=service.pk).exists():
        stored = OnlineService.objects.get(pk=service.pk)
        remember(stored, by=None, kind=REGISTERED, at=stored.created_at)
