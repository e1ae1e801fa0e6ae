"""The list of faults and warnings on a page: what the address filters, in words and with suggestions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from transactions.findings import Finding, Text
from transactions.problems import explanation
from transactions.references import names
from zsk import formats

SHOWN = 20
FIELDS = "onlineservice ars monat anzahl"  # as they stand in a file
# What the reader says of the file's head: nothing to mend, only to know.
NOTES = {"spalte_verstanden", "spalte_uebergangen"}
ADVICE: dict[str, Text] = {
    "anzahl_keine_zahl": gettext_lazy("Zeile weglassen oder 0"),
    "anzahl_fehlt": gettext_lazy("Zeile weglassen oder 0"),
    "summenzeile": gettext_lazy("Zeile löschen"),
    "zeile_doppelt": gettext_lazy("eine der Zeilen löschen"),
    "doppelzaehlung": gettext_lazy("Zeile weglassen"),
    "monat_laufend": gettext_lazy("nach dem Monatsende noch einmal liefern"),
    "teil_und_ganzes": gettext_lazy("Werte prüfen"),
    "monat_vor_beginn": gettext_lazy("Monat oder Stammdaten prüfen"),
    "monat_nach_ende": gettext_lazy("Monat oder Stammdaten prüfen"),
    "region_ausserhalb": gettext_lazy("Region oder Einzugsgebiet prüfen"),
}


@dataclass(frozen=True)
class Chip:
    """A choice of the filter; `query` is what stands in its address."""

    label: str
    count: int
    query: str
    current: bool


@dataclass(frozen=True)
class Row:
    """`place`: the field of a form, `Hessen, Mai 2026`; empty where lines of a file are counted."""

    finding: Finding
    region: str
    place: str = ""

    @property
    def advice(self) -> Text:
        fallback = _("Wert prüfen") if self.finding.is_warning else _("kein sicherer Vorschlag")
        return ADVICE.get(self.finding.code, fallback)

    @property
    def help(self) -> str:
        return explanation(self.finding.code)


@dataclass(frozen=True)
class FindingsList:
    """What of a delivery's findings is shown; `hidden` more match the filter."""

    heading: str
    warnings: int
    chips: list[Chip]
    rows: list[Row]
    hidden: int
    notes: list[Finding]

    @property
    def only_warnings(self) -> bool:
        return all(row.finding.is_warning for row in self.rows)


def findings_list(
    findings: Sequence[Finding],
    query: Mapping[str, str],
    *,
    fault_count: int | None = None,
    places: Mapping[int, str] | None = None,
) -> FindingsList:
    """`fault_count`: all faults, where `findings` hold only the first of them. `places`: fields by line."""
    notes = [finding for finding in findings if finding.code in NOTES]
    listed = [finding for finding in findings if finding.code not in NOTES]
    warnings = sum(finding.is_warning for finding in listed)
    faults = len(listed) - warnings if fault_count is None else fault_count
    kind, field = query.get("art", ""), query.get("feld", "")
    chosen = [finding for finding in listed if _matches(finding, kind, field)]
    shown = sorted(chosen, key=lambda finding: (finding.line or 0, finding.is_warning))[:SHOWN]
    return FindingsList(
        _heading(faults, warnings),
        warnings,
        _chips(listed, faults, warnings, kind, field),
        _rows(shown, places or {}),
        len(chosen) - len(shown) + (faults + warnings - len(listed) if len(chosen) == len(listed) else 0),
        notes,
    )


def fault_words(count: int) -> str:
    return f"{formats.number(count)} {_('Fehler')}"


def warning_words(count: int) -> str:
    return ngettext("%(count)s Hinweis", "%(count)s Hinweise", count) % {"count": formats.number(count)}


def _heading(faults: int, warnings: int) -> str:
    said = [fault_words(faults)] * bool(faults) + [warning_words(warnings)] * bool(warnings)
    return formats.enumeration(said)


def _matches(finding: Finding, kind: str, field: str) -> bool:
    of_kind = kind not in ("fehler", "hinweis") or finding.is_warning == (kind == "hinweis")
    return of_kind and (not field or finding.field == field)


def _chips(listed: Sequence[Finding], faults: int, warnings: int, kind: str, field: str) -> list[Chip]:
    chips = [Chip(_("Alle"), faults + warnings, "", not kind and not field)]
    if faults and warnings:
        chips.append(Chip(_("Nur Fehler"), faults, urlencode({"art": "fehler"}), kind == "fehler"))
        chips.append(Chip(_("Nur Hinweise"), warnings, urlencode({"art": "hinweis"}), kind == "hinweis"))
    fields = Counter(finding.field for finding in listed if finding.field)
    if len(fields) > 1 or field:
        ordered = sorted(fields.items(), key=lambda item: (item[0] not in FIELDS, FIELDS.find(item[0])))
        chips += [Chip(name, count, urlencode({"feld": name}), name == field) for name, count in ordered]
    return chips


def _rows(shown: Sequence[Finding], places: Mapping[int, str]) -> list[Row]:
    keys = {finding.suggestion for finding in shown if finding.field == "ars" and finding.suggestion}
    regions = names(keys) if keys else {}
    return [
        Row(
            finding,
            regions.get(finding.suggestion, "") if finding.field == "ars" else "",
            places.get(finding.line or 0, ""),
        )
        for finding in shown
    ]
