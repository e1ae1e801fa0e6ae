"""What a transaction of a service is called, and the mark of a number that was corrected."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

# Verrichtungskennungen (digits 9 to 11 of the Leistungsschlüssel) that one applies for: Erteilung, Erlaubnis,
# Genehmigung, Befreiung, Ausstellung, Bewilligung, Bescheinigung, Feststellung.
APPLIED_FOR = {"001", "005", "006", "010", "012", "017", "022", "037"}


@dataclass(frozen=True, slots=True)
class Noun:
    singular: str
    plural: str
    dative: str
    verb: str

    def of(self, count: int) -> str:
        return self.singular if count == 1 else self.plural


def noun(schluessel: str) -> Noun:
    """Neutral, unless the Leistung is clearly an application."""
    if schluessel[8:11] in APPLIED_FOR:
        return Noun(_("Antrag"), _("Anträge"), _("Anträgen"), _("gestellt"))
    return Noun(_("Transaktion"), _("Transaktionen"), _("Transaktionen"), _("gezählt"))


def corrected_mark(corrected: bool) -> str:
    """What stands behind a number that was changed after its month was closed: everywhere the same."""
    return " " + _("(korrigiert)") if corrected else ""
