"""Errors of expected counts: sums first, ratios last.

Sums of any two sets of cases add up to the sums of their union, so origins, offence types and
leads pool exactly; every ratio is taken once, from pooled sums. Spread and rank are scored in
`calibration` and `hotspots`.
"""

import math
from dataclasses import dataclass, fields
from operator import add

import numpy as np
from jaxtyping import Bool, Float
from scipy import special

EXACT_MEAN = 30.0  # above it the expected deviance of a Poisson count has a short series
EXACT_COUNTS = 80  # P(count > 80) is below 1e-12 when the mean is 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSums:
    """Sums over cases (one case is one unit, offence type and target step); `+` pools them."""

    n: int
    sum_observed: float
    sum_expected: float
    sum_deviance: float
    sum_squared_error: float
    sum_absolute_error: float
    n_scaled: int  # cases of series that moved in the past, the only ones RMSSE can scale
    sum_scaled_squared_error: float
    sum_noise_deviance: float  # deviance that a Poisson count shows against its own true rate

    def __add__(self, other: "ErrorSums") -> "ErrorSums":
        names = [field.name for field in fields(self)]
        return ErrorSums(**{name: add(getattr(self, name), getattr(other, name)) for name in names})


def error_sums(
    observed: Float[np.ndarray, "*case"],
    expected: Float[np.ndarray, "*case"],
    *,
    mask: Bool[np.ndarray, "*case"] | None = None,
    scale: Float[np.ndarray, "*case"] | None = None,
) -> ErrorSums:
    """Everything the ratios below need, over the cases where `mask` is true.

    Args:
        observed: counts.
        expected: expected counts of the same cases.
        mask: cases that take part; all of them by default.
        scale: `naive_scale` of each case's series; without it RMSSE has no case.

    Raises:
        ValueError: if a count is negative or not finite: a missing case is masked, never skipped.

    Source: Poisson deviance, McCullagh & Nelder (1989), 2 (y ln(y / mu) - (y - mu)). It is
    infinite where an incident was called impossible (expected 0, observed > 0).
    """
    kept = np.ones(observed.shape, dtype=bool) if mask is None else mask
    y, mu = observed[kept].astype(np.float64), expected[kept].astype(np.float64)
    for name, values in (("observed", y), ("expected", mu)):
        wrong = ~np.isfinite(values) | (values < 0)
        if wrong.any():
            raise ValueError(
                f"every {name} count must be a finite number >= 0; {int(wrong.sum())} of "
                f"{wrong.size} are not, the first {values[wrong][0]}: mask cases without data"
            )
    squared = (y - mu) ** 2
    per_case = np.zeros(y.shape) if scale is None else scale[kept].astype(np.float64)
    moved = per_case > 0
    return ErrorSums(
        n=y.size,
        sum_observed=float(y.sum()),
        sum_expected=float(mu.sum()),
        sum_deviance=float(2 * special.kl_div(y, mu).sum()),
        sum_squared_error=float(squared.sum()),
        sum_absolute_error=float(np.abs(y - mu).sum()),
        n_scaled=int(moved.sum()),
        sum_scaled_squared_error=float((squared[moved] / per_case[moved]).sum()),
        sum_noise_deviance=float(expected_deviance(mu).sum()),
    )


def daily_deviance(
    observed: Float[np.ndarray, "day type node"], expected: Float[np.ndarray, "day type node"]
) -> Float[np.ndarray, "day type"]:
    """Poisson deviance of each day and offence type, summed over nodes; days can be resampled.

    Infinite where an incident was called impossible.

    Raises:
        ValueError: if a count is negative or not finite.

    Source: as in `error_sums`.
    """
    for name, values in (("observed", observed), ("expected", expected)):
        wrong = ~np.isfinite(values) | (values < 0)
        if wrong.any():
            day, kind, node = np.argwhere(wrong)[0]
            raise ValueError(
                f"every {name} count must be a finite number >= 0; {int(wrong.sum())} of "
                f"{wrong.size} are not, the first {values[day, kind, node]} on day {day}, type "
                f"{kind}, node {node}"
            )
    return 2 * special.kl_div(observed.astype(np.float64), expected).sum(axis=2)


