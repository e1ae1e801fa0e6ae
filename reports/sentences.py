"""Findings in words, made from the numbers: each says only what is true of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ozgsync.models import Level
from reports.charts.line import last_reported
from reports.maps import measured
from reports.queries.overview import Laender, Ranked
from reports.queries.regions import Area, AreaValue, Divided
from reports.queries.series import Period, Point
from reports.queries.service_counts import Breakdown
from reports.words import Noun
from zsk import formats

NAMED_AT_MOST = 2


def join(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


# --- The curve ---------------------------------------------------------------------------------------
def curve_headline(points: Sequence[Point]) -> str:
    """How the months stand to those of the year before; the running month does not count."""
    over = [point for point in points if not point.running]
    pairs = [(p, p.value, p.before) for p in over if p.value is not None and p.before is not None]
    if not pairs:
        return _("Noch kein Vergleich mit dem Vorjahr")
    above = sum(1 for _point, now, before in pairs if now > before)
    below = sum(1 for _point, now, before in pairs if now < before)
    if len(pairs) == 1:
        return _against_last_year(pairs[0][0], above=bool(above), below=bool(below))
    if len(pairs) in {above, below}:
        return _all_on_one_side(above=bool(above), everywhere=len(pairs) == len(over))
    if not above:
        return _("Kein Monat liegt über seinem Vorjahresmonat")
    words = {"above": above, "pairs": len(pairs)}
    return (
        ngettext(
            "%(above)d von %(pairs)d Monaten liegt über seinem Vorjahresmonat",
            "%(above)d von %(pairs)d Monaten liegen über ihrem Vorjahresmonat",
            above,
        )
        % words
    )


def _against_last_year(point: Point, *, above: bool, below: bool) -> str:
    words = {"month": formats.month(point.month)}
    if above:
        return _("%(month)s liegt über dem Vorjahresmonat") % words
    if below:
        return _("%(month)s liegt unter dem Vorjahresmonat") % words
    return _("%(month)s liegt so hoch wie der Vorjahresmonat") % words


def _all_on_one_side(*, above: bool, everywhere: bool) -> str:
    """ "Jeder Monat" is only said where each can be compared."""
    if everywhere:
        return (
            _("Jeder Monat liegt über seinem Vorjahresmonat")
            if above
            else _("Jeder Monat liegt unter seinem Vorjahresmonat")
        )
    return (
        _("Wo ein Vergleich möglich ist, liegt jeder Monat über dem Vorjahr")
        if above
        else _("Wo ein Vergleich möglich ist, liegt jeder Monat unter dem Vorjahr")
    )


def curve_sentence(points: Sequence[Point], *, running: bool = False) -> str:
    """Development, highest month and gaps; `running` also says that a month is not over."""
    last = last_reported(points)
    unfinished = _running(points) if running or last is None else ""
    if last is None:
        return join(_("Für keinen abgeschlossenen Monat liegen Zahlen vor."), unfinished)
    return join(
        _development(points[last]), _peak(points, last), _gaps(points), _corrected(points), unfinished
    )


def _development(point: Point) -> str:
    words = {"month": formats.month(point.month), "value": formats.number(point.value)}
    if point.value is None or point.before is None:
        return _("Im %(month)s waren es %(value)s.") % words
    words |= {
        "before": formats.number(point.before),
        "earlier": formats.month(point.month.replace(year=point.month.year - 1)),
    }
    if point.value == point.before:
        return _("Im %(month)s waren es %(value)s, so viele wie im %(earlier)s.") % words
    if point.value > point.before:
        return _("Von %(before)s im %(earlier)s stieg die Zahl auf %(value)s im %(month)s.") % words
    return _("Von %(before)s im %(earlier)s sank die Zahl auf %(value)s im %(month)s.") % words


def _peak(points: Sequence[Point], last: int) -> str:
    """The highest month; not worth saying of a single one."""
    known = [(point.value, point.month) for point in points if point.value is not None and not point.running]
    if len(known) < 2:
        return ""
    highest, month = max(known, key=lambda pair: pair[0])
    if len({value for value, _month in known}) == 1:
        return _("Alle Monate seit %(first)s haben denselben Wert.") % {"first": formats.month(known[0][1])}
    if points[last].value == highest:
        return _("Das ist der Höchstwert seit %(first)s.") % {"first": formats.month(known[0][1])}
    words = {
        "value": formats.number(highest),
        "month": formats.month(month),
        "first": formats.month(known[0][1]),
    }
    return _("Höchstwert seit %(first)s: %(value)s im %(month)s.") % words


def _gaps(points: Sequence[Point]) -> str:
    missing = [point.month for point in points if point.value is None and not point.running]
    return _no_number_for([formats.month(month) for month in missing], _("%(count)d Monate"))


def _no_number_for(names: Sequence[str], many: str) -> str:
    if not names:
        return ""
    named = formats.enumeration(names) if len(names) <= NAMED_AT_MOST else many % {"count": len(names)}
    return _("Für %(names)s gibt es keine Angabe.") % {"names": named}


def _corrected(points: Sequence[Point]) -> str:
    """Names the months that the chart marks with the sign."""
    months = [formats.month(point.month) for point in points if point.corrected and point.value is not None]
    if not months:
        return ""
    many = _("%(count)d Monate") % {"count": len(months)}
    named = formats.enumeration(months) if len(months) <= NAMED_AT_MOST else many
    return _("Nach dem Abschluss des Monats korrigiert (◇): %(months)s.") % {"months": named}


def _running(points: Sequence[Point]) -> str:
    running = next((point for point in points if point.running and point.value is not None), None)
    return _("Der %(month)s läuft noch.") % {"month": formats.month(running.month)} if running else ""


def season_headline(points: Sequence[Point], area: Area) -> str:
    """The month with the highest value, when it was the same in both of the last two complete years."""
    over = [point for point in points if not point.running]
    years = [over[-12:], over[-24:-12]]
    peaks = {_peak_month(year) for year in years}
    if len(peaks) != 1 or None in peaks:
        return curve_headline(points)
    words = {"place": area.place, "month": formats.MONTHS[(peaks.pop() or 1) - 1]}
    return _("In beiden letzten Jahren lag der Höchstwert %(place)s im %(month)s") % words


def _peak_month(year: Sequence[Point]) -> int | None:
    """The calendar month of a complete year's only highest value."""
    values = [point.value for point in year if point.value is not None]
    if len(values) < 12 or values.count(max(values)) != 1:
        return None
    return year[values.index(max(values))].month.month


