"""Territorial reforms: what became of which key, and what that means for a region and for its numbers."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ozgsync.models import RegionChange, RegionToday, RegionVersion
from ozgsync.search import digits_of, words_of
from reports.queries.regions import Area, newest
from zsk import formats, months

Kind = RegionChange.Kind
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one key; `share` of it is None where it is unknown or what is left."""

    old: Area
    new: Area
    kind: RegionChange.Kind
    share: Decimal | None

    @property
    def stays(self) -> bool:
        return self.old.ars == self.new.ars


@dataclass(frozen=True, slots=True)
class Reform:
    """Steps under one identifier; `effective` is the legal, `statistically` the day that counts."""

    change_id: str
    effective: dt.date
    statistically: dt.date
    steps: tuple[Step, ...]

    @property
    def title(self) -> str:
        """What happened in one sentence, at most two."""
        by_kind: dict[RegionChange.Kind, list[Step]] = defaultdict(list)
        for step in self.steps:
            by_kind[step.kind].append(step)
        order = [Kind.MERGER, Kind.INCORPORATION, Kind.REKEY, Kind.RENAME, Kind.SPLIT]
        return "; ".join(_sentence(kind, by_kind[kind]) for kind in order if kind in by_kind)


def _sentence(kind: RegionChange.Kind, steps: Sequence[Step]) -> str:
    olds, news = _titles(step.old for step in steps), _titles(step.new for step in steps if not step.stays)
    words = {"old": formats.enumeration(olds), "new": formats.enumeration(news)}
    if kind == Kind.MERGER:
        return _("Zusammenschluss zu %(new)s: %(old)s") % words
    if kind == Kind.INCORPORATION:
        return _("%(old)s: eingegliedert in %(new)s") % words
    if kind == Kind.REKEY:
        return _("%(old)s: neuer Schlüssel") % words
    if kind == Kind.RENAME:
        return _("%(old)s: neuer Name %(new)s") % {**words, "new": _titles(s.new for s in steps)[0]}
    if any(step.stays for step in steps):
        return _("%(old)s: ein Teil geht an %(new)s") % words
    return _("%(old)s: aufgeteilt auf %(new)s") % words


def _titles(areas: Iterable[Area]) -> list[str]:
    return list(dict.fromkeys(area.title for area in areas))


# --- lists ---------------------------------------------------------------------------------------


def years() -> list[int]:
    """In which anything changed, newest first."""
    return [day.year for day in RegionChange.objects.dates("statistically", "year", order="DESC")]


def identifiers(*, year: int | None = None, text: str = "") -> QuerySet[RegionChange, str]:
    """Identifiers of reforms, newest first: of a year, or that concern a region found by name or key."""
    found = RegionChange.objects.all()
    if year:
        found = found.filter(statistically__year=year)
    if words := words_of(text):
        regions = _regions(text, words)
        found = found.filter(Q(old__in=regions) | Q(new__in=regions) | Q(change_id__iexact=text.strip()))
    newest_first = found.values("change_id").annotate(day=Max("statistically"))
    return newest_first.order_by("-day", "change_id").values_list("change_id", flat=True)


def _regions(text: str, words: Sequence[str]) -> QuerySet[RegionVersion, str]:
    versions = RegionVersion.objects.all()
    if digits := digits_of(text):
        versions = versions.filter(region__ars__startswith=digits[:12])
    else:
        for word in words:
            versions = versions.filter(folded__contains=word)
    return versions.values_list("region_id", flat=True)


def reforms(change_ids: Collection[str]) -> list[Reform]:
    """Those reforms, in the order given; two queries."""
    changes = list(RegionChange.objects.filter(change_id__in=change_ids).order_by("old_id", "new_id"))
    names = _Names({key for change in changes for key in (change.old_id, change.new_id)})
    by_id: dict[str, list[RegionChange]] = defaultdict(list)
    for change in changes:
        by_id[change.change_id].append(change)
    return [_reform(key, by_id[key], names) for key in change_ids if key in by_id]


def _reform(change_id: str, changes: Sequence[RegionChange], names: _Names) -> Reform:
    steps = [
        Step(
            names.on(change.old_id, change.statistically - DAY),
            names.on(change.new_id, change.statistically),
            Kind(change.kind),
            change.share,
        )
        for change in changes
    ]
    # What stays is told after what goes.
    steps.sort(key=lambda step: (step.old.ars, step.stays))
    first = min(changes, key=lambda change: change.statistically)
    return Reform(change_id, first.effective, first.statistically, tuple(steps))


