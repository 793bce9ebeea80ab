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
from crime_platform.models.dispersion import N_RATE_GROUPS, rate_group

INTERVAL_LEVELS = (0.025, 0.10, 0.90, 0.975)  # ends of the central 95 % and 80 % intervals
PIT_BINS = 20
RELIABILITY_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSums:
    """Sums over cases; `+` pools them. `stated` is what the forecasts themselves promise.

    `pit_inside` is the number of randomised PIT values in the central 80 or 95 % of [0, 1],
    averaged over the randomisation: unlike plain coverage it is 80 or 95 % of the cases when the
    spread is true, however lumpy the counts.
    """

    n: int
    sum_observed: float
    sum_expected: float
    sum_crps: float
    inside_80: int  # cases whose count lies in the central 80 % interval, ends included
    stated_80: float  # probability that the forecasts put on those intervals, summed
    width_80: float  # upper less lower end, in incidents, summed
    pit_inside_80: float
    inside_95: int
    stated_95: float
    width_95: float
    pit_inside_95: float

    def __add__(self, other: "CalibrationSums") -> "CalibrationSums":
        names = [field.name for field in fields(self)]
        pooled = {name: add(getattr(self, name), getattr(other, name)) for name in names}
        return CalibrationSums(**pooled)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationCases:
    """The terms of `CalibrationSums` case by case, and the two ends of each case's PIT."""

    observed: Float[np.ndarray, "*case"]
    expected: Float[np.ndarray, "*case"]
    crps: Float[np.ndarray, "*case"]
    inside_80: Bool[np.ndarray, "*case"]
    stated_80: Float[np.ndarray, "*case"]
    width_80: Float[np.ndarray, "*case"]
    inside_95: Bool[np.ndarray, "*case"]
    stated_95: Float[np.ndarray, "*case"]
    width_95: Float[np.ndarray, "*case"]
    pit_low: Float[np.ndarray, "*case"]  # P(Y < y)
    pit_high: Float[np.ndarray, "*case"]  # P(Y <= y)

    def sums_by(
        self, label: Int[np.ndarray, "*case"], n_labels: int
    ) -> tuple[CalibrationSums, ...]:
        """Sums of the cases with label 0, 1, ...; a label may have none (n = 0)."""
        low, high, flat_label = self.pit_low, self.pit_high, label.ravel()

        def total(values: np.ndarray) -> np.ndarray:
            # Without a case numpy answers in whole numbers, weights or not.
            sums = np.bincount(flat_label, weights=values.ravel(), minlength=n_labels)
            return sums.astype(np.float64)

        columns = {
            "n": np.bincount(flat_label, minlength=n_labels),
            "sum_observed": total(self.observed),
            "sum_expected": total(self.expected),
            "sum_crps": total(self.crps),
            "inside_80": total(self.inside_80).astype(np.int64),
            "stated_80": total(self.stated_80),
            "width_80": total(self.width_80),
            "pit_inside_80": total(pit_share(low, high, 0.9) - pit_share(low, high, 0.1)),
            "inside_95": total(self.inside_95).astype(np.int64),
            "stated_95": total(self.stated_95),
            "width_95": total(self.width_95),
            "pit_inside_95": total(pit_share(low, high, 0.975) - pit_share(low, high, 0.025)),
        }
        return tuple(
            CalibrationSums(**{name: values[k].item() for name, values in columns.items()})
            for k in range(n_labels)
        )


