"""The steps of a registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.request_forms import LineField
from portals.models import Portal
from services.master_data import MasterData
from services.master_data_forms import AreaPart, LeistungPart, LifePart, Part, TextPart, own_authority
from services.models import NUMBER, PortalService
from services.portal_services import outside

OWN, REUSED = "eigen", "nachgenutzt"
# Of what somebody sends, no more than this of one field is kept in a draft.
MOST_CHARACTERS = 2000
MOST_KEYS = 600


class OriginForm(forms.Form):
    """Only what an authority has built itself is registered, so that nothing is counted twice."""

    origin = forms.ChoiceField(
        label=gettext_lazy("Woher kommt der Onlineservice?"),
        choices=[
            (OWN, gettext_lazy("Unsere Behörde hat ihn selbst entwickelt oder entwickeln lassen")),
            (
                REUSED,
                gettext_lazy("Wir nutzen den Onlineservice einer anderen Behörde nach (EfA, Nachnutzung)"),
            ),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Wählen Sie aus, woher der Onlineservice kommt."),
            "invalid_choice": gettext_lazy("Wählen Sie eine der beiden Antworten."),
        },
    )


class LeistungStep(LeistungPart):
    pass


class TextStep(TextPart):
    pass


class AreaStep(AreaPart):
    pass


class LifeStep(LifePart):
    """Also the portal, of those that the person administers."""

    kept: tuple[str, ...] = (*LifePart.kept, "portal", "kennung")
    portal = forms.ModelChoiceField(
        Portal.objects.none(),
        label=gettext_lazy("Portal"),
        required=False,
        empty_label=gettext_lazy("kein Portal"),
        help_text=gettext_lazy(
            "Nur Portale, die Sie verwalten. Das Portal liefert dann mit seinem Schlüssel."
        ),
        error_messages={
            "invalid_choice": gettext_lazy("Dieses Portal verwalten Sie nicht. Wählen Sie ein anderes.")
        },
    )
    kennung = LineField(
        label=gettext_lazy("Kennung im Portal"),
        required=False,
        max_length=100,
        help_text=gettext_lazy(
            "Unter welchem Namen das Portal den Onlineservice führt, zum Beispiel in seiner Datenbank."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"max_length": gettext_lazy("Die Kennung ist zu lang: höchstens 100 Zeichen.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        portals = Portal.objects.filter(members=user).select_related("authority__region")
        choice: Any = self.fields["portal"]
        choice.queryset = portals
        self.has_portals = portals.exists()
        if not self.has_portals:
            del self.fields["portal"], self.fields["kennung"]

    def clean_kennung(self) -> str:
        kennung: str = self.cleaned_data["kennung"]
        portal = self.cleaned_data.get("portal")
        if kennung and not portal and "portal" not in self.errors:
            raise forms.ValidationError(
                _("Eine Kennung gibt es nur in einem Portal. Wählen Sie das Portal dazu.")
            )
        if NUMBER.match(kennung):
            raise forms.ValidationError(
                _("Die Kennung sieht aus wie eine Nummer der ZSK. Nehmen Sie eine andere oder keine.")
            )
        if portal and kennung:
            _refuse_taken(portal, kennung)
        return kennung

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if portal := cleaned.get("portal"):
            foreign = sorted(key for key in self._area() if outside(portal, key))
            if foreign:
                self.add_error("portal", _outside_text(portal, foreign))
        return cleaned

    def _area(self) -> list[str]:
        """Of the step before, which lies in the same draft."""
        return [str(key) for key in self.data.get("area") or ()]


def _refuse_taken(portal: Portal, kennung: str) -> None:
    taken = PortalService.objects.filter(Q(until=None), portal=portal, kennung=kennung).select_related(
        "service"
    )
    if found := taken.first():
        text = _("Diese Kennung trägt im Portal schon %(service)s. Jede gibt es nur einmal.")
        raise forms.ValidationError(text % {"service": found.service})


def _outside_text(portal: Portal, keys: list[str]) -> str:
    words = {"portal": portal, "region": portal.authority.region.name, "keys": ", ".join(keys[:5])}
    return (
        _(
            "Das Gebiet des Onlineservices (%(keys)s) reicht über das des Portals %(portal)s hinaus:"
            " %(region)s. Ändern Sie das Gebiet oder lassen Sie das Portal weg."
        )
        % words
    )


@dataclass(frozen=True)
class Step:
    slug: str
    name: str | Promise
    form: type[Part]


STEPS = (
    Step("leistung", gettext_lazy("Leistung"), LeistungStep),
    Step("beschreibung", gettext_lazy("Beschreibung"), TextStep),
    Step("gebiet", gettext_lazy("Gebiet"), AreaStep),
    Step("betrieb", gettext_lazy("Betrieb"), LifeStep),
)
CHECK = "pruefen"
PATH = [gettext_lazy("Herkunft"), *(step.name for step in STEPS), gettext_lazy("Prüfen")]


def step_named(slug: str) -> Step | None:
    return next((step for step in STEPS if step.slug == slug), None)


def bound(step: Step, data: Mapping[str, Any], *, user: User) -> Part:
    """The step's form with what a draft holds, judged."""
    return step.form(data, **_options(step, user))


def shown(step: Step, data: Mapping[str, Any], *, user: User) -> Part:
    """The step's form with what a draft holds, not judged yet."""
    initial = {"authority": own_authority(user), **data}
    return step.form(initial=initial, **_options(step, user))


def _options(step: Step, user: User) -> dict[str, Any]:
    return {"user": user} if step.form is LifeStep else {}


def kept_values(step: Step, sent: Any) -> dict[str, Any]:
    """What a draft keeps of a form that was sent: raw, cut, without what JSON in PostgreSQL cannot hold."""
    values: dict[str, Any] = {}
    for name in step.form.kept:
        many = name in {"area", "more_leistungen"}
        values[name] = (
            [_cut(key) for key in sent.getlist(name)[:MOST_KEYS]] if many else _cut(sent.get(name, ""))
        )
    return values


def _cut(text: str) -> str:
    return text.replace("\0", "")[:MOST_CHARACTERS]


@dataclass(frozen=True)
class Judged:
    """A whole draft: the first step that is not right yet, or everything that is needed to register."""

    missing: Step | None
    data: MasterData | None = None
    portal: Portal | None = None
    kennung: str = ""


def judge(data: Mapping[str, Any], *, user: User) -> Judged:
    cleaned: dict[str, Any] = {}
    for step in STEPS:
        form = bound(step, data, user=user)
        if not form.is_valid():
            return Judged(step)
        cleaned |= {name: form.cleaned_data.get(name) for name in form.kept}
    portal, kennung = cleaned.pop("portal"), cleaned.pop("kennung")
    return Judged(None, MasterData(**cleaned), portal, kennung or "")
