"""Forms about a portal: take a service in, let one go, have somebody look after it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.request_forms import LineField, line
from services.models import NUMBER, OnlineService
from services.people_forms import email_field
from services.portal_services import Wish


def day_field(label: Any, *, missing: Any, hint: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=hint,
        error_messages={
            "required": missing,
            "invalid": gettext_lazy("Schreiben Sie das Datum wie 31.12.2027."),
        },
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
    )


class TakeInForm(forms.Form):
    service = line(
        gettext_lazy("Nummer des Onlineservice"),
        missing=gettext_lazy("Nennen Sie die Nummer des Onlineservice."),
        most=30,
        hint=gettext_lazy("Wie OS-000123. Sie steht auf der Seite des Onlineservice."),
        autocomplete="off",
    )
    kennung = LineField(
        label=gettext_lazy("Kennung im Portal"),
        required=False,
        max_length=100,
        help_text=gettext_lazy(
            "Unter welchem Namen Ihr Portal ihn führt. Damit dürfen Lieferungen ihn nennen."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    since = day_field(
        gettext_lazy("Gehört zum Portal ab"),
        missing=gettext_lazy("Nennen Sie den ersten Tag im Portal."),
        hint=gettext_lazy("Auswertungen nach Portalen zählen ihn von diesem Monat an mit."),
    )

    def __init__(self, *args: Any, viewer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        self.initial = {"since": timezone.localdate(), **self.initial}

    def clean_service(self) -> OnlineService:
        match = NUMBER.match(self.cleaned_data["service"])
        if not match:
            raise forms.ValidationError(
                _("Das ist keine Nummer der ZSK. Sie beginnt mit OS-, wie OS-000123.")
            )
        found = OnlineService.objects.visible_to(self.viewer).filter(pk=int(match[1])).first()
        if found is None:
            raise forms.ValidationError(_("Diesen Onlineservice gibt es nicht. Prüfen Sie die Nummer."))
        return found

    def wish(self) -> Wish:
        return Wish(**self.cleaned_data)


class LetGoForm(forms.Form):
    until = day_field(
        gettext_lazy("Erster Tag ohne das Portal"),
        missing=gettext_lazy("Nennen Sie den ersten Tag, an dem er nicht mehr zum Portal gehört."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"until": timezone.localdate() + dt.timedelta(days=1), **self.initial}


class AdminForm(forms.Form):
    email = email_field()