# --- The Länder --------------------------------------------------------------------------------------
def map_headline(laender: Laender, *, absolute: bool) -> str:
    known = _known(laender.rows, absolute=absolute)
    if not known:
        return _("Noch keine Zahlen nach Ländern")
    if len(known) == 1:
        return _("Nur für %(land)s liegen Zahlen vor") % {"land": _accusative(known[0][1].area)}
    if known[0][0] == known[-1][0]:
        return _("Alle Länder mit Angabe gleichauf")
    # Who ties with the third is as far ahead: then fewer, or all of them, are named.
    ahead = [row.area.name for value, row in known if value >= known[min(2, len(known) - 1)][0]]
    if len(ahead) > 4 or len(ahead) == len(known):
        ahead = [row.area.name for value, row in known if value == known[0][0]]
    return _("%(laender)s vorn") % {"laender": formats.enumeration(ahead)}


def _known(rows: Sequence[AreaValue], *, absolute: bool) -> list[tuple[float, AreaValue]]:
    pairs = [(measured(row, absolute=absolute), row) for row in rows]
    return sorted(((value, row) for value, row in pairs if value is not None), key=lambda p: -p[0])


def map_sentence(laender: Laender, *, absolute: bool) -> str:
    known = _known(laender.rows, absolute=absolute)
    missing = [_accusative(row.area) for row in laender.rows if measured(row, absolute=absolute) is None]
    if not known:
        return _("Für kein Land gibt es in diesem Monat eine Angabe.")
    return join(_range(known, absolute=absolute), _no_number_for(missing, _("%(count)d Länder")))


