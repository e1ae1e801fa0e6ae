"""The forms of delivering: a file, and what the list of deliveries is filtered by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.forms.boundfield import BoundField
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from portals.models import Portal
from services.models import OnlineService
from transactions.models import Delivery
from zsk import months
from zsk.kinds import ACCEPTED


class ServiceChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


class UploadForm(forms.Form):
    """A file, and optionally the one service that it is for, among those the person may deliver for."""

    file = forms.FileField(
        label=gettext_lazy("Datei (CSV oder XLSX)"),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        error_messages={
            "required": gettext_lazy("Wählen Sie eine Datei aus."),
            "missing": gettext_lazy("Wählen Sie eine Datei aus."),
            "invalid": gettext_lazy("Wählen Sie eine Datei aus, keinen Text."),
            "empty": gettext_lazy("Die Datei ist leer. Wählen Sie eine Datei mit Zahlen aus."),
            "max_length": gettext_lazy("Der Dateiname ist zu lang. Kürzen Sie ihn auf 255 Zeichen."),
        },
        max_length=255,
    )
    service = ServiceChoice(
        OnlineService.objects.none(),
        label=gettext_lazy("Nur für einen Onlineservice"),
        required=False,
        empty_label=gettext_lazy("steht in der Datei"),
        help_text=gettext_lazy("Dann braucht die Datei keine Spalte onlineservice."),
        error_messages={
            "invalid_choice": gettext_lazy(
                "Für diesen Onlineservice dürfen Sie nicht liefern. Wählen Sie einen anderen."
            )
        },
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = OnlineService.objects.deliverable_by(user)
        choice: Any = self.fields["service"]
        choice.queryset = services
        only = list(services[:2])
        if len(only) == 1:
            self.initial.setdefault("service", only[0])

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        size = file.size or 0
        if size > settings.MAX_UPLOAD_BYTES:
            sizes = {
                "size": filesizeformat(size),
                "limit": filesizeformat(settings.MAX_UPLOAD_BYTES),
            }
            raise forms.ValidationError(
                _(
                    "Die Datei hat %(size)s, erlaubt sind %(limit)s."
                    " Teilen Sie die Lieferung, zum Beispiel nach Jahren."
                )
                % sizes
            )
        return file


class ReasonForm(forms.Form):
    """Why numbers of a closed month change."""

    reason = forms.CharField(
        label=gettext_lazy("Begründung"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "maxlength": 500}),
        help_text=gettext_lazy("Sie steht bei der Lieferung, und die Werte gelten danach als korrigiert."),
        error_messages={
            "required": gettext_lazy("Begründen Sie, warum sich ein abgeschlossener Monat ändert."),
            "max_length": gettext_lazy("Die Begründung darf höchstens 500 Zeichen haben."),
        },
    )


_SELECT = {"class": "kern-form-input__select"}
_INPUT = {"class": "kern-form-input__input", "autocomplete": "off"}


class DeliveryFilter(forms.Form):
    """What the list of deliveries shows; what is not understood filters nothing."""

    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[("", gettext_lazy("alle")), *Delivery.Status.choices],
        widget=forms.Select(attrs=_SELECT),
    )
    weg = forms.ChoiceField(
        label=gettext_lazy("Lieferweg"),
        required=False,
        choices=[("", gettext_lazy("alle")), *Delivery.Channel.choices],
        widget=forms.Select(attrs=_SELECT),
    )
    service = forms.CharField(
        label=gettext_lazy("Onlineservice"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={**_INPUT, "placeholder": gettext_lazy("Name oder Nummer")}),
    )
    portal = forms.ChoiceField(
        label=gettext_lazy("Portal"),
        required=False,
        widget=forms.Select(attrs=_SELECT),
    )
    wer = forms.CharField(
        label=gettext_lazy("Geliefert von"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=_INPUT),
    )
    monat = forms.CharField(
        label=gettext_lazy("Mit Zahlen für den Monat"),
        required=False,
        max_length=7,
        widget=forms.TextInput(attrs={**_INPUT, "type": "month", "placeholder": "2026-05"}),
    )
    korrektur = forms.CharField(
        label=gettext_lazy("Mit Korrekturen für den Monat"),
        required=False,
        max_length=7,
        widget=forms.TextInput(attrs={**_INPUT, "type": "month", "placeholder": "2026-05"}),
    )
    von = forms.DateField(
        label=gettext_lazy("Eingegangen ab"),
        required=False,
        widget=forms.DateInput(attrs={**_INPUT, "type": "date"}, format="%Y-%m-%d"),
    )
    bis = forms.DateField(
        label=gettext_lazy("Eingegangen bis"),
        required=False,
        widget=forms.DateInput(attrs={**_INPUT, "type": "date"}, format="%Y-%m-%d"),
    )
    sortierung = forms.ChoiceField(
        label=gettext_lazy("Reihenfolge"),
        required=False,
        choices=[
            ("", gettext_lazy("Neueste zuerst")),
            ("aelteste", gettext_lazy("Älteste zuerst")),
            ("umfang", gettext_lazy("Größte zuerst")),
            ("fehler", gettext_lazy("Meiste Fehler zuerst")),
        ],
        widget=forms.Select(attrs=_SELECT),
    )

    def __init__(
        self, *args: Any, portals: Iterable[Portal], without: Collection[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.portals = {} if "portal" in without else {portal.kuerzel: portal for portal in portals}
        choice: Any = self.fields["portal"]
        choice.choices = [("", _("alle")), *((key, portal.name) for key, portal in self.portals.items())]
        for name in (*without, *(["portal"] if not self.portals else [])):
            self.fields.pop(name, None)

    def clean_portal(self) -> Portal | None:
        return self.portals.get(self.cleaned_data["portal"])

    def clean_monat(self) -> dt.date | None:
        return months.parse(self.cleaned_data["monat"])

    def clean_korrektur(self) -> dt.date | None:
        return months.parse(self.cleaned_data["korrektur"])

    @property
    def filters(self) -> bool:
        """Whether anything is left out of the list."""
        return any(value for name, value in self.cleaned_data.items() if name != "sortierung")

    @property
    def sought(self) -> list[BoundField]:
        """What is asked for seldom and folded away."""
        return [self[name] for name in ("wer", "monat", "korrektur", "von", "bis", "sortierung")]

    @property
    def sought_for(self) -> bool:
        return any(self.cleaned_data.get(field.name) for field in self.sought)
