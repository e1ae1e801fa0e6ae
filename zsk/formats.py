"""Numbers and months as people read them: `1.234.567`, `Mai 2025`, `+12,4 %`; missing is "keine Angabe"."""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MONTHS = (
    gettext_lazy("Januar"), gettext_lazy("Februar"), gettext_lazy("März"), gettext_lazy("April"),
    gettext_lazy("Mai"), gettext_lazy("Juni"), gettext_lazy("Juli"), gettext_lazy("August"),
    gettext_lazy("September"), gettext_lazy("Oktober"), gettext_lazy("November"), gettext_lazy("Dezember"),
)  # fmt: skip
MINUS = "−"  # U+2212, as wide as the plus sign


def number(value: int | None) -> str:
    """`1234567` → `1.234.567`; None → `keine Angabe`."""
    if value is None:
        return _("keine Angabe")
    return f"{value:,}".replace(",", ".").replace("-", MINUS)


def signed(value: int) -> str:
    """`43` → `+43`, `-62` → `−62`."""
    return number(value) if value <= 0 else f"+{number(value)}"


def decimal(value: float, digits: int = 1) -> str:
    return f"{value:,.{digits}f}".translate(str.maketrans(",.-", ".," + MINUS))


def percent(share: float | None) -> str:
    """A share as per cent: `0.124` → `12,4 %` with a no-break space; None → an en dash."""
    return "–" if share is None else f"{decimal(share * 100)}\u00a0%"


def enumeration(names: Sequence[str]) -> str:
    """`A`, `A und B`, `A, B und C`; nothing is an empty text."""
    if len(names) < 2:
        return "".join(names)
    return _("%(first)s und %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}


def change(now: int | None, before: int | None) -> float | None:
    """Relative change, None where either is missing or the base is 0."""
    return None if now is None or not before else now / before - 1


def signed_percent(share: float | None) -> str:
    """A change as per cent with its sign: `0.124` → `+12,4 %`."""
    return percent(share) if share is None or round(share, 3) <= 0 else f"+{percent(share)}"


def month(value: dt.date) -> str:
    """`2025-05-01` → `Mai 2025`."""
    return f"{MONTHS[value.month - 1]} {value.year}"


def day(value: dt.date) -> str:
    """`2026-06-10` → `10. Juni 2026`; a point in time gives its day in Germany."""
    date = timezone.localdate(value) if isinstance(value, dt.datetime) else value
    return f"{date.day}. {month(date)}"


def stand(value: dt.datetime) -> str:
    """How current something is: `10. Juni 2026, 8:15 Uhr`, in German time."""
    local = timezone.localtime(value)
    return _("%(day)s, %(hour)d:%(minute)02d Uhr") % {
        "day": day(local),
        "hour": local.hour,
        "minute": local.minute,
    }
