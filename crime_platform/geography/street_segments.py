"""From street lines to segments, and from segments to the graph of those that share a junction.

Lines are noded wherever they cross, bridges included: centre lines carry no levels, so a road over
another one gets a junction that is not there. Nothing here compares every line with every other:
crossings come from an indexed overlay, junctions from sorting end points.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from crime_platform.geography.street_graph import SEGMENT, StreetGraph, node_ids
from crime_platform.vocabulary.incident import CoordinateError

SNAP_M = 0.1
MIN_SEGMENT_M = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentReport:
    """What became of the lines."""

    n_segments: int
    n_junctions: int  # dead ends included
    n_dead_ends: int
    n_stubs: int  # dead ends shorter than the least length, left out
    n_contracted: int  # short segments between junctions that now are one
    left_out_m: float  # street length of both
    overlap_m: float  # length that lay on other lines and is counted once


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetSegments:
    """Street between two junctions, one line each; the order follows the geometry."""

    line: np.ndarray  # shapely LineStrings
    junction: Int[np.ndarray, "segment 2"]  # number of the junction at either end
    report: SegmentReport


def build_street_graph(
    lines: np.ndarray, *, crs: str, min_segment_m: float = MIN_SEGMENT_M, snap_m: float = SNAP_M
) -> StreetGraph:
    """The dual graph of a street map: a segment is a node, a shared junction a link.

    Args:
        lines: shapely LineStrings in `crs`, as `read_street_lines` returns them.
        crs: the study area's, in metres.
        min_segment_m: see `split_streets`.
        snap_m: see `split_streets`.

    Raises:
        CoordinateError: as `split_streets`.
        ValueError: as `split_streets`.
    """
    return segment_graph(split_streets(lines, min_segment_m=min_segment_m, snap_m=snap_m), crs=crs)


def split_streets(
    lines: np.ndarray, *, min_segment_m: float = MIN_SEGMENT_M, snap_m: float = SNAP_M
) -> StreetSegments:
    """Lines cut where they meet and joined where only two meet, without slivers.

    Coordinates are rounded to multiples of `snap_m`, so that ends nearer than about that are one.
    Segments shorter than `min_segment_m` are left out: one with a dead end as if it had never been
    drawn (the pieces on either side of its junction become one segment), one between two junctions
    by counting these as a single junction, so that the streets on either side still touch and no
    line moves: without it the network would tear there. The same lines in another order or
    direction give the same segments.

    Raises:
        CoordinateError: if no segment is as long as `min_segment_m`.
        ValueError: if there is no line, or `snap_m` is not above 0 or `min_segment_m` below 0.
    """
    if not (snap_m > 0 and min_segment_m >= 0):
        raise ValueError(
            f"expected snap_m above 0 and min_segment_m of 0 or more, found {snap_m:g} and "
            f"{min_segment_m:g}; {SNAP_M:g} and {MIN_SEGMENT_M:g} suit most cities"
        )
    if not len(lines):
        raise ValueError("a street graph needs at least one line, found none")
    noded = shapely.union_all(_in_order(shapely.normalize(lines)), grid_size=snap_m)
    whole = _joined(shapely.get_parts(noded))
    kept, n_stubs = _without_stubs(whole, min_segment_m)
    long_enough = shapely.length(kept) >= min_segment_m
    if not long_enough.any():
        raise CoordinateError(
            f"no street is as long as min_segment_m = {min_segment_m:g} m; the longest of "
            f"{len(lines)} lines has {shapely.length(lines).max():.3g} m. Are they in metres?"
        )
    junction = _contracted(_ends(kept), ~long_enough)
    line, junction = kept[long_enough], junction[long_enough]
    numbers, meeting = np.unique(junction, return_counts=True)
    report = SegmentReport(
        n_segments=len(line),
        n_junctions=len(numbers),
        n_dead_ends=int((meeting == 1).sum()),
        n_stubs=n_stubs,
        n_contracted=int((~long_enough).sum()),
        left_out_m=float(shapely.length(whole).sum() - shapely.length(line).sum()),
        overlap_m=float(shapely.length(lines).sum() - shapely.length(whole).sum()),
    )
    return StreetSegments(line=line, junction=junction, report=report)


def segment_graph(segments: StreetSegments, *, crs: str) -> StreetGraph:
    """The dual graph of segments; a link is half of one length and half of the other long.

    What was left out between two segments adds nothing to their distance.
    """
    ids = node_ids(segments.line)
    order = np.argsort(ids.astype(str), kind="stable")
    line = segments.line[order]
    length_m = shapely.length(line)
    links = _sharing_a_junction(segments.junction[order])
    return StreetGraph(
        kind=SEGMENT,
        node_id=tuple(ids[order].tolist()),
        geometry=line,
        crs=crs,
        length_m=length_m,
        links=links,
        link_distance_m=length_m[links].mean(axis=1),
    )


def _in_order(lines: np.ndarray) -> np.ndarray:
    """Lines sorted by their geometry: what is made of them cannot depend on how they came."""
    key = shapely.to_wkb(lines).tolist()
    return lines[sorted(range(len(lines)), key=key.__getitem__)]


def _joined(pieces: np.ndarray) -> np.ndarray:
    """Pieces joined at every point where just two of them end."""
    # Not normalised: that turns a ring to its smallest point, away from the streets it hangs on.
    return _in_order(shapely.get_parts(shapely.line_merge(shapely.multilinestrings(pieces))))


def _ends(lines: np.ndarray) -> Int[np.ndarray, "line 2"]:
    """A number for the start and the end of each line, equal where they share a point."""
    points = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    number = np.unique(shapely.get_coordinates(points), axis=0, return_inverse=True)[1]
    return number.reshape(2, -1).T


def _without_stubs(lines: np.ndarray, min_segment_m: float) -> tuple[np.ndarray, int]:
    """Lines without short dead ends, and how many these were; short pieces apart are such too."""
    n_stubs = 0
    while len(lines):
        ends = _ends(lines)
        dead = (np.bincount(ends.ravel())[ends] == 1).any(axis=1)
        stub = dead & (shapely.length(lines) < min_segment_m)
        if not stub.any():
            break
        n_stubs += int(stub.sum())
        lines = _joined(lines[~stub])  # what was a dead end's junction may be none any more
    return lines, n_stubs


def _contracted(ends: Int[np.ndarray, "line 2"], short: np.ndarray) -> Int[np.ndarray, "line 2"]:
    """Junction numbers in which both ends of every short line count as one."""
    n = int(ends.max()) + 1
    first, second = ends[short].T
    joined = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(n, n))
    return connected_components(joined, directed=False)[1][ends]


def _sharing_a_junction(junction: Int[np.ndarray, "segment 2"]) -> Int[np.ndarray, "link 2"]:
    """Every pair of segments with a junction in common, once, the smaller position first."""
    n = len(junction)
    at = np.stack([junction.ravel(), np.repeat(np.arange(n), 2)], axis=1)
    at = np.unique(at, axis=0)  # a loop meets its junction twice
    start, size = np.unique(at[:, 0], return_index=True, return_counts=True)[1:]
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for degree in np.unique(size[size > 1]).tolist():  # a handful of distinct numbers
        a, b = np.triu_indices(degree, 1)
        begin = start[size == degree][:, None]
        pairs.append(np.stack([at[begin + a, 1].ravel(), at[begin + b, 1].ravel()], axis=1))
    return np.unique(np.concatenate(pairs), axis=0).astype(np.int32)