def _range(known: Sequence[tuple[float, AreaValue]], *, absolute: bool) -> str:
    (highest, top), (lowest, bottom) = known[0], known[-1]
    words = {
        "low": formats.number(round(lowest)), "high": formats.number(round(highest)),
        "bottom": bottom.area.place, "top": top.area.place,
    }  # fmt: skip
    if len(known) == 1:
        return (_("%(high)s %(top)s.") if absolute else _("%(high)s je 100.000 Einwohner %(top)s.")) % words
    if absolute:
        return _("Die Spanne reicht von %(low)s %(bottom)s bis %(high)s %(top)s.") % words
    return _("Je 100.000 Einwohner reicht die Spanne von %(low)s %(bottom)s bis %(high)s %(top)s.") % words


def _accusative(area: Area) -> str:
    return _("das Saarland") if area.name == "Saarland" else area.title


# --- The ranking -------------------------------------------------------------------------------------
def ranking_headline(top: Sequence[Ranked], *, total: int | None, services: int) -> str:
    """What part of all transactions the first ten make up; only said where there are more than ten."""
    used = sum(ranked.total for ranked in top)
    if not top or not total:
        return _("Noch keine Rangfolge")
    if services <= len(top):
        return ngettext("Ein Onlineservice mit Zahlen", "%(count)d Onlineservices nach Nutzung", services) % {
            "count": services
        }
    return _("Die %(number)s meistgenutzten machen %(share)s der Transaktionen aus") % {
        "number": _("zehn") if len(top) == 10 else len(top),
        "share": whole_percent(used / total),
    }


def whole_percent(share: float) -> str:
    """`58 Prozent`; never rounded up to all or down to nothing."""
    if 0 < share < 0.005:
        return _("weniger als 1 Prozent")
    if 0.995 <= share < 1:
        return _("mehr als 99 Prozent")
    return _("%(share)d Prozent") % {"share": round(share * 100)}


def ranking_sentence(top: Sequence[Ranked]) -> str:
    if not top:
        return _("Für diesen Monat hat noch kein Onlineservice Zahlen geliefert.")
    words = {"first": top[0].name, "count": formats.number(top[0].total)}
    if len(top) == 1:
        return _("Genutzt wurde „%(first)s“ mit %(count)s Transaktionen.") % words
    words |= {"second": top[1].name, "next": formats.number(top[1].total)}
    if top[0].total == top[1].total:
        tied = _("Am häufigsten genutzt wurden „%(first)s“ und „%(second)s“ mit je %(count)s Transaktionen.")
        return tied % words
    ahead = _("Am häufigsten genutzt wurde „%(first)s“ mit %(count)s Transaktionen, ") % words
    return ahead + _("vor „%(second)s“ mit %(next)s.") % words


# --- Comparable services and what a comparison leaves out ------------------------------------------------
def comparable_note(single: Period, twelve: Period, year: Period) -> str:
    """Completes "Vergleichbar …": who counts as comparable and how many; empty where nothing compares."""
    if single.comparable is None:
        return ""
    counts = [_("%(count)d im Monatsvergleich") % {"count": single.comparable.services}]
    if twelve.comparable:
        counts.append(_("%(count)d über zwölf Monate") % {"count": twelve.comparable.services})
    if year.comparable:
        counts.append(_("%(count)d seit Januar") % {"count": year.comparable.services})
    who = _("sind Onlineservices, die in beiden Zeiträumen für jeden verglichenen Monat geliefert haben")
    return f"{who}: {formats.enumeration(counts)}. " + _("Neu angeschlossene erhöhen nur den Wert für alle.")


