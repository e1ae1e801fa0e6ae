"""The fields of master data, in parts: the steps of a registration are one part each, the form of an existing
service is all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Authority, User
from accounts.queries import authority_named, authority_names, similar_authorities
from accounts.request_forms import LineField
from ozgsync.models import Leistung, Level, OzgOnlineService, Region
from ozgsync.search import digits_of
from services.master_data import MasterData, by_key
from services.models import OnlineService, ReportingLevel
from services.pickers import Picker, leistung_picker, region_picker
from services.superseded import superseded
from zsk import formats

SHORTEST_NAME, LONGEST_NAME = 3, 150
KEY_DIGITS = 14
MOST_MORE_LEISTUNGEN = 20
MOST_REGIONS = 500
YEARS = range(1990, 2101)
PROPOSED = 5
LEVELS = [
    (ReportingLevel.BUND, gettext_lazy("Bund: eine Zahl im Monat, für ganz Deutschland")),
    (ReportingLevel.LAND, gettext_lazy("Land: eine Zahl je Land, zum Beispiel Hessen 1.204")),
    (
        ReportingLevel.KREIS,
        gettext_lazy(
            "Kreis: eine Zahl je Landkreis und kreisfreier Stadt, zum Beispiel Main-Kinzig-Kreis 87"
        ),
    ),
    (ReportingLevel.GEMEINDE, gettext_lazy("Gemeinde: eine Zahl je Gemeinde, zum Beispiel Gelnhausen 12")),
    (
        ReportingLevel.MIXED,
        gettext_lazy("gemischt: mal so, mal so, zum Beispiel Länder und einzelne große Städte"),
    ),
]


class KeysField(forms.Field):
    """Several keys, from as many inputs of one name; each counts once."""

    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(str(key) for key in value or () if key))


class Part(forms.Form):
    """Values as they were typed or stored, for what is shown beside the fields."""

    # Fields that are kept in a draft.
    kept: tuple[str, ...] = ()

    def raw(self, name: str) -> str:
        return str(self[name].value() or "")

    def raw_list(self, name: str) -> list[str]:
        return [str(key) for key in self[name].value() or ()]


def search_field() -> forms.CharField:
    return LineField(required=False, max_length=200)


class LeistungPart(Part):
    """`held` are keys that a service has already: they stay, also when they have ended since."""

    kept: tuple[str, ...] = ("leistung", "more_leistungen")
    held: frozenset[str] = frozenset()
    leistung = forms.CharField(
        label=gettext_lazy("Leistung"),
        required=False,
        max_length=100,
    )
    more_leistungen = KeysField(label=gettext_lazy("Weitere Leistungen"), required=False)
    suche_leistung = search_field()
    suche_more_leistungen = search_field()

    def leistung_picker(self) -> Picker:
        key = self.raw("leistung")
        return leistung_picker("leistung", text=self.raw("suche_leistung"), chosen=[key], single=True)

    def more_picker(self) -> Picker:
        chosen = self.raw_list("more_leistungen")
        text = self.raw("suche_more_leistungen")
        return leistung_picker("more_leistungen", text=text, chosen=chosen, single=False)

    def clean_leistung(self) -> Leistung:
        text = self.cleaned_data["leistung"]
        if not text:
            raise forms.ValidationError(_("Suchen Sie die Leistung und wählen Sie sie aus."))
        digits = digits_of(text)
        if len(digits) != KEY_DIGITS or not digits.startswith("99"):
            wrong = _("„%(text)s“ ist kein Leistungsschlüssel: Er hat 14 Ziffern und beginnt mit 99.")
            raise forms.ValidationError(wrong % {"text": text})
        found = Leistung.objects.filter(pk=digits).first()
        if found is None:
            raise forms.ValidationError(
                _("Den Leistungsschlüssel %(key)s gibt es im Katalog nicht. Suchen Sie nach dem Namen.")
                % {"key": digits}
            )
        self._refuse_superseded([found])
        return found

    def _refuse_superseded(self, chosen: Iterable[Leistung]) -> None:
        wrong = superseded(leistung for leistung in chosen if leistung.pk not in self.held)
        if wrong:
            raise forms.ValidationError([one.message for one in wrong.values()])

    def clean_more_leistungen(self) -> tuple[Leistung, ...]:
        keys = self.cleaned_data["more_leistungen"]
        if len(keys) > MOST_MORE_LEISTUNGEN:
            raise forms.ValidationError(_("Wählen Sie höchstens 20 weitere Leistungen."))
        found = Leistung.objects.filter(pk__in=keys)
        if unknown := set(keys) - {leistung.pk for leistung in found}:
            raise forms.ValidationError(
                _("Diese Leistungsschlüssel gibt es im Katalog nicht: %(keys)s.")
                % {"keys": ", ".join(sorted(unknown))}
            )
        self._refuse_superseded(found)
        main = self.cleaned_data.get("leistung")
        return by_key(leistung for leistung in found if leistung != main)


class TextPart(Part):
    kept: tuple[str, ...] = ("name", "authority", "url", "contact")
    name = LineField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("So, wie ihn Bürgerinnen und Bürger kennen, zum Beispiel „Wohngeld online“."),
        min_length=SHORTEST_NAME,
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Geben Sie dem Onlineservice einen Namen."),
            "min_length": gettext_lazy("Der Name ist zu kurz: Er braucht mindestens 3 Zeichen."),
            "max_length": gettext_lazy(
                "Der Name ist zu lang: Er hat %(show_value)d Zeichen, erlaubt sind 150."
            ),
        },
    )
    authority = LineField(
        label=gettext_lazy("Verantwortliche Behörde"),
        help_text=gettext_lazy("Beginnen Sie zu tippen und wählen Sie aus. Vorgeschlagen ist Ihre eigene."),
        max_length=200,
        widget=forms.TextInput(attrs={"list": "behoerden", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Nennen Sie die Behörde, die für den Onlineservice verantwortlich ist."),
        },
    )
    url = forms.URLField(
        label=gettext_lazy("Adresse des Onlineservices"),
        help_text=gettext_lazy(
            "Wo er im Internet zu finden ist, zum Beispiel https://www.wohngeld.de/antrag."
        ),
        required=False,
        max_length=200,
        assume_scheme="https",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
        validators=[
            RegexValidator(
                r"^https?://", gettext_lazy("Die Adresse beginnt mit https:// oder http://."), code="scheme"
            )
        ],
        error_messages={
            "invalid": gettext_lazy(
                "Das ist keine vollständige Adresse, wie https://www.wohngeld.de/antrag."
            ),
            "max_length": gettext_lazy("Die Adresse ist zu lang: höchstens 200 Zeichen."),
        },
    )
    contact = forms.EmailField(
        label=gettext_lazy("Funktionspostfach"),
        help_text=gettext_lazy(
            "Für Rückfragen zu den Zahlen, zum Beispiel wohngeld@behoerde.de. Es ist nicht öffentlich. Bitte"
            " keine persönliche Adresse: Das Postfach soll bleiben, wenn jemand geht."
        ),
        max_length=254,
        widget=forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Nennen Sie ein Postfach für Rückfragen zu den Zahlen."),
            "invalid": gettext_lazy("Das ist keine vollständige E-Mail-Adresse, wie wohngeld@behoerde.de."),
        },
    )

    def clean_authority(self) -> Authority:
        found = authority_named(self.cleaned_data["authority"])
        if found is None:
            raise forms.ValidationError(
                _(
                    "Eine Behörde „%(name)s“ kennt die ZSK nicht. Wählen Sie eine aus der Liste; fehlt sie,"
                    " trägt der ZSK-Betrieb sie ein."
                )
                % {"name": self.cleaned_data["authority"]}
            )
        return found

    def name_proposals(self) -> list[str]:
        """Names that the OZG database has for this Leistung, and the Leistung's own."""
        key = digits_of(str(self.initial.get("leistung") or self.data.get("leistung") or ""))
        known = OzgOnlineService.objects.filter(leistung=key, valid_to=None).values_list("name", flat=True)[
            :PROPOSED
        ]
        names = [*known, *Leistung.objects.filter(pk=key).values_list("name", flat=True)]
        return [
            name for name in dict.fromkeys(names) if name != self.raw("name") and len(name) <= LONGEST_NAME
        ]

    def authority_proposals(self) -> list[Authority]:
        """What may have been meant, where the name is none."""
        typed = self.raw("authority")
        return similar_authorities(typed) if "authority" in self.errors and typed else []

    def authority_names(self) -> list[str]:
        return authority_names()


