"""Bars, strips and sparklines: the small figures beside a number."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.safestring import SafeString, mark_safe

_PER_ROW = 32
# With more services than this single boxes are too many to see; then each category is one bar.
_MOST_BOXES = 10 * _PER_ROW
_SHAPES = {
    "geliefert": '<rect class="p1" x="{x}" y="{y}" width="11" height="16"/>',
    "faellig": (
        '<rect class="box" x="{x1}" y="{y1}" width="9.5" height="14.5"/>'
        '<rect class="na na-fine" x="{x1}" y="{y1}" width="9.5" height="14.5"/>'
    ),
    "verspaetet": (
        '<path class="pw" d="M{x} {y}h11v16z"/><path class="box pwl" d="M{x1} {y1}h9.5v14.5h-9.5z"/>'
    ),
    "nie": '<rect class="box" x="{x1}" y="{y1}" width="9.5" height="14.5"/>',
}


def bar(value: float | None, highest: float | None, *, kind: str = "p1") -> SafeString:
    """A bar from zero, as long as the value's part of the highest one; the number stands beside it."""
    share = 100 * value / highest if value and highest else 0
    shape = f'<rect class="{kind}" width="{share:.1f}%" height="100%"/>'
    return _svg(f'<svg class="zsk-bar" aria-hidden="true">{shape}</svg>')


def strip(counts: Sequence[tuple[str, int]]) -> SafeString:
    """One box per service, in rows, by category; what the boxes mean stands in the legend."""
    boxes = [kind for kind, count in counts for _box in range(count)]
    if len(boxes) > _MOST_BOXES:
        return _stacked(counts, len(boxes))
    rows = -(-len(boxes) // _PER_ROW) or 1
    # Two full rows look better than one full and one short: spread evenly.
    per_row = max(-(-len(boxes) // rows), 1)
    shapes = (
        _shape(kind, 14 * (index % per_row), 20 * (index // per_row)) for index, kind in enumerate(boxes)
    )
    view = f"0 0 {14 * max(per_row, _PER_ROW - 3) - 3} {20 * rows - 4}"
    return _svg(f'<svg class="zsk-strip" viewBox="{view}" aria-hidden="true">{"".join(shapes)}</svg>')


def _stacked(counts: Sequence[tuple[str, int]], total: int) -> SafeString:
    """Parts of one bar, as wide as their share; outlined as the boxes are, so that the legend still holds."""
    parts, left = "", 0.0
    for kind, count in counts:
        width = 400 * count / total
        fill = {"geliefert": "p1", "faellig": "na na-fine", "verspaetet": "pw"}.get(kind, "box")
        parts += f'<rect class="{fill}" x="{left:.1f}" y="0" width="{width:.1f}" height="24"/>'
        left += width
    return _svg(f'<svg class="zsk-strip" viewBox="0 0 400 24" aria-hidden="true">{parts}</svg>')


def _shape(kind: str, x: int, y: int) -> str:
    return _SHAPES[kind].format(x=x, y=y, x1=x + 0.75, y1=y + 0.75)


def strip_key(kind: str) -> SafeString:
    return _svg(f'<svg viewBox="0 0 11 16" aria-hidden="true">{_shape(kind, 0, 0)}</svg>')


def sparkline(values: Sequence[int | None]) -> SafeString:
    """The shape of a series without axis; missing months break the line."""
    highest = max([value for value in values if value is not None] or [1]) or 1
    path, pen, last = "", "M", None
    for index, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        last = (100 * (index + 0.5) / len(values), 28 - 24 * value / highest)
        path += f"{pen}{last[0]:.1f} {last[1]:.1f}"
        pen = "L"
    dot = f'<circle class="p1" cx="{last[0]:.1f}%" cy="{last[1]:.1f}" r="3"/>' if last else ""
    return _svg(
        '<svg class="zsk-spark" aria-hidden="true"><svg width="100%" height="32" viewBox="0 0 100 32" '
        f'preserveAspectRatio="none"><path class="ln l1" d="{path}"/></svg>{dot}</svg>'
    )


def _svg(markup: str) -> SafeString:
    return mark_safe(markup)  # noqa: S308 - numbers and our own class names only
