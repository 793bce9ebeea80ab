"""A search for GLDNet's settings on the validation days: resumable, pruned, over processes.

Hyperband's resource is the number of epochs: after each one a trial's value is its deviance skill
over the long-run frequency, pooled over all validation days, one day ahead. Nothing is learned from
those days. Every trial trains with one seed and one thread, so that the same settings are worth the
same however many workers there are.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import optuna
from jaxtyping import Float

from crime_platform.geography.street_graph import diffusion_matrix
from crime_platform.metrics.errors import daily_deviance
from crime_platform.models.streets.baselines import street_baselines
from crime_platform.models.streets.daily_rates import DailyRateFloor, daily_rate_floor
from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.schema.values import LONG_RUN_FREQUENCY
from crime_platform.training.gldnet_loop import Epoch
from crime_platform.training.numerics import at_most_threads
from crime_platform.tuning.run import OnTrial, deadline, go_on
from crime_platform.tuning.search_spaces import SearchSpace
from crime_platform.tuning.street_days import SelectionDays, require_selection_days
from crime_platform.tuning.street_search_space import gldnet_space
from crime_platform.tuning.study import DEVIANCE, Judgement
from crime_platform.tuning.trials import Limits, tell_rung

MOST_WORKERS = 2  # by default: each holds counts and samples of its own


def default_workers() -> int:
    """Workers that a machine of ordinary memory bears."""
    return min(MOST_WORKERS, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetBudget:
    """What a search may spend, over all its sessions together but for the time."""

    n_trials: int = 60
    n_epochs: int = 9  # of a trial that is never stopped: 1, 3 and 9 are Hyperband's rungs
    seconds: float | None = None  # of one session; no trial is begun afterwards
    workers: int = field(default_factory=default_workers)  # processes, with one thread each

    def __post_init__(self) -> None:
        counts = (self.n_trials, self.n_epochs, self.workers)
        if min(counts) < 1 or (self.seconds is not None and not self.seconds > 0):
            raise ValueError(
                "a search needs at least 1 trial, 1 epoch, 1 worker and more than 0 seconds, got "
                f"{self!r}"
            )

    def __str__(self) -> str:
        limit = "no time limit"
        if self.seconds is not None:
            limit = f"no new trial after {self.seconds / 60:g} minutes"
        return (
            f"{self.n_trials} trials of up to {self.n_epochs} epochs with one seed, "
            f"{self.workers} at a time; {limit}"
        )


def search_streets(
    selection: SelectionDays,
    budget: StreetBudget,
    file: Path,
    *,
    default: GldnetConfig | None = None,
    seed: int = 0,
    on_trial: OnTrial | None = None,
) -> optuna.Study:
    """Go on with the search that the file holds, or begin it, until the budget is spent.

    A search is the same while ranges, data, split, epochs and seed are the same; the file keeps
    others apart. With one worker the same seed tries the same settings, interrupted or not.

    Args:
        selection: what may be seen.
        budget: trials that were stored earlier count.
        file: SQLite, made when it is not there.
        default: settings of the first trial, which is never stopped; GLDNet's own if left out.
        seed: of what is tried.
        on_trial: called after every trial, to show what is known so far.

    Raises:
        TypeError: if the test is not cut off from the counts.
        SearchBusyError: if another process searches in this file.
        ValueError: if the default itself cannot be fitted and scored.
        WorkersLostError: if every worker was killed.
    """
    held = require_selection_days(selection)
    space = gldnet_space(held.streets, epochs=budget.n_epochs, default=default)
    opponent = _opponent_deviance(held)
    objective = _Objective(space=space, selection=held, opponent=opponent)
    limits = Limits(
        n_trials=budget.n_trials,
        n_rungs=budget.n_epochs,
        rung="epoch",
        seed=seed,
        until=deadline(budget.seconds),
    )
    judgement = _judgement(held, opponent, budget.n_epochs)
    return go_on(objective, judgement, limits, file, workers=budget.workers, on_trial=on_trial)


def _judgement(
    held: SelectionDays, opponent: Float[np.ndarray, " day"], n_epochs: int
) -> Judgement:
    days = held.split.validation_days
    return Judgement(
        identity=(held.data_version, list(held.split.content), n_epochs),
        facts={
            "data_version": held.data_version,
            "rung": "epoch",
            "n_rungs": n_epochs,
            "first_validation_day": str(days[0]),
            "last_validation_day": str(days[-1]),
            "opponent": LONG_RUN_FREQUENCY,
            DEVIANCE: _by_day(days, opponent),
            "n_cases": days.size * held.history.counts[0].size,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Objective:
    """Skill of one trial, epoch by epoch."""

    space: SearchSpace
    selection: SelectionDays
    opponent: Float[np.ndarray, " day"]

    def judge(self, trial: optuna.Trial, config: GldnetConfig) -> float:
        split, history = self.selection.split, self.selection.history
        forecaster = self.space.build(f"{self.space.model} trial {trial.number}", config)
        floor, deviance = daily_rate_floor(history.counts), np.array([np.nan])

        def after_epoch(epoch: Epoch, expected: Float[np.ndarray, "day type node"] | None) -> None:
            nonlocal deviance
            if expected is None:
                raise TypeError("a trial is judged by the validation days; they were learned from")
            deviance = _deviance(self.selection, expected, floor)
            skill = self._skill(deviance)
            tell_rung(trial, epoch.epoch, skill, space=self.space, n_rungs=config.epochs)

        with at_most_threads(1):
            forecaster.fit(history, split, on_epoch=after_epoch)
        trial.set_user_attr(DEVIANCE, _by_day(split.validation_days, deviance))
        return self._skill(deviance)

    def _skill(self, deviance: Float[np.ndarray, " day"]) -> float:
        return float(1 - deviance.sum() / self.opponent.sum())


def _deviance(
    held: SelectionDays, expected: Float[np.ndarray, "day type node"], floor: DailyRateFloor
) -> Float[np.ndarray, " day"]:
    """Poisson deviance of each validation day, with the floor that every street model is held to.

    Raises:
        ValueError: if an expected count is no finite number: training ran away.
    """
    days = held.split.validation_days
    first = held.history.index_of(days[0])
    rates = expected.astype(np.float64)
    for row in range(len(rates)):
        np.maximum(rates[row], floor.at(first - 1 + row), out=rates[row])
    observed = held.history.counts[first : first + days.size].astype(np.float64)
    return daily_deviance(observed, rates).sum(axis=1)


def _opponent_deviance(held: SelectionDays) -> Float[np.ndarray, " day"]:
    alpha_m = GldnetConfig().kernel_m  # the long-run frequency does not look at neighbours
    baselines = street_baselines(diffusion_matrix(held.streets.graph, alpha_m=alpha_m))
    fitted = baselines[LONG_RUN_FREQUENCY].fit(held.history, held.split)
    rolling = fitted.rolling(held.history, held.split.validation_days - 1, 1)
    return _deviance(held, rolling.expected_count[:, 0], daily_rate_floor(held.history.counts))


def _by_day(days: np.ndarray, deviance: Float[np.ndarray, " day"]) -> dict[str, float]:
    return {str(day): float(each) for day, each in zip(days, deviance, strict=True)}
