import numpy as np
import pytest

from crime_platform.metrics.revisions import by_age, changes_between

NAN = np.nan
# Counts of four months, known 0 to 3 months later; the newest month has been seen once.
TRIANGLE = np.array(
    [
        [80.0, 95.0, 99.0, 100.0],
        [90.0, 105.0, 108.0, 110.0],
        [70.0, 82.0, 84.0, 86.0],
        [100.0, NAN, NAN, NAN],
    ]
)


def test_a_triangle_by_age_is_shifted_month_by_month():
    months = np.array(["2022-01", "2022-02"], dtype="datetime64[M]")
    vintages = np.array(["2022-02", "2022-04"], dtype="datetime64[M]")
    counts = np.array([[80.0, 95.0], [NAN, 90.0]])

    triangle = by_age(counts, months=months, vintages=vintages)

    # Nobody looked in March: January's growth from 80 to 95 is spread over both months.
    np.testing.assert_array_equal(triangle, [[NAN, 80, 87.5, 95], [NAN, NAN, 90, NAN]])


def test_a_vintage_before_its_month_counts_for_nothing():
    month = np.array(["2022-05"], dtype="datetime64[M]")
    vintages = np.array(["2022-04", "2022-05"], dtype="datetime64[M]")

    triangle = by_age(np.array([[3.0, 5.0]]), months=month, vintages=vintages)

    np.testing.assert_array_equal(triangle, [[5.0]])


def test_a_usual_change_is_that_of_the_other_months_at_those_ages():
    triangle = np.array([[100.0, 101.0], [100.0, 99.0], [100.0, 101.0], [100.0, 150.0]])

    usual = changes_between(triangle, np.zeros(4, dtype=int), np.ones(4, dtype=int))

    assert usual[3] == pytest.approx(0.01)


def test_two_other_months_tell_nothing_of_what_is_usual():
    triangle = np.array([[100.0, 101.0], [100.0, 99.0], [100.0, 150.0]])

    assert np.isnan(changes_between(triangle, np.zeros(3, dtype=int), np.ones(3, dtype=int))).all()


def test_a_month_seen_once_has_no_usual_change():
    usual = changes_between(TRIANGLE, np.array([2, 2, 2, -1]), np.array([3, 3, 3, 0]))

    assert np.isnan(usual[3])
