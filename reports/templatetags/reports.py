"""Filters of the report pages."""

import re

from django import template
from django.utils.html import format_html

from ozgsync.models import Level
from reports.queries.completeness import LABELS
from reports.sentences import LEVEL_WORDS
from reports.words import corrected_mark
from zsk import formats

register = template.Library()
_BREAKS = re.compile(r"(?<=Trans)(?=aktion)|(?<=\w\w)(?=kreis\b)|(?<=Regierungs)(?=bezirk)")
BADGE_KINDS = {
    "geliefert": "success",
    "faellig": "info",
    "verspaetet": "warning",
    "nie": "info",
    "startet": "info",
    "beendet": "info",
}


@register.filter
def rate(value: float | None) -> str:
    """A count per 100,000 inhabitants: whole where it is large, one digit below ten, a dash where unknown."""
    if value is None:
        return "–"
    return formats.decimal(value, 1) if 0 < value < 10 else formats.number(round(value))


@register.filter
def soft(word: str) -> str:
    """Lets long words of a table break on a phone: `Trans-aktionen`, `Hochtaunus-kreis`."""
    return _BREAKS.sub("\u00ad", word)


@register.filter
def positive(value: int) -> int:
    return abs(value)


@register.filter
def levels(level: Level) -> str:
    """The plural of a level's name: `Länder`."""
    return str(LEVEL_WORDS[Level(level)][1])


@register.filter
def badge_kind(category: str) -> str:
    return BADGE_KINDS[category]


@register.filter
def category_label(category: str) -> str:
    return str(LABELS[category])


@register.simple_tag
def corrected(value: bool) -> str:
    """The mark of a number that was changed after its month was closed, with the blank before it."""
    return format_html('<span class="zsk-meta">{}</span>', corrected_mark(value)) if value else ""