def without(left_out: Sequence[dt.date]) -> str:
    """`ohne November`: which months a comparison leaves out; a number when they are many."""
    if not left_out:
        return ""
    if len(left_out) > NAMED_AT_MOST:
        return _("ohne %(count)d Monate") % {"count": len(left_out)}
    return _("ohne %(months)s") % {
        "months": formats.enumeration([str(formats.MONTHS[m.month - 1]) for m in left_out])
    }


# --- One service -----------------------------------------------------------------------------------------
LEVEL_WORDS = {
    Level.LAND: (gettext_lazy("Land"), gettext_lazy("Länder"), gettext_lazy("Ländern")),
    Level.REGBEZ: (
        gettext_lazy("Regierungsbezirk"),
        gettext_lazy("Regierungsbezirke"),
        gettext_lazy("Regierungsbezirken"),
    ),
    Level.KREIS: (gettext_lazy("Kreis"), gettext_lazy("Kreise"), gettext_lazy("Kreisen")),
    Level.VERBAND: (
        gettext_lazy("Gemeindeverband"),
        gettext_lazy("Gemeindeverbände"),
        gettext_lazy("Gemeindeverbänden"),
    ),
    Level.GEMEINDE: (gettext_lazy("Gemeinde"), gettext_lazy("Gemeinden"), gettext_lazy("Gemeinden")),
}


def breakdown_headline(parts: Breakdown) -> str:
    """Who has the largest part of the whole; nothing is said of parts where all is 0 or missing."""
    singular, plural, _dative = LEVEL_WORDS[parts.level]
    known = parts.reported
    words = {"level": singular, "levels": plural, "place": parts.whole.place}
    if not known:
        return _("Keine Angaben für einzelne %(levels)s %(place)s") % words
    if not known[0].value or not parts.total:
        return _("Überall wurde 0 gemeldet")
    ahead = [row.area.title for row in known if row.value == known[0].value]
    if len(ahead) > 1:
        if len(ahead) > 3:
            return _("%(count)d %(levels)s gleichauf vorn") % {**words, "count": len(ahead)}
        return _("%(names)s liegen gleichauf vorn") % {"names": formats.enumeration(ahead)}
    if len(parts.rows) == 1:
        return _("%(name)s im Vergleich") % {"name": ahead[0]}
    share = whole_percent(known[0].value / parts.total)
    return _("%(name)s hat mit %(share)s den größten Anteil") % {"name": ahead[0], "share": share}


def breakdown_sentence(parts: Breakdown, noun: Noun, *, own: str = "") -> str:
    """How many parts have a value, what they sum to, and where the chosen region stands."""
    _singular, _plural, dative = LEVEL_WORDS[parts.level]
    known = parts.reported
    if parts.total is None:
        return _("Für diesen Monat gibt es %(place)s keine Angabe.") % {"place": parts.whole.place}
    words = {
        "known": len(known), "all": len(parts.rows), "levels": dative, "place": parts.whole.place,
        "total": formats.number(parts.total), "noun": noun.of(parts.total),
    }  # fmt: skip
    first = _("Angaben gibt es zu %(known)d von %(all)d %(levels)s, zusammen %(place)s %(total)s %(noun)s.")
    return join(first % words, _own_rank(parts, own))


def _own_rank(parts: Breakdown, own: str) -> str:
    rank = parts.rank(own)
    row = next((row for row in parts.rows if row.area.ars == own), None)
    if rank is None or row is None:
        return ""
    return _("%(name)s liegt mit %(value)s auf Rang %(rank)d.") % {
        "name": row.area.title,
        "value": formats.number(row.value),
        "rank": rank,
    }


def divided(found: Divided) -> str:
    """What was reported for a region before a reform divided it."""
    return _("%(old)s: aufgeteilt durch Reform, auf %(parent)s gezählt") % {
        "old": found.area.title,
        "parent": found.onto.title,
    }
