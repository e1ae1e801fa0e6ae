"""Filters and tags that every template may use without loading them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django import forms, template
from django.core.paginator import Page
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _

from zsk import formats

register = template.Library()
for name in ("number", "signed", "percent", "signed_percent", "month"):
    register.filter(name, getattr(formats, name))

ALERT_KINDS = {"success": "success", "warning": "warning", "error": "danger"}


@register.filter
def day(value: dt.date | None) -> str:
    return formats.day(value) if value else ""


@register.filter
def stand(value: dt.datetime | None) -> str:
    return formats.stand(value) if value else ""


@register.filter
def alert_kind(level: str) -> str:
    """KERN's word for the level of a message."""
    return ALERT_KINDS.get(level, "info")


@register.inclusion_tag("components/crumbs.html")
def crumbs(*steps: str) -> dict[str, Any]:
    """`{% crumbs "Hilfe" "/hilfe/" "Dateiformat" %}`: name and address in turn, at last the page itself."""
    return {"above": list(zip(steps[:-1:2], steps[1::2], strict=True)), "here": steps[-1]}


@register.inclusion_tag("components/steps.html")
def steps(current: int, *names: str) -> dict[str, Any]:
    """`{% steps 2 "Datei wählen" "Prüfen" "Übernehmen" %}`: where one is in a task of several pages."""
    return {"current": current, "names": names}


@register.inclusion_tag("components/badge.html")
def badge(kind: str, text: str, icon: str | None = None) -> dict[str, str]:
    """A status as icon and word; kind is success, info, warning or danger; an empty icon leaves it out."""
    return {"kind": kind, "text": text, "icon": kind if icon is None else icon}


@register.inclusion_tag("components/foot.html", takes_context=True)
def figure_foot(
    context: template.Context,
    stand: dt.datetime | None = None,
    downloads: list[tuple[str, str]] | None = None,
    source: str = "",
) -> dict[str, Any]:
    """What stands below every figure: source, how current, licence, and downloads as (name, address)."""
    own = _("ZSK, synthetische Daten") if context.get("synthetic") else "ZSK"
    return {"source": source or own, "stand": stand, "downloads": downloads or []}


@register.inclusion_tag("components/paging.html", takes_context=True)
def paging(context: template.Context, page: Page[Any]) -> dict[str, Any]:
    """Links to the pages of a list; what else stands in the address stays."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    ellipsis = page.paginator.ELLIPSIS
    return {"page": page, "numbers": [*numbers], "ellipsis": ellipsis, "request": context.get("request")}


@register.inclusion_tag("components/error_summary.html")
def error_summary(form: forms.BaseForm) -> dict[str, Any]:
    """All errors of a form as a list of links to its fields; nothing while there is none."""
    return {"errors": list(_errors_with_addresses(form)) if form.is_bound else []}


def _errors_with_addresses(form: forms.BaseForm) -> Iterator[tuple[str, str]]:
    for text in form.non_field_errors():
        yield str(text), ""
    for bound in form:
        for text in bound.errors:
            yield str(text), f"#{bound.id_for_label or bound.auto_id}"


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: str = "") -> dict[str, Any]:
    """A form field in KERN's markup: label above, hint, the control, and its errors."""
    kind = _kind(bound.field.widget)
    hint = hint or str(bound.help_text)
    return {"field": bound, "kind": kind, "hint": hint, "control": _control(bound, kind=kind, hint=hint)}


def _kind(widget: forms.Widget) -> str:
    """Which of KERN's form components shows this widget."""
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "group"
    if isinstance(widget, forms.CheckboxInput):
        return "checkbox"
    if isinstance(widget, forms.Select):
        return "select"
    return "textarea" if isinstance(widget, forms.Textarea) else "input"


CLASSES = {
    "input": "kern-form-input__input",
    "textarea": "kern-form-input__input",
    "select": "kern-form-input__select",
    "checkbox": "kern-form-check__checkbox",
    "group": "kern-form-check__radio",
}


def _control(bound: BoundField, *, kind: str, hint: str) -> str:
    identity = bound.auto_id
    described = [f"{identity}-hinweis"] * bool(hint) + [f"{identity}-fehler"] * bool(bound.errors)
    css = CLASSES[kind]
    attributes: dict[str, Any] = {"class": f"{css} {css}--error" if bound.errors else css}
    if described:
        attributes["aria-describedby"] = " ".join(described)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return bound.as_widget(attrs=attributes)
