"""Whether the stated spread is true: interval coverage, PIT values and CRPS.

Sums first, ratios last, as in `errors`. Counts are whole numbers, so an 80 % interval of a small
rate must hold more than 80 %: what it should hold by its own distribution is summed beside it.
"""

import math
from dataclasses import dataclass, fields
from operator import add

import numpy as np
from jaxtyping import Bool, Float, Int

from crime_platform.models.count_distribution import cdf, crps, quantiles

INTERVAL_LEVELS = (0.025, 0.10, 0.90, 0.975)  # ends of the central 95 % and 80 % intervals
RATE_EDGES = (0.05, 0.2, 1.0, 5.0)  # incidents a step; near-empty, quiet, middling, busy, hot


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSums:
    """Sums over cases; `+` pools them. `stated` is what the forecasts themselves promise."""

    n: int
    sum_crps: float
    inside_80: int  # cases whose count lies in the central 80 % interval, ends included
    stated_80: float  # probability that the forecasts put on those intervals, summed
    width_80: float  # upper less lower end, in incidents, summed
    inside_95: int
    stated_95: float
    width_95: float

    def __add__(self, other: "CalibrationSums") -> "CalibrationSums":
        names = [field.name for field in fields(self)]
        pooled = {name: add(getattr(self, name), getattr(other, name)) for name in names}
        return CalibrationSums(**pooled)


def calibration_sums(
    observed: Float[np.ndarray, "*case"],
    expected: Float[np.ndarray, "*case"],
    alpha: Float[np.ndarray, "*case"],
    *,
    mask: Bool[np.ndarray, "*case"] | None = None,
) -> CalibrationSums:
    """CRPS and central-interval sums over the cases where `mask` is true.

    Raises:
        ValueError: if a value is negative or not finite: a missing case is masked, never skipped.
    """
    kept = np.ones(observed.shape, dtype=bool) if mask is None else mask
    y, mu, spread = (a[kept].astype(np.float64) for a in (observed, expected, alpha))
    for name, values in (("observed count", y), ("expected count", mu), ("alpha", spread)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(f"every {name} must be a finite number >= 0: mask cases without data")
    low_95, low_80, high_80, high_95 = quantiles(mu, spread, INTERVAL_LEVELS).astype(np.float64)
    return CalibrationSums(
        n=y.size,
        sum_crps=float(crps(y, mu, spread).sum()),
        inside_80=int(((low_80 <= y) & (y <= high_80)).sum()),
        stated_80=float((cdf(high_80, mu, spread) - cdf(low_80 - 1, mu, spread)).sum()),
        width_80=float((high_80 - low_80).sum()),
        inside_95=int(((low_95 <= y) & (y <= high_95)).sum()),
        stated_95=float((cdf(high_95, mu, spread) - cdf(low_95 - 1, mu, spread)).sum()),
        width_95=float((high_95 - low_95).sum()),
    )


def rate_group(expected: Float[np.ndarray, "*case"]) -> Int[np.ndarray, "*case"]:
    """Group of each case by its expected count: group g starts at `RATE_EDGES[g - 1]`.

    Pooled coverage is mostly that of near-empty units; groups show the busy ones. Cases are
    grouped by what was forecast, never by what happened, which would bias the coverage.
    """
    return np.searchsorted(RATE_EDGES, expected, side="right")


def calibration_by_rate(
    observed: Float[np.ndarray, "*case"],
    expected: Float[np.ndarray, "*case"],
    alpha: Float[np.ndarray, "*case"],
    *,
    mask: Bool[np.ndarray, "*case"] | None = None,
) -> tuple[CalibrationSums, ...]:
    """`calibration_sums` of every rate group, lowest rates first; a group may be empty (n = 0)."""
    kept = np.ones(observed.shape, dtype=bool) if mask is None else mask
    group = rate_group(expected)
    return tuple(
        calibration_sums(observed, expected, alpha, mask=kept & (group == g))
        for g in range(len(RATE_EDGES) + 1)
    )


def mean_crps(sums: CalibrationSums) -> float:
    """Pooled mean CRPS, in incidents; NaN without a case."""
    return _mean(sums.sum_crps, sums)


def interval_coverage_80(sums: CalibrationSums) -> float:
    """Share of cases inside the central 80 % interval; NaN without a case."""
    return _mean(sums.inside_80, sums)


def interval_coverage_95(sums: CalibrationSums) -> float:
    """Share of cases inside the central 95 % interval; NaN without a case."""
    return _mean(sums.inside_95, sums)


def stated_coverage_80(sums: CalibrationSums) -> float:
    """Share that the 80 % intervals should hold by the forecasts' own distribution, >= 0.8."""
    return _mean(sums.stated_80, sums)


def stated_coverage_95(sums: CalibrationSums) -> float:
    """Share that the 95 % intervals should hold by the forecasts' own distribution, >= 0.95."""
    return _mean(sums.stated_95, sums)


def pit_values(
    observed: Float[np.ndarray, "*case"],
    expected: Float[np.ndarray, "*case"],
    alpha: Float[np.ndarray, "*case"],
    *,
    seed: int = 0,
) -> Float[np.ndarray, "*case"]:
    """Randomised probability integral transform: uniform on [0, 1] if the spread is true.

    Each value is drawn evenly between P(Y < y) and P(Y <= y); the same seed, the same draw.

    Source: Smith (1985), J. Forecasting 4; Czado, Gneiting & Held (2009), Biometrics 65.
    """
    below = cdf(observed - 1, expected, alpha)
    draw = np.random.default_rng(seed).random(observed.shape)
    return below + draw * (cdf(observed, expected, alpha) - below)


def _mean(total: float | int, sums: CalibrationSums) -> float:
    return total / sums.n if sums.n else math.nan
