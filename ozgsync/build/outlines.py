"""Outlines of today's Länder and Kreise for inline SVG maps, from the BKG's areas of 2016.

Neighbours keep their common border: all Kreise are simplified together as a coverage, the Länder are their
union, simplified once more and more strongly. Coordinates are metres until `Canvas` turns them into tenths.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from ozgsync.build.areas import read_areas
from ozgsync.build.regions import EISENACH_BEFORE, HANAU, HANAU_BEFORE, MAIN_KINZIG, WARTBURGKREIS, pad

ATTRIBUTION = (
    "© GeoBasis-DE / BKG, dl-de/by-2-0 (Daten verändert: projiziert, vereinfacht, kleine Inseln entfernt, "
    "auf den heutigen Gebietsstand gebracht)"
)
MERGED = {"031590000000": ("031520000000", "031560000000"), WARTBURGKREIS: (WARTBURGKREIS, EISENACH_BEFORE)}

WIDTH = 560
MARGIN = 2
SMALLEST_ISLAND = 25e6  # square metres
SMALLEST_RING = 50  # square tenths of the drawing's unit, some 0.65 square kilometres
# Square roots of the triangle (in metres) under which a corner goes: Kreise are drawn some five times larger.
KREIS_TOLERANCE = 550.0
LAND_TOLERANCE = 1400.0

Floats = NDArray[np.float64]
Shapes = dict[str, BaseGeometry]
Ring = list[tuple[int, int]]


# --- projection -----------------------------------------------------------------------------------------

GRS80_RADIUS = 6378137.0
GRS80_E = 0.0818191910428158
PARALLELS = (48 + 2 / 3, 53 + 2 / 3)
ORIGIN = (10.5, 51.0)


def conic_t(latitude: Floats) -> Floats:
    """Snyder, Map Projections (1987), formula 15-9; radians."""
    e_sin = GRS80_E * np.sin(latitude)
    ratio: Floats = ((1 - e_sin) / (1 + e_sin)) ** (GRS80_E / 2)
    return np.tan(np.pi / 4 - latitude / 2) / ratio


def conic_m(latitude: Floats) -> Floats:
    """Snyder 14-15; radians."""
    return np.cos(latitude) / np.sqrt(1 - (GRS80_E * np.sin(latitude)) ** 2)


def project(lonlat: Floats) -> Floats:
    """Degrees to metres, Lambert's conformal conic with two parallels (Snyder 15-1 to 15-10)."""
    parallels = np.radians(np.array(PARALLELS))
    t, m = conic_t(parallels), conic_m(parallels)
    n = np.log(m[0] / m[1]) / np.log(t[0] / t[1])
    factor = GRS80_RADIUS * m[0] / (n * t[0] ** n)
    rho = factor * conic_t(np.radians(lonlat[:, 1])) ** n
    rho_origin = factor * conic_t(np.radians(np.array([ORIGIN[1]]))) ** n
    theta = n * np.radians(lonlat[:, 0] - ORIGIN[0])
    return np.column_stack([rho * np.sin(theta), rho_origin - rho * np.cos(theta)])


def to_metres(geometry: Mapping[str, Any]) -> BaseGeometry:
    """Rounded to a decimetre: in the source some neighbours differ in the last digits of a common corner."""
    return shapely.transform(shape(geometry), lambda lonlat: project(lonlat).round(1))


# --- today's Kreise -------------------------------------------------------------------------------------


def bring_to_today(kreise: Mapping[str, BaseGeometry], hanau: BaseGeometry) -> Shapes:
    """Dissolves what merged since 2016 and cuts Hanau from the Main-Kinzig-Kreis."""
    today = dict(kreise)
    for new, olds in MERGED.items():
        today[new] = shapely.coverage_union_all([today.pop(old) for old in olds])
    today[MAIN_KINZIG] = shapely.difference(today[MAIN_KINZIG], hanau)
    today[HANAU] = hanau
    return dict(sorted(today.items()))


def polygons(geometry: BaseGeometry) -> list[Polygon]:
    """The parts, largest first."""
    parts = [part for part in shapely.get_parts(geometry) if isinstance(part, Polygon)]
    return sorted(parts, key=lambda part: -part.area)


def drop_islands(shapes: Mapping[str, BaseGeometry]) -> Shapes:
    """Without the small parts that touch no neighbour; an exclave stays, else it would leave a hole."""
    everything = list(shapes.values())
    tree = shapely.STRtree(everything)

    def stays(index: int, part: Polygon) -> bool:
        return part.area >= SMALLEST_ISLAND or len(set(tree.query(part, "intersects")) - {index}) > 0

    kept = {}
    for index, (ars, geometry) in enumerate(shapes.items()):
        first, *others = polygons(geometry)
        kept[ars] = MultiPolygon([first, *(part for part in others if stays(index, part))])
    return kept


def read_kreise(areas: Path) -> Shapes:
    kreise = {ars: to_metres(area["geometry"]) for ars, area in read_areas(areas, "kreise").items()}
    hanau = to_metres(read_areas(areas, "gemeinden")[HANAU_BEFORE]["geometry"])
    today = drop_islands(bring_to_today(kreise, hanau))
    if not shapely.coverage_is_valid(list(today.values())):
        raise ValueError("Die Kreise überlappen sich oder haben Lücken.")
    return today


