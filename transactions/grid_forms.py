"""The fields of the form around its sheet, and the sheet as a browser sends it back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from services.master_data_forms import KeysField, Part, search_field
from services.models import OnlineService
from services.pickers import Picker, region_picker
from transactions import pasting, register
from transactions.grid import MAX_MONTHS, MAX_ROWS, Sheet, tidy
from transactions.values import FIRST_MONTH
from zsk import formats, months

_FIELD = re.compile(r"z-([0-9]{12})-([0-9]{4}-[0-9]{2})")
_SHOWN = re.compile(r"([0-9]{4}-[0-9]{2})=([0-9]{0,10})")
_MOST_COLUMNS = 4 * MAX_MONTHS


def month_choices() -> list[tuple[str, str]]:
    """Every month that counts are taken for, the newest first."""
    every = months.span(FIRST_MONTH, months.running())
    return [(f"{month:%Y-%m}", formats.month(month)) for month in reversed(every)]


class SheetForm(Part):
    """What changes the sheet: its period, more regions, a block from a spreadsheet."""

    von = forms.ChoiceField(label=gettext_lazy("Von"), choices=month_choices)
    bis = forms.ChoiceField(label=gettext_lazy("Bis"), choices=month_choices)
    area = KeysField(label=gettext_lazy("Region"), required=False)
    suche_area = search_field()
    tabelle = forms.CharField(
        label=gettext_lazy("Kopierte Zellen"),
        help_text=gettext_lazy(
            "Kopieren Sie die Zellen in Excel oder LibreOffice und fügen Sie sie hier ein. Links dürfen"
            " Regionen stehen (Name oder ARS), oben Monate; ohne sie gilt die Reihenfolge des Formulars."
        ),
        required=False,
        strip=False,
        max_length=pasting.MOST_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        error_messages={
            "max_length": gettext_lazy("Das ist zu viel für das Formular. Laden Sie es als Datei hoch.")
        },
    )

    def picker(self) -> Picker:
        return region_picker("area", text=self.raw("suche_area"), chosen=self.regions(), tree=False)

    def regions(self) -> list[str]:
        """The keys that were ticked; what is no key is none."""
        return [key for key in self.raw_list("area") if re.fullmatch("[0-9]{12}", key)][:MAX_ROWS]

    def period(self) -> list[dt.date]:
        """The months asked for; none where the end lies before the beginning, which is said at the field."""
        first, last = months.parse(self.cleaned_data.get("von")), months.parse(self.cleaned_data.get("bis"))
        if first is None or last is None:
            return []
        if last < first:
            self.add_error("bis", _("Das Ende des Zeitraums liegt vor seinem Anfang."))
            return []
        return months.span(first, last)


def fresh(sheet: Sheet, *, search: str = "") -> SheetForm:
    ends = {"von": f"{sheet.months[0]:%Y-%m}", "bis": f"{sheet.months[-1]:%Y-%m}"} if sheet.months else {}
    return SheetForm(initial={**ends, "suche_area": search})


def sent_sheet(service: OnlineService, sent: QueryDict) -> Sheet:
    """The sheet as it was sent; what no such form would send is left out."""
    columns = sorted(set(_months(sent.get("spalten", "").split()[:_MOST_COLUMNS])))[:MAX_MONTHS]
    lines = [line.partition(" ") for line in sent.getlist("zeile")[:MAX_ROWS]]
    there = register.current().some({ars for ars, _blank, _shown in lines})
    shown: dict[tuple[str, dt.date], int | None] = {}
    regions = []
    for ars, _blank, rest in lines:
        if ars in there and ars not in regions:
            regions.append(ars)
            shown |= {(ars, month): value for month, value in _shown(rest)}
    typed = {key: tidy(text) for key, text in _typed(sent) if key[0] in there}
    return Sheet(service, tuple(columns), tuple(regions), shown, typed)


def shown_text(sheet: Sheet, ars: str) -> str:
    """A row as it comes back: its key, and what each of its fields showed."""
    values = [(month, sheet.shown.get((ars, month))) for month in sheet.months]
    return " ".join([ars, *(f"{month:%Y-%m}={'' if value is None else value}" for month, value in values)])


def _shown(text: str) -> Iterable[tuple[dt.date, int | None]]:
    for found, value in _SHOWN.findall(text):
        if month := months.parse(found):
            yield month, int(value) if value else None


def _typed(sent: QueryDict) -> Iterable[tuple[tuple[str, dt.date], str]]:
    for name, value in sent.items():
        match = _FIELD.fullmatch(name)
        if match and (month := months.parse(match[2])):
            yield (match[1], month), str(value)


def _months(texts: Iterable[str]) -> Iterable[dt.date]:
    for text in texts:
        month = months.parse(text)
        if month and FIRST_MONTH <= month <= months.running():
            yield month
