"""The graph on which street forecasts live: its nodes, which of them touch, and their weights.

A node is a segment (street between two junctions) or, where no street file is given, a place
(distinct incident point). `street_segments` and `point_graph` build graphs; this file knows only
what a finished one is.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import shapely
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from crime_platform.vocabulary.projection import WGS84, project

SEGMENT, PLACE = "segment", "place"
METRES_PER_KM = 1000.0
_GEOMETRY_OF = {SEGMENT: "LineString", PLACE: "Point"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetGraph:
    """Segments or places, sorted by id, and the links between those that touch.

    Distances are metres along the network from midpoint to midpoint (segments) or straight
    (places). Disconnected pieces and isolated nodes are allowed.

    Raises:
        ValueError: if the arrays disagree in length or order, or a value is out of range.
    """

    kind: Literal["segment", "place"]
    node_id: tuple[str, ...]  # unique, sorted, as `node_ids` makes them
    geometry: np.ndarray  # shapely LineStrings or Points in `crs`, one a node
    crs: str  # projected, metres
    length_m: Float[np.ndarray, " node"]  # 0 for places
    links: Int[np.ndarray, "link 2"]  # positions of two nodes, the smaller first; sorted, unique
    link_distance_m: Float[np.ndarray, " link"]

    def __post_init__(self) -> None:
        _check_nodes(self)
        _check_links(self)

    @property
    def n_nodes(self) -> int:
        """Number of segments or places."""
        return len(self.node_id)

    @property
    def extent(self) -> Float[np.ndarray, " node"]:
        """What coverage counts: km of street for a segment, 1 for a place."""
        return self.length_m / METRES_PER_KM if self.kind == SEGMENT else np.ones(self.n_nodes)

    @property
    def isolated(self) -> Bool[np.ndarray, " node"]:
        """Nodes without a link."""
        return np.bincount(self.links.ravel(), minlength=self.n_nodes) == 0

    @property
    def n_pieces(self) -> int:
        """Connected pieces, isolated nodes included."""
        first, second = self.links.T
        ones = np.ones(len(self.links), dtype=np.int8)
        shape = (self.n_nodes, self.n_nodes)
        return int(connected_components(coo_array((ones, (first, second)), shape=shape))[0])

    @property
    def content(self) -> tuple[object, ...]:
        """Everything that determines the graph, for `content_key`."""
        coordinates, owner = shapely.get_coordinates(self.geometry, return_index=True)
        head = (self.kind, self.crs, list(self.node_id))
        return (*head, coordinates, owner, self.length_m, self.links, self.link_distance_m)

    def midpoints(self) -> Float[np.ndarray, "node 2"]:
        """Metres east and north of the middle of every segment, or of every place."""
        return midpoints(self.geometry)

    def centroids(self) -> tuple[Float[np.ndarray, " node"], Float[np.ndarray, " node"]]:
        """Longitude and latitude of `midpoints`."""
        x_m, y_m = self.midpoints().T
        return project(x_m, y_m, source=self.crs, target=WGS84)

    def geometries_wkb(self) -> np.ndarray:
        """Every node's line or point as WKB in EPSG:4326."""

        def to_wgs84(xy: np.ndarray) -> np.ndarray:
            return np.stack(project(xy[:, 0], xy[:, 1], source=self.crs, target=WGS84), axis=1)

        return np.asarray(shapely.to_wkb(shapely.transform(self.geometry, to_wgs84)), dtype=object)


def diffusion_matrix(graph: StreetGraph, *, alpha_m: float) -> csr_array:
    """Share of each neighbour in what a node hears from its surroundings; float32, [node, node].

    The weight of a link is exp(-d^2 / (2 alpha^2)), and every row is divided by its sum, so rows
    sum to 1. The row of an isolated node is empty: a model's own weight must carry it. No node
    hears itself.

    Args:
        graph: with link distances in metres.
        alpha_m: distance at which a link's weight has fallen to exp(-1/2), about 0.61.

    Raises:
        ValueError: if `alpha_m` is not above 0.

    Source: Zhang & Cheng (2020), CEUS 79, 101403, edge kernel. Normalising the rows is ours.
    """
    if not alpha_m > 0:
        raise ValueError(f"alpha_m: expected metres above 0, found {alpha_m:g}; try 250")
    row = np.concatenate([graph.links[:, 0], graph.links[:, 1]])
    col = np.concatenate([graph.links[:, 1], graph.links[:, 0]])
    squared = np.tile(graph.link_distance_m**2, 2)
    # A factor common to a row falls out when the row is normalised. Taking the nearest link's out
    # beforehand keeps rows from becoming 0 / 0 where every neighbour is many alphas away.
    nearest = np.full(graph.n_nodes, np.inf)
    np.minimum.at(nearest, row, squared)
    weight = np.exp(-(squared - nearest[row]) / (2 * alpha_m**2))
    share = weight / np.bincount(row, weight, minlength=graph.n_nodes)[row]
    shape = (graph.n_nodes, graph.n_nodes)
    return csr_array((share.astype(np.float32), (row, col)), shape=shape)