class AreaPart(Part):
    kept: tuple[str, ...] = ("area", "reporting_level")
    area = KeysField(label=gettext_lazy("Gebiet"), required=False)
    suche_area = search_field()
    reporting_level = forms.ChoiceField(
        label=gettext_lazy("Meldeebene"),
        help_text=gettext_lazy(
            "Für welche Gebiete Sie jeden Monat Zahlen liefern können. Eine Lieferung auf anderer Ebene wird"
            " abgelehnt. Je feiner, desto aussagekräftiger."
        ),
        choices=LEVELS,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Wählen Sie, auf welcher Ebene Sie Zahlen liefern."),
            "invalid_choice": gettext_lazy("Wählen Sie eine der Meldeebenen."),
        },
    )

    def area_picker(self) -> Picker:
        return region_picker("area", text=self.raw("suche_area"), chosen=self.raw_list("area"))

    def clean_area(self) -> tuple[Region, ...]:
        """Without regions that lie in another one of them."""
        keys = self.cleaned_data["area"]
        if not keys:
            raise forms.ValidationError(
                _("Wählen Sie mindestens eine Region. Gilt er überall, wählen Sie „ganz Deutschland“.")
            )
        if len(keys) > MOST_REGIONS:
            raise forms.ValidationError(
                _("Das sind zu viele Regionen. Wählen Sie die Kreise oder Länder, in denen sie liegen.")
            )
        found = list(Region.objects.filter(pk__in=keys))
        if unknown := set(keys) - {region.pk for region in found}:
            raise forms.ValidationError(
                _("Diese Regionalschlüssel gibt es nicht: %(keys)s.") % {"keys": ", ".join(sorted(unknown))}
            )
        prefixes = {region.prefix for region in found}
        return by_key(region for region in found if not _lies_in_another(region, prefixes))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        level = ReportingLevel(cleaned.get("reporting_level") or ReportingLevel.MIXED).level
        for region in cleaned.get("area", ()):
            if level is not None and level < region.level_top:
                words = {"level": level.label, "region": region.name, "own": Level(region.level_top).label}
                text = _(
                    "Für %(region)s lassen sich auf der Ebene %(level)s keine Zahlen liefern: %(region)s ist"
                    " nur ein Teil davon. Wählen Sie %(own)s oder eine feinere Ebene."
                )
                self.add_error("reporting_level", text % words)
                break
        return cleaned


