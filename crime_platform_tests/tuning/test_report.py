import csv
import json

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from crime_platform.metrics.significance import bootstrap_skill
from crime_platform.tuning.findings import read_search
from crime_platform.tuning.plots import (
    history_figure,
    importances,
    parameters_figure,
    rungs_figure,
    write_plots,
)
from crime_platform.tuning.report import (
    best_config,
    compared,
    gain_over_default,
    summary,
    trial_rows,
    write_search,
)

MONTHS = ["2019-01", "2019-02", "2019-03", "2019-04"]
RANGES = {
    "filters": IntDistribution(4, 32, step=4),
    "rate": FloatDistribution(1e-3, 1e-1, log=True),
    "scale": CategoricalDistribution(["sqrt", "log1p"]),
}
DEFAULT = {"filters": 16, "rate": 1e-2, "scale": "sqrt"}
BETTER = {"filters": 32, "rate": 2e-2, "scale": "log1p"}
STOPPED = {"filters": 4, "rate": 5e-2, "scale": "sqrt"}


def new_study():
    """A study as a search leaves it: two fits, two origins each; the opponent's deviance is 10."""
    study = optuna.create_study(direction="maximize")
    facts = {
        "model": "toy",
        "begun_at": "2026-01-01",
        "default": DEFAULT,
        "ranges": {
            name: optuna.distributions.distribution_to_json(each) for name, each in RANGES.items()
        },
        "first_test_origin": "2019-06",
        "fit_origins": ["2019-01", "2019-03"],
        "data_version": "abc",
        "opponent": "historical_average",
        "deviance": dict.fromkeys(MONTHS, 10.0),
        "n_cases": 20,
    }
    for name, value in facts.items():
        study.set_user_attr(name, value)
    return study


def trial(parameters, skills, *, state="COMPLETE", **attributes):
    return optuna.create_trial(
        state=optuna.trial.TrialState[state],
        params=parameters,
        distributions=RANGES,
        value=skills[-1] if state == "COMPLETE" else None,
        intermediate_values=dict(enumerate(skills, start=1)),
        user_attrs={"code": "c1", "config": parameters, **attributes},
    )


def add(study, *arguments, **options):
    study.add_trial(trial(*arguments, **options))


@pytest.fixture
def study():
    """Default 5 %, a better one 10 %, one stopped at 20 % after one fit, one that failed."""
    study = new_study()
    add(study, DEFAULT, [0.02, 0.05], deviance=dict.fromkeys(MONTHS, 9.5))
    add(study, STOPPED, [0.20], state="PRUNED")
    add(study, BETTER, [0.04, 0.10], deviance=dict.fromkeys(MONTHS, 9.0))
    add(study, STOPPED, [], state="FAIL", note="too long a lookback")
    return study


# --- reading --------------------------------------------------------------------------------


def test_a_trial_with_every_fit_ranks_before_one_that_was_stopped(study):
    report = read_search(study)

    assert [(each.number, each.rank) for each in report.trials] == [
        (2, 1),
        (0, 2),
        (1, 3),
        (3, None),
    ]


def test_of_stopped_trials_the_one_with_more_fits_ranks_first():
    study = new_study()
    add(study, STOPPED, [0.50], state="PRUNED")
    add(study, STOPPED, [0.01, 0.02], state="PRUNED")

    assert [each.number for each in read_search(study).trials] == [1, 0]


def test_best_and_default_are_found(study):
    report = read_search(study)

    assert report.best is report.trials[0]
    assert report.default is report.trials[1]


def test_before_the_first_trial_ends_there_is_no_best():
    report = read_search(new_study())

    assert report.best is None
    assert report.default is None
    assert report.borders == {}
    assert gain_over_default(report) is None
    assert best_config(report, study_area="toy")["best"] is None


def test_borders_of_the_best_trial(study):
    borders = read_search(study).borders

    assert borders == {"filters": "high", "rate": "inside", "scale": "choice"}


def test_gain_by_hand(study):
    gain = gain_over_default(read_search(study))

    assert gain is not None
    assert gain["deviance_skill"] == pytest.approx(1 - 36 / 38)  # four origins of 9.0 and of 9.5


def test_the_interval_of_the_gain_is_the_block_bootstrap(study):
    gain = gain_over_default(read_search(study))

    assert gain is not None
    expected = bootstrap_skill(np.full(4, 9.0), np.full(4, 9.5))
    assert (gain["deviance_skill_low"], gain["deviance_skill_high"]) == expected


def test_too_few_origins_give_no_interval():
    study = new_study()
    add(study, DEFAULT, [0.02, 0.05], deviance=dict.fromkeys(MONTHS[:2], 9.5))

    gain = gain_over_default(read_search(study))

    assert gain is not None
    assert gain["deviance_skill_low"] is None


# --- table and config -----------------------------------------------------------------------


def test_the_table_has_one_row_per_trial_and_one_column_per_parameter(study):
    names, rows = trial_rows(read_search(study))

    assert names == [
        *("rank", "trial", "state", "is_default", "n_fits", "skill"),
        *("skill_after_1", "skill_after_2", "filters", "rate", "scale", "seconds", "code", "note"),
    ]
    assert rows[0][:-3] == [
        *(1, 2, "complete", "false", 2, "0.100000", "0.040000", "0.100000", 32, 0.02, "log1p")
    ]
    assert rows[2][:8] == [3, 1, "pruned", "false", 1, "0.200000", "0.200000", ""]
    assert rows[3][0] == ""
    assert rows[3][-1] == "too long a lookback"


