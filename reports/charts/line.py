"""The curve of months: this year's line, last year's behind it, gaps hatched, the running month hollow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from reports.charts.axis import labelled_ticks, month_labels, short_month
from reports.queries.series import Point
from reports.words import corrected_mark
from zsk import formats

BASE, TOP = 312.0, 28.0
# Room above the highest value for its label.
HEADROOM = 1.13
# Below this, in pixels from the top, there is no room for another label under a value.
LOW = 250.0
# From here on, in per cent, a label stands better left of its place.
RIGHT_SIDE = 25.0


@dataclass(frozen=True, slots=True)
class _Scale:
    count: int
    highest: int

    def x(self, index: int) -> float:
        """The middle of a month, in per cent."""
        return (index + 0.5) * 100 / self.count

    def left(self, index: int) -> float:
        return index * 100 / self.count

    def y(self, value: int) -> float:
        """In pixels from the top."""
        return BASE - (BASE - TOP) * value / (self.highest * HEADROOM)


def line_chart(points: Sequence[Point], *, label: str, described_by: str = "") -> SafeString:
    """The whole figure; `label` says kind, measure and period, `described_by` is the id of its sentence."""
    described = format_html(' aria-describedby="{}"', described_by) if described_by else ""
    return format_html(
        '<svg class="zsk-chart" role="img" aria-label="{}"{}>{}</svg>', label, described, line_content(points)
    )


def line_content(points: Sequence[Point]) -> SafeString:
    """What stands inside the chart's `svg`, for the page and for the file alike."""
    scale = _Scale(len(points), _highest(points))
    parts = [
        *_grid(scale),
        *_hatches(points, scale),
        _lines(points, scale),
        *_tick_labels(scale),
        *_months(points, scale),
        *_gap_label(points, scale),
        *_corrections(points, scale),
        *_dots(points, scale),
        *_value_labels(points, scale),
        *_running_label(points, scale),
        *_hits(points, scale),
    ]
    return mark_safe("".join(parts))  # noqa: S308 - every part is made by format_html or of numbers only


def _highest(points: Sequence[Point]) -> int:
    values = [value for point in points for value in (point.value, point.before) if value is not None]
    return max([*values, 1])


def _grid(scale: _Scale) -> Iterator[str]:
    yield f'<line class="base" x1="0" x2="100%" y1="{BASE}" y2="{BASE}"/>'
    for value, _label in labelled_ticks(scale.highest):
        yield f'<line class="grid" x1="0" x2="100%" y1="{scale.y(value):.1f}" y2="{scale.y(value):.1f}"/>'


def gaps(points: Sequence[Point]) -> list[tuple[int, int]]:
    """Stretches of months without a value, as first and last index; the running month is none."""
    found: list[tuple[int, int]] = []
    for index, point in enumerate(points):
        if point.value is not None or point.running:
            continue
        if found and found[-1][1] == index - 1:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return found


