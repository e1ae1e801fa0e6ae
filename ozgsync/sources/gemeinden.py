"""The list of all Gemeinden that the Bundeswahlleiterin publishes with each election: keys, names, postcodes.

CSV in UTF-8 with a head of comments that names the Gebietsstand. A city that is divided among constituencies
has several rows; a Gemeinde without a Gemeindeverband stands there with Verband `0000`.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator, Mapping

from ozgsync.naming import (
    REGBEZ_KINDS,
    ars_of,
    gemeinde_name,
    pad,
    split_name,
    strip_prefix,
    tidy,
    verband_name,
)
from ozgsync.sources import territory
from ozgsync.sources.territory import Listed
from ozgsync.sync.protocol import Parsed, SourceFault

COLUMNS = ("RGS_Land", "RGS_RegBez", "RGS_Kreis", "RGS_GemVerband", "RGS_Gemeinde")
NAMES = ("Landname", "RegBez-Name", "Kreisname", "GemVerband-Name", "Gemeindename", "PLZ-GemVerwaltung")
_STATE = re.compile(r"Gebietsstand: ([0-9]{2})\.([0-9]{2})\.([0-9]{4})")


class Gemeinden(territory.OneFile):
    name = "gemeinden"
    title = "Bundeswahlleiterin: Gemeinden"
    accept = "text/csv"

    def parse(self, pieces: Iterator[bytes], *, cursor: str) -> Parsed:
        try:
            text = b"".join(pieces).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SourceFault(f"Die Datei ist nicht in UTF-8 (Byte {error.start}).") from error
        state = _STATE.search(text)
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        rows = csv.DictReader(lines, delimiter=";")
        missing = [name for name in (*COLUMNS, *NAMES) if name not in (rows.fieldnames or ())]
        if state is None or missing:
            what = f"die Spalten {', '.join(missing)}" if missing else "die Zeile mit dem Gebietsstand"
            raise SourceFault(f"In der Datei fehlen {what}. Erwartet wird die Liste der Gemeinden als CSV.")
        day = dt.date(*(int(part) for part in reversed(state.groups())))
        staged = {"incoming_regions": territory.rows(_listed(rows))}
        return Parsed(version=f"Gemeinden {day}", day=day, rows=staged, complete=True)


def _listed(rows: Iterator[Mapping[str, str]]) -> dict[str, Listed]:
    listed: dict[str, Listed] = {}
    for number, row in enumerate(rows, start=1):
        parts = [row[name] or "" for name in COLUMNS]
        ars = ars_of(*parts)
        if [len(part) for part in parts] != [2, 1, 2, 4, 3] or not ars.isdecimal():
            raise SourceFault(f"Zeile {number} unter der Kopfzeile hat keinen ganzen Schlüssel: {parts}.")
        for region in _regions(ars, row):
            known = listed.setdefault(region.ars, region)
            if region.postcode and not known.postcode:
                listed[region.ars] = known._replace(postcode=region.postcode)
    if not listed:
        raise SourceFault("Die Liste hat keine Zeilen.")
    return listed


def _regions(ars: str, row: Mapping[str, str]) -> Iterator[Listed]:
    """A Gemeinde and what is above it, from the top; kinds only where a name tells them."""
    yield Listed(pad(ars[:2]), tidy(row["Landname"]))
    if row["RegBez-Name"]:
        yield Listed(pad(ars[:3]), *strip_prefix(tidy(row["RegBez-Name"]), REGBEZ_KINDS))
    yield Listed(pad(ars[:5]), split_name(row["Kreisname"])[0])
    if row["GemVerband-Name"]:
        verband = pad(ars[:9])
        name, kind = verband_name(verband, row["GemVerband-Name"], {})
        yield Listed(verband, name, "" if kind == "Gemeindeverband" else kind)
    name, kind = gemeinde_name(ars, row["Gemeindename"], {})
    told = kind if "," in row["Gemeindename"] else ""
    yield Listed(ars, name, told, postcode=row["PLZ-GemVerwaltung"].strip()[:5])
