"""What is known of a node besides its incidents: its length, and what lies near it.

Everything is measured from a node's midpoint, straight, and comes in its natural unit; taking logs
is the caller's.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from crime_platform.geography.street_graph import StreetGraph
from crime_platform.geography.user_points import UserPoints

CHUNK = 2_000  # nodes looked at once: bounds memory, changes no result
REACH = 4.0  # bandwidths beyond which a kernel counts as 0; 0.03 % of its volume
SQUARE_METRES_PER_KM2 = 1_000_000.0


def log_length(graph: StreetGraph) -> Float[np.ndarray, " node"]:
    """Natural logarithm of the length in km; 0 for a place, which counts as one."""
    return np.log(graph.extent)


def point_distance(graph: StreetGraph, points: UserPoints) -> Float[np.ndarray, " node"]:
    """Metres to the nearest point.

    Raises:
        ValueError: if there is no point.
    """
    from scipy.spatial import KDTree  # slow to import, and few areas have user points

    if not len(points.x_m):
        raise ValueError("a distance needs at least one point, found none; leave the feature out")
    tree = KDTree(np.stack([points.x_m, points.y_m], axis=1))
    return np.asarray(tree.query(graph.midpoints())[0], dtype=np.float64)


def point_density(
    graph: StreetGraph, points: UserPoints, *, bandwidth_m: float
) -> Float[np.ndarray, " node"]:
    """Points per km2 round each node: a Gaussian kernel, weighted by the points' values.

    Raises:
        ValueError: if `bandwidth_m` is not above 0.
    """
    if not bandwidth_m > 0:
        raise ValueError(f"bandwidth_m: expected metres above 0, found {bandwidth_m:g}; try 500")
    peak = SQUARE_METRES_PER_KM2 / (2 * np.pi * bandwidth_m**2)

    def kernel(distance_m: np.ndarray) -> np.ndarray:
        return peak * np.exp(-(distance_m**2) / (2 * bandwidth_m**2))

    return _summed(graph, points, radius_m=REACH * bandwidth_m, weight=kernel)


def nearby_total(
    graph: StreetGraph, points: UserPoints, *, radius_m: float
) -> Float[np.ndarray, " node"]:
    """Sum of the values of all points within `radius_m`; nodes near each other share points.

    Raises:
        ValueError: if `radius_m` is not above 0.
    """
    if not radius_m > 0:
        raise ValueError(f"radius_m: expected metres above 0, found {radius_m:g}; try 250")
    return _summed(graph, points, radius_m=radius_m, weight=np.ones_like)


def _summed(
    graph: StreetGraph,
    points: UserPoints,
    *,
    radius_m: float,
    weight: Callable[[np.ndarray], np.ndarray],
) -> Float[np.ndarray, " node"]:
    """Sum over the points in reach of each node of value times weight of the distance."""
    from scipy.spatial import KDTree  # slow to import, and few areas have user points

    total = np.zeros(graph.n_nodes)
    if not len(points.x_m):
        return total
    tree = KDTree(np.stack([points.x_m, points.y_m], axis=1))
    middle = graph.midpoints()
    for start in range(0, graph.n_nodes, CHUNK):
        here = KDTree(middle[start : start + CHUNK])
        near = here.sparse_distance_matrix(tree, radius_m, output_type="ndarray")
        share = weight(near["v"]) * points.value[near["j"]]
        total[start : start + CHUNK] = np.bincount(near["i"], share, minlength=here.n)
    return total
