"""Online services: master data, who may do what with them, their credentials and their delivery state."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from accounts.models import Authority, Invitation, User
from ozgsync.models import Leistung, Level, Region
from portals.models import Portal

NUMBER = re.compile(r"^OS-(\d{6,18})$", re.IGNORECASE)


class ReportingLevel(models.TextChoices):
    """At which level a service reports its counts (Meldeebene)."""

    BUND = "bund", "Bund"
    LAND = "land", "Land"
    KREIS = "kreis", "Kreis"
    GEMEINDE = "gemeinde", "Gemeinde"
    MIXED = "gemischt", "gemischt"

    @property
    def level(self) -> Level | None:
        """The level a region must belong to; None where every level is accepted."""
        return None if self is ReportingLevel.MIXED else Level[self.name]


class OnlineServiceQuerySet(models.QuerySet["OnlineService"]):
    def published(self) -> OnlineServiceQuerySet:
        return self.filter(published_at__isnull=False)

    def visible_to(self, user: User | AnonymousUser) -> OnlineServiceQuerySet:
        """Everyone sees published services, approved people every registered one."""
        return self.all() if user.is_authenticated else self.published()

    def deliverable_by(self, principal: User | AnonymousUser | Credential) -> OnlineServiceQuerySet:
        """Services that a person or a credential may deliver counts for today."""
        if isinstance(principal, Credential):
            return self._deliverable_by_credential(principal)
        if not isinstance(principal, User) or not principal.is_active:
            return self.none()
        if principal.is_operations:
            return self.all()
        portals = PortalService.objects.current().filter(portal__members=principal)
        own = ServiceMember.objects.filter(user=principal)
        return self.filter(Q(pk__in=own.values("service")) | Q(pk__in=portals.values("service")))

    def _deliverable_by_credential(self, credential: Credential) -> OnlineServiceQuerySet:
        if credential.service_id:
            return self.filter(pk=credential.service_id)
        held = PortalService.objects.current().filter(portal=credential.portal_id)
        return self.filter(pk__in=held.values("service"))

    def editable_by(self, user: User | AnonymousUser) -> OnlineServiceQuerySet:
        """Services whose master data, members and credentials a person may change."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.is_operations:
            return self.all()
        portals = PortalService.objects.current().filter(portal__members=user)
        own = ServiceMember.objects.filter(user=user, role=ServiceMember.Role.RESPONSIBLE)
        return self.filter(Q(pk__in=own.values("service")) | Q(pk__in=portals.values("service")))


class ChangedBy(models.Model):
    """Who made a change, also as text, which survives a deletion."""

    actor = models.CharField("wer", max_length=200, blank=True)

    class Meta:
        abstract = True


# Written by `services.history.remember`, once for each change with everything that belongs to it; the signals
# would write one entry for the row and one more for each of its lists, and one for each publication.
MASTER_DATA_HISTORY = HistoricalRecords(
    verbose_name="Fassung der Stammdaten",
    verbose_name_plural="Fassungen der Stammdaten",
    bases=[ChangedBy],
    excluded_fields=["published_at", "published_depth", "withheld", "created_at", "changed_at"],
    m2m_fields=["area", "more_leistungen"],
)


class OnlineService(models.Model):
    """An application whose transactions are counted; belongs to exactly one main Leistung."""

    class Depth(models.IntegerChoices):
        """Down to which level the public sees a service's regions."""

        LAND = Level.LAND, "Land"
        KREIS = Level.KREIS, "Kreis"
        GEMEINDE = Level.GEMEINDE, "Gemeinde"

    name = models.CharField("Name", max_length=200)
    leistung = models.ForeignKey(Leistung, models.PROTECT, related_name="services", verbose_name="Leistung")
    more_leistungen = models.ManyToManyField(
        Leistung, blank=True, related_name="further_services", verbose_name="weitere Leistungen"
    )
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="services", verbose_name="Behörde")
    reporting_level = models.CharField(
        "Meldeebene", max_length=10, choices=ReportingLevel, default=ReportingLevel.MIXED
    )
    area = models.ManyToManyField(Region, blank=True, related_name="services", verbose_name="Einzugsgebiet")
    url = models.URLField("Adresse des Onlineservices", blank=True)
    contact = models.EmailField("Funktionspostfach", blank=True)
    live_from = models.DateField("in Betrieb seit", null=True, blank=True)
    ended_on = models.DateField("außer Betrieb seit", null=True, blank=True)
    published_at = models.DateTimeField("veröffentlicht am", null=True, blank=True, editable=False)
    published_depth = models.PositiveSmallIntegerField(
        "Regionen öffentlich bis", choices=Depth, default=Depth.GEMEINDE
    )
    # Somebody took it out of everything public: no release rule may bring it back.
    withheld = models.BooleanField("von Freigaberegeln ausgenommen", default=False, editable=False)
    created_at = models.DateTimeField("angelegt am", auto_now_add=True)
    # Of the row, publication included; what SQL writes is stamped by a trigger.
    changed_at = models.DateTimeField("geändert am", auto_now=True)
    # Counts up with every change of the master data, so that of two who edit at once the second is told.
    revision = models.PositiveIntegerField("Stand der Stammdaten", default=1, editable=False)
    members: models.ManyToManyField[User, ServiceMember] = models.ManyToManyField(
        User, through="ServiceMember", related_name="services"
    )

    objects = OnlineServiceQuerySet.as_manager()
    history = MASTER_DATA_HISTORY
    skip_history_when_saving = True

    class Meta:
        verbose_name = "Onlineservice"
        verbose_name_plural = "Onlineservices"
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True)
                | Q(live_from__isnull=True)
                | Q(ended_on__gte=models.F("live_from")),
                name="service_ends_after_start",
                violation_error_message="Das Ende liegt vor dem Beginn.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"

    def get_absolute_url(self) -> str:
        return f"/onlineservices/{self.number}/"

    @property
    def number(self) -> str:
        """The ZSK number that people and machines name the service by: `OS-000123`."""
        return service_number(self.pk)


