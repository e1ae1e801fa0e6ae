"""People, authorities and the audit log in the Django admin, for operations."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.models import AuditEntry, Authority, User

admin.site.site_header = admin.site.site_title = gettext_lazy("ZSK-Betrieb")
admin.site.index_title = gettext_lazy("Verwaltung")
# Roles come from memberships; a group would be a second, unseen way to them.
admin.site.unregister(Group)

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


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """To read: nobody adds to, changes or shortens the log."""

    list_display = ("at", "actor", "action", "target", "detail")
    search_fields = ("actor", "action", "target", "detail")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