def calibration_cases(
    observed: Float[np.ndarray, "*case"],
    expected: Float[np.ndarray, "*case"],
    alpha: Float[np.ndarray, "*case"],
) -> CalibrationCases:
    """CRPS, central intervals and PIT of every case.

    Raises:
        ValueError: if a value is negative or not finite: a missing case is masked, never skipped.
    """
    y, mu, spread = (a.astype(np.float64) for a in (observed, expected, alpha))
    for name, values in (("observed count", y), ("expected count", mu), ("alpha", spread)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(f"every {name} must be a finite number >= 0: mask cases without data")
    low_95, low_80, high_80, high_95 = quantiles(mu, spread, INTERVAL_LEVELS).astype(np.float64)
    return CalibrationCases(
        observed=y,
        expected=mu,
        crps=crps(y, mu, spread),
        inside_80=(low_80 <= y) & (y <= high_80),
        stated_80=cdf(high_80, mu, spread) - cdf(low_80 - 1, mu, spread),
        width_80=high_80 - low_80,
        inside_95=(low_95 <= y) & (y <= high_95),
        stated_95=cdf(high_95, mu, spread) - cdf(low_95 - 1, mu, spread),
        width_95=high_95 - low_95,
        pit_low=cdf(y - 1, mu, spread),
        pit_high=cdf(y, mu, spread),
    )


def calibration_sums(
    observed: Float[np.ndarray, "*case"],
    expected: Float[np.ndarray, "*case"],
    alpha: Float[np.ndarray, "*case"],
    *,
    mask: Bool[np.ndarray, "*case"] | None = None,
) -> CalibrationSums:
    """CRPS, central-interval and PIT sums over the cases where `mask` is true.

    Raises:
        ValueError: if a value is negative or not finite: a missing case is masked, never skipped.
    """
    kept = np.ones(observed.shape, dtype=bool) if mask is None else mask
    cases = calibration_cases(observed[kept], expected[kept], alpha[kept])
    return cases.sums_by(np.zeros(cases.observed.shape, dtype=np.int64), 1)[0]


def calibration_by_rate(
    observed: Float[np.ndarray, "*case"],
    expected: Float[np.ndarray, "*case"],
    alpha: Float[np.ndarray, "*case"],
    *,
    mask: Bool[np.ndarray, "*case"] | None = None,
) -> tuple[CalibrationSums, ...]:
    """`calibration_sums` of every rate group, lowest rates first; a group may be empty (n = 0).

    Pooled coverage is mostly that of near-empty units; groups show the busy ones.
    """
    kept = np.ones(observed.shape, dtype=bool) if mask is None else mask
    cases = calibration_cases(observed[kept], expected[kept], alpha[kept])
    return cases.sums_by(rate_group(cases.expected), N_RATE_GROUPS)


def mean_crps(sums: CalibrationSums) -> float:
    """Pooled mean CRPS, in incidents; NaN without a case."""
    return _mean(sums.sum_crps, sums)


def interval_coverage_80(sums: CalibrationSums) -> float:
    """Share of cases inside the central 80 % interval; NaN without a case."""
    return _mean(sums.inside_80, sums)


def interval_coverage_95(sums: CalibrationSums) -> float:
    """Share of cases inside the central 95 % interval; NaN without a case."""
    return _mean(sums.inside_95, sums)


def pit_coverage_80(sums: CalibrationSums) -> float:
    """Share of randomised PIT values in 0.1 to 0.9: 0.8 if the spread is true."""
    return _mean(sums.pit_inside_80, sums)


def pit_coverage_95(sums: CalibrationSums) -> float:
    """Share of randomised PIT values in 0.025 to 0.975: 0.95 if the spread is true."""
    return _mean(sums.pit_inside_95, sums)


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


def pit_share(
    low: Float[np.ndarray, "*case"], high: Float[np.ndarray, "*case"], level: float
) -> Float[np.ndarray, "*case"]:
    """Probability that a randomised PIT, even between `low` and `high`, is at most `level`.

    Its mean over cases is the level itself when the spread is true; nothing is drawn, so there is
    no noise of the draw and no seed.

    Source: Czado, Gneiting & Held (2009), Biometrics 65, equation 2.
    """
    width = high - low
    # A count beyond all probability has no width: its PIT is the point itself.
    certain = (high <= level).astype(np.float64)
    return np.divide(np.clip(level - low, 0, width), width, out=certain, where=width > 0)


def pit_histogram(
    low: Float[np.ndarray, " case"],
    high: Float[np.ndarray, " case"],
    label: Int[np.ndarray, " case"],
    n_labels: int,
) -> Float[np.ndarray, "label bin"]:
    """Randomised PIT values in each twentieth of [0, 1], averaged over the randomisation.

    Source: Czado, Gneiting & Held (2009), Biometrics 65, section 2.1.
    """
    up_to = [
        np.bincount(label, weights=pit_share(low, high, level), minlength=n_labels)
        for level in np.arange(1, PIT_BINS) / PIT_BINS
    ]
    everything = np.bincount(label, minlength=n_labels).astype(np.float64)
    return np.diff(np.stack([np.zeros(n_labels), *up_to, everything], axis=1), axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Cases of similar expected count: what was expected of them and what was recorded."""

    n: int
    sum_expected: float
    sum_observed: float


def reliability(
    observed: Float[np.ndarray, " case"], expected: Float[np.ndarray, " case"]
) -> tuple[ReliabilityBin, ...]:
    """Ten bins between the deciles of the expected count, lowest first.

    Equal expected counts share a bin, so bins differ in size where many cases lie at one floor,
    and one may be empty.

    Raises:
        ValueError: if there is no case.
    """
    if expected.size == 0:
        raise ValueError("deciles need at least one expected count, got none")
    edges = np.quantile(expected, np.arange(1, RELIABILITY_BINS) / RELIABILITY_BINS)
    place = np.searchsorted(edges, expected, side="left")
    n, mu, y = (
        np.bincount(place, weights=weights, minlength=RELIABILITY_BINS)
        for weights in (None, expected, observed)
    )
    return tuple(
        ReliabilityBin(n=int(n[k]), sum_expected=float(mu[k]), sum_observed=float(y[k]))
        for k in range(RELIABILITY_BINS)
    )


def _mean(total: float | int, sums: CalibrationSums) -> float:
    return total / sums.n if sums.n else math.nan
