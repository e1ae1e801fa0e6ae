"""Publishing a service: from then on its counts are part of every public figure."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.utils import timezone

from accounts import audit
from accounts.models import User
from services.models import OnlineService, ServiceState

# Where only the Länder of a service are public, what was reported below them counts in its Land at level 2:
# a Kreis that only this service has numbers for would tell them otherwise. `o` is the service.
SHOWN_REGION = f"""
    CASE WHEN o.published_depth = {OnlineService.Depth.LAND.value}
         THEN rpad(left(region, 2), 12, '0') ELSE region END"""


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
    if current.published_at:
        _add_to_region_totals(current, sign=-1)
    current.published_at = current.published_at or at or timezone.now()
    current.published_depth = depth
    _save(current, service)
    _add_to_region_totals(current, sign=1)
    audit.record(by=by, action="Veröffentlicht", target=service, detail=f"Regionen bis {depth.label}")


@transaction.atomic
def withdraw(service: OnlineService, *, by: User | None) -> None:
    """Takes the service and its counts out of everything public; nothing is deleted."""
    current = _locked(service)
    if current.published_at is None:
        return
    _add_to_region_totals(current, sign=-1)
    current.published_at = None
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
            f"""
            INSERT INTO region_total_delta (month, region, total, rows)
            SELECT month, {SHOWN_REGION}, %(sign)s * sum(total), %(sign)s * sum(rows)
              FROM monthly_total JOIN services_onlineservice o ON o.id = service_id
             WHERE service_id = %(pk)s GROUP BY 1, 2
            """,
            {"sign": sign, "pk": service.pk},
        )
