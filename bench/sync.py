"""Syncs of reference data, from the kept answer to the committed change.

- `sync_regions_vs_copy`, `sync_leistungen_vs_copy`: a first run of 16,000 regions and 10,000 Leistungen over
  a bare COPY of the same rows into the same tables; medians, in turns.
- `sync_…_repeat_vs_copy`: the same answer again, over that COPY.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from bench import scratch

REGIONS, LEISTUNGEN = 16_000, 10_000
ROUNDS = 5
DAY = "2026-06-30"
Rows = Sequence[tuple[Any, ...]]


def main() -> None:
    with scratch.database():
        _prepare()
        figures: dict[str, float] = {}
        for name, content, bare, tables in (
            ("regions", _regions(), _copy_regions, "ozgsync_regionversion, ozgsync_region"),
            ("leistungen", _leistungen(), _copy_leistungen, "ozgsync_leistung"),
        ):
            rounds = [_round(name, content, bare, tables) for _round_number in range(ROUNDS)]
            copy, first, repeat = (statistics.median(times) for times in zip(*rounds, strict=True))
            figures |= {
                f"sync_{name}_vs_copy": first / copy,
                f"sync_{name}_repeat_vs_copy": repeat / copy,
                f"sync_{name}_seconds": first,
            }
        scratch.report(**figures)


def _prepare() -> None:
    from django.conf import settings
    from django.db import connection

    settings.SYNC_ASK_SHARE = 1
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ozgsync_regionchange, ozgsync_regionversion, ozgsync_region CASCADE")
        cursor.execute("TRUNCATE ozgsync_leistung CASCADE")


def _round(name: str, content: bytes, bare: Callable[[], None], tables: str) -> tuple[float, float, float]:
    _empty(tables)
    copy = _seconds(bare)
    _empty(tables)
    source = {"regions": "regionen", "leistungen": "fim"}[name]
    return copy, _seconds(lambda: _sync(source, content)), _seconds(lambda: _sync(source, content))


def _empty(tables: str) -> None:
    from django.db import connection

    from ozgsync.models import GERMANY, Region

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
        if "region" in tables:
            Region.objects.create(ars=GERMANY, name="Deutschland", level_top=0, level_bottom=0)


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _sync(source: str, content: bytes) -> None:
    from ozgsync import sources
    from ozgsync.sync import running

    done = running.run(sources.source(source), file="messung.json", content=iter([content]))
    if done.status not in ("uebernommen", "unveraendert"):
        raise RuntimeError(done.error or done.status)


# --- regions -------------------------------------------------------------------------------------


def _keys() -> list[tuple[str, str]]:
    """Keys and names of 16 Länder, 400 Kreise and their Gemeindeverbände and Gemeinden."""
    found = [(f"{land:02}0000000000", f"Land {land}") for land in range(1, 17)]
    kreise = [f"{land:02}0{kreis:02}" for land in range(1, 17) for kreis in range(25)]
    found += [(f"{kreis}0000000", f"Kreis {kreis}") for kreis in kreise]
    number = (REGIONS - len(found)) // len(kreise)
    for kreis in kreise:
        found += [(f"{kreis}5000{gemeinde:03}", f"Ort {gemeinde}") for gemeinde in range(number)]
    return found[:REGIONS]


def _regions() -> bytes:
    columns = [{"spaltennameTechnisch": name} for name in ("SCHLUESSEL", "BEZEICHNUNG")]
    return json.dumps({"metadaten": {"version": DAY}, "spalten": columns, "daten": _keys()}).encode()


def _copy_regions() -> None:
    from ozgsync.sources import territory

    staged = territory.rows({key: territory.Listed(key, name) for key, name in _keys()})
    _copy("ozgsync_region (ars, name, level_top, level_bottom)", [(r[0], r[1], r[5], r[6]) for r in staged])
    _copy(
        "ozgsync_regionversion (ars, valid_from, name, kind, parent)",
        [(ars, DAY, name, kind, parent or None) for ars, name, kind, _people, parent, *_rest in staged],
    )


# --- Leistungen ----------------------------------------------------------------------------------


def _entries() -> list[tuple[str, str]]:
    return [(f"99{number:012}", f"Leistung Nummer {number}") for number in range(LEISTUNGEN)]


def _leistungen() -> bytes:
    items = [
        {"leistungsschluessel": key, "leistungsbezeichnung": name, "typisierung": ["2"]}
        for key, name in _entries()
    ]
    return json.dumps({"items": items, "total_count": len(items)}).encode()


def _copy_leistungen() -> None:
    columns = "schluessel, name, name_source, confidence, types, focus"
    _copy(f"ozgsync_leistung ({columns})", [(k, n, "FIM", "", ["2"], False) for k, n in _entries()])


def _copy(table: str, rows: Rows) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


if __name__ == "__main__":
    main()
