"""Pools: several members' expected counts made into one, and the level that the last miss implies.

Weights are fitted by Poisson deviance. Which months they may be fitted on is for
`evaluation.ensemble`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy import special
from scipy.optimize import minimize

# Chosen on Toronto, origins 2018-12 to 2020-11, at 500 m and 1 km, over several sets of members.
PRIOR_STRENGTH = 10.0  # nats of log-likelihood that pull towards the prior weights
CARRY_COUNT = 30.0  # incidents added to both totals: the miss of a rare offence is mostly noise
CARRY_PRIOR = 0.1  # as much evidence of no carry as ten misses of 10 %

Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""Half the Poisson deviance of a pool, up to a constant, and its slope by weight."""


@dataclass(frozen=True, slots=True)
class GeometricPool:
    """The members' weighted geometric mean: log mu = sum of w log mu_k.

    Source: Genest & Zidek (1986), Combining probability distributions, Statistical Science 1.
    """

    weights: tuple[float, ...]  # one per member, >= 0, with sum 1

    def combine(self, members: Float[np.ndarray, " member *case"]) -> Float[np.ndarray, "*case"]:
        """Pooled expected counts; every member's must be positive."""
        return np.exp(np.tensordot(self.weights, np.log(members), axes=1))


@dataclass(frozen=True, slots=True)
class LinearPool:
    """The members' weighted mean: mu = sum of w mu_k."""

    weights: tuple[float, ...]  # one per member, >= 0, with sum 1

    def combine(self, members: Float[np.ndarray, " member *case"]) -> Float[np.ndarray, "*case"]:
        """Pooled expected counts."""
        return np.tensordot(self.weights, members, axes=1)


Pool = GeometricPool | LinearPool


def fit_geometric_pool(
    members: Float[np.ndarray, " member *case"],
    observed: Float[np.ndarray, "*case"],
    *,
    prior: tuple[float, ...] | None = None,
    prior_strength: float = PRIOR_STRENGTH,
) -> GeometricPool:
    """The geometric pool with the lowest penalised Poisson deviance.

    The penalty, -`prior_strength` * sum(prior log w), is that of a Dirichlet prior: without a
    case the weights are the prior's, and every case moves them by what it tells.

    Args:
        members: expected counts, all positive: `rate_floor` sees to that.
        observed: counts of the same cases.
        prior: weights shrunk towards, positive with sum 1; equal ones by default.
        prior_strength: nats of log-likelihood, above 0.

    Raises:
        ValueError: if an expected count is not finite and positive, a count is negative or not
            finite, or the prior or its strength lie outside their range.
    """
    rates, counts = _checked_cases(members, observed)
    logs = np.log(rates)
    loss = partial(_geometric_loss, logs, logs @ counts)
    return GeometricPool(_weights(loss, rates.shape, prior, prior_strength))


def fit_linear_pool(
    members: Float[np.ndarray, " member *case"],
    observed: Float[np.ndarray, "*case"],
    *,
    prior: tuple[float, ...] | None = None,
    prior_strength: float = PRIOR_STRENGTH,
) -> LinearPool:
    """The linear pool with the lowest penalised Poisson deviance; see `fit_geometric_pool`.

    Raises:
        ValueError: as `fit_geometric_pool` does.
    """
    rates, counts = _checked_cases(members, observed)
    hit = counts > 0  # few cells have an incident
    loss = partial(_linear_loss, rates.sum(axis=1), rates[:, hit], counts[hit])
    return LinearPool(_weights(loss, rates.shape, prior, prior_strength))


def log_miss(
    observed: Float[np.ndarray, "*total"], expected: Float[np.ndarray, "*total"]
) -> Float[np.ndarray, "*total"]:
    """How far a total was missed: log(observed / expected), drawn to 0 where both are small."""
    return np.log((observed + CARRY_COUNT) / (expected + CARRY_COUNT))


def fit_carry(misses: Float[np.ndarray, "origin type"]) -> float:
    """Share of a month's `log_miss` that is missed again a month later, in [0, 1].

    Least squares of each month's miss on the one before, shrunk towards 0: what is city-wide and
    lasts, a lockdown or a new way of recording, is told by last month's miss before any member
    has learned it. The miss of lead h is then expected to be share**h of the last one.

    Args:
        misses: one per origin, consecutive and oldest first, and offence type.
    """
    before, after = misses[:-1], misses[1:]
    share = float((before * after).sum() / ((before**2).sum() + CARRY_PRIOR))
    return min(max(share, 0.0), 1.0)


def _checked_cases(members: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not (np.isfinite(members) & (members > 0)).all():
        raise ValueError(
            "every expected count must be finite and above 0 to fit a pool: floor the members first"
        )
    if not (np.isfinite(observed) & (observed >= 0)).all():
        raise ValueError("every observed count must be a finite number >= 0 to fit a pool")
    flat = members.reshape(len(members), -1)
    return flat.astype(np.float64), observed.ravel().astype(np.float64)


def _geometric_loss(
    logs: np.ndarray, explained: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    pooled = np.exp(weights @ logs)
    return float(pooled.sum() - weights @ explained), logs @ pooled - explained


def _linear_loss(
    totals: np.ndarray, rates_hit: np.ndarray, counts_hit: np.ndarray, weights: np.ndarray
) -> tuple[float, np.ndarray]:
    pooled = weights @ rates_hit
    value = weights @ totals - counts_hit @ np.log(pooled)
    return float(value), totals - rates_hit @ (counts_hit / pooled)


def _weights(
    loss: Loss, shape: tuple[int, ...], prior: tuple[float, ...] | None, strength: float
) -> tuple[float, ...]:
    """Weights that minimise loss and penalty, found over their logits.

    Both are convex in the weights and the penalty keeps these inside the simplex, so the one
    stationary point is the minimum.
    """
    n_members, n_cases = shape
    centre = np.full(n_members, 1 / n_members) if prior is None else np.array(prior)
    if centre.shape != (n_members,) or (centre <= 0).any() or abs(centre.sum() - 1) > 1e-6:
        raise ValueError(
            f"the prior holds one positive weight for each of {n_members} members, with sum 1; "
            f"got {prior}"
        )
    if not strength > 0:
        raise ValueError(f"the prior's strength must be above 0 nats, got {strength}")

    found = minimize(
        _penalised,
        np.log(centre),
        args=(loss, strength * centre, 1 / (n_cases + 1)),
        jac=True,
        method="BFGS",
        options={"gtol": 1e-7},  # nats per case and logit
    )
    return tuple(special.softmax(found.x).tolist())


def _penalised(
    logits: np.ndarray, loss: Loss, pull: np.ndarray, scale: float
) -> tuple[float, np.ndarray]:
    log_weights = special.log_softmax(logits)  # finite even where a weight underflows
    weights = np.exp(log_weights)
    value, slope = loss(weights)
    value -= float(pull @ log_weights)
    slope = weights * slope - pull
    return scale * value, scale * (slope - weights * slope.sum())
