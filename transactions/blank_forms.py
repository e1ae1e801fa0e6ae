"""What a file to fill in is for: a service or all, and from which month to which."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from services.models import NUMBER, OnlineService
from transactions.forms import ServiceChoice
from transactions.values import FIRST_MONTH
from zsk import formats, months

MOST_MONTHS = 60
_MONTH = {"class": "kern-form-input__input", "type": "month", "placeholder": "2026-05", "autocomplete": "off"}


class NumberedChoice(ServiceChoice):
    """Names a service by its number in the address."""

    def prepare_value(self, value: Any) -> Any:
        return value.number if isinstance(value, OnlineService) else value

    def to_python(self, value: Any) -> OnlineService | None:
        match = NUMBER.match(str(value or ""))
        found = (
            self.queryset.filter(pk=int(match[1])).first() if match and self.queryset is not None else None
        )
        if value and not found:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return found


class BlankForm(forms.Form):
    """`?service=OS-000123&von=2026-01&bis=2026-05`; without months those that are missing."""

    service = NumberedChoice(
        OnlineService.objects.none(),
        label=gettext_lazy("Onlineservice"),
        required=False,
        empty_label=gettext_lazy("alle, für die etwas fehlt"),
        error_messages={
            "invalid_choice": gettext_lazy(
                "Für diesen Onlineservice dürfen Sie nicht liefern. Wählen Sie einen anderen."
            )
        },
    )
    von = forms.CharField(
        label=gettext_lazy("Von Monat"), required=False, max_length=7, widget=forms.TextInput(attrs=_MONTH),
    )  # fmt: skip
    bis = forms.CharField(
        label=gettext_lazy("Bis Monat"), required=False, max_length=7, widget=forms.TextInput(attrs=_MONTH)
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["service"]
        choice.queryset = OnlineService.objects.deliverable_by(user).order_by("name", "pk")

    def clean_von(self) -> dt.date | None:
        return self._month("von")

    def clean_bis(self) -> dt.date | None:
        return self._month("bis")

    def _month(self, name: str) -> dt.date | None:
        text = self.cleaned_data[name]
        month = months.parse(text)
        if text and not (month and FIRST_MONTH <= month <= months.running()):
            words = {"first": formats.month(FIRST_MONTH), "last": formats.month(months.running())}
            raise forms.ValidationError(
                _("Nennen Sie einen Monat von %(first)s bis %(last)s, so: 2026-05.") % words
            )
        return month

    def clean(self) -> dict[str, Any]:
        span = self.span()
        if self.first and not span:
            self.add_error("bis", _("Der letzte Monat liegt vor dem ersten. Tauschen Sie die beiden."))
        elif len(span) > MOST_MONTHS:
            text = _("Das sind mehr als %(most)d Monate. Holen Sie mehrere Vorlagen.")
            self.add_error("bis", text % {"most": MOST_MONTHS})
        return self.cleaned_data

    @property
    def first(self) -> dt.date | None:
        return self.cleaned_data.get("von") or self.cleaned_data.get("bis")

    def span(self) -> list[dt.date]:
        """The months that were asked for; one of the two stands for itself."""
        last = self.cleaned_data.get("bis") or self.first
        return months.span(self.first, last) if self.first and last else []
