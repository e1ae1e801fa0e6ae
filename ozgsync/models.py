"""Reference data: regions and their history, Leistungen, and what the OZG database says of services."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

GERMANY = "000000000000"


class Level(models.IntegerChoices):
    """Levels of the ARS from the top down; a smaller number is a larger area."""

    BUND = 0, "Bund"
    LAND = 1, "Land"
    REGBEZ = 2, "Regierungsbezirk"
    KREIS = 3, "Kreis"
    VERBAND = 4, "Gemeindeverband"
    GEMEINDE = 5, "Gemeinde"


class Folded(models.Func):
    """A name as search compares it: lower case, umlauts written out; SQL's side of `ozgsync.search.fold`."""

    function = "zsk_fold"
    output_field = models.TextField()


def folded_of(of: str = "name") -> models.GeneratedField:
    return models.GeneratedField(expression=Folded(of), output_field=models.TextField(), db_persist=True)


def trigram_index(name: str, of: str = "folded") -> GinIndex:
    """Finds names that hold a word of three letters or more."""
    return GinIndex(models.Func(models.F(of), function="zsk_trigrams"), name=name, fastupdate=False)


class ArsField(models.CharField):
    """A 12-digit Amtlicher Regionalschlüssel; byte order, so that a prefix is a range of the index."""

    def __init__(self, verbose_name: str | None = None, **options: Any) -> None:
        super().__init__(verbose_name, **{"max_length": 12, "db_collation": "C", **options})


class RegionQuerySet(models.QuerySet["Region"]):
    def at_level(self, level: Level) -> RegionQuerySet:
        """Regions that are of this level, among others: Berlin is Land, Kreis and Gemeinde with one key."""
        return self.filter(level_top__lte=level, level_bottom__gte=level)

    def valid_in(self, month: dt.date) -> RegionQuerySet:
        """Regions that existed on the first day of the month."""
        versions = RegionVersion.objects.filter(
            Q(valid_to__isnull=True) | Q(valid_to__gt=month), valid_from__lte=month
        )
        return self.filter(ars__in=versions.values("region"))


class Region(models.Model):
    """One key of the ARS, whatever its name and parent were over time."""

    ars = ArsField("ARS", primary_key=True)
    name = models.CharField("Name", max_length=200, help_text="Name der jüngsten Fassung")
    level_top = models.PositiveSmallIntegerField("oberste Ebene", choices=Level)
    level_bottom = models.PositiveSmallIntegerField("unterste Ebene", choices=Level)
    postcode = models.CharField("Postleitzahl der Verwaltung", max_length=5, blank=True, db_default="")

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = "Region"
        verbose_name_plural = "Regionen"
        ordering = ["ars"]
        constraints = [
            models.CheckConstraint(condition=Q(ars__regex=r"^[0-9]{12}$"), name="region_ars_12_digits"),
            models.CheckConstraint(
                condition=Q(level_top__lte=models.F("level_bottom")), name="region_levels"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.ars})"

    @property
    def prefix(self) -> str:
        """The leading digits that every key of an area inside this region shares; empty for Germany."""
        return ars_prefix(self.ars, Level(self.level_top))


def ars_prefix(ars: str, level: Level) -> str:
    return ars[
        : {Level.BUND: 0, Level.LAND: 2, Level.REGBEZ: 3, Level.KREIS: 5, Level.VERBAND: 9}.get(level, 12)
    ]


