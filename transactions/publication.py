"""Publishing a service: from then on its counts are part of every public figure."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from services.models import OnlineService, ServiceState


@transaction.atomic
def publish(
    service: OnlineService,
    *,
    depth: OnlineService.Depth = OnlineService.Depth.GEMEINDE,
    by: User | None,
    at: dt.datetime | None = None,
) -> None:
    """Shows the service and its counts to everyone, with regions down to `depth`; again only changes that.

    Locks the service's state against deliveries, so that the totals across services miss nothing.
    """
    current = _locked(service)
    if current.published_at is None:
        current.published_at = at or timezone.now()
        _add_to_region_totals(current, sign=1)
    current.published_depth = depth
    _save(current, service)
    audit.record(by=by, action="Veröffentlicht", target=service, detail=f"Regionen bis {depth.label}")


@transaction.atomic
def withdraw(service: OnlineService, *, by: User | None) -> None:
    """Takes the service and its counts out of everything public; nothing is deleted."""
    current = _locked(service)
    if current.published_at is None:
        return
    current.published_at = None
    _add_to_region_totals(current, sign=-1)
    _save(current, service)
    audit.record(by=by, action="Veröffentlichung zurückgenommen", target=service)


def _locked(service: OnlineService) -> OnlineService:
    ServiceState.objects.get_or_create(service=service)
    ServiceState.objects.select_for_update().get(service=service)
    return OnlineService.objects.get(pk=service.pk)


def _save(current: OnlineService, service: OnlineService) -> None:
    current.save(update_fields=["published_at", "published_depth"])
    service.published_at, service.published_depth = current.published_at, current.published_depth
    state = ServiceState.objects.get(service=service)
    state.version += 1
    state.save(update_fields=["version"])


def _add_to_region_totals(service: OnlineService, *, sign: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO region_total_delta (month, region, total, rows)"
            " SELECT month, region, %(sign)s * total, %(sign)s * rows"
            " FROM monthly_total WHERE service_id = %(pk)s",
            {"sign": sign, "pk": service.pk},
        )
