"""From a study area's streets, or the places of its incidents, to the graph that is counted on.

Two graphs are kept together: the one of the street area, and the whole one it was chosen from, so
that an incident on a street just outside is never moved to one inside.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Bool, Float, Int

from crime_platform.geography.point_graph import build_point_graph
from crime_platform.geography.snapping import snap_to_graph
from crime_platform.geography.street_area import (
    busiest_communities,
    communities,
    inside_boundary,
    inside_extent,
    read_boundary,
    select_nodes,
)
from crime_platform.geography.street_graph import METRES_PER_KM, StreetGraph
from crime_platform.geography.street_graph_file import read_graph, write_graph
from crime_platform.geography.street_lines import read_street_lines
from crime_platform.geography.street_segments import segment_graph, split_streets
from crime_platform.pipeline.known_states import day_record
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.streets import StreetSpec, last_complete_day
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.artifact import content_key, swap_symlink
from crime_platform.vocabulary.day_split import SPLIT_SHARES
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.seal import is_whole, sealed
from crime_platform.vocabulary.timesteps import Day, IncompleteDataError
from crime_platform.warehouse.warehouse import Warehouse

GRAPH = "street_graph"  # link to the newest graph of an area
GRAPHS = "streets/graphs"
TELLING_MONTHS = 3  # with incidents on the first day alone: the days of fewer are chance
WHOLE = "whole"  # folder, in a graph's own, of the graph it was chosen from


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GraphReport:
    """A graph that was built, and what was left out of it."""

    path: Path
    key: str
    graph: StreetGraph
    n_whole: int  # nodes before a part was chosen
    left_out: dict[str, int | float]  # what of the lines is not in the graph; empty for places

    @property
    def facts(self) -> dict[str, object]:
        """Figures for the UI."""
        graph = self.graph
        return {
            "graph": self.key,
            "path": self.path,
            "kind": graph.kind,
            "nodes": graph.n_nodes,
            "nodes outside the street area": self.n_whole - graph.n_nodes,
            "links": len(graph.links),
            "pieces": graph.n_pieces,
            "isolated nodes": int(graph.isolated.sum()),
            "street km": float(graph.length_m.sum() / METRES_PER_KM),
            **{f"lines: {what}": n for what, n in self.left_out.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedDays:
    """The days of an area whose incidents are all on record."""

    first: Day
    last: Day
    newest: Day  # on record, complete or not


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaceFates:
    """Where places go on a graph."""

    graph: StreetGraph
    node: Int[np.ndarray, " point"]  # -1 for none
    distance_m: Float[np.ndarray, " point"]  # to the nearest street, NaN beyond reach
    is_inside: Bool[np.ndarray, " point"]  # whether it lies in the street area


def require_streets(area: StudyArea) -> StreetSpec:
    """The area's street branch.

    Raises:
        StudyAreaError: if it has none.
    """
    if area.streets is None:
        raise StudyAreaError(f"{area.name} has no streets: add [streets] to {area.name}.toml")
    return area.streets


def counted_days(area: StudyArea, home: PlatformHome) -> CountedDays:
    """From the area's first month to its last complete day.

    Raises:
        IncompleteDataError: if no incident was ever read, or no day is complete yet.
        StudyAreaError: if the area has no streets.
    """
    spec = require_streets(area)
    record = day_record(area, home)
    if record is None:
        raise IncompleteDataError(
            f"{area.name} has no incident in the warehouse: materialise incidents first "
            f"(crime-platform run --study-area {area.name})"
        )
    _require_days(area, home)
    first = area.first_month.astype("datetime64[D]")
    last = last_complete_day(record, spec, area.last_month)
    if last < first:
        raise IncompleteDataError(
            f"{area.name}: the record begins {first} and reaches {record.newest}, and with "
            f"reporting_lag_days = {spec.reporting_lag_days} no day of it is complete; add files"
        )
    return CountedDays(first=first, last=last, newest=record.newest)


def _require_days(area: StudyArea, home: PlatformHome) -> None:
    """Refuse incidents whose day says only which month it was."""
    found = Warehouse(home.warehouse).read(
        "select count(distinct month) as n_months, bool_and(day(occurred_on) = 1) as is_first "
        "from incident where study_area = ?",
        area.name,
    )
    if found["n_months"].item() >= TELLING_MONTHS and found["is_first"].item():
        raise IncompleteDataError(
            f"{area.name}: every incident is on the first day of a month, so the publisher gives "
            "months and no days, and nothing can be forecast by day; leave [streets] out"
        )


def build_graph(area: StudyArea, home: PlatformHome) -> GraphReport:
    """Write the area's street graph, named by its content, and point the area's link at it.

    Without a file of streets the places are those of all complete days, so new places join as
    incidents come in.

    Raises:
        StudyAreaError: if the area has no streets.
        IncompleteDataError: if there is no incident, or none with a place.
        CoordinateError: if a file of streets or a boundary is missing or has no place in the CRS.
        SourceFormatError: if such a file cannot be read or holds other shapes.
        ValueError: if no street is long enough, or none lies in the street area.
    """
    spec = require_streets(area)
    left_out: dict[str, int | float] = {}
    if spec.file is None:
        whole = _graph_of_places(area, spec, home)
    else:
        whole, left_out = _graph_of_lines(area, spec, home)
    keep = _in_area(whole, area, spec, home)
    graph = whole if keep.all() else select_nodes(whole, keep)
    key = content_key(*graph.content, *whole.content)
    path = graph_path(home, area.name, key)
    if not is_whole(path):
        with sealed(path) as aside:
            write_graph(graph, aside)
            if graph is not whole:
                write_graph(whole, aside / WHOLE)
    swap_symlink(home.artifacts(area.name) / GRAPH, f"{GRAPHS}/{key}")
    return GraphReport(path=path, key=key, graph=graph, n_whole=whole.n_nodes, left_out=left_out)


def graph_path(home: PlatformHome, area_name: str, key: str) -> Path:
    """Folder of one graph of an area."""
    return home.artifacts(area_name) / GRAPHS / key


def newest_graph_key(home: PlatformHome, area_name: str) -> str:
    """Key of the area's newest graph.

    Raises:
        IncompleteDataError: if none was built.
    """
    link = home.artifacts(area_name) / GRAPH
    if not link.exists():
        raise IncompleteDataError(f"{area_name} has no street graph: materialise street_graph")
    return link.resolve().name


def place_fates(
    area: StudyArea,
    home: PlatformHome,
    key: str,
    x_m: Float[np.ndarray, " point"],
    y_m: Float[np.ndarray, " point"],
) -> PlaceFates:
    """Where each place goes on one of the area's graphs.

    A place whose nearest street is outside the street area lies outside, wherever it is; one beyond
    reach of every street lies inside if the extent or boundary of the TOML, or else the bounds of
    the graph, hold it.

    Raises:
        CoordinateError: if there are places and not one is within reach of a street.
    """
    spec = require_streets(area)
    path = graph_path(home, area.name, key)
    graph = read_graph(path)
    whole = read_graph(path / WHOLE) if (path / WHOLE).exists() else graph
    snapped = snap_to_graph(whole, x_m, y_m, max_distance_m=spec.max_snap_m)
    position = {name: at for at, name in enumerate(graph.node_id)}
    # One more at the end: -1, which stands for no node, stays -1.
    node_of = np.array([*(position.get(name, -1) for name in whole.node_id), -1])
    node = node_of[snapped.node]
    is_inside = np.where(
        snapped.is_beyond, _is_inside(graph, area, spec, home, x_m, y_m), node >= 0
    )
    return PlaceFates(graph=graph, node=node, distance_m=snapped.distance_m, is_inside=is_inside)


def _graph_of_places(area: StudyArea, spec: StreetSpec, home: PlatformHome) -> StreetGraph:
    days = counted_days(area, home)
    places = Warehouse(home.warehouse).incident_places(
        area.name, grouped=list(spec.group_of_type), nearby=[], first=days.first, last=days.last
    )
    placed = places.dropna(subset=["x_m", "y_m"])
    if placed.empty:
        raise IncompleteDataError(
            f"{area.name}: no incident of {', '.join(spec.group_of_type)} has a place, so there is "
            "no graph of places; name road centre lines as file under [streets]"
        )
    return build_point_graph(
        placed["x_m"].to_numpy(),
        placed["y_m"].to_numpy(),
        crs=area.crs,
        max_link_m=spec.max_link_m,
    )


def _graph_of_lines(
    area: StudyArea, spec: StreetSpec, home: PlatformHome
) -> tuple[StreetGraph, dict[str, int | float]]:
    path = home.root.absolute() / str(spec.file)
    lines = read_street_lines(path, crs=area.crs, layer=spec.layer)
    segments = split_streets(lines.line, min_segment_m=spec.min_segment_m)
    return segment_graph(segments, crs=area.crs), {
        **asdict(lines.report),
        **asdict(segments.report),
    }


def _in_area(
    whole: StreetGraph, area: StudyArea, spec: StreetSpec, home: PlatformHome
) -> Bool[np.ndarray, " node"]:
    if spec.extent_m is not None:
        return inside_extent(whole, spec.extent_m)
    if spec.boundary_file is not None:
        return inside_boundary(whole, home.root.absolute() / spec.boundary_file)
    if spec.n_communities is not None:
        incidents = _incidents_of_training(whole, area, spec, home)
        return busiest_communities(communities(whole), incidents, n_communities=spec.n_communities)
    return np.ones(whole.n_nodes, dtype=bool)


def _incidents_of_training(
    whole: StreetGraph, area: StudyArea, spec: StreetSpec, home: PlatformHome
) -> Int[np.ndarray, " node"]:
    """Incidents by node on the days that models learn from: the choice must not know the rest."""
    days = counted_days(area, home)
    n_days = int((days.last - days.first).astype(np.int64)) + 1
    places = Warehouse(home.warehouse).incident_places(
        area.name,
        grouped=list(spec.group_of_type),
        nearby=[],
        first=days.first,
        last=days.first + (max(1, round(SPLIT_SHARES[0] * n_days)) - 1),
    )
    placed = places.dropna(subset=["x_m", "y_m"])
    x_m, y_m = placed["x_m"].to_numpy(), placed["y_m"].to_numpy()
    node = snap_to_graph(whole, x_m, y_m, max_distance_m=spec.max_snap_m).node
    near = node >= 0
    n_incidents = placed["n_incidents"].to_numpy()[near]
    return np.bincount(node[near], n_incidents, minlength=whole.n_nodes).astype(np.int64)


def _is_inside(
    graph: StreetGraph,
    area: StudyArea,
    spec: StreetSpec,
    home: PlatformHome,
    x_m: np.ndarray,
    y_m: np.ndarray,
) -> Bool[np.ndarray, " point"]:
    """Whether points lie in the extent or boundary of the street area, or the graph's bounds."""
    if spec.boundary_file is not None:
        boundary = read_boundary(home.root.absolute() / spec.boundary_file, crs=area.crs)
        shapely.prepare(boundary)
        return shapely.intersects_xy(boundary, x_m, y_m)
    west, south, east, north = spec.extent_m or shapely.total_bounds(graph.geometry)
    return (x_m >= west) & (x_m <= east) & (y_m >= south) & (y_m <= north)
