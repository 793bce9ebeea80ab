import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.study_area.parts import HolidayCalendar
from crime_platform.tensors.covariates import holidays_of, month_calendar
from crime_platform.vocabulary.forecast import no_days

ONTARIO = HolidayCalendar(country="CA", subdivision="ON")


def month(text):
    return np.datetime64(text, "M")


def test_days_weekends_and_holidays_of_a_month_by_hand():
    # April 2021: 30 days from a Thursday; Saturdays 3, 10, 17, 24 and Sundays 4, 11, 18, 25.
    # Good Friday was the 2nd; a holiday on Sunday the 4th is a weekend day already.
    days_off = np.array(["2021-04-02", "2021-04-04"], dtype="datetime64[D]")

    calendar = month_calendar(np.array([month("2021-04")]), days_off)

    assert calendar.tolist() == [[30, 8, 1]]


def test_easter_moves_between_march_and_april():
    months = np.array([month("2018-03"), month("2018-04"), month("2019-03"), month("2019-04")])

    days_off = holidays_of(ONTARIO, month("2018-01"), month("2019-12"))

    assert month_calendar(months, days_off)[:, 2].tolist() == [1, 0, 0, 1]


def test_holidays_stay_within_the_months_asked_for():
    days_off = holidays_of(ONTARIO, month("2021-07"), month("2021-12"))

    assert str(days_off[0]) == "2021-07-01"  # Canada Day
    assert (np.diff(days_off).astype(int) > 0).all()
    assert days_off[-1] < month("2022-01")


def test_without_a_calendar_no_holiday_is_known():
    assert holidays_of(None, month("2021-01"), month("2021-12")).size == 0


@given(st.integers(0, 1200))
def test_the_days_of_a_month_add_up(months_since_1970):
    start = np.datetime64(months_since_1970, "M")

    days, weekend_days, days_off = month_calendar(np.array([start]), no_days())[0]

    assert 28 <= days <= 31
    assert 8 <= weekend_days <= 10
    assert days_off == 0
