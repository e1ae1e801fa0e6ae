"""A small country with all that is special about Germany's regions, and what tests deliver there."""

import datetime as dt
import io
from typing import Any

import numpy as np

from ozgsync.models import GERMANY, Level, Region, RegionChange, RegionVersion
from services.models import OnlineService
from tests.factories import UserFactory
from transactions.checks import Checked, check, month_number
from transactions.delivery import deliver
from transactions.models import Delivery
from transactions.rows import Rows
from transactions.sources import delimited

LONG_AGO = dt.date(2016, 1, 1)
MAY = dt.date(2025, 5, 1)
HESSEN, BERLIN, DARMSTADT = "060000000000", "110000000000", "064000000000"
MKK, FULDA, FRANKFURT = "064350000000", "066310000000", "064120000000"
HANAU_OLD, HANAU = "064350014014", "064150000000"
MAINTAL, GELNHAUSEN, KUENZELL = "064350019019", "064350010010", "066310015015"
EISENACH_OLD, EISENACH, WARTBURG = "160560000000", "160630105105", "160630000000"
OSTERODE, GOETTINGEN = "031560000000", "031590000000"
VERBAND, DEIDESHEIM = "073325001000", "073325001009"

_REGIONS: list[tuple[str, str, Level, Level, str, str]] = [
    (GERMANY, "Deutschland", Level.BUND, Level.BUND, "", ""),
    (HESSEN, "Hessen", Level.LAND, Level.LAND, "", ""),
    (BERLIN, "Berlin", Level.LAND, Level.GEMEINDE, "", ""),
    (DARMSTADT, "Darmstadt", Level.REGBEZ, Level.REGBEZ, "", ""),
    (MKK, "Main-Kinzig-Kreis", Level.KREIS, Level.KREIS, "", ""),
    (FULDA, "Fulda", Level.KREIS, Level.KREIS, "", ""),
    (FRANKFURT, "Frankfurt am Main", Level.KREIS, Level.GEMEINDE, "", ""),
    (HANAU_OLD, "Hanau", Level.VERBAND, Level.GEMEINDE, "", "2026-01-01"),
    (HANAU, "Hanau", Level.KREIS, Level.GEMEINDE, "2026-01-01", ""),
    (MAINTAL, "Maintal", Level.VERBAND, Level.GEMEINDE, "", ""),
    (GELNHAUSEN, "Gelnhausen", Level.VERBAND, Level.GEMEINDE, "", ""),
    (KUENZELL, "Künzell", Level.VERBAND, Level.GEMEINDE, "", ""),
    (EISENACH_OLD, "Eisenach", Level.KREIS, Level.GEMEINDE, "", "2021-07-01"),
    (EISENACH, "Eisenach", Level.VERBAND, Level.GEMEINDE, "2021-07-01", ""),
    (WARTBURG, "Wartburgkreis", Level.KREIS, Level.KREIS, "", ""),
    (OSTERODE, "Osterode am Harz", Level.KREIS, Level.KREIS, "", "2016-11-01"),
    (GOETTINGEN, "Göttingen", Level.KREIS, Level.KREIS, "2016-11-01", ""),
    (VERBAND, "Deidesheim (Verbandsgemeinde)", Level.VERBAND, Level.VERBAND, "", ""),
    (DEIDESHEIM, "Deidesheim", Level.GEMEINDE, Level.GEMEINDE, "", ""),
]
_CHANGES = [
    ("hanau", HANAU_OLD, HANAU, "2026-01-01"),
    ("eisenach", EISENACH_OLD, EISENACH, "2021-07-01"),
    ("goettingen", OSTERODE, GOETTINGEN, "2016-11-01"),
]


def create() -> None:
    Region.objects.bulk_create(
        Region(ars=ars, name=name, level_top=top, level_bottom=bottom)
        for ars, name, top, bottom, _since, _until in _REGIONS
    )
    RegionVersion.objects.bulk_create(
        RegionVersion(
            region_id=ars,
            name=name,
            valid_from=dt.date.fromisoformat(since) if since else LONG_AGO,
            valid_to=dt.date.fromisoformat(until) if until else None,
        )
        for ars, name, _top, _bottom, since, until in _REGIONS
    )
    for key, old, new, day in _CHANGES:
        date = dt.date.fromisoformat(day)
        kind = RegionChange.Kind.REKEY
        RegionChange.objects.create(
            change_id=key, kind=kind, old_id=old, new_id=new, effective=date, statistically=date, share=1
        )


def csv_file(*rows: str, head: str = "onlineservice;ars;monat;anzahl") -> io.BytesIO:
    return io.BytesIO("\n".join([head, *rows, ""]).encode())


def row(service: OnlineService, ars: str, count: int | str, month: dt.date | str = MAY) -> str:
    text = month if isinstance(month, str) else f"{month:%Y-%m}"
    return f"{service.number};{ars};{text};{count}"


def checked(*rows: str, scope: Any = None, by: Any = None) -> Checked:
    """Rows as a file's lines, checked for somebody who may deliver for every service."""
    read = delimited.read(csv_file(*rows), single_service=False)
    return check(read, by=by or UserFactory.build(pk=1, is_operations=True), scope=scope)


def new_delivery(**values: Any) -> Delivery:
    return Delivery(**{"channel": Delivery.Channel.FILE, "actor": "Test", **values})


def delivered(*rows: str, scope: Any = None, **values: Any) -> Delivery:
    return deliver(checked(*rows, scope=scope), new_delivery(**values))


def nothing(*, scope: Any, by: Any) -> Checked:
    return check(Rows.of(service=[], ars=[], month=[], count=[]), by=by, scope=scope)


def many(
    service: OnlineService, regions: list[str], number: int, *, count: int, start: dt.date = LONG_AGO
) -> Checked:
    """That many valid rows: regions in turn, month after month from `start`, beyond today if need be."""
    index = np.arange(number)
    keys = np.array(sorted(regions), "S12")
    return Checked(
        service=np.full(number, service.pk),
        month=month_number(start) + index // len(regions),
        ars=keys[index % len(regions)],
        count=np.full(number, count),
        row=index,
        row_count=number,
        faults=[],
        warnings=[],
        services=[service.pk],
    )
