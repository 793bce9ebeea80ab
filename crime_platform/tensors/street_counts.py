"""Daily counts of recorded incidents on a street graph: what every street model starts from.

Rebuilt from the sparse table in the warehouse, which is the truth; nothing here opens a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.geography.street_graph import StreetGraph
from crime_platform.vocabulary.artifact import content_key
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import Day

if TYPE_CHECKING:
    import pandas as pd

MARKED_TYPE = np.float16  # exact up to 2,048 incidents a day; marks are many and mostly zero


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayCovariates:
    """What is known of days ahead, besides the calendar: one row per day, forecast days included.

    A user's temperature table reaches as far as its file; days beyond it hold the mean of the same
    calendar day, so that tomorrow is never unknown.
    """

    days: np.ndarray  # datetime64[D], consecutive
    names: tuple[str, ...]
    values: Float[np.ndarray, "day covariate"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentCounts:
    """Counts per day, offence group and node of one street graph, every day complete.

    `history.marked` holds, by mark, counts on the same axes: of the counted incidents that bear it
    (`premises_outside`, `hours_night`), or, as `nearby_<offence type>`, of other offence types
    that were snapped to the same nodes and are shown to models without being forecast.
    """

    graph: StreetGraph
    offence_groups: tuple[str, ...]
    history: CountHistory  # steps are days, counts [step, type, node]
    node_features: Mapping[str, Float[np.ndarray, " node"]] = field(default_factory=dict)
    covariates: DayCovariates | None = None

    def __post_init__(self) -> None:
        expected = (len(self.offence_groups), self.graph.n_nodes)
        if self.history.counts.shape[1:] != expected:
            raise ValueError(
                f"expected counts of {expected[0]} offence groups on {expected[1]} nodes, found "
                f"{self.history.counts.shape[1:]}: build the counts on this graph"
            )

    @property
    def days(self) -> np.ndarray:
        return self.history.steps

    @property
    def data_version(self) -> str:
        """Key of everything a model can learn from."""
        features = [part for name, values in self.node_features.items() for part in (name, values)]
        ahead = self.covariates
        known = [] if ahead is None else [list(ahead.names), ahead.days.astype("int64")]
        return content_key(
            *self.graph.content,
            *self.history.content,
            list(self.offence_groups),
            *features,
            *known,
            *([] if ahead is None else [ahead.values]),
        )

    def through(self, last: Day) -> "SegmentCounts":
        """The same up to and including one day.

        Raises:
            IncompleteDataError: if the counts do not hold that day.
        """
        return SegmentCounts(
            graph=self.graph,
            offence_groups=self.offence_groups,
            history=self.history.through(last),
            node_features=self.node_features,
            covariates=self.covariates,
        )


def segment_counts_array(
    rows: "pd.DataFrame",
    *,
    groups: tuple[str, ...],
    graph: StreetGraph,
    first: Day,
    last: Day,
    dtype: type = np.float32,
) -> Float[np.ndarray, "step type node"]:
    """Dense counts of the rows `day, offence_group, segment_id, count`; an absent row is a zero.

    Args:
        rows: sparse counts; days outside first..last are refused.
        groups: the `type` axis.
        graph: the `node` axis.
        first: day of the first step.
        last: day of the last step.
        dtype: of the result.

    Raises:
        ValueError: if a row names a group, a segment or a day that has no place in the array.
    """
    n_days = int((last - first).astype(np.int64)) + 1
    step = (rows["day"].to_numpy().astype("datetime64[D]") - first).astype(np.int64)
    kind = _positions(rows["offence_group"], groups)
    node = _positions(rows["segment_id"], graph.node_id)
    wrong = (step < 0) | (step >= n_days) | (kind < 0) | (node < 0)
    if wrong.any():
        example = rows.iloc[int(np.flatnonzero(wrong)[0])].to_dict()
        raise ValueError(
            f"{int(wrong.sum())} counts have no place among the days {first}..{last}, the offence "
            f"groups {list(groups)} and the {graph.n_nodes} nodes; the first is {example}: count "
            "again on this graph"
        )
    # Made as it is returned: pages of zeros that nothing is written to take no memory.
    shape = (n_days, len(groups), graph.n_nodes)
    counts = np.zeros(shape, dtype=dtype)
    flat = np.ravel_multi_index((step, kind, node), shape)  # one axis: three take numpy far longer
    np.add.at(counts.reshape(-1), flat, rows["count"].to_numpy().astype(dtype))
    return counts


def _positions(values: "pd.Series", names: tuple[str, ...]) -> np.ndarray:
    import pandas as pd

    return pd.Index(names).get_indexer(pd.Index(values))