class RegionVersion(models.Model):
    """What a region was called, and where it lay, from `valid_from` until before `valid_to`."""

    region = models.ForeignKey(
        Region, models.CASCADE, related_name="versions", db_column="ars", db_index=False
    )
    valid_from = models.DateField("gültig ab")
    valid_to = models.DateField("gültig bis (ausschließlich)", null=True, blank=True)
    legally_from = models.DateField("rechtlich wirksam ab", null=True, blank=True)
    name = models.CharField("Name", max_length=200)
    kind = models.CharField("Art", max_length=60, blank=True)
    parent = models.ForeignKey(
        Region, models.PROTECT, related_name="+", null=True, blank=True, db_column="parent"
    )
    inhabitants = models.PositiveIntegerField("Einwohner", null=True, blank=True)
    folded = folded_of()
    # What SQL writes is stamped by a trigger.
    changed_at = models.DateTimeField("geändert am", auto_now=True)

    class Meta:
        verbose_name = "Fassung einer Region"
        verbose_name_plural = "Fassungen von Regionen"
        ordering = ["region", "valid_from"]
        indexes = [trigram_index("regionversion_trigrams")]
        constraints = [
            models.UniqueConstraint(fields=["region", "valid_from"], name="region_version_once"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=models.F("valid_from")),
                name="region_version_span",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ab {self.valid_from}"


class RegionChange(models.Model):
    """One step of a territorial reform: what became of a key."""

    class Kind(models.TextChoices):
        MERGER = "zusammenschluss", "Zusammenschluss"
        REKEY = "schluesselaenderung", "Schlüsseländerung"
        INCORPORATION = "eingliederung", "Eingliederung"
        RENAME = "umbenennung", "Umbenennung"
        SPLIT = "teilung", "Teilung"

    change_id = models.CharField("Kennung der Änderung", max_length=40)
    kind = models.CharField("Art", max_length=24, choices=Kind)
    old = models.ForeignKey(Region, models.PROTECT, related_name="changes_from", db_column="old")
    new = models.ForeignKey(Region, models.PROTECT, related_name="changes_to", db_column="new")
    effective = models.DateField("rechtlich wirksam")
    statistically = models.DateField("statistisch wirksam")
    share = models.DecimalField(
        "Anteil", max_digits=7, decimal_places=6, null=True, blank=True, help_text="leer, wenn nicht bekannt"
    )

    class Meta:
        verbose_name = "Gebietsänderung"
        verbose_name_plural = "Gebietsänderungen"
        ordering = ["effective", "change_id"]
        constraints = [models.UniqueConstraint(fields=["change_id", "old", "new"], name="region_change_once")]

    def __str__(self) -> str:
        return f"{self.old_id} → {self.new_id} ({self.get_kind_display()})"


class RegionToday(models.Model):
    """In which months a count at a key belongs to which key of today; made by `today.py`.

    Keys that lead to themselves have no rows. `today` is the lowest common parent where `exact` is false.
    """

    ars = ArsField("ARS")
    from_month = models.DateField("ab Monat")
    to_month = models.DateField("bis Monat (ausschließlich)")
    today = ArsField("ARS heute", db_index=True)
    exact = models.BooleanField("genau")

    class Meta:
        verbose_name = "heutige Region"
        verbose_name_plural = "heutige Regionen"
        ordering = ["ars", "from_month"]
        constraints = [models.UniqueConstraint(fields=["ars", "from_month"], name="region_today_once")]

    def __str__(self) -> str:
        return f"{self.ars} vor {self.to_month}: {self.today}"


class Themenfeld(models.Model):
    slug = models.SlugField(primary_key=True)
    name = models.CharField("Name", max_length=60, unique=True)

    class Meta:
        verbose_name = "Themenfeld"
        verbose_name_plural = "Themenfelder"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class OzgLeistung(models.Model):
    """A bundle of Leistungen with an OZG-ID; belongs to one Themenfeld."""

    ozg_id = models.CharField("OZG-ID", max_length=20, primary_key=True)
    name = models.CharField("Name", max_length=300)
    themenfeld = models.ForeignKey(Themenfeld, models.PROTECT, related_name="ozg_leistungen")
    folded = folded_of()

    class Meta:
        verbose_name = "OZG-Leistung"
        verbose_name_plural = "OZG-Leistungen"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Invitation(models.TextChoices):
    """Whether the IT-Planungsrat asks for a Leistung's numbers or invites them."""

    ASKED = "aufgefordert", "zur Lieferung aufgefordert"
    INVITED = "eingeladen", "zur Lieferung eingeladen"
    NEITHER = "", "weder aufgefordert noch eingeladen"


def in_catalogue(day: dt.date) -> Q:
    """Leistungen that the catalogue holds on a day; an unknown beginning or end does not limit."""
    begun = Q(valid_from__isnull=True) | Q(valid_from__lte=day)
    return begun & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))


