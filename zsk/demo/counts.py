"""Invents counts: volume × share of the region × season × growth × chance, the same in every run."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ozgsync.models import Level, RegionVersion
from zsk import months
from zsk.demo.catalogue import MIXED, DemoService

SEED = 20_230_001
MONTHS = 36
# Inhabitants of a Kreis whose number is not known to the reference data.
USUAL_KREIS = 200_000
BY_KREIS_IF_MIXED = ("05", "06", "09")  # of a mixed service: these report by Kreis, the others as a whole

Counts = npt.NDArray[np.int64]


class Place(NamedTuple):
    """A version of a region, for the months in which it is the valid one."""

    ars: str
    level_top: int
    level_bottom: int
    since: dt.date
    until: dt.date
    size: float

    def is_at(self, level: Level) -> bool:
        return self.level_top <= level <= self.level_bottom


class Series(NamedTuple):
    """Counts of one service, months down and places across; -1 where there is nothing to report."""

    months: list[dt.date]
    places: list[Place]
    counts: Counts


def load_places() -> list[Place]:
    """All regions and a size to share volumes by: inhabitants, or an invented part of the Kreis's."""
    rows = RegionVersion.objects.order_by("region", "valid_from").values_list(
        "region", "region__level_top", "region__level_bottom", "valid_from", "valid_to", "inhabitants", "kind"
    )
    found = list(rows)
    of_kreis = {row[0][:5]: row[5] or USUAL_KREIS for row in found if row[1] <= Level.KREIS <= row[2]}
    chance = np.random.default_rng(SEED).lognormal(0, 1.1, len(found))
    parts = [
        (float(luck) * (3.0 if "Stadt" in row[6] else 1.0)) if row[1] > Level.KREIS else 0.0
        for row, luck in zip(found, chance, strict=True)
    ]
    sums: dict[str, float] = {}
    for row, part in zip(found, parts, strict=True):
        if row[2] == Level.GEMEINDE:
            sums[row[0][:5]] = sums.get(row[0][:5], 0.0) + part
    return [
        Place(
            *row[:4],
            row[4] or dt.date.max,
            _size(row, part, of_kreis.get(row[0][:5], USUAL_KREIS), sums.get(row[0][:5], 1.0)),
        )
        for row, part in zip(found, parts, strict=True)
    ]


def _size(row: tuple, part: float, inhabitants: int, parts_of_kreis: float) -> float:
    if row[1] <= Level.KREIS:
        return float(row[5] or inhabitants)
    return inhabitants * part / parts_of_kreis


def invent(service: DemoService, number: int, places: Sequence[Place], *, today: dt.date) -> Series:
    """Counts of the months that the service has reported or is about to report, the running one last."""
    running = months.first_of(today)
    span = months.span(months.shift(running, -service.months), months.shift(running, -service.ended))
    chosen = [place for place in places if _reports(service, place)]
    shares = _shares(service, chosen, span)
    chance = np.random.default_rng([SEED, number])
    noise = chance.lognormal(0, 0.03, (MONTHS * 2, len(chosen)))[: len(span)]
    weather = chance.lognormal(0, 0.012, MONTHS * 2)[: len(span)]
    level = np.array([_level(service, month, running) for month in span]) * weather
    if span[-1] == running:
        level[-1] *= (today.day - 1) / 30.4
    expected = level[:, None] * shares * noise
    counts = chance.poisson(np.minimum(expected, 1e6)).astype(np.int64)
    counts[shares == 0] = -1
    for ago in service.missing:
        counts[[month == months.shift(running, -ago) for month in span]] = -1
    return Series(span, chosen, counts)


def _reports(service: DemoService, place: Place) -> bool:
    inside = place.ars.startswith(service.within) and not place.ars.startswith(service.without or ("x",))
    if not inside:
        return False
    if service.level is MIXED:
        wanted = Level.KREIS if place.ars.startswith(BY_KREIS_IF_MIXED) else Level.LAND
        return place.is_at(wanted)
    level = service.level.level
    return level is not None and place.is_at(level)


def _shares(
    service: DemoService, places: Sequence[Place], span: Sequence[dt.date]
) -> npt.NDArray[np.float64]:
    """Each place's part of a month's volume; 0 in months in which it does not exist."""
    sizes = np.array([service.weights.get(place.ars[:2], place.size) for place in places])
    valid = np.array([[place.since <= month < place.until for place in places] for month in span])
    present = valid * sizes
    totals: npt.NDArray[np.float64] = present.sum(axis=1, keepdims=True)
    return present / np.where(totals > 0, totals, 1.0)


def _level(service: DemoService, month: dt.date, running: dt.date) -> float:
    """The service's whole volume in a month; a new service starts small and catches up within half a year."""
    ago = (running.year - month.year) * 12 + running.month - month.month
    start = 1.0 if service.months >= MONTHS else min(1.0, 0.35 + 0.11 * (service.months - ago))
    growth = (1.0 + service.growth) ** (-ago / 12)
    return float(service.volume * service.season[month.month - 1] * growth * start)
