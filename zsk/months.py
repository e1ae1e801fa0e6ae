"""Months as dates of their first day, and the calendar of deliveries (Europe/Berlin)."""

import datetime as dt

from django.conf import settings
from django.utils import timezone


def first_of(day: dt.date) -> dt.date:
    return day.replace(day=1)


def shift(month: dt.date, months: int) -> dt.date:
    """The first day of the month so many months later (earlier when negative)."""
    index = month.year * 12 + month.month - 1 + months
    return dt.date(index // 12, index % 12 + 1, 1)


def running() -> dt.date:
    """The month that is not over yet."""
    return first_of(timezone.localdate())


def last_full() -> dt.date:
    """The last month that is over; moves at midnight without any delivery."""
    return shift(running(), -1)


def due_on(month: dt.date) -> dt.date:
    """The day until which a month's counts are expected."""
    return shift(month, 1).replace(day=settings.DUE_DAY)


def span(first: dt.date, last: dt.date) -> list[dt.date]:
    """All months from the first to the last, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [shift(first, index) for index in range(count)]


def parse(text: str | None) -> dt.date | None:
    """`2025-05` as the machines write it; None for anything else."""
    try:
        return dt.date.fromisoformat(f"{text}-01") if text and len(text) == 7 else None
    except ValueError:
        return None
