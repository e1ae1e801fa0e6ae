"""The forms of delivering: a file, and what the list of deliveries is filtered by."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from services.models import OnlineService
from transactions.models import Delivery


class ServiceChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj)


class UploadForm(forms.Form):
    """A file, and optionally the one service that it is for, among those the person may deliver for."""

    file = forms.FileField(
        label=gettext_lazy("Datei (CSV)"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
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


class DeliveryFilter(forms.Form):
    """What the list of deliveries shows; what is not understood filters nothing."""

    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        required=False,
        choices=[("", gettext_lazy("alle")), *Delivery.Status.choices],
        widget=forms.Select(attrs={"class": "kern-form-input__select"}),
    )
    weg = forms.ChoiceField(
        label=gettext_lazy("Lieferweg"),
        required=False,
        choices=[("", gettext_lazy("alle")), *Delivery.Channel.choices],
        widget=forms.Select(attrs={"class": "kern-form-input__select"}),
    )
    service = forms.CharField(
        label=gettext_lazy("Onlineservice"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "kern-form-input__input", "autocomplete": "off"}),
    )
