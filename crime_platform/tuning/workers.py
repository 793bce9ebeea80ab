"""Several processes that try settings side by side, each with its own connection to the file.

One process starts them, watches them and tells what they found. Whoever draws a trial holds a lock,
so that no more are begun than the budget allows; the kernel frees the lock of a killed one.
"""

import fcntl
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NoReturn

import optuna
from optuna.trial import FrozenTrial

from crime_platform.training.numerics import at_most_threads
from crime_platform.tuning.study import (
    begin_again_what_was_interrupted,
    load_study,
    n_running,
)
from crime_platform.tuning.trials import Limits, Objective, next_trial, run_trial
from crime_platform.vocabulary.progress import LOGGER

POLL_SECONDS = 0.3
PATIENCE_SECONDS = 10.0  # for a worker that was asked to end


class WorkersLostError(ValueError):
    """Every worker of a search was killed."""


@dataclass(frozen=True, slots=True, eq=False)
class _Worker:
    """A process, and the pipe through which it says how it ended."""

    process: SpawnProcess
    told: Any  # a Connection, whose class differs between systems


def run_in_workers(
    study: optuna.Study,
    objective: Objective,
    limits: Limits,
    file: Path,
    *,
    n_workers: int,
    on_ended: Callable[[FrozenTrial], None],
) -> None:
    """Try settings in several processes until the budget is spent.

    A killed worker is not replaced: the others begin its trial again.

    Args:
        study: opened by this process, which alone searches in the file.
        objective: sent to every worker.
        limits: of the search.
        file: that holds the study.
        n_workers: how many.
        on_ended: called here, with every trial as it ends.

    Raises:
        WorkersLostError: if all were killed.
        RuntimeError: if one failed for another reason than its trial's settings.
    """
    known = {trial.number for trial in _ended(study)}
    everyone = _start(study, objective, limits, file, n_workers)
    team, exit_codes = list(everyone), []
    try:
        while team:
            for worker in _heard_from(team):
                team.remove(worker)
                exit_codes.append(_exit_code(worker))
                if exit_codes[-1]:
                    LOGGER.warning(
                        "a worker of the search was killed, exit code %s; its trial is begun again",
                        exit_codes[-1],
                    )
                    with _drawing_alone(file):
                        alive = [pid for each in team if (pid := each.process.pid)]
                        begin_again_what_was_interrupted(study, workers=alive)
            for trial in _ended(study):
                if trial.number not in known:
                    known.add(trial.number)
                    on_ended(trial)
    finally:
        _stop(everyone)  # also the one whose fault is being raised, and is just about to end
    if all(exit_codes):
        raise WorkersLostError(
            f"every worker of the search was killed, exit codes {exit_codes} (-9 is often a lack "
            "of memory); what they found is kept: the same command goes on, with --workers 1 it "
            "takes less memory"
        )


def _ended(study: optuna.Study) -> list[FrozenTrial]:
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def _start(
    study: optuna.Study, objective: Objective, limits: Limits, file: Path, n_workers: int
) -> list[_Worker]:
    # Not forked: torch's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    team = []
    with _ctrl_c_ignored():
        for _ in range(n_workers):
            told, tells = multiprocessing.Pipe(duplex=False)
            process = context.Process(
                target=_work, args=(study.study_name, file, objective, limits, tells), daemon=True
            )
            process.start()
            tells.close()  # so that the pipe ends when the worker does
            team.append(_Worker(process, told))
    return team


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    """Processes started inside are not stopped by Ctrl-C, which reaches them too: we stop them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _heard_from(team: list[_Worker]) -> list[_Worker]:
    ready = wait([worker.told for worker in team], timeout=POLL_SECONDS)
    return [worker for worker in team if worker.told in ready]


def _exit_code(worker: _Worker) -> int:
    """0 if it found nothing more to do; otherwise it was killed."""
    try:
        failure = worker.told.recv()
    except EOFError:
        worker.process.join()
        return worker.process.exitcode or 1
    if failure:
        raise RuntimeError(f"a worker of the search failed:\n{failure}")
    worker.process.join(PATIENCE_SECONDS)
    return 0


def _stop(team: list[_Worker]) -> None:
    for worker in team:
        worker.process.terminate()
    for worker in team:
        worker.process.join(PATIENCE_SECONDS)
        worker.process.kill()
        worker.process.join()


@contextmanager
def _drawing_alone(file: Path) -> Iterator[None]:
    with file.with_suffix(".drawing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- in a worker ------------------------------------------------------------------------------


def _work(name: str, file: Path, objective: Objective, limits: Limits, tells: Connection) -> None:
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    try:
        with at_most_threads(1):
            study = load_study(name, file)
            while (trial := _draw(study, objective, limits, file)) is not None:
                run_trial(study, trial, objective)
    except Exception:  # whatever it is, the process that watches has to raise it
        tells.send(traceback.format_exc())
        sys.exit(1)
    tells.send("")


def _end(*_: object) -> NoReturn:
    sys.exit(1)  # an exception, so that the trial under way is given up first


def _end_with_the_starter() -> None:
    starter = multiprocessing.parent_process()
    if starter is not None:
        starter.join()
        os._exit(1)  # the next search begins the trial again


def _draw(
    study: optuna.Study, objective: Objective, limits: Limits, file: Path
) -> optuna.Trial | None:
    """The next trial; waits while others run the last ones, for one of them may be killed."""
    while not limits.are_up:
        with _drawing_alone(file):
            trial = next_trial(study, objective.space, limits, worker=os.getpid())
            is_over = trial is None and not n_running(study)
        if trial is not None or is_over:
            return trial
        time.sleep(POLL_SECONDS)
    return None
