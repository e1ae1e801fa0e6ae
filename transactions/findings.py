"""Everything that can be said of a delivered row or file: one catalogue of codes, messages and cures.

A finding keeps its code and its particulars; the sentence is made when somebody reads it, in their language.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

Text = str | Promise


@dataclass(frozen=True)
class Kind:
    """One kind of finding: its name, its sentence (with `%(…)s` for particulars) and how to cure it."""

    title: Text
    message: Text
    cure: Text
    warning: bool = False


class StoredFinding(Protocol):
    """A finding as the database keeps it."""

    code: str
    field: str
    value: str
    line: int | None
    suggestion: str
    params: dict[str, Any]
    pointer: str
    service_id: int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or warning; `row` is the position in the delivery (from 0), `line` what the sender counts.

    `service`: whose numbers it is about, where the finding says so.
    """

    code: str
    field: str = ""
    value: str = ""
    line: int | None = None
    row: int | None = None
    suggestion: str = ""
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    pointer: str = ""
    service: int | None = None

    @classmethod
    def from_stored(cls, row: StoredFinding) -> Finding:
        return cls(
            row.code, row.field, row.value, row.line,
            suggestion=row.suggestion, params=row.params, pointer=row.pointer, service=row.service_id,
        )  # fmt: skip

    @property
    def kind(self) -> Kind:
        return CATALOGUE[self.code]

    @property
    def is_warning(self) -> bool:
        return self.kind.warning

    @property
    def message(self) -> str:
        return message(self.code, value=self.value, suggestion=self.suggestion, params=self.params)


def message(code: str, *, value: str, suggestion: str, params: dict[str, Any]) -> str:
    """The sentence of a finding in the language that is active now."""
    spoken = {name: _spoken(text) for name, text in params.items()}
    # Findings that were kept before predecessors were named have none.
    spoken.setdefault("vorgaenger", _spoken("keiner bekannt"))
    return str(CATALOGUE[code].message) % {"wert": value, "vorschlag": suggestion, **spoken}


# Particulars are kept in German; these are said in the reader's language.
WORDS: dict[str, Text] = {
    "ein Wahrheitswert": _("ein Wahrheitswert"), "eine ganze Zahl": _("eine ganze Zahl"),
    "eine Zahl": _("eine Zahl"), "eine Kommazahl": _("eine Kommazahl"), "ein Text": _("ein Text"),
    "eine Liste": _("eine Liste"), "ein Objekt": _("ein Objekt"), "die Nachricht": _("die Nachricht"),
    "„ergaenzen“ oder „ersetzen“": _("„ergaenzen“ oder „ersetzen“"),
    "„true“ oder „false“": _("„true“ oder „false“"),
    "Onlineservice:Monat, zum Beispiel OS-000123:2026-05": _("Onlineservice:Monat, zum Beispiel OS-000123:2026-05"), "keiner bekannt": _("keiner bekannt"),
    "darüber": _("darüber"), "darunter": _("darunter"),
}  # fmt: skip


def _spoken(text: Any) -> Any:
    if not isinstance(text, str) or get_language() == settings.LANGUAGE_CODE:
        return text
    if word := WORDS.get(text):
        return str(word)
    if not _MONTHS.fullmatch(text):
        return text
    return _NAME.sub(lambda name: gettext(name[0]), text).replace(" bis ", gettext(" bis "))


# Months as `formats.month()` writes them, whose names it has given to translators: `Mai 2025`,
# `Mai 2024 bis April 2025`, `Mai 2023 bis 2025`; days: `10. Mai 2025`.
_NAME = re.compile("Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember")
_MONTHS = re.compile(
    rf"([0-9]{{1,2}}\. )?({_NAME.pattern}) [0-9]{{4}}( bis (({_NAME.pattern}) )?[0-9]{{4}})?"
)


