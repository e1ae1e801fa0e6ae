"""Publishing a service: from then on its counts are part of every public figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts import audit
from accounts.models import User
from services.models import OnlineService, ServiceState

# Where only the Länder of a service are public, what was reported below them counts in its Land at level 2:
# a Kreis that only this service has numbers for would tell them otherwise. `o` is the service.
SHOWN_REGION = f"""
    CASE WHEN o.published_depth = {OnlineService.Depth.LAND.value}
         THEN rpad(left(region, 2), 12, '0') ELSE region END"""


def publish(
    service: OnlineService,
    *,
    depth: OnlineService.Depth = OnlineService.Depth.GEMEINDE,
    by: User | None,
    at: dt.datetime | None = None,
) -> None:
    """Shows the service and its counts to everyone, with regions down to `depth`; again only changes that."""
    publish_many({service.pk: depth}, by=by, at=at)
    service.refresh_from_db(fields=["published_at", "published_depth", "withheld"])


def withdraw(service: OnlineService, *, by: User | None) -> None:
    """Takes the service and its counts out of everything public; nothing is deleted."""
    withdraw_many([service.pk], by=by)
    service.refresh_from_db(fields=["published_at", "published_depth", "withheld"])


@transaction.atomic
def publish_many(
    depths: Mapping[int, OnlineService.Depth], *, by: User | None, at: dt.datetime | None = None
) -> list[OnlineService]:
    """Publishes services by their ids, each down to its depth; those that changed by it.

    Locks their states against deliveries, in order of their ids, so that the totals across services miss
    nothing. The number of queries does not grow with the services.
    """
    found = lock(depths)
    changed = [
        service
        for service in found
        if service.published_at is None or service.published_depth != depths[service.pk]
    ]
    _add_to_region_totals([row.pk for row in changed if row.published_at], sign=-1)
    for depth in OnlineService.Depth:
        same = [row.pk for row in changed if depths[row.pk] == depth]
        OnlineService.objects.filter(pk__in=same).update(
            published_at=Coalesce("published_at", at or timezone.now()), published_depth=depth, withheld=False
        )
    _add_to_region_totals([row.pk for row in changed], sign=1)
    _count_up(changed)
    told = ((row, f"Regionen bis {OnlineService.Depth(depths[row.pk]).label}") for row in changed)
    audit.record_each(by=by, action="Veröffentlicht", targets=told)
    return changed


@transaction.atomic
def withdraw_many(services: Collection[int], *, by: User | None) -> list[OnlineService]:
    """Takes services out of everything public; no release rule brings them back. Those that changed by it.

    One that is not public yet is kept so: only a person publishes it from now on.
    """
    found = lock(services)
    public = [service for service in found if service.published_at]
    kept = [service for service in found if service.published_at is None and not service.withheld]
    _add_to_region_totals([row.pk for row in public], sign=-1)
    OnlineService.objects.filter(pk__in=[row.pk for row in found]).update(published_at=None, withheld=True)
    _count_up(public)
    told = ((row, "") for row in public)
    audit.record_each(by=by, action="Veröffentlichung zurückgenommen", targets=told)
    told = ((row, "") for row in kept)
    audit.record_each(by=by, action="Von Freigaberegeln ausgenommen", targets=told)
    return [*public, *kept]


def lock(services: Collection[int]) -> list[OnlineService]:
    """The services as they are once no delivery is at them; it ends with the transaction."""
    pks = sorted(services)
    ServiceState.objects.bulk_create([ServiceState(service_id=pk) for pk in pks], ignore_conflicts=True)
    list(ServiceState.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))
    return list(OnlineService.objects.filter(pk__in=pks).order_by("pk"))


def _count_up(services: Collection[OnlineService]) -> None:
    """What is public has changed: pages that were kept are out of date."""
    pks = [service.pk for service in services]
    ServiceState.objects.filter(pk__in=pks).update(version=F("version") + 1)


def _add_to_region_totals(services: Collection[int], *, sign: int) -> None:
    if not services:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO region_total_delta (month, region, total, rows)
            SELECT month, {SHOWN_REGION}, %(sign)s * sum(total), %(sign)s * sum(rows)
              FROM monthly_total JOIN services_onlineservice o ON o.id = service_id
             WHERE service_id = ANY(%(pks)s) GROUP BY 1, 2
            """,
            {"sign": sign, "pks": list(services)},
        )
