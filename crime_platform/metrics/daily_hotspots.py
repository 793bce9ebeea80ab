"""Daily hit rates on streets: many days, several coverages, sums of each day kept for resampling.

What is flagged is kilometres of street (places count one each). Nodes are ranked by expected count
per extent: a long street holds more incidents than a short one of the same danger, and costs more.
The rules are those of `hotspots`, whose ratios take the pooled sums made here.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

from crime_platform.metrics.hotspots import COVERAGE_SHARES, HotspotSums
from crime_platform.metrics.significance import BLOCK_DAYS, block_draws

CURVE_SHARES = tuple(percent / 100 for percent in range(1, 101))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyHits:
    """Hits of every day at several coverages; `+` adds counts of other offence types, same days."""

    coverage_shares: tuple[float, ...]
    hits: Float[np.ndarray, "coverage day"]  # incidents inside what was flagged
    best_hits: Float[np.ndarray, "coverage day"]  # inside what would have been best to flag
    n_incidents: Float[np.ndarray, " day"]

    def __add__(self, other: "DailyHits") -> "DailyHits":
        mine = (self.coverage_shares, self.n_incidents.size)
        theirs = (other.coverage_shares, other.n_incidents.size)
        if mine != theirs:
            raise ValueError(
                "hits add up over the same coverages and days only, got coverages "
                f"{mine[0]} on {mine[1]} days and {theirs[0]} on {theirs[1]} days"
            )
        return DailyHits(
            coverage_shares=self.coverage_shares,
            hits=self.hits + other.hits,
            best_hits=self.best_hits + other.best_hits,
            n_incidents=self.n_incidents + other.n_incidents,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HitRateCurve:
    """Pooled hit rate by coverage with its band; NaN without an incident."""

    coverage_shares: tuple[float, ...]
    hit_rate: Float[np.ndarray, " coverage"]
    low: Float[np.ndarray, " coverage"]
    high: Float[np.ndarray, " coverage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCountHitRate:
    """The compatibility metric and the days it could not be taken on."""

    hit_rate: float
    n_days: int
    n_days_without_events: int


def daily_hits(
    expected: Float[np.ndarray, "day node"],
    incidents: Real[np.ndarray, "day node"],
    extent: Float[np.ndarray, " node"],
    *,
    coverage_shares: tuple[float, ...] = COVERAGE_SHARES,
) -> DailyHits:
    """Hits of each day when the riskiest share of street length is flagged on that day.

    A day without incidents has 0 hits and adds nothing to a pooled rate. Expected counts per
    extent that agree to seven digits are a tie, lest rounding rank equally dangerous streets.

    Args:
        expected: expected counts, one row a day.
        incidents: observed counts of the same days.
        extent: kilometres of street of each node, all positive; ones for places.
        coverage_shares: shares of the total extent, each in (0, 1].

    Raises:
        ValueError: if a coverage lies outside (0, 1], an expected count is not a number, or an
            extent is not positive.

    Source: as `hotspot_sums`, for one day and one coverage at a time.
    """
    for coverage in coverage_shares:
        if not 0 < coverage <= 1:
            raise ValueError(f"coverage must be in (0, 1], got {coverage}; write 20% as 0.2")
    if np.isnan(expected).any():
        day, node = np.argwhere(np.isnan(expected))[0]
        raise ValueError(
            f"every expected count must be a number, {int(np.isnan(expected).sum())} are NaN, the "
            f"first on day {day}, node {node}"
        )
    if not (extent > 0).all():
        raise ValueError(
            f"every extent must be positive, node {extent.argmin()} has {extent.min()}"
        )
    counts = incidents.astype(np.float64)
    n_incidents = counts.sum(axis=1)
    budgets = np.array(coverage_shares) * extent.sum()
    hits, best_hits = np.zeros((2, len(coverage_shares), len(counts)))
    for day in np.flatnonzero(n_incidents):
        hits[:, day] = _hits(expected[day] / extent, counts[day], extent, budgets)
        best_hits[:, day] = _hits(counts[day] / extent, counts[day], extent, budgets)
    return DailyHits(
        coverage_shares=coverage_shares, hits=hits, best_hits=best_hits, n_incidents=n_incidents
    )


def pooled(daily: DailyHits) -> tuple[HotspotSums, ...]:
    """Sums over all days, one at each coverage: what `hit_rate`, `pai` and `pei` take."""
    total = float(daily.n_incidents.sum())
    sums = zip(daily.coverage_shares, daily.hits.sum(axis=1), daily.best_hits.sum(axis=1),
               strict=True)  # fmt: skip
    return tuple(
        HotspotSums(
            coverage_share=share, hits=float(hits), best_hits=float(best), n_incidents=total
        )
        for share, hits, best in sums
    )


def hit_rate_curve(
    daily: DailyHits, *, level: float = 0.95, block_days: int = BLOCK_DAYS, seed: int = 0
) -> HitRateCurve:
    """Pooled hit rate at each coverage, with a band from resampling days in blocks.

    The band holds at one coverage at a time, not for the whole curve at once.

    Args:
        daily: hits of consecutive days, oldest first; take `CURVE_SHARES` for a smooth curve.
        level: probability between the ends of the band, in (0, 1).
        block_days: neighbouring days that are drawn together.
        seed: the same seed, the same band.

    Raises:
        ValueError: if level or block lie outside their range.

    Source: Politis & Romano (1992), A circular block-resampling procedure for stationary data.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}; write 95% as 0.95")
    n_draws = block_draws(daily.n_incidents.size, block_days, seed=seed).astype(np.float64)
    resampled = _shares(n_draws @ daily.hits.T, n_draws @ daily.n_incidents)
    ends = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    rate = _shares(daily.hits.sum(axis=1)[None], daily.n_incidents.sum(keepdims=True))[0]
    return HitRateCurve(
        coverage_shares=daily.coverage_shares, hit_rate=rate, low=ends[0], high=ends[1]
    )


