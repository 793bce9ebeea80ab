"""Baselines: forecasters that are one line of arithmetic on past months.

They are the opponents every network has to beat, so they get the same floor and the same spread.
To add one, write its rule and a row of `BASELINES`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy import special

from crime_platform.models.count_distribution import fit_dispersion, rate_floor
from crime_platform.vocabulary.forecast import CountHistory, ForecastArray
from crime_platform.vocabulary.timesteps import (
    IncompleteDataError,
    Month,
    month_of_year,
    target_step,
)

MONTHS_PER_YEAR = 12
DISPERSION_MONTHS = 12  # one of each calendar month, and recent
DECAY_MONTHS = 24  # months that choose the decay: two of each calendar month
DECAY_GRID = (0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995)

Rule = Callable[[CountHistory, Month, tuple[float, ...]], np.ndarray]
"""Rate of each type and unit in a target month, from everything known and what was learned."""

Learn = Callable[[CountHistory], tuple[float, ...]]
"""What a rule has to learn, one number per offence type; most rules learn nothing."""


def ewma_rate(
    counts: Float[np.ndarray, "step type *unit"], decay: float
) -> Float[np.ndarray, " type *unit"]:
    """Exponentially weighted mean: weight decay**age, age 0 the last step, weights summing to 1.

    Raises:
        ValueError: if `decay` is outside (0, 1], or there is no step.
    """
    if not 0 < decay <= 1:
        raise ValueError(f"decay must be in (0, 1], got {decay}; 1 is the plain mean")
    if len(counts) == 0:
        raise ValueError("a weighted mean needs at least one step, got none")
    weights = decay ** np.arange(len(counts))[::-1]
    return np.tensordot(weights / weights.sum(), counts, axes=1)


def seasonal_ratio(known: CountHistory, month: int) -> Float[np.ndarray, " type"]:
    """City-wide count in one calendar month (0 for January) over the mean of the 12 before it.

    One ratio per offence type, pooled over all past years as a ratio of sums. The 12 months lie
    before the month, as they do when the ratio is used, so a steady trend is part of the ratio.
    It is 1 where nothing was recorded.

    Raises:
        IncompleteDataError: if no such month with 12 months before it is known.
    """
    totals = known.counts.sum(axis=tuple(range(2, known.counts.ndim)), dtype=np.float64)
    same = np.flatnonzero(month_of_year(known.steps) == month)
    same = same[same >= MONTHS_PER_YEAR]
    if same.size == 0:
        raise IncompleteDataError(
            f"the ratio of calendar month {month + 1} needs that month with 12 months before it; "
            f"known are {known.steps[0]}..{known.steps[-1]}"
        )
    in_month = totals[same].sum(axis=0)
    before = np.stack([totals[i - MONTHS_PER_YEAR : i].mean(axis=0) for i in same]).sum(axis=0)
    return np.divide(in_month, before, out=np.ones_like(before), where=before > 0)


def tune_decay(known: CountHistory) -> tuple[float, ...]:
    """For each offence type, the decay whose one-month-ahead forecasts fit best.

    Best is the lowest Poisson deviance over the last `DECAY_MONTHS` months known, or over as many
    as have one month before them. One walk through the months keeps every decay's sums, which is
    `ewma_rate` at each of them.
    """
    n_types = known.counts.shape[1]
    decays = np.reshape(DECAY_GRID, (-1, *[1] * known.counts[0].ndim))
    weighted, weights = np.zeros((len(DECAY_GRID), *known.counts.shape[1:])), np.zeros(decays.shape)
    deviance = np.zeros((len(DECAY_GRID), n_types))
    first = max(1, len(known.steps) - DECAY_MONTHS)
    for position, observed in enumerate(known.counts):
        if position >= first:
            floor = rate_floor(known.through(known.steps[position - 1]))
            per_case = special.kl_div(observed, np.maximum(weighted / weights, floor))
            deviance += per_case.reshape(len(DECAY_GRID), n_types, -1).sum(axis=2)
        weighted, weights = decays * weighted + observed, decays * weights + 1
    return tuple(DECAY_GRID[row] for row in deviance.argmin(axis=0))


def _mean_of_last(months: int, known: CountHistory, _target: Month, _: tuple[float, ...]):
    return known.counts[-months:].mean(axis=0, dtype=np.float64)


def _mean_of_all(known: CountHistory, _target: Month, _: tuple[float, ...]):
    return known.counts.mean(axis=0, dtype=np.float64)


def _same_month_last_year(known: CountHistory, target: Month, _: tuple[float, ...]):
    lead = int((target - known.steps[-1]).astype(np.int64))
    years_back = -(-lead // MONTHS_PER_YEAR)  # the latest year in which that month is known
    same_month = target - MONTHS_PER_YEAR * years_back
    return known.counts[known.index_of(same_month)].astype(np.float64)


def _ewma(known: CountHistory, _target: Month, decays: tuple[float, ...]):
    types = [ewma_rate(known.counts[:, i : i + 1], decay) for i, decay in enumerate(decays)]
    return np.concatenate(types)


def _mean12_seasonal(known: CountHistory, target: Month, _: tuple[float, ...]):
    ratio = seasonal_ratio(known, int(month_of_year(np.array([target]))[0]))
    level = known.counts[-MONTHS_PER_YEAR:].mean(axis=0, dtype=np.float64)
    return level * ratio.reshape(-1, *[1] * (level.ndim - 1))


@dataclass(frozen=True, slots=True)
class FittedBaseline:
    """A baseline with its numbers fixed: decays if it has any, and one alpha per offence type."""

    name: str
    learned: tuple[float, ...]
    alpha: tuple[float, ...]

    def forecast(self, history: CountHistory, origin: np.datetime64, horizon: int) -> ForecastArray:
        """Forecast leads 1..horizon; steps after `origin` in `history` are never read.

        Raises:
            IncompleteDataError: if too few months are known at the origin.
            ValueError: if the steps are not months.
        """
        baseline = BASELINES[self.name]
        known = baseline.known_at(history, origin)
        floor = rate_floor(known)
        targets = [target_step(origin, lead) for lead in range(1, horizon + 1)]
        expected = np.stack([baseline.rate(known, t, self.learned, floor) for t in targets])
        alpha = np.reshape(self.alpha, (1, -1, *[1] * (expected.ndim - 2)))
        spread = np.broadcast_to(alpha, expected.shape).copy()
        return ForecastArray(origin=origin, expected_count=expected, dispersion=spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One rule as a forecaster; fitting learns its decays and its spread."""

    name: str
    rule: Rule
    rule_months: int  # months the rule reads before its target
    learn: Learn = lambda _: ()

    @property
    def min_history_months(self) -> int:
        """Months needed through the origin: those the rule reads and one to judge it by."""
        return self.rule_months + 1

    def fit(self, history: CountHistory, origin: np.datetime64) -> FittedBaseline:
        """Learn from months up to and including `origin` only.

        The spread comes from one-month-ahead forecasts of the last `DISPERSION_MONTHS` months
        known, or of as many as have enough months before them.

        Raises:
            IncompleteDataError: if too few months are known at the origin.
            ValueError: if the steps are not months.
        """
        known = self.known_at(history, origin)
        learned = self.learn(known)
        judged = list(_last_months(known, DISPERSION_MONTHS, first=self.rule_months))
        observed = np.stack([month for month, _ in judged], axis=1)
        expected = np.stack(
            [self.rate(past, past.steps[-1] + 1, learned, rate_floor(past)) for _, past in judged],
            axis=1,
        )
        alpha = tuple(map(fit_dispersion, observed, expected))
        return FittedBaseline(self.name, learned, alpha)

    def rate(
        self, known: CountHistory, target: Month, learned: tuple[float, ...], floor: np.ndarray
    ) -> Float[np.ndarray, " type *unit"]:
        """Expected counts in the target month, never below the floor."""
        return np.maximum(self.rule(known, target, learned), floor)

    def known_at(self, history: CountHistory, origin: np.datetime64) -> CountHistory:
        """Months up to and including `origin`, refused if they are too few for this baseline."""
        if history.steps.dtype != np.dtype("datetime64[M]"):
            raise ValueError(f"{self.name} reads months; the steps are {history.steps.dtype}")
        known = history.through(origin)
        if len(known.steps) < self.min_history_months:
            raise IncompleteDataError(
                f"{self.name} needs {self.min_history_months} months through its origin {origin}; "
                f"the history holds {len(known.steps)}, from {known.steps[0]}: add earlier months "
                "or choose a later origin"
            )
        return known


