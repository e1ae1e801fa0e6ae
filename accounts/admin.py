"""People, authorities and the audit log in the Django admin, for operations."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401 - registered first, so that there is something to take away
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.models import AuditEntry, Authority, OutgoingMail, User

admin.site.site_header = admin.site.site_title = gettext_lazy("ZSK-Betrieb")
admin.site.index_title = gettext_lazy("Verwaltung")
# Roles come from memberships; a group would be a second, unseen way to them.
admin.site.unregister(Group)
# Addresses follow the person's own (`local.adopt_address`); allauth's page would show the secrets of codes.
admin.site.unregister([EmailAddress, Authenticator])

RIGHTS = {"is_active", "is_staff", "is_superuser", "is_operations", "authority"}


@admin.register(User)
class PersonAdmin(UserAdmin):
    list_display = ("username", "last_name", "first_name", "authority", "is_operations", "is_active")
    list_select_related = ("authority",)
    list_filter = ("is_operations", "is_active", "authority__level")
    autocomplete_fields = ("authority",)
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        (gettext_lazy("ZSK"), {"fields": ("authority", "is_operations")}),
    )
    add_fieldsets = (*UserAdmin.add_fieldsets, (None, {"fields": ("authority", "is_operations")}))

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """A new person and every change of rights leave an audit entry, in the same transaction."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            changed = sorted(RIGHTS.intersection(form.changed_data))
            if changed or not change:
                action = _("Rechte geändert") if change else _("Person angelegt")
                detail = _rights(obj, form, changed)
                audit.record(by=request.user, action=action, target=obj, detail=detail)  # type: ignore[arg-type]


def _rights(person: User, form: ModelForm, names: list[str]) -> str:
    """The named rights as they are now: `ZSK-Betrieb: ja, Behörde: Stadt Kappeln`."""
    return ", ".join(f"{form.fields[name].label}: {_value(getattr(person, name))}" for name in names)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return _("ja") if value else _("nein")
    return str(value or "–")


@admin.register(Authority)
class AuthorityAdmin(admin.ModelAdmin):
    list_display = ("name", "level", "region", "parent")
    list_select_related = ("region", "parent")
    list_filter = ("level",)
    search_fields = ("name", "region__name")
    autocomplete_fields = ("region", "parent")


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """To read: nobody adds to, changes or shortens the log."""

    list_display = ("at", "actor", "action", "target", "detail")
    search_fields = ("actor", "action", "target", "detail")
    date_hierarchy = "at"


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    """What waits, and why. The text is not shown: it may hold a link that lets somebody in."""

    list_display = ("created_at", "recipient", "subject", "tries", "next_try_at", "last_error")
    fields = list_display


@admin.register(Authenticator)
class SecondFactorAdmin(ReadOnlyAdmin):
    """To take away from somebody who has lost phone and spare codes; its secret is not shown."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__last_name")
    fields = list_display
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        """With the spare codes, which alone would not be asked for."""
        Authenticator.objects.filter(user=obj.user).delete()
        audit.record(by=request.user, action=_("Zweiter Faktor entfernt"), target=obj.user)  # type: ignore[arg-type]
