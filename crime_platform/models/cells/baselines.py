"""Baselines: forecasters that are a formula on past months.

They are the opponents every network has to beat, so each is tuned: the numbers in its formula are
chosen per offence type among equally many settings, and all get the same spread. To add one, write
its rule, its grid of settings and a row of `BASELINES`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from jaxtyping import Bool, Float

from crime_platform.models.baseline_tuning import (
    TUNING_BUDGET,
    Rule,
    Setting,
    choose_settings,
    known_cases,
    tuned_rate,
)
from crime_platform.models.count_distribution import fit_dispersion, rate_floor
from crime_platform.models.empirical_bayes import discounted, empirical_bayes_rate
from crime_platform.schema.values import EWMA, HISTORICAL_AVERAGE
from crime_platform.vocabulary.forecast import CountHistory, ForecastArray
from crime_platform.vocabulary.timesteps import (
    IncompleteDataError,
    Month,
    month_of_year,
    target_step,
)

MONTHS_PER_YEAR = 12
DISPERSION_MONTHS = 12  # one of each calendar month, and recent

# The plain mean has nothing to tune: the gate's opponent stays what everyone takes it for. Then
# shares of the city's mean, (decay, share), (share, exponent of the seasonal ratio) and what
# `empirical_bayes_rate` reads.
NOTHING: tuple[Setting, ...] = ((),)
SHARE_GRID = tuple((i / 25,) for i in range(TUNING_BUDGET))
EWMA_GRID = tuple(product((0.80, 0.90, 0.95, 0.97, 0.98, 0.99), (0.0, 0.04, 0.1, 0.2)))
SEASONAL_GRID = tuple(product((0.0, 0.05, 0.1, 0.15, 0.2, 0.3), (0.25, 0.5, 0.75, 1.0)))
EMPIRICAL_BAYES_GRID = tuple(product((0.97, 0.985), (8.0, 16.0, 32.0, 64.0), (1.5, 2.5, 4.0)))


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


def shrunk(
    rates: Float[np.ndarray, "#setting type *unit"],
    shares: Float[np.ndarray, " setting"],
    is_active: Bool[np.ndarray, "*unit"],
) -> Float[np.ndarray, "setting type *unit"]:
    """Rates of active units, moved by a share of the way to the mean of all active units.

    The order of the active units and the city's total stay as they are, so a rule stays what its
    name says; but it no longer calls impossible what its months happened not to hold. For a mean
    of n months it is gamma-Poisson shrinkage with n * share / (1 - share) months of the city's
    mean as its prior.
    """
    units = tuple(range(2, rates.ndim))
    in_city = rates.sum(axis=units, keepdims=True, where=is_active)
    to_mean = is_active * (in_city / max(int(is_active.sum()), 1) - rates)
    return rates + _column(shares, rates.ndim) * to_mean


def _column(values: Sequence[float] | np.ndarray, ndim: int) -> np.ndarray:
    return np.reshape(np.asarray(values, dtype=np.float64), (-1, *[1] * (ndim - 1)))


def _shrunk_to_city(known: CountHistory, rates: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    return shrunk(rates, np.asarray(shares), np.asarray(known.counts.any(axis=(0, 1))))


def _mean_of_last(months: int, known: CountHistory, _target: Month, settings: Sequence[Setting]):
    level = known.counts[-months:].mean(axis=0, dtype=np.float64)
    return _shrunk_to_city(known, level[None], [share for (share,) in settings])


def _mean_of_all(known: CountHistory, _target: Month, settings: Sequence[Setting]):
    level = known.counts.mean(axis=0, dtype=np.float64)
    return np.repeat(level[None], len(settings), axis=0)


def _same_month_last_year(known: CountHistory, target: Month, settings: Sequence[Setting]):
    lead = int((target - known.steps[-1]).astype(np.int64))
    years_back = -(-lead // MONTHS_PER_YEAR)  # the latest year in which that month is known
    same_month = target - MONTHS_PER_YEAR * years_back
    level = known.counts[known.index_of(same_month)].astype(np.float64)
    return _shrunk_to_city(known, level[None], [share for (share,) in settings])


def _ewma(known: CountHistory, _target: Month, settings: Sequence[Setting]):
    decays = sorted({decay for decay, _ in settings})
    sums, months = discounted(known.counts, decays)
    level = (sums / _column(months, sums.ndim))[[decays.index(decay) for decay, _ in settings]]
    return _shrunk_to_city(known, level, [share for _, share in settings])


def _mean12_seasonal(known: CountHistory, target: Month, settings: Sequence[Setting]):
    ratio = seasonal_ratio(known, int(month_of_year(np.array([target]))[0]))
    level = known.counts[-MONTHS_PER_YEAR:].mean(axis=0, dtype=np.float64)
    season = np.stack([ratio**exponent for _, exponent in settings])
    rates = _shrunk_to_city(known, level[None], [share for share, _ in settings])
    return rates * season.reshape(*season.shape, *[1] * (level.ndim - 1))


@dataclass(frozen=True, slots=True)
class FittedBaseline:
    """A baseline with its numbers fixed: a setting and an alpha per offence type."""

    name: str
    settings: tuple[Setting, ...]
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
        rates = [tuned_rate(baseline.rule, self.settings, known, target) for target in targets]
        expected = np.maximum(np.stack(rates), floor)
        alpha = np.reshape(self.alpha, (1, -1, *[1] * (expected.ndim - 2)))
        spread = np.broadcast_to(alpha, expected.shape).copy()
        return ForecastArray(origin=origin, expected_count=expected, dispersion=spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One rule as a forecaster; fitting chooses its settings and its spread."""

    name: str
    rule: Rule
    rule_months: int  # months the rule reads before its target
    grid: tuple[Setting, ...]  # settings tried, at most `TUNING_BUDGET`

    @property
    def min_history_months(self) -> int:
        """Months needed through the origin: those the rule reads and one to judge it by."""
        return self.rule_months + 1

    def fit(self, history: CountHistory, origin: np.datetime64) -> FittedBaseline:
        """Learn from months up to and including `origin` only.

        Settings are chosen on one-month-ahead forecasts of the last 24 months known, the spread
        on those of the last `DISPERSION_MONTHS`, or of as many as have enough months before them.

        Raises:
            IncompleteDataError: if too few months are known at the origin.
            ValueError: if the steps are not months, or the grid is larger than the budget.
        """
        cases = known_cases(self.known_at(history, origin), first=self.rule_months)
        chosen = choose_settings(self.rule, self.grid, cases)
        judged = cases[-DISPERSION_MONTHS:]
        observed = np.stack([case.observed for case in judged], axis=1)
        rates = [
            np.maximum(tuned_rate(self.rule, chosen, case.past, case.month), case.floor)
            for case in judged
        ]
        alpha = tuple(map(fit_dispersion, observed, np.stack(rates, axis=1)))
        return FittedBaseline(self.name, chosen, alpha)

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
        return CountHistory(steps=known.steps, counts=known.counts.astype(np.float64))


