"""Parts of cells against SQL on the toy city's release: 2 types, 30 months, 6 x 5 cells."""

import json

import numpy as np
import pytest

from crime_platform.dashboard.areas import area_with_cells, areas_part
from crime_platform.dashboard.cells import (
    backtest_part,
    cells_part,
    corners_part,
    model_part,
    shares_part,
)
from crime_platform.dashboard.container import unpack
from crime_platform.dashboard.outline import outline
from crime_platform.dashboard.queries import PartError
from crime_platform.release import open_release
from crime_platform.vocabulary.projection import WGS84, project
from toy_release import asked, changed_release

TYPES = ["assault", "robbery"]
EVERY_CELL = """
    select k.offence_type, s.step, c."row", c.col, coalesce(t.value, $absent)
    from (values ('assault'), ('robbery')) k(offence_type)
    cross join (select distinct {step} as step from {steps}) s
    cross join cell c
    left join (select offence_type, {column} as step, cell_id, {value} as value from {table}) t
        on t.offence_type = k.offence_type and t.step = s.step and t.cell_id = c.cell_id
    order by k.offence_type, s.step, c."row", c.col
"""


@pytest.fixture
def release(published):
    with open_release(published) as connection:
        yield connection


@pytest.fixture
def part(release):
    """Header and arrays of part `cells`."""
    return unpack(cells_part(release, "toy"))


def every_cell(connection, table, value, *, step="target_month", steps=None, absent=None):
    """Values of a table by type, step, row and col, one after the other; `absent` where no row."""
    query = EVERY_CELL.format(
        table=table, value=value, column=step, step=step, steps=steps or table
    )
    return [row[-1] for row in connection.execute(query, {"absent": absent}).fetchall()]


def newest(model):
    return f"(select * from cell_forecast where model = '{model}')"


def test_the_areas_are_listed(release, published):
    key = published.forecasts.resolve().stem.removeprefix("forecasts-")

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
                "is_simulated": False,
            }
        ],
    }


def test_history_is_the_record_with_its_zeros(release, part):
    _, arrays = part

    recorded = every_cell(
        release, "cell_month", '"count"', step="month", steps="month_count", absent=0
    )

    assert arrays["history"].shape == (2, 30, 30)
    assert arrays["history"].dtype == np.uint8
    assert arrays["history"].ravel().tolist() == recorded


def test_cells_are_in_order_of_row_then_col(release, part):
    _, arrays = part

    listed = list(zip(*(arrays[name].tolist() for name in ("row", "col")), strict=True))
    active = asked(release, 'select is_ever_active::int from cell order by "row", col')

    assert listed == [(row, col) for row in range(6) for col in range(5)]
    assert arrays["is_ever_active"].tolist() == [each for (each,) in active]


@pytest.mark.parametrize("name", ["p025", "p10", "p50", "p90", "p975", "probability_any"])
def test_the_champions_forecast_is_the_published_one(release, part, name):
    header, arrays = part

    champion = newest(header["release"]["champion"])

    assert arrays[name].ravel().tolist() == every_cell(release, champion, name)


def test_expected_counts_are_exact(release, part):
    header, arrays = part

    champion = newest(header["release"]["champion"])
    baseline = newest("historical_average")

    assert arrays["expected"].dtype == arrays["baseline_expected"].dtype == np.float32
    assert arrays["expected"].shape == (2, 3, 30)
    assert arrays["expected"].ravel().tolist() == every_cell(release, champion, "expected_count")
    assert arrays["baseline_expected"].ravel().tolist() == every_cell(
        release, baseline, "expected_count"
    )


def test_the_header_names_the_release_and_its_skill(release, part, published):
    header, _ = part

    row = asked(
        release,
        "select champion, champion_reason, r.deviance_skill, last_month_note, k.best_baseline, "
        "k.deviance_skill_low, k.deviance_skill_high from release r join model_skill k "
        "using (study_area, as_of_month) where k.model = 'champion' and k.lead = 1 and "
        "k.cell_set = 'ever_active'",
    )[0]

    told = header["release"]
    names = ("champion", "champion_reason", "deviance_skill", "last_month_note", "best_baseline")
    ends = ("deviance_skill_low", "deviance_skill_high")
    assert tuple(told[name] for name in (*names, *ends)) == row
    assert told["as_of_month"] == "2021-06"
    assert told["baseline"] == "historical_average"
    assert told["key"] == published.forecasts.resolve().stem.removeprefix("forecasts-")
    seconds = asked(release, "select floor(epoch(published_at)) from release")[0][0]
    assert np.datetime64(told["published_at"].removesuffix("Z")) == np.datetime64(int(seconds), "s")


