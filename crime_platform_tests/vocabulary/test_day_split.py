import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.vocabulary.day_split import (
    PRODUCTION_SHARES,
    DaySplit,
    chronological_split,
)

DAY = np.datetime64("2021-01-01")


def test_ten_days_by_hand():
    # 70/15/15 of 20 days: borders after day 14 and day 17
    split = chronological_split(DAY, DAY + 19, burn_in_days=4)

    np.testing.assert_array_equal(split.train_days, DAY + np.arange(4, 14))
    np.testing.assert_array_equal(split.validation_days, DAY + np.arange(14, 17))
    np.testing.assert_array_equal(split.test_days, DAY + np.arange(17, 20))


def test_test_is_the_last_15_percent_of_toronto():
    split = chronological_split(np.datetime64("2014-01-01"), np.datetime64("2021-12-31"))

    assert split.test_days.size == 438  # 0.15 * 2922 = 438.3
    assert split.test_days[-1] == np.datetime64("2021-12-31")
    assert split.train_days.size == 2045  # 0.70 * 2922 = 2045.4


def test_burn_in_does_not_move_the_test_part():
    short = chronological_split(DAY, DAY + 99)
    long = chronological_split(DAY, DAY + 99, burn_in_days=30)

    assert short.test_days.tolist() == long.test_days.tolist()
    assert long.train_days[0] == DAY + 30


def test_production_holds_nothing_back():
    split = chronological_split(DAY, DAY + 99, shares=PRODUCTION_SHARES)

    assert split.test_days.size == 0
    assert split.validation_days[-1] == DAY + 99


@given(
    st.integers(20, 400),
    st.integers(0, 5),
    st.sampled_from([(0.7, 0.15, 0.15), (0.85, 0.15, 0.0), (0.5, 0.25, 0.25)]),
)
def test_parts_are_every_day_after_burn_in_once(n_days, burn_in, shares):
    split = chronological_split(DAY, DAY + n_days - 1, shares=shares, burn_in_days=burn_in)

    parts = np.concatenate([split.train_days, split.validation_days, split.test_days])
    np.testing.assert_array_equal(parts, DAY + np.arange(burn_in, n_days))


def test_a_split_of_months_is_refused():
    month = np.datetime64("2021-01")

    with pytest.raises(ValueError, match=r"made of days, datetime64\[D\]; got units \{'M'\}"):
        DaySplit(train_start=month, train_end=month, validation_end=month + 1, test_end=month + 2)


def test_parts_out_of_order_are_refused():
    with pytest.raises(ValueError, match="only test may be empty; got train 2021-01-01"):
        DaySplit(train_start=DAY, train_end=DAY + 5, validation_end=DAY + 5, test_end=DAY + 9)


@pytest.mark.parametrize("shares", [(0.7, 0.15, 0.1), (0.85, 0.0, 0.15), (1.1, 0.1, -0.2)])
def test_shares_that_are_no_shares_are_refused(shares):
    with pytest.raises(ValueError, match="must sum to 1, and only test may be 0; got"):
        chronological_split(DAY, DAY + 99, shares=shares)


def test_days_that_run_backward_are_refused():
    with pytest.raises(ValueError, match="first 2021-01-01 after last 2020-12-30"):
        chronological_split(DAY, DAY - 2)


def test_negative_burn_in_is_refused():
    with pytest.raises(ValueError, match="burn-in is a number of days >= 0, got -1"):
        chronological_split(DAY, DAY + 99, burn_in_days=-1)


def test_a_part_without_a_day_is_refused():
    with pytest.raises(ValueError, match=r"leave 0 days to train.*shorten the lookback"):
        chronological_split(DAY, DAY + 99, burn_in_days=70)
