"""One trial of a search: drawn, judged rung by rung, told; the same for every model.

Trials are drawn by TPE and stopped early by Hyperband. Both are made anew for each trial, so that a
search that was interrupted tries what one in a single session would have tried. A fresh Hyperband
also shows TPE the trials of every bracket, not those of the trial's own alone.

Source: Bergstra et al. (2011), NeurIPS, "Algorithms for Hyper-Parameter Optimization"; Li et al.
(2018), JMLR 18(185), "Hyperband". Ours: the committed default is the first trial and is never
stopped, so that there is always something to compare with.
"""

import contextlib
import math
import time
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from crime_platform.tuning.search_spaces import SearchSpace
from crime_platform.tuning.study import (
    CODE,
    CONFIG,
    NOTE,
    WORKER,
    n_begun,
    n_waiting,
)
from crime_platform.vocabulary.code_version import code_version

REDUCTION = 3  # of three trials that reach a rung, Hyperband lets one go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a search ends, and how far its trials go."""

    n_trials: int
    n_rungs: int  # of a trial that is never stopped
    rung: str  # what a rung costs: "fit", "epoch"
    seed: int = 0
    until: float | None = None  # seconds since 1970; no trial is begun afterwards

    @property
    def are_up(self) -> bool:
        """Whether no trial may be begun any more."""
        return self.until is not None and time.time() >= self.until


@runtime_checkable
class Objective(Protocol):
    """What trials are judged by; for several processes it must be possible to pickle it."""

    @property
    def space(self) -> SearchSpace: ...

    def judge(self, trial: optuna.Trial, config: Any) -> float:
        """Skill of settings at the last rung; calls `tell_rung` at every rung.

        Raises:
            ValueError: if such settings cannot be fitted: too long a lookback, no finite forecast.
        """
        ...


def tell_rung(
    trial: optuna.Trial, rung: int, skill: float, *, space: SearchSpace, n_rungs: int
) -> None:
    """Note how good a trial is after so many rungs; the default is never stopped.

    Raises:
        TrialPruned: if it is not worth going on.
    """
    trial.report(skill, step=rung)
    may_stop = trial.params != space.default_parameters and rung < n_rungs
    if may_stop and trial.should_prune():
        raise optuna.TrialPruned


def next_trial(
    study: optuna.Study, space: SearchSpace, limits: Limits, *, worker: int | None = None
) -> optuna.Trial | None:
    """A trial with its settings; None where all that the budget allows have begun.

    Args:
        study: nobody else draws from it meanwhile.
        space: of the model.
        limits: trials that are under way count.
        worker: process that will run it.
    """
    n_so_far = n_begun(study)
    if not n_waiting(study) and n_so_far >= limits.n_trials:
        return None
    state = np.random.SeedSequence((limits.seed, n_so_far)).generate_state(1)
    study.sampler = optuna.samplers.TPESampler(seed=int(state[0]))
    study.pruner = optuna.pruners.HyperbandPruner(
        min_resource=1, max_resource=limits.n_rungs, reduction_factor=REDUCTION
    )
    trial = study.ask()
    if worker is not None:
        trial.set_user_attr(WORKER, worker)
    with contextlib.suppress(ValueError):  # raised again, and noted, when it is run
        space.suggest(trial)
    return trial


def run_trial(study: optuna.Study, trial: optuna.Trial, objective: Objective) -> FrozenTrial:
    """Judge the settings of a trial and say how it ended; a reason why they cannot be is kept."""
    try:
        config = objective.space.suggest(trial)
        # Trials made by other code compare less well.
        judging, judged = type(objective).__module__, type(config).__module__
        trial.set_user_attr(CODE, code_version(judging, judged))
        trial.set_user_attr(CONFIG, asdict(config))
        skill = objective.judge(trial, config)
        if not math.isfinite(skill):
            raise ValueError(f"skill is a finite number, got {skill}")
    except optuna.TrialPruned:
        return study.tell(trial, state=TrialState.PRUNED)
    except ValueError as error:
        trial.set_user_attr(NOTE, str(error))
        return study.tell(trial, state=TrialState.FAIL)
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)  # without a note: it is begun again
        raise
    return study.tell(trial, skill)