def service_number(pk: int) -> str:
    return f"OS-{pk:06d}"


class ServiceMember(models.Model):
    class Role(models.TextChoices):
        SUPPLIER = "lieferant", "Lieferant"
        RESPONSIBLE = "verantwortlich", "Verantwortlich"

    service = models.ForeignKey(OnlineService, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="service_memberships")
    role = models.CharField("Rolle", max_length=20, choices=Role)

    class Meta:
        verbose_name = "Mitglied"
        verbose_name_plural = "Mitglieder"
        constraints = [models.UniqueConstraint(fields=["service", "user"], name="service_member_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class PortalServiceQuerySet(models.QuerySet["PortalService"]):
    def current(self, on: dt.date | None = None) -> PortalServiceQuerySet:
        day = on or timezone.localdate()
        return self.filter(Q(until__isnull=True) | Q(until__gt=day), since__lte=day)


class PortalService(models.Model):
    """A service's membership of a portal, from `since` until before `until`."""

    portal = models.ForeignKey(Portal, models.PROTECT, related_name="held_services", verbose_name="Portal")
    service = models.ForeignKey(OnlineService, models.CASCADE, related_name="portal_links")
    kennung = models.CharField(
        "Kennung im Portal",
        max_length=100,
        blank=True,
        help_text="Der Name, unter dem das Portal den Service führt.",
    )
    since = models.DateField("seit")
    until = models.DateField("bis (ausschließlich)", null=True, blank=True)

    objects = PortalServiceQuerySet.as_manager()

    class Meta:
        verbose_name = "Portalzugehörigkeit"
        verbose_name_plural = "Portalzugehörigkeiten"
        constraints = [
            models.UniqueConstraint(
                fields=["service"],
                condition=Q(until__isnull=True),
                name="portal_service_one_open",
                violation_error_message="Der Onlineservice gehört bereits zu einem Portal.",
            ),
            models.UniqueConstraint(
                fields=["portal", "kennung"],
                condition=Q(until__isnull=True) & ~Q(kennung=""),
                name="portal_kennung_once",
                violation_error_message="Diese Kennung ist im Portal schon vergeben.",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")), name="portal_service_span"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service} in {self.portal}"


class ServiceState(models.Model):
    """What deliveries leave behind for overviews; its row is the lock of a service's numbers."""

    service = models.OneToOneField(OnlineService, models.CASCADE, primary_key=True, related_name="state")
    version = models.PositiveBigIntegerField("Datenversion", default=0)
    last_month = models.DateField("letzter gemeldeter Monat", null=True, blank=True)
    last_delivery = models.UUIDField("letzte Lieferung", null=True, blank=True)
    last_delivered_at = models.DateTimeField("zuletzt geliefert am", null=True, blank=True)

    class Meta:
        db_table = "service_state"
        verbose_name = "Lieferstatus"
        verbose_name_plural = "Lieferstatus"

    def __str__(self) -> str:
        return f"Lieferstatus {self.service_id}"


class CredentialQuerySet(models.QuerySet["Credential"]):
    def usable(self) -> CredentialQuerySet:
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()), revoked_at__isnull=True
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What a delivery asks of its credential's own service and of the regions, as of the look-up.

    Of a portal's credential only `regions`, the state of the register.
    """

    reporting_level: str | None
    version: int
    regions: int | None


class Credential(models.Model):
    """An API key (stored hashed) or a Keycloak client id; belongs to one service or one portal."""

    known: Known | None = None  # only where it was looked up to log somebody in

    class Kind(models.TextChoices):
        API_KEY = "api_key", "API-Schlüssel"
        OIDC_CLIENT = "oidc_client", "Keycloak-Client"

    service = models.ForeignKey(
        OnlineService,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="credentials",
        verbose_name="Onlineservice",
    )
    portal = models.ForeignKey(
        Portal, models.PROTECT, null=True, blank=True, related_name="credentials", verbose_name="Portal"
    )
    kind = models.CharField("Art", max_length=20, choices=Kind, default=Kind.API_KEY)
    name = models.CharField("Name", max_length=100)
    public_id = models.CharField("öffentlicher Teil", max_length=100, unique=True)
    hash = models.CharField("Prüfwert", max_length=64, blank=True, editable=False)
    pepper_number = models.PositiveSmallIntegerField("Nummer des Pfeffers", null=True, editable=False)
    created_at = models.DateTimeField("angelegt am", auto_now_add=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    expires_at = models.DateTimeField("gültig bis", null=True, blank=True)
    revoked_at = models.DateTimeField("widerrufen am", null=True, blank=True)
    last_used_at = models.DateTimeField("zuletzt benutzt am", null=True, blank=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        verbose_name = "Zugangsschlüssel"
        verbose_name_plural = "Zugangsschlüssel"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(service__isnull=False, portal__isnull=True)
                | Q(service__isnull=True, portal__isnull=False),
                name="credential_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"


class InvitedMember(models.Model):
    """Who accepts the invitation gets this role in the service."""

    invitation = models.ForeignKey(Invitation, models.CASCADE, related_name="service_roles")
    service = models.ForeignKey(OnlineService, models.CASCADE, related_name="invited")
    role = models.CharField("Rolle", max_length=20, choices=ServiceMember.Role)

    class Meta:
        verbose_name = "eingeladenes Mitglied"
        verbose_name_plural = "eingeladene Mitglieder"
        constraints = [models.UniqueConstraint(fields=["invitation", "service"], name="service_invited_once")]

    def __str__(self) -> str:
        return f"{self.invitation} ({self.service}, {self.get_role_display()})"


class RegistrationDraft(models.Model):
    """A registration that somebody has begun; holds what was typed, right or wrong."""

    user = models.ForeignKey(User, models.CASCADE, related_name="registration_drafts")
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField("begonnen am", auto_now_add=True)
    updated_at = models.DateTimeField("zuletzt bearbeitet am", auto_now=True)

    class Meta:
        verbose_name = "Entwurf einer Registrierung"
        verbose_name_plural = "Entwürfe von Registrierungen"
        ordering = ["-updated_at"]

    def __str__(self) -> str:
        return f"Entwurf von {self.user}"


class PortalMove(models.Model):
    """A portal admin asks to take a service into the portal; a responsible person of the service answers."""

    portal = models.ForeignKey(Portal, models.CASCADE, related_name="moves")
    service = models.ForeignKey(OnlineService, models.CASCADE, related_name="portal_moves")
    kennung = models.CharField("Kennung im Portal", max_length=100, blank=True)
    since = models.DateField("ab")
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField("angefragt am", auto_now_add=True)
    agreed = models.BooleanField("zugestimmt", null=True)
    answered_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField("beantwortet am", null=True, blank=True)

    class Meta:
        verbose_name = "Anfrage zur Aufnahme in ein Portal"
        verbose_name_plural = "Anfragen zur Aufnahme in ein Portal"
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["service"], condition=Q(answered_at__isnull=True), name="portal_move_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.service} in {self.portal}"


class BulkUpload(models.Model):
    """A file of services that waits, between preview and confirmation, to be registered in a portal."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    portal = models.ForeignKey(Portal, models.CASCADE, related_name="bulk_uploads")
    user = models.ForeignKey(User, models.CASCADE, related_name="bulk_uploads")
    file_name = models.CharField("Datei", max_length=255)
    content = models.BinaryField()
    # Whoever uploaded it wants successors in the place of keys that have ended, where there is only one.
    take_successors = models.BooleanField("Nachfolger übernehmen", default=False)
    created_at = models.DateTimeField("hochgeladen am", auto_now_add=True)

    class Meta:
        verbose_name = "Datei einer Sammelregistrierung"
        verbose_name_plural = "Dateien von Sammelregistrierungen"
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.file_name


class ReleaseRule(models.Model):
    """Services whose Leistung has only released types are published without a decision of their own."""

    type = models.CharField("Typisierung", max_length=4, primary_key=True)
    depth = models.PositiveSmallIntegerField(
        "Regionen öffentlich bis", choices=OnlineService.Depth, default=OnlineService.Depth.GEMEINDE
    )
    released_at = models.DateTimeField("freigegeben am", auto_now_add=True)
    released_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = "Freigaberegel"
        verbose_name_plural = "Freigaberegeln"
        ordering = ["type"]

    def __str__(self) -> str:
        return f"Typ {self.type}"
