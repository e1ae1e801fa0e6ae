"""Master data as people read them: values of fields, and what a change did."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ozgsync.models import GERMANY
from services.models import ReportingLevel
from zsk import formats

# Accusative, as it stands in „hat … geändert“.
OBJECTS = {
    "name": gettext_lazy("den Namen"),
    "leistung": gettext_lazy("die Leistung"),
    "authority": gettext_lazy("die Behörde"),
    "reporting_level": gettext_lazy("die Meldeebene"),
    "url": gettext_lazy("die Adresse"),
    "contact": gettext_lazy("das Funktionspostfach"),
    "live_from": gettext_lazy("den Beginn des Betriebs"),
    "ended_on": gettext_lazy("das Ende des Betriebs"),
}
LABELS = {
    "name": gettext_lazy("Name"),
    "leistung": gettext_lazy("Leistung"),
    "more_leistungen": gettext_lazy("weitere Leistungen"),
    "authority": gettext_lazy("Behörde"),
    "url": gettext_lazy("Adresse"),
    "contact": gettext_lazy("Funktionspostfach"),
    "area": gettext_lazy("Gebiet"),
    "reporting_level": gettext_lazy("Meldeebene"),
    "live_from": gettext_lazy("in Betrieb seit"),
    "ended_on": gettext_lazy("außer Betrieb seit"),
}
# So many names, then „und 12 weitere“.
MOST_NAMED = 5


def listed(names: list[str]) -> str:
    """`A, B und C`; of many the first and how many more."""
    if len(names) > MOST_NAMED + 1:
        rest = len(names) - MOST_NAMED
        return _("%(names)s und %(rest)d weitere") % {"names": ", ".join(names[:MOST_NAMED]), "rest": rest}
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s und %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


def value_text(field: str, value: Any) -> str:
    """One value of master data; empty when there is none."""
    if value is None or value == "" or value == ():
        return ""
    if isinstance(value, dt.date):
        return formats.day(value)
    if isinstance(value, list | tuple):
        return listed([value_text("area", one) if field == "area" else str(one) for one in value])
    if field == "reporting_level":
        return str(ReportingLevel(value).label)
    return area_name(value.pk, value.name) if field == "area" else str(value)


def area_name(ars: str, name: str) -> str:
    return _("ganz Deutschland") if ars == GERMANY else name


def change_sentence(who: str, field: str, old: str, new: str) -> str:
    """What somebody did to one field; texts of before and after, empty for none."""
    words = {"who": who, "what": OBJECTS[field], "old": old, "new": new}
    if not old:
        return _("%(who)s hat %(what)s eingetragen: „%(new)s“.") % words
    if not new:
        return _("%(who)s hat %(what)s „%(old)s“ entfernt.") % words
    return _("%(who)s hat %(what)s von „%(old)s“ in „%(new)s“ geändert.") % words


def list_sentences(who: str, field: str, added: list[str], removed: list[str]) -> list[str]:
    """What somebody did to the area or to the further Leistungen."""
    if field == "area":
        came = _("%(who)s hat das Gebiet um %(names)s erweitert.")
        went = _("%(who)s hat %(names)s aus dem Gebiet genommen.")
    else:
        came = _("%(who)s hat als weitere Leistung eingetragen: %(names)s.")
        went = _("%(who)s hat als weitere Leistung entfernt: %(names)s.")
    pairs = [(came, added), (went, removed)]
    return [text % {"who": who, "names": listed(names)} for text, names in pairs if names]
