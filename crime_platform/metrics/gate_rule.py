"""The rule of both gates: a forecast against its reference on the same steps, noise included.

Better must be clear of noise, and worse must not be. Steps are months or days, oldest first.
Intervals come from resampled blocks of neighbouring steps, both forecasts together, so that what a
step did to both cancels; for few steps they are stretched, because blocks of few steps vary less
than the steps they stand for.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Shaped

from crime_platform.metrics.significance import BLOCK_DAYS, block_draws, few_steps_stretch

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
BIAS_LIMIT = 0.10  # expected / recorded - 1
MIN_ORIGINS = 4  # months: two blocks of two neighbours, the least that can differ from one another
MIN_DAYS = 4 * BLOCK_DAYS  # four blocks, and every weekday four times
# A total of n incidents is known to about 1 / sqrt(n). With 100 a bias of twice the limit still
# stands out from noise; with fewer no clause could refuse it.
MIN_INCIDENTS = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepSums:
    """Sums of one forecast at each step, oldest first, and what was recorded there."""

    step: Shaped[np.ndarray, " step"]
    deviance: Float[np.ndarray, " step"]
    squared_error: Float[np.ndarray, " step"]
    expected: Float[np.ndarray, " step"]
    observed: Float[np.ndarray, " step"]
    hits: Float[np.ndarray, " step"] | None = None  # incidents on the riskiest places

    @property
    def hit_rate(self) -> float:
        """Share of incidents on the riskiest places; NaN without an incident or a ranking."""
        n_incidents = self.observed.sum()
        return math.nan if self.hits is None or not n_incidents else self.hits.sum() / n_incidents

    @classmethod
    def of_rows(
        cls, rows: "pd.DataFrame", step: str, *, hotspots: "pd.DataFrame | None" = None
    ) -> "StepSums":
        """Sums of score rows of one model; a score that is no number makes its sum none.

        Args:
            rows: of a score table.
            step: its column of months or days.
            hotspots: rows with `sum_hits` at the coverage judged, of the same steps.
        """
        steps = np.unique(rows[step].to_numpy())

        def summed(table: "pd.DataFrame", column: str) -> np.ndarray:
            at = np.searchsorted(steps, table[step].to_numpy())
            values = table[column].to_numpy(dtype=np.float64)
            return np.bincount(at, values, minlength=steps.size)

        return cls(
            step=steps,
            deviance=summed(rows, "sum_deviance"),
            squared_error=summed(rows, "sum_squared_error"),
            expected=summed(rows, "sum_expected"),
            observed=summed(rows, "sum_observed"),
            hits=None if hotspots is None else summed(hotspots, "sum_hits"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Noisy:
    """A figure and the ends of its interval; NaN where it cannot be computed."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.2%} ({LEVEL:.0%} interval {self.low:+.2%} to {self.high:+.2%})"

    def in_points(self) -> str:
        """As a difference of two shares is told."""
        ends = f"{100 * self.low:+.2f} to {100 * self.high:+.2f}"
        return f"{100 * self.value:+.2f} points ({LEVEL:.0%} interval {ends})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What the steps say about a forecast beside its reference."""

    n_steps: int
    n_incidents: float
    deviance_skill: Noisy
    rmse_skill: Noisy
    bias: Noisy
    hit_gain: Noisy | None  # hit rate less that of the reference; None where nothing is ranked

    def figures(self, where: str) -> dict[str, float]:
        """By name, as a verdict keeps them; `where` says which leads."""
        named = {
            "deviance skill": self.deviance_skill,
            "rmse skill": self.rmse_skill,
            "bias": self.bias,
            "hit rate gain": self.hit_gain,
        }
        return {
            f"{name}, {where}{end}": value
            for name, figure in named.items()
            if figure is not None
            for end, value in (
                ("", figure.value),
                (", interval low", figure.low),
                (", interval high", figure.high),
            )
        }


def compare(ours: StepSums, reference: StepSums, *, block: int) -> Comparison:
    """A forecast beside its reference on the same steps.

    Args:
        ours: the forecast that is to be published.
        reference: what it must beat.
        block: neighbouring steps that are drawn together; at most half of all steps are.

    Raises:
        ValueError: if the two do not have the same steps.
    """
    n_steps = ours.step.size
    if not np.array_equal(ours.step, reference.step):
        raise ValueError(
            f"a forecast scored at {n_steps} steps, {_span(ours)}, cannot be compared with a "
            f"reference scored at {reference.step.size}, {_span(reference)}: score both at the same"
        )
    resampling = _Resampling.of(n_steps, block)
    lost_skill = resampling.ratio(ours.deviance, reference.deviance)
    lost_rmse = resampling.ratio(ours.squared_error, reference.squared_error)
    gain = None
    if ours.hits is not None and reference.hits is not None:
        gain = resampling.interval(*resampling.ratio(ours.hits - reference.hits, ours.observed))
    over = resampling.ratio(ours.expected, ours.observed)
    return Comparison(
        n_steps=n_steps,
        n_incidents=float(ours.observed.sum()),
        deviance_skill=resampling.interval(1 - lost_skill[0], 1 - lost_skill[1]),
        rmse_skill=resampling.interval(1 - math.sqrt(lost_rmse[0]), 1 - np.sqrt(lost_rmse[1])),
        bias=resampling.interval(over[0] - 1, over[1] - 1),
        hit_gain=gain,
    )


