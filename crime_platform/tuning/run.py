"""A search from its file to its spent budget: in this process, or in several."""

import time
from collections.abc import Callable
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from crime_platform.tuning.search_spaces import SearchSpace
from crime_platform.tuning.study import (
    NOTE,
    Judgement,
    ask_for_the_default,
    begin_again_what_was_interrupted,
    n_spent,
    only_one_search,
    open_study,
)
from crime_platform.tuning.trials import Limits, Objective, next_trial, run_trial
from crime_platform.tuning.workers import run_in_workers
from crime_platform.vocabulary.progress import Progress, report_progress

OnTrial = Callable[[optuna.Study], None]


def go_on(
    objective: Objective,
    judgement: Judgement,
    limits: Limits,
    file: Path,
    *,
    workers: int = 1,
    on_trial: OnTrial | None = None,
) -> optuna.Study:
    """Go on with the search that the file holds, or begin it, until the budget is spent.

    A trial that a killed process left behind is begun anew.

    Args:
        objective: the model's space and how its settings are judged.
        judgement: what trials are judged on.
        limits: trials that were stored earlier count.
        file: SQLite, made when it is not there.
        workers: processes that try settings side by side; 1 is this process itself, and then the
            same seed tries the same settings.
        on_trial: called after every trial, to show what is known so far.

    Raises:
        SearchBusyError: if another process searches in this file.
        ValueError: if the default itself cannot be fitted and scored.
        WorkersLostError: if every worker was killed.
    """
    with only_one_search(file):
        study = open_study(objective.space, judgement, file, limits.seed)
        begin_again_what_was_interrupted(study)
        ask_for_the_default(study, objective.space)

        def ended(trial: FrozenTrial) -> None:
            _require_that_the_default_works(trial, objective.space)
            _report(study, trial, limits, objective.space.model)
            if on_trial is not None:
                on_trial(study)

        if workers > 1:
            run_in_workers(study, objective, limits, file, n_workers=workers, on_ended=ended)
        else:
            _run_here(study, objective, limits, ended)
    return study


def deadline(seconds: float | None) -> float | None:
    """The time after so many seconds, as `Limits` has it."""
    return None if seconds is None else time.time() + seconds


def _run_here(
    study: optuna.Study,
    objective: Objective,
    limits: Limits,
    on_ended: Callable[[FrozenTrial], None],
) -> None:
    while not limits.are_up:
        trial = next_trial(study, objective.space, limits)
        if trial is None:
            return
        on_ended(run_trial(study, trial, objective))


def _require_that_the_default_works(trial: FrozenTrial, space: SearchSpace) -> None:
    is_impossible = trial.state == TrialState.FAIL and NOTE in trial.user_attrs
    if is_impossible and trial.params == space.default_parameters:
        raise ValueError(
            f"the default of {space.model} cannot be fitted at every origin of the search, so "
            f"there is nothing to compare with: {trial.user_attrs[NOTE]}"
        )


def _report(study: optuna.Study, trial: FrozenTrial, limits: Limits, model: str) -> None:
    rungs = len(trial.intermediate_values)
    state = trial.state.name.lower()
    text = f"trial {trial.number} {state} after {rungs} of {limits.n_rungs} {limits.rung}s"
    if rungs:
        text += f", {100 * trial.intermediate_values[rungs]:+.2f} %"
    if study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        best = study.best_trial
        text += f"; best {100 * study.best_value:+.2f} % (trial {best.number})"
    done = n_spent(study)
    total = max(done, limits.n_trials)
    report_progress(
        Progress(task=f"{model} search", done=done, total=total, unit="trial", detail=text)
    )
