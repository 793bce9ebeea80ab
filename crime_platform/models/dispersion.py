"""Dispersion by offence type and rate group: a spread fitted to how far past forecasts missed.

A forecaster's own spread is one number per offence type. Busy and quiet units differ from it, and
so do months further ahead, so the spread may be fitted anew to forecasts whose months have
happened. Which kind is used when is decided in `spread_choice`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from scipy import special

RATE_EDGES = (0.05, 0.2, 1.0, 5.0)  # incidents a step; near-empty, quiet, middling, busy, hot
RATE_GROUPS = ("below 0.05", "0.05 to 0.2", "0.2 to 1", "1 to 5", "5 and more")  # their names
N_RATE_GROUPS = len(RATE_GROUPS)
POISSON, BY_TYPE, BY_RATE = "poisson", "negative_binomial_type", "negative_binomial_rate"
SPREADS = (POISSON, BY_TYPE, BY_RATE)  # from the simplest to the least simple
ALPHA_GRID = np.concatenate([[0.0], np.geomspace(1e-3, 1e2, 200)])  # Poisson, then steps of 6 %
RATE_STEP = 0.04  # expected counts are rounded to 4 %: the errors are even and cancel
SMALLEST_RATE = 1e-6  # smaller expected counts are fitted as if they were this
BORROWED_INCIDENTS = 50.0  # what a rate group hears of its offence type, beside its own incidents


def rate_group(expected: Float[np.ndarray, "*case"]) -> Int[np.ndarray, "*case"]:
    """Group of each case by its expected count: group g starts at `RATE_EDGES[g - 1]`.

    Cases are grouped by what was forecast, never by what happened, which would bias the spread.
    """
    return np.searchsorted(RATE_EDGES, expected, side="right")


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Alpha of the negative binomial (0 is Poisson) for each offence type and rate group."""

    kind: str
    by_group: Float[np.ndarray, "type group"]

    def alpha(self, expected: Float[np.ndarray, " type *unit"]) -> Float[np.ndarray, " type *unit"]:
        """Dispersion of each forecast, looked up by its expected count."""
        kind = np.arange(len(expected)).reshape(-1, *[1] * (expected.ndim - 1))
        return self.by_group[kind, rate_group(expected)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseTable:
    """Equal cases as one row: months of a whole city are a few thousand rows.

    Cases are equal when offence type, rate group, recorded count and the expected count, rounded
    to `RATE_STEP`, are. Rows are ordered by `type_group`. How often a row occurs is kept apart as
    a weight, because many fits share the rows: one for each past month and half of the evidence.
    """

    n_types: int
    type_group: Int[np.ndarray, " row"]  # offence type x `N_RATE_GROUPS` + rate group
    observed: Float[np.ndarray, " row"]
    expected: Float[np.ndarray, " row"]

    def slices(self) -> Iterator[tuple[int, int, slice]]:
        """Offence type, rate group and rows of each of the two that has any."""
        starts = np.searchsorted(self.type_group, np.arange(self.n_types * N_RATE_GROUPS + 1))
        for position, (start, end) in enumerate(pairwise(starts)):
            if end > start:
                yield *divmod(position, N_RATE_GROUPS), slice(start, end)


def tabulate(
    observed: Float[np.ndarray, "step type cell"], expected: Float[np.ndarray, "step type cell"]
) -> tuple[CaseTable, Int[np.ndarray, "step type cell"]]:
    """The rows that occur, and the row of each case.

    Raises:
        ValueError: if there is no case, or a count is negative or not finite.
    """
    if observed.size == 0:
        raise ValueError("a spread needs at least one recorded count, got none")
    for name, values in (("observed", observed), ("expected", expected)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(f"every {name} count must be a finite number >= 0 to fit a spread")
    n_types = observed.shape[1]
    group = rate_group(expected) + N_RATE_GROUPS * np.arange(n_types)[:, None]
    rate = np.rint(np.log(np.maximum(expected, SMALLEST_RATE)) / RATE_STEP).astype(np.int64)
    lowest, count = rate.min(), observed.astype(np.int64)
    n_rates, n_counts = int(rate.max() - lowest) + 1, int(count.max()) + 1
    code = (group * n_rates + rate - lowest) * n_counts + count
    codes, row = np.unique(code, return_inverse=True)
    group_and_rate, y = np.divmod(codes, n_counts)
    table = CaseTable(
        n_types=n_types,
        type_group=group_and_rate // n_rates,
        observed=y.astype(np.float64),
        expected=np.exp((group_and_rate % n_rates + lowest) * RATE_STEP),
    )
    return table, row.reshape(observed.shape)


def fit_spread(
    observed: Float[np.ndarray, "step type cell"],
    expected: Float[np.ndarray, "step type cell"],
    kind: str,
) -> Spread:
    """The spread of one kind that makes what was recorded most likely; see `fit_spreads`.

    Raises:
        ValueError: if there is no case, a count is negative or not finite, or no kind has the name.
    """
    if kind not in SPREADS:
        raise ValueError(f"no spread is called {kind!r}; there are {list(SPREADS)}")
    table, row = tabulate(observed, expected)
    weights = np.bincount(row.ravel(), minlength=len(table.observed)).astype(np.float64)
    return fit_spreads(table, weights[None])[kind][0]


def fit_spreads(
    table: CaseTable, weights: Float[np.ndarray, "fit row"]
) -> dict[str, tuple[Spread, ...]]:
    """Spreads of every kind by maximum likelihood, one for each set of weights.

    Alpha is the best of `ALPHA_GRID`, so all fits are a few matrix products: alpha is known from
    any city's months far less precisely than its steps of 6 %. Poisson is one of its points and
    wins a tie. A rate group adds to its own likelihood that of its whole offence type, weighed as
    `BORROWED_INCIDENTS` incidents: a group with few cases falls back on its type.

    Source: NB2, Cameron & Trivedi (2013), section 3.3; the borrowed likelihood is a power prior,
    Ibrahim & Chen (2000), Statistical Science 15.
    """
    n_fits = len(weights)
    loss = np.zeros((n_fits, table.n_types, N_RATE_GROUPS, ALPHA_GRID.size))
    incidents = np.zeros((n_fits, table.n_types))
    by_row = _loss_of_rows(table)
    for kind, group, rows in table.slices():
        loss[:, kind, group] = weights[:, rows] @ by_row[rows]
        incidents[:, kind] += weights[:, rows] @ table.observed[rows]
    of_type = loss.sum(axis=2, keepdims=True)
    borrowed = BORROWED_INCIDENTS / np.maximum(incidents, BORROWED_INCIDENTS)
    alphas = {
        POISSON: np.zeros(loss.shape[:3]),
        BY_TYPE: np.broadcast_to(ALPHA_GRID[of_type.argmin(axis=3)], loss.shape[:3]),
        BY_RATE: ALPHA_GRID[(loss + borrowed[..., None, None] * of_type).argmin(axis=3)],
    }
    return {name: tuple(Spread(name, each) for each in values) for name, values in alphas.items()}


def _loss_of_rows(table: CaseTable) -> Float[np.ndarray, "row alpha"]:
    """Negative log-likelihood of NB2 less that of Poisson; the first column, Poisson, is 0."""
    alpha = ALPHA_GRID[1:]
    size = 1 / alpha
    counts, of_count = np.unique(table.observed, return_inverse=True)
    rates, of_rate = np.unique(table.expected, return_inverse=True)
    y, spread = counts[:, None], np.log1p(alpha * rates[:, None])
    gained = special.gammaln(y + size) - special.gammaln(size) + y * np.log(alpha)
    excess = spread * size - rates[:, None]
    loss = excess[of_rate] + table.observed[:, None] * spread[of_rate] - gained[of_count]
    return np.concatenate([np.zeros((len(loss), 1)), loss], axis=1)
