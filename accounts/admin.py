"""People, authorities and the audit log in the Django admin, for operations."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.models import AuditEntry, Authority, User


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
