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
    n_origins: int = 12
    refit_every: int | None = 6  # months; None fits once, before the first origin
    horizon: int = 3

    def __post_init__(self) -> None:
        if min(self.n_origins, self.horizon, self.refit_every or 1) < 1:
            raise ValueError(f"origins, refit interval and horizon must be at least 1, got {self}")

    @property
    def origins(self) -> np.ndarray:
        """Past months forecast from, oldest first; the last one is the month before `as_of`."""
        return month_range(self.as_of - self.n_origins, self.as_of - 1)

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
    """Forecasts from every origin of the plan, then the one from `as_of` that may be published.

    Args:
        plan: origins and refit rule.
        history: counts up to `as_of` or beyond; what lies after an origin is cut off here.
        fitted_at: model fitted on the months up to the month given.
        min_history_months: months a fit needs; with less at an anchor it is fitted later,
            never beyond the origin it serves.
        task: name for progress reports.

    Raises:
        IncompleteDataError: if the first origin has fewer months than a fit needs.
    """
    earliest = history.steps[0] + (min_history_months - 1)
    origins = [*plan.origins, plan.as_of]
    if origins[0] < earliest:
        held = int((origins[0] - history.steps[0]).astype(np.int64)) + 1
        raise IncompleteDataError(
            f"{task} needs {min_history_months} months of history at its first origin "
            f"{origins[0]} and has {max(held, 0)}: the data begin in {history.steps[0]}"
        )
    for done, origin in enumerate(origins, start=1):
        known = history.through(origin)
        fitted = fitted_at(max(plan.fit_origin(origin), earliest))
        yield fitted.forecast(known, origin, plan.horizon)
        report_progress(
            Progress(task=task, done=done, total=len(origins), unit="origin", detail=str(origin))
        )
