"""What the preview of an upload asks for anew: the services it names, and the stored sums of months."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from services.models import OnlineService
from transactions.models import ServiceMonth
from transactions.reviews import Review
from transactions.staging import ServiceMonthDiff


@dataclass(frozen=True)
class MonthChange:
    """A service's sum of a month before and after; None where nothing is reported."""

    service: OnlineService
    month: dt.date
    before: int | None
    after: int | None

    @property
    def difference(self) -> int:
        return (self.after or 0) - (self.before or 0)


def named_services(review: Review) -> dict[int, OnlineService]:
    """The services that the preview names, of all that the file is for."""
    named = {part.service_id for part in review.newest} | {value.service_id for value in review.changed}
    named |= {row.service_id for row in review.sample} | set(review.services[:1])
    return OnlineService.objects.in_bulk(named)


def published(review: Review) -> int:
    """How many of the services that would change are published."""
    return OnlineService.objects.filter(pk__in=review.touched_services, published_at__isnull=False).count()


def month_changes(review: Review, services: dict[int, OnlineService]) -> list[MonthChange]:
    """The newest months that would change, each service's sum before and after."""
    stored = {
        (row.service_id, row.month): row
        for row in ServiceMonth.objects.filter(
            service__in={part.service_id for part in review.newest},
            month__in={part.month for part in review.newest},
        )
    }
    return [
        _month_change(part, services[part.service_id], stored.get((part.service_id, part.month)))
        for part in review.newest
    ]


def _month_change(part: ServiceMonthDiff, service: OnlineService, stored: ServiceMonth | None) -> MonthChange:
    total, rows = (stored.total, stored.rows) if stored else (0, 0)
    after = total + part.total if rows + part.rows else None
    return MonthChange(service, part.month, stored.total if stored else None, after)
