import re

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from crime_platform.cli import app
from crime_platform.commands.area import next_command, sparkline
from toys.city import write_toy_city


def call(*arguments, columns="200"):
    return CliRunner().invoke(app, [str(word) for word in arguments], env={"COLUMNS": columns})


def test_a_sound_area_ends_with_the_next_command(home):
    write_toy_city(home)

    answer = call("check-area", home.study_areas / "toy.toml")

    assert answer.exit_code == 0, answer.output
    assert "Nothing to fix. Next: crime-platform run --study-area toy" in answer.stdout
    assert "Incidents per month, 2019-01 to 2021-06: least" in answer.stdout
    assert "extent_m = [630000, 4830000, 632500, 4833000]" in answer.stdout


def test_streets_are_run_after_the_months(home):
    toml = home.study_areas / "toy.toml"

    command = next_command(toml, home, has_streets=True)

    run = "crime-platform run --study-area toy"
    assert command == f"{run} && {run} --streets"


def test_an_area_may_be_called_by_its_name(home):
    write_toy_city(home)

    assert call("check-area", "toy").exit_code == 0


def test_an_area_from_elsewhere_is_to_be_copied_first(home, tmp_path):
    write_toy_city(home)
    (home.study_areas / "toy.toml").rename(tmp_path / "toy.toml")

    answer = call("check-area", tmp_path / "toy.toml")

    assert f"Next: cp {tmp_path}/toy.toml {home.study_areas}/ && crime-platform run" in " ".join(
        answer.stdout.split()
    )


def test_what_is_wrong_is_listed_and_ends_with_2(home):
    write_toy_city(home)
    toml = home.study_areas / "toy.toml"
    toml.write_text(toml.read_text().replace('["Robbery"]', '["Robery"]'))

    answer = call("check-area", toml)

    assert answer.exit_code == 2
    assert "unmapped label" in answer.stdout
    assert "'Robbery'" in answer.stderr
    assert "like 'Robery'" in answer.stderr
    assert "Next:" not in answer.stdout


@pytest.mark.parametrize(
    ("text", "told"), [("name = 'toy'", "the key is missing"), (None, "no such file")]
)
def test_a_toml_that_cannot_be_read_ends_with_2(home, text, told):
    toml = home.study_areas / "toy.toml"
    toml.write_text(text or "")
    toml.unlink() if text is None else None

    answer = call("check-area", toml)

    assert answer.exit_code == 2
    assert told in answer.stderr


def test_every_row_is_in_the_table_once(home):
    write_toy_city(home)
    file = home.root / "raw" / "toy" / "all.csv"
    with file.open("a") as rows:
        rows.writelines([",Robbery,-79.37,43.62\n", "2020-01-01,Robbery,,\n"] * 3)

    answer = call("check-area", "toy")

    shares = [float(share) for share in re.findall(r"(?m)^\W.*?([\d.]+)%", answer.stdout)]
    assert sum(shares) == pytest.approx(100, abs=0.02)
    assert "of all rows" in answer.stdout
    assert re.search(
        r"Of [\d,]+ accepted rows 99\.\d\d% have a place, 0\.0% an hour", answer.stdout
    )


def test_older_vintages_and_the_effort_are_told(home):
    write_toy_city(home)
    toml, folder = home.study_areas / "toy.toml", home.root / "raw" / "toy"
    toml.write_text(
        toml.read_text().replace("[source.c", 'revisions = "replace_months"\n[source.c')
    )
    old = (folder / "all.csv").read_text().splitlines()
    kept = [line for line in old if line[:4] in ("date", "2019")]
    (folder / "2019.csv").write_text("\n".join(kept) + "\n")

    answer = call("check-area", "toy")

    assert f"{len(kept) - 1:,} of the accepted rows are older vintages" in answer.stdout
    assert "A run takes roughly 2 minutes on 2 cores and 1.0 GB of memory." in answer.stdout


def test_it_fits_an_old_terminal(home):
    write_toy_city(home)

    answer = call("check-area", "toy", columns="80")

    assert max(map(len, answer.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("counts", "line"), [([0, 1, 4, 8], " ▁▄█"), ([0, 0], "  "), ([5], "█"), ([], "")]
)
def test_a_sparkline_has_one_bar_per_count(counts, line):
    assert sparkline(np.array(counts, dtype=int), top=max(counts, default=0)) == line


def test_the_commands_are_part_of_the_app():
    assert isinstance(app, typer.Typer)
    assert {"check-area", "new-area"} <= {command.name for command in app.registered_commands}
