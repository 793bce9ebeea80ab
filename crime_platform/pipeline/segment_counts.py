"""From incidents in the warehouse to daily counts on an area's street graph.

Every distinct place is put on the graph once; the incidents themselves never leave the database.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.data_checks.run_size import street_size_problem
from crime_platform.geography.snapping import Snapped, SnapReport, snap_report
from crime_platform.geography.street_graph import PLACE, StreetGraph
from crime_platform.geography.street_graph_file import read_graph
from crime_platform.pipeline.street_features import day_covariates, node_features
from crime_platform.pipeline.street_graph import (
    CountedDays,
    counted_days,
    graph_path,
    newest_graph_key,
    place_fates,
    require_streets,
)
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.study_area import StudyArea, load_study_area
from crime_platform.system.machine import memory_bytes
from crime_platform.tensors.covariates import holidays_of
from crime_platform.tensors.street_counts import (
    MARKED_TYPE,
    SegmentCounts,
    segment_counts_array,
)
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import Day, IncompleteDataError
from crime_platform.warehouse.segment_counts import BEYOND, NEARBY, OUTSIDE, SNAPPED
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

MONTHS_AHEAD = 12  # through which holidays are known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentCountReport:
    """What the counts of an area's streets cover.

    Incidents are those of the groups and of nearby types on the counted days; the snap report is of
    the groups' alone, since nearby types may well happen where theirs never did.
    """

    graph_key: str
    days: CountedDays
    n_rows: int  # sparse counts
    n_incidents: int
    n_snapped: int
    n_forecast: int  # of those on the graph, incidents of the groups
    n_beyond: int  # in the street area, farther than max_snap_m from every street
    n_outside: int  # of the street area
    n_without_place: int
    snap: SnapReport  # of the groups' incidents in the street area
    snap_distance_m: Float[np.ndarray, " incident"]  # of those of them that were put on a node
    n_never_active: int  # nodes without any incident of the groups
    totals: "pd.DataFrame"  # month, count: of the groups

    @property
    def facts(self) -> dict[str, object]:
        """Figures for the UI."""
        return {
            "dagster/row_count": self.n_rows,
            "graph": self.graph_key,
            "first day": self.days.first,
            "last complete day": self.days.last,
            "newest day on record": self.days.newest,
            "incidents": self.n_incidents,
            "on the graph": self.n_snapped,
            "of them forecast": self.n_forecast,
            "beyond every street": self.n_beyond,
            "outside the street area": self.n_outside,
            "without a place": self.n_without_place,
            "nodes never active": self.n_never_active,
            "snap distance, median m": self.snap.median_m,
            "snap distance, 90 % m": self.snap.p90_m,
            "snap distance, 99 % m": self.snap.p99_m,
            "snap distance, largest m": self.snap.max_m,
        }


def count_segments(area: StudyArea, home: PlatformHome) -> SegmentCountReport:
    """Count the current incidents again, per day and node of the newest street graph.

    Raises:
        StudyAreaError: if the area has no streets, or a run on them needs more memory than there
            is.
        IncompleteDataError: if there is no graph or no complete day, or incidents came in
            meanwhile.
        CoordinateError: if not one incident is within reach of a street.
    """
    spec = require_streets(area)
    warehouse = Warehouse(home.warehouse)
    key, days = newest_graph_key(home, area.name), counted_days(area, home)
    places = warehouse.incident_places(
        area.name,
        grouped=list(spec.group_of_type),
        nearby=list(spec.nearby_types),
        first=days.first,
        last=days.last,
    )
    placed = places.dropna(subset=["x_m", "y_m"])
    graph, spots = _spots(area, home, key, placed)
    problem = street_size_problem(
        area.name,
        n_nodes=graph.n_nodes,
        n_days=int((days.last - days.first).astype(np.int64)) + 1,
        n_groups=len(spec.offence_groups),
        memory_bytes=memory_bytes(),
    )
    if problem is not None:
        raise StudyAreaError(problem)
    n = {
        f"n_{fate}": int(placed.loc[spots["fate"] == fate, "n_incidents"].sum())
        for fate in (SNAPPED, BEYOND, OUTSIDE)
    }
    n["n_incidents"] = int(places["n_incidents"].sum())
    n["n_without_place"] = n["n_incidents"] - int(placed["n_incidents"].sum())
    warehouse.replace_segment_counts(
        area.name,
        spots,
        group_of_type={**dict.fromkeys(spec.nearby_types, ""), **spec.group_of_type},
        premises_of_label=area.premises_of_label,
        entry={
            "graph_key": key,
            "offence_groups": list(spec.group_names),
            "first_day": days.first.item(),
            "last_day": days.last.item(),
            "newest_day": days.newest.item(),
            **n,
        },
    )
    snapped = _snapped_of_groups(placed, spots)
    active = spots.loc[(spots["fate"] == SNAPPED) & (placed["n_forecast"] > 0), "segment_id"]
    n_rows, totals = _rows_and_totals(warehouse, area.name)
    return SegmentCountReport(
        graph_key=key,
        days=days,
        n_rows=n_rows,
        **n,
        n_forecast=int((~snapped.is_beyond).sum()),
        snap=snap_report(snapped),
        snap_distance_m=snapped.distance_m[~snapped.is_beyond],
        n_never_active=graph.n_nodes - active.nunique(),
        totals=totals,
    )


def last_counted_day(home: PlatformHome, area_name: str) -> Day | None:
    """Last day of the area's counts on streets; None before they were made."""
    found = Warehouse(home.warehouse).street_count(area_name)
    return None if found is None else found.last


