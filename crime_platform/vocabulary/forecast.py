"""The history a forecaster may see and the forecast it returns, for cells and segments alike.

Arrays keep one axis order everywhere: step or lead, then offence type, then the unit axes
(`row col` for the grid, `node` for the street graph).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from crime_platform.vocabulary.timesteps import IncompleteDataError, target_step


def no_days() -> np.ndarray:
    """An empty list of days."""
    return np.array([], dtype="datetime64[D]")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recount:
    """Counts that were other than they are now, each at its place."""

    position: Int[np.ndarray, "axis place"]  # step, type and unit axes
    count: Float[np.ndarray, " place"]

    def applied_to(self, counts: np.ndarray) -> np.ndarray:
        """A copy of the counts with these in place."""
        changed = counts.copy()
        changed[tuple(self.position)] = self.count.astype(counts.dtype)
        return changed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vintage:
    """What the counts through one step were when that step was the newest."""

    counts: Recount
    marked: Mapping[str, Recount] = field(default_factory=dict)

    @property
    def content(self) -> tuple[object, ...]:
        """Its arrays, as parts of an artifact's key."""
        recounts = {"": self.counts, **self.marked}
        return list(recounts), *(a for r in recounts.values() for a in (r.position, r.count))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CountHistory:
    """Counts of recorded incidents in consecutive steps, oldest first, and the calendar's holidays.

    Holidays are fixed years ahead: the ones after the last step are known too. A mark is something
    known of an incident besides its type, say that it happened in a house; `marked` holds, by mark,
    how many of the counted incidents bear it. Publishers revise what they have published:
    `vintages` holds, by origin, what was known then, where that is on record.
    """

    steps: np.ndarray  # datetime64[M] or [D], consecutive
    counts: Float[np.ndarray, "step type *unit"]
    holidays: np.ndarray = field(default_factory=no_days)  # datetime64[D], rising
    marked: Mapping[str, np.ndarray] = field(default_factory=dict)  # each step, type, *unit
    vintages: Mapping[np.datetime64, Vintage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.steps) != len(self.counts):
            raise ValueError(
                f"one step per slice of counts: got {len(self.steps)} steps "
                f"for {len(self.counts)} slices"
            )
        jumps = np.flatnonzero(np.diff(self.steps).astype(np.int64) != 1)
        if jumps.size:
            raise IncompleteDataError(
                f"steps must follow each other without a gap; after {self.steps[jumps[0]]} "
                f"comes {self.steps[jumps[0] + 1]}: ingest what lies between"
            )
        if not np.isfinite(self.counts).all():
            raise ValueError("counts must be finite; a step without data is missing, not NaN")
        for mark, counts in self.marked.items():
            if counts.shape != self.counts.shape:
                raise ValueError(
                    f"counts of mark {mark!r} have shape {counts.shape}, those of all incidents "
                    f"{self.counts.shape}: they must lie on the same axes"
                )

    @property
    def content(self) -> tuple[object, ...]:
        """Everything a model can learn from, as parts of an artifact's key."""
        times = self.steps.astype("int64"), self.holidays.astype("int64")
        known = *times, np.asarray(self.counts), list(self.marked), *self.marked.values()
        if not self.vintages:
            return known
        then = [part for vintage in self.vintages.values() for part in vintage.content]
        return *known, [str(origin) for origin in self.vintages], *then

    def index_of(self, step: np.datetime64) -> int:
        """Position of `step` on the first axis.

        Raises:
            IncompleteDataError: if the history does not hold the step.
        """
        position = int((step - self.steps[0]).astype(np.int64))
        if not 0 <= position < len(self.steps):
            raise IncompleteDataError(
                f"step {step} is not in the history {self.steps[0]}..{self.steps[-1]}"
            )
        return position

    def through(self, origin: np.datetime64) -> "CountHistory":
        """What was known at `origin`: every step up to and including it, nothing later.

        Counts that were revised since are what they were then, where that is on record.
        """
        end = self.index_of(origin) + 1
        counts = self.counts[:end]
        marked = {mark: counts[:end] for mark, counts in self.marked.items()}
        if then := self.vintages.get(origin):
            counts = then.counts.applied_to(counts)
            revised = {mark: it for mark, it in then.marked.items() if mark in marked}
            marked |= {mark: it.applied_to(marked[mark]) for mark, it in revised.items()}
        return CountHistory(
            steps=self.steps[:end], counts=counts, holidays=self.holidays, marked=marked
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForecastArray:
    """Expected counts for the steps after one origin, with the spread round them.

    `dispersion` is alpha of the negative binomial with variance mu + alpha * mu^2; 0 is Poisson.
    """

    origin: np.datetime64
    expected_count: Float[np.ndarray, "lead type *unit"]
    dispersion: Float[np.ndarray, "..."]

    def __post_init__(self) -> None:
        if self.dispersion.shape != self.expected_count.shape:
            raise ValueError(
                f"one dispersion per expected count: got {self.dispersion.shape} "
                f"for {self.expected_count.shape}"
            )
        for name, values in (("expected count", self.expected_count), ("alpha", self.dispersion)):
            wrong = ~np.isfinite(values) | (values < 0)
            if wrong.any():
                raise ValueError(
                    f"every {name} must be a finite number >= 0; the forecast from {self.origin} "
                    f"has {int(wrong.sum())} other values, the first {values[wrong][0]}"
                )

    @property
    def horizon(self) -> int:
        """Largest lead."""
        return len(self.expected_count)

    @property
    def targets(self) -> np.ndarray:
        """Steps described, one per lead."""
        return np.array([target_step(self.origin, lead + 1) for lead in range(self.horizon)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RollingForecasts:
    """One model's forecasts from several origins, oldest first."""

    origins: np.ndarray
    expected_count: Float[np.ndarray, "origin lead type *unit"]
    dispersion: Float[np.ndarray, "origin lead type *unit"]


@runtime_checkable
class Fitted(Protocol):
    """A forecaster whose parameters are fixed: it may read more history but learns nothing."""

    def forecast(self, history: CountHistory, origin: np.datetime64, horizon: int) -> ForecastArray:
        """Forecast leads 1..horizon; steps after `origin` in `history` are never read."""
        ...


@runtime_checkable
class Forecaster(Protocol):
    """A recipe that learns from the past; `name` is the model's name in every table."""

    @property
    def name(self) -> str: ...

    @property
    def min_history_months(self) -> int:
        """Months through the origin without which it cannot be fitted."""
        ...

    def fit(self, history: CountHistory, origin: np.datetime64) -> Fitted:
        """Learn from steps up to and including `origin` only."""
        ...
