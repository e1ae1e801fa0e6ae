"""The form of one service: a sheet of months and regions, what was typed into it, and what that delivers."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import User
from services.models import OnlineService
from transactions import uploads
from transactions.checks import Checked, check
from transactions.models import Delivery, FormEntry
from transactions.queries import form as reading
from transactions.queries.form import Key
from transactions.rows import Rows
from transactions.values import REMOVE, parse_count
from zsk import months

# What a browser, a request of at most 1,000 fields and a kept form (accounts.resume) carry without trouble.
MAX_CELLS = 500
MAX_ROWS = 420
# More rows than these nobody fills in one by one; they are shown only when asked for.
OPENED_ROWS = 120
MAX_MONTHS = 24
MOST_CHARACTERS = 40


class TooLarge(Exception):
    """So many regions and months are more fields than the form holds."""

    def __init__(self, regions: int, months: int) -> None:
        super().__init__(f"{regions} × {months}")
        self.regions, self.months = regions, months


@dataclass(frozen=True)
class Change:
    """A field that says something else than it showed; `shown` None where nothing was stored."""

    ars: str
    month: dt.date
    text: str
    shown: int | None


@dataclass(frozen=True)
class Sheet:
    """`shown`: what each field showed when it was first seen; `typed`: the fields' texts as sent."""

    service: OnlineService
    months: tuple[dt.date, ...]
    regions: tuple[str, ...]
    shown: dict[Key, int | None] = field(default_factory=dict)
    typed: dict[Key, str] = field(default_factory=dict)

    def text(self, key: Key) -> str:
        """What stands in the field."""
        shown = self.shown.get(key)
        return self.typed.get(key, "" if shown is None else str(shown))

    def fields(self) -> Iterable[Key]:
        return ((ars, month) for ars in self.regions for month in self.months)

    def changes(self) -> list[Change]:
        """In the order of the sheet: these are the rows of the delivery."""
        return [
            Change(*key, text, self.shown.get(key))
            for key in self.fields()
            if (text := self.typed.get(key, "")) and not _says(text, self.shown.get(key))
        ]

    def emptied(self) -> list[Key]:
        """Fields of stored values that were left empty; that changes nothing."""
        return [
            key for key in self.fields() if self.shown.get(key) is not None and self.typed.get(key, "-") == ""
        ]


def _says(text: str, shown: int | None) -> bool:
    value = parse_count(text)
    return value == shown and value != REMOVE


def tidy(text: str) -> str:
    """A field's text as it is checked: one line, without what a database cannot hold."""
    return " ".join(text.replace("\0", "").split())[:MOST_CHARACTERS]


# --- What is shown ---------------------------------------------------------------------------------------


def opened(service: OnlineService, chosen: Collection[dt.date] = ()) -> tuple[Sheet, int]:
    """The form as it is first shown, and how many regions were too many to show (0: all are there)."""
    columns = sorted(chosen) or reading.due_months(service)[-12:]
    regions = reading.usual_regions(service, columns[0])
    if len(regions) > OPENED_ROWS:
        return with_stored(Sheet(service, tuple(columns), ())), len(regions)
    fitting = MAX_CELLS // max(len(regions), 1)
    # What is due matters more than what is running.
    while len(columns) > fitting:
        columns = columns[:-1] if columns[-1] == months.running() else columns[1:]
    return with_stored(Sheet(service, tuple(columns), tuple(regions))), 0


def with_stored(sheet: Sheet) -> Sheet:
    """Fields that are new show what is stored now; the others go on showing what they did."""
    new = [key for key in sheet.fields() if key not in sheet.shown]
    if not new:
        return sheet
    found = reading.stored(sheet.service, {ars for ars, _m in new}, {month for _a, month in new})
    return dataclasses.replace(sheet, shown={**sheet.shown, **{key: found.get(key) for key in new}})


def adjusted(
    sheet: Sheet, *, months: Collection[dt.date] | None = None, regions: Collection[str] = ()
) -> Sheet:
    """Other months, more regions. What was typed stays, with its month. Raises TooLarge."""
    kept = {change.month for change in sheet.changes()}
    columns = sorted(kept.union(sheet.months if months is None else months))
    rows = [*sheet.regions, *sorted(set(regions) - set(sheet.regions))]
    if len(rows) > MAX_ROWS or len(columns) > MAX_MONTHS or len(rows) * len(columns) > MAX_CELLS:
        raise TooLarge(len(rows), len(columns))
    return with_stored(dataclasses.replace(sheet, months=tuple(columns), regions=tuple(rows)))


