"""Which areas a release holds, where they lie, and which releases are refused."""

import numpy as np
import pytest

from crime_platform.dashboard.data.areas import area_with_cells, areas_part
from crime_platform.dashboard.data.binary_format import unpack
from crime_platform.dashboard.data.cells import cells_part
from crime_platform.dashboard.data.part_error import PartError
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.expiry import expiry_of
from crime_platform.vocabulary.home import PlatformHome
from toys.release import asked, changed_release

TYPES = ["assault", "robbery"]


@pytest.fixture
def published(published_once):
    """The toy city's home, which no test here changes."""
    return PlatformHome(published_once)


@pytest.fixture
def release(published):
    with open_release(published) as connection:
        yield connection


def test_the_areas_are_listed(release, published):
    key = published.forecasts.resolve().stem.removeprefix("forecasts-")
    expiry = expiry_of(np.datetime64("2021-09", "M"), "America/Toronto")

    assert areas_part(release) == {
        "release": key,
        "areas": [
            {
                "name": "toy",
                "title": "Toy city",
                "as_of_month": "2021-06",
                "as_of_day": None,
                "has_cells": True,
                "has_streets": False,
                "graph_kind": None,
                "is_simulated": False,
                "expiry": {
                    "month": {
                        "at": "2021-10-01T04:00:00Z",
                        "day": "2021-10-01",
                        "current": expiry.current,
                        "expired": expiry.expired,
                    }
                },
            }
        ],
    }


def test_simulated_areas_are_listed_last(published, tmp_path):
    simulated = (
        "insert into release select * replace ('aaa' as study_area, 'A (simulated)' as title) "
        "from release"
    )
    with changed_release(published, tmp_path, simulated) as connection:
        names = [area["name"] for area in areas_part(connection)["areas"]]

    assert names == ["toy", "aaa"]


def test_an_area_whose_toml_is_gone_is_drawn_from_its_cells(published, tmp_path):
    gone = ("delete from study_area", "delete from offence_type")
    with changed_release(published, tmp_path, *gone) as connection:
        header, _ = unpack(cells_part(connection, "toy"))
        centers = asked(connection, "select avg(lon), avg(lat) from cell")[0]

    area = header["area"]
    assert (area["title"], area["is_simulated"]) == ("Toy city", False)
    assert (area["crs"], area["west_m"], area["south_m"]) == (None, None, None)
    assert (area["cell_size_m"], area["n_rows"], area["n_cols"]) == (500, 6, 5)
    assert area["center"] == pytest.approx(centers)
    assert [kind["title"] for kind in header["types"]] == TYPES


@pytest.mark.parametrize(
    "change", ["west_m = west_m + 500", "n_cols = 4", "crs = 'EPSG:32633'", "south_m = NULL"]
)
def test_a_toml_that_no_longer_fits_its_cells_is_not_believed(published, tmp_path, change):
    with changed_release(published, tmp_path, f"update study_area set {change}") as connection:
        area = area_with_cells(connection, "toy")

    assert (area.crs, area.west_m, area.south_m) == (None, None, None)
    assert (area.cell_size_m, area.n_rows, area.n_cols) == (500, 6, 5)


def test_an_area_without_toml_is_simulated_when_its_title_says_so(published, tmp_path):
    said = ("delete from study_area", "update release set title = 'Toy city (Simulated)'")
    with changed_release(published, tmp_path, *said) as connection:
        assert areas_part(connection)["areas"][0]["is_simulated"]


def test_an_unknown_area_is_refused(release):
    with pytest.raises(PartError, match=r"no monthly forecasts of an area 'moon'; .* of toy$"):
        cells_part(release, "moon")


def test_a_release_of_an_earlier_version_is_refused(published, tmp_path):
    earlier = ("drop table source", "alter table study_area drop column timezone")
    with (
        changed_release(published, tmp_path, *earlier) as connection,
        pytest.raises(
            PartError,
            match=r"forecasts-changed.duckdb was made by an earlier version .* lacks "
            r"study_area.timezone, source. Run `crime-platform run` again",
        ),
    ):
        areas_part(connection)


def test_of_much_that_an_old_release_lacks_some_is_named(published, tmp_path):
    earlier = [f"drop table {name}" for name in ("source", "offence_group", "offence_type")]
    earlier += [f"drop table {name}" for name in ("study_area", "pit_histogram", "calibration")]
    with (
        changed_release(published, tmp_path, *earlier) as connection,
        pytest.raises(PartError, match=r"it lacks calibration, .*, offence_group and 1 more"),
    ):
        areas_part(connection)
