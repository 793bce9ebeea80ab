"""A search for a model's settings on the months before the test: resumable, pruned, repeatable.

Hyperband's resource is the number of fits: at rung k a trial has been fitted at k past origins, and
its value is the skill over the historical average pooled over every origin that these fits serve.
All trials of a rung are therefore judged on the same origins.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna

from crime_platform.models.cells.baselines import BASELINES
from crime_platform.schema.values import HISTORICAL_AVERAGE
from crime_platform.tuning.cell_folds import (
    FoldScore,
    SelectionHistory,
    TuningFold,
    by_origin,
    pooled_skill,
    require_selection,
    score_fold,
    tuning_folds,
)
from crime_platform.tuning.run import OnTrial, deadline, go_on
from crime_platform.tuning.search_spaces import SearchSpace
from crime_platform.tuning.study import DEVIANCE, Judgement
from crime_platform.tuning.trials import Limits, tell_rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a search may spend, over all its sessions together but for the time."""

    n_trials: int = 40
    n_fits: int = 4  # of a trial that is never stopped
    refit_every: int = 6  # months between the fits
    seconds: float | None = None  # of one session; no trial is begun afterwards
    workers: int = 1  # processes that try settings side by side

    def __post_init__(self) -> None:
        counts = (self.n_trials, self.n_fits, self.workers)
        if min(counts) < 1 or (self.seconds is not None and not self.seconds > 0):
            raise ValueError(
                "a search needs at least 1 trial, 1 fit and more than 0 seconds, and 1 worker, got "
                f"{self!r}"
            )

    def __str__(self) -> str:
        most = self.n_trials * self.n_fits
        limit = "no time limit"
        if self.seconds is not None:
            limit = f"no new trial after {self.seconds / 60:g} minutes"
        return (
            f"{self.n_trials} trials of up to {self.n_fits} fits with one seed, at most {most} "
            f"fits; {limit}"
        )


def search(
    space: SearchSpace,
    selection: SelectionHistory,
    budget: Budget,
    file: Path,
    *,
    seed: int = 0,
    on_trial: OnTrial | None = None,
) -> optuna.Study:
    """Go on with the search that the file holds, or begin it, until the budget is spent.

    A search is the same while model, ranges, data, folds and seed are the same; the file keeps
    others apart. A trial that a killed process left behind is begun anew.

    Args:
        space: the model's ranges and default.
        selection: what may be seen.
        budget: trials that were stored earlier count.
        file: SQLite, made when it is not there.
        seed: the same seed, the same trials, interrupted or not.
        on_trial: called after every trial, to show what is known so far.

    Raises:
        TypeError: if the test is not cut off from the history.
        SearchBusyError: if another process searches in this file.
        ValueError: if the default itself cannot be fitted and scored.
    """
    held = require_selection(selection)
    folds = tuning_folds(held, n_fits=budget.n_fits, refit_every=budget.refit_every)
    opponent = [score_fold(BASELINES[HISTORICAL_AVERAGE], held, fold) for fold in folds]
    objective = _Objective(space=space, selection=held, folds=folds, opponent=opponent)
    limits = Limits(
        n_trials=budget.n_trials,
        n_rungs=budget.n_fits,
        rung="fit",
        seed=seed,
        until=deadline(budget.seconds),
    )
    judgement = _judgement(held, folds, opponent)
    return go_on(objective, judgement, limits, file, workers=budget.workers, on_trial=on_trial)


def _judgement(
    held: SelectionHistory, folds: tuple[TuningFold, ...], opponent: list[FoldScore]
) -> Judgement:
    served = [[str(origin) for origin in fold.origins] for fold in folds]
    return Judgement(
        identity=(held.data_version, served),
        facts={
            "data_version": held.data_version,
            "first_test_origin": str(held.first_test_origin),
            "fit_origins": [str(score.origins[0]) for score in opponent],
            "opponent": HISTORICAL_AVERAGE,
            DEVIANCE: by_origin(opponent),
            "n_cases": sum(score.n_cases for score in opponent),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Objective:
    """Skill of one trial, fit by fit."""

    space: SearchSpace
    selection: SelectionHistory
    folds: tuple[TuningFold, ...]
    opponent: list[FoldScore]

    def judge(self, trial: optuna.Trial, config: Any) -> float:
        forecaster = self.space.build(f"{self.space.model} trial {trial.number}", config)
        scores: list[FoldScore] = []
        skill = np.nan
        for rung, fold in enumerate(self.folds, start=1):
            scores.append(score_fold(forecaster, self.selection, fold))
            skill = pooled_skill(scores, self.opponent[:rung])
            tell_rung(trial, rung, skill, space=self.space, n_rungs=len(self.folds))
        trial.set_user_attr(DEVIANCE, by_origin(scores))
        return skill
