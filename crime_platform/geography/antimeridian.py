"""Shapes that cross 180 degrees of longitude, cut there for formats that expect it.

A map reads longitude 179.9 beside -179.9 as a shape almost as wide as the world.
"""

from collections.abc import Sequence

import numpy as np
import shapely

HALF, WORLD = 180.0, 360.0


def cut_at_180(shapes: Sequence[object] | np.ndarray) -> np.ndarray:
    """The shapes in WGS 84, those that cross 180 degrees as a multi-part shape of both sides.

    No shape here is half as wide as the world, so a wider one crosses. What only touches the line
    stays one shape, on the side it lies on.

    Source: RFC 7946, section 3.1.9.
    """
    whole = np.array(shapes, dtype=object)
    if not whole.size:
        return whole
    west, _, east, _ = shapely.bounds(whole).T
    for place in np.flatnonzero(east - west > HALF):
        whole[place] = _cut(whole[place])
    return whole


def mean_longitude(lon: np.ndarray) -> float:
    """Mean of longitudes that may lie on both sides of 180 degrees."""
    if np.ptp(lon) <= HALF:
        return float(lon.mean())
    mean = float(np.where(lon < 0, lon + WORLD, lon).mean())
    return mean - WORLD if mean > HALF else mean


def _cut(shape: shapely.Geometry) -> shapely.Geometry:
    unrolled = shapely.transform(shape, lambda points: _moved(points, points[:, 0] < 0, WORLD))
    sides = shapely.intersection(
        unrolled, [shapely.box(0, -90, HALF, 90), shapely.box(HALF, -90, WORLD, 90)]
    )
    sides[1] = shapely.transform(sides[1], lambda points: points - [WORLD, 0])
    # What touches the line leaves a point or a line of itself on the other side.
    depth = shapely.get_dimensions(shape)
    parts = [
        part
        for side in sides
        for part in shapely.get_parts(side)
        if shapely.get_dimensions(part) == depth and not shapely.is_empty(part)
    ]
    if len(parts) == 1:
        return parts[0]
    return shapely.multipolygons(parts) if depth == 2 else shapely.multilinestrings(parts)


def _moved(points: np.ndarray, which: np.ndarray, by: float) -> np.ndarray:
    moved = points.copy()
    moved[which, 0] += by
    return moved
