"""The Gemeindeverzeichnis GV100AD of Destatis: names, kinds and inhabitants, one file a quarter.

Fixed width, UTF-8 since about 2019 and ISO-8859-1 before; `gv100ad-py` reads the records. Its keys have the
Gemeinde before the Gemeindeverband, the ARS has them the other way round.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator

from gv100ad import (
    District,
    FederalState,
    GovernmentRegion,
    GV100ADReader,
    MunicipalAssociation,
    Municipality,
)
from gv100ad.entities.base_record import BaseRecord
from gv100ad.entities.municipality_type import MunicipalityType

from ozgsync.models import GERMANY
from ozgsync.naming import REGBEZ_KINDS, gemeinde_kind, pad, split_name, strip_prefix, tidy, verband_name
from ozgsync.sources import territory
from ozgsync.sources.territory import Listed
from ozgsync.sync.protocol import Parsed, Skipped, SourceFault

FEWEST = 1_000
_TOWNS = {
    MunicipalityType.KREISFREIE_STADT, MunicipalityType.STADTKREIS, MunicipalityType.STADT,
    MunicipalityType.GROSSE_KREISSTADT,
}  # fmt: skip
_KINDS = {
    MunicipalityType.MARKT: "Markt", MunicipalityType.GROSSE_KREISSTADT: "Große Kreisstadt",
    MunicipalityType.GEMEINDEFREIES_GEBIET_BEWOHNT: "Gemeindefreies Gebiet",
    MunicipalityType.GEMEINDEFREIES_GEBIET_UNBEWOHNT: "Gemeindefreies Gebiet",
}  # fmt: skip


class Gemeindeverzeichnis(territory.OneFile):
    name = "gv100ad"
    title = "Destatis: Gemeindeverzeichnis GV100AD"
    accept = "text/plain"

    def parse(self, pieces: Iterator[bytes], *, cursor: str) -> Parsed:
        skipped = Skipped()
        records = _records(_text(b"".join(pieces)), skipped)
        if len(records) < FEWEST:
            raise SourceFault(f"Die Datei hat nur {len(records)} Datensätze; erwartet werden etwa 16.000.")
        skipped.judge(len(records) + skipped.count)
        days = {record.timestamp for record in records}
        if len(days) > 1:
            raise SourceFault("Die Datensätze haben verschiedene Gebietsstände.")
        day: dt.date = days.pop()
        return Parsed(
            version=f"GV100AD {day}", day=day, rows={"incoming_regions": territory.rows(_listed(records))},
            complete=not skipped.count, warnings=skipped.warnings,
        )  # fmt: skip


def _text(content: bytes) -> str:
    if content.lstrip()[:1] == b"<":
        raise SourceFault("Die Antwort ist HTML, meist eine Fehlerseite; erwartet wird eine Datei GV100AD.")
    if content[:2] == b"PK":
        raise SourceFault("Die Antwort ist ein ZIP-Archiv; geben Sie die Datei GV100AD daraus an.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("iso-8859-1")


def _records(text: str, skipped: Skipped) -> list[BaseRecord]:
    records = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            records += GV100ADReader(io.StringIO(line)).read()
        except ValueError as error:
            skipped.note(f"Zeile {number}: {error}; ausgelassen.")
    return records


def _listed(records: list[BaseRecord]) -> dict[str, Listed]:
    """From the top down: of a key that is Kreis and Gemeinde the Kreis names it. Inhabitants add up."""
    listed: dict[str, Listed] = {GERMANY: Listed(GERMANY, "Deutschland")}
    inhabitants: dict[str, int] = {}
    for record in records:
        if (found := _region(record)) is None:
            continue
        known = listed.get(found.ars)
        listed[found.ars] = found if known is None else known._replace(postcode=found.postcode)
        if isinstance(record, Municipality):
            for key in {found.ars, *(pad(found.ars[:length]) for length in (0, 2, 3, 5, 9))}:
                inhabitants[key] = inhabitants.get(key, 0) + record.inhabitants
    return {ars: region._replace(inhabitants=inhabitants.get(ars)) for ars, region in listed.items()}


def _region(record: BaseRecord) -> Listed | None:
    """None for what has no key of its own: planning regions, the Verband that a Gemeinde is for itself."""
    name = tidy(record.name)
    match record:
        case FederalState():
            return Listed(pad(record.regional_code), name)
        case GovernmentRegion():
            return Listed(pad(record.regional_code), *strip_prefix(name, REGBEZ_KINDS))
        case District():
            kind = record.type.name.replace("_", " ").capitalize() if record.type.value else ""
            return Listed(pad(record.regional_code), split_name(name)[0], _stadt(kind))
        case MunicipalAssociation() if record.association.startswith("5"):
            ars = pad(record.regional_code + record.association)
            plain, kind = verband_name(ars, name, {})
            return Listed(ars, plain, "" if kind == "Gemeindeverband" else kind)
        case Municipality():
            return _gemeinde(record, name)
    return None


def _stadt(kind: str) -> str:
    return kind.replace("freie stadt", "freie Stadt")


def _gemeinde(record: Municipality, official: str) -> Listed:
    ars = record.regional_code[:5] + record.association + record.regional_code[5:]
    name, addition = split_name(official)
    kind = _KINDS.get(record.type) or gemeinde_kind(addition, "Stadt" if record.type in _TOWNS else "")
    return Listed(ars, name, kind, postcode=record.postal_code)
