"""Tables of days: how they are read, and how their gaps and the days ahead are filled."""

import numpy as np
import pytest

from crime_platform.sources.day_table import read_day_table
from crime_platform.tensors.day_covariates import filled_days
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.timesteps import IncompleteDataError


def day(text):
    return np.datetime64(text, "D")


def table_of(folder, text):
    path = folder / "weather.csv"
    path.write_text(text, errors="surrogateescape")
    return path


def test_days_are_read_in_order_and_blank_ones_left_out(tmp_path):
    path = table_of(
        tmp_path, "day,note,temperature_c\n2020-01-03,x,4\n2020-01-01,y,-2.5\n2020-01-02,z,\n"
    )

    days, degrees = read_day_table(path, value="temperature_c")

    assert days.tolist() == [day("2020-01-01").item(), day("2020-01-03").item()]
    assert degrees.tolist() == [-2.5, 4.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("day,rain\n2020-01-01,1\n", r"expected columns day and temperature_c, found \['day', 'r"),
        (
            "day,temperature_c\n2020-01-01,1\n01/02/2020,1\n",
            "row 2 below the header holds '01/02/2020' in day; expected a day written YYYY-MM-DD",
        ),
        (
            'day,temperature_c\n2020-01-01,"3,5"\n',
            "row 1 below the header holds '3,5' in temperature_c; expected a number such as 3.5",
        ),
        ("", "is empty; expected a header"),
        ("day,temperature_c\n2020-01-01,\n", "holds no day with a number in temperature_c"),
        ("day,temperature_c\n2020-01-01,1\n2020-01-01,2\n", "2020-01-01 stands there twice"),
        ('day,temperature_c\n"2020', "cannot be read as CSV"),
        ("day,temperature_c\n2020-01-01,\udcff\n", "is not written in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, message):
    with pytest.raises(SourceFormatError, match=message):
        read_day_table(table_of(tmp_path, text), value="temperature_c")


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceFormatError, match=r"weather\.csv: no such file; put it there"):
        read_day_table(tmp_path / "weather.csv", value="temperature_c")


def test_unknown_days_take_the_mean_of_their_calendar_day():
    days = np.array(["2018-01-01", "2018-01-02", "2019-01-01", "2019-01-02"], "datetime64[D]")
    degrees = np.array([1.0, 2.0, 5.0, 6.0])

    filled = filled_days(days, degrees, first=day("2020-01-01"), last=day("2020-01-02"))

    assert filled.tolist() == [3.0, 4.0]  # (1 + 5) / 2 and (2 + 6) / 2


def test_known_days_stay_as_they_are():
    days = np.arange("2019-01-01", "2020-01-05", dtype="datetime64[D]")
    degrees = np.arange(len(days)).astype(float)

    filled = filled_days(days, degrees, first=day("2020-01-03"), last=day("2020-01-05"))

    # 1 January 2019 is day 0, so 3 January 2020 is day 367; 5 January is known of 2019 only: day 4.
    assert filled.tolist() == [367.0, 368.0, 4.0]


def test_a_leap_day_that_no_year_knows_takes_the_day_before():
    days = np.arange("2019-01-01", "2020-01-01", dtype="datetime64[D]")
    degrees = np.arange(len(days)).astype(float)

    filled = filled_days(days, degrees, first=day("2020-02-28"), last=day("2020-03-01"))

    assert filled.tolist() == [58.0, 58.0, 59.0]  # 31 + 28 days into 2019, counted from 0


def test_a_day_that_no_year_knows_is_an_error():
    days = np.array(["2019-01-01"], "datetime64[D]")

    with pytest.raises(
        IncompleteDataError, match=r"1 of the days .* the first 2020-01-02; the tab"
    ):
        filled_days(days, np.array([1.0]), first=day("2020-01-01"), last=day("2020-01-02"))
