"""Online services and their credentials in the Django admin, for operations."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet, URLField
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from portals.admin import AuditedInlinesMixin
from services.credentials import revoke_credential
from services.history import remember, remember_beginning
from services.models import NUMBER, Credential, OnlineService, PortalService, ServiceMember
from services.registration import register_service


class RegistrationForm(forms.ModelForm):
    """A new service needs its first responsible person; members come later, one by one."""

    responsible = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        label=gettext_lazy("Verantwortlich"),
        help_text=gettext_lazy("Die erste Person, die Stammdaten, Mitglieder und Schlüssel pflegt."),
    )


class MemberInline(admin.TabularInline):
    model = ServiceMember
    autocomplete_fields = ("user",)
    extra = 0


class PortalInline(admin.TabularInline):
    model = PortalService
    autocomplete_fields = ("portal",)
    extra = 0


@admin.register(OnlineService)
class OnlineServiceAdmin(AuditedInlinesMixin, admin.ModelAdmin):
    list_display = (
        "number_text",
        "name",
        "leistung",
        "authority",
        "reporting_level",
        "published_at",
        "ended_on",
    )
    list_display_links = ("number_text", "name")
    list_select_related = ("leistung", "authority")
    list_filter = ("reporting_level", ("published_at", admin.EmptyFieldListFilter))
    list_per_page = 50
    search_fields = ("name", "leistung__name", "leistung__schluessel", "authority__name")
    autocomplete_fields = ("leistung", "more_leistungen", "authority", "area")
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    readonly_fields = ("published_at", "published_depth", "created_at")

    @admin.display(description=gettext_lazy("Nummer"), ordering="pk")
    def number_text(self, service: OnlineService) -> str:
        return service.number

    def get_form(
        self, request: HttpRequest, obj: OnlineService | None = None, change: bool = False, **options: Any
    ) -> type[forms.ModelForm]:
        # Not by `change`: the admin asks for the names of an existing service's fields without it.
        if obj is None:
            options["form"] = RegistrationForm
        return super().get_form(request, obj, change, **options)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"responsible": request.user.pk, **super().get_changeform_initial_data(request)}

    def get_inlines(self, request: HttpRequest, obj: OnlineService | None) -> Any:
        return (MemberInline, PortalInline) if obj else (PortalInline,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OnlineService], search_term: str
    ) -> tuple[QuerySet[OnlineService], bool]:
        """A ZSK number finds its service."""
        if match := NUMBER.fullmatch(search_term.strip()):
            return queryset.filter(pk=int(match[1])), False
        return super().get_search_results(request, queryset, search_term)

    def save_model(self, request: HttpRequest, obj: OnlineService, form: Any, change: bool) -> None:
        if change:
            remember_beginning(obj)
            obj.revision += 1
            super().save_model(request, obj, form, change)
            return
        by: Any = request.user
        given = form.cleaned_data
        lists = {"area": given["area"], "more_leistungen": given["more_leistungen"]}
        register_service(service=obj, responsible=given["responsible"], by=by, **lists)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The lists are written here, and the history holds them too."""
        super().save_related(request, form, formsets, change)
        if change:
            by: Any = request.user
            remember(form.instance, by=by)


@admin.register(Credential)
class CredentialAdmin(admin.ModelAdmin):
    """To look at and to revoke; a key is made where its text can be shown once."""

    list_display = ("name", "public_id", "service", "portal", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("service", "portal")
    search_fields = ("name", "public_id", "service__name", "portal__name")
    fields = (
        "name", "kind", "public_id", "service", "portal", "created_at", "created_by",
        "expires_at", "revoked_at", "last_used_at",
    )  # fmt: skip
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Credential | None = None) -> bool:
        """A revoked key stays: deliveries name it."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Credential | None = None) -> tuple[str, ...]:
        return self.fields

    @admin.action(description=gettext_lazy("Ausgewählte Schlüssel widerrufen"), permissions=["change"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Credential]) -> None:
        by: Any = request.user
        usable = list(chosen.filter(revoked_at=None).select_related("service", "portal"))
        for credential in usable:
            revoke_credential(credential=credential, by=by)
        self.message_user(request, _("Widerrufen: %(count)d") % {"count": len(usable)}, messages.SUCCESS)
