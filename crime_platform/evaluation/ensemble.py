"""What the past alone would have done at each origin: the pool's weights and the champion.

Everything decided at an origin is decided on forecasts from earlier origins whose target month is
known at it, so the rows `ensemble` and `policy` of the back-test have no winner's curse.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float
from scipy import special

from crime_platform.evaluation.selection import Choice, choose_champion
from crime_platform.models.combination import (
    LinearPool,
    Pool,
    fit_carry,
    fit_geometric_pool,
    log_miss,
)
from crime_platform.models.count_distribution import rate_floor
from crime_platform.schema.values import HISTORICAL_AVERAGE
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import Month

if TYPE_CHECKING:
    import pandas as pd

MIN_MEMBERS = 2
MIN_POOL_ORIGINS = 3  # with fewer known targets the weights are equal and no level is carried
TYPE_PRIOR_STRENGTH = 30.0  # nats that pull a type's weights towards those of all types
JUDGED_ORIGINS = 12  # a year: every season once, and a model that has become worse is found out


@dataclass(frozen=True, slots=True, kw_only=True)
class ChampionDecision:
    """Which model is champion at one origin, and why; figures are mean Poisson deviances."""

    origin: Month
    champion: str
    lowest_deviance: str | None  # the best of the judged origins; None while they are too few
    mean_gap: float  # of the champion to the best; NaN while the judged origins are too few
    standard_error: float  # of that gap
    is_switch: bool  # True where the champion before it was another model
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _PooledOrigin:
    """What the pool says at one origin, its level not yet corrected."""

    expected: Float[np.ndarray, "lead type *unit"]
    dispersion: Float[np.ndarray, "lead type *unit"]
    weights: dict[str, tuple[float, ...]]  # by member, one per offence type


def ensemble_forecasts(
    members: Mapping[str, RollingForecasts],
    history: CountHistory,
    offence_types: Sequence[str],
    *,
    fit: Callable[..., Pool] = fit_geometric_pool,
) -> tuple[RollingForecasts, "pd.DataFrame"]:
    """The pool of the members at every origin where two or more of them have a forecast.

    At each origin the weights are fitted, one month ahead and over the cells active by then, on
    the earlier origins that all its members share; they are first fitted to all offence types
    together, and those of one type are shrunk towards them. The pool is then moved by the share
    of its last miss of each type's city total that its earlier misses show to last.

    Args:
        members: forecasts by model name, each floored. Members may start at different origins.
        history: counts up to the last origin or beyond; nothing after an origin is read at it.
        offence_types: names, in the order of the arrays.
        fit: `fit_geometric_pool` or `fit_linear_pool`.

    Returns:
        The forecasts, whose dispersion is only the members' weighted mean; and one row per
        origin, offence type and member: `origin_month`, `offence_type`, `member`, `weight`, and
        the `level` by which the pool was multiplied one month ahead.

    Raises:
        ValueError: if no origin has two members.
    """
    every_origin = np.unique(np.concatenate([rolling.origins for rolling in members.values()]))
    pooled: dict[Month, _PooledOrigin] = {}
    levels: dict[Month, Float[np.ndarray, "lead type"]] = {}
    expected = []
    for origin in every_origin:
        serving = {name: rolling for name, rolling in members.items() if origin in rolling.origins}
        if len(serving) < MIN_MEMBERS:
            continue
        known = history.through(origin)
        now = _pool_at(origin, serving, known, fit)
        levels[origin] = level = _levels(pooled, known, now.expected.shape[:2])
        pooled[origin] = now
        scaled = now.expected * level.reshape(*level.shape, *[1] * (now.expected.ndim - 2))
        expected.append(np.maximum(scaled, rate_floor(known)))
    if not pooled:
        raise ValueError(
            f"an ensemble needs {MIN_MEMBERS} members with a forecast at the same origin; "
            f"the members are {sorted(members)}"
        )
    forecasts = RollingForecasts(
        origins=np.array(list(pooled)),
        expected_count=np.stack(expected),
        dispersion=np.stack([step.dispersion for step in pooled.values()]),
    )
    return forecasts, _weight_table(pooled, levels, offence_types)


def champion_walk(
    forecasts: Mapping[str, RollingForecasts],
    history: CountHistory,
    simplest_first: Sequence[str],
    *,
    incumbent: str | None = None,
) -> tuple[ChampionDecision, ...]:
    """The champion at every origin of the historical average, chosen on earlier origins alone.

    At each origin `choose_champion` judges the last `JUDGED_ORIGINS` origins before it, one month
    ahead and over the cells active by then; a model competes if it has a forecast at this origin
    and at all of those. The champion of the origin before is the incumbent.

    Args:
        forecasts: by model name, each floored; the last origin is `as_of`.
        history: counts up to the last origin or beyond; nothing after an origin is read at it.
        simplest_first: every model name, from the simplest to the most complex.
        incumbent: the champion published last; it takes the incumbent's seat at the last origin,
            so that the choice does not flap between runs. Ignored if there is no such model now.

    Raises:
        ValueError: if the historical average has no forecasts, or a model no place in
            `simplest_first`.
    """
    if HISTORICAL_AVERAGE not in forecasts:
        raise ValueError(
            f"the champion starts as {HISTORICAL_AVERAGE}, which has no forecasts; "
            f"there are {sorted(forecasts)}"
        )
    origins = forecasts[HISTORICAL_AVERAGE].origins
    deviance = {name: _deviance_by_unit(rolling, history) for name, rolling in forecasts.items()}
    decisions: list[ChampionDecision] = []
    for origin in origins:
        seated = decisions[-1].champion if decisions else None
        if origin == origins[-1] and incumbent in forecasts:
            seated = incumbent
        judged = [past for past in origins if past < origin][-JUDGED_ORIGINS:]
        active = _ever_active(history.through(origin))
        competing = {
            name: np.array([by_origin[past][:, active].mean() for past in judged])
            for name, by_origin in deviance.items()
            if origin in forecasts[name].origins and by_origin.keys() >= set(judged)
        }
        choice = choose_champion(competing, simplest_first, incumbent=seated)
        decisions.append(_decision(origin, choice, seated))
    return tuple(decisions)


def policy_forecasts(
    decisions: Sequence[ChampionDecision], forecasts: Mapping[str, RollingForecasts]
) -> RollingForecasts:
    """The row `policy`: at each origin the forecast of the model that was champion there."""
    chosen = [forecasts[decision.champion] for decision in decisions]
    rows = [
        int(np.flatnonzero(rolling.origins == decision.origin)[0])
        for rolling, decision in zip(chosen, decisions, strict=True)
    ]
    return RollingForecasts(
        origins=np.array([decision.origin for decision in decisions]),
        expected_count=np.stack(
            [rolling.expected_count[row] for rolling, row in zip(chosen, rows, strict=True)]
        ),
        dispersion=np.stack(
            [rolling.dispersion[row] for rolling, row in zip(chosen, rows, strict=True)]
        ),
    )


def _ever_active(known: CountHistory) -> Bool[np.ndarray, "*unit"]:
    return np.asarray(known.counts.any(axis=(0, 1)))


def _pool_at(
    origin: Month,
    serving: Mapping[str, RollingForecasts],
    known: CountHistory,
    fit: Callable[..., Pool],
) -> _PooledOrigin:
    pooled = serving.values()
    shared = max(rolling.origins[0] for rolling in pooled)
    judged = np.arange(shared, origin)  # the target of each is known: it is at most the origin
    if len(judged) < MIN_POOL_ORIGINS:
        judged = judged[:0]  # without a case the weights are the prior's
    active = _ever_active(known)
    observed = known.counts[(judged + 1 - known.steps[0]).astype(np.int64)][:, :, active]
    members = np.stack(
        [
            rolling.expected_count[np.isin(rolling.origins, judged), 0][:, :, active]
            for rolling in pooled
        ]
    )
    pools = _pools_by_type(members, observed, fit)
    weights = np.array([pool.weights for pool in pools])
    expected, dispersion = (
        np.stack([getattr(rolling, name)[rolling.origins == origin][0] for rolling in pooled])
        for name in ("expected_count", "dispersion")
    )
    mixed = [LinearPool(p.weights).combine(dispersion[:, :, k]) for k, p in enumerate(pools)]
    return _PooledOrigin(
        expected=np.stack([p.combine(expected[:, :, k]) for k, p in enumerate(pools)], axis=1),
        dispersion=np.stack(mixed, axis=1),
        weights=dict(zip(serving, map(tuple, weights.T.tolist()), strict=True)),
    )


def _pools_by_type(
    members: Float[np.ndarray, "member origin type unit"],
    observed: Float[np.ndarray, "origin type unit"],
    fit: Callable[..., Pool],
) -> list[Pool]:
    every_type = fit(members, observed)
    return [
        fit(
            members[:, :, kind],
            observed[:, kind],
            prior=every_type.weights,
            prior_strength=TYPE_PRIOR_STRENGTH,
        )
        for kind in range(observed.shape[1])
    ]


def _levels(
    pooled: Mapping[Month, _PooledOrigin], known: CountHistory, shape: tuple[int, int]
) -> Float[np.ndarray, "lead type"]:
    """Factor by lead and offence type that the misses of earlier origins call for."""
    if len(pooled) < MIN_POOL_ORIGINS:
        return np.ones(shape)
    misses = np.stack(
        [
            log_miss(_totals(known.counts[known.index_of(past + 1)]), _totals(step.expected[0]))
            for past, step in pooled.items()
        ]
    )
    leads = np.arange(1, shape[0] + 1)
    return np.exp(np.outer(fit_carry(misses) ** leads, misses[-1]))


def _weight_table(
    pooled: Mapping[Month, _PooledOrigin],
    levels: Mapping[Month, Float[np.ndarray, "lead type"]],
    offence_types: Sequence[str],
) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "origin_month": origin.astype("datetime64[D]").item(),
                "offence_type": kind,
                "member": name,
                "weight": weights[position],
                "level": float(levels[origin][0, position]),
            }
            for origin, step in pooled.items()
            for position, kind in enumerate(offence_types)
            for name, weights in step.weights.items()
        ]
    )


def _totals(counts: Float[np.ndarray, " type *unit"]) -> Float[np.ndarray, " type"]:
    return counts.reshape(len(counts), -1).sum(axis=1, dtype=np.float64)


def _decision(origin: Month, choice: Choice, seated: str | None) -> ChampionDecision:
    return ChampionDecision(
        origin=origin,
        champion=choice.champion,
        lowest_deviance=choice.lowest_deviance,
        mean_gap=choice.mean_gap,
        standard_error=choice.standard_error,
        is_switch=seated is not None and choice.champion != seated,
        reason=choice.reason,
    )


def _deviance_by_unit(
    rolling: RollingForecasts, history: CountHistory
) -> dict[Month, Float[np.ndarray, " type *unit"]]:
    """Poisson deviance one month ahead, of every origin whose target has happened."""
    return {
        origin: 2 * special.kl_div(history.counts[history.index_of(origin + 1)], expected[0])
        for origin, expected in zip(rolling.origins, rolling.expected_count, strict=True)
        if origin < history.steps[-1]
    }
