"""Forms about a service's people: have somebody join, choose a role."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from services.members import Role, Wish
from services.models import OnlineService, ServiceMember

ROLES = [
    (Role.SUPPLIER.value, gettext_lazy("Lieferant: darf Zahlen liefern")),
    (
        Role.RESPONSIBLE.value,
        gettext_lazy("Verantwortlich: darf auch Stammdaten, Mitglieder und Schlüssel ändern"),
    ),
]


def role_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=gettext_lazy("Rolle"),
        choices=ROLES,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Wählen Sie eine Rolle."),
            "invalid_choice": gettext_lazy("Wählen Sie eine der beiden Rollen."),
        },
    )


def email_field() -> forms.EmailField:
    return forms.EmailField(
        label=gettext_lazy("Dienstliche E-Mail-Adresse"),
        max_length=254,
        help_text=gettext_lazy("Die Adresse der Person, kein Funktionspostfach."),
        error_messages={
            "required": gettext_lazy("Nennen Sie die E-Mail-Adresse der Person."),
            "invalid": gettext_lazy("Das ist keine vollständige E-Mail-Adresse, wie name@behoerde.de."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class MemberForm(forms.Form):
    email = email_field()
    role = role_field()
    at_authority = forms.BooleanField(required=False)

    def __init__(self, *args: Any, service: OnlineService, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"role": Role.SUPPLIER, "at_authority": True, **self.initial}
        self.fields["at_authority"].label = _("Gehört zu %(authority)s") % {"authority": service.authority}

    def wish(self) -> Wish:
        cleaned = self.cleaned_data
        return Wish(cleaned["email"], Role(cleaned["role"]), cleaned["at_authority"])


class RoleForm(forms.Form):
    role = role_field()

    def __init__(self, *args: Any, member: ServiceMember, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {"role": member.role}
