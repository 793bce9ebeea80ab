"""Whether a skill could be luck: a block bootstrap over origins and the Diebold-Mariano test.

Both compare two models on the same origins, oldest first, one score sum per origin.
"""

import math

import numpy as np
from jaxtyping import Float, Int

N_RESAMPLES = 2000  # the ends of a 95 % interval then vary by about a fiftieth of its width
BLOCK_ORIGINS = 3  # neighbouring origins share weather, season and, at leads 2 and 3, errors
BLOCK_DAYS = 7  # of daily origins: a block holds each weekday once


def bootstrap_skill(
    score_sums: Float[np.ndarray, " origin"],
    baseline_sums: Float[np.ndarray, " origin"],
    *,
    level: float = 0.95,
    block_origins: int = BLOCK_ORIGINS,
    seed: int = 0,
) -> tuple[float, float]:
    """Low and high end of a pooled skill, 1 - sum(score) / sum(baseline), over resampled origins.

    Both models are resampled together, in blocks of neighbouring origins that wrap round at the
    end, so that what an origin did to both cancels. The ends are percentiles. NaN if the
    baseline's sum is 0.

    Args:
        score_sums: for example `sum_deviance` of the model at each origin.
        baseline_sums: the same of the named baseline.
        level: probability between the ends, in (0, 1).
        block_origins: origins in a block, from 1 to all of them.
        seed: the same seed, the same interval.

    Raises:
        ValueError: if a sum is not finite, or level or block lie outside their range.

    Source: Politis & Romano (1992), A circular block-resampling procedure for stationary data.
    """
    n_draws = _draws_of(score_sums, baseline_sums, block_origins, seed)
    totals, baseline_totals = n_draws @ score_sums, n_draws @ baseline_sums
    ratio = np.full(N_RESAMPLES, np.nan)
    np.divide(totals, baseline_totals, out=ratio, where=baseline_totals != 0)
    return _ends(1 - ratio, level)


def bootstrap_gain(
    score_sums: Float[np.ndarray, " origin"],
    baseline_sums: Float[np.ndarray, " origin"],
    *,
    level: float = 0.95,
    block_origins: int = BLOCK_ORIGINS,
    seed: int = 0,
) -> tuple[float, float]:
    """Low and high end of the mean gain per origin, baseline less score, over resampled origins.

    Above 0 the model is better. Resampled as in `bootstrap_skill`; for daily origins give
    `BLOCK_DAYS`.

    Raises:
        ValueError: if a sum is not finite, or level or block lie outside their range.

    Source: Politis & Romano (1992), A circular block-resampling procedure for stationary data.
    """
    n_draws = _draws_of(score_sums, baseline_sums, block_origins, seed)
    return _ends(n_draws @ (baseline_sums - score_sums) / score_sums.size, level)


def block_draws(
    n_origins: int, block_origins: int, *, seed: int = 0
) -> Int[np.ndarray, "resample origin"]:
    """How often each origin is drawn in each of `N_RESAMPLES` resamples of as many origins.

    Origins are drawn in blocks of neighbours, and the last is followed by the first.

    Raises:
        ValueError: if a block holds no origin, or more than there are.
    """
    if not 1 <= block_origins <= n_origins:
        raise ValueError(
            f"a block holds 1 to {n_origins} origins (all there are), got {block_origins}"
        )
    n_blocks = -(-n_origins // block_origins)
    starts = np.random.default_rng(seed).integers(n_origins, size=(N_RESAMPLES, n_blocks, 1))
    blocks = (starts + np.arange(block_origins)) % n_origins
    drawn = blocks.reshape(N_RESAMPLES, -1)[:, :n_origins]
    place = drawn + n_origins * np.arange(N_RESAMPLES)[:, None]
    return np.bincount(place.ravel(), minlength=N_RESAMPLES * n_origins).reshape(-1, n_origins)


def few_steps_stretch(n_steps: int, block: int, *, level: float) -> float:
    """Factor by which a resampled interval of a mean must be stretched about its middle.

    The mean of a block of l of n steps varies about the mean of all by s2 / l - s2 / n, so that
    resampled means have too little variance, by the factor 1 - l / n; and percentiles of few steps
    know nothing of Student's t. Near 1 for many steps; infinite where one block is all.

    Raises:
        ValueError: if a block holds no step, or more than there are, or level is outside (0, 1).
    """
    if not 1 <= block <= n_steps:
        raise ValueError(f"a block holds 1 to {n_steps} steps (all there are), got {block}")
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}; write 95% as 0.95")
    if block == n_steps:
        return math.inf
    from scipy import special  # its statistics would take a second to import

    tail = (1 + level) / 2
    student = special.stdtrit(n_steps - 1, tail) / special.ndtri(tail)
    return float(student * math.sqrt(n_steps / (n_steps - block)))


def diebold_mariano_p(
    score_sums: Float[np.ndarray, " origin"],
    baseline_sums: Float[np.ndarray, " origin"],
    *,
    lead: int,
) -> float:
    """Two-sided p value of "both models score equally well": small means the gap is no luck.

    NaN where the test cannot be made: no gap anywhere, or the same gap at every origin.

    Raises:
        ValueError: if a sum is not finite, or there are not more origins than `lead`.

    Source: Diebold & Mariano (1995), with the small-sample correction and Student's t of Harvey,
    Leybourne & Newbold (1997), as computed by `scores`. Ours: with a dozen origins the variance
    estimate for leads above 1 is often not positive; the test is then made as at lead 1.
    """
    gap = baseline_sums - score_sums
    if not np.isfinite(gap).all():
        raise ValueError("every score sum must be finite: the test would drop the one that is not")
    if not 1 <= lead < gap.size:
        raise ValueError(
            f"the test needs more origins than the lead, got {gap.size} at lead {lead}"
        )
    # imported here: a second of imports that only a backtest should pay
    import xarray as xr
    from scores.stats.statistical_tests import diebold_mariano

    gaps = xr.DataArray(
        np.stack([gap, gap]), dims=["row", "origin"], coords={"lead": ("row", [lead, 1])}
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # its interval divides by a 0 statistic
        test = diebold_mariano(gaps, "row", "lead", method="HLN", statistic_distribution="t")
    at_lead, at_one = (float(confidence) for confidence in test["confidence_gt_0"])
    confidence = at_one if np.isnan(at_lead) else at_lead
    return 2 * min(confidence, 1 - confidence)


def _draws_of(
    score_sums: np.ndarray, baseline_sums: np.ndarray, block_origins: int, seed: int
) -> np.ndarray:
    if not (np.isfinite(score_sums).all() and np.isfinite(baseline_sums).all()):
        raise ValueError(
            "every score sum must be finite: resampling would hide the one that is not"
        )
    return block_draws(score_sums.size, block_origins, seed=seed).astype(np.float64)


def _ends(resampled: np.ndarray, level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}; write 95% as 0.95")
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
