"""Portals: bundles of services with one administration and one push credential."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import Authority, Invitation, User


class PortalQuerySet(models.QuerySet["Portal"]):
    def managed_by(self, user: User | AnonymousUser) -> PortalQuerySet:
        """Portals whose services, members and keys a person may look after."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.is_operations:
            return self.all()
        return self.filter(pk__in=PortalMember.objects.filter(user=user).values("portal"))


class Portal(models.Model):
    name = models.CharField("Name", max_length=200, unique=True)
    kuerzel = models.SlugField(
        "Kürzel", unique=True, help_text="Steht in Adressen, zum Beispiel „bundesportal“."
    )
    authority = models.ForeignKey(Authority, models.PROTECT, related_name="portals", verbose_name="Behörde")
    url = models.URLField("Adresse", blank=True)
    members: models.ManyToManyField[User, PortalMember] = models.ManyToManyField(
        User, through="PortalMember", related_name="portals"
    )

    objects = PortalQuerySet.as_manager()

    class Meta:
        verbose_name = "Portal"
        verbose_name_plural = "Portale"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/portale/{self.kuerzel}/"


class PortalMember(models.Model):
    """A Portal-Admin: may do everything for every service that the portal holds."""

    portal = models.ForeignKey(Portal, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="portal_memberships")

    class Meta:
        verbose_name = "Portal-Admin"
        verbose_name_plural = "Portal-Admins"
        constraints = [models.UniqueConstraint(fields=["portal", "user"], name="portal_member_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.portal})"


class InvitedPortalMember(models.Model):
    """Who accepts the invitation becomes Portal-Admin."""

    invitation = models.ForeignKey(Invitation, models.CASCADE, related_name="portal_roles")
    portal = models.ForeignKey(Portal, models.CASCADE, related_name="invited")

    class Meta:
        verbose_name = "eingeladener Portal-Admin"
        verbose_name_plural = "eingeladene Portal-Admins"
        constraints = [models.UniqueConstraint(fields=["invitation", "portal"], name="portal_invited_once")]

    def __str__(self) -> str:
        return f"{self.invitation} ({self.portal})"
