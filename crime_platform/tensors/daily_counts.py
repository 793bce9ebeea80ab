"""Daily counts of an area as one dense array, from incidents whose publisher gives the day."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from crime_platform.geography.grid import Grid
from crime_platform.study_area.source import require_days
from crime_platform.study_area.study_area import StudyArea
from crime_platform.tensors.grid_counts import dense_array
from crime_platform.vocabulary.timesteps import Day

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyCounts:
    """Counts of recorded incidents per day, offence type and cell, every day complete."""

    days: np.ndarray
    offence_types: tuple[str, ...]
    counts: Int[np.ndarray, "step type row col"]


def daily_counts(
    incidents: "pd.DataFrame", area: StudyArea, grid: Grid, *, first: Day, last: Day
) -> DailyCounts:
    """Tensor of the incidents with a place, one step per local calendar day.

    Args:
        incidents: columns `occurred_on`, `offence_type`, `row`, `col` and `n_incidents`.
        area: whose sources the incidents come from.
        grid: in which row and column are counted.
        first: day of the first step.
        last: day of the last step. A day without a row is a day without an incident: the caller
            has checked that all of them were ingested.

    Raises:
        IncompleteDataError: if a source of the area publishes months only.
        ValueError: if `last` lies before `first`, or an incident lies outside the tensor.
    """
    for source in area.sources:
        require_days(source)
    if last < first:
        raise ValueError(f"a range of days runs forward; got first {first} after last {last}")
    days = np.arange(first, last + 1, dtype="datetime64[D]")
    placed = incidents.dropna(subset=["row", "col"]).rename(
        columns={"occurred_on": "day", "n_incidents": "count"}
    )
    counts = dense_array(
        placed,
        np.int32,
        step="day",
        offence_types=area.offence_names,
        first=first,
        shape=(len(days), len(area.offence_names), grid.n_rows, grid.n_cols),
    )
    return DailyCounts(days=days, offence_types=area.offence_names, counts=counts)
