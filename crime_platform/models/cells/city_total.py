"""How many incidents the whole city will have: a Poisson regression of a few numbers.

It knows season, calendar and recent levels, and nothing of cells: a forecaster that says where
incidents happen is scaled to it.
"""

import numpy as np
from jaxtyping import Float

from crime_platform.models.cells.tree_features import (
    CITY_FEATURES,
    MEAN_DAYS_PER_MONTH,
    FeatureBlock,
)

LARGEST_EFFECT = 0.35  # log ratio to the base: a break in what is recorded must not run away
NEWTON_STEPS = 50
CONVERGED = 1e-9  # largest change of a weight in the last step


def city_regressors(block: FeatureBlock, lead: int) -> Float[np.ndarray, "type regressor"]:
    """Season, calendar and levels of one lead; without the days, which are an exposure."""
    return block.city[lead - 1][:, : len(CITY_FEATURES) - 1]


def city_exposure(block: FeatureBlock, lead: int) -> Float[np.ndarray, " type"]:
    """Expected total of each offence type by base rate and length of the month alone."""
    days = block.city[lead - 1][:, -1]
    return block.base.sum(axis=1) * days / MEAN_DAYS_PER_MONTH


def city_totals(
    block: FeatureBlock, lead: int, weights: Float[np.ndarray, "type regressor"]
) -> Float[np.ndarray, " type"]:
    """Expected total of each offence type in the lead's month."""
    effect = (city_regressors(block, lead) * weights).sum(axis=1)
    return city_exposure(block, lead) * np.exp(np.clip(effect, -LARGEST_EFFECT, LARGEST_EFFECT))


def fit_city_weights(
    regressors: Float[np.ndarray, "month type regressor"],
    exposure: Float[np.ndarray, "month type"],
    observed: Float[np.ndarray, "month type"],
    *,
    penalty: float,
    type_penalty: float,
) -> Float[np.ndarray, "type regressor"]:
    """Weights that maximise the Poisson likelihood of the totals less a ridge penalty.

    A type's weights are the ones all types share, held by `penalty`, and its own departure from
    them, held by `type_penalty`. There is no intercept: the exposure is the level.

    Raises:
        ValueError: if a penalty is not above 0: collinear levels then have no solution.

    Source: McCullagh & Nelder (1989), section 2.5, Newton steps for the log link. Ours: the ridge.
    """
    if min(penalty, type_penalty) <= 0:
        raise ValueError(f"both penalties must be above 0, got {penalty} and {type_penalty}")
    n_types, n_regressors = regressors.shape[1:]
    of_type = np.einsum("mtr,tk->mtkr", regressors, np.eye(n_types))
    design = np.concatenate([regressors[:, :, None], of_type], axis=2)
    design = design.reshape(observed.size, -1).astype(np.float64)
    ridge = np.repeat([penalty, *[type_penalty] * n_types], n_regressors)
    weights = np.zeros(ridge.size)
    for _ in range(NEWTON_STEPS):
        effect = np.clip(design @ weights, -LARGEST_EFFECT, LARGEST_EFFECT)
        expected = exposure.ravel() * np.exp(effect)
        slope = design.T @ (observed.ravel() - expected) - ridge * weights
        curvature = (design.T * expected) @ design + np.diag(ridge)
        change = np.linalg.solve(curvature, slope)
        weights = weights + change
        if np.abs(change).max() < CONVERGED:
            break
    shared, own = weights[:n_regressors], weights[n_regressors:].reshape(n_types, -1)
    return shared + own
