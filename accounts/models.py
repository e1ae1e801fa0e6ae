"""People and the authorities they work for."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

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
        "ZSK-Betrieb", default=False, help_text="Darf Zugänge freigeben, veröffentlichen und alle Daten sehen."
    )

    class Meta:
        verbose_name = "Person"
        verbose_name_plural = "Personen"
        ordering = ["last_name", "first_name"]

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username


class AuditEntry(models.Model):
    """One change of rights, keys or publication; the actor also as text, so that history survives deletion."""

    at = models.DateTimeField("Zeitpunkt", auto_now_add=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="Person")
    actor = models.CharField("wer", max_length=200)
    action = models.CharField("was", max_length=60)
    target = models.CharField("woran", max_length=200)
    detail = models.CharField("Einzelheiten", max_length=500, blank=True)

    class Meta:
        verbose_name = "Protokolleintrag"
        verbose_name_plural = "Protokoll"
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.at:%d.%m.%Y %H:%M} {self.actor}: {self.action} {self.target}"
