"""What was known at each origin, as the few counts that were other then; stored with the tensor."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.vocabulary.forecast import Recount, Vintage
from crime_platform.vocabulary.timesteps import Month

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

ALL_INCIDENTS = ""  # in place of a mark: the counts of all incidents, whatever they bear
PLACE = ("revised_month", "revised_type", "revised_row", "revised_col")


def vintage_from(rows: "pd.DataFrame", *, first: Month, offence_types: tuple[str, ...]) -> Vintage:
    """A vintage from the counts that differ (`mark, month, offence_type, row, col, count`).

    Args:
        rows: counts as they were known then; `mark` is empty for those of all incidents.
        first: first month of the tensor.
        offence_types: the tensor's, in its order.
    """
    order = {name: index for index, name in enumerate(offence_types)}
    step = rows["month"].to_numpy().astype("datetime64[M]").astype(np.int64) - first.astype(int)
    kind = rows["offence_type"].map(order).to_numpy()
    place = np.stack([step, kind, rows["row"].to_numpy(), rows["col"].to_numpy()])
    return _vintage(rows["mark"].to_numpy(), place, rows["count"].to_numpy())


def vintage_variables(vintages: Mapping[Month, Vintage]) -> "dict[str, tuple]":
    """Variables of a dataset, one value per revised count of any origin."""
    parts = [
        (origin, mark, recount)
        for origin, then in vintages.items()
        for mark, recount in {ALL_INCIDENTS: then.counts, **then.marked}.items()
    ]
    sizes = [recount.count.size for _, _, recount in parts]
    place = np.concatenate(
        [np.zeros((len(PLACE), 0), np.int64), *(recount.position for _, _, recount in parts)],
        axis=1,
    )
    count = np.concatenate([np.zeros(0), *(recount.count for _, _, recount in parts)])
    origins = np.array([origin for origin, _, _ in parts], dtype="datetime64[M]")
    marks = np.array([mark for _, mark, _ in parts], dtype=str)
    axis = "revision"
    return {
        "revised_origin": (axis, np.repeat(origins.astype(np.int64), sizes)),
        "revised_mark": (axis, np.repeat(marks, sizes)),
        **{name: (axis, values) for name, values in zip(PLACE, place, strict=True)},
        "revised_count": (axis, count),
    }


def vintages_of(dataset: "xr.Dataset") -> dict[Month, Vintage]:
    """Read back what `vintage_variables` wrote; an origin without a difference is there too."""
    origin = dataset["revised_origin"].to_numpy().astype("datetime64[M]")
    marks = dataset["revised_mark"].to_numpy()
    place = np.stack([dataset[name].to_numpy() for name in PLACE])
    count = dataset["revised_count"].to_numpy()
    known = np.array(dataset.attrs["vintage_origins"], dtype="datetime64[M]")
    return {
        each: _vintage(marks[origin == each], place[:, origin == each], count[origin == each])
        for each in known
    }


def _vintage(marks: np.ndarray, place: np.ndarray, count: np.ndarray) -> Vintage:
    def recount(mark: str) -> Recount:
        is_of_mark = marks == mark
        return Recount(
            position=place[:, is_of_mark].astype(np.int64),
            count=count[is_of_mark].astype(np.float64),
        )

    bearing = sorted({str(mark) for mark in marks} - {ALL_INCIDENTS})
    return Vintage(counts=recount(ALL_INCIDENTS), marked={mark: recount(mark) for mark in bearing})
