"""What a model of daily counts per street promises: fitted on a split, run over many origins.

Hundreds of daily origins are forecast with one set of parameters, so a fitted model takes them all
in one call: a recursion then passes over the days once, not once for each origin.
"""

from typing import Protocol, runtime_checkable

import numpy as np

from crime_platform.vocabulary.day_split import DaySplit
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import IncompleteDataError


@runtime_checkable
class FittedStreet(Protocol):
    """A street model whose parameters are fixed: it may read more days but learns nothing."""

    @property
    def name(self) -> str: ...

    def rolling(self, history: CountHistory, origins: np.ndarray, horizon: int) -> RollingForecasts:
        """Forecast leads 1..horizon from consecutive days; lead h describes `origin + h`.

        The forecast from an origin never reads a day after it, though `history` may hold some.
        """
        ...


@runtime_checkable
class StreetForecaster(Protocol):
    """A recipe that learns from one split; `name` is the model's name in every table."""

    @property
    def name(self) -> str: ...

    def fit(
        self, history: CountHistory, split: DaySplit, *, learn_from_validation: bool = False
    ) -> FittedStreet:
        """Learn from train days and tune on validation days; no later day is read.

        With `learn_from_validation` the validation days are learned from too, once they have
        served to tune: so a model that forecasts tomorrow has not held back the newest days.
        """
        ...


def origin_positions(history: CountHistory, origins: np.ndarray, horizon: int) -> range:
    """Positions in the history of consecutive daily origins, oldest first.

    Raises:
        ValueError: if the history is not daily, the horizon is below 1, there is no origin, or the
            origins do not follow each other day by day.
        IncompleteDataError: if an origin lies outside the history.
    """
    if history.steps.dtype != np.dtype("datetime64[D]"):
        raise ValueError(f"street models read days; the steps are {history.steps.dtype}")
    if horizon < 1:
        raise ValueError(f"the horizon is the largest lead, at least 1 day; got {horizon}")
    if origins.size == 0 or not (np.diff(origins.astype("datetime64[D]")).astype(int) == 1).all():
        raise ValueError(
            "origins must be consecutive days, oldest first and at least one; "
            f"got {origins.size}: {origins[:3]}..."
        )
    first, last = origins[0], origins[-1]
    if first < history.steps[0] or last > history.steps[-1]:
        raise IncompleteDataError(
            f"origins {first}..{last} reach beyond the history "
            f"{history.steps[0]}..{history.steps[-1]}: add days or choose other origins"
        )
    start = history.index_of(first)
    return range(start, start + origins.size)
