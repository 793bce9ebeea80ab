import pandas as pd
from typer.testing import CliRunner

from conftest import toy_counts
from crime_platform.cli import app
from crime_platform.ingest import ingest_area
from crime_platform.vocabulary.study_area import load_study_area


def call(*arguments):
    return CliRunner().invoke(app, ["known-at", *map(str, arguments)])


def test_what_was_known_stands_beside_what_is_known_now(toy_city):
    home = toy_city(n_months=2)
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)

    answer = call("2100-01-01", "--study-area", "toy")

    robberies = int(toy_counts(2, moving=True)[1, 1].sum())
    assert answer.exit_code == 0
    assert f"2019-02 │ robbery      │ {robberies}" in answer.stdout


def test_before_the_first_file_nothing_was_known(toy_city):
    home = toy_city(n_months=2)
    ingest_area(load_study_area(home.study_areas / "toy.toml"), home)

    answer = call("2001-01-01", "--study-area", "toy")

    assert answer.exit_code == 2
    assert "nothing of toy was known on 2001-01-01; its first file" in answer.stderr


def test_the_incidents_of_then_can_be_had_as_a_file(toy_city, tmp_path):
    home = toy_city(n_months=2)
    report = ingest_area(load_study_area(home.study_areas / "toy.toml"), home)

    answer = call("2100-01-01", "--study-area", "toy", "--output", tmp_path / "then.parquet")

    assert answer.exit_code == 0
    assert len(pd.read_parquet(tmp_path / "then.parquet")) == report.n_accepted


def test_an_area_that_was_never_read_names_the_command(toy_city):
    toy_city(n_months=2)

    answer = call("2022-01-01", "--study-area", "toy")

    assert answer.exit_code == 2
    assert "nothing of toy was ever read" in answer.stderr
