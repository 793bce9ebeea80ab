"""The rate a network starts from: what plain empirical Bayes would forecast at each origin."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from crime_platform.models.baseline_tuning import (
    Setting,
    choose_settings,
    known_cases,
    tuned_rate,
)
from crime_platform.models.cells.baselines import BASELINES
from crime_platform.models.count_distribution import rate_floor
from crime_platform.models.empirical_bayes import city_level, empirical_bayes_rate
from crime_platform.vocabulary.forecast import CountHistory

_BASE = BASELINES["empirical_bayes"]


def choose_base(known: CountHistory) -> tuple[Setting, ...]:
    """Settings of the base rate per offence type, tuned as the baseline of that name is."""
    return choose_settings(_BASE.rule, _BASE.grid, known_cases(known, first=_BASE.rule_months))


def base_rates(
    history: CountHistory, settings: Sequence[Setting], *, first: int, last: int, horizon: int
) -> Float[np.ndarray, "origin lead type row col"]:
    """Base rate of each lead at every step from `first` to `last`, each from its own past only.

    Never zero: raised to the rate floor, and then scaled back to the city's level.
    """
    rates = []
    for origin in history.steps[first : last + 1]:
        known = history.through(origin)
        one_ahead = tuned_rate(empirical_bayes_rate, settings, known, origin + 1)
        raised = np.maximum(one_ahead, rate_floor(known))
        share = raised / raised.sum(axis=(1, 2), keepdims=True)
        levels = np.stack([city_level(known, origin + lead) for lead in range(1, horizon + 1)])
        rates.append(share * levels[:, :, None, None])
    return np.stack(rates)
