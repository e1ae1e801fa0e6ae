"""Filters and tags that every template may use without loading them."""

from django import template

from zsk import formats

register = template.Library()
for name in ("number", "signed", "percent", "signed_percent", "month"):
    register.filter(name, getattr(formats, name))
