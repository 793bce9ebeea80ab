"""Incidents put on the graph: the nearest segment's line, or the nearest place, within reach."""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Bool, Float, Int

from crime_platform.geography.street_graph import StreetGraph
from crime_platform.vocabulary.incident import CoordinateError

BEYOND = -1
CHUNK = 100_000  # points searched at once: bounds memory, changes no result
_TILE_M = 200.0  # neighbours searched one after the other find the index's pages still at hand
_LOOKED_AT = 10_000  # points whose distance is told when none is near
_QUANTILES = (0.5, 0.9, 0.99, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapped:
    """Where each point went."""

    node: Int[np.ndarray, " point"]  # position in the graph; -1 beyond reach or without a place
    distance_m: Float[np.ndarray, " point"]  # NaN where node is -1

    @property
    def is_beyond(self) -> Bool[np.ndarray, " point"]:
        """Points that went nowhere."""
        return self.node == BEYOND


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapReport:
    """How far incidents lay from the streets they were put on."""

    n_points: int
    n_beyond: int
    beyond_share: float  # of all points; 0 without any
    median_m: float  # of the points put on a node, as are the next three; NaN without any
    p90_m: float
    p99_m: float
    max_m: float


def snap_to_graph(
    graph: StreetGraph,
    x_m: Float[np.ndarray, " point"],
    y_m: Float[np.ndarray, " point"],
    *,
    max_distance_m: float,
) -> Snapped:
    """Nearest node of each point, measured to the line of a segment and not to its middle.

    Equally near nodes go to the first by id: every junction is shared, and the order of a street
    file must not decide. Points with a coordinate that is not finite go nowhere.

    Args:
        graph: in the CRS of the points.
        x_m: metres east.
        y_m: metres north.
        max_distance_m: points farther than this from every node go nowhere.

    Raises:
        ValueError: if `max_distance_m` is not above 0.
        CoordinateError: if there are points and not one of them is near enough.
    """
    if not max_distance_m > 0:
        raise ValueError(
            f"max_distance_m: expected metres above 0, found {max_distance_m:g}; try 50"
        )
    node = np.full(len(x_m), BEYOND, dtype=np.int32)
    distance_m = np.full(len(x_m), np.nan)
    has_place = _tile_by_tile(x_m, y_m)
    tree = shapely.STRtree(graph.geometry)
    for start in range(0, len(has_place), CHUNK):
        part = has_place[start : start + CHUNK]
        (point, found), away = tree.query_nearest(
            shapely.points(x_m[part], y_m[part]),
            max_distance=max_distance_m,
            return_distance=True,
            all_matches=True,
        )
        first = np.lexsort((found, point))  # of equally near nodes the lowest
        first = first[np.r_[True, np.diff(point[first]) > 0][: len(first)]]
        node[part[point[first]]] = found[first]
        distance_m[part[point[first]]] = away[first]
    if len(has_place) and (node == BEYOND).all():
        some = np.sort(has_place)
        raise CoordinateError(_none_near(graph, tree, x_m[some], y_m[some], max_distance_m))
    return Snapped(node=node, distance_m=distance_m)


def snap_report(snapped: Snapped) -> SnapReport:
    """Quantiles of the distances, and how many points went nowhere."""
    near = snapped.distance_m[~snapped.is_beyond]
    median, p90, p99, largest = np.quantile(near, _QUANTILES) if len(near) else [np.nan] * 4
    n_points = len(snapped.node)
    n_beyond = n_points - len(near)
    return SnapReport(
        n_points=n_points,
        n_beyond=n_beyond,
        beyond_share=n_beyond / max(1, n_points),
        median_m=float(median),
        p90_m=float(p90),
        p99_m=float(p99),
        max_m=float(largest),
    )


def _tile_by_tile(x_m: np.ndarray, y_m: np.ndarray) -> Int[np.ndarray, " place"]:
    """Points that have a place, those of a tile together."""
    has_place = np.flatnonzero(np.isfinite(x_m) & np.isfinite(y_m))
    tile = np.floor(np.stack([x_m[has_place], y_m[has_place]]) / _TILE_M)
    return has_place[np.lexsort(tile)]


def _none_near(
    graph: StreetGraph, tree: shapely.STRtree, x_m: np.ndarray, y_m: np.ndarray, max_m: float
) -> str:
    some = np.unique(np.linspace(0, len(x_m) - 1, min(len(x_m), _LOOKED_AT)).astype(int))
    points = shapely.points(x_m[some], y_m[some])
    nearest = shapely.distance(points, graph.geometry[tree.nearest(points)]).min()
    among = "" if len(some) == len(x_m) else f" of {len(some):,} looked at"
    west, south, east, north = shapely.total_bounds(graph.geometry)
    return (
        f"none of {len(x_m):,} incidents is within {max_m:g} m of a {graph.kind}; the nearest"
        f"{among} is {nearest:,.0f} m away. The graph reaches from {west:.0f} to {east:.0f} east "
        f"and {south:.0f} to {north:.0f} north in {graph.crs}, the incidents from {x_m.min():.0f} "
        f"to {x_m.max():.0f} and {y_m.min():.0f} to {y_m.max():.0f}: the street file may be of "
        "another city or state a wrong CRS"
    )
