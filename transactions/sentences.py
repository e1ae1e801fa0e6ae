"""Sentences about deliveries, with their numbers and months."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from transactions.delivery import Outcome
from zsk import formats, months


def period(chosen: Collection[dt.date]) -> str:
    """`Mai 2026`, `April 2026 und Mai 2026`, `36 Monate von Juni 2023 bis Mai 2026`."""
    ordered = sorted(chosen)
    if len(ordered) <= 2:
        return _(" und ").join(formats.month(month) for month in ordered)
    parts = {"count": len(ordered), "first": formats.month(ordered[0]), "last": formats.month(ordered[-1])}
    if len(months.span(ordered[0], ordered[-1])) == len(ordered):
        return _("%(count)d Monate von %(first)s bis %(last)s") % parts
    return _("%(count)d Monate zwischen %(first)s und %(last)s") % parts


def announcement(outcome: Outcome) -> str:
    """`Wenn Sie übernehmen, kommen 15 Werte für Mai 2026 dazu und 2 Werte für April 2026 ändern sich.`"""
    clauses = [clause for name in ("new", "changed", "deleted") if (clause := _effect(outcome, name))]
    # The first clause follows "Wenn …," and begins with its verb, the others with their subject.
    spoken = [clause[0] if index == 0 else clause[1] for index, clause in enumerate(clauses)]
    return _("Wenn Sie übernehmen, %(effects)s.") % {"effects": formats.enumeration(spoken)}


# Verb first, and subject first.
_CLAUSES = {
    "new": lambda count: (
        ngettext("kommt %(values)s für %(period)s dazu", "kommen %(values)s für %(period)s dazu", count),
        ngettext("%(values)s für %(period)s kommt dazu", "%(values)s für %(period)s kommen dazu", count),
    ),
    "changed": lambda count: (
        ngettext("ändert sich %(values)s für %(period)s", "ändern sich %(values)s für %(period)s", count),
        ngettext("%(values)s für %(period)s ändert sich", "%(values)s für %(period)s ändern sich", count),
    ),
    "deleted": lambda count: (
        ngettext(
            "wird %(values)s für %(period)s gelöscht", "werden %(values)s für %(period)s gelöscht", count
        ),
        ngettext(
            "%(values)s für %(period)s wird gelöscht", "%(values)s für %(period)s werden gelöscht", count
        ),
    ),
}


def _effect(outcome: Outcome, name: str) -> tuple[str, str] | None:
    """What happens to the values of one kind: verb first, and subject first."""
    count = outcome.total(name)
    if not count:
        return None
    parts = {
        "values": values(count),
        "period": period({part.month for part in outcome.months if getattr(part, name)}),
    }
    first, later = _CLAUSES[name](count)
    return first % parts, later % parts


def values(count: int) -> str:
    return ngettext("%(count)s Wert", "%(count)s Werte", count) % {"count": formats.number(count)}


def tally(*, new: int, changed: int, same: int, deleted: int) -> str:
    """`15 neu, 2 geändert, 103 unverändert`; kinds that did not occur are left out."""
    kinds = [(new, _("neu")), (changed, _("geändert")), (deleted, _("gelöscht")), (same, _("unverändert"))]
    said = [f"{formats.number(count)} {word}" for count, word in kinds if count]
    return ", ".join(said) or _("keine Werte")


def closed_sentence(chosen: Collection[dt.date]) -> str:
    """`Mai 2025 ist abgeschlossen. Eine Korrektur braucht eine Begründung.`"""
    text = ngettext(
        "%(months)s ist abgeschlossen. Eine Korrektur braucht eine Begründung.",
        "%(months)s sind abgeschlossen. Eine Korrektur braucht eine Begründung.",
        len(chosen),
    )
    return text % {"months": period(chosen)}


def visibility(published: int, services: int) -> str:
    """Who sees the numbers once they are taken over."""
    if published == services:
        return _("Die Zahlen sind danach sofort öffentlich.")
    if not published:
        return _(
            "Öffentlich werden die Zahlen erst, wenn der ZSK-Betrieb veröffentlicht."
            " Bis dahin sehen sie nur Angemeldete."
        )
    said = _(
        "Die Zahlen von %(published)s der %(services)s Onlineservices sind danach sofort öffentlich,"
        " die übrigen sehen nur Angemeldete."
    )
    return said % {"published": formats.number(published), "services": formats.number(services)}
