"""Who and what the demo invents numbers for. The Leistungsschlüssel are real, all else is an assumption."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from accounts.models import Authority
from services.models import OnlineService, ReportingLevel

BUND, LAND, KREIS, GEMEINDE, MIXED = ReportingLevel
GERMANY = ""  # prefix of every key


class DemoAuthority(NamedTuple):
    name: str
    level: Authority.Level
    ars: str
    parent: str = ""


class DemoPortal(NamedTuple):
    kuerzel: str
    name: str
    authority: str


class Rhythm(StrEnum):
    """How and how often a service's counts arrive."""

    PORTAL = "portal"  # in the monthly push of its portal
    PUSH = "push"  # by its own key, every month, the running one included
    MONTHLY = "monatlich"  # a file each month
    QUARTERLY = "quartalsweise"  # a file each quarter
    FORM = "formular"  # typed in each month
    NEVER = "nie"


# A year from January to December; the mean is 1 or nearly so.
FLAT = (1.02, 0.98, 1.05, 1.0, 0.98, 0.99, 1.0, 0.95, 1.03, 1.04, 1.0, 0.86)
STUDIES = (0.82, 0.77, 0.87, 0.84, 0.92, 1.06, 1.24, 1.47, 1.68, 1.43, 1.07, 0.84)
NEW_YEAR = (1.62, 1.25, 1.12, 0.98, 0.9, 0.88, 0.86, 0.82, 0.93, 0.94, 0.92, 0.78)
SUMMER = (0.62, 0.68, 0.9, 1.08, 1.25, 1.42, 1.38, 1.18, 1.05, 0.86, 0.78, 0.8)
SPRING = (0.72, 0.85, 1.2, 1.35, 1.3, 1.16, 1.06, 0.92, 0.98, 0.95, 0.83, 0.68)
QUARTERS = (1.42, 0.86, 0.82, 1.32, 0.84, 0.82, 1.3, 0.8, 0.82, 1.3, 0.85, 0.85)
YEAR_END = (0.78, 0.75, 0.82, 0.88, 0.9, 0.92, 0.92, 0.9, 0.98, 1.12, 1.45, 1.58)


@dataclass(frozen=True)
class DemoService:
    """`volume` is the count of a mean month today, `growth` per year; `months`: how many back it reaches.

    `missing`: months ago without any number. `behind`: how many of the last full months have not come yet.
    `delay`: days after the month's end until its delivery. `without`: prefixes of regions that never report.
    """

    name: str
    leistung: str
    authority: str
    level: ReportingLevel
    within: str
    volume: int
    season: tuple[float, ...] = FLAT
    growth: float = 0.12
    rhythm: Rhythm = Rhythm.QUARTERLY
    portal: str = ""
    number: int = 0
    months: int = 36
    delay: int = 6
    behind: int = 0
    ended: int = 0
    missing: tuple[int, ...] = ()
    without: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    published: bool = True
    depth: OnlineService.Depth = OnlineService.Depth.GEMEINDE
    petra: str = ""


