"""The map of the Länder: quantile classes, hatch for "keine Angabe", each Land a link with a spoken value."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from reports.queries.regions import AreaValue
from reports.words import corrected_mark
from zsk import formats

CLASSES = 5
# Labels of Länder that are smaller than their letters, or share their place with a border.
HALO = {"02", "04", "10"}


@cache
def outlines() -> dict[str, Any]:
    """The committed outlines; a file of the release, so kept for the life of the process."""
    path = settings.BASE_DIR / "ozgsync" / "data" / "outlines.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, slots=True)
class LegendRow:
    number: int
    low: float
    high: float
    count: int

    @property
    def text(self) -> str:
        low, high = formats.number(round(self.low)), formats.number(round(self.high))
        return low if low == high else _("%(low)s bis %(high)s") % {"low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Classes:
    """Quantiles: as many areas in each class as can be; equal values share one."""

    limits: tuple[float, ...]
    rows: tuple[LegendRow, ...]
    missing: int

    def number(self, value: float) -> int:
        """1 for the lowest class, `CLASSES` for the highest."""
        return CLASSES - len(self.limits) + bisect_right(self.limits, value)


def classify(values: Sequence[float | None]) -> Classes:
    """Lower limits of the upper classes are the values at the quantiles; legend from high to low."""
    known = sorted(value for value in values if value is not None)
    missing = len(values) - len(known)
    cuts = {known[len(known) * step // CLASSES] for step in range(1, CLASSES)} if known else set()
    limits = tuple(sorted(cut for cut in cuts if cut > known[0]))
    bare = Classes(limits, (), missing)
    counts = Counter(bare.number(value) for value in known)
    rows = [_legend_row(number, [v for v in known if bare.number(v) == number]) for number in sorted(counts)]
    return Classes(limits, tuple(reversed(rows)), missing)


def _legend_row(number: int, values: Sequence[float]) -> LegendRow:
    return LegendRow(number, values[0], values[-1], len(values))


def measured(row: AreaValue, *, absolute: bool) -> float | None:
    return row.value if absolute else row.per_100k


def land_map(
    rows: Sequence[AreaValue], *, absolute: bool, described_by: str = "", query: str = ""
) -> SafeString:
    """`query`: the month that the Länder's pages are to show."""
    content = map_content(rows, absolute=absolute, query=query)
    return format_html(
        '<svg class="zsk-map" viewBox="{}" role="group" aria-label="{}" aria-describedby="{}">{}</svg>',
        outlines()["viewBox"], _("Karte der Länder"), described_by, content,
    )  # fmt: skip


def map_content(rows: Sequence[AreaValue], *, absolute: bool, query: str | None) -> SafeString:
    """Each Land a link with this query; None: no links."""
    classes = classify([measured(row, absolute=absolute) for row in rows])
    known = outlines()["laender"]
    # Large ones first, so that Berlin and Bremen lie on top of what surrounds them.
    drawn = sorted(
        (row for row in rows if row.area.ars in known), key=lambda row: row.area.code in {"BE", "HB", "HH"}
    )
    parts = [_land(row, known[row.area.ars], classes, absolute=absolute, query=query) for row in drawn]
    return mark_safe("".join(parts))  # noqa: S308 - every part is made by format_html


def _land(
    row: AreaValue, outline: dict[str, Any], classes: Classes, *, absolute: bool, query: str | None
) -> SafeString:
    value = measured(row, absolute=absolute)
    number = None if value is None else classes.number(value)
    shapes = format_html(
        '<title>{}</title>{}<text x="{}" y="{}" class="{}">{}</text>',
        spoken(row), _paths(outline["d"], number), outline["x"], outline["y"] + 4,
        _label_class(row, number), row.area.code,
    )  # fmt: skip
    if query is None:
        return format_html("<g>{}</g>", shapes)
    return format_html(
        '<a href="/regionen/{}/{}" aria-label="{}, {}">{}</a>',
        row.area.ars,
        query,
        row.area.code,
        spoken(row),
        shapes,
    )


def _paths(shape: str, number: int | None) -> SafeString:
    if number is None:
        return format_html('<path class="na-bg" d="{0}"/><path class="na" d="{0}"/>', shape)
    return format_html('<path class="k{}" d="{}"/>', number, shape)


def _label_class(row: AreaValue, number: int | None) -> str:
    small = number is None or row.area.ars[:2] in HALO
    dark = number is not None and number >= 3
    if small:
        return "halo"
    return "inv" if dark else ""


def spoken(row: AreaValue) -> str:
    """What a screen reader and the pointer say of a Land."""
    if row.value is None:
        return _("%(land)s: keine Angabe") % {"land": row.area.name} + corrected_mark(row.corrected)
    words = {"land": row.area.name, "count": formats.number(row.value)}
    if row.per_100k is None:
        return _("%(land)s: %(count)s Transaktionen") % words + corrected_mark(row.corrected)
    words["rate"] = formats.number(round(row.per_100k))
    text = _("%(land)s: %(rate)s je 100.000 Einwohner, %(count)s Transaktionen") % words
    return text + corrected_mark(row.corrected)
