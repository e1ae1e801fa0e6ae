"""People and the authorities they work for."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Reverse
from django.utils import timezone

from ozgsync.models import Region


class Authority(models.Model):
    """Who is responsible: people and services belong to one."""

    class Level(models.TextChoices):
        BUND = "bund", "Bund"
        LAND = "land", "Land"
        KOMMUNE = "kommune", "Kommune"

    name = models.CharField("Name", max_length=200, unique=True)
    level = models.CharField("Ebene", max_length=10, choices=Level)
    region = models.ForeignKey(Region, models.PROTECT, related_name="authorities", verbose_name="Region")
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="übergeordnet"
    )

    class Meta:
        verbose_name = "Behörde"
        verbose_name_plural = "Behörden"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    authority = models.ForeignKey(
        Authority, models.PROTECT, null=True, blank=True, related_name="people", verbose_name="Behörde"
    )
    is_operations = models.BooleanField(
        "ZSK-Betrieb",
        default=False,
        help_text="Darf Zugänge freigeben, veröffentlichen und alle Daten sehen.",
    )
    reminders = models.BooleanField(
        "Erinnerungen",
        default=True,
        help_text="Bekommt eine E-Mail, wenn Lieferungen fällig oder verspätet sind.",
    )
    # NULL, not empty: unique among those who have logged in by Keycloak.
    sub = models.CharField(
        "Kennung bei Keycloak", max_length=255, unique=True, null=True, blank=True, editable=False
    )

    class Meta:
        verbose_name = "Person"
        verbose_name_plural = "Personen"
        ordering = ["last_name", "first_name"]

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username


class AuditEntry(models.Model):
    """One change of rights, keys or publication; the actor also as text, which survives a deletion."""

    at = models.DateTimeField("Zeitpunkt", auto_now_add=True)
    user = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="Person"
    )
    actor = models.CharField("wer", max_length=200)
    action = models.CharField("was", max_length=60)
    target = models.CharField("woran", max_length=200)
    detail = models.CharField("Einzelheiten", max_length=500, blank=True)

    class Meta:
        verbose_name = "Protokolleintrag"
        verbose_name_plural = "Protokoll"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            # Written backwards: what concerns a service ends with its number, and only a beginning is found
            # by an index.
            models.Index(OpClass(Reverse("target"), name="text_pattern_ops"), name="audit_target_end"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%d.%m.%Y %H:%M} {self.actor}: {self.action} {self.target}"


class AccessRequest(models.Model):
    """A person's request for access; deleted some time after it was decided."""

    class Status(models.TextChoices):
        UNCONFIRMED = "unbestaetigt", "E-Mail-Adresse noch nicht bestätigt"
        OPEN = "offen", "wird geprüft"
        ASKED = "rueckfrage", "Rückfrage an Sie"
        APPROVED = "bewilligt", "bewilligt"
        DECLINED = "abgelehnt", "abgelehnt"

    # Stands in the address of the applicant's status page: not guessable.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField("Status", max_length=20, choices=Status, default=Status.UNCONFIRMED)
    first_name = models.CharField("Vorname", max_length=150)
    last_name = models.CharField("Nachname", max_length=150)
    email = models.EmailField("dienstliche E-Mail-Adresse")
    authority = models.ForeignKey(
        Authority,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="access_requests",
        verbose_name="Behörde",
    )
    new_authority = models.CharField("neue Behörde", max_length=200, blank=True)
    new_authority_level = models.CharField("Ebene", max_length=10, choices=Authority.Level, blank=True)
    new_authority_region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Region der neuen Behörde",
    )
    purpose = models.TextField("Zweck", max_length=2000)
    meant = models.CharField("Onlineservices oder Portal", max_length=500, blank=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField("gestellt am", auto_now_add=True)
    confirmed_at = models.DateTimeField("bestätigt am", null=True, blank=True)
    decided_at = models.DateTimeField("entschieden am", null=True, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.TextField("Begründung", max_length=2000, blank=True)

    class Meta:
        verbose_name = "Zugangsantrag"
        verbose_name_plural = "Zugangsanträge"
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}, {self.authority or self.new_authority}"


class AccessMessage(models.Model):
    """A question of operations about a request, or the applicant's answer."""

    request = models.ForeignKey(AccessRequest, models.CASCADE, related_name="messages")
    at = models.DateTimeField("Zeitpunkt", auto_now_add=True)
    from_operations = models.BooleanField("vom ZSK-Betrieb")
    text = models.TextField("Text", max_length=2000)

    class Meta:
        verbose_name = "Nachricht zu einem Antrag"
        verbose_name_plural = "Nachrichten zu Anträgen"
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.at:%d.%m.%Y}: {self.text[:40]}"


class Invitation(models.Model):
    """A link that binds whoever follows it and logs in; good once, for a while, for one address.

    What else comes with it (roles in services and portals) hangs on it from the rooms to the right.
    """

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    email = models.EmailField("E-Mail-Adresse")
    first_name = models.CharField("Vorname", max_length=150, blank=True)
    last_name = models.CharField("Nachname", max_length=150, blank=True)
    authority = models.ForeignKey(
        Authority, models.PROTECT, null=True, blank=True, related_name="invitations", verbose_name="Behörde"
    )
    request = models.OneToOneField(
        AccessRequest,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="invitation",
        verbose_name="Antrag",
    )
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField("eingeladen am", auto_now_add=True)
    expires_at = models.DateTimeField("gültig bis")
    accepted_at = models.DateTimeField("angenommen am", null=True, blank=True)
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="invitations")
    withdrawn_at = models.DateTimeField("zurückgezogen am", null=True, blank=True)

    class Meta:
        verbose_name = "Einladung"
        verbose_name_plural = "Einladungen"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.email} bis {self.expires_at:%d.%m.%Y}"


class OutgoingMail(models.Model):
    """A mail that waits to be sent; the row is deleted when it is."""

    created_at = models.DateTimeField("angelegt am", auto_now_add=True)
    recipient = models.CharField("an", max_length=320)
    reply_to = models.CharField("Antwort an", max_length=320, blank=True)
    subject = models.CharField("Betreff", max_length=998)
    # May hold links that let somebody in: shown nowhere.
    body = models.TextField("Text")
    tries = models.PositiveSmallIntegerField("Versuche", default=0)
    # NULL: given up.
    next_try_at = models.DateTimeField("nächster Versuch", default=timezone.now, null=True, db_index=True)
    last_error = models.CharField("letzter Fehler", max_length=500, blank=True)

    class Meta:
        verbose_name = "wartende Mail"
        verbose_name_plural = "wartende Mails"
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.recipient}: {self.subject}"


class KeptMail(models.Model):
    """A mail that the demo shows instead of sending it."""

    at = models.DateTimeField("Zeitpunkt", auto_now_add=True)
    sender = models.CharField("von", max_length=320)
    recipient = models.CharField("an", max_length=320)
    subject = models.CharField("Betreff", max_length=998)
    body = models.TextField("Text")

    class Meta:
        verbose_name = "Mail der Demo"
        verbose_name_plural = "Mails der Demo"
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.recipient}: {self.subject}"