def read_segment_counts(home: PlatformHome, area_name: str) -> SegmentCounts:
    """The counts that `count_segments` stored, dense, on the graph they were made on.

    Raises:
        IncompleteDataError: if nothing was counted, or the groups in the TOML are others by now.
        StudyAreaError: if the area's TOML cannot be read or has no streets.
        CoordinateError: if a file of points is missing or has no place in the CRS.
        SourceFormatError: if a file of points or temperatures cannot be read.
    """
    area = load_study_area(home.study_areas / f"{area_name}.toml")
    spec = require_streets(area)
    warehouse = Warehouse(home.warehouse)
    told = warehouse.street_count(area_name)
    if told is None:
        raise IncompleteDataError(
            f"{area_name} has no counts on streets: materialise segment_day_count"
        )
    if told.offence_groups != spec.group_names:
        raise IncompleteDataError(
            f"{area_name} was counted for the groups {list(told.offence_groups)}, and its TOML "
            f"names {list(spec.group_names)}: materialise segment_day_count again"
        )
    first, last = told.first, told.last
    graph = read_graph(graph_path(home, area_name, told.graph_key))
    counts, marked = _dense(warehouse.segment_rows(area_name), spec.group_names, graph, first, last)
    history = CountHistory(
        steps=np.arange(first, last + 1, dtype="datetime64[D]"),
        counts=counts,
        holidays=holidays_of(
            area.calendar, area.first_month, last.astype("datetime64[M]") + MONTHS_AHEAD
        ),
        marked=marked,
    )
    return SegmentCounts(
        graph=graph,
        offence_groups=spec.group_names,
        history=history,
        node_features=node_features(spec, graph, home),
        covariates=day_covariates(spec, home, first=first, last=last),
    )


def _spots(
    area: StudyArea, home: PlatformHome, key: str, placed: "pd.DataFrame"
) -> "tuple[StreetGraph, pd.DataFrame]":
    """The fate of every distinct place, row by row."""
    import pandas as pd

    x_m, y_m = placed["x_m"].to_numpy(), placed["y_m"].to_numpy()
    found = place_fates(area, home, key, x_m, y_m)
    fate = np.select([found.node >= 0, found.is_inside], [SNAPPED, BEYOND], OUTSIDE)
    names = np.array([*found.graph.node_id, None], dtype=object)
    spec = require_streets(area)
    street = "place" if found.graph.kind == PLACE else "street"
    spots = pd.DataFrame(
        {
            "x_m": x_m,
            "y_m": y_m,
            "segment_id": names[found.node],  # the last name, of -1, is none
            "fate": fate,
            "reason": f"no {street} within {spec.max_snap_m:g} m",  # read of those beyond
            "distance_m": found.distance_m,
        },
        index=placed.index,
    )
    return found.graph, spots


def _snapped_of_groups(placed: "pd.DataFrame", spots: "pd.DataFrame") -> Snapped:
    """Every incident of the groups in the street area, with its distance."""
    within = (spots["fate"] != OUTSIDE).to_numpy()
    times = placed["n_forecast"].to_numpy()[within]
    is_snapped = (spots["fate"] == SNAPPED).to_numpy()[within]
    return Snapped(
        node=np.repeat(np.where(is_snapped, 0, -1).astype(np.int32), times),
        distance_m=np.repeat(spots["distance_m"].to_numpy()[within], times),
    )


def _rows_and_totals(warehouse: Warehouse, area_name: str) -> "tuple[int, pd.DataFrame]":
    counted, totals = warehouse.read_each(
        (
            "select count(*) as n from segment_day_count where study_area = ?",
            "select date_trunc('month', day)::date as month, sum(count)::bigint as count "
            "from segment_day_count where study_area = ? and mark = '' group by all order by all",
        ),
        area_name,
    )
    return int(counted["n"].item()), totals


def _dense(
    rows: "pd.DataFrame",
    groups: tuple[str, ...],
    graph: StreetGraph,
    first: Day,
    last: Day,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Counts of all incidents, and by mark; those of nearby types are the same for every group."""
    arrays: dict[str, np.ndarray] = {}
    for mark, of_mark in rows.groupby("mark", sort=True):
        is_nearby = str(mark).startswith(NEARBY)
        arrays[str(mark)] = segment_counts_array(
            of_mark,
            groups=("",) if is_nearby else groups,
            graph=graph,
            first=first,
            last=last,
            dtype=MARKED_TYPE if mark else np.float32,
        )
    n_days = int((last - first).astype(np.int64)) + 1
    shape = (n_days, len(groups), graph.n_nodes)
    counts = arrays.pop("", np.zeros(shape, dtype=np.float32))
    # A view: a nearby type is stored once however many groups there are.
    return counts, {mark: np.broadcast_to(array, shape) for mark, array in arrays.items()}
