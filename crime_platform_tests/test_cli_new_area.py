"""What a person sees who drafts a first TOML."""

import pytest
from typer.testing import CliRunner

from conftest import write_toy_city
from crime_platform.cli import app


def call(*arguments, columns="200"):
    return CliRunner().invoke(app, [str(word) for word in arguments], env={"COLUMNS": columns})


def test_a_drafted_area_is_written_and_checked(home):
    write_toy_city(home)
    file = home.root / "raw" / "toy" / "all.csv"

    answer = call("new-area", file, "--name", "drafted", "--timezone", "America/Detroit")

    written = (home.study_areas / "drafted.toml").read_text()
    assert answer.exit_code == 0, answer.output
    assert 'timezone = "America/Detroit" # given, but the points lie in America/Toronto' in written
    assert 'Worth a look: timezone = "America/Detroit" was given, but' in answer.output
    assert 'paths = ["raw/toy/all.csv"]' in written
    assert "Next: crime-platform run --study-area drafted" in " ".join(answer.stdout.split())


def test_an_area_that_is_there_is_never_overwritten(home):
    write_toy_city(home)
    before = (home.study_areas / "toy.toml").read_text()

    answer = call("new-area", home.root / "raw/toy/all.csv", "--name", "toy")

    assert answer.exit_code == 2
    assert "toy.toml exists and is not overwritten" in answer.stderr
    assert (home.study_areas / "toy.toml").read_text() == before


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--name", "New York"], "--name: expected small letters"),
        (["--output", "New York.toml"], "--output: expected small letters"),
        (["--name", "a", "--output", "b.toml"], "b.toml must be called a.toml, after the area"),
        (["--column", "offense=Kind"], "--column offense=Kind: expected KEY=NAME"),
        (["--column", "offence"], "--column offence=: expected KEY=NAME"),
        (["--column", "offence=Kind"], "the file has no column 'Kind'"),
    ],
)
def test_options_that_cannot_be_meant_are_told(home, options, told):
    write_toy_city(home)

    answer = call("new-area", home.root / "raw/toy/all.csv", *options)

    assert answer.exit_code == 2
    assert told in " ".join(answer.stderr.split())
    assert sorted(path.name for path in home.study_areas.iterdir()) == ["toy.toml"]
