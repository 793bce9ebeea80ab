import os
import subprocess
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

from crime_platform.cli import app
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from toys.city import toy_counts


def call(*arguments):
    return CliRunner().invoke(app, ["known-at", *map(str, arguments)], env={"COLUMNS": "200"})


def test_what_was_known_stands_beside_what_is_known_now(toy_city):
    home = toy_city(n_months=2)
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)

    answer = call("2100-01-01", "--study-area", "toy")

    robberies = int(toy_counts(2, moving=True)[1, 1].sum())
    assert answer.exit_code == 0
    assert f"2019-02 │ robbery      │ {robberies}" in answer.stdout
    assert answer.stdout.startswith("2100-01-01 lies ahead: shown is what is known by now.")
    assert "known 2100" not in answer.stdout


def test_before_the_first_file_nothing_was_known(toy_city):
    home = toy_city(n_months=2)
    ingest_area(load_study_area(home.study_areas / "toy.toml"), home)

    day = call("2001-01-01", "--study-area", "toy")
    moment = call("2001-01-01T06:30", "--study-area", "toy")

    assert day.exit_code == moment.exit_code == 2
    assert "nothing of toy was known by 2001-01-01; its first file" in day.stderr
    assert "was known by 2001-01-01 06:30:00 UTC; its first file" in moment.stderr


def test_the_incidents_of_then_can_be_had_as_a_file(toy_city, tmp_path):
    home = toy_city(n_months=2)
    report = ingest_area(load_study_area(home.study_areas / "toy.toml"), home)

    answer = call("2100-01-01", "--study-area", "toy", "--output", tmp_path / "then.parquet")

    assert answer.exit_code == 0
    assert len(pd.read_parquet(tmp_path / "then.parquet")) == report.n_accepted


def test_a_place_where_nothing_can_be_written_is_told_with_the_option(toy_city):
    home = toy_city(n_months=2)
    ingest_area(load_study_area(home.study_areas / "toy.toml"), home)

    answer = call("2100-01-01", "--study-area", "toy", "--output", "/proc/then.parquet")

    assert answer.exit_code == 2
    assert "--output /proc/then.parquet: cannot be written" in " ".join(answer.stderr.split())


def test_an_area_that_was_never_read_names_the_command(toy_city):
    toy_city(n_months=2)

    answer = call("2022-01-01", "--study-area", "toy")

    assert answer.exit_code == 2
    assert "nothing of toy was ever read" in answer.stderr


def test_a_mistyped_area_is_told_with_those_there_are(toy_city):
    toy_city(n_months=2)

    answer = call("2022-01-01", "--study-area", "tyo")

    assert answer.exit_code == 2
    assert "--study-area tyo: there is no such study area; there are toy" in " ".join(
        answer.stderr.split()
    )


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("moment", ["soon", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00+12:00"])
def test_a_moment_that_is_none_is_told(moment):
    answer = call(moment, "--study-area", "toy")

    assert answer.exit_code == 2
    assert f"got '{moment}'" in " ".join(answer.stderr.split())


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("rows", ["0", "-1", "99999999999999999999"])
def test_a_number_of_rows_that_is_none_is_told(rows):
    answer = call("2022-01-01", "--rows", rows)

    assert answer.exit_code == 2
    assert "--rows" in answer.stderr


def test_a_home_that_can_only_be_read_is_read(toy_city):
    home = toy_city(n_months=2)
    ingest_area(load_study_area(home.study_areas / "toy.toml"), home)
    folders = [home.root, *(each for each in home.root.rglob("*") if each.is_dir())]
    for path in home.root.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    home.root.chmod(0o555)

    answer = call_with_permissions_that_count(home, "known-at", "2100-01-01", "--study-area", "toy")

    for folder in folders:
        folder.chmod(0o755)
    assert answer.returncode == 0, answer.stderr
    assert "2019-02 │ robbery" in answer.stdout


def test_to_ask_makes_no_warehouse(toy_city):
    home = toy_city(n_months=2)

    answer = call("2100-01-01", "--study-area", "toy")

    assert answer.exit_code == 2
    assert "nothing of toy was ever read" in answer.stderr
    assert not home.warehouse.exists()


def call_with_permissions_that_count(home, *arguments):
    """The command in a process of its own, to which as root permissions count as to others."""
    bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.geteuid() == 0 and subprocess.run([*bound, "true"], check=False).returncode:
        pytest.skip("root may write everywhere, and here nothing can take that from it")
    command = [sys.executable, "-c", "from crime_platform.cli import main; main()", *arguments]
    return subprocess.run(
        [*bound, *command] if os.geteuid() == 0 else command,
        env={**os.environ, "CRIME_PLATFORM_HOME": str(home.root)},
        capture_output=True,
        text=True,
        check=False,
    )
