"""The counts of a delivery as figures over one bar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from transactions.queries import values
from transactions.queries.deliveries import Part
from transactions.reviews import Review

# A thousandth of a bar is not seen; what occurs at all gets this share.
LEAST_SHARE = 0.004


@dataclass(frozen=True)
class Segment:
    """One kind of row; `x` and `width` are places in the bar as SVG writes them.

    `kind` names the values that the rows have set, empty where there are none.
    """

    label: str
    count: int
    css: str
    x: str
    width: str
    kind: str = ""


@dataclass(frozen=True)
class Counts:
    """`faulty` None: the delivery is done, faulty rows are out of the question."""

    new: int
    changed: int
    same: int
    deleted: int
    faulty: int | None = None

    @classmethod
    def of_review(cls, review: Review) -> Counts:
        total = review.outcome.total
        return cls(total("new"), total("changed"), total("same"), total("deleted"), review.faulty_rows)

    @classmethod
    def of_part(cls, part: Part) -> Counts:
        return cls(part.new, part.changed, part.same, part.deleted)

    def segments(self) -> Iterator[Segment]:
        """Kinds that every delivery has, and deleted values where there are any."""
        kinds = [
            (_("fehlerhaft"), self.faulty, "pb", ""), (_("neu"), self.new, "p1", values.NEW),
            (_("geändert"), self.changed, "p2", values.CHANGED),
            (_("gelöscht"), self.deleted or None, "p3", values.DELETED),
            (_("unverändert"), self.same, "p0", ""),
        ]  # fmt: skip
        shown = [(label, count, css, kind) for label, count, css, kind in kinds if count is not None]
        total = sum(count for _label, count, *_rest in shown) or 1
        shares = [max(count / total, LEAST_SHARE) if count else 0 for _label, count, *_rest in shown]
        scale, left = 100 / (sum(shares) or 1), 0.0
        for (label, count, css, kind), share in zip(shown, shares, strict=True):
            yield Segment(label, count, css, f"{left:.2f}%", f"{share * scale:.2f}%", kind)
            left += share * scale
