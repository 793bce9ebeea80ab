"""Breaks in the level of a monthly series: recorded more, or less, from one month to the next."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from crime_platform.vocabulary.timesteps import Month

MIN_MONTHS = 24  # two of every calendar month: season and level cannot be told apart with fewer
WINDOW_MONTHS = 12  # compared before and after a break; whole years, so that seasons cancel
MIN_MONTHS_BEFORE = 6
MIN_MONTHS_AFTER = 3  # fewer are an outlier and not yet a level
MAX_BREAKS = 6
ORDINARY_CHANGE = 1.15  # drift and one-year trends up to here are no break, however certain
FALSE_ALARM_SHARE = 0.005  # of series without a break, over all months that are tried
MAX_MOVED_MONTHS = 6  # from the month of the clearest ratio to that of the likeliest split
N_HARMONICS = 2  # a year's season as two sines and two cosines
# Standard deviations of Gaussian priors. Without them a level that begins at zero is explained by
# a season or a growth beyond all measure, and the break goes unseen.
SEASON_PRIOR, YEARLY_GROWTH_PRIOR, LEVEL_PRIOR = 0.5, math.log(1.15), 30.0
N_ITERATIONS = 8
MAX_LOG_RATE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelShift:
    """One break: from `month` on, the series runs at another level."""

    month: Month  # first one at the new level
    before: float  # incidents per month in the year before it, season removed; above 0
    after: float  # the same after it
    n_months_after: int  # months that the later level was measured on
    strength: float  # how far the change exceeds an ordinary one, in standard errors

    @property
    def change_share(self) -> float:
        """The later level over the earlier one, minus 1."""
        return self.after / self.before - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """What a break at each of some months would mean."""

    log_ratio: Float[np.ndarray, " tried"]
    standard_error: Float[np.ndarray, " tried"]
    before: Float[np.ndarray, " tried"]
    after: Float[np.ndarray, " tried"]
    n_after: Int[np.ndarray, " tried"]
    in_season: Float[np.ndarray, "tried month"]  # usual share of each month, up to a factor

    @property
    def strength(self) -> Float[np.ndarray, " tried"]:
        return (np.abs(self.log_ratio) - math.log(ORDINARY_CHANGE)) / self.standard_error


def level_shifts(counts: Int[np.ndarray, " month"], *, first: Month) -> list[LevelShift]:
    """Breaks in a series of consecutive whole months, oldest first; none for short series.

    A month is tried as a break by the ratio of the mean after it to the mean before it, a year on
    each side as far as there is one. The season comes from a Poisson regression with trend and
    that break in it, the noise from how neighbouring months differ. The most certain break that
    beats the threshold is kept, and the search goes on with it in the model.

    Args:
        counts: incidents per month.
        first: month of the first count.

    Raises:
        ValueError: if a count is negative.

    Source: Gombay & Horvath (1990), maximally selected likelihood ratios; Chen & Liu (1993), one
    level shift after the other; von Neumann (1941), noise from successive differences, which a
    drifting level does not inflate. Ours: a change counts only beyond `ORDINARY_CHANGE`, since a
    city's level drifts and in a long enough series every drift is significant; and the threshold
    is Bonferroni's over the months tried, which is safe and not sharp.
    """
    if counts.size and counts.min() < 0:
        raise ValueError(f"a count of incidents is 0 or more, found {counts.min()}")
    if counts.size < MIN_MONTHS or not counts.any():
        return []
    breaks: list[int] = []
    while len(breaks) < MAX_BREAKS:
        tried = _possible_breaks(counts.size, breaks)
        if not tried.size:
            break
        effect = _effects(counts, first, breaks, tried)
        best = int(np.argmax(effect.strength))
        if effect.strength[best] < _threshold(counts.size, len(breaks), tried.size):
            break
        breaks = sorted([*breaks, _likeliest(counts, breaks, tried, effect.in_season[best], best)])
    return [_described(counts, first, breaks, at) for at in breaks]


def _possible_breaks(n_months: int, breaks: list[int]) -> Int[np.ndarray, " tried"]:
    """Positions with enough months to the ends and to the breaks already found."""
    edges = [0, *breaks]
    positions = np.arange(MIN_MONTHS_BEFORE, n_months - MIN_MONTHS_AFTER + 1)
    is_far: Bool[np.ndarray, " position"] = np.ones(positions.size, dtype=bool)
    for edge in edges:
        is_far &= np.abs(positions - edge) >= MIN_MONTHS_BEFORE
    return positions[is_far]


def _threshold(n_months: int, n_breaks: int, n_tried: int) -> float:
    from scipy.special import stdtrit  # Student's t; scipy.stats takes a second to import

    freedom = n_months - _n_terms(n_breaks + 1)
    return float(stdtrit(freedom, 1 - FALSE_ALARM_SHARE / (2 * n_tried)))


def _likeliest(
    counts: Int[np.ndarray, " month"],
    breaks: list[int],
    tried: Int[np.ndarray, " tried"],
    in_season: Float[np.ndarray, " month"],
    best: int,
) -> int:
    """Position near the best one that splits the months around it into the likeliest two levels."""
    at = int(tried[best])
    low, high = (int(end[0]) for end in _windows(counts.size, breaks, tried[best : best + 1]))
    near = tried[np.abs(tried - at) <= MAX_MOVED_MONTHS]
    near = near[(near > low) & (near < high)]
    recorded = np.concatenate([[0.0], np.cumsum(counts.astype(float))])
    usual = np.concatenate([[0.0], np.cumsum(in_season)])
    likelihood = np.zeros(near.size)
    for start, end in ((low, near), (near, high)):
        n = recorded[end] - recorded[start]
        likelihood += n * np.log((n + 0.5) / (usual[end] - usual[start]))
    return int(near[np.argmax(likelihood)])


def _n_terms(n_breaks: int) -> int:
    return 2 + 2 * N_HARMONICS + n_breaks


def _effects(
    counts: Int[np.ndarray, " month"], first: Month, breaks: list[int], tried: np.ndarray
) -> _Tried:
    """Ratio after to before at each position, from the regression that has a break there."""
    n = counts.size
    season, level, log_days = _terms(n, first, breaks)
    steps = (np.arange(n)[None, :] >= tried[:, None]).astype(float)
    fixed = np.concatenate([season, level], axis=1)
    design = np.concatenate(
        [np.broadcast_to(fixed, (tried.size, *fixed.shape)), steps[:, :, None]], axis=2
    )
    y = counts.astype(float)
    weights = _poisson_fits(y, design, log_days, _prior_precision(len(breaks) + 1))
    expected = np.exp(_rates(design, weights, log_days))
    spread = _dispersion(y, expected, n - design.shape[2])
    in_season = np.exp(season @ weights[:, : season.shape[1], None])[..., 0] * np.exp(log_days)
    low, high = _windows(n, breaks, tried)
    recorded = np.concatenate([[0.0], np.cumsum(y)])
    usual = np.concatenate([np.zeros((tried.size, 1)), np.cumsum(in_season, axis=1)], axis=1)
    row = np.arange(tried.size)
    n_before = recorded[tried] - recorded[low] + 0.5  # half an incident: a level may be zero
    n_after = recorded[high] - recorded[tried] + 0.5
    before = n_before / (usual[row, tried] - usual[row, low])
    after = n_after / (usual[row, high] - usual[row, tried])
    per_month = in_season.mean(axis=1)
    return _Tried(
        log_ratio=np.log(after / before),
        standard_error=np.sqrt(spread * (1 / n_before + 1 / n_after)),
        before=before * per_month,
        after=after * per_month,
        n_after=high - tried,
        in_season=in_season,
    )


def _terms(
    n_months: int, first: Month, breaks: list[int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Season; growth, level and known breaks; and the log of the days of each month."""
    months = first + np.arange(n_months)
    angle = 2 * np.pi * (months.astype("datetime64[M]").astype(int) % 12) / 12
    waves = [wave(k * angle) for k in range(1, N_HARMONICS + 1) for wave in (np.cos, np.sin)]
    years = (np.arange(n_months) - n_months / 2) / 12
    steps = [(np.arange(n_months) >= at).astype(float) for at in breaks]
    days = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(float)
    level = np.stack([years, np.ones(n_months), *steps], axis=1)
    return np.stack(waves, axis=1), level, np.log(days)


