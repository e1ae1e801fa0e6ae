"""Search while typing, over 10,000 Leistungen with as many online services, and all real regions.

- `search_ms_p95`: the slowest of twenty, in milliseconds: names, beginnings, umlauts, keys, typing errors.
"""

from __future__ import annotations

import statistics
import time

from bench import scratch

NUMBER = 10_000
ROUNDS = 5
FIRST = (
    "Anmeldung",
    "Genehmigung",
    "Erlaubnis",
    "Bescheinigung",
    "Befreiung",
    "Änderung",
    "Zulassung",
    "Anzeige",
)
OF_WHAT = (
    "Gewerbe",
    "Hundesteuer",
    "Baumfällung",
    "Straßensperrung",
    "Wohnung",
    "Ausfuhr",
    "Gaststätte",
    "Gerüst",
)
TYPED = (
    "Hundesteuer", "hundest", "Gewerbe anmelden", "Gewerbe Anmeldung", "baumfaellung", "Baumfälung",
    "Strasse", "99100", "99 100 001", "Genehmigung Gaststätte 77", "Genemigung", "Wonung",
    "zulassung ausfuhr", "7777", "Onlinedienst Gerüst", "ge", "erlaubnis",
)  # fmt: skip
PLACES = (
    "Dithmarschen", "Dithmarshen", "Muenchen", "München", "Munchen", "köln", "Bad", "neustadt",
    "Frankfurt am Main", "Frankfrut", "0101", "06412", "064150000000", "6435", "Hanau", "Kreis",
    "Mecklenburg Vorpommern", "st", "Garmisch-Partenkirchen", "Schwabisch Hall",
)  # fmt: skip


def main() -> None:
    with scratch.database():
        _fill()
        from ozgsync.search import find_leistungen, find_regions

        times = []
        for _round in range(ROUNDS):
            for find, texts in ((find_leistungen, TYPED), (find_regions, PLACES)):
                for text in texts:
                    start = time.perf_counter()
                    find(text)
                    times.append((time.perf_counter() - start) * 1_000)
        scratch.report(
            search_ms_p95=statistics.quantiles(times, n=20)[-1], search_ms_p50=statistics.median(times)
        )


def _fill() -> None:
    from django.db import connection

    from ozgsync.models import Leistung, OzgOnlineService

    names = [f"{FIRST[n % 8]} {OF_WHAT[n // 8 % 8]} {n}" for n in range(NUMBER)]
    Leistung.objects.bulk_create(
        [
            Leistung(schluessel=f"99{100_000_000_000 + n:012}", name=name, types=["2"])
            for n, name in enumerate(names)
        ],
        batch_size=2_000,
    )
    OzgOnlineService.objects.bulk_create(
        [
            OzgOnlineService(
                ozg_number=str(n), name=f"Onlinedienst {name}", leistung_id=f"99{100_000_000_000 + n:012}"
            )
            for n, name in enumerate(names)
        ],
        batch_size=2_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
