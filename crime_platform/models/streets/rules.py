"""Formulas of the daily baselines: what is known at an origin in, rates of one target day out.

Every rule runs all its settings at once. A setting is a tuple of numbers, the first a half-life in
days (infinity weighs all days alike); a rule gets each number as a column that broadcasts over
`setting type node`, so that the same lines serve many settings for all offence types and one
setting of each type.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy import sparse

from crime_platform.models.streets.daily_rates import KnownDays
from crime_platform.vocabulary.timesteps import Day, weekday

Columns = tuple[np.ndarray, ...]
"""The numbers of all settings, in the order the rule reads them, each [setting #type 1]."""

DailyRule = Callable[[KnownDays, Day, Columns], np.ndarray]
"""Rates [setting type node] of a target day, from what is known at the origin."""


def decayed_mean(known: KnownDays, _target: Day, _columns: Columns) -> np.ndarray:
    """Mean of all days known, weight halved every half-life; the plain mean at infinity."""
    return known.discounted / known.weight


def ewma(known: KnownDays, _target: Day, _columns: Columns) -> np.ndarray:
    """EWMA whose unseen past is the long-run mean.

    The days known carry `1 - decay ** n` of the weight; what an endless past would carry goes to
    their plain mean. A `decayed_mean` with a long half-life is the same but for that.
    """
    unseen = known.decay**known.n_days
    return (1 - known.decay) * known.discounted + unseen * known.mean


def last_day(known: KnownDays, _target: Day, columns: Columns) -> np.ndarray:
    """The origin's own counts, moved by a share of the way to the long-run mean of all nodes."""
    _, share = columns
    in_area = known.mean.mean(axis=1, keepdims=True)
    return known.last + share * (in_area - known.last)


def constant(known: KnownDays, _target: Day, _columns: Columns) -> np.ndarray:
    """Long-run mean of all nodes, the same everywhere."""
    level = known.discounted / known.weight
    return np.broadcast_to(level.mean(axis=2, keepdims=True), level.shape)


def day_of_week(known: KnownDays, target: Day, columns: Columns) -> np.ndarray:
    """`ewma` times the factor of the target's weekday in the whole area.

    The factor is incidents on that weekday over what the mean of all days would give, both with
    `strength` days of that mean added: few weeks say little of a weekday.
    """
    _, strength = columns
    day = int(weekday(np.array([target]))[0])
    usual = known.total.sum(axis=1) / known.n_days
    seen, expected = known.weekday_total[day], known.weekday_days[day] * usual
    added = strength * usual[:, None]
    expected = expected[:, None] + added
    factor = np.divide(seen[:, None] + added, expected, out=np.ones_like(added), where=expected > 0)
    return ewma(known, target, columns) * factor


def network_smoothed(
    diffusion: sparse.csr_array, known: KnownDays, target: Day, columns: Columns
) -> np.ndarray:
    """Frequency blended with that of its neighbours: a share of what lies some hops away.

    One hop is the mean of a node's neighbours under the weights of its row in `diffusion`.
    """
    _, share, hops = columns
    level = decayed_mean(known, target, columns)
    spread, far = level, np.zeros_like(level)
    for hop in range(1, int(hops.max()) + 1):
        spread = neighbours_mean(diffusion, spread)
        far = np.where(hops == hop, spread, far)
    return level + share * (far - level)


def gamma_poisson(
    diffusion: sparse.csr_array, known: KnownDays, target: Day, columns: Columns
) -> np.ndarray:
    """Posterior mean of each node's rate under a gamma prior worth `strength` days.

    The prior's mean is that of all nodes ever active, with a share of the mean of the node's
    neighbours. Where nothing was ever recorded there is no prior and the floor speaks.

    Source: Clayton & Kaldor (1987), Biometrics 43(3), posterior mean. Ours: discounted days, and
    the neighbours in the prior.
    """
    _, strength, share = columns
    is_active = known.total.any(axis=0)
    level = decayed_mean(known, target, columns)
    in_area = level.sum(axis=2, keepdims=True) / max(int(is_active.sum()), 1)
    prior = is_active * (in_area + share * (neighbours_mean(diffusion, level) - in_area))
    return (known.discounted + strength * prior) / (known.weight + strength)


def neighbours_mean(
    diffusion: sparse.csr_array, values: Float[np.ndarray, "setting type node"]
) -> Float[np.ndarray, "setting type node"]:
    """Weighted mean over each node's neighbours, for each setting and offence type.

    Raises:
        ValueError: if the matrix belongs to another number of nodes.
    """
    n_nodes = diffusion.indptr.size - 1
    if n_nodes != values.shape[-1]:
        raise ValueError(
            f"the diffusion matrix has {n_nodes} nodes, the history has "
            f"{values.shape[-1]}: both must describe one graph, in one order"
        )
    rows = values.reshape(-1, values.shape[-1])
    return (diffusion @ rows.T).T.reshape(values.shape)


def row_mean_weights(diffusion: sparse.csr_array) -> sparse.csr_array:
    """The diffusion matrix with a node that has no neighbour as its own, so that rows sum to 1.

    Raises:
        ValueError: if the matrix is not square, holds a negative or infinite weight, or a row sums
            to neither 1 nor 0.
    """
    shape = tuple(diffusion.shape or ())
    if len(set(shape)) != 1:
        raise ValueError(f"a diffusion matrix is node by node, got shape {shape}")
    if not (np.isfinite(diffusion.data) & (diffusion.data >= 0)).all():
        raise ValueError("every diffusion weight must be a finite number >= 0")
    sums = np.asarray(diffusion.sum(axis=1)).ravel()
    wrong = np.flatnonzero(~np.isclose(sums, 1.0, atol=1e-5) & (sums != 0))
    if wrong.size:
        raise ValueError(
            f"rows of the diffusion matrix must sum to 1, or to 0 for a node without neighbours; "
            f"row {wrong[0]} sums to {sums[wrong[0]]:.6g}: divide each row by its sum"
        )
    alone = sparse.diags_array((sums == 0).astype(np.float64))
    return sparse.csr_array(diffusion.astype(np.float64) + alone)
