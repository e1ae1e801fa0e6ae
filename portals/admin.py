"""Portals in the Django admin, for operations; changes of rights leave an audit entry."""

from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.db.models import Model
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts import audit
from portals.models import Portal, PortalMember


class AuditedInlinesMixin:
    """Writes what the inlines of memberships changed to the audit log, in the same transaction."""

    def save_formset(
        self, request: HttpRequest, form: ModelForm, formset: BaseModelFormSet, change: bool
    ) -> None:
        with transaction.atomic():
            super().save_formset(request, form, formset, change)  # type: ignore[misc]
            done = [(_("hinzugefügt"), row) for row in formset.new_objects]
            done += [(_("geändert"), row) for row, _fields in formset.changed_objects]
            done += [(_("entfernt"), row) for row in formset.deleted_objects]
            for verb, row in done:
                self._record(request, form.instance, row, verb)

    def _record(self, request: HttpRequest, owner: Model, row: Model, verb: str) -> None:
        action = f"{row._meta.verbose_name} {verb}"
        audit.record(by=request.user, action=action, target=owner, detail=str(row))  # type: ignore[arg-type]


class MemberInline(admin.TabularInline):
    model = PortalMember
    autocomplete_fields = ("user",)
    extra = 0


@admin.register(Portal)
class PortalAdmin(AuditedInlinesMixin, admin.ModelAdmin):
    list_display = ("name", "kuerzel", "authority", "url")
    list_select_related = ("authority",)
    search_fields = ("name", "kuerzel")
    autocomplete_fields = ("authority",)
    inlines = (MemberInline,)
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def get_readonly_fields(self, request: HttpRequest, obj: Portal | None = None) -> tuple[Any, ...]:
        """The Kürzel stands in addresses that others keep; it is chosen once."""
        return ("kuerzel",) if obj else ()
