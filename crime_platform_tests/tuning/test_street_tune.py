"""A search for GLDNet's settings: what its trials are worth, and that it goes on."""

import numpy as np
import pytest
from optuna.trial import TrialState

from crime_platform.metrics.errors import daily_deviance
from crime_platform.models.streets.baselines import street_baselines
from crime_platform.tuning.findings import read_search
from crime_platform.tuning.plots import rungs_figure
from crime_platform.tuning.report import best_config, compared, summary, trial_rows
from crime_platform.tuning.street_days import selection_days
from crime_platform.tuning.street_search_space import gldnet_space
from crime_platform.tuning.streets import StreetBudget, search_streets
from toys.search import asked, values
from toys.street_search import (
    LAST_DAY,
    LAST_SEEN,
    TINY,
    replace,
    run,
    selection,
    tampered_after,
    toy_counts,
)
from toys.streets import toy_diffusion


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Six trials in one session."""
    return run(tmp_path_factory.mktemp("once") / "trials.sqlite", 6)


def skill_of(config):
    """Skill of a config by the way a fitted model is judged elsewhere."""
    held = selection()
    days = held.split.validation_days
    fitted = (
        gldnet_space(held.streets, epochs=3).build("again", config).fit(held.history, held.split)
    )
    plain = street_baselines(toy_diffusion())["long_run_frequency"].fit(held.history, held.split)
    observed = held.history.counts[-days.size :].astype(np.float64)
    ours, theirs = (
        daily_deviance(observed, each.rolling(held.history, days - 1, 1).expected_count[:, 0]).sum()
        for each in (fitted, plain)
    )
    return 1 - ours / theirs


# --- trials ---------------------------------------------------------------------------------


def test_the_default_is_the_first_trial_and_gets_every_epoch(searched):
    first = searched.trials[0]

    assert first.params["gated_units"] == 4
    assert first.params["lookback"] == 4
    assert first.state == TrialState.COMPLETE
    assert list(first.intermediate_values) == [1, 2, 3]
    assert first.value == first.intermediate_values[3]


@pytest.mark.parametrize("loss", ["poisson", "weighted_mse"])
def test_a_trial_is_worth_its_deviance_skill_whatever_its_loss(loss, tmp_path):
    default = replace(TINY, loss=loss)

    study = run(tmp_path / "trials.sqlite", 1, default=default)

    expected = skill_of(replace(default, seeds=1, epochs=3))
    assert study.trials[0].value == pytest.approx(expected, rel=1e-5)


def test_hyperband_stops_trials_after_epochs(searched):
    stopped = [trial for trial in searched.trials if trial.state == TrialState.PRUNED]

    assert stopped
    assert {len(trial.intermediate_values) for trial in stopped} == {1}


def test_the_deviance_of_every_validation_day_is_kept(searched):
    deviance = searched.trials[0].user_attrs["deviance"]

    assert list(deviance) == [str(day) for day in selection().split.validation_days]
    theirs = sum(searched.user_attrs["deviance"].values())
    assert 1 - sum(deviance.values()) / theirs == pytest.approx(searched.trials[0].value)


def test_a_network_that_runs_away_is_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "crime_platform.training.gldnet_loop.expected_counts",
        lambda _, samples: np.full(samples.observed.shape, np.nan, dtype=np.float32),
    )

    with pytest.raises(ValueError, match=r"default of gldnet cannot be fitted.*108 are NaN"):
        run(tmp_path / "trials.sqlite", 1)


# --- the test cannot be seen ----------------------------------------------------------------


def test_plain_counts_are_refused(tmp_path):
    with pytest.raises(TypeError, match="SelectionDays"):
        search_streets(toy_counts(), StreetBudget(), tmp_path / "trials.sqlite")


def test_no_trial_depends_on_the_test(searched, tmp_path):
    seen = selection_days(tampered_after(toy_counts(), LAST_SEEN), LAST_DAY)

    study = run(tmp_path / "trials.sqlite", 4, seen=seen)

    assert study.study_name == searched.study_name
    assert asked(study) == asked(searched)[:4]
    assert values(study) == values(searched)[:4]


def test_a_validation_day_does_change_the_trials(searched, tmp_path):
    seen = selection_days(tampered_after(toy_counts(), LAST_SEEN - 1), LAST_DAY)

    study = run(tmp_path / "trials.sqlite", 1, seen=seen)

    assert study.study_name != searched.study_name
    assert values(study) != values(searched)[:1]


# --- going on -------------------------------------------------------------------------------


def test_a_search_in_two_sessions_tries_what_one_session_tries(searched, tmp_path):
    file = tmp_path / "trials.sqlite"
    run(file, 2)

    study = run(file, 6)

    assert asked(study) == asked(searched)
    assert values(study) == values(searched)


def test_a_killed_trial_is_begun_anew(tmp_path):
    file = tmp_path / "trials.sqlite"
    orphan = run(file, 1).ask()
    orphan.suggest_int("gated_layers", 1, 4)

    study = run(file, 2)

    assert study.trials[1].state == TrialState.FAIL
    assert study.trials[2].user_attrs["retry_of"] == 1
    assert study.trials[2].params["gated_layers"] == orphan.params["gated_layers"]


@pytest.mark.parametrize(
    "other",
    [
        {"n_epochs": 2},
        {"seed": 1},
        {"seen": selection_days(toy_counts(), LAST_DAY - 10)},
    ],
)
def test_other_epochs_seed_or_days_are_another_search(searched, tmp_path, other):
    file = tmp_path / "trials.sqlite"

    study = run(file, 1, **other)

    assert study.study_name != searched.study_name


# --- budget ---------------------------------------------------------------------------------


def test_the_budget_says_what_may_be_spent():
    assert str(StreetBudget(workers=2)) == (
        "60 trials of up to 9 epochs with one seed, 2 at a time; no time limit"
    )
    assert str(StreetBudget(seconds=90.0)).endswith("no new trial after 1.5 minutes")


@pytest.mark.parametrize(
    "wrong", [{"n_trials": 0}, {"n_epochs": 0}, {"workers": 0}, {"seconds": 0.0}]
)
def test_an_empty_budget_is_refused(wrong):
    with pytest.raises(ValueError, match="at least 1 trial, 1 epoch, 1 worker and more than 0"):
        StreetBudget(**wrong)


# --- what is told ---------------------------------------------------------------------------


def test_tables_speak_of_epochs_and_days(searched):
    report = read_search(searched)

    names, rows = trial_rows(report)
    described = best_config(report, study_area="toy")

    assert names[4:9] == ["n_epochs", "skill", "skill_after_1", "skill_after_2", "skill_after_3"]
    assert {len(row) for row in rows} == {len(names)}
    assert described["n_epochs"] == sum(len(trial.skills) for trial in report.trials)
    assert described["judged_on"]["n_rungs"] == 3
    assert described["config"]["inputs"]["half_lives"] == [7.0, 30.0]
    assert compared(report, 1)[1][3][0] == "epochs"
    assert (
        "epochs; days 2020-03-30 to 2020-04-16, skill over long_run_frequency one day"
        in (summary(report)[0])
    )


def test_the_gain_is_told_with_its_caution_and_an_interval(searched):
    gain = best_config(read_search(searched), study_area="toy")["gain_over_default"]

    assert "chosen on the days" in gain["caution"]
    assert gain["deviance_skill_low"] <= gain["deviance_skill"] <= gain["deviance_skill_high"]


def test_the_picture_of_rungs_counts_epochs(searched):
    axes = rungs_figure(read_search(searched)).axes[0]

    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3"]
    assert axes.get_xlabel().startswith("epoch")


def test_an_optimum_at_a_border_is_told(tmp_path):
    default = replace(TINY, gated_units=16, kernel_m=490.0, batch_days=16)

    report = read_search(run(tmp_path / "trials.sqlite", 1, default=default))

    ends = {"gated_units": "high", "kernel_m": "high", "gated_layers": "least", "rho": "unused"}
    assert {name: report.borders[name] for name in ends} == ends
    assert "at the border of its range: gated_units, kernel_m; widen" in " ".join(summary(report))


def test_rho_lies_at_a_border_only_where_it_is_read(tmp_path):
    default = replace(TINY, loss="weighted_mse", rho=0.05)

    report = read_search(run(tmp_path / "trials.sqlite", 1, default=default))

    assert report.borders["rho"] == "high"