def _prior_precision(n_steps: int) -> Float[np.ndarray, " term"]:
    spreads = [SEASON_PRIOR] * (2 * N_HARMONICS) + [YEARLY_GROWTH_PRIOR]
    return np.array([*spreads, *[LEVEL_PRIOR] * (1 + n_steps)]) ** -2.0


def _windows(
    n_months: int, breaks: list[int], tried: np.ndarray
) -> tuple[Int[np.ndarray, " tried"], Int[np.ndarray, " tried"]]:
    """Where the months before begin and those after end: a year, or up to the next break."""
    edges = np.array([0, *breaks, n_months])
    above = np.searchsorted(edges, tried, side="right")
    below = np.searchsorted(edges, tried, side="left") - 1
    low = np.maximum(tried - WINDOW_MONTHS, edges[below])
    return low, np.minimum(tried + WINDOW_MONTHS, edges[above])


def _poisson_fits(
    y: Float[np.ndarray, " month"],
    design: Float[np.ndarray, "tried month term"],
    log_days: Float[np.ndarray, " month"],
    precision: Float[np.ndarray, " term"],
) -> Float[np.ndarray, "tried term"]:
    """Poisson regressions with log link, all at once, by iteratively reweighted least squares."""
    rate = np.broadcast_to(np.log(y + 0.5), design.shape[:2])
    weights = np.zeros((design.shape[0], design.shape[2]))
    for _ in range(N_ITERATIONS):
        mean = np.exp(rate)
        target = rate - log_days + (y - mean) / mean
        weighted = design * mean[..., None]
        normal = np.swapaxes(weighted, 1, 2) @ design + np.diag(precision)
        right = np.swapaxes(weighted, 1, 2) @ target[..., None]
        weights = np.linalg.solve(normal, right)[..., 0]
        rate = _rates(design, weights, log_days)
    return weights


def _rates(design: np.ndarray, weights: np.ndarray, log_days: np.ndarray) -> np.ndarray:
    rate = (design @ weights[..., None])[..., 0] + log_days
    return np.clip(rate, -MAX_LOG_RATE, MAX_LOG_RATE)


def _dispersion(
    y: np.ndarray, expected: Float[np.ndarray, "tried month"], freedom: int
) -> Float[np.ndarray, " tried"]:
    """Variance of a month over its Poisson variance, at least 1."""
    residual = (y - expected) / np.sqrt(expected)
    squared = (np.diff(residual, axis=1) ** 2).mean(axis=1) / 2
    return np.maximum(squared * y.size / freedom, 1.0)


def _described(
    counts: Int[np.ndarray, " month"], first: Month, breaks: list[int], at: int
) -> LevelShift:
    """One of the breaks, measured with all others in the model."""
    others = [other for other in breaks if other != at]
    effect = _effects(counts, first, others, np.array([at]))
    return LevelShift(
        month=first + at,
        before=float(effect.before[0]),
        after=float(effect.after[0]),
        n_months_after=int(effect.n_after[0]),
        strength=float(effect.strength[0]),
    )