class _Names:
    """What regions were called on a day; one query."""

    def __init__(self, keys: Collection[str]) -> None:
        self._versions: dict[str, list[RegionVersion]] = defaultdict(list)
        for version in RegionVersion.objects.filter(region__in=keys).order_by("valid_from"):
            self._versions[version.region_id].append(version)

    def on(self, ars: str, day: dt.date) -> Area:
        known = self._versions.get(ars, [])
        then = [version for version in known if version.valid_from <= day] or known[:1]
        if not then:
            return Area(ars, ars, None)
        return Area(ars, then[-1].name, then[-1].inhabitants, then[-1].kind)


# --- what it means for numbers -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meaning:
    """Counts until `last` month of a key that a reform concerned belong to `today`."""

    old: Area
    last: dt.date
    today: Area
    exact: bool


def meaning(reform: Reform) -> list[Meaning]:
    """By region that the reform has changed; keys that still lead to themselves are not there."""
    olds = {step.old.ars: step.old for step in reform.steps}
    day = reform.statistically
    rows = list(
        RegionToday.objects.filter(ars__in=olds, from_month__lt=day, to_month__gte=day).order_by("ars")
    )
    names = newest({row.today for row in rows})
    return [
        Meaning(olds[row.ars], months.shift(row.to_month, -1), names[row.today], row.exact) for row in rows
    ]


# --- one region ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moved:
    """What a reform meant for one region: `text` and the other regions that it names."""

    change_id: str
    text: str
    areas: tuple[Area, ...]


def of_region(ars: str) -> list[Moved]:
    """Newest first: where it came from, what it took over, what became of it until now; three queries."""
    concerned = RegionChange.objects.filter(Q(old=ars) | Q(new=ars), statistically__lte=timezone.localdate())
    changes = concerned.order_by("-statistically", "change_id")
    ids = list(dict.fromkeys(changes.values_list("change_id", flat=True)))
    return [moved for reform in reforms(ids) for moved in _moved(ars, reform)] if ids else []


def _moved(ars: str, reform: Reform) -> list[Moved]:
    gone = [step for step in reform.steps if step.old.ars == ars]
    come = [step for step in reform.steps if step.new.ars == ars and not step.stays]
    found = []
    if gone:
        found.append(_said(reform, _became(gone), [step.new for step in gone if not step.stays]))
    if come:
        found.append(_said(reform, _came(come), [step.old for step in come]))
    return found


def _said(reform: Reform, text: str, areas: Sequence[Area]) -> Moved:
    days = {
        "day": formats.day(reform.statistically),
        "until": formats.day(reform.statistically - DAY),
    }
    return Moved(reform.change_id, text % days, tuple(areas))


def _became(gone: Sequence[Step]) -> str:
    if gone[0].kind == Kind.RENAME:
        return _("Bis %(until)s hieß die Region {name}.").format(name=gone[0].old.name.replace("%", "%%"))
    if any(step.stays for step in gone):
        return _("Am %(day)s ging ein Teil an:")
    if len(gone) > 1:
        return _("Am %(day)s aufgeteilt auf:")
    if gone[0].kind == Kind.REKEY or gone[0].old.name == gone[0].new.name:
        return _("Seit %(day)s unter neuem Schlüssel:")
    return _("Seit %(day)s Teil von:")


def _came(come: Sequence[Step]) -> str:
    if any(step.kind == Kind.SPLIT for step in come) and not any(step.kind == Kind.REKEY for step in come):
        return _("Am %(day)s kam ein Teil hinzu von:")
    if come[0].kind == Kind.INCORPORATION:
        return _("Am %(day)s kam hinzu:")
    return _("Früher (bis %(until)s):")


def last_day(ars: str) -> dt.date | None:
    """The last day of a region that has ended; None for any other."""
    ends = RegionVersion.objects.filter(region=ars).order_by("valid_to").values_list("valid_to", flat=True)
    # PostgreSQL sorts what has no end last.
    last = ends.last()
    return last - DAY if last and last <= timezone.localdate() else None