def _rolling_mean(months: int, name: str = "") -> Baseline:
    rule = partial(_mean_of_last, months)
    name = name or f"rolling_mean_{months}"
    return Baseline(name=name, rule=rule, rule_months=months, grid=SHARE_GRID)


_ALL = (
    Baseline(name=HISTORICAL_AVERAGE, rule=_mean_of_all, rule_months=1, grid=NOTHING),
    _rolling_mean(1, "last_month"),
    Baseline(
        name="same_month_last_year", rule=_same_month_last_year, rule_months=12, grid=SHARE_GRID
    ),
    *map(_rolling_mean, (3, 6, 12, 24)),
    Baseline(name=EWMA, rule=_ewma, rule_months=1, grid=EWMA_GRID),
    # 24: one year for the mean, and every calendar month once with a year before it
    Baseline(name="mean12_seasonal", rule=_mean12_seasonal, rule_months=24, grid=SEASONAL_GRID),
    Baseline(
        name="empirical_bayes", rule=empirical_bayes_rate, rule_months=1, grid=EMPIRICAL_BAYES_GRID
    ),
)
BASELINES: dict[str, Baseline] = {baseline.name: baseline for baseline in _ALL}
"""Every baseline in leaderboard order; the first is the gate's opponent."""

SIMPLICITY: tuple[str, ...] = tuple(BASELINES)
"""Names from the simplest rule to the least simple: a tie goes to the name that comes first."""