def naive_scale(counts: Float[np.ndarray, " step *series"]) -> Float[np.ndarray, "*series"]:
    """Mean squared step-to-step change of each series in the past; 0 if it never moved.

    Raises:
        ValueError: if there are fewer than 2 steps.
    """
    if len(counts) < 2:
        raise ValueError(f"a step-to-step change needs at least 2 steps, got {len(counts)}")
    return (np.diff(counts.astype(np.float64), axis=0) ** 2).mean(axis=0)


def expected_deviance(mu: Float[np.ndarray, " case"]) -> Float[np.ndarray, " case"]:
    """Mean Poisson deviance of a Poisson count against its own rate: noise that no model removes.

    Summed over counts up to a mean of `EXACT_MEAN`; beyond it 1 + 1/(6 mu) + 1/(6 mu^2), whose
    error is below 2e-5 there.
    """
    noise = np.ones(mu.shape)
    large = mu > EXACT_MEAN
    noise[large] += (1 + 1 / mu[large]) / (6 * mu[large])
    case = np.flatnonzero(~large)
    rate = mu[case]
    log_rate = special.xlogy(rate > 0, rate)
    mass, left, total = np.exp(-rate), -np.expm1(-rate), np.zeros(rate.shape)
    for k in range(1, EXACT_COUNTS + 1):
        mass = mass * rate / k
        total += mass * 2 * k * (math.log(k) - log_rate)
        left = left - mass
        open_ = left > 1e-9
        if not open_.all():
            noise[case[~open_]] = total[~open_]
            case, rate, log_rate = case[open_], rate[open_], log_rate[open_]
            mass, left, total = mass[open_], left[open_], total[open_]
    noise[case] = total
    return noise


def mean_poisson_deviance(sums: ErrorSums) -> float:
    """Pooled mean Poisson deviance, lower is better; NaN without a case."""
    return _ratio(sums.sum_deviance, sums.n)


def rmse(sums: ErrorSums) -> float:
    """Root of the pooled mean squared error, in incidents; NaN without a case."""
    return math.sqrt(_ratio(sums.sum_squared_error, sums.n))


def mae(sums: ErrorSums) -> float:
    """Pooled mean absolute error, in incidents. It rewards forecasting zero: never decide by it."""
    return _ratio(sums.sum_absolute_error, sums.n)


def bias_share(sums: ErrorSums) -> float:
    """Total expected over total observed, less 1: -0.1 is 10 % too few; NaN without an incident."""
    return _ratio(sums.sum_expected, sums.sum_observed) - 1


def rmsse(sums: ErrorSums) -> float:
    """Root mean squared error in units of each series' own step-to-step change; NaN if none moved.

    Source: Hyndman & Koehler (2006), as in M5. Ours: squared errors are pooled before the one
    root, where M5 averages a root per series; series that never moved are left out.
    """
    return math.sqrt(_ratio(sums.sum_scaled_squared_error, sums.n_scaled))


def noise_floor_deviance(sums: ErrorSums) -> float:
    """Mean deviance left if the forecast were the true Poisson rate; NaN without a case."""
    return _ratio(sums.sum_noise_deviance, sums.n)


def noise_floor_rmse(sums: ErrorSums) -> float:
    """RMSE left if the forecast were the true Poisson rate, whose variance is its mean."""
    return math.sqrt(_ratio(sums.sum_expected, sums.n))


def skill_score(score: float, baseline_score: float) -> float:
    """1 - score / score of a named baseline: 1 is perfect, 0 is no better; NaN over 0."""
    return 1 - _ratio(score, baseline_score)


def reducible_gap_closed(score: float, baseline_score: float, floor: float) -> float:
    """Share of the way from the baseline's score to the noise floor; 1 is all that can be had.

    NaN when the baseline already lies at or below the floor: nothing can be told then.
    """
    gap = baseline_score - floor
    return (baseline_score - score) / gap if gap > 0 else math.nan


def _ratio(numerator: float, denominator: float | int) -> float:
    return numerator / denominator if denominator else math.nan
