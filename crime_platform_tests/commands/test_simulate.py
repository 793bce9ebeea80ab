import pytest
import typer
from typer.testing import CliRunner

from crime_platform.commands.simulate import simulate

app = typer.Typer()
app.command()(simulate)


def call(*arguments):
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})


def test_the_command_writes_files_and_says_what_they_are(home):
    answer = call("auckland", "--months", "2", "--scale", "0.05", "--seed", "3")

    assert answer.exit_code == 0
    assert "SIMULATED auckland, no real incident" in answer.stdout
    assert "Not calibrated: places and totals are invented too" in answer.stdout
    assert "crime-platform run --study-area auckland_simulated" in answer.stdout
    assert [*(home.root / "raw" / "auckland_simulated").glob("simulated_*.csv")]
    assert (home.study_areas / "auckland_simulated.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("auckland", "--months", "0"), "--months: expected 1 to 600, found 0"),
        (("auckland", "--scale", "-1"), "--scale: expected a factor above 0"),
        (("auckland", "--calibrate-to", "/nowhere"), "holds no mb2013_centroids_nztm.csv.gz"),
        (("auckland", "--output", "/nowhere/far/city"), "there is no folder /nowhere/far"),
        (("auckland", "--output", "/proc/city"), "--output /proc/city: cannot be written"),
        (("auckland", "--output", f"{__file__}/city"), "is a file, no folder"),
        (("auckland", "--output", __file__), "is a file; name a folder"),
        (
            ("auckland", "--months", "1", "--scale", "1e-9"),
            "--scale 1e-09 with --months 1 gives no incident at all",
        ),
        (("hamilton",), "'hamilton' is not"),
    ],
)
def test_a_wrong_option_ends_with_bad_input(home, arguments, message):
    answer = call(*arguments)

    assert answer.exit_code == 2
    assert message in answer.stderr
    assert not (home.root / "raw").exists()
