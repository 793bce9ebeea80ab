import math
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crime_platform.metrics.errors import (
    EXACT_MEAN,
    bias_share,
    daily_deviance,
    error_sums,
    expected_deviance,
    mae,
    mean_poisson_deviance,
    naive_scale,
    noise_floor_deviance,
    noise_floor_rmse,
    reducible_gap_closed,
    rmse,
    rmsse,
    skill_score,
)

cases = st.lists(st.tuples(st.integers(0, 60), st.floats(1e-4, 60.0)), min_size=1, max_size=30)


def split(pairs) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.array(column, dtype=float) for column in zip(*pairs, strict=True))


def test_ratios_by_hand():
    # errors: -1, +1, +2, 0
    sums = error_sums(np.array([0.0, 2.0, 4.0, 1.0]), np.array([1.0, 1.0, 2.0, 1.0]))

    assert rmse(sums) == pytest.approx(math.sqrt(6 / 4))  # 1 + 1 + 4
    assert mae(sums) == 1.0  # 1 + 1 + 2 over 4
    assert bias_share(sums) == pytest.approx(5 / 7 - 1)  # 5 expected, 7 observed
    # (0 + 1) + (2 ln 2 - 1) + (4 ln 2 - 2) + 0, twice, over 4
    assert mean_poisson_deviance(sums) == pytest.approx(2 * (6 * math.log(2) - 2) / 4)


def test_rmsse_by_hand():
    past = np.array([[0.0, 1.0, 5.0], [2.0, 1.0, 6.0], [0.0, 1.0, 8.0]])
    scale = naive_scale(past)
    np.testing.assert_allclose(scale, [4.0, 0.0, 2.5])  # (4 + 4)/2, never moved, (1 + 4)/2

    sums = error_sums(np.array([3.0, 9.0, 5.0]), np.array([1.0, 1.0, 10.0]), scale=scale)

    assert sums.n_scaled == 2
    assert rmsse(sums) == pytest.approx(math.sqrt((4 / 4 + 25 / 2.5) / 2))


def test_an_incident_called_impossible_is_infinitely_bad():
    sums = error_sums(np.array([0.0, 1.0]), np.array([0.0, 0.0]))

    assert mean_poisson_deviance(sums) == math.inf
    assert mae(sums) == 0.5


@given(cases)
def test_errors_agree_with_the_standard_libraries(pairs):
    from scores.continuous import mae as scores_mae
    from scores.continuous import rmse as scores_rmse
    from sklearn.metrics import mean_poisson_deviance as sklearn_deviance
    from xarray import DataArray

    observed, expected = split(pairs)

    sums = error_sums(observed, expected)

    forecast, truth = DataArray(expected), DataArray(observed)
    assert mean_poisson_deviance(sums) == pytest.approx(
        sklearn_deviance(observed, expected), rel=1e-9, abs=1e-12
    )
    assert rmse(sums) == pytest.approx(float(scores_rmse(forecast, truth)))
    assert mae(sums) == pytest.approx(float(scores_mae(forecast, truth)))


@given(cases, st.integers(0, 30))
def test_sums_of_parts_are_the_sums_of_the_whole(pairs, cut):
    observed, expected = split(pairs)
    scale = np.arange(observed.size) % 3.0
    first = np.arange(observed.size) < cut
    whole = error_sums(observed, expected, scale=scale)

    parts = [error_sums(observed, expected, scale=scale, mask=part) for part in (first, ~first)]

    pooled = reduce(add, parts)
    assert pooled.n == whole.n
    assert pooled.n_scaled == whole.n_scaled
    assert pooled.sum_deviance == pytest.approx(whole.sum_deviance)
    assert pooled.sum_scaled_squared_error == pytest.approx(whole.sum_scaled_squared_error)
    assert pooled.sum_noise_deviance == pytest.approx(whole.sum_noise_deviance)


def test_a_mask_leaves_out_cases_without_data():
    observed, expected = np.array([[1.0, np.nan], [2.0, 0.0]]), np.ones((2, 2))

    sums = error_sums(observed, expected, mask=np.isfinite(observed))

    assert sums.n == 3
    assert sums.sum_observed == 3.0