def _hatches(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    for first, last in gaps(points):
        width = (last - first + 1) * 100 / scale.count
        yield (
            f'<rect class="na" x="{scale.left(first):.2f}%" width="{width:.2f}%" '
            f'y="{TOP:.0f}" height="{BASE - TOP:.0f}"/>'
        )


def _lines(points: Sequence[Point], scale: _Scale) -> str:
    before = _path([point.before for point in points], scale)
    now = _path([None if point.running else point.value for point in points], scale)
    return (
        '<svg class="zsk-plot" width="100%" height="320" viewBox="0 0 1000 320" preserveAspectRatio="none">'
        f'<path class="ln l0" d="{before}"/><path class="ln l1" d="{now}"/></svg>'
    )


def _path(values: Sequence[int | None], scale: _Scale) -> str:
    """A line that is broken where a value is missing; a lone value is a stroke too short to see but round."""
    path, pen = "", "M"
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x, y = scale.x(index) * 10, scale.y(value)
        path += f"{pen}{x:.1f} {y:.1f}"
        alone = pen == "M" and (index + 1 == len(values) or values[index + 1] is None)
        path += "h.1" if alone else ""
        pen = "L"
    return path


def _tick_labels(scale: _Scale) -> Iterator[str]:
    for value, label in labelled_ticks(scale.highest):
        y = f"{scale.y(value) + 5:.1f}"
        yield format_html('<text x="0" dx="-10" y="{}" text-anchor="end">{}</text>', y, label)


def _months(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    for label in month_labels([point.month for point in points]):
        x = f"{scale.x(label.index):.2f}"
        wide = mark_safe(' class="wide"') if label.wide else ""
        yield f'<line class="base" x1="{x}%" x2="{x}%" y1="312" y2="318"/>'
        yield format_html('<text x="{}%" y="334" text-anchor="middle"{}>{}</text>', x, wide, label.text)


def _gap_label(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    """Names the longest gap; the others are hatched alike."""
    found = gaps(points)
    if not found:
        return
    first, last = max(found, key=lambda gap: gap[1] - gap[0])
    text = short_month(points[first].month, year=True)
    if last > first:
        text = f"{text} – {short_month(points[last].month, year=True)}"
    right = scale.left(first) > RIGHT_SIDE
    x = scale.left(first) if right else scale.left(last + 1)
    shift, anchor = ("-8", "end") if right else ("8", "start")
    for y, line in ((278, f"{text}:"), (296, _("keine Angabe"))):
        yield format_html(
            '<text x="{}%" y="{}" dx="{}" text-anchor="{}">{}</text>', f"{x:.2f}", y, shift, anchor, line
        )


def last_reported(points: Sequence[Point]) -> int | None:
    """Index of the last month that is over and has a value."""
    return next((i for i in range(len(points) - 1, -1, -1) if _drawn(points[i]) is not None), None)


def _drawn(point: Point) -> int | None:
    return None if point.running else point.value


def _dots(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    last = last_reported(points)
    for index, point in enumerate(points):
        if point.value is not None and (point.running or index == last):
            kind = "hollow" if point.running else "p1"
            yield f'<circle class="{kind}" cx="{scale.x(index):.2f}%" cy="{scale.y(point.value):.1f}" r="5"/>'


def _corrections(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    """The sign that the chart's sentence explains."""
    for index, point in enumerate(points):
        if point.corrected and point.value is not None:
            yield (
                f'<svg x="{scale.x(index):.2f}%" y="{scale.y(point.value):.1f}" overflow="visible">'
                '<path class="fix" d="M0-9 9 0 0 9-9 0z"/></svg>'
            )


def _value_labels(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    """The last value and, beside it, what the line behind is; they give way to one another."""
    last = last_reported(points)
    before = next((i for i in range(len(points) - 1, -1, -1) if points[i].before is not None), None)
    above = True
    own_y = None
    if last is not None:
        own_y = scale.y(points[last].value or 0)
        # Above its point, unless the line behind ends there.
        behind = None if before is None or before < last - 2 else scale.y(points[before].before or 0)
        above = (
            own_y > LOW or behind is None or behind >= own_y - 4 or _runs_below(points, last, own_y, scale)
        )
        yield from _last_label(points[last], scale.x(last), own_y, above)
    if before is not None:
        y = scale.y(points[before].before or 0) + 5
        if own_y is not None and last is not None and before >= last:
            y = max(y, own_y + 14) if above else min(y, own_y - 8)
        yield format_html(
            '<text x="{}%" y="{}" dx="8">{}</text>', f"{scale.x(before):.2f}", f"{y:.1f}", _("Vorjahr")
        )


def _runs_below(points: Sequence[Point], last: int, y: float, scale: _Scale) -> bool:
    """Whether the running month's dot lies where a label below the last value would hide it."""
    following = points[last + 1] if last + 1 < len(points) else None
    return following is not None and following.value is not None and 0 <= scale.y(following.value) - y < 50


def _last_label(point: Point, x: float, y: float, above: bool) -> Iterator[str]:
    place = f'x="{x:.2f}%" y="{y:.1f}"'
    value, month = formats.number(point.value), formats.month(point.month)
    strong, faint = ("-8", "-27") if above else ("38", "20")
    narrow_strong, narrow_faint = ("-30", "-48") if above else ("48", "30")
    yield format_html(
        '<text {} dx="14" dy="{}" class="strong t1 wide">{}</text>', _safe(place), strong, value
    )
    yield format_html('<text {} dx="14" dy="{}" class="wide">{}</text>', _safe(place), faint, month)
    end = _safe(f'{place} dx="6" text-anchor="end"')
    yield format_html('<text {} dy="{}" class="strong t1 narrow">{}</text>', end, narrow_strong, value)
    yield format_html('<text {} dy="{}" class="narrow">{}</text>', end, narrow_faint, month)


def _safe(attributes: str) -> SafeString:
    return mark_safe(attributes)  # noqa: S308 - numbers only


def _running_label(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    for index, point in enumerate(points):
        if point.running and point.value is not None:
            text = _("%(month)s läuft") % {"month": formats.MONTHS[point.month.month - 1]}
            # Beside its dot where that lies low, as the beginning of a month does; else at the foot of the
            # chart, clear of the line and of the last value. Never on the base line itself.
            low = scale.y(point.value) > LOW
            y = min(scale.y(point.value) + 5, BASE - 8) if low else BASE - 8
            shift = -12 if low else 6
            yield format_html(
                '<text x="{}%" y="{}" dx="{}" text-anchor="end">{}</text>',
                f"{scale.x(index):.2f}", f"{y:.1f}", shift, text,
            )  # fmt: skip


def _hits(points: Sequence[Point], scale: _Scale) -> Iterator[str]:
    width = f"{100 / scale.count:.2f}"
    for index, point in enumerate(points):
        text = _("%(month)s: %(value)s, Vorjahr: %(before)s") % {
            "month": formats.month(point.month),
            "value": formats.number(point.value)
            + (_(" (läuft)") if point.running else "")
            + corrected_mark(point.corrected),
            "before": formats.number(point.before),
        }
        yield format_html(
            '<rect class="hit" x="{}%" width="{}%" y="24" height="288"><title>{}</title></rect>',
            f"{scale.left(index):.2f}", width, text,
        )  # fmt: skip
