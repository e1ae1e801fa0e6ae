"""Filters of the report pages."""

from django import template

from zsk import formats

register = template.Library()


@register.filter
def rate(value: float | None) -> str:
    """A count per 100,000 inhabitants: whole where it is large, one digit below ten, a dash where unknown."""
    if value is None:
        return "–"
    return formats.decimal(value, 1) if 0 < value < 10 else formats.number(round(value))
