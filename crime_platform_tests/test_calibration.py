import math
from dataclasses import astuple
from functools import reduce
from operator import add

import numpy as np
import pytest

from crime_platform.metrics.calibration import (
    calibration_by_rate,
    calibration_sums,
    interval_coverage_80,
    interval_coverage_95,
    mean_crps,
    pit_values,
    rate_group,
    stated_coverage_80,
    stated_coverage_95,
)


def drawn(alpha: float, n: int = 60_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts from negative binomials with known rates, 0.01 to about 10."""
    rng = np.random.default_rng(11)
    rate = rng.gamma(0.5, 2.0, n) + 0.01
    counts = rng.poisson(rate * rng.gamma(1 / alpha, alpha, n)).astype(float)
    return counts, rate, np.full(n, alpha)


def test_sums_by_hand():
    # mean 1, alpha 1: cumulative 1/2, 3/4, 7/8, 15/16, 31/32, 63/64
    # 80 %: first to reach 0.1 is 0, 0.9 is 3; 95 %: 0.025 is 0, 0.975 is 5
    sums = calibration_sums(np.array([0.0, 3.0, 4.0, 9.0]), np.ones(4), np.ones(4))

    assert interval_coverage_80(sums) == 2 / 4
    assert interval_coverage_95(sums) == 3 / 4
    assert stated_coverage_80(sums) == pytest.approx(15 / 16)
    assert stated_coverage_95(sums) == pytest.approx(63 / 64)
    assert sums.width_80 == 4 * 3
    assert sums.width_95 == 4 * 5


def test_mean_crps_by_hand():
    # 1/3 at 0 and 19/12 at 3: the sums are written out in test_count_distribution
    sums = calibration_sums(np.array([0.0, 3.0]), np.ones(2), np.ones(2))

    assert mean_crps(sums) == pytest.approx((1 / 3 + 19 / 12) / 2)


def test_the_lower_end_of_an_interval_excludes_what_lies_below():
    # Poisson 100: the central 80 % is 87..113
    sums = calibration_sums(np.array([86.0, 87.0, 113.0, 114.0]), np.full(4, 100.0), np.zeros(4))

    assert sums.inside_80 == 2
    assert 0.80 < stated_coverage_80(sums) < 0.83


def test_a_true_spread_holds_what_it_states():
    sums = calibration_sums(*drawn(0.7))

    # standard error 0.001
    assert interval_coverage_80(sums) == pytest.approx(stated_coverage_80(sums), abs=0.004)
    assert interval_coverage_95(sums) == pytest.approx(stated_coverage_95(sums), abs=0.004)


def test_too_narrow_a_spread_holds_less_than_it_states():
    observed, expected, alpha = drawn(0.7)

    sums = calibration_sums(observed, expected, np.zeros_like(alpha))

    assert interval_coverage_95(sums) < stated_coverage_95(sums) - 0.02


def test_the_true_spread_has_the_lowest_crps():
    observed, expected, alpha = drawn(0.7)

    true, narrow, wide = (
        mean_crps(calibration_sums(observed, expected, alpha * factor))
        for factor in (1.0, 0.1, 4.0)
    )

    assert true < min(narrow, wide)


def test_groups_start_at_their_edge():
    expected = np.array([[0.0, 0.049, 0.05], [0.2, 4.9, 5.0]])

    np.testing.assert_array_equal(rate_group(expected), [[0, 0, 1], [2, 3, 4]])


def test_rate_groups_add_up_to_the_pooled_sums():
    observed, expected, alpha = drawn(0.7, n=2000)
    mask = np.arange(2000) % 3 > 0

    groups = calibration_by_rate(observed, expected, alpha, mask=mask)

    whole = calibration_sums(observed, expected, alpha, mask=mask)
    np.testing.assert_allclose(astuple(reduce(add, groups)), astuple(whole))


def test_an_empty_group_is_nan_not_zero():
    groups = calibration_by_rate(np.zeros(1), np.array([0.3]), np.zeros(1))

    assert [sums.n for sums in groups] == [0, 0, 1, 0, 0]
    assert math.isnan(mean_crps(groups[0]))
    assert math.isnan(interval_coverage_80(groups[0]))


def test_pit_lies_between_the_probabilities_below_and_up_to_the_count():
    # mean 1, alpha 1, count 2: between 3/4 and 7/8
    pit = pit_values(np.full(500, 2.0), np.ones(500), np.ones(500))

    assert 0.75 <= pit.min() < 0.76
    assert 0.865 < pit.max() <= 0.875


def test_pit_of_a_true_spread_is_uniform():
    pit = np.sort(pit_values(*drawn(0.7)))

    # Kolmogorov-Smirnov distance; 1 in 1000 uniform samples of 60,000 exceeds 0.008
    assert np.abs(pit - np.linspace(0, 1, pit.size)).max() < 0.008


def test_pit_repeats_with_its_seed_only():
    case = np.ones(50), np.ones(50), np.zeros(50)

    np.testing.assert_array_equal(pit_values(*case, seed=1), pit_values(*case, seed=1))
    assert (pit_values(*case, seed=1) != pit_values(*case, seed=2)).any()


@pytest.mark.parametrize(
    ("position", "name"), [(0, "observed count"), (1, "expected count"), (2, "alpha")]
)
def test_values_that_are_not_numbers_are_refused(position, name):
    case = [np.ones(2), np.ones(2), np.ones(2)]
    case[position][1] = np.nan

    with pytest.raises(ValueError, match=f"every {name} must be a finite number"):
        calibration_sums(*case)
