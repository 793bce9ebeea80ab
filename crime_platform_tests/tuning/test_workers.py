"""Several processes in one search: no trial too many, and none lost with a worker."""

import logging
import multiprocessing

import pytest
from optuna.trial import TrialState

from crime_platform.tuning.study import n_spent
from crime_platform.tuning.workers import WorkersLostError
from toys.street_search import Scripted, go_on_with, run

pytestmark = pytest.mark.slow


def states(study):
    return [trial.state for trial in study.trials]


def test_two_workers_share_the_trials_and_make_none_too_many(tmp_path):
    file, told = tmp_path / "trials.sqlite", []

    study = go_on_with(Scripted(seconds=0.5), file, 9, on_trial=lambda _: told.append(1))

    assert states(study) == [TrialState.COMPLETE] * 9
    assert len({trial.user_attrs["worker"] for trial in study.trials}) == 2
    assert len(told) == 9
    assert study.trials[0].params == {"months": 24, "lift": 1.0}  # the default
    assert len({trial.params["lift"] for trial in study.trials}) == 9
    assert multiprocessing.active_children() == []


def test_a_killed_workers_trial_is_begun_again_by_the_other(tmp_path, caplog):
    study = go_on_with(Scripted(dies_at=(1,), seconds=0.5), tmp_path / "trials.sqlite", 4)

    again = [trial for trial in study.trials if trial.user_attrs.get("retry_of") == 1]
    assert study.trials[1].state == TrialState.FAIL
    assert [trial.state for trial in again] == [TrialState.COMPLETE]
    assert again[0].params == study.trials[1].params
    assert n_spent(study) == 4
    assert "a worker of the search was killed, exit code -9" in caplog.text


def test_when_every_worker_is_killed_the_search_says_so_and_goes_on_later(tmp_path):
    file = tmp_path / "trials.sqlite"

    with pytest.raises(WorkersLostError, match=r"exit codes \[-9, -9\].*--workers 1"):
        go_on_with(Scripted(dies_at=(0, 1, 2)), file, 3)

    study = go_on_with(Scripted(), file, 3, workers=1)
    assert n_spent(study) == 3
    assert TrialState.RUNNING not in states(study)


def test_a_fault_of_the_platform_reaches_the_one_who_asked(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)worker of the search failed.*planted"):
        go_on_with(Scripted(fails_at=(2,)), tmp_path / "trials.sqlite", 9)

    assert multiprocessing.active_children() == []


def test_ctrl_c_stops_the_workers_and_the_search_goes_on_later(tmp_path):
    file = tmp_path / "trials.sqlite"

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go_on_with(Scripted(seconds=0.5), file, 6, on_trial=interrupt)
    assert multiprocessing.active_children() == []

    study = go_on_with(Scripted(), file, 6, workers=1)

    assert n_spent(study) == 6
    assert TrialState.RUNNING not in states(study)


def test_two_workers_judge_gldnet_as_one_does(tmp_path, caplog):
    caplog.set_level(logging.INFO, "crime_platform")

    study = run(tmp_path / "two.sqlite", 4, workers=2)
    alone = run(tmp_path / "one.sqlite", 1)

    assert study.study_name == alone.study_name
    assert n_spent(study) == len(study.trials) == 4
    assert study.trials[0].intermediate_values == alone.trials[0].intermediate_values
    assert "gldnet search: trial 4/4" in caplog.text
