"""What a single cell means: each parser takes one text and returns the value, or the fault it has.

They run once per distinct value, not per row; `checks.py` spreads their results over the rows.
"""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Final

from zsk import formats

ARS: Final = "[0-9]{12}"
REMOVING: Final = ("löschen", "loeschen")  # what takes a stored value back, in a file
REMOVE: Final = -1  # stands for "take the stored value back" among the counts
MAX_COUNT: Final = 1_000_000_000
FIRST_MONTH: Final = dt.date(2016, 1, 1)  # the history of regions begins here

_ARS = re.compile(ARS)
_BLANKS = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_SUM = re.compile(r"(gesamt|zwischen)?summe\b|gesamt\b|insgesamt\b|total\b", re.IGNORECASE)
# Groups of thousands, all separated alike. No group starts with 0 ahead: 0.204 is a fraction, not 204.
_COUNT = re.compile(r"[0-9]+|[1-9][0-9]{0,2}([. \u00a0\u2009\u202f])[0-9]{3}(?:\1[0-9]{3})*")
_EXPONENT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
_MONTH_NAMES = {
    "jan": 1, "januar": 1, "jän": 1, "jänner": 1, "feb": 2, "februar": 2, "mär": 3, "märz": 3, "mrz": 3,
    "maerz": 3, "apr": 4, "april": 4, "mai": 5, "jun": 6, "juni": 6, "jul": 7, "juli": 7, "aug": 8,
    "august": 8, "sep": 9, "sept": 9, "september": 9, "okt": 10, "oktober": 10, "nov": 11, "november": 11,
    "dez": 12, "dezember": 12,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is refused; `suggestion` is what would be right, empty where nothing is certain."""

    code: str
    suggestion: str = ""
    params: dict[str, str] = field(default_factory=dict)


def general_fault(text: str) -> Fault | None:
    """What may stand in any column by mistake: a formula, or the name of a sum."""
    if text.startswith("="):
        return Fault("formel")
    return Fault("summenzeile") if _SUM.match(text) else None


def parse_ars(text: str, *, strict: bool = False) -> str | Fault:
    """Twelve digits, blanks inside removed; `strict` refuses those, as the JSON interface promises.

    Suggestions are candidates: the caller looks them up.
    """
    if _ARS.fullmatch(text):  # nearly always
        return text
    value = _BLANKS.sub("", text)
    if _ARS.fullmatch(value):
        return Fault("ars_zeichen", suggestion=value) if strict else value
    if fault := general_fault(text.strip()):
        return fault
    if not value:
        return Fault("ars_fehlt")
    if _EXPONENT.fullmatch(value):
        return Fault("ars_exponent")
    if not re.fullmatch(r"[0-9]+", value):
        return Fault("ars_zeichen")
    return _ars_of_wrong_length(value)


def _ars_of_wrong_length(digits: str) -> Fault:
    if len(digits) == 11:
        return Fault("ars_fuehrende_null", suggestion="0" + digits)
    if len(digits) == 8:
        return Fault("ars_ags", params={"ags": digits})
    candidate = digits.ljust(12, "0") if len(digits) in {2, 3, 5, 9} else ""
    return Fault("ars_laenge", suggestion=candidate, params={"stellen": str(len(digits))})


def parse_month(text: str, *, running: dt.date, strict: bool = False) -> dt.date | Fault:
    """The month's first day. `strict` accepts `YYYY-MM` only, as the JSON interface promises."""
    value = " ".join(_BLANKS.sub(" ", text).split())
    if fault := general_fault(value):
        return fault
    if not value:
        return Fault("monat_fehlt")
    found = _iso_month(value) if strict else _any_month(value)
    return found if isinstance(found, Fault) else _month_in_time(found, running)


def _iso_month(value: str) -> dt.date | Fault:
    if match := re.fullmatch(r"([0-9]{4})-([0-9][0-9])", value):
        return _month(int(match[1]), int(match[2]))
    lenient = _any_month(value)
    suggestion = lenient.suggestion if isinstance(lenient, Fault) else f"{lenient:%Y-%m}"
    return Fault("monat_form", suggestion=suggestion)


def _any_month(value: str) -> dt.date | Fault:
    if match := re.fullmatch(r"([0-9]{4})[-/.]([0-9]{1,2})", value):
        return _month(int(match[1]), int(match[2]))
    if match := re.fullmatch(r"([0-9]{1,2}) ?[./-] ?([0-9]{4})", value):
        return _month(int(match[2]), int(match[1]))
    if match := re.fullmatch(r"([0-9]{4})-([0-9][0-9])-([0-9][0-9])(?:[ T]00:00(?::00)?)?", value):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := re.fullmatch(
        r"([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4}|[0-9][0-9])(?: 00:00(?::00)?)?", value
    ):
        return _day(_year(match[3]), int(match[2]), int(match[1]))
    if match := re.fullmatch(r"([^\W\d_]+)\.?[ -]?'?([0-9]{4}|[0-9][0-9])", value):
        number = _MONTH_NAMES.get(match[1].lower())
        return _month(_year(match[2]), number) if number else _month_fault(value)
    return _month_fault(value)


def _year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _month(year: int, month: int) -> dt.date | Fault:
    if not 1 <= month <= 12:
        return Fault("monat_gibt_es_nicht", params={"zahl": str(month)})
    return dt.date(year, month, 1) if year else Fault("monat_unlesbar")


def _day(year: int, month: int, day: int) -> dt.date | Fault:
    first = _month(year, month)
    if isinstance(first, Fault) or day == 1:
        return first
    return Fault("monat_tag", suggestion=f"{first:%Y-%m}")


def _month_fault(value: str) -> Fault:
    if re.fullmatch(r"[0-9]{4}", value):
        return Fault("monat_nur_jahr", params={"jahr": value})
    if re.search(r"\bQ ?[1-4]\b|[1-4]\. ?Quartal|\bQuartal ?[1-4]", value, re.IGNORECASE):
        return Fault("monat_quartal")
    if re.fullmatch(r"4[2-9][0-9]{3}|5[0-9]{4}", value):
        # A date cell saved as a number: days since the spreadsheet's day 0.
        day = dt.date(1899, 12, 30) + dt.timedelta(days=int(value))
        return Fault("monat_unlesbar", suggestion=f"{day:%Y-%m}")
    return Fault("monat_unlesbar")


def _month_in_time(month: dt.date, running: dt.date) -> dt.date | Fault:
    if month > running:
        return Fault("monat_zukunft", params={"laufend": formats.month(running)})
    if month < FIRST_MONTH:
        return Fault("monat_zu_frueh", params={"erster": formats.month(FIRST_MONTH)})
    return month


def parse_count(text: str) -> int | Fault:
    """A count from 0 to 10⁹, thousands grouped by dots or blanks; REMOVE for `löschen`."""
    value = text.strip()
    if _COUNT.fullmatch(value):
        count = int(re.sub(r"\D", "", value)) if len(value) < 40 else MAX_COUNT + 1
        return count if count <= MAX_COUNT else Fault("anzahl_zu_gross")
    if value.lower() in REMOVING:
        return REMOVE
    return general_fault(value) or _count_fault(value)


def _count_fault(value: str) -> Fault:
    if not value:
        return Fault("anzahl_fehlt")
    if re.fullmatch(r"[-−–] ?[0-9][0-9., ]*", value):
        return Fault("anzahl_negativ")
    if _EXPONENT.fullmatch(value):
        return Fault("anzahl_exponent")
    if re.fullmatch(r"[0-9.,]*[0-9][.,][0-9]+", value):
        # 12,0 is 12; 12,000 may be twelve thousand.
        whole = re.fullmatch(r"([0-9]+)[.,]0{1,2}", value)
        return Fault("anzahl_nachkomma", suggestion=whole[1] if whole else "")
    return Fault("anzahl_keine_zahl")