class LeistungQuerySet(models.QuerySet["Leistung"]):
    def valid_on(self, day: dt.date) -> LeistungQuerySet:
        return self.filter(in_catalogue(day))


class Leistung(models.Model):
    """A public service in the LeiKa/FIM catalogue; an ended one stays, with its services."""

    schluessel = models.CharField("Leistungsschlüssel", max_length=14, primary_key=True, db_collation="C")
    name = models.CharField("Name", max_length=300)
    also_called = models.CharField(
        "bürgernaher Name", max_length=300, blank=True, db_default="", help_text="wird bei der Suche gefunden"
    )
    name_source = models.CharField("Herkunft des Namens", max_length=40, blank=True)
    confidence = models.CharField("gesehen in", max_length=40, blank=True)
    types = ArrayField(models.CharField(max_length=4), verbose_name="Typisierung", default=list, blank=True)
    ozg_leistung = models.ForeignKey(
        OzgLeistung,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="leistungen",
        verbose_name="OZG-Leistung",
    )
    focus = models.BooleanField("Fokusleistung", default=False)
    valid_from = models.DateField("gültig ab", null=True, blank=True, help_text="leer, wenn nicht bekannt")
    valid_to = models.DateField("gültig bis (ausschließlich)", null=True, blank=True)
    # What SQL writes is stamped by a trigger.
    changed_at = models.DateTimeField("geändert am", auto_now=True)

    folded = folded_of()
    folded_also = folded_of("also_called")

    objects = LeistungQuerySet.as_manager()

    class Meta:
        verbose_name = "Leistung"
        verbose_name_plural = "Leistungen"
        ordering = ["name"]
        indexes = [
            trigram_index("leistung_trigrams"),
            trigram_index("leistung_also_trigrams", of="folded_also"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(schluessel__regex=r"^99[0-9]{12}$"), name="leistung_schluessel_form"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True)
                | Q(valid_from__isnull=True)
                | Q(valid_to__gt=models.F("valid_from")),
                name="leistung_span",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.schluessel})"

    @property
    def main_type(self) -> str:
        """The type that evaluations use: the first of the list, empty when none is known."""
        return self.types[0] if self.types else ""

    @property
    def invitation(self) -> Invitation:
        """Types 1, 2, 3 and 2/3 are asked, 4 and 5 invited (IT-Planungsrat, Beschluss 2023/21)."""
        base = self.main_type.rstrip("ab")
        if base in {"1", "2", "3", "2/3"}:
            return Invitation.ASKED
        return Invitation.INVITED if base in {"4", "5"} else Invitation.NEITHER

    def is_valid_on(self, day: dt.date) -> bool:
        """As `LeistungQuerySet.valid_on`, for one that is read already."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or self.valid_to > day
        )


class LeistungChange(models.Model):
    """What took the place of a Leistung; several rows where it was divided.

    Whoever writes one also ends the old Leistung: `valid_to` alone says whether a key may still be used.
    """

    old = models.ForeignKey(Leistung, models.PROTECT, related_name="changes_from", db_column="old")
    new = models.ForeignKey(Leistung, models.PROTECT, related_name="changes_to", db_column="new")
    effective = models.DateField("wirksam ab")

    class Meta:
        verbose_name = "Ablösung einer Leistung"
        verbose_name_plural = "Ablösungen von Leistungen"
        ordering = ["effective", "old", "new"]
        constraints = [
            models.UniqueConstraint(fields=["old", "new"], name="leistung_change_once"),
            models.CheckConstraint(condition=~Q(old=models.F("new")), name="leistung_change_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.old_id} → {self.new_id}"


class ReferenceVersion(models.Model):
    """One row that counts the changes of reference data, for whoever keeps what was made of them.

    Rows change in place, so nothing else tells the state of all of them at the price of one row.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField("Fassung")
    today_of = models.TextField("Grundlage der heutigen Regionen", db_default="")
    # Set by triggers whenever a region or one of its versions is written, by whomever; never twice the same.
    regions = models.BigIntegerField("Stand der Regionen", db_default=0)

    class Meta:
        verbose_name = "Fassung der Referenzdaten"
        verbose_name_plural = "Fassung der Referenzdaten"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="reference_version_single")]

    def __str__(self) -> str:
        return str(self.version)


