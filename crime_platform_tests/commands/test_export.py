import csv
import json

import duckdb
import geopandas
import pytest
from typer.testing import CliRunner

from crime_platform.cli import app
from crime_platform.commands.area_choice import only_released_area
from crime_platform.publication.release import open_release
from crime_platform.study_area.study_area import StudyAreaError


def call(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)], env={"COLUMNS": "300"})


@pytest.fixture
def town(published_streets, monkeypatch):
    monkeypatch.setenv("CRIME_PLATFORM_HOME", str(published_streets.root))
    return published_streets


def released(*areas):
    """A release's table of published months, with these areas and titles."""
    connection = duckdb.connect()
    connection.execute(
        "create table release (study_area varchar, title varchar, as_of_month date, "
        "champion varchar, is_latest boolean)"
    )
    connection.executemany(
        "insert into release values (?, ?, date '2021-06-01', 'ewma', true)", [[*a] for a in areas]
    )
    return connection


def test_several_files_of_the_same_rows_at_once(published, tmp_path):
    paths = [tmp_path / name for name in ("a.csv", "b.geojson", "c.parquet")]

    answer = call("--csv", paths[0], "--geojson", paths[1], "--geoparquet", paths[2])

    with open_release(published) as connection:
        n_rows, total = connection.execute(
            "select count(*), sum(expected_count) from forecast_latest "
            "where is_champion and lead = 1"
        ).fetchone()
    rows = list(csv.DictReader(paths[0].read_text().splitlines()))
    features = json.loads(paths[1].read_text())["features"]
    frame = geopandas.read_parquet(paths[2])
    assert answer.exit_code == 0, answer.stderr
    assert len(rows) == len(features) == len(frame) == n_rows == 60
    assert sum(float(row["expected_count"]) for row in rows) == pytest.approx(total)
    assert frame["expected_count"].sum() == pytest.approx(total)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "a.csv",
        "b.geojson",
        "c.parquet",
    ]
    *written, expired = answer.stdout.splitlines()
    assert written == [
        f"{path}: 60 rows, Toy city, forecast 2021-07 by rolling_mean_6, as of 2021-06"
        for path in paths
    ]
    assert expired.startswith("The monthly forecast expired on 1 October 2021")


@pytest.mark.usefixtures("published")
def test_every_choice_is_followed(tmp_path):
    path = tmp_path / "rows.csv"

    answer = call(
        *("--csv", path, "--study-area", "toy", "--what", "backtest"),
        *("--offence-type", "robbery", "--model", "ewma", "--month", "2021-03"),
    )

    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert answer.exit_code == 0, answer.stderr
    assert {(row["kind"], row["offence_type"], row["model"], row["month"]) for row in rows} == {
        ("backtest", "robbery", "ewma", "2021-03-01")
    }
    assert "30 rows, Toy city, backtest 2021-03 by ewma" in answer.stdout


@pytest.mark.usefixtures("published")
def test_a_recorded_month_names_no_model(tmp_path):
    answer = call("--csv", tmp_path / "rows.csv", "--month", "2021-06")

    assert "60 rows, Toy city, recorded 2021-06, as of 2021-06" in answer.stdout


@pytest.mark.usefixtures("town")
def test_streets_of_a_day(tmp_path):
    path = tmp_path / "rows.csv"

    answer = call("--csv", path, "--what", "streets", "--day", "2021-03-02", "--model", "gldnet")

    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert answer.exit_code == 0, answer.stderr
    assert {(row["day"], row["model"], row["lead"]) for row in rows} == {
        ("2021-03-02", "gldnet", "2")
    }
    assert "40 rows, Small Town, forecast 2021-03-02 by gldnet, as of 2021-02-28" in answer.stdout


@pytest.mark.usefixtures("published")
def test_a_file_that_is_there_is_replaced(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("old")

    call("--csv", path)

    assert path.read_text().startswith('"study_area"')


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no file to write: add --csv FILE, --geojson FILE"),
        (["--csv", "x.csv", "--day", "2021-03-01"], "--day 2021-03-01 is of streets: add --what"),
        (
            ["--csv", "x.csv", "--what", "streets", "--month", "2021-03"],
            "streets have days: give --day instead of --month 2021-03",
        ),
        (["--html", "x.html", "--model", "ewma"], "--html holds every month, model and offence"),
        (["--csv", "x.csv", "--study-area", "oz"], "no forecast by month of 'oz'"),
        (["--csv", "x.csv", "--month", "2031-01"], "forecast from 2021-07-01 to 2021-09-01"),
        (["--csv", "x.csv", "--what", "streets"], "no forecast by day on streets of any area"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)

    answer = call(*arguments)

    assert answer.exit_code == 2
    assert message in " ".join(answer.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("second", ["--html", "--geojson", "--geoparquet"])
def test_two_options_cannot_write_one_file(tmp_path, monkeypatch, second):
    monkeypatch.chdir(tmp_path)

    answer = call("--csv", tmp_path / "rows", second, "rows")

    assert answer.exit_code == 2
    assert f"--csv and {second} both write" in " ".join(answer.stderr.split())
    assert not (tmp_path / "rows").exists()


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("option", ["--csv", "--geojson", "--geoparquet", "--html"])
def test_a_place_where_nothing_can_be_written_is_told_with_the_option(option):
    answer = call(option, "/proc/rows")

    told = " ".join(answer.stderr.split())
    assert answer.exit_code == 2
    assert f"{option} /proc/rows: cannot be written" in told
    assert ".tmp-" not in told


@pytest.mark.usefixtures("published")
def test_a_folder_in_the_way_is_told_and_stays(tmp_path):
    (tmp_path / "rows.csv" / "inside").mkdir(parents=True)

    answer = call("--csv", tmp_path / "rows.csv")

    assert answer.exit_code == 2
    assert "is a directory" in answer.stderr
    assert (tmp_path / "rows.csv" / "inside").is_dir()


@pytest.mark.usefixtures("home")
def test_without_a_release_the_cure_is_named(tmp_path):
    answer = call("--csv", tmp_path / "rows.csv")

    assert answer.exit_code == 2
    assert "crime-platform run" in answer.stderr


def test_the_only_area_that_is_not_simulated_is_meant():
    with released(("auckland_sim", "Auckland (simulated)"), ("toronto", "Toronto")) as connection:
        assert only_released_area(connection, by_day=False) == "toronto"


def test_a_simulated_area_is_meant_where_it_is_alone():
    with released(("auckland_sim", "Auckland (simulated)")) as connection:
        assert only_released_area(connection, by_day=False) == "auckland_sim"


def test_one_of_several_areas_must_be_chosen():
    message = r"forecasts by month of \['newport', 'toronto'\]: choose one with --study-area"

    with (
        released(("toronto", "Toronto"), ("newport", "Newport")) as connection,
        pytest.raises(StudyAreaError, match=message),
    ):
        only_released_area(connection, by_day=False)
