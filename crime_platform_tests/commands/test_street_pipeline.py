"""The streets of a toy town through Dagster, from files to a release, as a user runs them."""

import dagster as dg
import numpy as np
import pytest

from crime_platform.commands.run import GATE_FAILED, run_streets
from crime_platform.defs.assets_street_models import street_model_assets
from crime_platform.pipeline.street_forecast import (
    gather_street_evidence,
    newest_street_candidate,
    parse_day,
)
from crime_platform.publication.publish import RefusedError, rebuild_release
from crime_platform.publication.release import ReleaseError, open_release
from crime_platform.publication.street_publish import publish_streets
from crime_platform.study_area.study_area import StudyAreaError
from crime_platform.vocabulary.timesteps import IncompleteDataError
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import use_home
from toys.street_city import LAST, city_incidents, write_street_city
from toys.street_town import write_town

AREA = "town"


@pytest.fixture
def published(published_streets, monkeypatch):
    """The town whose streets are published; what a test changes it puts back."""
    use_home(monkeypatch, published_streets.root)
    return published_streets


def rows(home, query):
    with open_release(home) as connection:
        return connection.sql(query).fetchall()


@pytest.mark.slow
def test_files_become_a_published_street_forecast(published):
    release = rows(published, "select as_of_day::varchar, is_latest from street_release")
    board = dict(rows(published, "select model, deviance_skill from street_leaderboard"))
    champion = rows(published, "select model from street_leaderboard where is_champion")[0][0]

    assert release == [(str(LAST), True)]
    assert len(board) == 9
    assert board["long_run_frequency"] == 0
    assert board[champion] > 0


@pytest.mark.slow
def test_every_incident_of_the_group_is_in_the_published_counts(published):
    in_file = sum(kind != "Theft" for _, _, kind, *_ in city_incidents(moving=True))

    assert rows(published, "select sum(count) from segment_day") == [(in_file,)]


@pytest.mark.slow
def test_the_next_seven_days_are_forecast_on_every_segment(published):
    n_segments = rows(published, "select count(*) from segment")[0][0]
    days = rows(
        published,
        "select distinct target_day::varchar from street_forecast_latest order by all",
    )
    n_rows = rows(published, "select count(*) from street_forecast_latest")

    assert [day for (day,) in days] == [str(LAST + lead) for lead in range(1, 8)]
    assert n_rows == [(7 * n_segments,)]


@pytest.mark.slow
def test_the_network_leaves_its_curves_in_the_release(published):
    curve = rows(
        published,
        "select count(*), count(validation_loss) from street_training_curve "
        "where role = 'validation'",
    )

    assert curve == [(36, 36)]  # 4 seeds x 9 epochs, all judged by days not learned from


@pytest.mark.slow
def test_temperature_and_police_stations_reach_the_network(published):
    evidence = gather_street_evidence(published, AREA, LAST)

    assert evidence.counts.covariates.names == ("temperature_c",)
    assert set(evidence.counts.node_features) == {"log_length", "police_station_distance_m"}


@pytest.mark.slow
def test_a_candidate_without_a_verdict_is_refused(published):
    candidate = newest_street_candidate(published, AREA, LAST)
    with Warehouse(published.warehouse).writer() as connection:
        connection.execute("create temp table kept as select * from street_verdict")
        connection.execute("delete from street_verdict")
        kept = connection.execute("select * from kept").fetchall()

    with pytest.raises(RefusedError, match="was never judged"):
        publish_streets(published, candidate, run_id="test")
    with pytest.raises(ReleaseError, match="the release stays as it is"):
        rebuild_release(published)

    with Warehouse(published.warehouse).writer() as connection:
        connection.executemany("insert into street_verdict values (?,?,?,?,?,?,?,?)", kept)


@pytest.mark.slow
def test_a_refused_candidate_is_not_published(published):
    candidate = newest_street_candidate(published, AREA, LAST)
    warehouse = Warehouse(published.warehouse)
    passed = warehouse.read_street_verdict(AREA, candidate.candidate_id)
    refusal = Verdict(candidate.candidate_id, "ewma", False, ["too little skill"], {})
    warehouse.record_street_verdict(AREA, LAST, refusal)

    with pytest.raises(RefusedError, match=r"was refused: too little skill\. The last release"):
        publish_streets(published, candidate, run_id="test")

    warehouse.record_street_verdict(AREA, LAST, passed)


@pytest.mark.slow
def test_publishing_again_changes_nothing(published):
    before = published.forecasts.resolve()

    publish_streets(published, newest_street_candidate(published, AREA, LAST), run_id="again")

    assert published.forecasts.resolve() == before


@pytest.mark.slow
def test_a_day_beyond_the_counts_is_refused(published):
    with pytest.raises(IncompleteDataError, match=f"counted through {LAST}, and a forecast from"):
        gather_street_evidence(published, AREA, LAST + 1)
    with pytest.raises(IncompleteDataError, match="days with enough history: 2021-01-01 to"):
        run_streets(published, AREA, "2020-06-30")


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_the_command_line_shows_the_published_models():
    from typer.testing import CliRunner

    from crime_platform.cli import app

    shown = CliRunner().invoke(app, ["leaderboard", "--streets"])

    assert shown.exit_code == 0
    assert "long_run_frequency" in shown.output
    assert f"streets as of {LAST}" in shown.output


@pytest.mark.slow
def test_where_nothing_changes_the_gate_refuses(home):
    write_street_city(home, moving=False)

    outcome = run_streets(home, AREA, None)

    assert outcome.exit_code == GATE_FAILED
    assert outcome.messages[0].startswith("beats_long_run_frequency:")
    with pytest.raises(ReleaseError):
        open_release(home)


def test_an_area_without_streets_has_no_street_models(home):
    area = write_town(home, streets="")

    assert street_model_assets(area) == []
    with pytest.raises(StudyAreaError, match=r"\[streets\]"):
        run_streets(home, AREA, None)


def test_street_models_are_partitioned_by_day(home):
    assets = street_model_assets(write_street_city(home))

    kinds = {type(asset.partitions_def) for asset in assets}
    assert kinds == {dg.DailyPartitionsDefinition}
    assert [asset.key.path[-1] for asset in assets] == [
        "street_baselines",
        "gldnet",
        "street_candidate",
        "street_published",
    ]


@pytest.mark.parametrize("text", ["2021-09", "2021-13-01", "yesterday", "20210930"])
def test_days_are_written_out(text):
    assert parse_day("2021-09-30") == np.datetime64("2021-09-30")
    with pytest.raises(ValueError, match="expected a day written YYYY-MM-DD"):
        parse_day(text)
