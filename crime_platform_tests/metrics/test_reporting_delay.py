import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.metrics.reporting_delay import completeness


def looks(*rows):
    """Completeness from rows of month, age in days and count."""
    month, age_days, count = (np.array(column) for column in zip(*rows, strict=True))
    return completeness(month, age_days, count.astype(float))


def alike(shares, n_months=3):
    """Months of 1,000 incidents in the end, each seen at the same ages with the same shares."""
    return [(m, age, 1000 * share) for m in range(n_months) for age, share in shares.items()]


def test_completeness_is_what_was_known_of_the_last_count():
    found = looks(*alike({1: 0.9, 10: 0.95, 40: 1.0}))

    assert found.at(1) == pytest.approx(0.9)
    assert found.at(10) == pytest.approx(0.95)


def test_between_two_ages_growth_follows_the_logarithm_of_days():
    found = looks(*alike({2: 0.9, 8: 0.96, 60: 1.0}))

    assert found.at(4) == pytest.approx(0.93)  # 4 is as far from 2 as 8 is from 4


def test_months_seen_at_different_ages_are_joined():
    # Each month is seen young once and again after two months, never twice at the same age.
    found = looks(
        (0, 1, 906), (0, 70, 1000), (1, 5, 940), (1, 70, 1000), (2, 20, 980), (2, 70, 1000)
    )

    shares = [found.at(age) for age in (1, 5, 20)]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(0.906, abs=0.01)
    assert shares[2] == pytest.approx(0.98, abs=0.01)


def test_a_month_seen_once_says_nothing_of_growth():
    grown = alike({3: 0.8, 40: 1.0})

    assert looks(*grown, (9, 3, 5000)).at(3) == pytest.approx(0.8)


def test_growth_through_several_ages_is_multiplied():
    # No month is followed all the way: 0.8 of what is known after 40 days, and that is 0.9 of all.
    young = [(m, 3, 720) for m in range(3)] + [(m, 40, 900) for m in range(3)]
    old = [(m, 40, 900) for m in range(3, 6)] + [(m, 200, 1000) for m in range(3, 6)]

    assert looks(*young, *old).at(3) == pytest.approx(0.72)


def test_two_months_measure_nothing():
    assert np.isnan(looks(*alike({1: 0.9, 40: 1.0}, n_months=2)).at(1))


def test_an_age_far_from_every_look_is_not_measured():
    found = looks(*alike({100: 0.99, 200: 1.0}))

    assert np.isnan(found.at(5))
    assert np.isnan(found.at(300))


def test_looks_that_never_join_up_leave_completeness_unknown():
    young = alike({1: 0.9, 20: 1.0})
    old = [(m, age, n) for m in range(5, 8) for age, n in ((100, 900), (300, 1000))]

    found = looks(*young, *old)

    assert np.isnan(found.at(1))
    assert found.at(100) == pytest.approx(0.9)


def test_a_count_that_falls_later_was_never_known():
    found = looks(*[(m, age, n) for m in range(3) for age, n in ((1, 100), (10, 120), (40, 110))])

    assert found.at(1) == pytest.approx(100 / 110)
    assert found.at(10) == pytest.approx(1.0)


def test_looks_before_the_end_of_a_month_count_for_nothing():
    found = looks(*alike({1: 0.9, 40: 1.0}), *[(m, -5, 1) for m in range(3)])

    assert found.at(1) == pytest.approx(0.9)
    assert np.isnan(found.at(0))


def test_without_a_look_nothing_is_measured():
    nothing = np.zeros(0, dtype=np.int64)

    assert np.isnan(completeness(nothing, nothing, np.zeros(0)).at(5))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 400), st.integers(0, 50)), max_size=40))
def test_completeness_is_a_share_that_never_falls(rows):
    month, age_days, count = np.array([*rows, (0, 1, 1)]).T

    found = completeness(month, age_days, count.astype(float))

    shares = found.share[np.isfinite(found.share)]
    assert ((shares >= 0) & (shares <= 1 + 1e-9)).all()
    assert (np.diff(shares) >= -1e-9).all()