def _span(sums: StepSums) -> str:
    return f"{sums.step[0]} to {sums.step[-1]}"


def too_little(comparison: Comparison, *, min_steps: int, unit: str) -> list[str]:
    """Why there is too little evidence to publish anything, as sentences; empty if there is not."""
    n_steps, n_incidents = comparison.n_steps, comparison.n_incidents
    reasons = []
    if n_steps < min_steps:
        reasons.append(
            f"{n_steps} {unit} are scored, and at least {min_steps} are needed to tell skill from "
            "chance"
        )
    if not n_incidents >= MIN_INCIDENTS:  # NaN is refused too
        reasons.append(
            f"{n_incidents:.0f} incidents were recorded in the {n_steps} scored {unit}, and at "
            f"least {MIN_INCIDENTS} are needed to tell skill from chance"
        )
    return reasons


def objections(comparison: Comparison, who: str, reference: str, where: str) -> list[str]:
    """Why a forecast may not be published for its scores, as sentences; empty if it may.

    Its deviance must be lower with an interval clear of 0. RMSE and hit rate may be worse as far as
    that may be noise: their intervals must reach 0.
    """
    skill, rmse, gain = comparison.deviance_skill, comparison.rmse_skill, comparison.hit_gain
    reasons = []
    if not skill.low > 0:  # NaN is refused too
        reasons.append(
            f"{who} is not clearly better than {reference}, {where}: its deviance skill is {skill} "
            "and the whole interval must lie above 0"
        )
    if not rmse.high >= 0:
        reasons.append(
            f"{who} is worse than {reference} in RMSE, {where}: its RMSE skill is {rmse} and the "
            "interval must reach 0"
        )
    if gain is not None and not gain.high >= 0:
        reasons.append(
            f"{who} hits fewer incidents than {reference} on the riskiest 20 %, {where}: its hit "
            f"rate differs by {gain.in_points()} and the interval must reach 0"
        )
    return reasons


def biased(bias: Noisy, where: str) -> list[str]:
    """Why the total may not be published, as a sentence; empty if it may.

    A bias beyond `BIAS_LIMIT` is forgiven where it may be noise: where its interval holds 0.
    """
    if abs(bias.value) <= BIAS_LIMIT or bias.low <= 0 <= bias.high:  # NaN is neither
        return []
    return [
        f"the forecast total {where} is biased by {bias}: it must be within {BIAS_LIMIT:.0%} of "
        "what was recorded, or the interval must hold 0"
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Resampling:
    n_draws: Float[np.ndarray, "resample step"]
    stretch: float

    @classmethod
    @lru_cache(maxsize=8)  # a gate compares several scores of the same steps
    def of(cls, n_steps: int, block: int) -> "_Resampling":
        block = max(1, min(block, n_steps // 2))
        return cls(
            n_draws=block_draws(n_steps, block).astype(np.float64),
            stretch=few_steps_stretch(n_steps, block, level=LEVEL),
        )

    def ratio(
        self, numerators: Float[np.ndarray, " step"], denominators: Float[np.ndarray, " step"]
    ) -> tuple[float, Float[np.ndarray, " resample"]]:
        """Ratio of the sums, over all steps and in each resample; NaN over nothing."""
        if not (np.isfinite(numerators).all() and np.isfinite(denominators).all()):
            return math.nan, np.full(len(self.n_draws), np.nan)
        below = np.array([denominators.sum(), *(self.n_draws @ denominators)])
        above = np.array([numerators.sum(), *(self.n_draws @ numerators)])
        ratios = np.divide(above, below, out=np.full(below.shape, np.nan), where=below != 0)
        return float(ratios[0]), ratios[1:]

    def interval(self, value: float, resampled: Float[np.ndarray, " resample"]) -> Noisy:
        low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Noisy(
            value=value,
            low=value - self.stretch * (value - float(low)),
            high=value + self.stretch * (float(high) - value),
        )