def midpoints(geometry: np.ndarray) -> Float[np.ndarray, "node 2"]:
    """Metres east and north of the point halfway along each line; a point is its own middle."""
    is_line = shapely.get_type_id(geometry) == shapely.GeometryType.LINESTRING
    middle = np.array(geometry, dtype=object)
    middle[is_line] = shapely.line_interpolate_point(geometry[is_line], 0.5, normalized=True)
    return shapely.get_coordinates(middle)


def node_ids(geometry: np.ndarray) -> np.ndarray:
    """`x630123y4834567` for each node: whole metres of its midpoint in the area's CRS.

    Nodes with the same midpoint get `b`, `c`, ... after it, ordered by their geometry, so that the
    order of a file never changes an id.
    """
    metres = np.rint(midpoints(geometry)).astype(np.int64)
    ids = np.array([f"x{x}y{y}" for x, y in metres.tolist()])
    key = list(zip(ids.tolist(), shapely.to_wkb(geometry).tolist(), strict=True))
    order = np.array(sorted(range(len(ids)), key=key.__getitem__), dtype=np.int64)
    is_first = np.r_[True, ids[order][1:] != ids[order][:-1]][: len(ids)]
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(ids)), 0))
    rank = np.empty(len(ids), dtype=np.int64)
    rank[order] = np.arange(len(ids)) - first
    named = [f"{name}{_letters(n)}" for name, n in zip(ids.tolist(), rank.tolist(), strict=True)]
    return np.array(named, dtype=object)


def _letters(rank: int) -> str:
    """Nothing for 0, b for 1, z for 25, then za, zb, ...: later names sort after earlier ones."""
    if rank == 0:
        return ""
    return "z" * (rank // 26) + "abcdefghijklmnopqrstuvwxyz"[rank % 26]


def _check_nodes(graph: StreetGraph) -> None:
    ids, expected = graph.node_id, _GEOMETRY_OF[graph.kind]
    if not ids:
        raise ValueError("a street graph needs at least one node, found none")
    if not len(ids) == len(graph.geometry) == len(graph.length_m):
        raise ValueError(
            f"expected one geometry and one length a node, found {len(ids)} ids, "
            f"{len(graph.geometry)} geometries and {len(graph.length_m)} lengths"
        )
    unsorted = next((b for a, b in pairwise(ids) if a >= b), None)
    if unsorted is not None:
        raise ValueError(f"node ids must be sorted and unique; {unsorted!r} is not in its place")
    types = [type(shape).__name__ for shape in graph.geometry.tolist()]
    wrong = next((node for node, found in enumerate(types) if found != expected), None)
    if wrong is not None:
        raise ValueError(
            f"node {ids[wrong]}: a {graph.kind} is a {expected}, found a {types[wrong]}"
        )
    fits = graph.length_m > 0 if graph.kind == SEGMENT else graph.length_m == 0
    if not (fits & np.isfinite(graph.length_m)).all():
        worst = int(np.argmin(fits & np.isfinite(graph.length_m)))
        raise ValueError(
            f"node {ids[worst]}: length_m must be above 0 for a segment and 0 for a place, "
            f"found {graph.length_m[worst]:g}"
        )


def _check_links(graph: StreetGraph) -> None:
    first, second = graph.links.astype(np.int64).T
    if not ((first >= 0) & (first < second) & (second < graph.n_nodes)).all():
        raise ValueError(
            f"links must join two of the {graph.n_nodes} nodes, the smaller position first"
        )
    if (np.diff(first * graph.n_nodes + second) <= 0).any():
        raise ValueError("links must be sorted and unique; sort them by their two positions")
    if not (np.isfinite(graph.link_distance_m) & (graph.link_distance_m > 0)).all():
        raise ValueError("link_distance_m: every distance must be a finite number above 0")