def test_the_header_says_what_the_axes_stand_for(release, part):
    header, _ = part

    months = [str(np.datetime64("2019-01") + n) for n in range(30)]
    assert header["months"] == months
    assert header["is_complete"] == [True] * 30
    assert header["forecast_months"] == ["2021-07", "2021-08", "2021-09"]
    assert header["backtest_months"] == months[-6:]
    assert header["types"] == [
        {"name": "assault", "title": "Assault"},
        {"name": "robbery", "title": "Robbery"},
    ]
    largest = asked(
        release, "select max(count) from cell_month group by offence_type order by offence_type"
    )
    assert header["count_max"] == [each for (each,) in largest]
    assert header["interval"] == {"80": ["p10", "p90"], "95": ["p025", "p975"]}


def test_models_are_listed_by_rank(release, part):
    header, _ = part

    ranked = asked(
        release,
        "select model, is_champion, rank from leaderboard where model != 'champion' order by rank",
    )

    models = header["models"]
    assert [(m["name"], m["is_champion"], m["rank"]) for m in models] == ranked
    assert [m["name"] for m in models if m["is_baseline"]] == ["historical_average"]
    assert header["backtest_models"] == [
        model for (model,) in asked(release, "select model from leaderboard order by rank")
    ]
    assert header["share_models"] == [
        model for (model,) in asked(release, "select distinct model from fusion_weight order by 1")
    ]


def test_the_header_says_where_the_grid_lies(part):
    header, _ = part

    area = dict(header["area"])
    lon, lat = area.pop("center")
    assert area == {
        "name": "toy",
        "title": "Toy city",
        "crs": "EPSG:26917",
        "cell_size_m": 500,
        "west_m": 630000,
        "south_m": 4830000,
        "n_rows": 6,
        "n_cols": 5,
        "is_simulated": False,
    }
    x_m, y_m = project(np.array([lon]), np.array([lat]), source=WGS84, target="EPSG:26917")
    assert (x_m[0], y_m[0]) == pytest.approx((631250, 4831500), abs=0.001)


def test_every_header_is_strict_json(release):
    packed = cells_part(release, "toy")

    length = int.from_bytes(packed[4:8], "little")

    json.loads(packed[8 : 8 + length], parse_constant=pytest.fail)


@pytest.mark.parametrize("model", ["historical_average", "st_resnet", "ewma"])
def test_another_models_forecast_is_the_published_one(release, model):
    header, arrays = unpack(model_part(release, "toy", model))

    assert header["model"] == model
    assert header["forecast_months"] == ["2021-07", "2021-08", "2021-09"]
    assert [kind["name"] for kind in header["types"]] == TYPES
    quantiles = ["p025", "p10", "p50", "p90", "p975"]
    assert list(arrays) == ["expected", *quantiles, "probability_any"]
    assert arrays["expected"].ravel().tolist() == every_cell(
        release, newest(model), "expected_count"
    )
    assert arrays["p90"].ravel().tolist() == every_cell(release, newest(model), "p90")


@pytest.mark.parametrize("model", ["champion", "last_month"])
def test_the_back_test_is_lead_1_of_the_published_one(release, model):
    header, arrays = unpack(backtest_part(release, "toy", model))

    table = f"(select * from backtest_forecast where lead = 1 and model = '{model}')"
    assert header["months"] == [str(np.datetime64("2021-01") + n) for n in range(6)]
    assert header["model"] == model
    assert arrays["expected"].ravel().tolist() == every_cell(release, table, "expected_count")


def test_a_month_that_a_model_did_not_forecast_is_nan(published, tmp_path):
    dropped = "delete from backtest_forecast where model = 'ewma' and target_month = '2021-02-01'"
    with changed_release(published, tmp_path, dropped) as connection:
        header, arrays = unpack(backtest_part(connection, "toy", "ewma"))

    assert header["months"][1] == "2021-02"
    assert np.isnan(arrays["expected"][:, 1]).all()
    assert np.isfinite(arrays["expected"][:, [0, 2, 3, 4, 5]]).all()


def test_fusion_shares_are_the_published_ones(release):
    header, arrays = unpack(shares_part(release, "toy", "st_resnet"))

    rows = asked(
        release,
        "select weight_share from fusion_weight join cell using (cell_id) where model = $1 "
        'order by branch, offence_type, "row", col',
        "st_resnet",
    )
    assert header["branches"] == ["closeness", "period", "trend"]
    assert arrays["share"].shape == (3, 2, 30)
    assert arrays["share"].ravel().tolist() == [share for (share,) in rows]
    np.testing.assert_allclose(arrays["share"].sum(axis=0), 1, atol=1e-6)


