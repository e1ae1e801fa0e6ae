"""Where reference data come from, as an operator sets it: address, token and schedule of each source."""

from __future__ import annotations

from dataclasses import dataclass, field

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from zsk import env

# Sources and when they are asked without another setting: minute, hour, day of month, month, day of week.
NAMES = {
    "ozg": "15 2 * * *",
    "fim": "45 2 * * *",
    "gebietsaenderungen": "0 3 * * 1",
    "regionen": "15 3 * * 1",
    "gv100ad": "30 3 * * 1",
    "gemeinden": "45 3 1 * *",
}


@dataclass(frozen=True)
class Feed:
    """One source: without an address it is not asked, and files can be read all the same."""

    address: str
    token: str = field(repr=False)
    schedule: crontab


def feeds() -> dict[str, Feed]:
    """From `SYNC_<NAME>_URL`, `SYNC_<NAME>_TOKEN` (or `_TOKEN_FILE`) and `SYNC_<NAME>_SCHEDULE`."""
    return {name: _feed(f"SYNC_{name.upper()}", usual) for name, usual in NAMES.items()}


def _feed(prefix: str, usual: str) -> Feed:
    schedule = env.text(f"{prefix}_SCHEDULE", usual)
    try:
        when = crontab.from_string(schedule)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{prefix}_SCHEDULE={schedule!r}: erwartet werden fünf Felder wie „15 2 * * *“."
        ) from error
    return Feed(env.text(f"{prefix}_URL", "").rstrip("/"), env.text(f"{prefix}_TOKEN", ""), when)
