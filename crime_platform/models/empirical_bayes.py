"""Gamma-Poisson empirical Bayes: each cell shrunk to its offence type and its neighbourhood.

A cell at 500 m sees too few incidents to know its own rate, and its neighbours know much of it. The
rate is a formula in five steps, each a ratio of discounted counts to which pseudo-counts are added.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import Month, month_of_year

MONTHS_PER_YEAR = 12

# Chosen on one-month-ahead forecasts of 2019 and 2020, Toronto 500 m and 1 km. Skill is flat around
# them, within 0.1 points for NEAR from 0.7 to 2, PLACE_STRENGTH 1 to 4, FAST_DECAY 0.4 to 0.6 and
# TREND_PSEUDO_RATE 0.25 to 0.75: tuning them for each area would buy noise.
NEAR = 1.0  # cells; bandwidth of what counts as the same place for the mix of offence types
PLACE_STRENGTH = 2.0  # months of the neighbours' level that a cell's own level is mixed with
FAST_DECAY = 0.5  # per month; memory of the recent trend and of the city's total
TREND_PSEUDO_RATE = 0.5  # means of active cells; keeps the trend of a quiet place near 1
SEASON_YEARS = 6.0  # years of a flat season that the index of a calendar month is mixed with
LARGEST_SEASON = 1.5  # no season does more: such an index is a break in what is recorded


def empirical_bayes_rate(
    known: CountHistory, target: Month, settings: Sequence[tuple[float, ...]]
) -> Float[np.ndarray, "setting type row col"]:
    """Posterior mean rates in a target month, one set per (decay, strength, reach).

    `decay` discounts a cell's counts per month of age, `strength` is the weight of its prior in
    months, `reach` the bandwidth in cells over which a recent trend is shared.

    1. Level of a cell, all types together: its discounted count with `PLACE_STRENGTH` months of
       the neighbours' level, over its discounted months with the same added.
    2. Prior of each type: that level times the share of the type in the neighbourhood.
    3. Posterior: (discounted count + strength * prior) / (discounted months + strength).
    4. Trend: the posterior times the neighbourhood's recent rate over its discounted rate, both
       relative to the mean of active cells, and both with a pseudo-rate added.
    5. City: where incidents happen changes slowly, how many there are changes fast, so all cells
       are scaled to `city_level`.

    Raises:
        ValueError: if the units are not the cells of a grid, which alone have neighbours here.

    Source: Clayton & Kaldor (1987), Biometrics 43(3), the posterior mean of step 3.
    Ours: discounting, the prior by place and type, and steps 4 and 5.
    """
    if known.counts.ndim != 4:
        raise ValueError(
            "empirical_bayes needs counts by step, type, row and col; "
            f"got an array of shape {known.counts.shape}"
        )
    decays = sorted({decay for decay, _, _ in settings})
    sums, months = discounted(known.counts, [FAST_DECAY, *decays])
    fast, level = sums[0] / months[0], city_level(known, target)
    n_active = int(known.counts.any(axis=(0, 1)).sum())
    posteriors: dict[tuple[float, float], np.ndarray] = {}
    trends: dict[tuple[float, float], np.ndarray] = {}
    for position, decay in enumerate(decays, start=1):
        total, exposure = sums[position], months[position]
        prior = _prior(total, exposure)
        for strength in {each[1] for each in settings if each[0] == decay}:
            posterior = (total + strength * prior) / (exposure + strength)
            posteriors[decay, strength] = posterior
        for reach in {each[2] for each in settings if each[0] == decay}:
            trends[decay, reach] = _trend(fast, total / exposure, reach, n_active)
    rates = []
    for decay, strength, reach in settings:
        rate = posteriors[decay, strength] * trends[decay, reach]
        in_city = rate.sum(axis=(1, 2))
        scale = np.divide(level, in_city, out=np.zeros_like(level), where=in_city > 0)
        rates.append(rate * scale[:, None, None])
    return np.stack(rates)


def discounted(
    counts: Float[np.ndarray, " step *rest"], decays: Sequence[float]
) -> tuple[Float[np.ndarray, " decay *rest"], Float[np.ndarray, " decay"]]:
    """Sums with weight decay**age, age 0 the last step, and the sums of those weights."""
    ages = np.arange(len(counts))[::-1]
    weights = np.power.outer(np.asarray(decays, dtype=np.float64), ages)
    return np.tensordot(weights, counts, axes=1), weights.sum(axis=1)


def smoothed(
    values: Float[np.ndarray, "*rest row col"], bandwidth: float
) -> Float[np.ndarray, "*rest row col"]:
    """Gaussian mean over neighbouring cells; weights are renormalised at the border of the grid.

    Raises:
        ValueError: if the bandwidth is not positive.
    """
    if bandwidth <= 0:
        raise ValueError(f"a bandwidth is a positive number of cells, got {bandwidth}")
    rows, cols = (_kernel(size, bandwidth) for size in values.shape[-2:])
    return rows @ values @ cols.T


def city_level(known: CountHistory, target: Month) -> Float[np.ndarray, " type"]:
    """City-wide count expected in the target month: fast EWMA of totals freed of their season.

    Half an incident over the length of the history is the least, lest a type that went quiet be
    ruled out for good.
    """
    totals = known.counts.sum(axis=tuple(range(2, known.counts.ndim)), dtype=np.float64)
    month = month_of_year(known.steps)
    season = seasonal_index(totals, month)
    level, weight = discounted(totals / season[month], [FAST_DECAY])
    in_target = season[int(month_of_year(np.array([target]))[0])]
    return np.maximum(level[0] / weight[0] * in_target, 0.5 / len(totals))


def seasonal_index(
    totals: Float[np.ndarray, "step type"], month: Int[np.ndarray, " step"]
) -> Float[np.ndarray, "12 type"]:
    """Total of each calendar month over the mean of the 12 months before it, as a ratio of sums.

    Mixed with `SEASON_YEARS` years without a season, because a few years give it with an error of
    its own, and held within `LARGEST_SEASON`: a publisher's break looks like a wild season. It is 1
    where nothing is known yet or nothing was recorded.
    """
    sums = np.cumsum(np.concatenate([np.zeros_like(totals[:1]), totals]), axis=0)
    before = (sums[MONTHS_PER_YEAR:-1] - sums[: -MONTHS_PER_YEAR - 1]) / MONTHS_PER_YEAR
    in_month, usual, n_years = np.zeros((3, MONTHS_PER_YEAR, totals.shape[1]))
    np.add.at(in_month, month[MONTHS_PER_YEAR:], totals[MONTHS_PER_YEAR:])
    np.add.at(usual, month[MONTHS_PER_YEAR:], before)
    np.add.at(n_years, month[MONTHS_PER_YEAR:], 1)
    flat = SEASON_YEARS * usual / np.maximum(n_years, 1)
    index = np.divide(in_month + flat, usual + flat, out=np.ones_like(usual), where=usual > 0)
    return np.clip(index, 1 / LARGEST_SEASON, LARGEST_SEASON)


def _prior(
    total: Float[np.ndarray, "type row col"], exposure: np.floating
) -> Float[np.ndarray, "type row col"]:
    near = smoothed(total / exposure, NEAR)
    near_all, total_all = near.sum(axis=0), total.sum(axis=0)
    level = (total_all + PLACE_STRENGTH * near_all) / (exposure + PLACE_STRENGTH)
    return level * np.divide(near, near_all, out=np.zeros_like(near), where=near_all > 0)


def _trend(
    fast: Float[np.ndarray, "type row col"],
    slow: Float[np.ndarray, "type row col"],
    reach: float,
    n_active: int,
) -> Float[np.ndarray, "type row col"]:
    recent, usual = (_relative(smoothed(rate, reach), n_active) for rate in (fast, slow))
    return (recent + TREND_PSEUDO_RATE) / (usual + TREND_PSEUDO_RATE)


def _relative(
    rate: Float[np.ndarray, "type row col"], n_active: int
) -> Float[np.ndarray, "type row col"]:
    mean = rate.sum(axis=(1, 2), keepdims=True) / max(n_active, 1)
    return np.divide(rate, mean, out=np.ones_like(rate), where=mean > 0)


def _kernel(size: int, bandwidth: float) -> Float[np.ndarray, "to from"]:
    distance = np.subtract.outer(np.arange(size), np.arange(size)) / bandwidth
    weights = np.exp(-0.5 * distance**2)
    return weights / weights.sum(axis=1, keepdims=True)
