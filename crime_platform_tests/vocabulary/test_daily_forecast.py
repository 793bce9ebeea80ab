import numpy as np
import pytest

from crime_platform.vocabulary.daily_forecast import origin_positions
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import IncompleteDataError

DAYS = np.arange("2021-01-01", "2021-01-11", dtype="datetime64[D]")
HISTORY = CountHistory(steps=DAYS, counts=np.zeros((10, 1, 3)))


def test_positions_by_hand():
    assert list(origin_positions(HISTORY, DAYS[3:6], 7)) == [3, 4, 5]


def test_a_monthly_history_is_refused():
    months = np.arange("2021-01", "2021-04", dtype="datetime64[M]")
    monthly = CountHistory(steps=months, counts=np.zeros((3, 1, 3)))

    with pytest.raises(ValueError, match=r"street models read days; the steps are datetime64\[M\]"):
        origin_positions(monthly, months, 1)


def test_a_horizon_below_one_day_is_refused():
    with pytest.raises(ValueError, match="at least 1 day; got 0"):
        origin_positions(HISTORY, DAYS, 0)


@pytest.mark.parametrize("origins", [DAYS[:0], DAYS[::2], DAYS[::-1]])
def test_origins_that_do_not_follow_each_other_are_refused(origins):
    with pytest.raises(ValueError, match="consecutive days, oldest first and at least one"):
        origin_positions(HISTORY, origins, 1)


@pytest.mark.parametrize("shift", [-1, 1])
def test_origins_beyond_the_history_are_refused(shift):
    with pytest.raises(IncompleteDataError, match="reach beyond the history 2021-01-01"):
        origin_positions(HISTORY, DAYS + shift, 1)
