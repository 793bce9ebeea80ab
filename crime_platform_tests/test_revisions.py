import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.metrics.revisions import by_age, changes_between, development

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


def test_each_factor_is_a_ratio_of_sums_over_months_known_at_both_ages():
    found = development(TRIANGLE)

    # 282/240, 291/282, 296/291
    np.testing.assert_allclose(found.factor, [282 / 240, 291 / 282, 296 / 291])
    assert found.n_pairs.tolist() == [3, 3, 3]


def test_completeness_multiplies_the_steps_still_to_come():
    found = development(TRIANGLE)

    assert found.completeness(0) == pytest.approx(240 / 296)
    assert found.completeness(2) == pytest.approx(291 / 296)


def test_completeness_beyond_the_last_measured_age_is_not_known():
    found = development(TRIANGLE)

    assert np.isnan(found.completeness(3))
    assert np.isnan(found.completeness(-1))


def test_two_months_measure_nothing():
    found = development(TRIANGLE[:2])

    assert np.isnan(found.factor).all()
    assert np.isnan(found.completeness(0))


def test_months_that_hold_nothing_measure_nothing():
    assert np.isnan(development(np.zeros((5, 3))).factor).all()


def test_a_gap_before_the_last_measured_age_leaves_completeness_unknown():
    gappy = np.vstack([TRIANGLE[:3], TRIANGLE[:3]])
    gappy[:, 1] = NAN

    found = development(gappy)

    assert np.isnan(found.completeness(0))
    assert found.completeness(2) == pytest.approx(291 / 296)


def test_a_triangle_by_age_is_shifted_month_by_month():
    months = np.array(["2022-01", "2022-02"], dtype="datetime64[M]")
    vintages = np.array(["2022-02", "2022-04"], dtype="datetime64[M]")
    counts = np.array([[80.0, 95.0], [NAN, 90.0]])

    triangle = by_age(counts, months=months, vintages=vintages)

    # Nobody looked in March: January's growth from 80 to 95 is spread over both months.
    np.testing.assert_array_equal(triangle, [[NAN, 80, 87.5, 95], [NAN, NAN, 90, NAN]])


def test_a_quarterly_publisher_is_measured_within_two_points():
    months = np.datetime64("2022-01", "M") + np.arange(24)
    vintages = months[::3] + 1
    known = np.array([0.88, 0.95, 0.975, 0.987, 0.995, 1.0])  # 1, 2... months later
    age = (vintages[None, :] - months[:, None]).astype(int)
    counts = np.where((age >= 1) & (age <= 6), known[np.clip(age - 1, 0, 5)], NAN)

    found = development(by_age(counts, months=months, vintages=vintages))

    assert found.completeness(1) == pytest.approx(0.88, abs=0.025)


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


@given(st.lists(st.floats(1.0, 1.4), min_size=1, max_size=5), st.integers(3, 8))
def test_counts_that_grow_alike_give_back_their_factors(factors, n_months):
    levels = np.cumprod([1.0, *factors])
    triangle = np.arange(1.0, n_months + 1)[:, None] * levels

    found = development(triangle)

    np.testing.assert_allclose(found.factor, factors)
    assert found.completeness(0) == pytest.approx(1 / levels[-1])
