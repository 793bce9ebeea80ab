"""Rows that do not fill their array are refused, never guessed."""

import numpy as np
import pytest

from crime_platform.dashboard.data.binary_format import unpack
from crime_platform.dashboard.data.cells import backtest_part, cells_part, model_part, shares_part
from crime_platform.dashboard.data.part_error import PartError
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome
from toys.release import changed_release


@pytest.fixture
def published(published_once):
    """The toy city's home, which no test here changes."""
    return PlatformHome(published_once)


@pytest.fixture
def release(published):
    with open_release(published) as connection:
        yield connection


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (model_part, "no forecast of a model 'crystal_ball' for toy; it has those of .*ewma"),
        (backtest_part, "no back-test of a model 'crystal_ball' for toy; it has those of .*policy"),
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


def test_large_counts_take_more_bytes(published, tmp_path):
    large = "update cell_month set count = 300 where month = '2019-01-01'"
    with changed_release(published, tmp_path, large) as connection:
        header, arrays = unpack(cells_part(connection, "toy"))

    assert arrays["history"].dtype == np.uint16
    assert max(header["count_max"]) == 300
