import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.vocabulary.timesteps import (
    missing_months,
    month_of_year,
    month_range,
    parse_month,
    target_step,
)

SEPTEMBER = np.datetime64("2021-09", "M")
any_month = st.integers(0, 1200).map(lambda n: np.datetime64("1950-01", "M") + n)


@pytest.mark.parametrize("text", ["2021-09", "2021-09-01", "2021-09-30"])
def test_a_month_is_read_with_or_without_a_day(text):
    assert parse_month(text) == SEPTEMBER


@pytest.mark.parametrize("text", ["2021", "September", "2021-13", "", "09-2021"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(ValueError, match="expected a month written YYYY-MM"):
        parse_month(text)


def test_months_add_across_the_year():
    assert target_step(np.datetime64("2021-12", "M"), 2) == np.datetime64("2022-02", "M")


def test_a_lead_of_zero_names_the_origin():
    with pytest.raises(ValueError, match=r"steps after the origin 2021-09: need >= 1, got 0"):
        target_step(SEPTEMBER, 0)


@given(any_month, st.integers(0, 60))
def test_a_range_holds_both_ends_and_no_gap(first, length):
    months = month_range(first, first + length)
    assert months[0] == first
    assert months[-1] == first + length
    assert missing_months(months).size == 0


def test_a_range_that_runs_backwards_is_refused():
    with pytest.raises(ValueError, match="first 2021-09 after last 2021-08"):
        month_range(SEPTEMBER, SEPTEMBER - 1)


def test_missing_months_lie_between_the_ends():
    months = np.array(["2020-11", "2021-02"], dtype="datetime64[M]")
    assert missing_months(months).astype(str).tolist() == ["2020-12", "2021-01"]


def test_january_is_zero():
    months = np.array(["2021-01", "2021-12", "1969-12"], dtype="datetime64[M]")
    assert month_of_year(months).tolist() == [0, 11, 11]