def node_count_hit_rate(
    expected: Float[np.ndarray, "day node"],
    incidents: Real[np.ndarray, "day node"],
    *,
    coverage: float,
) -> NodeCountHitRate:
    """Mean over days of the share of nodes with an event that lie inside the top k nodes.

    For comparison with published numbers only, never to decide by: k counts nodes, so long streets
    are free; a node with five incidents counts as one with one; a quiet day weighs as much as a
    busy one. Equal risks keep the order of nodes. The original divides by 0 on a day without
    events and its mean is then NaN; such days are left out here and counted. NaN if no day is left.

    Raises:
        ValueError: if `coverage` lies outside (0, 1], or an expected count is not a number.

    Source: the public implementation of GLDNet, github.com/subelsky/crimegraph, HitRateMetric.
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must be in (0, 1], got {coverage}; write 20% as 0.2")
    if np.isnan(expected).any():
        raise ValueError(
            f"every expected count must be a number, {int(np.isnan(expected).sum())} are NaN"
        )
    n_flagged = int(coverage * expected.shape[1])
    flagged = np.argsort(-expected, axis=1, kind="stable")[:, :n_flagged]
    has_event = incidents > 0
    n_events = has_event.sum(axis=1)
    n_hit = np.take_along_axis(has_event, flagged, axis=1).sum(axis=1)
    kept = n_events > 0
    rate = float((n_hit[kept] / n_events[kept]).mean()) if kept.any() else math.nan
    return NodeCountHitRate(
        hit_rate=rate, n_days=int(kept.sum()), n_days_without_events=int((~kept).sum())
    )


def _hits(
    density: np.ndarray, count: np.ndarray, extent: np.ndarray, budgets: np.ndarray
) -> np.ndarray:
    # Seven digits, and so ties: a rate times a length over that length is not always the rate.
    density = density.astype(np.float32)
    riskiest_first = np.argsort(-density, kind="stable")
    ranked = density[riskiest_first]
    last_of_tie = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), ranked.size - 1)
    flagged = np.cumsum(extent[riskiest_first])[last_of_tie]
    found = np.cumsum(count[riskiest_first])[last_of_tie]
    # Straight lines between ties: an equal share of every tied node, as in `hotspots`.
    return np.interp(budgets, np.append(0.0, flagged), np.append(0.0, found))


def _shares(
    hits: Float[np.ndarray, "row coverage"], n_incidents: Float[np.ndarray, " row"]
) -> Float[np.ndarray, "row coverage"]:
    shares = np.full(hits.shape, np.nan)
    total = n_incidents[:, None]
    return np.divide(hits, total, out=shares, where=total > 0)
