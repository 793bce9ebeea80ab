"""A search for a model's settings: its trials, its budget, and what it must not see."""

import logging
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from optuna.trial import TrialState

from crime_platform.models.cells.baselines import BASELINES
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.training.fit import NetworkForecaster
from crime_platform.training.recipe import NetworkConfig
from crime_platform.tuning.cell_folds import (
    pooled_skill,
    score_fold,
    selection_history,
    tuning_folds,
)
from crime_platform.tuning.cells import Budget, search
from crime_platform.vocabulary.forecast import CountHistory
from toys.search import (
    FIRST_TEST,
    Recent,
    Span,
    asked,
    history,
    run,
    selection,
    toy_space,
    values,
)

TINY = NetworkConfig(
    architecture=StResNetConfig(closeness=2, period=1, trend=1, filters=4, residual_units=1),
    seeds=1,
    epochs=1,
    horizon=1,
    validation_steps=4,
)


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Thirteen trials in one session; from the eleventh on, TPE has a say."""
    return run(tmp_path_factory.mktemp("once") / "trials.sqlite", 13)


# --- trials ---------------------------------------------------------------------------------


def test_the_default_is_the_first_trial_and_is_judged_on_every_fit(searched):
    first = searched.trials[0]

    assert first.params == {"months": 24, "lift": 1.0}
    assert first.state == TrialState.COMPLETE
    assert len(first.intermediate_values) == 4


def test_the_default_is_not_stopped_where_another_would_be(tmp_path):
    poor = toy_space(Span(months=1, lift=4.0))
    file = tmp_path / "trials.sqlite"
    run(file, 4)

    study = run(file, 5, space=poor)

    assert study.trials[-1].params == {"months": 1, "lift": 4.0}
    assert study.trials[-1].state == TrialState.COMPLETE


def test_hyperband_stops_trials_after_one_fit(searched):
    stopped = [trial for trial in searched.trials if trial.state == TrialState.PRUNED]

    assert stopped
    assert {len(trial.intermediate_values) for trial in stopped} <= {1, 3}
    assert 1 in {len(trial.intermediate_values) for trial in stopped}


def test_a_rung_is_the_skill_pooled_over_its_fits(searched):
    held, trial = selection(), searched.trials[0]
    folds = tuning_folds(held, n_fits=4, refit_every=6)
    average = BASELINES["historical_average"]

    ours = [score_fold(Recent("default", Span()), held, fold) for fold in folds]
    theirs = [score_fold(average, held, fold) for fold in folds]

    rungs = [pooled_skill(ours[:rung], theirs[:rung]) for rung in range(1, 5)]
    assert list(trial.intermediate_values.values()) == pytest.approx(rungs)
    assert trial.value == pytest.approx(rungs[-1])


def test_the_best_trial_beats_the_default(searched):
    assert searched.best_value > searched.trials[0].value


def test_the_deviance_of_every_origin_is_kept_in_order(searched):
    deviance = searched.best_trial.user_attrs["deviance"]

    assert list(deviance) == [str(np.datetime64("2018-12") + month) for month in range(24)]
    theirs = sum(searched.user_attrs["deviance"].values())
    assert 1 - sum(deviance.values()) / theirs == pytest.approx(searched.best_value)


def test_settings_that_cannot_be_fitted_are_noted_and_cost_budget(tmp_path):
    def too_long(trial):
        return Span(months=trial.suggest_int("months", 24, 900), lift=1.0)

    study = run(tmp_path / "trials.sqlite", 4, space=toy_space(suggest=too_long))

    failed = [trial for trial in study.trials if trial.state == TrialState.FAIL]
    assert len(study.trials) == 4
    assert failed
    assert "needs" in failed[0].user_attrs["note"]


def test_a_default_that_cannot_be_fitted_ends_the_search(tmp_path):
    def too_long(trial):
        return Span(months=trial.suggest_int("months", 24, 900), lift=1.0)

    with pytest.raises(ValueError, match=r"default of toy cannot be fitted.*needs 800 months"):
        run(tmp_path / "trials.sqlite", 4, space=toy_space(Span(months=800), suggest=too_long))


def test_a_network_is_searched(tmp_path):
    space = toy_space(
        TINY,
        suggest=lambda trial: replace(
            TINY, learning_rate=trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True)
        ),
        build=lambda name, config: NetworkForecaster(name=name, config=config),
    )

    study = run(tmp_path / "trials.sqlite", 2, space=space, n_fits=1)

    assert study.trials[0].params["learning_rate"] == 6e-3
    assert np.isfinite(study.best_value)
    assert study.trials[0].user_attrs["config"]["architecture"]["filters"] == 4


# --- budget ---------------------------------------------------------------------------------


def test_no_trial_is_begun_after_the_time_limit(tmp_path):
    assert run(tmp_path / "trials.sqlite", 3, seconds=1e-9).trials[0].state == TrialState.WAITING


def test_the_budget_says_what_may_be_spent():
    assert str(Budget(n_trials=40)) == (
        "40 trials of up to 4 fits with one seed, at most 160 fits; no time limit"
    )
    assert str(Budget(seconds=90.0)).endswith("no new trial after 1.5 minutes")


@pytest.mark.parametrize("wrong", [{"n_trials": 0}, {"n_fits": 0}, {"seconds": math.nan}])
def test_an_empty_budget_is_refused(wrong):
    with pytest.raises(ValueError, match="at least 1 trial, 1 fit and more than 0 seconds"):
        Budget(**wrong)


def test_settings_that_make_no_config_are_noted_and_cost_budget(tmp_path):
    def half_impossible(trial):
        months = trial.suggest_int("months", 1, 48)
        if months != 24:
            raise ValueError(f"no such span: {months}")
        return Span(months=months)

    study = run(tmp_path / "trials.sqlite", 3, space=toy_space(suggest=half_impossible))

    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "FAIL", "FAIL"]
    assert study.trials[1].user_attrs["note"].startswith("no such span")


def test_progress_is_one_record_per_trial(tmp_path, caplog):
    caplog.set_level(logging.INFO, "crime_platform")

    run(tmp_path / "trials.sqlite", 2)

    steps = [record.progress for record in caplog.records if hasattr(record, "progress")]
    assert [(step.task, step.done, step.total) for step in steps] == [
        ("toy search", 1, 2),
        ("toy search", 2, 2),
    ]
    assert "trial 0 complete after 4 of 4 fits" in steps[0].detail


def test_optuna_says_nothing(tmp_path, capfd):
    run(tmp_path / "trials.sqlite", 2)

    assert capfd.readouterr() == ("", "")


# --- the test cannot be seen ----------------------------------------------------------------


def test_a_plain_history_is_refused(tmp_path):
    with pytest.raises(TypeError, match="SelectionHistory"):
        search(toy_space(), history(), Budget(), tmp_path / "trials.sqlite")


def test_no_trial_depends_on_the_test(searched, tmp_path):
    known = history()
    tampered = CountHistory(steps=known.steps, counts=known.counts.copy())
    tampered.counts[known.index_of(FIRST_TEST) + 1 :] = 999.0

    study = run(tmp_path / "trials.sqlite", 5, seen=selection_history(tampered, FIRST_TEST))

    assert asked(study) == asked(searched)[:5]
    assert values(study) == values(searched)[:5]


def test_no_forecaster_is_shown_a_test_month(tmp_path):
    shown = []

    @dataclass(frozen=True)
    class Watched(Recent):
        def fit(self, history, origin):
            shown.append(history.steps[-1])
            return Recent.fit(self, history, origin)

        def forecast(self, history, origin, horizon):
            shown.append(history.steps[-1])
            return Recent.forecast(self, history, origin, horizon)

    run(tmp_path / "trials.sqlite", 3, space=toy_space(build=Watched))

    assert max(shown) == FIRST_TEST - 1  # the last validation origin