class OzgOnlineService(models.Model):
    """What the OZG database says of an online service: where a name is proposed from."""

    ozg_number = models.CharField("Nummer der OZG-Datenbank", max_length=40, primary_key=True)
    name = models.CharField("Name", max_length=300)
    leistung = models.ForeignKey(Leistung, models.CASCADE, related_name="ozg_online_services")
    valid_to = models.DateField("gültig bis (ausschließlich)", null=True, blank=True)
    folded = folded_of()

    class Meta:
        verbose_name = "Onlineservice der OZG-Datenbank"
        verbose_name_plural = "Onlineservices der OZG-Datenbank"
        ordering = ["name"]
        indexes = [trigram_index("ozgonlineservice_trigrams")]

    def __str__(self) -> str:
        return self.name


class SyncRun(models.Model):
    """One fetch of one source: what came, how it differed, and what became of the difference."""

    class Status(models.TextChoices):
        RUNNING = "laeuft", "läuft"
        WAITING = "wartet", "zu bestätigen"
        APPLIED = "uebernommen", "übernommen"
        SAME = "unveraendert", "ohne Änderung"
        FAILED = "fehlgeschlagen", "fehlgeschlagen"
        DISCARDED = "verworfen", "verworfen"
        ROLLED_BACK = "zurueckgenommen", "zurückgenommen"

    source = models.CharField("Quelle", max_length=40)
    status = models.CharField("Status", max_length=20, choices=Status, default=Status.RUNNING)
    actor = models.CharField("angestoßen von", max_length=200, blank=True)
    file_name = models.CharField("Datei", max_length=255, blank=True)
    version = models.CharField("Fassung der Quelle", max_length=100, blank=True)
    day = models.DateField("Stand", null=True)
    cursor_before = models.CharField("Änderungen seit", max_length=60, blank=True)
    cursor = models.CharField("nächster Lauf ab", max_length=60, blank=True)
    started_at = models.DateTimeField("begonnen am", default=timezone.now)
    finished_at = models.DateTimeField("abgeschlossen am", null=True)
    new_count = models.PositiveIntegerField("neu", default=0)
    changed_count = models.PositiveIntegerField("geändert", default=0)
    ended_count = models.PositiveIntegerField("beendet", default=0)
    same_count = models.PositiveIntegerField("unverändert", default=0)
    warnings = ArrayField(models.TextField(), verbose_name="Hinweise", default=list)
    error = models.TextField("Fehler", blank=True)
    decided_by = models.CharField("entschieden von", max_length=200, blank=True)
    followed_up = models.BooleanField("Folgen gemeldet", default=False)

    class Meta:
        verbose_name = "Abgleich"
        verbose_name_plural = "Abgleiche"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["source", "-id"], name="sync_run_by_source")]

    def __str__(self) -> str:
        return f"{self.source} {self.started_at:%Y-%m-%d %H:%M} ({self.get_status_display()})"


class SyncPiece(models.Model):
    """A piece of a run's raw answer, gzipped; expires after a set time."""

    pk = models.CompositePrimaryKey("run_id", "number")
    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        verbose_name = "Teil einer Antwort"
        verbose_name_plural = "Teile von Antworten"

    def __str__(self) -> str:
        return f"{self.run_id} Teil {self.number}"


class SyncChange(models.Model):
    """One row that a run changes, its values before and after: to be shown, applied and undone."""

    class Kind(models.TextChoices):
        NEW = "neu", "neu"
        CHANGED = "geaendert", "geändert"
        ENDED = "beendet", "beendet"

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="changes")
    table = models.CharField("Tabelle", max_length=60)
    key = models.CharField("Schlüssel", max_length=200)
    kind = models.CharField("Art", max_length=10, choices=Kind)
    old = models.JSONField("bisher", null=True)
    new = models.JSONField("neu")
    minor = models.BooleanField("nebensächlich", db_default=False)

    class Meta:
        verbose_name = "Änderung durch einen Abgleich"
        verbose_name_plural = "Änderungen durch Abgleiche"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.kind}"
