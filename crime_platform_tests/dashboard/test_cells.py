"""Parts of cells against SQL on the toy city's release: 2 types, 30 months, 6 x 5 cells."""

import numpy as np
import pytest

from crime_platform.dashboard.data.binary_format import unpack
from crime_platform.dashboard.data.cells import (
    backtest_part,
    cells_part,
    corners_part,
    model_part,
    shares_part,
)
from crime_platform.dashboard.data.outline import outline
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.projection import WGS84, project
from toys.release import asked, changed_release, in_another_area

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
def published(published_once):
    """The toy city's home, which no test here changes."""
    return PlatformHome(published_once)


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


@pytest.mark.parametrize("model", ["policy", "last_month"])
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


def test_the_outline_of_the_part_is_that_of_its_active_cells(part):
    _, arrays = part

    is_active = arrays["is_ever_active"].reshape(6, 5).astype(bool)

    assert arrays["outline"].tolist() == outline(is_active, cell_size_m=500.0).tolist()


def test_types_stand_in_the_order_of_the_toml(published, tmp_path):
    swapped = "update offence_type set position = 1 - position"
    with changed_release(published, tmp_path, swapped) as connection:
        header, arrays = unpack(cells_part(connection, "toy"))
        first = every_cell(
            connection, "cell_month", '"count"', step="month", steps="month_count", absent=0
        )

    assert [kind["name"] for kind in header["types"]] == ["robbery", "assault"]
    assert arrays["history"][::-1].ravel().tolist() == first


def test_forecasts_of_earlier_months_and_other_areas_change_nothing(published, tmp_path):
    earlier = "as_of_month - interval 1 month as as_of_month"
    others = (
        f"insert into cell_forecast select * replace ({earlier}, target_month - interval 1 month "
        "as target_month, 9 as expected_count) from cell_forecast",
        "insert into backtest_forecast select * replace (2 as lead, 9 as expected_count) "
        "from backtest_forecast",
        f"insert into fusion_weight select * replace ({earlier}) from fusion_weight",
        f"insert into model_skill select * replace ({earlier}, 9 as deviance_skill_low) "
        "from model_skill",
        f"insert into release select * replace ({earlier}, false as is_latest) from release",
        *in_another_area("cell", "cell_month", "month_count", "cell_forecast", "fusion_weight"),
        *in_another_area("backtest_forecast", "model_skill", "release", "study_area"),
    )
    with changed_release(published, tmp_path) as connection:
        before = [cells_part(connection, "toy"), corners_part(connection, "toy")]
        before += [read(connection, "toy", "st_resnet") for read in (model_part, shares_part)]
        before.append(backtest_part(connection, "toy", "ewma"))
    with changed_release(published, tmp_path, *others) as connection:
        after = [cells_part(connection, "toy"), corners_part(connection, "toy")]
        after += [read(connection, "toy", "st_resnet") for read in (model_part, shares_part)]
        after.append(backtest_part(connection, "toy", "ewma"))

    assert after == before
