"""The starter catalogue: Leistungen with real keys, and the 14 Themenfelder of the OZG."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

LEISTUNG_COLUMNS = ("schluessel", "name", "name_source", "confidence")
THEMENFELD_COLUMNS = ("slug", "name")

THEMENFELDER = (
    "Mobilität & Reisen",
    "Bildung",
    "Engagement & Hobby",
    "Ein- & Auswanderung",
    "Unternehmensführung & -entwicklung",
    "Steuern & Zoll",
    "Umwelt",
    "Arbeit & Ruhestand",
    "Familie & Kind",
    "Querschnittsleistungen",
    "Bauen & Wohnen",
    "Forschung & Förderung",
    "Gesundheit",
    "Recht & Ordnung",
)
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "&": " ", "-": " "})


def slug_of(name: str) -> str:
    """`Ein- & Auswanderung` becomes `ein-auswanderung`."""
    return "-".join(name.lower().translate(UMLAUTS).split())


def themenfelder() -> list[tuple[str, str]]:
    return sorted((slug_of(name), name) for name in THEMENFELDER)


def leistung(row: Mapping[str, str]) -> tuple[str, str, str, str]:
    """A row of the source list under our column names."""
    return (
        row["leistungsschluessel"].strip(),
        " ".join(row["name"].split()),
        row["herkunft_des_namens"].strip(),
        row["sicher"].strip(),
    )


def leistungen(rows: Iterable[Mapping[str, str]]) -> list[tuple[str, str, str, str]]:
    """Sorted by key; a key that occurs twice is a fault of the source and raises `ValueError`."""
    result = sorted(leistung(row) for row in rows)
    if len({row[0] for row in result}) != len(result):
        raise ValueError("Ein Leistungsschlüssel steht mehrfach in der Quelle.")
    return result


def read_leistungen(path: Path) -> list[tuple[str, str, str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return leistungen(csv.DictReader(file, delimiter=";"))