# --- simplification -------------------------------------------------------------------------------------


def simplify(shapes: Mapping[str, BaseGeometry], tolerance: float) -> Shapes:
    simpler = shapely.coverage_simplify(list(shapes.values()), tolerance)
    return dict(zip(shapes, simpler, strict=True))


def dissolve_laender(kreise: Mapping[str, BaseGeometry]) -> Shapes:
    laender = sorted({ars[:2] for ars in kreise})
    return {
        pad(land): shapely.coverage_union_all([shape for ars, shape in kreise.items() if ars[:2] == land])
        for land in laender
    }


# --- SVG ------------------------------------------------------------------------------------------------


def number(tenths: int) -> str:
    """Tenths as SVG writes them shortest: `-5` → `-.5`, `120` → `12`."""
    sign, (whole, rest) = "-" if tenths < 0 else "", divmod(abs(tenths), 10)
    return f"{sign}{whole or ''}.{rest}" if rest else f"{sign if whole else ''}{whole}"


def joined(tenths: Iterable[int]) -> str:
    """Numbers with a blank only where the next one would run into the last: `1.2-3 4.5.6`."""
    text, last = "", ""
    for value in map(number, tenths):
        glued = not text or value[0] == "-" or (value[0] == "." and "." in last)
        text += value if glued else " " + value
        last = value
    return text


def signed_area(ring: Ring) -> float:
    """Gauss's formula; square tenths."""
    turned = [*ring[1:], *ring[:1]]
    return sum(x * y2 - x2 * y for (x, y), (x2, y2) in zip(ring, turned, strict=True)) / 2


def ring_path(ring: Ring) -> str:
    """`M` to the first corner, then relative lines; differences of rounded corners, so nothing drifts."""
    steps = np.diff(np.array(ring), axis=0).ravel()
    return f"M{joined(ring[0])}l{joined(int(step) for step in steps)}z"


class Canvas(NamedTuple):
    """Where metres lie on the drawing, in tenths of its unit; y grows downwards."""

    left: float
    top: float
    tenths_per_metre: float

    def ring(self, line: BaseGeometry) -> Ring:
        """Corners without repetitions and without the closing one."""
        corners = self.place(shapely.get_coordinates(line)[:-1])
        return [corner for index, corner in enumerate(corners) if corner != corners[index - 1]]

    def place(self, metres: Floats) -> list[tuple[int, int]]:
        offset = (metres - [self.left, self.top]) * [self.tenths_per_metre, -self.tenths_per_metre]
        return [(int(x), int(y)) for x, y in np.rint(offset + MARGIN * 10)]

    def rings(self, geometry: BaseGeometry) -> list[Ring]:
        """Outer rings and holes turn in opposite ways, so that either fill rule works.

        A speck goes, and with it the hole it fills in its neighbour, for both are one ring.
        """
        turned = [orient(polygon) for polygon in polygons(geometry)]
        rings = [self.ring(line) for polygon in turned for line in (polygon.exterior, *polygon.interiors)]
        return [ring for ring in rings if abs(signed_area(ring)) >= SMALLEST_RING]


def canvas_for(shapes: Iterable[BaseGeometry]) -> tuple[Canvas, str]:
    """The canvas that holds all shapes, and its viewBox."""
    left, bottom, right, top = shapely.total_bounds(list(shapes))
    scale = (WIDTH - 2 * MARGIN) / (right - left)
    height = int(np.ceil((top - bottom) * scale + 2 * MARGIN))
    return Canvas(left, top, scale * 10), f"0 0 {WIDTH} {height}"


def label_point(geometry: BaseGeometry) -> Floats:
    """Centre of the largest circle that fits: farther from every border than the centroid is."""
    largest = polygons(geometry)[0]
    centre: Floats = shapely.get_coordinates(shapely.maximum_inscribed_circle(largest, 100.0))[:1]
    return centre


def outline(geometry: BaseGeometry, canvas: Canvas) -> dict[str, Any]:
    x, y = canvas.place(label_point(geometry))[0]
    path = "".join(ring_path(ring) for ring in canvas.rings(geometry))
    return {"d": path, "x": x / 10, "y": y / 10}


def bbox(shapes: Sequence[BaseGeometry], canvas: Canvas) -> list[float]:
    """x, y, width, height: the viewBox that shows just these."""
    corners = [corner for shape in shapes for ring in canvas.rings(shape) for corner in ring]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    return [float(value) / 10 for value in (*low, *(high - low))]


def build_outlines(areas: Path) -> dict[str, Any]:
    exact = read_kreise(areas)
    canvas, view_box = canvas_for(exact.values())
    kreise = simplify(exact, KREIS_TOLERANCE)
    laender = simplify(dissolve_laender(exact), LAND_TOLERANCE)
    drawn_laender = {ars: outline(land, canvas) for ars, land in laender.items()}
    for ars, drawn in drawn_laender.items():
        drawn["bbox"] = bbox([kreis for key, kreis in kreise.items() if key[:2] == ars[:2]], canvas)
    drawn_kreise = {ars: outline(kreis, canvas) for ars, kreis in kreise.items()}
    return {"attribution": ATTRIBUTION, "viewBox": view_box, "laender": drawn_laender, "kreise": drawn_kreise}
