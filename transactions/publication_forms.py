"""Forms of publishing: what the list shows, what is done with chosen services, and the release rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from services.models import OnlineService
from services.release import TYPES, Rules
from transactions.queries import publication

Depth = OnlineService.Depth
LONGEST_SEARCH = 100


class PublicationFilter(forms.Form):
    """What is not understood filters nothing."""

    q = forms.CharField(
        label=_("Name, Behörde, Nummer"),
        required=False,
        max_length=LONGEST_SEARCH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "type": "search"}),
    )
    stand = forms.ChoiceField(
        label=_("Veröffentlichung"),
        required=False,
        choices=[
            (publication.HIDDEN, _("noch nicht veröffentlicht")),
            (publication.PUBLIC, _("veröffentlicht")),
            (publication.WITHHELD, _("zurückgehalten")),
            (publication.ALL, _("alle")),
        ],
    )
    typ = forms.ChoiceField(
        label=_("Typ der Leistung"),
        required=False,
        choices=[("", _("alle")), *((kind, kind) for kind in TYPES)],
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({"stand": publication.HIDDEN, **{key: data[key] for key in data}})
        self.is_valid()

    @property
    def chosen(self) -> dict[str, str]:
        """As keywords of `publication.services`."""
        cleaned = self.cleaned_data
        return {
            "text": cleaned.get("q", "").replace("\0", ""),
            "state": cleaned.get("stand") or publication.HIDDEN,
            "kind": cleaned.get("typ", ""),
        }


class DepthForm(forms.Form):
    depth = forms.TypedChoiceField(
        label=_("Regionen öffentlich bis"),
        choices=Depth.choices,
        coerce=lambda value: Depth(int(value)),
        widget=forms.RadioSelect,
        help_text=_("Feinere Zahlen zählen in der Region darüber mit, stehen aber nicht einzeln da."),
        error_messages={
            "required": _("Wählen Sie, bis zu welcher Ebene Regionen gezeigt werden."),
            "invalid_choice": _("Wählen Sie eine der genannten Ebenen."),
        },
    )


class RulesForm(forms.Form):
    """All types with the depth to which each is released; empty means not released. `seen` is their stamp."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None = None, *, rules: Rules, seen: str) -> None:
        initial: dict[str, Any] = {kind: rules[kind].value for kind in rules}
        super().__init__(data, initial=initial | {"seen": seen})
        for kind in TYPES:
            self.fields[kind] = forms.TypedChoiceField(
                label=_("Typ %(kind)s") % {"kind": kind},
                required=False,
                choices=[("", _("nicht freigegeben")), *((d.value, _("bis ") + d.label) for d in Depth)],
                coerce=lambda value: Depth(int(value)),
                empty_value=None,
                widget=forms.Select(attrs={"class": "kern-form-input__select"}),
                error_messages={"invalid_choice": _("Wählen Sie eine der genannten Ebenen.")},
            )

    @property
    def wanted(self) -> dict[str, Depth]:
        return {kind: self.cleaned_data[kind] for kind in TYPES if self.cleaned_data.get(kind)}