def test_table_and_config_are_written_and_read_back(study, tmp_path):
    write_search(read_search(study), tmp_path, study_area="toy")

    with (tmp_path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    config = json.loads((tmp_path / "best_config.json").read_text())
    assert [row["trial"] for row in rows] == ["2", "0", "1", "3"]
    assert float(rows[0]["rate"]) == BETTER["rate"]
    assert config["config"] == BETTER
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best_config.json", "trials.csv"]


def test_the_config_says_what_it_was_judged_on(study):
    described = best_config(read_search(study), study_area="toronto")

    assert described["study_area"] == "toronto"
    assert described["best"]["trial"] == 2
    assert described["best"]["deviance"] == pytest.approx(36 / 20)  # per case
    assert described["default"]["deviance_skill"] == 0.05
    assert described["judged_on"] == {
        "first_test_origin": "2019-06",
        "fit_origins": ["2019-01", "2019-03"],
        "data_version": "abc",
        "opponent": "historical_average",
        "n_cases": 20,
    }
    assert described["n_trials"] == {"complete": 2, "pruned": 1, "fail": 1}
    assert described["n_fits"] == 5
    assert "upper guess" in described["gain_over_default"]["caution"]


# --- on the terminal ------------------------------------------------------------------------


def test_the_default_stands_beside_the_best(study):
    names, rows = compared(read_search(study), 2)

    assert names == ["rank", "default", "1", "2", "best lies"]
    assert rows[:4] == [
        ["trial", 0, 2, 0, ""],
        ["state", "complete", "complete", "complete", ""],
        ["skill", "+5.00 %", "+10.00 %", "+5.00 %", ""],
        ["fits", 2, 2, 2, ""],
    ]
    assert rows[5] == ["filters", "16", "32", "16", "high"]


def test_nothing_judged_is_a_table_without_columns():
    names, rows = compared(read_search(new_study()), 3)

    assert names == ["rank"]
    assert rows[0] == ["trial"]


def test_the_summary_names_gain_border_and_failures(study):
    lines = summary(read_search(study))

    assert lines[0].startswith("toy: trials 4 (2 complete, 1 fail, 1 pruned), 5 fits")
    assert "trial 2, skill +5.26 % over the default (95 % interval" in lines[1]
    assert lines[2] == "at the border of its range: filters; widen it and search again"
    assert lines[3] == "trials that failed: 1, the first with: too long a lookback"


def test_the_summary_says_when_nothing_beats_the_default():
    study = new_study()
    add(study, DEFAULT, [0.02, 0.05], deviance=dict.fromkeys(MONTHS, 9.5))

    assert "best: the default itself" in summary(read_search(study))[1]


def test_the_summary_tells_of_trials_made_by_other_code(study):
    add(study, BETTER, [0.01], state="PRUNED", code="c2")

    assert "different versions of the code" in " ".join(summary(read_search(study)))


# --- pictures -------------------------------------------------------------------------------


def test_pictures_are_written(study, tmp_path):
    write_plots(read_search(study), tmp_path)

    names = ["history.png", "parameters.png", "rungs.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert {path.read_bytes()[:4] for path in tmp_path.iterdir()} == {b"\x89PNG"}


def test_without_a_judged_trial_there_is_no_picture(tmp_path):
    write_plots(read_search(new_study()), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_the_history_shows_every_judged_trial(study):
    axes = history_figure(read_search(study)).axes[0]

    pruned, complete = (points.get_offsets().tolist() for points in axes.collections)
    assert pruned == [[1, 20]]
    assert complete == [[0, 5], [2, 10]]


def test_a_line_ends_where_its_trial_was_stopped(study):
    axes = rungs_figure(read_search(study)).axes[0]

    lengths = sorted(len(line.get_xdata()) for line in axes.lines)
    assert lengths == [0, 1, 2, 2]


def test_hopeless_trials_are_drawn_at_the_edge():
    study = new_study()
    add(study, DEFAULT, [0.02, 0.05])
    add(study, BETTER, [0.03, 0.06])
    add(study, STOPPED, [-9.0], state="PRUNED")

    axes = history_figure(read_search(study)).axes[0]

    # of -900, 2, 3, 5 and 6 % the median is 3 and the best 6: the edge is 3 - 3 * 3
    assert axes.collections[0].get_offsets().tolist() == [[2, -6]]
    assert "below -6.0 %" in axes.get_xlabel()


def test_every_parameter_has_a_panel(study):
    figure = parameters_figure(read_search(study))

    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["filters", "rate", "scale", ""]
    assert figure.axes[1].get_xscale() == "log"


def test_the_parameter_that_decides_has_the_largest_share():
    study = new_study()
    parameters = [
        DEFAULT | {"rate": 1e-3 * 1.3**number, "filters": 4 + 4 * (number % 7)}
        for number in range(15)
    ]
    study.add_trials([trial(each, [each["rate"]], state="PRUNED") for each in parameters])

    shares = importances(read_search(study))

    assert max(shares, key=lambda name: shares[name]) == "rate"
    assert sum(shares.values()) == pytest.approx(1.0)


def test_a_few_trials_tell_nothing_of_shares(study):
    assert importances(read_search(study)) == {}
