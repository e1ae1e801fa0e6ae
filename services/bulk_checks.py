"""What a file of services would do: every fault of every row, and what may be there already.

A constant number of queries, whatever the file holds; nothing is written.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Authority
from ozgsync.models import Leistung, Region
from portals.models import Portal
from services import bulk_source
from services.bulk_source import Row
from services.duplicates import Candidate, duplicates_of_all
from services.models import NUMBER, BulkUpload, OnlineService, PortalService, ReportingLevel
from services.superseded import Superseded, superseded

LONGEST = {"kennung": 100, "name": 200, "adresse": 200, "funktionspostfach": 254}
LEVELS = {name: level.value for level in ReportingLevel for name in (level.value, level.label.lower())}
_is_url = URLValidator(schemes=["http", "https"])
_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True)
class Finding:
    """One fault or warning of one row: what stands there, and what would be right."""

    line: int
    column: str
    value: str
    message: str
    is_warning: bool = False
    # The key of the only Leistung that may stand there instead.
    successor: str = ""


@dataclass(frozen=True)
class Ready:
    """A row without faults."""

    line: int
    kennung: str
    service: OnlineService
    area: tuple[Region, ...]


@dataclass(frozen=True)
class Checked:
    """What a file would do; with faults, nothing."""

    rows: list[Row]
    ready: list[Ready]
    faults: list[Finding]
    warnings: list[Finding]
    # Faults that taking the successors would mend.
    curable: int = 0

    @property
    def faulty_rows(self) -> int:
        return len({finding.line for finding in self.faults})


@dataclass
class _Known:
    """Everything that the rows name, read in a constant number of queries."""

    portal: Portal
    leistungen: dict[str, Leistung]
    superseded: dict[str, Superseded]
    take_successors: bool
    authorities: dict[str, Authority]
    regions: dict[str, Region]
    valid: set[str]
    kennungen: set[str]
    kennung_lines: dict[str, int] = field(default_factory=dict)


def check(upload: BulkUpload) -> Checked:
    """Every fault of every row; writes nothing. Raises Unreadable."""
    rows = bulk_source.read(io.BytesIO(bytes(upload.content)), name=upload.file_name)
    portal = Portal.objects.select_related("authority__region").get(pk=upload.portal_id)
    known = _known(portal, rows, take_successors=upload.take_successors)
    faults: list[Finding] = []
    notes: list[Finding] = []
    ready = []
    for row in rows:
        found = _Reader(row, known)
        made = found.ready()
        notes += found.notes
        if found.faults:
            faults += found.faults
        else:
            ready.append(made)
    curable = sum(1 for fault in faults if fault.successor)
    return Checked(rows, ready, faults, [] if faults else [*notes, *_duplicates(ready)], curable)


def _known(portal: Portal, rows: Sequence[Row], *, take_successors: bool) -> _Known:
    keys = {_digits(row["leistungsschluessel"]) for row in rows}
    regions = Region.objects.in_bulk({key for row in rows for key in row["gebiet"].split()})
    valid = Region.objects.valid_in(timezone.localdate()).filter(pk__in=regions)
    names = {row["behoerde"].lower() for row in rows} - {""}
    later = Q(until=None) | Q(until__gt=timezone.localdate())
    taken = PortalService.objects.filter(later, portal=portal).exclude(kennung="")
    leistungen = Leistung.objects.in_bulk(keys)
    return _Known(
        portal=portal,
        leistungen=leistungen,
        superseded=superseded(leistungen.values()),
        take_successors=take_successors,
        authorities=_authorities(names),
        regions=regions,
        valid=set(valid.values_list("pk", flat=True)),
        kennungen=set(taken.values_list("kennung", flat=True)),
    )


def _authorities(names: set[str]) -> dict[str, Authority]:
    if not names:
        return {}
    rows = Authority.objects.annotate(low=Lower("name")).filter(low__in=names)
    return {row.name.lower(): row for row in rows}


def _digits(text: str) -> str:
    return re.sub(r"\s", "", text)


class _Reader:
    """Reads one row; what is wrong with it gathers in `faults`, what was mended in `notes`."""

    def __init__(self, row: Row, known: _Known) -> None:
        self.row, self.known = row, known
        self.faults: list[Finding] = []
        self.notes: list[Finding] = []

    def fault(self, column: str, message: str, value: str | None = None) -> None:
        shown = self.row[column] if value is None else value
        self.faults.append(Finding(self.row.line, column, shown[:120], message))

    def ready(self) -> Ready:
        service = OnlineService(
            name=self.name(),
            leistung=self.leistung(),
            authority=self.authority(),
            reporting_level=self.reporting_level(),
            url=self.url(),
            contact=self.contact(),
            live_from=self.live_from(),
        )
        return Ready(self.row.line, self.kennung(), service, self.area())

    def name(self) -> str:
        if not self.row["name"]:
            self.fault("name", _("Der Name fehlt."))
        return self._short("name")

    def _short(self, column: str) -> str:
        text, most = self.row[column], LONGEST[column]
        if len(text) > most:
            self.fault(
                column,
                _("Das sind %(count)d Zeichen, erlaubt sind %(most)d.") % {"count": len(text), "most": most},
            )
        return text

    def kennung(self) -> str:
        kennung = self._short("kennung")
        if not kennung:
            return ""
        if NUMBER.match(kennung):
            self.fault(
                "kennung",
                _("Das sieht aus wie eine Nummer der ZSK. Nehmen Sie einen eigenen Namen, oder keinen."),
            )
        elif kennung in self.known.kennungen:
            self.fault("kennung", _("Diese Kennung gibt es im Portal schon. Jede darf nur einmal vorkommen."))
        elif (line := self.known.kennung_lines.setdefault(kennung, self.row.line)) != self.row.line:
            self.fault(
                "kennung",
                _("Diese Kennung steht auch in Zeile %(line)d. Jede darf nur einmal vorkommen.")
                % {"line": line},
            )
        return kennung

    def leistung(self) -> Leistung | None:
        text = self.row["leistungsschluessel"]
        key = _digits(text)
        if found := self.known.leistungen.get(key):
            wrong = self.known.superseded.get(key)
            return self._successor(text, wrong) if wrong else found
        if not key:
            message = _("Der Leistungsschlüssel fehlt. Er hat 14 Ziffern und beginnt mit 99.")
        elif "e+" in key.lower():
            message = _(
                "Die Tabellenkalkulation hat den Schlüssel gerundet. Formatieren Sie die Spalte als"
                " Text und tragen Sie die 14 Ziffern neu ein."
            )
        elif not re.fullmatch(r"99[0-9]{12}", key):
            message = _(
                "Ein Leistungsschlüssel hat 14 Ziffern und beginnt mit 99, zum Beispiel 99102013000000."
            )
        else:
            message = _(
                "Diesen Leistungsschlüssel gibt es im Katalog nicht. Suchen Sie den gültigen im FIM-Portal."
            )
        self.fault("leistungsschluessel", message)
        return None

    def _successor(self, text: str, wrong: Superseded) -> Leistung | None:
        only = wrong.successors[0] if len(wrong.successors) == 1 else None
        place = (self.row.line, "leistungsschluessel", text)
        if only is None or not self.known.take_successors:
            self.faults.append(Finding(*place, wrong.message, successor=only.pk if only else ""))
            return None
        note = _("Wird als Nachfolger %(leistung)s registriert.") % {"leistung": only}
        self.notes.append(Finding(*place, note, is_warning=True))
        return only

    def authority(self) -> Authority | None:
        name = self.row["behoerde"]
        found = self.known.authorities.get(name.lower()) if name else self.known.portal.authority
        if found is None:
            words = {"own": self.known.portal.authority}
            self.fault(
                "behoerde",
                _(
                    "Diese Behörde ist nicht eingetragen. Schreiben Sie sie wie in der ZSK, oder lassen"
                    " Sie die Zelle leer: Dann gilt %(own)s."
                )
                % words,
            )
        return found

    def reporting_level(self) -> str:
        level = LEVELS.get(self.row["meldeebene"].lower(), "")
        if not level:
            self.fault("meldeebene", _("Erlaubt sind Bund, Land, Kreis, Gemeinde und gemischt."))
        return level

    def area(self) -> tuple[Region, ...]:
        keys = list(dict.fromkeys(self.row["gebiet"].split()))
        if not keys:
            self.fault(
                "gebiet", _("Das Gebiet fehlt. Nennen Sie mindestens einen Regionalschlüssel mit 12 Ziffern.")
            )
        for key in keys:
            if message := self._area_fault(key):
                self.fault("gebiet", message, key)
        return tuple(self.known.regions[key] for key in keys if key in self.known.regions)

    def _area_fault(self, key: str) -> str:
        if key in self.known.regions:
            return self._misplaced(self.known.regions[key])
        if re.fullmatch(r"[0-9]{11}", key):
            return _("Das sind 11 Ziffern, die führende Null fehlt. Gemeint ist wohl %(key)s.") % {
                "key": f"0{key}"
            }
        if re.fullmatch(r"[0-9]{8}", key):
            return _(
                "Das ist ein Gemeindeschlüssel (AGS) mit 8 Ziffern. Nötig ist der Regionalschlüssel"
                " (ARS) mit 12."
            )
        if not re.fullmatch(r"[0-9]{12}", key):
            return _(
                "Ein Regionalschlüssel hat 12 Ziffern, zum Beispiel 060000000000. Mehrere trennen Sie"
                " durch Leerzeichen."
            )
        return _("Diesen Regionalschlüssel gibt es nicht.")

    def _misplaced(self, region: Region) -> str:
        if region.ars not in self.known.valid:
            return _("%(region)s gibt es heute nicht mehr. Nennen Sie den heutigen Regionalschlüssel.") % {
                "region": region
            }
        own = self.known.portal.authority.region
        if not region.ars.startswith(own.prefix):
            words = {"region": region, "own": own}
            return _("%(region)s liegt außerhalb des Gebiets, für das das Portal da ist: %(own)s.") % words
        return ""

    def url(self) -> str:
        url = self._short("adresse")
        try:
            if url:
                _is_url(url)
        except ValidationError:
            self.fault("adresse", _("Das ist keine vollständige Adresse. Sie beginnt mit https://"))
        return url

    def contact(self) -> str:
        contact = self._short("funktionspostfach")
        try:
            if contact:
                validate_email(contact)
        except ValidationError:
            self.fault(
                "funktionspostfach", _("Das ist keine vollständige E-Mail-Adresse, wie name@behoerde.de.")
            )
        return contact

    def live_from(self) -> dt.date | None:
        text = self.row["in_betrieb_seit"]
        if not text:
            return None
        match = _DAY.fullmatch(text)
        try:
            return (
                dt.date(int(match[3]), int(match[2]), int(match[1])) if match else dt.date.fromisoformat(text)
            )
        except ValueError:
            self.fault(
                "in_betrieb_seit", _("Das ist kein Datum. Schreiben Sie es wie 2024-01-15 oder 15.01.2024.")
            )
            return None


def _duplicates(ready: Sequence[Ready]) -> list[Finding]:
    """Rows like a service that is there, or like a row before them; to be looked at, never refused."""
    candidates = [_candidate(row) for row in ready]
    warnings = []
    seen: dict[tuple[str, str], int] = {}
    for row, candidate, found in zip(ready, candidates, duplicates_of_all(candidates), strict=True):
        if found:
            first = found[0]
            words = {"service": first.service, "why": ", ".join(first.reasons)}
            text = _("Vielleicht ist er schon registriert: %(service)s (%(why)s).") % words
            warnings.append(Finding(row.line, "name", row.service.name, text, is_warning=True))
        same = (candidate.name.casefold(), candidate.leistung)
        if (line := seen.setdefault(same, row.line)) != row.line:
            text = _("Name und Leistung sind dieselben wie in Zeile %(line)d.") % {"line": line}
            warnings.append(Finding(row.line, "name", row.service.name, text, is_warning=True))
    return warnings


def _candidate(row: Ready) -> Candidate:
    prefixes = tuple(region.prefix for region in row.area)
    service = row.service
    return Candidate(service.name, service.leistung_id, service.authority_id, service.url, prefixes)


def by_column(findings: Iterable[Finding]) -> list[tuple[str, int]]:
    """How many findings each column has, the most first."""
    return Counter(finding.column for finding in findings).most_common()
