"""The numbers: what was delivered, what it changed, and the totals kept beside the facts.

`TransactionCount`, `CountRevision`, `MonthlyTotal`, `ServiceMonth`, `StagedCount` and `RegionTotalDelta`
are
written by `delivery.py` alone, in SQL. Their keys start with the service, so that they can be distributed.
"""

from __future__ import annotations

import datetime as dt
import uuid

import uuid_utils.compat
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from ozgsync.models import ArsField, Region
from services.models import Credential, OnlineService
from transactions.values import MAX_COUNT


def new_id() -> uuid.UUID:
    """A UUID of version 7: sorts by time."""
    return uuid_utils.compat.uuid7()


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, principal: User | Credential) -> DeliveryQuerySet:
        """Deliveries that the principal sent, or that touch services of theirs; all for operations.

        What was refused touched nothing: people find what a key of theirs sent, and what a colleague sent
        for one service of theirs alone.
        """
        if isinstance(principal, User) and principal.is_operations:
            return self.all()
        services = OnlineService.objects.deliverable_by(principal)
        touched = DeliveryService.objects.filter(service__in=services)
        if isinstance(principal, Credential):
            mine = Q(credential=principal)
        else:
            keys = Credential.objects.filter(Q(service__in=services) | Q(portal__members=principal))
            refused = Q(service__in=services, status=Delivery.Status.REFUSED)
            mine = Q(user=principal) | Q(credential__in=keys) | refused
        return self.filter(Q(pk__in=touched.values("delivery")) | mine)

    def changed_since(self, at: dt.datetime) -> DeliveryQuerySet:
        """Deliveries that came in, were finished or were taken back from then on."""
        undone = Delivery.objects.filter(undoes__isnull=False, received_at__gte=at)
        return self.filter(
            Q(received_at__gte=at) | Q(finished_at__gte=at) | Q(pk__in=undone.values("undoes"))
        )


class Delivery(models.Model):
    """One act of delivering counts: who, when, by which channel, what it changed, or why it was refused."""

    class Status(models.TextChoices):
        ACCEPTED = "uebernommen", "übernommen"
        REFUSED = "abgelehnt", "abgelehnt"
        WAITING = "wartet", "wartet"
        RUNNING = "in_arbeit", "in Arbeit"
        UNDONE = "rueckgaengig", "rückgängig gemacht"
        TRIED = "probelauf", "Probelauf"

    class Channel(models.TextChoices):
        PUSH = "push", "Schnittstelle"
        FILE = "datei", "Datei"
        FORM = "formular", "Formular"
        UNDO = "ruecknahme", "Rücknahme"

    class Mode(models.TextChoices):
        MERGE = "ergaenzen", "ergänzen"
        REPLACE = "ersetzen", "ersetzen"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    status = models.CharField("Status", max_length=20, choices=Status)
    channel = models.CharField("Lieferweg", max_length=20, choices=Channel)
    mode = models.CharField("Modus", max_length=20, choices=Mode, default=Mode.MERGE)
    credential = models.ForeignKey(
        Credential, models.PROTECT, null=True, blank=True, related_name="deliveries"
    )
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="deliveries")
    actor = models.CharField("wer", max_length=200)
    # NULL, not empty: the unique constraint holds for keys that were sent.
    client_key = models.CharField("Idempotency-Key", max_length=255, null=True, blank=True)  # noqa: DJ001
    # Of a push as CSV: that it is one, and the parameters of its address.
    envelope = models.JSONField("Umschlag", default=dict, blank=True)
    content_hash = models.CharField("Prüfsumme des Inhalts", max_length=64, blank=True)
    file_name = models.CharField("Dateiname", max_length=255, blank=True)
    service = models.ForeignKey(
        OnlineService,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="nur für diesen Service",
    )
    reason = models.CharField("Begründung", max_length=500, blank=True)
    received_at = models.DateTimeField("eingegangen am", default=timezone.now)
    finished_at = models.DateTimeField("abgeschlossen am", null=True, blank=True)
    first_month = models.DateField("erster Monat", null=True, blank=True)
    last_month = models.DateField("letzter Monat", null=True, blank=True)
    row_count = models.PositiveIntegerField("Zeilen", default=0)
    new_count = models.PositiveIntegerField("neu", default=0)
    changed_count = models.PositiveIntegerField("geändert", default=0)
    same_count = models.PositiveIntegerField("unverändert", default=0)
    deleted_count = models.PositiveIntegerField("gelöscht", default=0)
    fault_count = models.PositiveIntegerField("Fehler", default=0)
    warning_count = models.PositiveIntegerField("Hinweise", default=0)
    undoes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="undone_by", verbose_name="nimmt zurück"
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = "Datenlieferung"
        verbose_name_plural = "Datenlieferungen"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["credential", "client_key"], name="delivery_client_key_once"),
        ]

    def __str__(self) -> str:
        return f"Lieferung {self.pk} ({self.get_status_display()})"

    def get_absolute_url(self) -> str:
        return f"/lieferungen/{self.pk}/"

    @property
    def title(self) -> str:
        """What people know it by while it waits: the name of its file, or the form of its service."""
        return self.file_name or f"Formular {self.service.number if self.service else ''}".strip()


