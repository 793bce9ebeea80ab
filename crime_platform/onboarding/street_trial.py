"""A trial of what a run does with an area's streets: graph, counts, days and the user's files."""

from dataclasses import dataclass, field

import numpy as np

from crime_platform.data_checks.blocking import (
    street_days_problem,
    unreached_streets_problem,
)
from crime_platform.data_checks.run_size import in_words, street_memory_bytes, street_minutes
from crime_platform.evaluation.street_plan import anchored_plan
from crime_platform.geography.user_points import read_user_points
from crime_platform.onboarding.trial import attempt
from crime_platform.pipeline.segment_counts import SegmentCountReport, count_segments
from crime_platform.pipeline.street_features import day_covariates, require_points
from crime_platform.pipeline.street_graph import (
    GraphReport,
    build_graph,
    counted_days,
    require_streets,
)
from crime_platform.study_area.streets import StreetSpec
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.home import PlatformHome

FAR_SHARE = 0.95  # of incidents outside the street area, which may be a small part of the city
UNPLACED_SHARE = 0.5  # of incidents without a place


@dataclass(slots=True, kw_only=True)
class StreetTrial:
    """What a run would have made of the streets."""

    n_groups: int
    graph: GraphReport | None = None
    counts: SegmentCountReport | None = None
    stops: list[str] = field(default_factory=list)  # a run would stop at each
    remarks: list[str] = field(default_factory=list)  # a run would go on, perhaps not as meant

    @property
    def words(self) -> str | None:
        """What a run of the streets takes, roughly; None where that is not known."""
        if self.graph is None or self.counts is None:
            return None
        n_nodes, days = self.graph.graph.n_nodes, self.counts.days
        n_days = int((days.last - days.first).astype(np.int64)) + 1
        memory = street_memory_bytes(n_nodes=n_nodes, n_days=n_days, n_groups=self.n_groups)
        return in_words(street_minutes(n_nodes=n_nodes, n_days=n_days), memory)


def try_streets(area: StudyArea, home: PlatformHome, *, is_stored: bool) -> StreetTrial:
    """Build the graph, count on it and read every other file that `[streets]` names.

    Args:
        area: with `[streets]`.
        home: its `trial` folder holds the incidents, and gets everything that is made.
        is_stored: whether there is any incident; without one only the files are looked at.

    Raises:
        StudyAreaError: if the area has no streets.
    """
    spec = require_streets(area)
    trial = StreetTrial(n_groups=len(spec.offence_groups))
    for points in spec.points:
        path = home.root.absolute() / points.file
        attempt(
            trial.stops,
            lambda path=path, points=points: require_points(
                read_user_points(path, crs=area.crs, value_column=points.value_column), path
            ),
        )
    if is_stored or spec.file is not None:
        trial.graph = attempt(trial.stops, lambda: build_graph(area, home))
    days = attempt(trial.stops, lambda: counted_days(area, home)) if is_stored else None
    if days is None:
        return trial
    problem = street_days_problem(area, days.last)
    if problem is not None:
        trial.stops.append(problem)
    else:
        plan = anchored_plan(days.last, horizon=spec.horizon)
        attempt(trial.stops, lambda: plan.split(days.first))
    attempt(trial.stops, lambda: day_covariates(spec, home, first=days.first, last=days.last))
    if trial.graph is not None:
        _count(trial, area, spec, home)
    trial.stops = list(dict.fromkeys(trial.stops))  # the graph may be refused for its days, too
    return trial


def _count(trial: StreetTrial, area: StudyArea, spec: StreetSpec, home: PlatformHome) -> None:
    found = attempt(trial.stops, lambda: count_segments(area, home))
    if found is None:
        return
    trial.counts = found
    problem = unreached_streets_problem(area.name, found.snap, spec.max_beyond_share)
    if problem is not None:
        trial.stops.append(problem)
    n_placed = found.n_incidents - found.n_without_place
    if found.n_outside > FAR_SHARE * n_placed:
        trial.remarks.append(
            f"[streets] {found.n_outside:,} of {n_placed:,} incidents with a place "
            f"({found.n_outside / n_placed:.0%}) lie outside the street area and are not counted "
            "on streets; check file, extent_m or boundary_file under [streets] if that is not meant"
        )
    if found.n_without_place > UNPLACED_SHARE * found.n_incidents:
        trial.remarks.append(
            f"[streets] {found.n_without_place:,} of {found.n_incidents:,} incidents "
            f"({found.n_without_place / found.n_incidents:.0%}) have no place, so they are on no "
            "street"
        )
    if spec.file is not None and np.isfinite(found.snap.p90_m):
        _note_distance(trial, found, spec)


def _note_distance(trial: StreetTrial, found: SegmentCountReport, spec: StreetSpec) -> None:
    """Say how far incidents are from their street, where that is not near."""
    if found.snap.median_m > spec.max_snap_m / 2:
        trial.remarks.append(
            f"[streets] half of the incidents are farther than {found.snap.median_m:.0f} m from "
            "their street: the publisher may have moved them, or the file lacks their streets"
        )
