"""Deliveries and their findings to look at, and publication, in the Django admin; for operations alone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from services.models import NUMBER, OnlineService
from transactions.models import Delivery, DeliveryFinding, DeliveryService, Publication
from transactions.publication import publish, withdraw


class OperationsOnly:
    """Whoever is not of operations does not see it; nobody adds, changes or deletes."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_operations", False))

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class PartInline(OperationsOnly, admin.TabularInline):
    model = DeliveryService
    extra = 0


@admin.register(Delivery)
class DeliveryAdmin(OperationsOnly, admin.ModelAdmin):
    list_display = (
        "received_at", "status", "channel", "actor",
        "new_count", "changed_count", "same_count", "deleted_count", "fault_count",
    )  # fmt: skip
    list_filter = ("status", "channel", "received_at")
    search_fields = ("=id", "actor", "file_name")
    exclude = ("content_hash",)
    inlines = (PartInline,)
    show_full_result_count = False


@admin.register(DeliveryFinding)
class FindingAdmin(OperationsOnly, admin.ModelAdmin):
    list_display = ("delivery", "line", "field", "code", "value", "severity")
    list_filter = ("severity", "field")
    list_select_related = ("delivery",)
    search_fields = ("code", "=delivery__id")
    show_full_result_count = False


class DepthForm(ActionForm):
    """Down to which level the regions of what is published are shown."""

    depth = forms.ChoiceField(
        label=gettext_lazy("Regionen öffentlich bis"),
        choices=OnlineService.Depth.choices,
        initial=OnlineService.Depth.GEMEINDE,
        required=False,
    )


@admin.register(Publication)
class PublicationAdmin(OperationsOnly, admin.ModelAdmin):
    """Which services are public, and down to which level; changed by its two actions."""

    list_display = ("number_text", "name", "authority", "published_at", "published_depth", "ended_on")
    list_display_links = None
    list_select_related = ("authority",)
    list_filter = (("published_at", admin.EmptyFieldListFilter), "published_depth")
    search_fields = ("name", "authority__name")
    action_form = DepthForm
    actions = ("publish", "withdraw")

    @admin.display(description=gettext_lazy("Nummer"), ordering="pk")
    def number_text(self, service: OnlineService) -> str:
        return service.number

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Publication], search_term: str
    ) -> tuple[QuerySet[Publication], bool]:
        """A ZSK number finds its service."""
        if match := NUMBER.match(search_term.strip()):
            return queryset.filter(pk=int(match[1])), False
        return super().get_search_results(request, queryset, search_term)

    @admin.action(description=gettext_lazy("Veröffentlichen"), permissions=["view"])
    def publish(self, request: HttpRequest, chosen: QuerySet[Publication]) -> None:
        depth = _depth(request)
        services, by = _services(chosen), _operator(request)
        for service in services:
            publish(service, depth=depth, by=by)
        text = _("Veröffentlicht: %(count)d, Regionen bis %(depth)s")
        self.message_user(request, text % {"count": len(services), "depth": depth.label}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Veröffentlichung zurücknehmen"), permissions=["view"])
    def withdraw(self, request: HttpRequest, chosen: QuerySet[Publication]) -> None:
        services, by = _services(chosen), _operator(request)
        for service in services:
            withdraw(service, by=by)
        text = _("Nicht mehr öffentlich: %(count)d")
        self.message_user(request, text % {"count": len(services)}, messages.SUCCESS)


def _services(chosen: QuerySet[Publication]) -> list[OnlineService]:
    return list(OnlineService.objects.filter(pk__in=chosen.values("pk")))


def _operator(request: HttpRequest) -> Any:
    return request.user


def _depth(request: HttpRequest) -> OnlineService.Depth:
    text = request.POST.get("depth", "")
    valid = text.isdigit() and int(text) in OnlineService.Depth.values
    return OnlineService.Depth(int(text)) if valid else OnlineService.Depth.GEMEINDE
