"""Forms about keys: what a new one is called and until when it is good."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.request_forms import line

YEARS_AT_MOST = 3


def in_a_year() -> dt.date:
    return timezone.localdate() + dt.timedelta(days=365)


class KeyForm(forms.Form):
    name = line(
        gettext_lazy("Name"),
        missing=gettext_lazy("Geben Sie dem Schlüssel einen Namen."),
        most=100,
        hint=gettext_lazy("Woran Sie ihn wiedererkennen, zum Beispiel „Fachverfahren Produktion“."),
        autocomplete="off",
    )
    until = forms.DateField(
        label=gettext_lazy("Gültig bis"),
        help_text=gettext_lazy("Vorschlag: ein Jahr. Danach nimmt die ZSK den Schlüssel nicht mehr an."),
        error_messages={
            "required": gettext_lazy("Nennen Sie den letzten Tag, an dem der Schlüssel gilt."),
            "invalid": gettext_lazy("Schreiben Sie das Datum wie 31.12.2027."),
        },
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
    )
    # The newest key that the page showed: a form that is sent twice makes one key.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, newest: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.newest = newest
        self.initial = {"until": in_a_year(), "seen": newest}

    def clean_until(self) -> dt.date:
        day: dt.date = self.cleaned_data["until"]
        today = timezone.localdate()
        if day <= today:
            raise forms.ValidationError(_("Dieser Tag ist schon vorbei. Wählen Sie einen späteren."))
        if day > today + dt.timedelta(days=366 * YEARS_AT_MOST):
            raise forms.ValidationError(
                _("Ein Schlüssel gilt höchstens %(years)d Jahre. Wählen Sie einen früheren Tag.")
                % {"years": YEARS_AT_MOST}
            )
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("seen") != self.newest:
            self.data = {**dict(self.data.items()), "seen": self.newest}
            raise forms.ValidationError(
                _(
                    "Inzwischen wurde hier ein Schlüssel angelegt. Sehen Sie in der Liste nach, bevor Sie"
                    " noch"
                    " einen anlegen."
                )
            )
        return cleaned

    def expires_at(self) -> dt.datetime:
        """The last second of the day, in Germany."""
        return timezone.make_aware(dt.datetime.combine(self.cleaned_data["until"], dt.time(23, 59, 59)))


class ClientForm(forms.Form):
    name = line(
        gettext_lazy("Name"),
        missing=gettext_lazy("Geben Sie dem Client einen Namen."),
        most=100,
        hint=gettext_lazy("Woran Sie ihn wiedererkennen, zum Beispiel „Fachverfahren Produktion“."),
        autocomplete="off",
    )
    client_id = forms.RegexField(
        r"^[A-Za-z0-9._:/@+-]+$",
        label=gettext_lazy("Client-ID"),
        max_length=100,
        help_text=gettext_lazy("Wie sie in Keycloak steht. Das Geheimnis des Clients brauchen wir nicht."),
        error_messages={
            "required": gettext_lazy("Nennen Sie die Client-ID aus Keycloak."),
            "invalid": gettext_lazy("Eine Client-ID besteht aus Buchstaben, Ziffern und . _ - : / @ +."),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