AUTHORITIES = (
    DemoAuthority("Bundesministerium des Innern", Authority.Level.BUND, "000000000000"),
    DemoAuthority("Bundesamt für Justiz", Authority.Level.BUND, "000000000000"),
    DemoAuthority("Bundeszentralamt für Steuern", Authority.Level.BUND, "000000000000"),
    DemoAuthority("Auswärtiges Amt", Authority.Level.BUND, "000000000000"),
    DemoAuthority("Deutsche Rentenversicherung Bund", Authority.Level.BUND, "000000000000"),
    DemoAuthority("Bundesamt für Logistik und Mobilität", Authority.Level.BUND, "000000000000"),
    DemoAuthority("Land Schleswig-Holstein", Authority.Level.LAND, "010000000000"),
    DemoAuthority("Freie und Hansestadt Hamburg", Authority.Level.LAND, "020000000000"),
    DemoAuthority("Land Niedersachsen", Authority.Level.LAND, "030000000000"),
    DemoAuthority("Freie Hansestadt Bremen", Authority.Level.LAND, "040000000000"),
    DemoAuthority("Land Nordrhein-Westfalen", Authority.Level.LAND, "050000000000"),
    DemoAuthority("Land Hessen", Authority.Level.LAND, "060000000000"),
    DemoAuthority("Land Rheinland-Pfalz", Authority.Level.LAND, "070000000000"),
    DemoAuthority("Land Baden-Württemberg", Authority.Level.LAND, "080000000000"),
    DemoAuthority("Freistaat Bayern", Authority.Level.LAND, "090000000000"),
    DemoAuthority("Land Berlin", Authority.Level.LAND, "110000000000"),
    DemoAuthority("Land Brandenburg", Authority.Level.LAND, "120000000000"),
    DemoAuthority("Land Mecklenburg-Vorpommern", Authority.Level.LAND, "130000000000"),
    DemoAuthority("Freistaat Sachsen", Authority.Level.LAND, "140000000000"),
    DemoAuthority("Land Sachsen-Anhalt", Authority.Level.LAND, "150000000000"),
    DemoAuthority(
        "Amt für Ausbildungsförderung", Authority.Level.LAND, "150000000000", "Land Sachsen-Anhalt"
    ),
    DemoAuthority("Freistaat Thüringen", Authority.Level.LAND, "160000000000"),
    DemoAuthority("Kreis Dithmarschen", Authority.Level.KOMMUNE, "010510000000"),
    DemoAuthority("Stadt Köln", Authority.Level.KOMMUNE, "053150000000"),
    DemoAuthority("Stadt Frankfurt am Main", Authority.Level.KOMMUNE, "064120000000"),
    DemoAuthority("Landeshauptstadt München", Authority.Level.KOMMUNE, "091620000000"),
    DemoAuthority("Stadt Leipzig", Authority.Level.KOMMUNE, "147130000000"),
)

PORTALS = (
    DemoPortal("bundesportal", "Bundesportal", "Bundesministerium des Innern"),
    DemoPortal("serviceportal-hessen", "Serviceportal Hessen", "Land Hessen"),
    DemoPortal("hamburg-service", "Hamburg Service", "Freie und Hansestadt Hamburg"),
)
BUNDESPORTAL, HESSEN, HAMBURG = (portal.kuerzel for portal in PORTALS)

# Themenfeld, name of the bundle, types, and the Leistungen in it.
BUNDLES: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("bildung", "Ausbildungsförderung", ("2/3",), ("99022001017003",)),
    ("familie-kind", "Geburt und Eheschließung", ("2/3",),
     ("99027002012000", "99059001000000", "99059001104000")),
    ("familie-kind", "Bildung und Teilhabe", ("2/3b",),
     ("99107032017002", "99107032017004", "99107032017005", "99107032017006")),
    ("familie-kind", "Mutterschutz", ("2/3a",), ("99006045129000",)),
    ("querschnittsleistungen", "Ausweise und Meldewesen", ("3",),
     ("99008001011001", "99008001012000", "99008001012011", "99008001014002", "99008002010000",
      "99085001012000", "99085001012010", "99115003012000", "99115005104000", "99115005104001")),
    ("querschnittsleistungen", "Sterbefall", ("2/3",), ("99101004012000", "99101011261000")),
    ("querschnittsleistungen", "Führungszeugnis", ("1",), ("99049001001000",)),
    ("bauen-wohnen", "Bauen", ("4b",), ("99012070006000", "99012070006001")),
    ("bauen-wohnen", "Wohnen", ("2/3",), ("99107022012000", "99107023037000")),
    ("arbeit-ruhestand", "Soziale Sicherung", ("2/3",),
     ("99015004037000", "99107009017000", "99107012017000", "99107062012000")),
    ("arbeit-ruhestand", "Arbeitszeit", ("2/3",), ("99006001006000",)),
    ("gesundheit", "Gesundheitsberufe und Hygiene", ("2/3",), ("99003002022000", "99004002005000")),
    ("steuern-zoll", "Hundesteuer", ("5",),
     ("99102013000000", "99102013002000", "99102013010000", "99102013011000", "99102013070000",
      "99102013104000", "99102013149000")),
    ("steuern-zoll", "Unternehmenssteuern", ("2",),
     ("99102014002000", "99102019120000", "99102021241000", "99102057022000")),
    ("unternehmensfuehrung-entwicklung", "Gewerbe", ("2/3",),
     ("99025002056000", "99050004005000", "99050012104000", "99050178012000")),
    ("mobilitaet-reisen", "Parken und Verkehr", ("2/3b",),
     ("99108001001000", "99108014042000", "99108025001000")),
    ("mobilitaet-reisen", "Güterverkehr und Luftfahrt", ("2",), ("99055031012000", "99080107005001")),
)  # fmt: skip