_LIST = _("Öffnen Sie die Liste der Regionen oder suchen Sie den Namen der Region.")
_TEXT_COLUMN = _(
    "Formatieren Sie in der Tabellenkalkulation die Spalte ars als Text, bevor Sie die Schlüssel eintragen."
)
_OMIT = _(
    "Lassen Sie die Zeile weg, wenn die Angabe fehlt. Schreiben Sie 0, wenn es keine Transaktionen gab."
)
_MONTH_FORM = _("Schreiben Sie den Monat als Jahr und Monat, zum Beispiel 2026-05.")

CATALOGUE: dict[str, Kind] = {
    # --- the file or the message as a whole ---
    "datei_art": Kind(
        _("Die Datei ist weder CSV noch XLSX"),
        _("Das ist %(art)s. Gelesen werden CSV und XLSX."),
        _("Öffnen Sie die Tabelle in Ihrer Tabellenkalkulation, ohne Kennwort, und wählen Sie Speichern unter: XLSX oder CSV (UTF-8). Laden Sie die neue Datei hoch."),
    ),
    "datei_name": Kind(
        _("Die Datei ist etwas anderes, als ihr Name sagt"),
        _("Die Datei heißt „%(wert)s“, ist aber %(art)s."),
        _("Prüfen Sie, ob es die richtige Datei ist. Ist sie es, geben Sie ihrem Namen die Endung, die zu ihr passt: .csv oder .xlsx."),
    ),
    "datei_beschaedigt": Kind(
        _("Die XLSX-Datei ist beschädigt"), _("Die XLSX-Datei ist beschädigt oder unvollständig."),
        _("Öffnen Sie die Datei in Ihrer Tabellenkalkulation und speichern Sie sie neu als XLSX. Öffnet auch diese sie nicht, wurde sie nicht vollständig übertragen."),
    ),
    "datei_zu_gross": Kind(
        _("Die XLSX-Datei ist ausgepackt zu groß"), _("Die XLSX-Datei ist ausgepackt zu groß, um gelesen zu werden."),
        _("Kopieren Sie nur die vier Spalten in eine neue Tabelle, oder teilen Sie die Datei auf, zum Beispiel nach Jahren."),
    ),
    "datei_zu_breit": Kind(
        _("Die Tabelle hat zu viele Spalten"), _("In Zeile %(zeile)s stehen Zellen hinter Spalte 256."),
        _("Löschen Sie alles, was neben den vier Spalten der Tabelle steht."),
    ),
    "datei_leer": Kind(
        _("Die Datei ist leer"), _("Die Datei enthält keine Zeilen mit Zahlen."),
        _("Unter der Kopfzeile onlineservice;ars;monat;anzahl muss mindestens eine Zeile stehen."),
    ),
    "anzahl_nirgends": Kind(
        _("Die Vorlage ist noch leer"), _("In keiner Zeile steht eine Anzahl."),
        _("Tragen Sie in die Spalte anzahl die Zahlen ein: 0, wenn es keine Transaktionen gab. Löschen Sie die Zeilen, deren Zahl Sie nicht kennen."),
    ),
    "datei_zu_viele_zeilen": Kind(
        _("Die Datei hat zu viele Zeilen"), _("Die Datei hat %(ist)s Zeilen; auf einmal sind %(grenze)s erlaubt."),
        _("Teilen Sie die Datei auf, zum Beispiel nach Jahren."),
    ),
    "abgebrochen": Kind(
        _("Die Bearbeitung ist abgebrochen"),
        _("Wir konnten die Lieferung mehrmals nicht zu Ende bearbeiten. Es wurde nichts gespeichert."),
        _("Der Fehler liegt bei uns. Senden Sie dieselbe Lieferung später noch einmal; bleibt der Fehler, schreiben Sie dem ZSK-Betrieb."),
    ),
    "zurueckgezogen": Kind(
        _("Die Lieferung ist zurückgezogen"),
        _("Wer diese Lieferung gesendet hat, hat sie zurückgezogen, bevor sie fertig war. Es wurde nichts gespeichert."),
        _("Senden Sie die Lieferung noch einmal, wenn sie doch gelten soll."),
    ),
    "zugang_widerrufen": Kind(
        _("Der Zugang ist widerrufen"),
        _("Der Zugang, der diese Lieferung gesendet hat, wurde widerrufen, bevor sie an der Reihe war. Es wurde nichts gespeichert."),
        _("Senden Sie die Lieferung mit einem gültigen Zugang noch einmal."),
    ),
    "datei_zeichen": Kind(
        _("Die Datei enthält unlesbare Zeichen"),
        _("In Zeile %(zeile)s stehen Zeichen, die nicht zum Rest der Datei passen (%(bytes)s)."),
        _("Speichern Sie die Datei mit der Zeichenkodierung UTF-8."),
    ),
    "datei_anfuehrung": Kind(
        _("Ein Anführungszeichen wird nicht geschlossen"),
        _("Ab Zeile %(zeile)s ist die Datei nicht lesbar: Ein Anführungszeichen wird nicht geschlossen."),
        _("Schließen Sie das Anführungszeichen in dieser Zeile oder löschen Sie es."),
    ),
    "zeile_zu_lang": Kind(
        _("Eine Zeile ist zu lang"), _("Zeile %(zeile)s ist zu lang, um eine Zeile dieser Datei zu sein."),
        _("Prüfen Sie, ob die Datei eine Tabelle ist und jede Zeile mit einem Zeilenumbruch endet."),
    ),
    "kopfzeile_fehlt": Kind(
        _("Die Kopfzeile fehlt"), _("Die erste Zeile ist keine Kopfzeile. Gelesen wurde: %(wert)s"),
        _("Die erste Zeile muss die Spalten nennen: onlineservice;ars;monat;anzahl"),
    ),
    "spalte_fehlt": Kind(
        _("Eine Spalte fehlt"), _("Die Spalte %(spalte)s fehlt. Gefunden wurden: %(gefunden)s"),
        _("Ergänzen Sie die Spalte. Nötig sind onlineservice, ars, monat und anzahl; die Reihenfolge ist frei."),
    ),
    "spalte_doppelt": Kind(
        _("Eine Spalte steht zweimal da"), _("Die Spalte %(spalte)s kommt mehrfach vor: %(gefunden)s"),
        _("Löschen Sie die überzählige Spalte."),
    ),
    "spalte_unbekannt": Kind(
        _("Eine Spalte ist unbekannt"), _("Die Spalte „%(wert)s“ ist unbekannt."),
        _("Löschen Sie die Spalte. Erlaubt sind onlineservice, ars, monat und anzahl."),
    ),
    "spalte_ohne_kopf": Kind(
        _("Eine Spalte hat keine Überschrift"),
        _("Spalte %(nummer)s hat keine Überschrift, aber Inhalt, zum Beispiel in Zeile %(zeile)s: „%(wert)s“."),
        _("Löschen Sie die Spalte oder benennen Sie sie."),
    ),
    "zeile_spalten": Kind(
        _("Die Zeile hat zu viele Spalten"), _("Die Zeile hat mehr Spalten als die Kopfzeile: „%(wert)s“."),
        _("Prüfen Sie, ob in der Zeile ein Trennzeichen zu viel steht, zum Beispiel in der Zahl."),
    ),
    "json_unlesbar": Kind(
        _("Die Nachricht ist kein gültiges JSON"),
        _("Die Nachricht ist kein gültiges JSON: In Zeile %(zeile)s ist sie ab Spalte %(spalte)s nicht lesbar."),
        _("Senden Sie gültiges JSON in UTF-8. Das Beispiel in der Dokumentation der Schnittstelle läuft."),
    ),
    "json_kodierung": Kind(
        _("Die Nachricht ist nicht in UTF-8"), _("Die Nachricht ist nicht in UTF-8: Byte %(byte)s passt nicht dazu."),
        _("Kodieren Sie die Nachricht als UTF-8."),
    ),
    "json_zahl": Kind(
        _("Die Nachricht enthält etwas, das in JSON keine Zahl ist"), _("„%(wert)s“ ist in JSON keine zulässige Zahl."),
        _("Schreiben Sie Zahlen als Ziffern aus und null, wo ein gespeicherter Wert zurückgenommen werden soll."),
    ),
    "json_doppelt": Kind(
        _("Ein Feld steht zweimal im selben Objekt"), _("Das Feld „%(wert)s“ steht zweimal im selben Objekt."),
        _("Nennen Sie jedes Feld eines Objekts nur einmal."),
    ),
    "json_tiefe": Kind(
        _("Die Nachricht ist zu tief verschachtelt"), _("Die Nachricht ist zu tief verschachtelt."),
        _("Eine Lieferung ist ein Objekt mit einer Liste von Zeilen. Vergleichen Sie sie mit dem Beispiel."),
    ),
    "json_zeichen": Kind(
        _("Die Nachricht enthält ein Zeichen, das es in Texten nicht gibt"),
        _("Die Nachricht enthält ein Nullzeichen oder ein halbes Unicode-Zeichen."),
        _("Entfernen Sie das Zeichen (\\u0000 oder ein einzelnes aus \\ud800 bis \\udfff)."),
    ),
    "feld_fehlt": Kind(
        _("Ein Feld fehlt"), _("Das Feld „%(feld)s“ fehlt."), _("Ergänzen Sie das Feld."),
    ),
    "feld_unbekannt": Kind(
        _("Ein Feld ist unbekannt"), _("Das Feld „%(feld)s“ ist unbekannt. Erlaubt sind: %(erlaubt)s"),
        _("Löschen Sie das Feld oder korrigieren Sie seinen Namen."),
    ),
    "feld_typ": Kind(
        _("Ein Feld hat den falschen Typ"), _("Das Feld „%(feld)s“ muss %(soll)s sein, nicht %(ist)s."),
        _("Senden Sie den Wert im genannten Typ."),
    ),
    "zeilenzahl": Kind(
        _("Die Zahl der Zeilen stimmt nicht"),
        _("Angekündigt sind %(soll)s Zeilen, angekommen sind %(ist)s."),
        _("Prüfen Sie, ob die Nachricht vollständig übertragen wurde, oder lassen Sie anzahl_zeilen weg."),
    ),
    "zeilen_leer": Kind(
        _("Die Nachricht hat keine Zeilen"), _("Die Liste „zeilen“ ist leer."),
        _("Senden Sie mindestens eine Zeile. Leer darf die Liste nur sein, wenn „modus“ „ersetzen“ ist: Dann nimmt sie alles zurück, was „umfang“ nennt."),
    ),
    "zeilen_zu_viele": Kind(
        _("Zu viele Zeilen"), _("Die Nachricht hat %(ist)s Zeilen; auf einmal sind %(grenze)s erlaubt, mit „Prefer: respond-async“ bis zu 5.000.000."),
        _("Senden Sie dieselbe Nachricht mit dem Kopf „Prefer: respond-async“, oder teilen Sie sie auf."),
    ),
    "begruendung_lang": Kind(
        _("Die Begründung ist zu lang"), _("Die Begründung hat %(ist)s Zeichen; erlaubt sind %(grenze)s."),
        _("Fassen Sie sich kürzer."),
    ),
    "umfang_fehlt": Kind(
        _("Der Umfang fehlt"), _("Beim Ersetzen muss „umfang“ sagen, welche Monate welcher Onlineservices gemeint sind."),
        _("Nennen Sie in „umfang“ jeden Monat, der danach genau die gesendeten Zeilen enthalten soll."),
    ),
    "umfang_zu_gross": Kind(
        _("Der Umfang ist zu groß"), _("„umfang“ hat %(ist)s Einträge; auf einmal sind %(grenze)s erlaubt."),
        _("Teilen Sie die Lieferung auf mehrere Nachrichten auf."),
    ),
    "umfang_ueberfluessig": Kind(
        _("Der Umfang passt nicht zum Modus"), _("„umfang“ gilt nur beim Ersetzen, der Modus ist aber „ergaenzen“."),
        _("Lassen Sie „umfang“ weg oder senden Sie „modus“: „ersetzen“."),
    ),
    "umfang_fremd": Kind(
        _("Die Zeile liegt außerhalb des Umfangs"), _("Der Monat steht für diesen Onlineservice nicht in „umfang“."),
        _("Nehmen Sie den Monat in „umfang“ auf oder lassen Sie die Zeile weg."),
    ),
    # --- onlineservice ---
    "onlineservice_fehlt": Kind(
        _("Der Onlineservice fehlt"), _("Hier fehlt die Nummer des Onlineservices."),
        _("Tragen Sie die ZSK-Nummer ein, zum Beispiel OS-000123, oder die Kennung Ihres Portals."),
    ),
    "onlineservice_unbekannt": Kind(
        _("Der Onlineservice ist unbekannt"),
        _("Diesen Onlineservice gibt es nicht, oder Sie dürfen für ihn nicht liefern."),
        _("Prüfen Sie die Nummer auf der Seite Ihrer Onlineservices. Für andere liefert deren Behörde."),
    ),
    "onlineservice_mehrdeutig": Kind(
        _("Die Kennung ist mehrdeutig"), _("Diese Kennung führen mehrere Ihrer Portale."),
        _("Nennen Sie stattdessen die ZSK-Nummer, zum Beispiel OS-000123."),
    ),
    # --- ars ---
    "ars_fehlt": Kind(
        _("Der Regionalschlüssel fehlt"), _("Hier fehlt der Regionalschlüssel (ARS)."),
        _("Tragen Sie die 12 Ziffern der Region ein. Für ganz Deutschland: 000000000000."),
    ),
    "ars_fuehrende_null": Kind(
        _("Dem Regionalschlüssel fehlt die führende Null"),
        _("Dem Regionalschlüssel fehlt die führende Null: Er hat 11 statt 12 Ziffern. Das macht Excel, wenn die Spalte als Zahl gespeichert wird."),
        _TEXT_COLUMN,
    ),
    "ars_exponent": Kind(
        _("Der Regionalschlüssel ist als große Zahl gespeichert"),
        _("Der Regionalschlüssel steht in der Schreibweise für große Zahlen da. Seine Ziffern sind verloren."),
        _TEXT_COLUMN,
    ),
    "ars_ags": Kind(
        _("Das ist ein Gemeindeschlüssel (AGS)"),
        _("Das sind 8 Ziffern, also ein Amtlicher Gemeindeschlüssel (AGS). Gebraucht wird der Regionalschlüssel (ARS) mit 12 Ziffern."),
        _LIST,
    ),
    "ars_laenge": Kind(
        _("Der Regionalschlüssel hat nicht 12 Ziffern"), _("Der Regionalschlüssel hat %(stellen)s statt 12 Ziffern."),
        _LIST,
    ),
    "ars_zeichen": Kind(
        _("Der Regionalschlüssel enthält andere Zeichen als Ziffern"),
        _("Der Regionalschlüssel besteht nur aus 12 Ziffern."), _LIST,
    ),
    "ars_unbekannt": Kind(
        _("Der Regionalschlüssel ist unbekannt"), _("Diesen Regionalschlüssel gibt es nicht."), _LIST,
    ),
    "ars_beendet": Kind(
        _("Die Region gab es in dem Monat nicht mehr"),
        _("%(name)s gab es unter diesem Schlüssel nur bis %(bis)s. Nachfolger: %(nachfolger)s."),
        _("Melden Sie ab diesem Monat für die Region, die an ihre Stelle getreten ist."),
    ),
    "ars_noch_nicht": Kind(
        _("Die Region gab es in dem Monat noch nicht"),
        _("%(name)s gibt es unter diesem Schlüssel erst ab %(ab)s. Vorgänger: %(vorgaenger)s."),
        _("Melden Sie frühere Monate für die Region, die es damals gab."),
    ),
    "ars_ebene": Kind(
        _("Die Region hat die falsche Ebene"),
        _("%(name)s ist auf der Ebene %(ist)s. Dieser Onlineservice meldet auf der Ebene %(soll)s."),
        _("Melden Sie für Regionen der Ebene, die in den Stammdaten des Onlineservices steht, oder lassen Sie dort die Meldeebene ändern."),
    ),
    "ebene_gespeichert": Kind(
        _("Der Monat hat Zahlen einer anderen Ebene"),
        _("Für %(monat)s sind schon Zahlen der Ebene %(ist)s gespeichert. Mit denen der Ebene %(soll)s zusammen würde doppelt gezählt."),
        _("Nehmen Sie die gespeicherten Zahlen in derselben Lieferung zurück: Schreiben Sie „löschen“ als Anzahl, in JSON null, oder ersetzen Sie dort den ganzen Monat."),
    ),
    # --- monat ---
    "monat_fehlt": Kind(_("Der Monat fehlt"), _("Hier fehlt der Monat."), _MONTH_FORM),
    "monat_unlesbar": Kind(
        _("Der Monat ist nicht lesbar"), _("Das ist kein Monat. Schreiben Sie ihn als Jahr und Monat, zum Beispiel 2026-05."),
        _MONTH_FORM,
    ),
    "monat_form": Kind(
        _("Der Monat hat die falsche Form"), _("Die Schnittstelle erwartet den Monat als JJJJ-MM."), _MONTH_FORM,
    ),
    "monat_gibt_es_nicht": Kind(
        _("Diesen Monat gibt es nicht"),
        _("Diesen Monat gibt es nicht: Monate gehen von 1 bis 12. Schreiben Sie ihn als Jahr und Monat, zum Beispiel 2026-05."),
        _MONTH_FORM,
    ),
    "monat_nur_jahr": Kind(
        _("Das ist ein Jahr, kein Monat"), _("Hier steht nur ein Jahr. Transaktionszahlen werden je Monat gemeldet."),
        _("Melden Sie jeden Monat des Jahres in einer eigenen Zeile."),
    ),
    "monat_quartal": Kind(
        _("Das ist ein Quartal, kein Monat"), _("Hier steht ein Quartal. Transaktionszahlen werden je Monat gemeldet."),
        _("Melden Sie jeden Monat des Quartals in einer eigenen Zeile."),
    ),
    "monat_tag": Kind(
        _("Das ist ein Tag, kein Monat"), _("Hier steht ein anderer Tag als der Monatserste. Gemeldet wird je Monat."),
        _MONTH_FORM,
    ),
    "monat_zukunft": Kind(
        _("Der Monat liegt in der Zukunft"), _("Dieser Monat hat noch nicht begonnen. Der laufende Monat ist %(laufend)s."),
        _("Prüfen Sie das Jahr. Liefern Sie den Monat, sobald er begonnen hat, am besten nach seinem Ende."),
    ),
    "monat_zu_frueh": Kind(
        _("Der Monat liegt zu weit zurück"), _("Die ZSK nimmt Monate ab %(erster)s an."), _("Lassen Sie die Zeile weg."),
    ),
    # --- anzahl ---
    "anzahl_fehlt": Kind(_("Die Anzahl fehlt"), _("Hier fehlt die Anzahl. Lassen Sie die Zeile weg, wenn die Angabe fehlt. Schreiben Sie 0, wenn es keine Transaktionen gab."), _OMIT),
    "anzahl_keine_zahl": Kind(
        _("Das ist keine Zahl"),
        _("Hier steht keine Zahl. Lassen Sie die Zeile weg, wenn die Angabe fehlt. Schreiben Sie 0, wenn es keine Transaktionen gab."),
        _OMIT,
    ),
    "anzahl_negativ": Kind(
        _("Die Anzahl ist negativ"), _("Eine Anzahl kann nicht kleiner als 0 sein."),
        _("Schreiben Sie die Zahl, die für den Monat insgesamt gilt. Sie ersetzt die bisherige."),
    ),
    "anzahl_nachkomma": Kind(
        _("Die Anzahl hat Nachkommastellen"), _("Eine Anzahl ist eine ganze Zahl. Tausender dürfen mit Punkt oder Leerzeichen getrennt sein: 1.204."),
        _("Schreiben Sie eine ganze Zahl, am besten ohne Trennzeichen: 1204."),
    ),
    "anzahl_exponent": Kind(
        _("Die Anzahl steht in Exponentenschreibweise"), _("Die Zahl steht in der Schreibweise für große Zahlen da."),
        _("Schreiben Sie die Zahl aus."),
    ),
    "anzahl_zu_gross": Kind(
        _("Die Anzahl ist zu groß"), _("Mehr als 1.000.000.000 in einem Monat kann nicht stimmen."),
        _("Prüfen Sie, ob eine andere Spalte in die Anzahl gerutscht ist."),
    ),
    "anzahl_typ": Kind(
        _("Die Anzahl hat den falschen Typ"), _("„anzahl“ muss eine ganze Zahl ab 0 oder null sein, nicht %(ist)s."),
        _("Senden Sie die Zahl ohne Anführungszeichen und ohne Nachkommastellen; null nimmt den gespeicherten Wert zurück."),
    ),
    # --- the row as a whole ---
    "formel": Kind(
        _("Die Zelle enthält eine Formel"), _("Hier steht eine Formel statt ihres Ergebnisses."),
        _("Ersetzen Sie die Formel durch ihren Wert (Inhalte einfügen, Werte)."),
    ),
    "summenzeile": Kind(
        _("Das ist eine Summenzeile"), _("Das ist eine Summenzeile. Die ZSK bildet Summen selbst; mitgezählt wäre alles doppelt."),
        _("Löschen Sie die Zeile."),
    ),
    "zeile_doppelt": Kind(
        _("Die Zeile kommt mehrfach vor"),
        _("Derselbe Onlineservice, dieselbe Region und derselbe Monat stehen schon in Zeile %(zuerst)s."),
        _("Behalten Sie eine der Zeilen. Für Teilmengen melden Sie ihre Summe in einer Zeile."),
    ),
    "doppelzaehlung": Kind(
        _("Eine Summe ist zusätzlich zu ihren Teilen gemeldet"),
        _("Die Zahl für %(name)s ist genau die Summe der %(teile)s darunter gemeldeten Regionen (%(monat)s). Sie würde doppelt zählen."),
        _("Lassen Sie die Zeile der übergeordneten Region weg: Die ZSK bildet die Summe selbst. Ist ihre Zahl schon gespeichert, nehmen Sie sie mit löschen zurück."),
    ),
    "monat_abgeschlossen": Kind(
        _("Der Monat ist abgeschlossen"),
        _("%(monat)s ist abgeschlossen. Für %(service)s würden sich Werte ändern (%(anzahl)s)."),
        _("Begründen Sie die Korrektur: in der Vorschau, in JSON mit „begruendung“. Oder lassen Sie den Monat weg."),
    ),
    # --- plausibility: warnings about a service's month as a whole ---
    "summe_auffaellig": Kind(
        _("Die Monatssumme weicht weit vom Üblichen ab"),
        _("%(service)s, %(monat)s: Die Summe ist %(ist)s statt erwartet %(von)s bis %(bis)s (%(grund)s), das sind %(abstand)s %(richtung)s."),
        _("Prüfen Sie, ob eine Stelle zu viel oder zu wenig dasteht, ob mehrere Monate zusammengezählt sind oder Regionen fehlen. Stimmt die Zahl, ist nichts zu tun."),
        warning=True,
    ),
    "wert_auffaellig": Kind(
        _("Einzelne Regionen weichen weit vom Üblichen ab"),
        _("%(service)s, %(monat)s: auffällig sind %(anzahl)s von %(werte)s verglichenen Regionen, am weitesten %(name)s mit %(ist)s statt erwartet %(von)s bis %(bis)s (%(grund)s), das sind %(abstand)s %(richtung)s."),
        _("Prüfen Sie, ob Zeilen vertauscht sind oder eine Stelle zu viel oder zu wenig dasteht. Stimmt die Zahl, ist nichts zu tun."),
        warning=True,
    ),
    "monat_vor_beginn": Kind(
        _("Der Monat liegt vor der Inbetriebnahme"),
        _("%(service)s ist laut Stammdaten seit %(tag)s in Betrieb. Für %(monat)s sind trotzdem Zahlen über 0 gemeldet (Zeilen: %(anzahl)s), zum Beispiel %(ist)s für %(name)s."),
        _("Prüfen Sie den Monat, oder berichtigen Sie in den Stammdaten, seit wann der Onlineservice in Betrieb ist."),
        warning=True,
    ),
    "monat_nach_ende": Kind(
        _("Der Monat liegt nach der Außerbetriebnahme"),
        _("%(service)s ist laut Stammdaten seit %(tag)s außer Betrieb. Für %(monat)s sind trotzdem Zahlen über 0 gemeldet (Zeilen: %(anzahl)s), zum Beispiel %(ist)s für %(name)s."),
        _("Prüfen Sie den Monat, oder berichtigen Sie in den Stammdaten, seit wann der Onlineservice außer Betrieb ist."),
        warning=True,
    ),
    "region_ausserhalb": Kind(
        _("Die Region liegt außerhalb des Einzugsgebiets"),
        _("%(service)s, %(monat)s: Zahlen über 0 für Regionen außerhalb des Einzugsgebiets (Zeilen: %(anzahl)s), zum Beispiel %(ist)s für %(name)s."),
        _("Prüfen Sie den Regionalschlüssel, oder ergänzen Sie in den Stammdaten das Einzugsgebiet."),
        warning=True,
    ),
    "regionen_gleich": Kind(
        _("Alle Regionen haben denselben Wert"),
        _("%(service)s, %(monat)s: Alle %(anzahl)s gemeldeten Regionen haben den Wert %(ist)s."),
        _("Prüfen Sie, ob eine Summe oder ein Platzhalter in jede Zeile kopiert wurde. Gemeint ist je Region ihre eigene Anzahl."),
        warning=True,
    ),
    "wie_vormonat": Kind(
        _("Alle Werte sind dieselben wie im Vormonat"),
        _("%(service)s, %(monat)s: Alle %(anzahl)s Regionen haben denselben Wert wie im %(vormonat)s."),
        _("Prüfen Sie, ob versehentlich der Vormonat noch einmal geliefert wurde."),
        warning=True,
    ),
    "auffaelliges_mehr": Kind(
        _("Weitere Auffälligkeiten"),
        _("Dazu kommen %(anzahl)s weitere Auffälligkeiten, die hier nicht einzeln stehen."),
        _("Prüfen Sie die genannten zuerst; oft haben alle dieselbe Ursache."),
        warning=True,
    ),
    # --- warnings ---
    "teil_und_ganzes": Kind(
        _("Eine Region und ein Teil von ihr sind gemeldet"),
        _("Für %(name)s und für Regionen darin ist im selben Monat etwas gemeldet (%(monat)s). Gezählt wird beides."),
        _("Prüfen Sie, dass in der Zahl für die größere Region die der kleineren nicht enthalten sind."),
        warning=True,
    ),
    "monat_laufend": Kind(
        _("Der Monat läuft noch"), _("%(monat)s läuft noch. Die Zahl wird als vorläufig gezeigt, bis der Monat vorbei ist."),
        _("Liefern Sie den Monat nach seinem Ende noch einmal; die neue Zahl ersetzt die alte."),
        warning=True,
    ),
    "spalte_verstanden": Kind(
        _("Eine Spalte heißt anders"), _("Die Spalte „%(wert)s“ wird als „%(spalte)s“ gelesen."),
        _("Nichts zu tun, wenn das stimmt."), warning=True,
    ),
    "blatt_gelesen": Kind(
        _("Ein Blatt von mehreren wird gelesen"),
        _("Gelesen wird nur das Blatt „%(blatt)s“. Dieselben Spalten haben auch: %(andere)s."),
        _("Nichts zu tun, wenn das stimmt. Sonst kopieren Sie alle Zeilen in ein Blatt."), warning=True,
    ),
    "spalte_uebergangen": Kind(
        _("Eine Spalte wird übergangen"), _("Die Spalte „%(wert)s“ stammt aus der Vorlage oder einem Prüfbericht und wird nicht gelesen."),
        _("Nichts zu tun."), warning=True,
    ),
}  # fmt: skip
