"""Forms of operations for quality: what the list shows, notes, closing and opening months."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portals.models import Portal
from transactions.findings import CATALOGUE
from transactions.notes import KINDS
from transactions.queries import quality


class QualityFilter(forms.Form):
    """What is not understood filters nothing."""

    art = forms.ChoiceField(label=_("Art"), required=False)
    service = forms.CharField(
        label=_("Onlineservice"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "type": "search"}),
    )
    portal = forms.ModelChoiceField(
        Portal.objects.order_by("name"),
        label=_("Portal"),
        required=False,
        to_field_name="kuerzel",
        empty_label=_("alle"),
    )
    stand = forms.ChoiceField(
        label=_("Stand"),
        required=False,
        choices=[
            (quality.OPEN, _("zu prüfen")),
            (quality.SEEN, _("geprüft")),
            (quality.ALL, _("alle")),
        ],
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({"stand": quality.OPEN, **{key: data[key] for key in data}})
        choice: Any = self.fields["art"]
        choice.choices = [("", _("alle")), *((kind, CATALOGUE[kind].title) for kind in KINDS)]
        self.is_valid()

    @property
    def chosen(self) -> dict[str, Any]:
        """As keywords of `quality.cases`."""
        cleaned = self.cleaned_data
        return {
            "kind": cleaned.get("art", ""),
            "text": cleaned.get("service", "").replace("\0", ""),
            "portal": cleaned.get("portal"),
            "state": cleaned.get("stand") or quality.OPEN,
        }


def reason(label: Any, *, missing: Any, hint: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=500,
        help_text=hint,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 500}),
        error_messages={"required": missing, "max_length": _("Höchstens 500 Zeichen.")},
    )


class SeenForm(forms.Form):
    note = reason(
        _("Ergebnis der Prüfung"),
        missing=_("Schreiben Sie, was die Prüfung ergeben hat."),
        hint=_(
            "Zum Beispiel: nachgefragt, Zahlen stimmen. Wer für die Onlineservices liefert, liest es mit."
        ),
    )


class CloseForm(forms.Form):
    reason = reason(
        _("Begründung"),
        missing=_("Begründen Sie, warum der Monat abgeschlossen wird."),
        hint=_("Zum Beispiel: Jahresbericht 2025 ist erstellt."),
    )
    earlier = forms.BooleanField(label=_("Auch alle früheren Monate abschließen"), required=False)


class ReopenForm(forms.Form):
    reason = reason(
        _("Begründung"),
        missing=_("Begründen Sie, warum der Monat wieder geöffnet wird."),
        hint=_("Sie steht im Protokoll."),
    )
