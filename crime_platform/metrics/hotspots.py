"""Hit rate, PAI and PEI: how many incidents lie in the little that a forecast flags.

Sums first, ratios last: hits and incidents of single steps add up, and a step without an incident
adds nothing instead of turning a mean into NaN. What is flagged is extent (km2 of land or km of
street), never a number of units: long streets must not be free.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real

COVERAGE_SHARES = (0.01, 0.05, 0.10, 0.20)


@dataclass(frozen=True, slots=True, kw_only=True)
class HotspotSums:
    """Hits at one coverage, over one or more steps; `+` pools them."""

    coverage_share: float
    hits: float  # incidents inside what was flagged
    best_hits: float  # incidents inside what would have been best to flag
    n_incidents: float

    def __add__(self, other: "HotspotSums") -> "HotspotSums":
        if self.coverage_share != other.coverage_share:
            raise ValueError(
                "hits pool at one coverage only, got "
                f"{self.coverage_share} and {other.coverage_share}"
            )
        return HotspotSums(
            coverage_share=self.coverage_share,
            hits=self.hits + other.hits,
            best_hits=self.best_hits + other.best_hits,
            n_incidents=self.n_incidents + other.n_incidents,
        )


def hotspot_sums(
    risk: Float[np.ndarray, "*unit"],
    incidents: Real[np.ndarray, "*unit"],
    extent: Float[np.ndarray, "*unit"],
    *,
    coverage: float,
) -> HotspotSums:
    """Hits of one step when the riskiest `coverage` of the extent is flagged.

    Args:
        risk: scores; only their order matters. Give a rate per extent if units differ in size.
        incidents: observed counts in the same step.
        extent: km2 of land or km of street of each unit, all positive.
        coverage: share of the total extent we may flag, in (0, 1].

    Raises:
        ValueError: if `coverage` is outside (0, 1], a risk is not a number, or an extent is not
            positive.

    Source: Bowers, Johnson & Pease (2004), Br. J. Criminol. 44(5); best hits, Hunt (2016). Ties
    are ours: see `_hits`.
    """
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must be in (0, 1], got {coverage}; write 20% as 0.2")
    if np.isnan(risk).any():
        raise ValueError(f"every risk must be a number, {int(np.isnan(risk).sum())} are NaN")
    if not (extent > 0).all():
        raise ValueError(f"every extent must be positive, the smallest is {extent.min()}")
    count, size = incidents.ravel().astype(np.float64), extent.ravel()
    return HotspotSums(
        coverage_share=coverage,
        hits=_hits(risk.ravel(), count, size, coverage),
        best_hits=_hits(count / size, count, size, coverage),
        n_incidents=float(count.sum()),
    )


def hit_rate(sums: HotspotSums) -> float:
    """Pooled share of incidents inside what was flagged, in [0, 1]; NaN without an incident."""
    return sums.hits / sums.n_incidents if sums.n_incidents else math.nan


def pai(sums: HotspotSums) -> float:
    """Predictive accuracy index: hit rate over coverage, 1 for a blind forecast.

    Source: Chainey, Tompson & Uhlig (2008), Security Journal 21.
    """
    return hit_rate(sums) / sums.coverage_share


def pei(sums: HotspotSums) -> float:
    """Predictive efficiency index: PAI over the best PAI possible at that coverage, in [0, 1].

    NaN without an incident.

    Source: Hunt (2016), Do crime hot spots move?, American University.
    """
    return sums.hits / sums.best_hits if sums.best_hits else math.nan


def _hits(risk: np.ndarray, count: np.ndarray, extent: np.ndarray, coverage: float) -> float:
    budget = coverage * extent.sum()
    riskiest_first = np.argsort(-risk, kind="stable")
    flagged = np.cumsum(extent[riskiest_first])
    last = min(int(np.searchsorted(flagged, budget)), risk.size - 1)
    threshold = risk[riskiest_first[last]]
    above, tied = risk > threshold, risk == threshold
    # Sparse forecasts tie often (most units are 0). An equal share of every tied unit is the mean
    # over random tie-breaks, and does not depend on the order of units.
    share = (budget - extent[above].sum()) / extent[tied].sum()
    return float(count[above].sum() + share * count[tied].sum())