def test_no_case_scores_nan_not_zero():
    sums = error_sums(np.ones(2), np.ones(2), mask=np.zeros(2, dtype=bool))

    ratios = [mean_poisson_deviance, rmse, mae, bias_share, rmsse, noise_floor_deviance]
    assert all(math.isnan(ratio(sums)) for ratio in ratios)


@pytest.mark.parametrize("mu", [0.003, 0.2, 1.0, 7.0, EXACT_MEAN, EXACT_MEAN + 0.1, 200.0])
def test_noise_deviance_equals_its_definition_summed(mu):
    k = np.arange(1, 1500)
    definition = 2 * (stats.poisson.pmf(k, mu) * k * np.log(k / mu)).sum()  # k - mu averages 0

    noise = expected_deviance(np.array([mu, 0.0, mu]))

    np.testing.assert_allclose(noise, [definition, 0.0, definition], atol=2e-5)


def test_the_true_rate_scores_the_noise_floor():
    rng = np.random.default_rng(5)
    rate = rng.gamma(0.5, 1.0, 200_000) + 0.01

    sums = error_sums(rng.poisson(rate).astype(float), rate)

    # standard errors: 0.0025 for the deviance, 0.003 for the RMSE
    assert mean_poisson_deviance(sums) == pytest.approx(noise_floor_deviance(sums), abs=0.008)
    assert rmse(sums) == pytest.approx(noise_floor_rmse(sums), abs=0.01)


def test_skill_and_gap_by_hand():
    assert skill_score(0.45, 0.50) == pytest.approx(0.1)
    assert reducible_gap_closed(0.45, 0.50, 0.40) == pytest.approx(0.5)  # 0.05 of 0.10


def test_skill_and_gap_that_cannot_be_told_are_nan():
    assert math.isnan(skill_score(0.0, 0.0))
    assert math.isnan(reducible_gap_closed(0.4, 0.5, 0.5))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_observed_counts_are_refused(bad):
    with pytest.raises(ValueError, match=r"every observed count .* 1 of 2 are not"):
        error_sums(np.array([1.0, bad]), np.ones(2))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_expected_counts_are_refused(bad):
    with pytest.raises(ValueError, match=r"every expected count .* 1 of 2 are not"):
        error_sums(np.ones(2), np.array([1.0, bad]))


def test_naive_scale_refuses_a_single_step():
    with pytest.raises(ValueError, match="at least 2 steps, got 1"):
        naive_scale(np.ones((1, 3)))


def test_daily_deviance_adds_up_to_that_of_all_cases():
    random = np.random.default_rng(2)
    expected = random.uniform(0.01, 2.0, (5, 2, 7))
    observed = random.poisson(expected).astype(float)

    by_day = daily_deviance(observed, expected)

    assert by_day.shape == (5, 2)
    assert by_day.sum() == pytest.approx(error_sums(observed, expected).sum_deviance)
    alone = error_sums(observed[3, 1], expected[3, 1]).sum_deviance
    assert by_day[3, 1] == pytest.approx(alone)


def test_daily_deviance_by_hand():
    # nodes (2, 1): 2 (2 ln 2 - 1); (0, 0.5): 2 * 0.5; a called-impossible incident is infinite
    observed = np.array([[[2.0, 0.0]], [[1.0, 0.0]]])
    expected = np.array([[[1.0, 0.5]], [[0.0, 0.5]]])

    by_day = daily_deviance(observed, expected)

    assert by_day[0, 0] == pytest.approx(2 * (2 * math.log(2) - 1) + 1)
    assert math.isinf(by_day[1, 0])


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf])
def test_daily_deviance_refuses_bad_counts_by_their_place(bad):
    good, broken = np.ones((3, 1, 2)), np.ones((3, 1, 2))
    broken[2, 0, 1] = bad

    with pytest.raises(ValueError, match=r"every observed count .* on day 2, type 0, node 1"):
        daily_deviance(broken, good)
    with pytest.raises(ValueError, match=r"every expected count .* on day 2, type 0, node 1"):
        daily_deviance(good, broken)