def _last_months(known: CountHistory, months: int, *, first: int):
    """Each of the last months from position `first` on, with what was known just before it."""
    for position in range(max(first, len(known.steps) - months), len(known.steps)):
        yield known.counts[position], known.through(known.steps[position - 1])


def _rolling_mean(months: int) -> Baseline:
    rule = partial(_mean_of_last, months)
    return Baseline(name=f"rolling_mean_{months}", rule=rule, rule_months=months)


_ALL = (
    Baseline(name="historical_average", rule=_mean_of_all, rule_months=1),
    Baseline(name="last_month", rule=partial(_mean_of_last, 1), rule_months=1),
    Baseline(name="same_month_last_year", rule=_same_month_last_year, rule_months=12),
    *map(_rolling_mean, (3, 6, 12, 24)),
    Baseline(name="ewma", rule=_ewma, rule_months=1, learn=tune_decay),
    # 24: one year for the mean, and every calendar month once with a year before it
    Baseline(name="mean12_seasonal", rule=_mean12_seasonal, rule_months=24),
)
BASELINES: dict[str, Baseline] = {baseline.name: baseline for baseline in _ALL}
"""Every baseline in leaderboard order; the first is the gate's opponent."""

SIMPLICITY: tuple[str, ...] = tuple(BASELINES)
"""Names from the simplest rule to the least simple: a tie goes to the name that comes first."""
