"""A part of a street graph: by extent, by a boundary file, or by its own communities."""

from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Bool, Int
from shapely.geometry.base import BaseGeometry

from crime_platform.geography.street_graph import StreetGraph
from crime_platform.sources.files.vector_files import POLYGONS, read_vector
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError


def select_nodes(graph: StreetGraph, keep: Bool[np.ndarray, " node"]) -> StreetGraph:
    """The graph of the nodes to keep and the links between them; segments are not cut.

    Raises:
        CoordinateError: if no node is kept.
    """
    if not keep.any():
        raise CoordinateError(
            f"none of the {graph.n_nodes} {graph.kind}s lies in the area chosen; check that extent "
            f"or boundary and the graph are of the same city and in {graph.crs}"
        )
    position = np.cumsum(keep) - 1
    stays = keep[graph.links].all(axis=1)
    return StreetGraph(
        kind=graph.kind,
        node_id=tuple(np.array(graph.node_id, dtype=object)[keep].tolist()),
        geometry=graph.geometry[keep],
        crs=graph.crs,
        length_m=graph.length_m[keep],
        links=position[graph.links[stays]].astype(np.int32),
        link_distance_m=graph.link_distance_m[stays],
    )


def inside_extent(
    graph: StreetGraph, extent_m: tuple[float, float, float, float]
) -> Bool[np.ndarray, " node"]:
    """Nodes whose midpoint lies in west, south, east, north.

    The west and the south edge belong to it, as with a grid's cells: extents side by side share no
    node.

    Raises:
        ValueError: if west is not below east, or south not below north.
    """
    west, south, east, north = extent_m
    if not (west < east and south < north):
        raise ValueError(
            f"extent_m: expected [xmin, ymin, xmax, ymax] with xmin < xmax and ymin < ymax, found "
            f"{list(extent_m)}; all four are metres in {graph.crs}"
        )
    x_m, y_m = graph.midpoints().T
    return (x_m >= west) & (x_m < east) & (y_m >= south) & (y_m < north)


def inside_boundary(graph: StreetGraph, path: Path) -> Bool[np.ndarray, " node"]:
    """Nodes whose midpoint lies in any polygon of a vector file.

    Raises:
        CoordinateError: as `read_boundary`.
        SourceFormatError: as `read_boundary`.
    """
    area = read_boundary(path, crs=graph.crs)
    shapely.prepare(area)
    return shapely.intersects_xy(area, *graph.midpoints().T)


def read_boundary(path: Path, *, crs: str) -> BaseGeometry:
    """Every polygon of a vector file as one shape, in metres of `crs`.

    Raises:
        CoordinateError: if the file is missing or states no CRS.
        SourceFormatError: if it cannot be read, or a feature is not a polygon.
    """
    table = read_vector(path, wanted=POLYGONS)
    if table.crs is None:
        raise CoordinateError(
            f"{path}: states no CRS, so its extent is unknown; save it again with one"
        )
    shapes = np.asarray(table.to_crs(crs).geometry.values, dtype=object)
    names = [None if shape is None else shape.geom_type for shape in shapes.tolist()]
    wrong = [at for at, name in enumerate(names) if name not in POLYGONS]
    if wrong:
        raise SourceFormatError(
            f"{path}: expected polygons, and feature {wrong[0] + 1} is a {names[wrong[0]]}; name "
            "the file of the area's boundary"
        )
    # Publishers' polygons may cross themselves: made valid, they still say what is inside.
    return shapely.union_all(shapely.make_valid(shapes))


def communities(
    graph: StreetGraph, *, resolution: float = 1.0, seed: int = 0
) -> Int[np.ndarray, " node"]:
    """A number for each node's Louvain community: nodes more linked to each other than to the rest.

    Numbers follow the first node of each community. Equal graphs and seeds give equal communities.

    Args:
        graph: links count alike, however long.
        resolution: above 1 more and smaller communities, below 1 fewer and larger ones.
        seed: of the order in which nodes are tried.

    Raises:
        ValueError: if `resolution` is not above 0.

    Source: Blondel et al. (2008), J. Stat. Mech. P10008, as in networkx.
    """
    import networkx  # slow to import, and only areas cut by community need it

    if not resolution > 0:
        raise ValueError(f"resolution: expected a number above 0, found {resolution:g}; try 1")
    network = networkx.empty_graph(graph.n_nodes)
    network.add_edges_from(graph.links.tolist())
    found = networkx.community.louvain_communities(network, resolution=resolution, seed=seed)
    number = np.empty(graph.n_nodes, dtype=np.int32)
    for community, members in enumerate(sorted(found, key=min)):
        number[list(members)] = community
    return number


def busiest_communities(
    community: Int[np.ndarray, " node"],
    incidents: Int[np.ndarray, " node"],
    *,
    n_communities: int,
) -> Bool[np.ndarray, " node"]:
    """Nodes of the communities with the most incidents; of equal ones the lower number.

    Incidents must be those of training alone, or the choice knows what it is tested on.

    Raises:
        StudyAreaError: if there are fewer communities than asked for, or none is asked for.
    """
    total = np.bincount(community, incidents)
    if not 1 <= n_communities <= len(total):
        raise StudyAreaError(
            f"n_communities: expected 1 to {len(total)}, the communities there are, found "
            f"{n_communities}"
        )
    chosen = np.argsort(-total, kind="stable")[:n_communities]
    return np.isin(community, chosen)
