"""A search for a model's settings on the months before the test: resumable, pruned, repeatable.

Trials are drawn by TPE and stopped early by Hyperband, whose resource is the number of fits: at
rung k a trial has been fitted at k past origins, and its value is the skill over the historical
average pooled over every origin that these fits serve. All trials of a rung are therefore judged
on the same origins.

Source: Bergstra et al. (2011), NeurIPS, "Algorithms for Hyper-Parameter Optimization"; Li et al.
(2018), JMLR 18(185), "Hyperband". Ours: the committed default is the first trial and is never
stopped, so that there is always something to compare with.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from crime_platform.models.baselines import BASELINES
from crime_platform.training.search_spaces import SearchSpace
from crime_platform.training.tuning_folds import (
    FoldScore,
    SelectionHistory,
    TuningFold,
    pooled_skill,
    require_selection,
    score_fold,
    tuning_folds,
)
from crime_platform.training.tuning_study import (
    CODE,
    CONFIG,
    DEVIANCE,
    NOTE,
    OPPONENT,
    ask_for_the_default,
    begin_again_what_was_interrupted,
    by_origin,
    describe,
    n_spent,
    n_waiting,
    only_one_search,
    open_study,
)
from crime_platform.vocabulary.artifact import code_version
from crime_platform.vocabulary.progress import Progress, report_progress

REDUCTION = 3  # of three trials that reach a rung, Hyperband lets one go on
SEARCH_CODE = ("models", "tensors", "training")  # trials made by other code compare less well


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a search may spend, over all its sessions together but for the time."""

    n_trials: int = 40
    n_fits: int = 4  # of a trial that is never stopped
    refit_every: int = 6  # months between the fits
    seconds: float | None = None  # of one session; no trial is begun afterwards

    def __post_init__(self) -> None:
        if min(self.n_trials, self.n_fits) < 1 or (self.seconds is not None and self.seconds <= 0):
            raise ValueError(
                f"a search needs at least 1 trial, 1 fit and more than 0 seconds, got {self}"
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
    on_trial: Callable[[optuna.Study], None] | None = None,
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
    with only_one_search(file):
        study = open_study(space, held, folds, file, seed)
        begin_again_what_was_interrupted(study)
        ask_for_the_default(study, space)
        opponent = [score_fold(BASELINES[OPPONENT], held, fold) for fold in folds]
        describe(study, space, held, opponent)
        objective = _Objective(space=space, selection=held, folds=folds, opponent=opponent)
        _run(study, objective, budget, seed, on_trial)
    return study


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Objective:
    """Skill of one trial, rung by rung."""

    space: SearchSpace
    selection: SelectionHistory
    folds: tuple[TuningFold, ...]
    opponent: list[FoldScore]

    def __call__(self, trial: optuna.Trial) -> float:
        trial.set_user_attr(CODE, code_version(*SEARCH_CODE))
        config = self.space.suggest(trial)
        trial.set_user_attr(CONFIG, asdict(config))
        try:
            return self._judge(trial, config)
        except ValueError as error:  # such settings cannot be fitted: too long a lookback, no
            trial.set_user_attr(NOTE, str(error))  # finite forecast
            raise

    def _judge(self, trial: optuna.Trial, config: Any) -> float:
        forecaster = self.space.build(f"{self.space.model} trial {trial.number}", config)
        may_stop = trial.params != self.space.default_parameters
        scores: list[FoldScore] = []
        skill = np.nan
        for rung, fold in enumerate(self.folds, start=1):
            scores.append(score_fold(forecaster, self.selection, fold))
            skill = pooled_skill(scores, self.opponent[:rung])
            trial.report(skill, step=rung)
            if may_stop and rung < len(self.folds) and trial.should_prune():
                raise optuna.TrialPruned
        trial.set_user_attr(DEVIANCE, by_origin(scores))
        return skill


def _run(
    study: optuna.Study,
    objective: _Objective,
    budget: Budget,
    seed: int,
    on_trial: Callable[[optuna.Study], None] | None,
) -> None:
    started = time.monotonic()
    while n_waiting(study) or n_spent(study) < budget.n_trials:
        if budget.seconds is not None and time.monotonic() - started >= budget.seconds:
            return
        # Both are made anew for each trial, so that a search that was interrupted tries what one
        # in a single session would have tried. A fresh Hyperband also shows TPE the trials of
        # every bracket, not those of the trial's own alone.
        study.sampler = _sampler(seed, n_spent(study))
        study.pruner = optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=budget.n_fits, reduction_factor=REDUCTION
        )
        ended: list[FrozenTrial] = []
        study.optimize(
            objective,
            n_trials=1,
            catch=ValueError,
            callbacks=[lambda _, trial, ended=ended: ended.append(trial)],
        )
        _require_that_the_default_works(ended[0], objective.space)
        _report(study, ended[0], budget, objective.space.model)
        if on_trial is not None:
            on_trial(study)


def _sampler(seed: int, n_before: int) -> optuna.samplers.TPESampler:
    state = np.random.SeedSequence((seed, n_before)).generate_state(1)
    return optuna.samplers.TPESampler(seed=int(state[0]))


def _require_that_the_default_works(trial: FrozenTrial, space: SearchSpace) -> None:
    if trial.state == TrialState.FAIL and trial.params == space.default_parameters:
        raise ValueError(
            f"the default of {space.model} cannot be fitted at every origin of the search, so "
            f"there is nothing to compare with: {trial.user_attrs[NOTE]}"
        )


def _report(study: optuna.Study, trial: FrozenTrial, budget: Budget, model: str) -> None:
    fits = len(trial.intermediate_values)
    text = f"trial {trial.number} {trial.state.name.lower()} after {fits} of {budget.n_fits} fits"
    if fits:
        text += f", {100 * trial.intermediate_values[fits]:+.2f} %"
    if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        best = study.best_trial
        text += f"; best {100 * study.best_value:+.2f} % (trial {best.number})"
    done = n_spent(study)
    total = max(done, budget.n_trials)
    report_progress(
        Progress(task=f"{model} search", done=done, total=total, unit="trial", detail=text)
    )
