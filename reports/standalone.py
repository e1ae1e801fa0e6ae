"""Figures as files of their own: the page's SVG with its styles, title and source inside."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence

from django.http import HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from reports import maps
from reports.charts import line
from reports.exports import source
from reports.queries.regions import AreaValue
from reports.queries.series import Point
from zsk import formats

# The page's classes in the light theme's colours; a file has no stylesheet to look them up in.
STYLE = (
    "svg{font-family:'Fira Sans',Arial,sans-serif;font-size:14px;fill:#4d505f;overflow:visible}"
    ".title{font-size:22px;font-weight:600;fill:#17181c}.narrow{display:none}"
    ".strong{font-weight:600;font-size:16px;fill:#17181c}.t1{fill:#1e3a9c}"
    ".grid{stroke:#d0d2dc}.base{stroke:#17181c}"
    ".ln{fill:none;stroke-width:3;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}"
    ".l0{stroke:#8b8e9c;stroke-width:2}.l1,.hollow{stroke:#1e3a9c}.p1{fill:#1e3a9c}"
    ".fix{fill:#fff;stroke:#17181c;stroke-width:2}"
    ".hollow{fill:#fff;stroke-width:2.5}.na{fill:url(#schraffur)}.na-line{stroke:#4d505f;stroke-width:1.25}"
    ".na-bg{fill:#f0f1f5}.hit{fill:transparent}path{stroke-linejoin:round}"
    ".k1{fill:#c5d2ef}.k2{fill:#97aee2}.k3{fill:#5274c8}.k4{fill:#1e3a9c}.k5{fill:#0f1f5c}"
    ".map path{stroke:#fff;stroke-width:1.25}"
    ".map text{font-size:15px;font-weight:600;text-anchor:middle;fill:#17181c}"
    ".map .inv{fill:#fff}.map .halo{paint-order:stroke;stroke:#fff;stroke-width:5px}"
)
# Allows exactly this style in an SVG that is opened by itself; the policy of pages stays as it is.
STYLE_SOURCE = "'sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode() + "'"
_HATCH = (
    '<pattern id="schraffur" width="7" height="7" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><path d="M0 0V7" class="na-line"/></pattern>'
)


def respond(picture: str, name: str) -> HttpResponse:
    response = HttpResponse(picture, content_type="image/svg+xml; charset=utf-8")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.svg"'
    # django-csp leaves a policy alone that a view has set.
    response.headers["Content-Security-Policy"] = f"default-src 'none'; style-src {STYLE_SOURCE}"
    return response


def curve(points: Sequence[Point], *, title: str, stand: dt.datetime | None) -> SafeString:
    """The months' curve; a picture that says "keine Angabe" where there is no month to draw."""
    inner = format_html('<text x="90" y="200">{}</text>', _("keine Angabe"))
    if points:
        content = line.line_content(points)
        inner = format_html('<svg x="90" y="40" width="940" height="352">{}</svg>', content)
    return _document(1160, 440, title, inner, stand)


def land_map(
    rows: Sequence[AreaValue], *, absolute: bool, title: str, stand: dt.datetime | None
) -> SafeString:
    content = maps.map_content(rows, absolute=absolute, query=None)
    legend = maps.classify([maps.measured(row, absolute=absolute) for row in rows])
    lines = [
        format_html(
            '<rect class="k{}" x="620" y="{}" width="24" height="16"/><text x="654" y="{}">{}</text>',
            row.number,
            80 + 28 * place,
            93 + 28 * place,
            row.text,
        )
        for place, row in enumerate(legend.rows)
    ]
    inner = format_html(
        '<svg class="map" x="20" y="50" width="560" height="758" viewBox="{}">{}</svg>{}',
        maps.outlines()["viewBox"], content, mark_safe("".join(lines)),  # noqa: S308 - made by format_html
    )  # fmt: skip
    return _document(900, 860, title, inner, stand, _("Grenzen: © GeoBasis-DE / BKG (vereinfacht)"))


def _document(
    width: int, height: int, title: str, inner: SafeString, stand: dt.datetime | None, credit: str = ""
) -> SafeString:
    parts = [_("Quelle: %(source)s") % {"source": source()}, credit]
    if stand:
        parts.append(_("Stand %(stand)s") % {"stand": formats.stand(stand)})
    parts.append(_("Lizenz dl-de/by-2-0"))
    foot = ". ".join(part for part in parts if part) + "."
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}">'
        "<title>{2}</title><style>{3}</style>{4}"
        '<rect width="100%" height="100%" fill="#fff"/><text class="title" x="20" y="32">{2}</text>{5}'
        '<text x="20" y="{6}">{7}</text></svg>',
        width, height, title, mark_safe(STYLE), mark_safe(_HATCH), inner, height - 16, foot,  # noqa: S308
    )  # fmt: skip