def filled(sheet: Sheet, cells: dict[Key, str]) -> Sheet:
    """The cells of a pasted block typed in, with the regions and months that they need. Raises TooLarge."""
    columns = {*sheet.months, *(month for _ars, month in cells)}
    larger = adjusted(sheet, months=columns, regions={ars for ars, _month in cells})
    return dataclasses.replace(larger, typed={**larger.typed, **cells})


# --- What it delivers ------------------------------------------------------------------------------------


def check_changes(sheet: Sheet, changes: list[Change], *, by: User) -> Checked:
    """The check of every delivery; row 0 is the first change, line 2 of what is kept."""
    rows = Rows.of(
        service=None,
        ars=[change.ars for change in changes],
        month=[f"{change.month:%Y-%m}" for change in changes],
        count=[change.text for change in changes],
    )
    return check(rows, by=by, service=sheet.service)


@transaction.atomic
def submit(sheet: Sheet, *, by: User, instead_of: Delivery | None) -> Delivery:
    """Keeps the changes as a delivery that waits for confirmation, as an uploaded file does.

    `instead_of`: an earlier one of the same form that was not taken over; it is thrown away.
    """
    changes = sheet.changes()
    content = _content(changes)
    channel = Delivery.Channel.FORM
    delivery = uploads.receive(lambda: [content], name="", by=by, service=sheet.service, channel=channel)
    FormEntry.objects.create(delivery=delivery, data=_data(sheet, changes))
    if instead_of:
        # It may have been taken over or thrown away this very moment, in another window.
        with suppress(uploads.NotWaiting, uploads.UnderWay):
            uploads.discard(instead_of)
    return delivery


def _content(changes: list[Change]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\n")
    writer.writerow(["ars", "monat", "anzahl"])
    writer.writerows([change.ars, f"{change.month:%Y-%m}", change.text] for change in changes)
    return buffer.getvalue().encode()


def _data(sheet: Sheet, changes: list[Change]) -> dict[str, object]:
    return {
        "months": [f"{month:%Y-%m}" for month in sheet.months],
        "regions": list(sheet.regions),
        "cells": [[one.ars, f"{one.month:%Y-%m}", one.text, one.shown] for one in changes],
        "emptied": [[ars, f"{month:%Y-%m}"] for ars, month in sheet.emptied()],
    }


# --- What was sent, seen again ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Differs:
    """A sent value whose stored one is no longer what the form showed."""

    change: Change
    region: str
    stored: int | None


def _entry(delivery: Delivery) -> FormEntry | None:
    """What the form sent; None when that is no longer kept. One query for each delivery in hand."""
    return getattr(delivery, "form_entry", None)


def sent_changes(delivery: Delivery) -> list[Change]:
    """What the form sent, row by row; empty when that is no longer kept."""
    entry = _entry(delivery)
    cells = entry.data["cells"] if entry else []
    return [Change(ars, _month(month), text, shown) for ars, month, text, shown in cells]


def emptied_fields(delivery: Delivery) -> int:
    """How many stored values' fields were left empty, which changed nothing."""
    entry = _entry(delivery)
    return len(entry.data["emptied"]) if entry else 0


def reopened(delivery: Delivery) -> Sheet | None:
    """The form with everything typed, beside what is stored now; None when it is no longer kept."""
    entry = _entry(delivery)
    if entry is None or delivery.service is None:
        return None
    data = entry.data
    typed = {(ars, _month(month)): text for ars, month, text, _shown in data["cells"]}
    columns = tuple(_month(text) for text in data["months"])
    return with_stored(Sheet(delivery.service, columns, tuple(data["regions"]), typed=typed))


def differing(delivery: Delivery, names: dict[str, str]) -> list[Differs]:
    """Where somebody changed what is stored since the form was opened. One query."""
    changes = sent_changes(delivery)
    if not changes or delivery.service is None:
        return []
    regions, columns = {one.ars for one in changes}, {one.month for one in changes}
    now = reading.stored(delivery.service, regions, columns)
    return [
        Differs(one, names.get(one.ars, one.ars), now.get((one.ars, one.month)))
        for one in changes
        if now.get((one.ars, one.month)) != one.shown
    ]


def _month(text: str) -> dt.date:
    return dt.date.fromisoformat(f"{text}-01")
