"""The pages about faults and warnings: what each means, said with an example, and how to cure it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from transactions.findings import CATALOGUE, Text
from transactions.problems import PROBLEMS, explained

# What stands for the particulars of a finding where none is at hand.
EXAMPLES = {
    "ab": "Januar 2026", "art": "eine alte Excel-Datei (XLS)",
    "bytes": "Byte 0xE4", "erster": "2016-01",
    "erlaubt": "modus, probelauf, anzahl_zeilen, begruendung, umfang, zeilen",
    "feld": "zeilen", "gefunden": "ars, monat, anzahl", "grenze": "200 MB", "groesse": "340 MB",
    "byte": "17", "ist": "ein Text", "laufend": "2026-06", "monat": "Mai 2026",
    "nachfolger": "Hanau (064150000000)", "name": "Hanau", "nummer": "5", "soll": "eine Liste",
    "spalte": "ars", "stellen": "5", "teile": "16", "wert": "Kommentar", "zeile": "7", "zuerst": "4",
    "vorschlag": "060000000000", "service": "OS-000123", "anzahl": "3", "werte": "16", "von": "1.100",
    "bis": "1.400", "grund": "Mai 2024 bis 2025", "abstand": "760 %", "richtung": "darüber",
    "tag": "1. Juli 2026", "vormonat": "April 2026",
}  # fmt: skip
OF_CODE = {
    "begruendung_lang": {"ist": "812", "grenze": "500"},
    "ars_beendet": {"bis": "Dezember 2025"},
    "ars_noch_nicht": {"vorgaenger": "Hanau (064350014014)"},
    "summe_auffaellig": {"ist": "12.040"},
    "wert_auffaellig": {"name": "Hessen", "ist": "12.040"},
    "monat_vor_beginn": {"name": "Hessen", "ist": "12"},
    "monat_nach_ende": {"name": "Hessen", "ist": "12", "tag": "31. März 2026"},
    "region_ausserhalb": {"name": "Bayern", "ist": "12"},
    "regionen_gleich": {"anzahl": "16", "ist": "100"},
    "wie_vormonat": {"anzahl": "16"},
    "json_unlesbar": {"zeile": "3", "spalte": "14"},
    "json_zahl": {"wert": "NaN"},
    "json_doppelt": {"wert": "anzahl"},
    "ars_ebene": {"name": "Hanau", "ist": "Gemeinde", "soll": "Land"},
    "anzahl_typ": {"ist": "ein Text"},
    "doppelzaehlung": {"name": "Hessen"},
    "teil_und_ganzes": {"name": "Hessen"},
    "blatt_gelesen": {"blatt": "2026", "andere": "2025, 2024"},
    "datei_name": {"wert": "zahlen.csv", "art": "eine Excel-Datei (XLSX)"},
    "kopfzeile_fehlt": {"wert": "OS-000123 | 060000000000 | 2026-05 | 1204"},
    "spalte_doppelt": {"gefunden": "ars, Regionalschlüssel"},
    "spalte_uebergangen": {"wert": "ergebnis"},
    "spalte_verstanden": {"wert": "Regionalschlüssel"},
    "zeile_spalten": {"wert": "OS-000123;060000000000;2026-05;1;204"},
    "zeilenzahl": {"soll": "120", "ist": "118"},
    "zeilen_zu_viele": {"ist": "250.000", "grenze": "100.000"},
}


@dataclass(frozen=True)
class Explanation:
    """`message` is empty for errors of the interface as such; `status` is theirs alone."""

    code: str
    title: Text
    message: str
    cure: Text
    warning: bool = False
    status: int | None = None


def explanation_of(code: str) -> Explanation | None:
    found = explained(code)
    if found is None:
        return None
    title, message, cure = found
    problem, kind = PROBLEMS.get(code), CATALOGUE.get(code)
    examples = defaultdict(lambda: "…", {**EXAMPLES, **OF_CODE.get(code, {})})
    return Explanation(
        code, title, str(message) % examples if message else "", cure,
        warning=bool(kind and kind.warning and not problem), status=problem.status if problem else None,
    )  # fmt: skip


def of_findings() -> list[Explanation]:
    """Everything that can be said of a file or a row, in the order of the catalogue."""
    return [found for code in CATALOGUE if (found := explanation_of(code))]


def of_problems() -> list[Explanation]:
    return [found for code in PROBLEMS if (found := explanation_of(code))]
