"""Forms of operations: filters that stand in the address, and what is decided."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries as reading
from accounts.models import Authority, User
from accounts.request_forms import LEVELS, AuthorityForm, LineField, RegionForm, line, message_field
from accounts.ways_in import oidc_configured

SEARCH = {"autocomplete": "off", "type": "search"}


def search_field(label: Any) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=200, widget=forms.TextInput(attrs=SEARCH))


class SeenForm(forms.Form):
    """Carries what the operator saw of a request, so that a decision is never about something else."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class AskForm(SeenForm):
    text = message_field(
        gettext_lazy("Ihre Frage"),
        missing=gettext_lazy("Schreiben Sie Ihre Frage."),
        hint=gettext_lazy("Sie steht wörtlich in der E-Mail und auf der Seite des Antrags."),
    )


class DeclineForm(SeenForm):
    reason = message_field(
        gettext_lazy("Begründung"),
        missing=gettext_lazy("Begründen Sie die Ablehnung."),
        hint=gettext_lazy("Sie steht wörtlich in der E-Mail. Sagen Sie, was stattdessen hilft."),
    )


class ApproveForm(AuthorityForm, SeenForm):
    """Which authority the person shall belong to; what the applicant wrote stands there already."""

    field_order = ("authority", "known", "level", "region", "region_known")


class PersonFilter(forms.Form):
    KINDS = [
        ("", gettext_lazy("alle")),
        ("betrieb", gettext_lazy("ZSK-Betrieb")),
        ("gesperrt", gettext_lazy("gesperrt")),
        ("ohne", gettext_lazy("ohne Behörde")),
    ]
    q = search_field(gettext_lazy("Name, E-Mail oder Behörde"))
    art = forms.ChoiceField(label=gettext_lazy("Auswahl"), required=False, choices=KINDS)


class AuthorityFilter(forms.Form):
    q = search_field(gettext_lazy("Name oder Region"))
    ebene = forms.ChoiceField(
        label=gettext_lazy("Ebene"),
        required=False,
        choices=[("", gettext_lazy("alle")), *Authority.Level.choices],
    )


class LogFilter(forms.Form):
    """What the audit log shows; what is not understood filters nothing."""

    wer = search_field(gettext_lazy("Wer"))
    was = forms.ChoiceField(label=gettext_lazy("Was"), required=False)
    woran = search_field(gettext_lazy("Woran"))
    von = forms.DateField(
        label=gettext_lazy("Von"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    bis = forms.DateField(
        label=gettext_lazy("Bis"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, actions: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["was"]
        choice.choices = [("", _("alles")), *((action, action) for action in actions)]


class RightsForm(forms.Form):
    """What a person may do. The role of operations is Keycloak's to give, where people log in there."""

    authority = LineField(
        label=gettext_lazy("Behörde"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Der Name, wie er eingetragen ist."),
        widget=forms.TextInput(attrs={"list": "behoerden", "autocomplete": "off"}),
    )
    is_active = forms.BooleanField(
        label=gettext_lazy("Darf sich anmelden"),
        required=False,
    )
    is_operations = forms.BooleanField(
        label=gettext_lazy("Gehört zum ZSK-Betrieb"),
        required=False,
    )

    def __init__(self, data: Mapping[str, Any] | None, *, person: User) -> None:
        initial = {
            "authority": person.authority.name if person.authority else "",
            "is_active": person.is_active,
            "is_operations": person.is_operations,
        }
        super().__init__(data, initial=initial)
        self.names = reading.authority_names()
        if oidc_configured():
            self.fields["is_operations"].disabled = True

    def clean_authority(self) -> Authority | None:
        name = self.cleaned_data["authority"]
        if not name:
            return None
        if found := reading.authority_named(name):
            return found
        raise forms.ValidationError(
            _("Eine Behörde mit diesem Namen gibt es nicht. Tragen Sie sie zuerst bei den Behörden ein.")
        )


class AuthorityEditForm(RegionForm):
    name = line(gettext_lazy("Name"), missing=gettext_lazy("Nennen Sie den Namen der Behörde."), most=200)
    level = forms.ChoiceField(
        label=gettext_lazy("Ebene"),
        choices=LEVELS,
        error_messages={"required": gettext_lazy("Wählen Sie die Ebene der Behörde.")},
    )
    parent = LineField(
        label=gettext_lazy("Übergeordnete Behörde"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Der Name, wie er eingetragen ist."),
        widget=forms.TextInput(attrs={"list": "behoerden", "autocomplete": "off"}),
    )
    field_order = ("name", "level", "region", "region_known", "parent")

    def __init__(self, data: Mapping[str, Any] | None, *, authority: Authority | None) -> None:
        self.authority = authority
        super().__init__(data, initial=_facts(authority) if authority else {})
        self.names = reading.authority_names()

    def clean_parent(self) -> Authority | None:
        name = self.cleaned_data["parent"]
        if not name:
            return None
        found = reading.authority_named(name)
        if found is None:
            raise forms.ValidationError(_("Eine Behörde mit diesem Namen gibt es nicht."))
        if self.authority and _is_below(found, self.authority):
            raise forms.ValidationError(_("Diese Behörde steht selbst unter der, die Sie ändern."))
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("level"):
            cleaned["chosen_region"] = self._chosen_region(cleaned)
        return cleaned


def _facts(authority: Authority) -> dict[str, str]:
    return {
        "name": authority.name,
        "level": authority.level,
        "region": authority.region_id,
        "parent": authority.parent.name if authority.parent else "",
    }


def _is_below(lower: Authority | None, upper: Authority) -> bool:
    while lower is not None:
        if lower == upper:
            return True
        lower = lower.parent
    return False
