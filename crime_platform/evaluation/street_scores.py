"""Forecasts of streets against what was recorded: the sums behind every score, day by day.

Sums only, so that days can be pooled and resampled: `street_evidence` takes the ratios.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.evaluation.street_plan import StreetPlan
from crime_platform.evaluation.street_runs import DayForecasts, StreetRun, read_days
from crime_platform.metrics.calibration import INTERVAL_LEVELS
from crime_platform.metrics.daily_hotspots import (
    CURVE_SHARES,
    DailyHits,
    daily_hits,
    node_count_hit_rate,
)
from crime_platform.metrics.errors import daily_deviance
from crime_platform.metrics.hotspots import COVERAGE_SHARES
from crime_platform.models.count_distribution import cdf, quantiles
from crime_platform.schema.values import ANY, TEST, VALIDATION
from crime_platform.tensors.street_counts import SegmentCounts

if TYPE_CHECKING:
    import pandas as pd

NODE_COUNT_COVERAGE = 0.2
CHUNK_VALUES = 2_000_000  # forecasts whose spread is judged at once

Case = tuple[str, int, str]
"""Part, lead and offence group, or `ANY`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetScores:
    """One model's sums over nodes, of every part, lead, offence group and day."""

    model: str
    rows: "pd.DataFrame"  # of `street_score`
    hits: Mapping[Case, DailyHits]  # at `CURVE_SHARES`
    node_count_hit_rate: Mapping[Case, float]

    def hotspot_rows(self) -> "pd.DataFrame":
        """Rows of `street_hotspot`: hits of each day at the coverages of the leaderboard."""
        import pandas as pd

        parts = []
        days = {(part, lead): each for (part, lead), each in self._targets()}
        for (part, lead, group), hits in self.hits.items():
            for coverage in COVERAGE_SHARES:
                row = hits.coverage_shares.index(coverage)
                columns = {
                    "model": self.model,
                    "part": part,
                    "lead": lead,
                    "offence_group": group,
                    "target_day": days[part, lead],
                    "coverage_share": coverage,
                    "sum_hits": hits.hits[row],
                    "sum_best_hits": hits.best_hits[row],
                    "sum_incidents": hits.n_incidents,
                }
                parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def _targets(self) -> "Iterator[tuple[tuple[str, int], pd.Series]]":
        for case, rows in self.rows.groupby(["part", "lead"], sort=False):
            days = rows["target_day"].drop_duplicates().reset_index(drop=True)
            yield case, days  # pyright: ignore[reportReturnType]


def score_street_run(run: StreetRun, counts: SegmentCounts, plan: StreetPlan) -> StreetScores:
    """Sums of the validation days, one day ahead, and of the test days at each judged lead.

    Args:
        run: of a model that was not skipped.
        counts: what was recorded, through the anchor at least.
        plan: says which leads are judged.
    """
    import pandas as pd

    rows, hits, node_count = [], {}, {}
    for part, lead in ((VALIDATION, 1), *((TEST, lead) for lead in plan.leads)):
        stated = read_days(run, part, lead)
        observed = _recorded(counts, stated.targets)
        for days in _chunks(*observed.shape):
            some = _of_days(stated, days)
            rows += list(_score_rows(run.model, some, observed[days], counts.offence_groups))
        for group, expected, recorded in _ranked(stated, observed, counts.offence_groups):
            case = (part, lead, group)
            extent = counts.graph.extent
            hits[case] = daily_hits(expected, recorded, extent, coverage_shares=CURVE_SHARES)
            node_count[case] = node_count_hit_rate(
                expected, recorded, coverage=NODE_COUNT_COVERAGE
            ).hit_rate
    return StreetScores(
        model=run.model,
        rows=pd.concat(rows, ignore_index=True),
        hits=hits,
        node_count_hit_rate=node_count,
    )


def _chunks(n_days: int, n_types: int, n_nodes: int) -> Iterator[slice]:
    """Days by the memory's worth: a dozen arrays of the chunk's size are held at once."""
    step = max(1, CHUNK_VALUES // (n_types * n_nodes))
    yield from (slice(first, first + step) for first in range(0, n_days, step))


def _of_days(stated: DayForecasts, days: slice) -> DayForecasts:
    return replace(
        stated,
        targets=stated.targets[days],
        expected_count=stated.expected_count[days],
        dispersion=stated.dispersion[days],
    )


def _recorded(counts: SegmentCounts, targets: np.ndarray) -> Float[np.ndarray, "day type node"]:
    first = counts.history.index_of(targets[0])
    return counts.history.counts[first : first + targets.size].astype(np.float64)


def _score_rows(
    model: str, stated: DayForecasts, observed: np.ndarray, groups: tuple[str, ...]
) -> "Iterator[pd.DataFrame]":
    """Rows of `street_score`, one frame for each offence group."""
    import pandas as pd

    expected = stated.expected_count.astype(np.float64)
    error = observed - expected
    sums = {
        "sum_observed": observed.sum(axis=2),
        "sum_expected": expected.sum(axis=2),
        "sum_deviance": daily_deviance(observed, expected),
        "sum_squared_error": (error**2).sum(axis=2),
        "sum_absolute_error": np.abs(error).sum(axis=2),
        **_spread(observed, expected, stated.dispersion.astype(np.float64)),
    }
    for kind, group in enumerate(groups):
        labels = {
            "model": model,
            "part": stated.part,
            "lead": stated.lead,
            "offence_group": group,
            "target_day": stated.targets.astype("datetime64[s]"),
            "n": observed.shape[2],
        }
        yield pd.DataFrame(labels | {name: each[:, kind] for name, each in sums.items()})


def _spread(
    observed: Float[np.ndarray, "day type node"],
    expected: Float[np.ndarray, "day type node"],
    alpha: Float[np.ndarray, "day type node"],
) -> dict[str, np.ndarray]:
    """Counts inside the central intervals, ends included, and how many the forecasts promise."""
    low_95, low_80, high_80, high_95 = quantiles(expected, alpha, INTERVAL_LEVELS)
    sums = {}
    for level, low, high in ((80, low_80, high_80), (95, low_95, high_95)):
        below = cdf((low - 1).astype(np.float64), expected, alpha)
        promised = cdf(high.astype(np.float64), expected, alpha) - below
        sums[f"n_inside_{level}"] = ((low <= observed) & (observed <= high)).sum(axis=2)
        sums[f"sum_stated_{level}"] = promised.sum(axis=2)
    return sums


def _ranked(
    stated: DayForecasts, observed: np.ndarray, groups: tuple[str, ...]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """What ranks the streets, and what was recorded there, for each group and for all together."""
    expected = stated.expected_count.astype(np.float64)
    yield ANY, expected.sum(axis=1), observed.sum(axis=1)
    for kind, group in enumerate(groups):
        yield group, expected[:, kind], observed[:, kind]