class DeliveryService(models.Model):
    """A delivery's part for one service, so that its members see only that part."""

    pk = models.CompositePrimaryKey("delivery_id", "service_id")
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="parts", db_index=False)
    service = models.ForeignKey(OnlineService, models.PROTECT, related_name="delivery_parts")
    new_count = models.PositiveIntegerField("neu", default=0)
    changed_count = models.PositiveIntegerField("geändert", default=0)
    same_count = models.PositiveIntegerField("unverändert", default=0)
    deleted_count = models.PositiveIntegerField("gelöscht", default=0)

    class Meta:
        verbose_name = "Teil einer Lieferung"
        verbose_name_plural = "Teile von Lieferungen"

    def __str__(self) -> str:
        return f"{self.delivery_id} für {self.service_id}"


class DeliveryFinding(models.Model):
    """One fault or warning of a delivery; its text is made from `code` and `params` when it is read."""

    class Severity(models.TextChoices):
        FAULT = "fehler", "Fehler"
        WARNING = "hinweis", "Hinweis"

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="findings")
    line = models.PositiveIntegerField("Zeile", null=True)
    pointer = models.CharField("Zeiger", max_length=120, blank=True)
    field = models.CharField("Feld", max_length=40, blank=True)
    code = models.CharField("Code", max_length=60)
    value = models.CharField("Wert", max_length=200, blank=True)
    params = models.JSONField("Angaben", default=dict)
    suggestion = models.CharField("Vorschlag", max_length=200, blank=True)
    severity = models.CharField("Art", max_length=10, choices=Severity)
    # Whose numbers it is about, so that members of one service see their part of a portal's delivery.
    service = models.ForeignKey(
        OnlineService, models.CASCADE, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        verbose_name = "Befund"
        verbose_name_plural = "Befunde"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Zeile {self.line}: {self.code}"


class DeliveryChunk(models.Model):
    """A piece of an uploaded file; kept in the database, so that any worker can read it, then expires."""

    pk = models.CompositePrimaryKey("delivery_id", "number")
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        verbose_name = "Dateiteil"
        verbose_name_plural = "Dateiteile"

    def __str__(self) -> str:
        return f"{self.delivery_id} Teil {self.number}"


class DeliveryJob(models.Model):
    """Work on a delivery that takes long, until it is done: what is to be done, and how far it has come.

    Whoever works on it holds it until `leased_until` and says so again and again; past that time the worker
    is dead, and another one takes it. `tries` tells them apart.
    """

    class Kind(models.TextChoices):
        CHECK = "pruefen", "prüfen"
        CONFIRM = "uebernehmen", "übernehmen"
        PUSH = "liefern", "liefern"
        WITHDRAW = "zurueckziehen", "zurückziehen"

    class Step(models.TextChoices):
        QUEUED = "wartet", "Wartet, bis sie an der Reihe ist"
        READING = "lesen", "Die Datei wird gelesen"
        CHECKING = "pruefen", "Jede Zeile wird geprüft"
        COMPARING = "vergleichen", "Die Zeilen werden mit den gespeicherten Zahlen verglichen"
        STORING = "speichern", "Die Zahlen werden gespeichert"

    delivery = models.OneToOneField(Delivery, models.CASCADE, primary_key=True, related_name="job")
    kind = models.CharField("Aufgabe", max_length=20, choices=Kind)
    params = models.JSONField("Angaben", default=dict)
    step = models.CharField("Schritt", max_length=20, choices=Step, default=Step.QUEUED)
    percent = models.PositiveSmallIntegerField("Prozent", default=0)
    tries = models.PositiveSmallIntegerField("Versuche", default=0)
    ordered_at = models.DateTimeField("aufgetragen am", default=timezone.now)
    sent_at = models.DateTimeField("in der Warteschlange seit", null=True)
    leased_until = models.DateTimeField("in Arbeit bis", null=True)

    class Meta:
        verbose_name = "Aufgabe"
        verbose_name_plural = "Aufgaben"

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.get_kind_display()}"


