"""How a baseline's settings are chosen: by its own one-month-ahead forecasts of months known.

Every baseline may be tried with the same number of settings, so that no opponent is weak for want
of tuning. Nothing here knows what a setting means to a rule.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from crime_platform.models.count_distribution import rate_floor
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import Month

TUNING_BUDGET = 24  # settings tried for each baseline and offence type
TUNING_MONTHS = 24  # months that choose among them: two of each calendar month

Setting = tuple[float, ...]
"""The numbers one rule is run with, in the order the rule reads them."""

Rule = Callable[[CountHistory, Month, Sequence[Setting]], np.ndarray]
"""Rates [setting type *unit] in a target month, from everything known; all settings at once."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownCase:
    """A month already known, what was known just before it, and the floor of that time."""

    observed: Float[np.ndarray, " type *unit"]
    past: CountHistory
    floor: Float[np.ndarray, " type *unit"]

    @property
    def month(self) -> Month:
        return self.past.steps[-1] + 1


def known_cases(known: CountHistory, *, first: int) -> list[KnownCase]:
    """The last `TUNING_MONTHS` months from position `first` on, oldest first."""
    start = max(first, len(known.steps) - TUNING_MONTHS)
    pasts = [known.through(known.steps[i - 1]) for i in range(start, len(known.steps))]
    return [
        KnownCase(observed, past, rate_floor(past))
        for observed, past in zip(known.counts[start:], pasts, strict=True)
    ]


def choose_settings(
    rule: Rule, settings: Sequence[Setting], cases: Sequence[KnownCase]
) -> tuple[Setting, ...]:
    """For each offence type, the setting with the lowest Poisson deviance over the cases.

    Rates are raised to the floor first, as they are when they are forecast. A tie goes to the
    setting that comes first.

    Raises:
        ValueError: if there is no case, no setting, or more than `TUNING_BUDGET` settings.
    """
    if not 1 <= len(settings) <= TUNING_BUDGET:
        raise ValueError(
            f"a baseline is tuned over 1 to {TUNING_BUDGET} settings, like every other one; "
            f"got {len(settings)}"
        )
    if not cases:
        raise ValueError("settings are chosen on months already known, got none")
    n_types = len(cases[0].observed)
    if len(settings) == 1:
        return (settings[0],) * n_types
    loss = np.zeros((len(settings), n_types))
    for case in cases:
        rates = np.maximum(rule(case.past, case.month, settings), case.floor)
        loss += deviance_terms(case.observed.reshape(n_types, -1), rates.reshape(*loss.shape, -1))
    return tuple(settings[row] for row in loss.argmin(axis=0))


def tuned_rate(
    rule: Rule, chosen: Sequence[Setting], known: CountHistory, target: Month
) -> Float[np.ndarray, " type *unit"]:
    """Rates in the target month, each offence type under its own setting."""
    distinct = list(dict.fromkeys(chosen))
    rates = rule(known, target, distinct)
    return np.stack([rates[distinct.index(setting), i] for i, setting in enumerate(chosen)])


def deviance_terms(
    observed: Float[np.ndarray, " type unit"], rates: Float[np.ndarray, " setting type unit"]
) -> Float[np.ndarray, " setting type"]:
    """Half the Poisson deviance less what is the same for all rates: sum of mu - y ln(mu).

    Nine cells in ten hold nothing in a month, so a logarithm is taken of the others only.
    """
    terms = rates.sum(axis=2)
    for kind, counts in enumerate(observed):
        hit = np.flatnonzero(counts)
        terms[:, kind] -= np.log(rates[:, kind, hit]) @ counts[hit]
    return terms