def test_corners_lie_where_the_grid_says(release):
    _, arrays = unpack(corners_part(release, "toy"))

    x_m, y_m = project(
        arrays["lon"].ravel(), arrays["lat"].ravel(), source=WGS84, target="EPSG:26917"
    )

    row, col = np.indices((7, 6))
    np.testing.assert_allclose(x_m, 630000 + 500 * col.ravel(), atol=1e-3)
    np.testing.assert_allclose(y_m, 4830000 + 500 * row.ravel(), atol=1e-3)


def test_the_outline_by_hand():
    # Row 1 is north of row 0. Two cells below, one above the left one:
    #   #.
    #   ##
    is_active = np.array([[True, True], [True, False]])

    lines = outline(is_active, cell_size_m=500.0).tolist()

    assert lines == [
        [[0, 0], [1000, 0]],  # south side
        [[500, 500], [1000, 500]],  # on top of the right cell
        [[0, 1000], [500, 1000]],  # on top of the left ones
        [[0, 0], [0, 1000]],  # west side
        [[500, 500], [500, 1000]],  # beside the upper cell
        [[1000, 0], [1000, 500]],  # east side
    ]


def test_a_hole_has_no_outline():
    is_active = np.ones((3, 3), dtype=bool)
    is_active[1, 1] = False

    lines = outline(is_active, cell_size_m=1.0)

    assert lines.tolist() == [
        [[0, 0], [3, 0]],
        [[0, 3], [3, 3]],
        [[0, 0], [0, 3]],
        [[3, 0], [3, 3]],
    ]


def test_without_an_active_cell_there_is_no_outline():
    assert outline(np.zeros((2, 3), dtype=bool), cell_size_m=1.0).shape == (0, 2, 2)


def test_the_outline_of_the_part_is_that_of_its_active_cells(part):
    _, arrays = part

    is_active = arrays["is_ever_active"].reshape(6, 5).astype(bool)

    assert arrays["outline"].tolist() == outline(is_active, cell_size_m=500.0).tolist()


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


def test_types_stand_in_the_order_of_the_toml(published, tmp_path):
    swapped = "update offence_type set position = 1 - position"
    with changed_release(published, tmp_path, swapped) as connection:
        header, arrays = unpack(cells_part(connection, "toy"))
        first = every_cell(
            connection, "cell_month", '"count"', step="month", steps="month_count", absent=0
        )

    assert [kind["name"] for kind in header["types"]] == ["robbery", "assault"]
    assert arrays["history"][::-1].ravel().tolist() == first


def test_large_counts_take_more_bytes(published, tmp_path):
    large = "update cell_month set count = 300 where month = '2019-01-01'"
    with changed_release(published, tmp_path, large) as connection:
        header, arrays = unpack(cells_part(connection, "toy"))

    assert arrays["history"].dtype == np.uint16
    assert max(header["count_max"]) == 300


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


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (model_part, "no forecast of a model 'crystal_ball' for toy; it has those of .*ewma"),
        (backtest_part, "no back-test of a model 'crystal_ball' for toy; it has those of champion"),
        (shares_part, "no fusion shares of a model 'crystal_ball' for toy; .* of st_resnet"),
    ],
)
def test_an_unknown_model_is_refused(release, read, message):
    with pytest.raises(PartError, match=message):
        read(release, "toy", "crystal_ball")


def test_a_forecast_with_a_hole_is_refused(published, tmp_path):
    hole = "delete from cell_forecast where model = 'ewma' and cell_id = 'r000c000'"
    with (
        changed_release(published, tmp_path, hole) as connection,
        pytest.raises(PartError, match="forecast of ewma for toy has 174 of the 180 rows"),
    ):
        model_part(connection, "toy", "ewma")


def test_a_row_of_an_unknown_cell_is_refused(published, tmp_path):
    stray = "update cell_month set cell_id = 'r999c999' where month = '2019-01-01'"
    with (
        changed_release(published, tmp_path, stray) as connection,
        pytest.raises(PartError, match="rows of cell_month for toy name another offence_type, mon"),
    ):
        cells_part(connection, "toy")


def test_a_null_where_a_number_belongs_is_refused(published, tmp_path):
    null = "update cell_forecast set p90 = null where model = 'ewma' and cell_id = 'r000c000'"
    with (
        changed_release(published, tmp_path, null) as connection,
        pytest.raises(PartError, match=r"p90 of forecasts-changed.duckdb should have a value"),
    ):
        model_part(connection, "toy", "ewma")
