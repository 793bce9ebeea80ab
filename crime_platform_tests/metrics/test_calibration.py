import math
from dataclasses import astuple
from functools import reduce
from operator import add

import numpy as np
import pytest
import xarray as xr
from scores.probability import PitFcstAtObs

from crime_platform.metrics.calibration import (
    calibration_by_rate,
    calibration_cases,
    calibration_sums,
    interval_coverage_80,
    interval_coverage_95,
    mean_crps,
    pit_coverage_80,
    pit_coverage_95,
    pit_histogram,
    pit_share,
    pit_values,
    reliability,
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


def test_pit_share_by_hand():
    # even between 0.5 and 0.75: nothing below 0.4, a fifth below 0.55, everything below 0.75
    low, high = np.full(3, 0.5), np.full(3, 0.75)

    shares = [pit_share(low, high, level)[0] for level in (0.4, 0.55, 0.75, 0.9)]

    assert shares == pytest.approx([0, 0.2, 1, 1])


def test_a_count_beyond_all_probability_has_its_pit_at_the_top():
    # Poisson 1: P(Y < 300) and P(Y <= 300) are both 1
    cases = calibration_cases(np.array([300.0]), np.array([1.0]), np.zeros(1))

    assert pit_share(cases.pit_low, cases.pit_high, 0.975)[0] == 0
    assert pit_share(cases.pit_low, cases.pit_high, 1.0)[0] == 1


def test_pit_inside_by_hand():
    # mean 1, alpha 1, counts 0, 3, 9: PIT even on (0, 1/2), (7/8, 15/16), (511/512, 1023/1024)
    # inside 0.1..0.9: 4/5, 2/5 and 0; inside 0.025..0.975: 19/20, 1 and 0
    sums = calibration_sums(np.array([0.0, 3.0, 9.0]), np.ones(3), np.ones(3))

    assert pit_coverage_80(sums) == pytest.approx((4 / 5 + 2 / 5) / 3)
    assert pit_coverage_95(sums) == pytest.approx((19 / 20 + 1) / 3)


def test_pit_inside_of_a_true_spread_is_nominal_where_plain_coverage_is_not():
    sums = calibration_sums(*drawn(0.7))

    assert pit_coverage_80(sums) == pytest.approx(0.80, abs=0.004)
    assert pit_coverage_95(sums) == pytest.approx(0.95, abs=0.004)
    assert interval_coverage_80(sums) > 0.85


def test_pit_inside_is_the_mean_of_drawn_pit_values():
    case = drawn(0.7, n=2000)
    values = np.stack([pit_values(*case, seed=seed) for seed in range(200)])

    sums = calibration_sums(*case)

    drawn_share = ((values >= 0.1) & (values <= 0.9)).mean()
    assert pit_coverage_80(sums) == pytest.approx(drawn_share, abs=0.002)


def test_pit_histogram_equals_that_of_scores():
    cases = calibration_cases(*drawn(0.7, n=300))
    high, low = (xr.DataArray(end, dims=["case"]) for end in (cases.pit_high, cases.pit_low))
    theirs = PitFcstAtObs(high, fcst_at_obs_left=low).hist_values(20)

    ours = pit_histogram(cases.pit_low, cases.pit_high, np.zeros(300, dtype=int), 1)[0]

    np.testing.assert_allclose(ours / 300, theirs.to_numpy(), atol=1e-9)


def test_pit_histogram_by_label_by_hand():
    # label 0 even on 0..0.1, two bins; label 1 even on 0.95..1, the last bin; label 2 has none
    low, high = np.array([0.0, 0.95]), np.array([0.1, 1.0])

    histogram = pit_histogram(low, high, np.array([0, 1]), 3)

    np.testing.assert_allclose(histogram[0, :3], [0.5, 0.5, 0.0], atol=1e-12)
    assert histogram[1, 19] == pytest.approx(1)
    assert histogram[2].sum() == 0


def test_reliability_by_hand():
    # 20 expected counts 1..20: two to a bin; 5 incidents fell on the largest
    expected, observed = np.arange(1.0, 21.0), np.zeros(20)
    observed[19] = 5.0

    bins = reliability(observed, expected)

    assert [each.n for each in bins] == [2] * 10
    assert (bins[0].sum_expected, bins[0].sum_observed) == (1 + 2, 0)
    assert (bins[9].sum_expected, bins[9].sum_observed) == (19 + 20, 5)


def test_equal_expected_counts_share_a_reliability_bin():
    expected = np.concatenate([np.full(70, 0.01), np.arange(1.0, 31.0)])

    bins = reliability(np.zeros(100), expected)

    assert bins[0].n == 70
    assert sum(each.n for each in bins) == 100


def test_reliability_needs_a_case():
    with pytest.raises(ValueError, match="at least one expected count"):
        reliability(np.zeros(0), np.zeros(0))


@pytest.mark.parametrize(
    ("position", "name"), [(0, "observed count"), (1, "expected count"), (2, "alpha")]
)
def test_values_that_are_not_numbers_are_refused(position, name):
    case = [np.ones(2), np.ones(2), np.ones(2)]
    case[position][1] = np.nan

    with pytest.raises(ValueError, match=f"every {name} must be a finite number"):
        calibration_sums(*case)