class DeliveryReview(models.Model):
    """What the check of an uploaded file found, so that its preview need not read the file again."""

    delivery = models.OneToOneField(Delivery, models.CASCADE, primary_key=True, related_name="review")
    content = models.JSONField("Ergebnis")
    checked_at = models.DateTimeField("geprüft am", default=timezone.now)

    class Meta:
        verbose_name = "Prüfergebnis"
        verbose_name_plural = "Prüfergebnisse"

    def __str__(self) -> str:
        return f"{self.delivery_id}, geprüft am {self.checked_at}"


class FormEntry(models.Model):
    """What somebody typed into the form before it was checked, and what the form showed them then.

    `data`: `months` (texts), `regions` (keys), `cells` ([ars, month, text, shown] in the order of the
    delivery's rows, `shown` None where nothing was stored), `emptied` ([ars, month] of stored values whose
    field was left empty).
    """

    delivery = models.OneToOneField(Delivery, models.CASCADE, primary_key=True, related_name="form_entry")
    data = models.JSONField("Eingaben")

    class Meta:
        verbose_name = "Formulareingabe"
        verbose_name_plural = "Formulareingaben"

    def __str__(self) -> str:
        return f"Eingaben von {self.delivery_id}"


FIRST_OF_MONTH = Q(month__day=1)


class TransactionCount(models.Model):
    """The count of one service in one region and month: the fact that everything else is derived from."""

    pk = models.CompositePrimaryKey("service_id", "month", "ars")
    # No constraints: checking the one on the service took 60 % of the time of an insert. The service is
    # protected by its `ServiceMonth`, which every count has; regions are never deleted.
    service = models.ForeignKey(
        OnlineService, models.PROTECT, related_name="counts", db_constraint=False, db_index=False
    )
    month = models.DateField("Monat", help_text="erster Tag des Monats")
    ars = models.ForeignKey(
        Region, models.PROTECT, related_name="counts", db_column="ars", db_constraint=False, db_index=False
    )
    count = models.BigIntegerField("Anzahl")
    delivery = models.UUIDField("Lieferung, die den Wert zuletzt gesetzt hat")

    class Meta:
        db_table = "transaction_count"
        verbose_name = "Transaktionszahl"
        verbose_name_plural = "Transaktionszahlen"
        constraints = [
            models.CheckConstraint(condition=FIRST_OF_MONTH, name="count_month_first"),
            models.CheckConstraint(condition=Q(count__gte=0, count__lte=MAX_COUNT), name="count_range"),
        ]

    def __str__(self) -> str:
        return f"{self.service_id} {self.ars_id} {self.month:%Y-%m}: {self.count}"


