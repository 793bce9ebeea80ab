"""A search is repeatable, and goes on where the last session, or a killed one, left it."""

import fcntl

import optuna
import pytest
from optuna.trial import TrialState

from crime_platform.tuning.cells import Budget, search
from crime_platform.tuning.study import SearchBusyError, n_begun, n_spent, stored_study
from toys.search import Recent, Span, asked, run, selection, toy_space, values


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Thirteen trials in one session; from the eleventh on, TPE has a say."""
    return run(tmp_path_factory.mktemp("once") / "trials.sqlite", 13)


def test_the_same_seed_gives_the_same_trials(searched, tmp_path):
    again = run(tmp_path / "trials.sqlite", 5)

    assert asked(again) == asked(searched)[:5]
    assert values(again) == values(searched)[:5]


def test_another_seed_gives_other_trials(tmp_path):
    file, budget = tmp_path / "trials.sqlite", Budget(n_trials=3)

    one, other = (search(toy_space(), selection(), budget, file, seed=seed) for seed in (0, 1))

    assert asked(one)[0] == asked(other)[0]
    assert asked(one)[1:] != asked(other)[1:]


def test_a_search_in_three_sessions_tries_what_one_session_tries(searched, tmp_path):
    file = tmp_path / "trials.sqlite"
    run(file, 2)
    run(file, 12)

    study = run(file, 13)

    assert asked(study) == asked(searched)
    assert values(study) == values(searched)


def test_trials_of_earlier_sessions_count(tmp_path):
    file = tmp_path / "trials.sqlite"
    run(file, 2)

    assert len(run(file, 3).trials) == 3
    assert len(run(file, 3).trials) == 3


def test_a_trial_that_a_killed_process_left_is_begun_anew(tmp_path):
    file = tmp_path / "trials.sqlite"
    orphan = run(file, 2).ask()
    parameters = {"months": orphan.suggest_int("months", 1, 48)}

    study = run(file, 4)

    assert study.trials[2].state == TrialState.FAIL
    assert study.trials[3].user_attrs["retry_of"] == 2
    assert study.trials[3].params["months"] == parameters["months"]
    assert n_spent(study) == 4
    assert len(run(file, 4).trials) == 5  # and it is not begun a third time


def test_a_killed_default_is_begun_anew(tmp_path):
    file = tmp_path / "trials.sqlite"

    def killed(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(file, 2, space=toy_space(build=killed))

    study = run(file, 1)

    assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert study.trials[1].params == {"months": 24, "lift": 1.0}


def test_ctrl_c_leaves_a_search_that_goes_on(searched, tmp_path):
    file = tmp_path / "trials.sqlite"

    def stopped_in_the_third(name, config):
        if name == "toy trial 2":
            raise KeyboardInterrupt
        return Recent(name, config)

    with pytest.raises(KeyboardInterrupt):
        run(file, 5, space=toy_space(build=stopped_in_the_third))
    assert len(run(file, 5).trials) == 6

    study = stored_study(file)

    assert study is not None
    assert study.trials[2].state == TrialState.FAIL
    assert asked(study)[3] == asked(study)[2] == asked(searched)[2]


def test_a_new_default_becomes_a_trial_of_the_old_search(tmp_path):
    file = tmp_path / "trials.sqlite"
    run(file, 3)

    study = run(file, 3, space=toy_space(Span(months=7)))

    assert len(study.trials) == 4
    assert study.trials[-1].params == {"months": 7, "lift": 1.0}


def test_other_data_are_another_search_in_the_same_file(tmp_path):
    file = tmp_path / "trials.sqlite"
    run(file, 2)

    study = run(file, 2, seen=selection(seed=1))

    assert len(study.trials) == 2


def test_two_searches_do_not_share_a_file(tmp_path):
    file = tmp_path / "trials.sqlite"
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(SearchBusyError, match="another search is under way"):
            run(file, 1)


def test_without_a_file_there_is_no_study(tmp_path):
    assert stored_study(tmp_path / "trials.sqlite") is None


def test_a_trial_that_ends_while_trials_are_counted_is_counted_once(monkeypatch):
    study = optuna.create_study()
    trial, looks = study.ask(), []
    found = study.get_trials

    def look(**options):
        seen = found(**options)
        if not looks:
            study.tell(trial, 1.0)
        looks.append(len(seen))
        return seen

    monkeypatch.setattr(study, "get_trials", look)

    assert n_begun(study) == 1
