"""What a run of a sync changes, as sentences."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ozgsync.models import SyncChange
from zsk import formats

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
TITLES: dict[str, str | Promise] = {
    "ozgsync_leistung": gettext_lazy("Leistungen"),
    "ozgsync_leistungchange": gettext_lazy("Ablösungen"),
    "ozgsync_ozgleistung": gettext_lazy("OZG-Leistungen"),
    "ozgsync_themenfeld": gettext_lazy("Themenfelder"),
    "ozgsync_ozgonlineservice": gettext_lazy("Onlineservices der OZG-Datenbank"),
    "ozgsync_region": gettext_lazy("Regionen"),
    "ozgsync_regionversion": gettext_lazy("Fassungen von Regionen"),
    "ozgsync_regionchange": gettext_lazy("Gebietsänderungen"),
}
FIELDS: dict[str, str | Promise] = {
    "name": gettext_lazy("Name"), "types": gettext_lazy("Typisierung"),
    "ozg_leistung_id": gettext_lazy("OZG-Leistung"), "themenfeld_id": gettext_lazy("Themenfeld"),
    "leistung_id": gettext_lazy("Leistung"), "focus": gettext_lazy("Fokusleistung"),
    "valid_from": gettext_lazy("gültig ab"), "valid_to": gettext_lazy("gültig bis"),
    "effective": gettext_lazy("wirksam ab"), "statistically": gettext_lazy("statistisch ab"),
    "legally_from": gettext_lazy("rechtlich ab"), "kind": gettext_lazy("Art"),
    "parent": gettext_lazy("gehört zu"), "inhabitants": gettext_lazy("Einwohner"),
    "level_top": gettext_lazy("oberste Ebene"), "level_bottom": gettext_lazy("unterste Ebene"),
    "postcode": gettext_lazy("Postleitzahl"), "share": gettext_lazy("Anteil"),
    "name_source": gettext_lazy("Herkunft"), "also_called": gettext_lazy("bürgernaher Name"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One change: what it is about, its kind, and each field that differs with its old and new value."""

    key: str
    name: str
    table: str | Promise
    kind: str
    fields: list[tuple[str, str, str]]


def sentence(change: SyncChange) -> Line:
    old, new = change.old or {}, change.new
    name = str(new.get("name") or old.get("name") or "")
    if change.table in ("ozgsync_leistungchange", "ozgsync_regionchange"):
        name = f"{new.get('old')} → {new.get('new')}"
    differing = [field for field in FIELDS if field in new and old.get(field) != new[field]]
    if change.kind == SyncChange.Kind.NEW:
        differing = [
            field for field in differing if field != "name" and new[field] not in (None, "", [], False)
        ]
    return Line(
        change.key, name, TITLES.get(change.table, change.table), change.get_kind_display(),
        [(str(FIELDS[field]), _shown(old.get(field)), _shown(new[field])) for field in differing],
    )  # fmt: skip


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return _("keine Angabe")
    if isinstance(value, bool):
        return _("ja") if value else _("nein")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if type(value) is int:
        return formats.number(value)
    text = str(value)
    return formats.day(dt.date.fromisoformat(text)) if _DAY.fullmatch(text) else text
