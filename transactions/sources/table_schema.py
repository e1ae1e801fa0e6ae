"""A file's columns as a Table Schema (https://specs.frictionlessdata.io/table-schema/), for programs.

It says what a program should write; what people write, `Mai 2026` or `1 204`, is understood as well.
"""

from __future__ import annotations

from typing import Any

from services.models import PortalService
from transactions.sources.tables import FIELDS, SYNONYMS
from transactions.values import ARS, FIRST_MONTH, MAX_COUNT, REMOVING

_COLUMNS: dict[str, dict[str, Any]] = {
    "onlineservice": {
        "title": "Onlineservice",
        "description": "Nummer in der ZSK oder Kennung im Portal. Die Spalte darf fehlen, wo nur für einen "
        "Onlineservice geliefert wird.",
        "type": "string",
        "example": "OS-000123",
        "constraints": {
            "required": True,
            "minLength": 1,
            "maxLength": PortalService._meta.get_field("kennung").max_length,
        },
    },
    "ars": {
        "title": "Amtlicher Regionalschlüssel",
        "description": "12 Ziffern mit führender Null. Die Region gab es in dem Monat, und sie liegt auf der "
        "Meldeebene des Onlineservice.",
        "type": "string",
        "example": "060000000000",
        "constraints": {"required": True, "pattern": f"^{ARS}$"},
    },
    "monat": {
        "title": "Monat",
        "description": "Jahr und Monat, JJJJ-MM, nicht in der Zukunft.",
        "type": "yearmonth",
        "example": "2026-05",
        "constraints": {"required": True, "minimum": f"{FIRST_MONTH:%Y-%m}"},
    },
    "anzahl": {
        "title": "Anzahl der Transaktionen",
        "description": "Ganze Zahl ab 0; „löschen“ nimmt den gespeicherten Wert zurück, leer ist ein Fehler.",
        "type": "integer",
        "example": "1204",
        "constraints": {"minimum": 0, "maximum": MAX_COUNT},
    },
}


def table_schema() -> dict[str, Any]:
    """Ready for JSON. What takes a value back is a missing value, and an empty cell is not: it is a fault."""
    return {
        "title": "Transaktionszahlen für die Zentrale Statistikkomponente",
        "fields": [{"name": name, **_COLUMNS[name], "synonyme": sorted(SYNONYMS[name])} for name in FIELDS],
        "missingValues": list(REMOVING),
        "primaryKey": ["onlineservice", "ars", "monat"],
    }
