"""`crime-platform tune --model gldnet`: which days it may see, and what a person is told."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from crime_platform.commands.tune import tune
from crime_platform.study_area.study_area import StudyAreaError
from crime_platform.tuning import street_search_space
from crime_platform.tuning.cell_search import TuningRequest, stored_search, tuning_folder
from crime_platform.tuning.street_search import last_day_of_evidence, tune_streets
from crime_platform.vocabulary.timesteps import IncompleteDataError
from toys.street_search import TINY, toy_counts

RUNNER = CliRunner()
N_DAYS = 150  # from 2020-01-06 to 2020-06-03: the last whole month is May


@pytest.fixture
def streets(toy_city, monkeypatch):
    """The toy city, its streets counted, and a network that takes no time to train."""
    home = toy_city()
    counting = SimpleNamespace(read_segment_counts=lambda _, area: counted(area))
    monkeypatch.setitem(sys.modules, "crime_platform.pipeline.segment_counts", counting)
    monkeypatch.setattr(street_search_space, "GldnetConfig", lambda: TINY)
    return home


def counted(area):
    assert area == "toy"
    return toy_counts(N_DAYS)


def without_streets(_, area):
    raise StudyAreaError(f"{area} has no streets: add [streets] to {area}.toml")


def call(*arguments):
    app = typer.Typer()
    app.command()(tune)
    command = ["--model", "gldnet", "--workers", "1", *arguments]
    return RUNNER.invoke(app, command, env={"COLUMNS": "200"})


def test_a_search_of_gldnet_prints_budget_trials_and_where_the_files_are(streets, tmp_path):
    answer = call("--trials", "2", "--export", str(tmp_path))

    folder, said = tuning_folder(streets, "toy", "gldnet"), " ".join(answer.stdout.split())
    assert answer.exit_code == 0, answer.output
    assert "gldnet in Toy city, days up to 2020-05-09 of 2020-05-31: 2 trials of up to 9" in said
    assert "1 at a time" in said
    assert "gldnet search: 2/2" in said
    assert {"trials.csv", "best_config.json", "history.png"} <= {
        path.name for path in folder.iterdir()
    }
    assert json.loads((tmp_path / "gldnet.json").read_text())["config"]["epochs"] == 9


def test_show_prints_the_stored_search(streets):
    tune_streets(streets, TuningRequest(study_area="toy", model="gldnet", n_trials=1, workers=1))

    answer = call("--show")

    assert answer.exit_code == 0, answer.output
    assert "gldnet: trials 1 (1 complete), 9 epochs; days 2020-04-18 to 2020-05-09" in " ".join(
        answer.stdout.split()
    )


def test_an_earlier_month_moves_the_days(streets):
    request = TuningRequest(
        study_area="toy", model="gldnet", n_trials=1, workers=1, as_of=np.datetime64("2020-04")
    )

    tune_streets(streets, request, read=lambda *_: toy_counts(N_DAYS))

    # of the 116 days to 2020-04-30 81 are learned from, through 2020-03-26; 18 judge
    report = stored_search(streets, "toy", "gldnet")
    assert report is not None
    assert report.facts["first_validation_day"] == "2020-03-27"
    assert report.facts["last_validation_day"] == "2020-04-13"


def test_an_area_without_streets_is_told_the_cure(toy_city):
    request = TuningRequest(study_area="toy", model="gldnet")

    with pytest.raises(StudyAreaError, match=r"add \[streets\] to toy.toml"):
        tune_streets(toy_city(), request, read=without_streets)


@pytest.mark.parametrize("month", ["2020-06", "2019-12"])
def test_a_month_that_the_days_do_not_hold_is_refused(month):
    days = toy_counts(N_DAYS).days

    with pytest.raises(IncompleteDataError, match=rf"toy: {month} does not end within the days"):
        last_day_of_evidence(days, np.datetime64(month), "toy")


def test_the_evidence_ends_with_the_newest_whole_month():
    days = np.arange("2020-01-06", "2020-06-01", dtype="datetime64[D]")

    ends = [last_day_of_evidence(each, None, "toy") for each in (days, days[:-1])]

    assert ends == [np.datetime64("2020-05-31"), np.datetime64("2020-04-30")]
