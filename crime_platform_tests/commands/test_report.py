import webbrowser

import pytest
import typer
from typer.testing import CliRunner

from crime_platform.commands.report import report
from crime_platform.reporting.paths import ReportError, find_report, report_folder, report_paths

app = typer.Typer()
app.command()(report)


def call(*arguments):
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})


def write(home, study_area, as_of):
    paths = report_paths(report_folder(home, study_area, as_of))
    paths.report.parent.mkdir(parents=True)
    paths.report.write_text("<!doctype html>")
    return paths


def test_the_newest_report_is_found(home):
    write(home, "toy", "2021-11")
    newest = write(home, "toy", "2021-12")
    (home.artifacts("toy") / "candidates").mkdir()

    assert find_report(home, None, None) == newest
    assert find_report(home, "toy", "2021-11").report.parent.name == "2021-11"


def test_no_report_names_the_cure(home):
    write(home, "toy", "2021-11")

    with pytest.raises(ReportError, match="crime-platform run --study-area toy --as-of 2021-12"):
        find_report(home, "toy", "2021-12")


def test_one_of_several_areas_must_be_named(home):
    write(home, "toy", "2021-12")
    write(home, "other", "2021-12")

    with pytest.raises(ReportError, match=r"\['other', 'toy'\] have a report: choose one"):
        find_report(home, None, None)


def test_the_command_without_a_report_ends_with_bad_input(home):
    answer = call()

    assert answer.exit_code == 2
    assert "crime-platform run" in answer.stderr
    assert str(home.root / "artifacts") in answer.stderr


def test_a_month_that_is_none_is_told(home):
    write(home, "toy", "2021-12")

    answer = call("--path", "--as-of", "x")

    assert answer.exit_code == 2
    assert "--as-of: expected a month written YYYY-MM, such as 2021-09; got 'x'" in answer.stderr


@pytest.mark.parametrize("name", ["tyo", "t*", "../artifacts/toy"])
def test_a_mistyped_area_is_told_with_those_there_are(home, name):
    write(home, "toy", "2021-12")
    (home.study_areas / "other.toml").write_text("")

    answer = call("--path", "--study-area", name)

    assert answer.exit_code == 2
    assert f"--study-area {name}: there is no such study area; there are other, toy" in (
        answer.stderr
    )


def test_path_prints_the_path_and_nothing_else(home):
    paths = write(home, "toy", "2021-12")

    answer = call("--path")

    assert answer.stdout == f"{paths.report}\n"


@pytest.mark.parametrize(("is_open", "words"), [(True, "Opened"), (False, "open it yourself")])
def test_the_browser_opens_the_report_or_the_person_is_told(home, monkeypatch, is_open, words):
    paths = write(home, "toy", "2021-12")
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda uri: opened.append(uri) or is_open)

    answer = call("--study-area", "toy")

    assert opened == [paths.report.as_uri()]
    assert words in answer.stdout
    assert str(paths.model_card) in answer.stdout