class CountRevision(models.Model):
    """A value that a delivery replaced or took away; a value's first delivery stands at the fact itself."""

    class Action(models.TextChoices):
        CHANGED = "geaendert", "geändert"
        DELETED = "geloescht", "gelöscht"

    pk = models.CompositePrimaryKey("service_id", "month", "ars", "number")
    service = models.ForeignKey(
        OnlineService, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    month = models.DateField("Monat")
    ars = models.ForeignKey(
        Region, models.PROTECT, related_name="+", db_column="ars", db_constraint=False, db_index=False
    )
    number = models.PositiveIntegerField("laufende Nummer")
    old = models.BigIntegerField("bisher")
    new = models.BigIntegerField("neu", null=True)
    action = models.CharField("Art", max_length=10, choices=Action)
    old_delivery = models.UUIDField("Lieferung des bisherigen Werts")
    delivery = models.UUIDField("ändernde Lieferung")
    reason = models.CharField("Begründung", max_length=500, blank=True)

    class Meta:
        db_table = "count_revision"
        verbose_name = "Änderung"
        verbose_name_plural = "Änderungen"

    def __str__(self) -> str:
        return f"{self.service_id} {self.ars_id} {self.month:%Y-%m} Nr. {self.number}"


class MonthlyTotal(models.Model):
    """A partition of the facts: each counts once, at its Kreis or, if reported above, at that region."""

    pk = models.CompositePrimaryKey("service_id", "month", "region_id")
    service = models.ForeignKey(
        OnlineService, models.PROTECT, related_name="monthly_totals", db_constraint=False, db_index=False
    )
    month = models.DateField("Monat")
    region = models.ForeignKey(
        Region, models.PROTECT, related_name="+", db_column="region", db_constraint=False, db_index=False
    )
    total = models.BigIntegerField("Summe")
    rows = models.IntegerField("Zahl der gemeldeten Werte")

    class Meta:
        db_table = "monthly_total"
        verbose_name = "Monatssumme"
        verbose_name_plural = "Monatssummen"

    def __str__(self) -> str:
        return f"{self.service_id} {self.region_id} {self.month:%Y-%m}: {self.total}"


class ServiceMonth(models.Model):
    """One service's month as a whole: whether, when first and how much was reported."""

    pk = models.CompositePrimaryKey("service_id", "month")
    service = models.ForeignKey(OnlineService, models.PROTECT, related_name="months", db_index=False)
    month = models.DateField("Monat")
    total = models.BigIntegerField("Summe")
    rows = models.IntegerField("Zahl der gemeldeten Werte")
    # So that a push of one row need not read all others of its month to see that they are of its level.
    level = models.SmallIntegerField("Ebene aller Werte; -1: nicht bekannt", db_default=-1)
    first_delivered_at = models.DateTimeField("erstmals geliefert am")
    last_delivered_at = models.DateTimeField("zuletzt geliefert am")

    class Meta:
        db_table = "service_month"
        verbose_name = "Servicemonat"
        verbose_name_plural = "Servicemonate"
        # Rankings and completeness ask for one month of all services.
        indexes = [models.Index(fields=["month"], name="service_month_by_month")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.month:%Y-%m}: {self.total}"


class StagedCount(models.Model):
    """Rows of a delivery under way; UNLOGGED, filled by COPY, emptied by the delivery at its end."""

    pk = models.CompositePrimaryKey("service_id", "delivery", "month", "ars")
    service_id = models.BigIntegerField()
    delivery = models.UUIDField()
    month = models.DateField()
    ars = ArsField()
    count = models.BigIntegerField()
    remove = models.BooleanField(help_text="nimmt den gespeicherten Wert zurück")

    class Meta:
        db_table = "staged_count"

    def __str__(self) -> str:
        return f"{self.delivery}: {self.service_id} {self.ars} {self.month:%Y-%m}"


class ClosedMonth(models.Model):
    """A month that operations have closed: whoever changes its numbers later says why."""

    month = models.DateField("Monat", primary_key=True)
    closed_at = models.DateTimeField("abgeschlossen am", default=timezone.now)
    closed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField("wer", max_length=200)
    reason = models.CharField("Begründung", max_length=500)

    class Meta:
        db_table = "closed_month"
        verbose_name = "abgeschlossener Monat"
        verbose_name_plural = "abgeschlossene Monate"
        ordering = ["-month"]
        constraints = [models.CheckConstraint(condition=FIRST_OF_MONTH, name="closed_month_first")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class CountCorrection(models.Model):
    """A value that changed, came or went after its month was closed; the reason stands at the delivery."""

    pk = models.CompositePrimaryKey("service_id", "month", "ars")
    service = models.ForeignKey(
        OnlineService, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    month = models.DateField("Monat")
    ars = models.ForeignKey(
        Region, models.PROTECT, related_name="+", db_column="ars", db_constraint=False, db_index=False
    )
    delivery = models.UUIDField("letzte Lieferung, die korrigiert hat")

    class Meta:
        db_table = "count_correction"
        verbose_name = "Korrektur"
        verbose_name_plural = "Korrekturen"
        # Reports across services ask for months.
        indexes = [models.Index(fields=["month"], name="count_correction_by_month")]

    def __str__(self) -> str:
        return f"{self.service_id} {self.ars_id} {self.month:%Y-%m}"


class QualityCase(models.Model):
    """A delivery with implausible numbers, for operations to look at; `kinds` are codes of its findings."""

    delivery = models.OneToOneField(Delivery, models.CASCADE, primary_key=True, related_name="quality")
    kinds = ArrayField(models.CharField(max_length=60), verbose_name="Arten")
    seen_at = models.DateTimeField("geprüft am", null=True, blank=True)
    seen_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    actor = models.CharField("geprüft von", max_length=200, blank=True)
    note = models.CharField("Anmerkung", max_length=500, blank=True)

    class Meta:
        verbose_name = "auffällige Lieferung"
        verbose_name_plural = "auffällige Lieferungen"
        ordering = ["-delivery"]
        indexes = [
            models.Index(fields=["delivery"], name="quality_case_open", condition=Q(seen_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}: {', '.join(self.kinds)}"


class RegionTotal(models.Model):
    """Published services together, per month and Kreis (or the region above it that was reported).

    Exact only with the deltas still in `RegionTotalDelta`; `totals.py` reads both in one statement.
    """

    pk = models.CompositePrimaryKey("month", "region_id")
    month = models.DateField("Monat")
    region = models.ForeignKey(
        Region, models.PROTECT, related_name="+", db_column="region", db_constraint=False, db_index=False
    )
    total = models.BigIntegerField("Summe")
    rows = models.BigIntegerField("Zahl der gemeldeten Werte")

    class Meta:
        db_table = "region_total"
        verbose_name = "Regionssumme"
        verbose_name_plural = "Regionssummen"

    def __str__(self) -> str:
        return f"{self.region_id} {self.month:%Y-%m}: {self.total}"


class RegionTotalDelta(models.Model):
    """What a delivery or a publication adds to the totals across services, until a job has folded it in.

    Only appended to and taken from, so that deliveries of different services share no row.
    """

    month = models.DateField()
    region = ArsField(db_column="region")
    total = models.BigIntegerField()
    rows = models.BigIntegerField()

    class Meta:
        db_table = "region_total_delta"

    def __str__(self) -> str:
        return f"{self.region} {self.month:%Y-%m}: {self.total:+d}"


class Publication(OnlineService):
    """A service as operations see it when they publish or withdraw it."""

    class Meta:
        proxy = True
        verbose_name = "Veröffentlichung"
        verbose_name_plural = "Veröffentlichungen"


class Reminder(models.Model):
    """A person was reminded of what is due for a month: once before the deadline, once after it."""

    class Stage(models.TextChoices):
        BEFORE = "faellig", "vor der Frist"
        LATE = "verspaetet", "nach der Frist"

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    month = models.DateField("Monat")
    stage = models.CharField("wann", max_length=12, choices=Stage)
    sent_at = models.DateTimeField("am", auto_now_add=True)

    class Meta:
        verbose_name = "Erinnerung"
        verbose_name_plural = "Erinnerungen"
        constraints = [models.UniqueConstraint(fields=["user", "month", "stage"], name="reminder_once")]

    def __str__(self) -> str:
        return f"{self.user} {self.month:%Y-%m} {self.get_stage_display()}"
