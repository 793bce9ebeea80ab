"""What a run of the streets would stop at is told before it starts, in the same words."""

import shutil

import numpy as np
import pytest

from crime_platform.commands.run import run_streets
from crime_platform.data_checks.blocking import street_days_problem
from crime_platform.onboarding.check import check_area
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.timesteps import IncompleteDataError
from toys.city import TOY_AREA, write_toy_csv
from toys.paths import REPOSITORY
from toys.street_city import write_street_city

CASE = REPOSITORY.parent / "shared" / "cases" / "elsewhere" / "08_check_streets" / "raw"
CASE_AREA = """
name = "case"
crs = "EPSG:25833"
timezone = "Europe/Berlin"
first_month = "2021-01"

[grid]
cell_size_m = 500

[[offence_type]]
name = "burglary"
labels = ["Burglary", "Robbery", "Theft"]

[[source]]
name = "police"
paths = ["raw/inc.csv"]

[source.columns]
occurred_at = "date"
offence = "offence"
lon = "longitude"
lat = "latitude"

[streets]
file = "raw/STREETS"
"""


@pytest.fixture
def town(home):
    """Check the toy town of crossing streets after changes to its TOML."""
    write_street_city(home)
    toml = home.study_areas / "town.toml"

    def check(*changes):
        text = toml.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        toml.write_text(text)
        return check_area(toml, home)

    return check


@pytest.fixture
def case(home):
    """Check the area of a shared case with one of its street files."""
    if not CASE.exists():
        pytest.skip(f"no files in {CASE}")
    shutil.copytree(CASE, home.root / "raw")

    def check(streets):
        toml = home.study_areas / "case.toml"
        toml.write_text(CASE_AREA.replace("STREETS", streets))
        return check_area(toml, home)

    return check


def test_sound_streets_have_nothing_to_fix(town):
    check = town()

    assert check.is_fine
    assert check.facts.streets.counts.n_beyond == 0
    assert check.facts.streets.graph.graph.n_nodes == 40


def test_streets_that_do_not_fit_into_memory_are_refused(town, monkeypatch):
    monkeypatch.setattr("crime_platform.pipeline.segment_counts.memory_bytes", lambda: 10**9)

    (problem,) = town().to_fix

    assert "town: 40 streets or places and " in problem


def test_every_file_of_the_streets_that_is_missing_is_told(town, home):
    check = town(
        ("raw/streets.gpkg", "raw/lines.gpkg"),
        ("tables/stations.csv", "tables/none.csv"),
        ("tables/temperature.csv", "tables/cold.csv"),
    )

    points, lines, days = check.to_fix
    assert points.startswith(f"{home.root}/tables/none.csv: no such file")
    assert lines.startswith(f"{home.root}/raw/lines.gpkg: no such file")
    assert "cold.csv" in days


def test_a_file_of_points_without_one_is_refused(town, home):
    (home.root / "tables" / "stations.csv").write_text("lon,lat\n")

    (problem,) = town().to_fix

    assert problem.endswith(
        "holds no point; add some, or leave its [[streets.points]] out of the TOML"
    )


def test_streets_too_short_to_be_any_are_refused(town):
    (problem,) = town(("[streets]", "[streets]\nmin_segment_m = 5000")).to_fix

    assert problem.startswith("no street is as long as min_segment_m = 5000 m")


def test_incidents_beyond_every_street_are_told(town, home):
    (home.root / "raw" / "far.csv").write_text(
        "when,hour,what,where,east,north\n2020-05-05,1,Burglary,House,630200,4833200\n"
    )

    check = town(("[streets]", "[streets]\nmax_snap_m = 20\nmax_beyond_share = 0.0"))

    assert "are beyond reach of every street, at most 0.0% may be" in check.to_fix[0]


def test_a_part_of_the_city_with_few_of_the_incidents_is_mentioned(town):
    check = town(("[streets]", "[streets]\nextent_m = [630000, 4833000, 630150, 4833150]"))

    (remark,) = [each for each in check.to_consider if "outside the street area" in each]
    assert remark.startswith("[streets] ")


def test_too_short_a_record_of_days_is_told_as_a_run_tells_it(town, home):
    change = ('first_month = "2019-01"', 'first_month = "2019-04"')

    check = town(change)

    told = [each for each in check.to_fix if each.startswith("the streets of town cannot be")]
    assert len(told) == 1
    area = load_study_area(home.study_areas / "town.toml")
    assert told[0] == street_days_problem(area, np.datetime64("2021-02-28"))


def test_a_run_says_the_same_of_too_few_days(home):
    write_street_city(home)

    with pytest.raises(IncompleteDataError, match="cannot be forecast as of 2020-06-30; days with"):
        run_streets(home, "town", "2020-06-30")


def test_months_in_the_place_of_days_are_refused(home):
    toml = home.study_areas / "toy.toml"
    toml.write_text(TOY_AREA.format(last_month="2021-06") + "\n[streets]\n")
    file = home.root / "raw" / "toy" / "all.csv"
    write_toy_csv(file, np.ones((30, 2, 1, 1), dtype=int))
    file.write_text(
        "\n".join(
            line if line.startswith("date") else f"{line[:8]}01{line[10:]}"
            for line in file.read_text().splitlines()
        )
    )

    assert "every incident is on the first day of a month" in " ".join(
        check_area(toml, home).to_fix
    )


def test_streets_without_incidents_still_have_their_files_looked_at(town):
    check = town(("raw/*.csv", "raw/nothing.csv"), ("raw/streets.gpkg", "raw/lines.gpkg"))

    assert any("lines.gpkg: no such file" in problem for problem in check.to_fix)


@pytest.mark.parametrize(
    ("streets", "told"),
    [
        ("missing.geojson", "missing.geojson: no such file; put it there or correct the path"),
        ("points.geojson", "points.geojson: expected lines, and feature 1 is a Point"),
        ("far_away.geojson", "incidents is within 100 m of a segment; the nearest"),
    ],
)
def test_the_shared_cases_are_refused(case, streets, told):
    check = case(streets)

    assert any(told in problem for problem in check.to_fix)
