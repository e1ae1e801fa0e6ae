"""Reference data in the Django admin: to look things up; it is changed by load and sync only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ozgsync.models import (
    Leistung,
    LeistungChange,
    OzgLeistung,
    OzgOnlineService,
    Region,
    RegionChange,
    RegionVersion,
    Themenfeld,
)


class ReadOnlyMixin:
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class VersionInline(ReadOnlyMixin, admin.TabularInline):
    model = RegionVersion
    fk_name = "region"
    fields = ("name", "kind", "parent", "inhabitants", "valid_from", "valid_to", "legally_from")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RegionVersion]:
        return super().get_queryset(request).select_related("parent")


@admin.register(Region)
class RegionAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("ars", "name", "level_top", "level_bottom")
    list_filter = ("level_top",)
    search_fields = ("ars__startswith", "name")
    inlines = (VersionInline,)


@admin.register(RegionChange)
class RegionChangeAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("change_id", "kind", "old", "new", "effective", "share")
    list_select_related = ("old", "new")
    search_fields = ("change_id", "old__name", "new__name")


@admin.register(Leistung)
class LeistungAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("schluessel", "name", "types", "valid_from", "valid_to", "name_source", "focus")
    search_fields = ("schluessel__startswith", "name")


@admin.register(LeistungChange)
class LeistungChangeAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("old", "new", "effective")
    list_select_related = ("old", "new")
    search_fields = ("old__schluessel__startswith", "new__schluessel__startswith")


@admin.register(OzgLeistung)
class OzgLeistungAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("ozg_id", "name", "themenfeld")
    list_select_related = ("themenfeld",)
    search_fields = ("ozg_id", "name")


@admin.register(Themenfeld)
class ThemenfeldAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("name", "slug")


@admin.register(OzgOnlineService)
class OzgOnlineServiceAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("ozg_number", "name", "leistung")
    list_select_related = ("leistung",)
    search_fields = ("ozg_number", "name")
