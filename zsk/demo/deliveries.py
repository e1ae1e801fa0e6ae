"""Who delivered what when: invented histories of deliveries, in the order of their arrival."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from django.utils import timezone

from zsk import months
from zsk.demo.catalogue import DemoService, Rhythm
from zsk.demo.counts import Series

# Months that the first delivery of a service brings at once; the others come in their rhythm.
LAST_SINGLE_MONTHS = 12
CORRECTED, CORRECTED_AGO = 123, 7
SINGLE = {Rhythm.PORTAL, Rhythm.PUSH, Rhythm.MONTHLY, Rhythm.FORM}


@dataclass
class Parcel:
    """One delivery to be made; `rows` are (service number, ars, month, count), an empty count takes back."""

    at: dt.datetime
    numbers: list[int]
    rhythm: Rhythm
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    file_name: str = ""
    reason: str = ""
    faulty: bool = False

    def content(self) -> bytes:
        """What was sent: a file, or the message of a push."""
        names = ("onlineservice", "ars", "monat", "anzahl")
        if self.rhythm in {Rhythm.PORTAL, Rhythm.PUSH}:
            rows = [dict(zip(names, (*row[:3], int(row[3])), strict=True)) for row in self.rows]
            return json.dumps({"zeilen": rows}).encode()
        return "".join(";".join(row) + "\r\n" for row in [names, *self.rows]).encode()


def parcels(number: int, service: DemoService, series: Series, *, now: dt.datetime) -> Iterator[Parcel]:
    """The deliveries of one service up to now."""
    full = [month for month in series.months if month < months.first_of(timezone.localdate(now))]
    full = full[: len(full) - service.behind] if service.behind else full
    for group in _groups(full, service.rhythm):
        at = _arrival(group[-1], service.delay, number, now)
        # What would arrive after now is still to come: the month is due, or late.
        if at and (rows := list(_rows(number, series, group))):
            yield Parcel(at, [number], service.rhythm, rows, _file_name(service, group))
    running = series.months[-1]
    if service.rhythm in {Rhythm.PUSH, Rhythm.PORTAL} and running not in full and not service.behind:
        rows = list(_rows(number, series, [running]))
        yesterday = now - dt.timedelta(days=1)
        if rows and months.first_of(timezone.localdate(yesterday)) == running:
            yield Parcel(_at_night(timezone.localdate(now), number), [number], service.rhythm, rows)


def corrections(number: int, own: list[Parcel], *, now: dt.datetime) -> Iterator[Parcel]:
    """BAföG Digital has it all: a value corrected later, and a file that was refused and sent again."""
    if number != CORRECTED or len(own) < CORRECTED_AGO:
        return
    wrong, last = own[-CORRECTED_AGO], own[-1]
    hessen = next(index for index, row in enumerate(wrong.rows) if row[1] == "060000000000")
    service, ars, month, count = wrong.rows[hessen]
    wrong.rows[hessen] = (service, ars, month, str(int(count) - int(count) // 7))
    right = [(service, ars, month, count)]
    reason = "Eine Woche fehlte im Auszug aus dem Fachverfahren."
    later = wrong.at + dt.timedelta(days=41)
    if later < now:
        yield Parcel(later, [number], Rhythm.FORM, right, reason=reason)
    damaged = [(text, ars.lstrip("0"), month, count) for text, ars, month, count in last.rows]
    early = last.at - dt.timedelta(minutes=25)
    yield Parcel(early, [number], last.rhythm, damaged, last.file_name, faulty=True)


def _groups(full: list[dt.date], rhythm: Rhythm) -> list[list[dt.date]]:
    if rhythm is Rhythm.NEVER or not full:
        return []
    cut = max(len(full) - LAST_SINGLE_MONTHS, 1)
    history, rest = full[:cut], full[cut:]
    if rhythm in SINGLE:
        return [history, *([month] for month in rest)]
    # Quarterly: what follows the last full quarter comes with the next one, or at the end of the list.
    return [history, *(rest[start : start + 3] for start in range(0, len(rest), 3))]


def _arrival(last: dt.date, delay: int, number: int, now: dt.datetime) -> dt.datetime | None:
    day = months.shift(last, 1) + dt.timedelta(days=delay + number % 5)
    at = timezone.make_aware(dt.datetime.combine(day, dt.time(8 + number % 9, number * 7 % 60)))
    return at if at < now else None


def _at_night(day: dt.date, number: int) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(0, 5 + number % 50)))


def _file_name(service: DemoService, group: list[dt.date]) -> str:
    if service.rhythm not in {Rhythm.MONTHLY, Rhythm.QUARTERLY}:
        return ""
    first, last = f"{group[0]:%Y-%m}", f"{group[-1]:%Y-%m}"
    return f"Fallzahlen {first}.csv" if first == last else f"Fallzahlen {first} bis {last}.csv"


def _rows(number: int, series: Series, group: list[dt.date]) -> Iterator[tuple[str, str, str, str]]:
    text = f"OS-{number:06d}"
    for month in group:
        index = series.months.index(month)
        for column in np.flatnonzero(series.counts[index] >= 0):
            yield text, series.places[column].ars, f"{month:%Y-%m}", str(series.counts[index, column])


def merge_portals(all_parcels: Iterable[tuple[str, Parcel]]) -> list[tuple[str, Parcel]]:
    """Services of one portal arrive together, in one push a month; then everything in order of arrival."""
    together: dict[tuple[str, str], Parcel] = {}
    single: list[tuple[str, Parcel]] = []
    for portal, parcel in all_parcels:
        if parcel.rhythm is not Rhythm.PORTAL:
            single.append((portal, parcel))
            continue
        key = (portal, parcel.rows[-1][2])
        if held := together.get(key):
            held.rows += parcel.rows
            held.numbers += parcel.numbers
            held.at = max(held.at, parcel.at)
        else:
            together[key] = parcel
    joined = [(portal, parcel) for (portal, _month), parcel in together.items()]
    return sorted(single + joined, key=lambda item: item[1].at)
