"""Rolling origins: what each model would have forecast in the past, and how wrong it was.

A model meets only `history.through(origin)`. Scores are kept as sums, so that months, leads and
offence types pool exactly; ratios are taken last, by whoever reads them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from crime_platform.vocabulary.forecast import CountHistory, Fitted, ForecastArray
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.timesteps import IncompleteDataError, Month, month_range

MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPlan:
    """Which origins are forecast from, and when a model is fitted anew.

    Fits are anchored to the calendar (every 6 months: June and December), and the forecast that
    is published uses the same rule as the backtest: what is scored is what is run. Next month's
    run therefore finds most of its fits already made.
    """

    as_of: Month
    n_origins: int = 12  # scored
    n_selection: int = 12  # before them: champion and ensemble are chosen here, nothing is scored
    refit_every: int | None = 6  # months; None fits once, before the first origin
    horizon: int = 3

    def __post_init__(self) -> None:
        if min(self.n_origins, self.horizon, self.refit_every or 1) < 1 or self.n_selection < 0:
            raise ValueError(
                "origins, refit interval and horizon must be at least 1 and the selection origins "
                f"at least 0, got {self}"
            )

    @property
    def origins(self) -> np.ndarray:
        """Past months forecast from, oldest first: those for selection, then the scored ones."""
        return month_range(self.as_of - self.n_origins - self.n_selection, self.as_of - 1)

    @property
    def test_origins(self) -> np.ndarray:
        """The origins that are scored: the last ones before `as_of`."""
        return self.origins[self.n_selection :]

    @property
    def first_test_origin(self) -> Month:
        """Where selection ends: only targets up to this month may have chosen anything for it."""
        return self.test_origins[0]

    def fit_origin(self, origin: Month) -> Month:
        """Newest anchored month up to `origin`: the model serving `origin` has seen no more."""
        every, latest = self.refit_every, origin
        if every is None:
            every, latest = MONTHS_PER_YEAR, self.origins[0]
        months_since_anchor = (int(latest.astype(np.int64)) + 1) % every
        return latest - months_since_anchor


def rolling_forecasts(
    plan: BacktestPlan,
    history: CountHistory,
    *,
    fitted_at: Callable[[Month], Fitted],
    min_history_months: int,
    task: str,
) -> Iterator[ForecastArray]:
    """Forecasts from the plan's origins, then the one from `as_of` that may be published.

    A model that needs a longer history starts at a later selection origin, but serves every
    scored one.

    Args:
        plan: origins and refit rule.
        history: counts up to `as_of` or beyond; what lies after an origin is cut off here.
        fitted_at: model fitted on the months up to the month given.
        min_history_months: months a fit needs; with less at an anchor it is fitted later,
            never beyond the origin it serves.
        task: name for progress reports.

    Raises:
        IncompleteDataError: if the first scored origin has fewer months than a fit needs.
    """
    earliest = history.steps[0] + (min_history_months - 1)
    origins = [origin for origin in (*plan.origins, plan.as_of) if origin >= earliest]
    first = plan.first_test_origin
    if first < earliest:
        held = int((first - history.steps[0]).astype(np.int64)) + 1
        raise IncompleteDataError(
            f"{task} needs {min_history_months} months of history at the first scored origin "
            f"{first} and has {max(held, 0)}: the data begin in {history.steps[0]}"
        )
    for done, origin in enumerate(origins, start=1):
        known = history.through(origin)
        fitted = fitted_at(max(plan.fit_origin(origin), earliest))
        yield fitted.forecast(known, origin, plan.horizon)
        report_progress(
            Progress(task=task, done=done, total=len(origins), unit="origin", detail=str(origin))
        )
