"""The graph of places: for cities without street lines, whose publishers move points to corners.

Neighbouring corners of a street grid are each other's Gabriel neighbours, so the graph comes close
to the streets that nobody gave us.
"""

import numpy as np
import shapely
from jaxtyping import Float, Int

from crime_platform.geography.street_graph import PLACE, StreetGraph, node_ids

MAX_LINK_M = 500.0


def build_point_graph(
    x_m: Float[np.ndarray, " point"],
    y_m: Float[np.ndarray, " point"],
    *,
    crs: str,
    max_link_m: float = MAX_LINK_M,
) -> StreetGraph:
    """The Gabriel graph of the distinct places among points, each rounded to a whole metre.

    Two places are linked if no third one lies in or on the circle that has them at its ends, and
    they are at most `max_link_m` apart. One or two places, and places in one row, are fine.

    Raises:
        ValueError: if there is no point, a coordinate is not finite, or `max_link_m` is not above
            0.

    Source: Gabriel & Sokal (1969), Systematic Zoology 18(3). A third place on the circle parts the
    two: without that the diagonals of a rectangular street grid would be linked or not by chance.
    """
    if not max_link_m > 0:
        raise ValueError(f"max_link_m: expected metres above 0, found {max_link_m:g}; try 500")
    if not len(x_m):
        raise ValueError("a point graph needs at least one incident with coordinates, found none")
    points = np.stack([x_m, y_m], axis=1)
    if not np.isfinite(points).all():
        worst = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise ValueError(
            f"point {worst} has no place ({x_m[worst]:g}, {y_m[worst]:g}); leave out incidents "
            "without coordinates"
        )
    spots = np.unique(np.rint(points).astype(np.int64), axis=0)
    ids = node_ids(_as_points(spots))
    order = np.argsort(ids.astype(str))
    spots = spots[order]
    links = gabriel_links(spots)
    distance_m = np.hypot(*(spots[links[:, 0]] - spots[links[:, 1]]).T.astype(float))
    near = distance_m <= max_link_m
    return StreetGraph(
        kind=PLACE,
        node_id=tuple(ids[order].tolist()),
        geometry=_as_points(spots),
        crs=crs,
        length_m=np.zeros(len(spots)),
        links=links[near],
        link_distance_m=distance_m[near],
    )


def gabriel_links(spots: Int[np.ndarray, "point 2"]) -> Int[np.ndarray, "link 2"]:
    """Pairs of distinct points with no third one in or on the circle between them.

    Whole numbers keep every test exact: a corner of a rectangle is neither in nor out by rounding.
    """
    corner = _triangles(spots)
    if corner is None:
        return _in_a_row(spots)
    # Every Gabriel link is an edge of the Delaunay triangulation, and the corners opposite an edge
    # see it under the widest angles: at 90 degrees or more they lie in or on its circle.
    sides = np.concatenate([corner[:, [0, 1, 2]], corner[:, [1, 2, 0]], corner[:, [2, 0, 1]]])
    first, second, opposite = sides.T
    towards_first, towards_second = spots[first] - spots[opposite], spots[second] - spots[opposite]
    blocked = (towards_first * towards_second).sum(axis=1) <= 0
    pairs = np.sort(np.stack([first, second], axis=1), axis=1)
    links, which = np.unique(pairs, axis=0, return_inverse=True)
    is_free = np.bincount(which.ravel(), blocked, minlength=len(links)) == 0
    return links[is_free].astype(np.int32)


def _as_points(spots: Int[np.ndarray, "point 2"]) -> np.ndarray:
    return np.asarray(shapely.points(spots), dtype=object)


def _triangles(spots: Int[np.ndarray, "point 2"]) -> np.ndarray | None:
    """Corners of the Delaunay triangles; none if all points lie on one line."""
    from scipy.spatial import Delaunay  # slow to import, and only point graphs need it

    offset = spots - spots[0]
    farthest = offset[np.argmax((offset**2).sum(axis=1))]
    aside = offset[:, 0] * farthest[1] - offset[:, 1] * farthest[0]
    if not aside.any():
        return None
    return Delaunay(offset.astype(float)).simplices


def _in_a_row(spots: Int[np.ndarray, "point 2"]) -> Int[np.ndarray, "link 2"]:
    order = np.lexsort((spots[:, 1], spots[:, 0]))
    pairs = np.sort(np.stack([order[:-1], order[1:]], axis=1), axis=1)
    return np.unique(pairs, axis=0).astype(np.int32)
