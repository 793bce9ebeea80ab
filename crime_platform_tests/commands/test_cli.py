import json
import re
import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

from crime_platform.cli import app
from crime_platform.commands.area_choice import only_area
from toys.city import TOY_AREA
from toys.paths import REPOSITORY

RUNNER = CliRunner()


def call(*arguments):
    return RUNNER.invoke(app, list(arguments), env={"COLUMNS": "200"})


def test_every_command_and_option_has_help():
    for command in app.registered_commands:
        assert command.callback is not None
        answer = call(command.name or command.callback.__name__, "--help")
        assert answer.exit_code == 0
        assert command.callback.__doc__ is not None
        assert command.callback.__doc__.splitlines()[0] in answer.output


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", [["leaderboard"], ["sql", "select 1"]])
def test_without_a_release_the_cure_is_named(command):
    answer = call(*command)
    assert answer.exit_code == 2
    assert "crime-platform run" in " ".join(answer.stderr.split())


@pytest.mark.slow
def test_run_publishes_and_prints_the_leaderboard(toy_city):
    toy_city()
    answer = call("run", "--study-area", "toy", "--as-of", "2021-06")
    assert answer.exit_code == 0, answer.output
    assert "historical_average" in answer.stdout
    assert "Published:" in answer.stdout
    assert "ewma back-test: 19/19 origin" in answer.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_the_leaderboard_marks_the_champion():
    answer = call("leaderboard")
    assert answer.exit_code == 0
    assert len(re.findall(r"[a-z0-9] \* +│", answer.stdout)) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_sql_prints_every_format(tmp_path):
    query = "select 1 as a, 'x' as b"
    assert call("sql", query, "--format", "csv").stdout == "a,b\n1,x\n"
    assert json.loads(call("sql", query, "--format", "json").stdout) == [{"a": 1, "b": "x"}]
    assert " a " in call("sql", query).stdout
    file = tmp_path / "rows.parquet"
    assert call("sql", query, "--format", "parquet", "--output", str(file)).exit_code == 0
    assert pd.read_parquet(file).to_dict("records") == [{"a": 1, "b": "x"}]


@pytest.mark.usefixtures("home")
def test_parquet_needs_a_file():
    answer = call("sql", "select 1", "--format", "parquet")
    assert answer.exit_code == 2
    assert "add --output" in answer.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("query", "told"),
    [("drop table release", "read-only"), ("select * from nowhere", "nowhere")],
)
def test_sql_that_cannot_be_answered_exits_2(query, told):
    answer = call("sql", query)
    assert answer.exit_code == 2
    assert told in answer.stderr


def test_an_unknown_toml_key_is_named_with_its_cure(toy_city):
    home = toy_city()
    path = home.study_areas / "toy.toml"
    path.write_text(path.read_text().replace("cell_size_m", "cel_size_m"))
    answer = call("run", "--study-area", "toy")
    text = " ".join(answer.stderr.split())
    assert answer.exit_code == 2
    assert "cel_size_m" in text
    assert "cell_size_m" in text


def test_a_geographic_crs_is_refused(toy_city):
    home = toy_city()
    path = home.study_areas / "toy.toml"
    path.write_text(path.read_text().replace("EPSG:26917", "EPSG:4326"))
    answer = call("run", "--study-area", "toy")
    assert answer.exit_code == 2
    assert "EPSG:4326" in answer.stderr


def test_an_area_that_does_not_exist_is_named(toy_city):
    toy_city()
    answer = call("run", "--study-area", "atlantis")
    assert answer.exit_code == 2
    assert "atlantis" in answer.stderr


def test_with_several_areas_one_must_be_chosen(toy_city):
    home = toy_city()
    other = TOY_AREA.format(last_month="2021-06").replace('name = "toy"', 'name = "other"', 1)
    (home.study_areas / "other.toml").write_text(other)
    answer = call("run")
    assert answer.exit_code == 2
    assert "choose one with --study-area" in " ".join(answer.stderr.split())


def test_an_area_without_files_is_not_the_one_to_run(toy_city):
    home = toy_city()
    other = TOY_AREA.format(last_month="2021-06").replace('name = "toy"', 'name = "other"', 1)
    (home.study_areas / "other.toml").write_text(other.replace("raw/toy", "raw/other"))

    assert only_area(home) == "toy"
    assert "not fetched" in call("areas").stdout


def test_a_fresh_clone_runs_toronto(home):
    shutil.copytree(REPOSITORY / "data" / "study_areas", home.study_areas, dirs_exist_ok=True)
    (home.root / "toronto").symlink_to(REPOSITORY / "data" / "toronto")

    assert only_area(home) == "toronto"


def test_areas_lists_what_can_be_read_and_what_cannot(toy_city):
    home = toy_city()
    (home.study_areas / "broken.toml").write_text("nam = 1")
    answer = call("areas")
    assert answer.exit_code == 2
    assert "Toy city" in answer.stdout
    assert "broken.toml" in answer.stderr
