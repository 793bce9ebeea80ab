"""Where trials are kept: one SQLite file per model, safe against kills, readable while it grows."""

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from crime_platform.tuning.search_spaces import SearchSpace
from crime_platform.vocabulary.artifact import content_key

JUDGED = (TrialState.COMPLETE, TrialState.PRUNED)
# What is stored beside a study or a trial, under these names.
BEGUN, RANGES, DEFAULT = "begun_at", "ranges", "default"
ASKED, RETRY_OF, NOTE, CODE, CONFIG = "asked", "retry_of", "note", "code", "config"
DEVIANCE = "deviance"  # sum per origin: of a trial, and of the opponent in the study
ONLY_WITH = "only_with"  # parameters that are read where another one has a certain value
WORKER = "worker"  # process that runs a trial, where several do
PATIENCE_SECONDS = 120.0  # for another process that writes


class SearchBusyError(ValueError):
    """Another process searches in the same file."""


def stored_study(file: Path) -> optuna.Study | None:
    """The search of a file that was begun last, to be read; None if there is none."""
    if not file.exists():
        return None
    storage = _storage(file)
    summaries = optuna.get_all_study_summaries(storage)
    begun = [each for each in summaries if BEGUN in each.user_attrs]
    if not begun:
        return None
    newest = max(begun, key=lambda each: each.user_attrs[BEGUN])
    return optuna.load_study(study_name=newest.study_name, storage=storage)


@contextmanager
def only_one_search(file: Path) -> Iterator[None]:
    """Hold the file against other searches; the kernel frees the lock of a killed one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SearchBusyError(
                f"another search is under way in {file}: wait for it, or look at what it found "
                "so far with --show"
            ) from None
        yield


def _storage(file: Path) -> optuna.storages.RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    patience = {"connect_args": {"timeout": PATIENCE_SECONDS}}
    return optuna.storages.RDBStorage(f"sqlite:///{file}", engine_kwargs=patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the trials of a study are judged on."""

    identity: tuple[object, ...]  # data, and folds or days: with others it is another study
    facts: dict[str, Any]  # what one needs to read the trials; plain values


def open_study(space: SearchSpace, judgement: Judgement, file: Path, seed: int) -> optuna.Study:
    """The search with this model, ranges, judgement and seed, made when the file lacks it."""
    ranges = {name: distribution_to_json(each) for name, each in space.ranges.items()}
    key = content_key(space.model, ranges, *judgement.identity, seed)
    study = optuna.create_study(
        storage=_storage(file),
        study_name=f"{space.model}-{key}",
        direction="maximize",
        load_if_exists=True,
    )
    described = {
        BEGUN: datetime.now(UTC).isoformat(timespec="milliseconds"),
        "model": space.model,
        **judgement.facts,
        DEFAULT: space.default_parameters,
        RANGES: ranges,
    }
    if space.only_with:
        described[ONLY_WITH] = {name: list(each) for name, each in space.only_with.items()}
    held = study.user_attrs
    for name, value in described.items():
        if name not in held or (name != BEGUN and held[name] != value):
            study.set_user_attr(name, value)
    return study


def load_study(name: str, file: Path) -> optuna.Study:
    """A study that another process has opened, over a connection of its own."""
    return optuna.load_study(study_name=name, storage=_storage(file))


def begin_again_what_was_interrupted(study: optuna.Study, *, workers: Collection[int] = ()) -> None:
    """Give up trials that a killed process left running, and ask for their settings once more.

    A trial that failed for a reason has a note; one without was stopped by hand.

    Args:
        study: nobody else draws from it meanwhile, so that a trial which "runs" without a living
            worker is dead.
        workers: processes that are alive.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(WORKER) not in workers:
            study.tell(trial.number, state=TrialState.FAIL)
    trials = study.get_trials(deepcopy=False)
    retried = {trial.user_attrs.get(RETRY_OF) for trial in trials}
    for trial in trials:
        stopped = trial.state == TrialState.FAIL and NOTE not in trial.user_attrs
        if stopped and trial.number not in retried:
            attributes = {ASKED: trial.params, RETRY_OF: trial.number}
            study.enqueue_trial(trial.params, user_attrs=attributes)


def ask_for_the_default(study: optuna.Study, space: SearchSpace) -> None:
    """Make the default the next trial unless it was judged, or waits already."""
    wanted = space.default_parameters
    states = (TrialState.COMPLETE, TrialState.WAITING)
    trials = study.get_trials(deepcopy=False, states=states)
    if not any(trial.user_attrs.get(ASKED, trial.params) == wanted for trial in trials):
        study.enqueue_trial(wanted, user_attrs={ASKED: wanted})


def n_spent(study: optuna.Study) -> int:
    """Trials that count against the budget: judged, stopped early, or found impossible."""
    return sum(map(_is_spent, study.get_trials(deepcopy=False)))


def n_begun(study: optuna.Study) -> int:
    """Trials that count against the budget or are under way.

    Of one look at the file: between two looks a trial may end, and be counted in neither.
    """
    trials = study.get_trials(deepcopy=False)
    return sum(trial.state == TrialState.RUNNING or _is_spent(trial) for trial in trials)


def n_waiting(study: optuna.Study) -> int:
    """Trials whose settings were asked for and that have not begun."""
    return len(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))


def _is_spent(trial: optuna.trial.FrozenTrial) -> bool:
    return trial.state in JUDGED or NOTE in trial.user_attrs


def n_running(study: optuna.Study) -> int:
    """Trials under way."""
    return len(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))
