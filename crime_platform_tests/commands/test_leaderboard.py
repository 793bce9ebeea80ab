import shutil
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from crime_platform.cli import app
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import use_home

RUNNER = CliRunner()
REASON = "deviance of the policy is 0.5 and must be below 0.4"


def call(*arguments):
    return RUNNER.invoke(app, list(arguments), env={"COLUMNS": "200"})


def told(text):
    return " ".join(text.split())


def refuse(home):
    """Let the newest verdict on the toy city be a refusal of the candidate that is published."""
    warehouse = Warehouse(home.warehouse)
    (candidate,) = warehouse.publications()["candidate_id"]
    verdict = warehouse.read_verdict("toy", candidate)
    assert verdict is not None
    refused = replace(verdict, passed=False, reasons=[REASON])
    warehouse.record_verdict("toy", np.datetime64("2021-06", "M"), refused)


@pytest.mark.slow
def test_a_refused_candidate_follows_what_is_published(published):
    refuse(published)

    answer = call("leaderboard")

    assert answer.exit_code == 0
    before, _, after = answer.stdout.partition("REFUSED, not published: toy as of 2021-06")
    assert "historical_average" in before
    assert REASON in told(after)
    assert "historical_average" in after


@pytest.mark.slow
def test_after_a_refusal_without_any_release_the_scores_are_shown(published):
    refuse(published)
    published.forecasts.unlink()

    answer = call("leaderboard", "--lead", "2")

    assert answer.exit_code == 0
    assert "REFUSED" in answer.stdout
    assert "historical_average" in answer.stdout


@pytest.mark.slow
def test_a_verdict_whose_candidate_is_gone_shows_nothing(published):
    refuse(published)
    shutil.rmtree(published.artifacts("toy") / "candidates")

    assert "REFUSED" not in call("leaderboard").stdout


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_a_lead_beyond_the_horizon_is_named():
    answer = call("leaderboard", "--lead", "4")

    assert answer.exit_code == 2
    assert "forecasts reach 3 months ahead; use 1 to 3" in told(answer.stderr)


@pytest.mark.slow
def test_a_refused_street_candidate_is_shown(published_streets, tmp_path, monkeypatch):
    root = tmp_path / "home"
    shutil.copytree(published_streets.root, root, symlinks=True)
    use_home(monkeypatch, root)
    warehouse = Warehouse(PlatformHome(root).warehouse)
    entry = warehouse.street_publications().iloc[-1]
    area, candidate = str(entry["study_area"]), str(entry["candidate_id"])
    verdict = warehouse.read_street_verdict(area, candidate)
    assert verdict is not None
    day = np.datetime64(entry["as_of_day"], "D")
    warehouse.record_street_verdict(area, day, replace(verdict, passed=False, reasons=[REASON]))

    answer = call("leaderboard", "--streets")

    assert answer.exit_code == 0
    assert REASON in told(answer.stdout)
    assert answer.stdout.count("long_run_frequency") >= 2
