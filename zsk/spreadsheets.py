"""Cells of files that people open in a spreadsheet."""

from __future__ import annotations

import re

from django.conf import settings
from django.utils.translation import gettext as _

# A spreadsheet takes text that starts so for a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*|[+-]")


def harmless(cell: str) -> str:
    """Text that would be run as a formula gets an apostrophe before it; what is a number as a whole stays."""
    risky = cell.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if risky else cell


def notice() -> str:
    """The last column of every file of numbers; empty where they are real."""
    return _("synthetische Daten") if settings.SYNTHETIC_DATA else ""
