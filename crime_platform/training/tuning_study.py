"""Where trials are kept: one SQLite file per model, safe against kills, readable while it grows."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import optuna
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from crime_platform.training.search_spaces import SearchSpace
from crime_platform.training.tuning_folds import FoldScore, SelectionHistory, TuningFold
from crime_platform.vocabulary.artifact import content_key

OPPONENT = "historical_average"
JUDGED = (TrialState.COMPLETE, TrialState.PRUNED)
# What is stored beside a study or a trial, under these names.
BEGUN, RANGES, DEFAULT = "begun_at", "ranges", "default"
ASKED, RETRY_OF, NOTE, CODE, CONFIG = "asked", "retry_of", "note", "code", "config"
DEVIANCE = "deviance"  # sum per origin: of a trial, and of the opponent in the study


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
    return optuna.storages.RDBStorage(f"sqlite:///{file}")


def open_study(
    space: SearchSpace,
    selection: SelectionHistory,
    folds: tuple[TuningFold, ...],
    file: Path,
    seed: int,
) -> optuna.Study:
    """The search with this model, ranges, data, folds and seed, made when the file lacks it."""
    ranges = {name: distribution_to_json(each) for name, each in space.ranges.items()}
    served = [[str(origin) for origin in fold.origins] for fold in folds]
    key = content_key(space.model, ranges, selection.data_version, served, seed)
    study = optuna.create_study(
        storage=_storage(file),
        study_name=f"{space.model}-{key}",
        direction="maximize",
        load_if_exists=True,
    )
    if BEGUN not in study.user_attrs:
        study.set_user_attr(BEGUN, datetime.now(UTC).isoformat(timespec="milliseconds"))
    return study


def describe(
    study: optuna.Study, space: SearchSpace, selection: SelectionHistory, opponent: list[FoldScore]
) -> None:
    """Store beside the trials what one needs to read them."""
    described = {
        "model": space.model,
        "data_version": selection.data_version,
        "first_test_origin": str(selection.first_test_origin),
        "fit_origins": [str(score.origins[0]) for score in opponent],
        DEFAULT: space.default_parameters,
        RANGES: {name: distribution_to_json(each) for name, each in space.ranges.items()},
        "opponent": OPPONENT,
        DEVIANCE: by_origin(opponent),
        "n_cases": sum(score.n_cases for score in opponent),
    }
    for name, value in described.items():
        if study.user_attrs.get(name) != value:
            study.set_user_attr(name, value)


def by_origin(scores: list[FoldScore]) -> dict[str, float]:
    """Deviance sums of the origins, oldest first."""
    pairs = [
        pair for score in scores for pair in zip(score.origins, score.sum_deviance, strict=True)
    ]
    return {str(origin): float(deviance) for origin, deviance in sorted(pairs)}


def begin_again_what_was_interrupted(study: optuna.Study) -> None:
    """Give up trials that a killed process left running, and ask for their settings once more.

    Whoever holds the file's lock is the only search, so a trial that still "runs" is dead. One
    that failed for a reason has a note; one without was stopped by hand.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
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
    trials = study.get_trials(deepcopy=False)
    return sum(trial.state in JUDGED or NOTE in trial.user_attrs for trial in trials)


def n_waiting(study: optuna.Study) -> int:
    """Trials whose settings were asked for and that have not begun."""
    return len(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
