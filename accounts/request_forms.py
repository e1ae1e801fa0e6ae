"""Forms of asking for access, and the choice of an authority that they share with those of operations."""

import re
import time
from typing import Any

from django import forms
from django.core import signing
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries
from accounts.authorities import AuthorityChoice
from accounts.models import Authority, User
from accounts.requests import Application
from ozgsync.models import GERMANY, Region
from ozgsync.search import FoundRegion

NEW = "neu"
STAMP_SALT = "access-request"
# Faster than this nobody reads the form; older than this it is somebody's stored copy.
LEAST_SECONDS = 3
MOST_SECONDS = 24 * 3600
# Names end up in mails: no addresses, no markup.
NAME = RegexValidator(
    re.compile(r"^[^\d/:@<>{}\[\]|\\]+$"),
    gettext_lazy("Schreiben Sie den Namen ohne Ziffern und Sonderzeichen."),
)
LEVELS = [("", gettext_lazy("bitte wählen")), *Authority.Level.choices]


class LineField(forms.CharField):
    """One line of text: blanks and line breaks become one blank."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return " ".join(text.split()) if isinstance(text, str) else text


def line(label: Any, *, missing: Any, most: int, hint: Any = "", **attributes: Any) -> LineField:
    """A line that must be filled in."""
    return LineField(
        label=label, max_length=most, help_text=hint, error_messages={"required": missing},
        widget=forms.TextInput(attrs=attributes),
    )  # fmt: skip


class RegionForm(forms.Form):
    """A region by name or key; where several have the name, one of them is to be chosen."""

    region = LineField(
        label=gettext_lazy("Region"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "Wofür sie zuständig ist, Name oder Regionalschlüssel. Beim Bund nicht nötig."
        ),
    )
    region_known = forms.ChoiceField(
        label=gettext_lazy("Welche Region meinen Sie?"),
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": gettext_lazy("Wählen Sie eine der Regionen aus.")},
    )
    level_field = "level"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found_regions: list[FoundRegion] = []
        if self.is_bound:
            text, level = str(self._sent("region")), str(self._sent(self.level_field))
            self.found_regions = queries.find_regions(text, level=level)
        choice: Any = self.fields["region_known"]
        choice.choices = [(region.ars, queries.region_label(region)) for region in self.found_regions]

    @property
    def asks_which_region(self) -> bool:
        return len(self.found_regions) > 1

    def _sent(self, name: str) -> Any:
        return self.data.get(self.add_prefix(name)) or ""

    def _chosen_region(self, cleaned: dict[str, Any]) -> Region | None:
        """The region meant; an error at its field where that is not clear."""
        chosen = [region for region in self.found_regions if region.ars == cleaned.get("region_known")]
        if len(self.found_regions) == 1 or chosen:
            return Region.objects.get(ars=(chosen or self.found_regions)[0].ars)
        if cleaned.get(self.level_field) == Authority.Level.BUND and not cleaned.get("region"):
            return Region.objects.filter(ars=GERMANY).first()
        self._say_what_is_wrong(cleaned)
        return None

    def _say_what_is_wrong(self, cleaned: dict[str, Any]) -> None:
        if self.found_regions:
            self.add_error("region_known", _("Diesen Namen gibt es mehrmals. Wählen Sie eine Region aus."))
        elif not cleaned.get("region"):
            self.add_error("region", _("Nennen Sie die Region, für die die Behörde zuständig ist."))
        else:
            self.add_error(
                "region", _("Diese Region kennen wir auf dieser Ebene nicht. Prüfen Sie Namen und Ebene.")
            )


class AuthorityForm(RegionForm):
    """Which authority is meant: one that is there, found by its name, or a new one with level and region.

    Only who names one that is not there is asked for more, and then everything at once.
    """

    authority = line(
        gettext_lazy("Behörde"),
        missing=gettext_lazy("Nennen Sie die Behörde."),
        most=200,
        hint=gettext_lazy(
            "Beginnen Sie zu tippen und wählen Sie aus. Fehlt sie, schreiben Sie den ganzen Namen."
        ),
        list="behoerden",
        autocomplete="off",
    )
    known = forms.ChoiceField(
        label=gettext_lazy("Ist es eine von diesen Behörden?"),
        required=False,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy(
                "Diese Behörde ist noch nicht eingetragen. Wählen Sie eine aus oder „Nein“."
            ),
            "invalid_choice": gettext_lazy("Wählen Sie eine der Behörden aus."),
        },
    )
    level = forms.ChoiceField(
        label=gettext_lazy("Ebene der neuen Behörde"),
        required=False,
        choices=LEVELS,
        error_messages={"required": gettext_lazy("Wählen Sie die Ebene der neuen Behörde.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = " ".join(str(self._sent("authority")).split())[:200] if self.is_bound else ""
        text = text or str(self.initial.get("authority", ""))
        self.existing = queries.authority_named(text) if text else None
        self.similar = queries.similar_authorities(text) if text and not self.existing else []
        self.is_new = bool(text) and self.existing is None
        self.names = queries.authority_names()
        new = (NEW, _("Nein, „%(name)s“ ist eine neue Behörde") % {"name": text})
        choice: Any = self.fields["known"]
        choice.choices = [*((str(row.pk), row.name) for row in self.similar), new]
        choice.required = bool(self.similar)
        self.fields["level"].required = self.is_new and not self.similar

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("authority"):
            cleaned["choice"] = self._choice(cleaned)
        return cleaned

    def _choice(self, cleaned: dict[str, Any]) -> AuthorityChoice | None:
        if self.existing:
            return AuthorityChoice(existing=self.existing)
        known = cleaned.get("known")
        for row in self.similar:
            if str(row.pk) == known:
                return AuthorityChoice(existing=row)
        if self.similar and known != NEW:
            return None  # said at the field
        return self._new(cleaned)

    def _new(self, cleaned: dict[str, Any]) -> AuthorityChoice | None:
        if not cleaned.get("level") and "level" not in self.errors:
            self.add_error("level", self.fields["level"].error_messages["required"])
        region = self._chosen_region(cleaned)
        return AuthorityChoice(name=cleaned["authority"], level=cleaned.get("level", ""), region=region)


class NameForm(forms.Form):
    """What somebody is called."""

    first_name = line(
        gettext_lazy("Vorname"), missing=gettext_lazy("Nennen Sie Ihren Vornamen."), most=150,
        autocomplete="given-name",
    )  # fmt: skip
    last_name = line(
        gettext_lazy("Nachname"), missing=gettext_lazy("Nennen Sie Ihren Nachnamen."), most=150,
        autocomplete="family-name",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name"):
            self.fields[name].validators.append(NAME)


class RegisterForm(NameForm, AuthorityForm):
    """Asking for access. Two quiet traps for machines: a field that stays empty, and a stamp of the time."""

    email = forms.EmailField(
        label=gettext_lazy("Dienstliche E-Mail-Adresse"),
        max_length=254,
        help_text=gettext_lazy(
            "Ihre eigene, kein Funktionspostfach: Der Zugang gehört einer Person. "
            "Wir schicken Ihnen dorthin einen Link."
        ),
        error_messages={
            "required": gettext_lazy("Nennen Sie Ihre dienstliche E-Mail-Adresse."),
            "invalid": gettext_lazy("Das ist keine vollständige E-Mail-Adresse, wie name@behoerde.de."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    purpose = forms.CharField(
        label=gettext_lazy("Wofür brauchen Sie den Zugang?"),
        max_length=2000,
        help_text=gettext_lazy(
            "Ein, zwei Sätze genügen, zum Beispiel: „Ich liefere die Zahlen unserer Wohngeld-Anträge.“"
        ),
        error_messages={"required": gettext_lazy("Schreiben Sie, wofür Sie den Zugang brauchen.")},
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    meant = LineField(
        label=gettext_lazy("Onlineservices oder Portal"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Um welche geht es? Namen genügen."),
    )
    privacy = forms.BooleanField(
        label=gettext_lazy("Ich habe den Hinweis zum Datenschutz gelesen."),
        error_messages={"required": gettext_lazy("Bestätigen Sie, dass Sie den Hinweis gelesen haben.")},
    )
    leer = forms.CharField(required=False)
    stamp = forms.CharField(required=False, widget=forms.HiddenInput)
    # As they stand on the page, and so in the list of what is wrong.
    field_order = (
        "first_name", "last_name", "email", "authority", "known", "level", "region", "region_known",
        "purpose", "meant", "privacy",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["stamp"] = signing.dumps(time.time(), salt=STAMP_SALT)

    @property
    def is_by_a_machine(self) -> bool:
        """The field that people do not see was filled in."""
        return bool(self._sent("leer"))

    def clean(self) -> dict[str, Any]:
        """A stamp that does not fit is only spoken of where nothing else is to be mended."""
        cleaned = super().clean()
        age = self._age()
        if age is None or age > MOST_SECONDS:
            self.data = {**dict(self.data.items()), "stamp": self.initial["stamp"]}
        if (age is None or not LEAST_SECONDS <= age <= MOST_SECONDS) and not self.errors:
            raise forms.ValidationError(
                _("Das ging sehr schnell, oder die Seite war lange offen. Bitte senden Sie noch einmal ab.")
            )
        return cleaned

    def _age(self) -> float | None:
        """Seconds since the form was first shown; None without a stamp of ours."""
        try:
            return float(time.time() - signing.loads(self.cleaned_data.get("stamp", ""), salt=STAMP_SALT))
        except signing.BadSignature:
            return None

    def application(self) -> Application:
        cleaned = self.cleaned_data
        return Application(
            first_name=cleaned["first_name"],
            last_name=cleaned["last_name"],
            email=cleaned["email"],
            authority=cleaned["choice"],
            purpose=cleaned["purpose"],
            meant=cleaned["meant"],
        )


def message_field(label: Any, *, missing: Any, hint: Any = "", rows: int = 5) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=2000,
        help_text=hint,
        error_messages={"required": missing},
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class AnswerForm(forms.Form):
    text = message_field(gettext_lazy("Ihre Antwort"), missing=gettext_lazy("Schreiben Sie Ihre Antwort."))


def own_names(person: User) -> dict[str, str]:
    """What a person who is signed in need not type."""
    return {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email,
        "authority": person.authority.name if person.authority else "",
    }