def _lies_in_another(region: Region, prefixes: set[str]) -> bool:
    return any(region.prefix[:length] in prefixes for length in range(len(region.prefix)))


def date_field(label: Any, *, hint: Any, missing: Any = "") -> forms.DateField:
    """A day as people write it; a text, so that a wrong one stays to be seen."""
    return forms.DateField(
        label=label,
        help_text=hint,
        required=bool(missing),
        input_formats=["%d.%m.%Y", "%Y-%m-%d", "%d.%m.%y"],
        widget=forms.DateInput(format="%d.%m.%Y", attrs={"autocomplete": "off", "inputmode": "decimal"}),
        error_messages={
            "required": missing,
            "invalid": gettext_lazy("Dieses Datum gibt es nicht. Schreiben Sie es so: 01.05.2026."),
        },
    )


class LifePart(Part):
    kept: tuple[str, ...] = ("live_from", "ended_on")
    live_from = date_field(
        gettext_lazy("In Betrieb seit"),
        hint=gettext_lazy(
            "Ab diesem Monat erwartet die ZSK Zahlen. Er darf in der Zukunft liegen. Beispiel: 01.05.2026"
        ),
        missing=gettext_lazy("Nennen Sie den Tag, seit dem der Onlineservice in Betrieb ist."),
    )
    ended_on = date_field(
        gettext_lazy("Außer Betrieb seit"),
        hint=gettext_lazy("Nur, wenn das Ende schon feststeht. Später geht es auch."),
    )

    def clean_live_from(self) -> dt.date | None:
        return _in_range(self.cleaned_data["live_from"])

    def clean_ended_on(self) -> dt.date | None:
        return _in_range(self.cleaned_data["ended_on"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("live_from"), cleaned.get("ended_on")
        if start and end and end < start:
            self.add_error("ended_on", _ends_too_early(end, start))
        return cleaned


def _ends_too_early(end: dt.date, start: dt.date) -> str:
    words = {"end": formats.day(end), "start": formats.day(start)}
    return _("Das Ende (%(end)s) liegt vor dem Beginn (%(start)s). Ändern Sie einen der beiden Tage.") % words


def _in_range(day: dt.date | None) -> dt.date | None:
    if day and day.year not in YEARS:
        raise forms.ValidationError(_("Das Jahr %(year)d kann nicht stimmen.") % {"year": day.year})
    return day


class MasterDataForm(LeistungPart, TextPart, AreaPart, LifePart):
    """All of a service's master data, as it was at `revision`."""

    kept: tuple[str, ...] = (*LeistungPart.kept, *TextPart.kept, *AreaPart.kept, *LifePart.kept)
    field_order = kept
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    confirmed = forms.BooleanField(
        label=gettext_lazy("Ich habe das gelesen und möchte es so ändern."), required=False
    )

    def __init__(self, *args: Any, held: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = frozenset(held)

    def master_data(self) -> MasterData:
        """After it was found valid."""
        return MasterData(**{name: self.cleaned_data[name] for name in self.kept})


class EndForm(forms.Form):
    ended_on = date_field(
        gettext_lazy("Außer Betrieb seit"),
        hint=gettext_lazy("Der erste Tag ohne den Onlineservice, auch in der Zukunft. Beispiel: 01.05.2026"),
        missing=gettext_lazy("Nennen Sie den Tag, seit dem es den Onlineservice nicht mehr gibt."),
    )

    def __init__(self, *args: Any, service: OnlineService, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service

    def clean_ended_on(self) -> Any:
        day = self.cleaned_data["ended_on"]
        if self.service.live_from and day < self.service.live_from:
            raise forms.ValidationError(_ends_too_early(day, self.service.live_from))
        return day


def typed(data: MasterData) -> dict[str, Any]:
    """Master data as they stand in the fields of a form."""
    return {
        **data.row,
        "leistung": data.leistung.pk,
        "authority": data.authority.name,
        "area": [region.pk for region in data.area],
        "more_leistungen": [leistung.pk for leistung in data.more_leistungen],
    }


def own_authority(user: User) -> str:
    return user.authority.name if user.authority else ""
