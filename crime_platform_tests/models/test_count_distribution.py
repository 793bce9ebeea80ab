import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crime_platform.models.count_distribution import (
    ALPHA_RANGE,
    NEVER_ACTIVE_RATE,
    cdf,
    crps,
    fit_dispersion,
    probability_any,
    probability_none,
    quantile,
    quantiles,
    rate_floor,
)
from crime_platform.vocabulary.forecast import CountHistory

means = st.floats(1e-4, 400.0)
alphas = st.one_of(st.just(0.0), st.floats(*ALPHA_RANGE).filter(lambda alpha: alpha <= 20))


def one(value) -> np.ndarray:
    return np.array([float(value)])


def frozen(mean: float, alpha: float):
    """The same distribution as scipy writes it."""
    return stats.poisson(mean) if alpha == 0 else stats.nbinom(1 / alpha, 1 / (1 + alpha * mean))


def months(n: int) -> np.ndarray:
    return np.datetime64("2020-01") + np.arange(n)


def test_floor_is_half_an_incident_where_any_type_was_ever_recorded():
    counts = np.zeros((4, 2, 3))
    counts[1, 1, 0] = 1.0  # one incident of type 1 in unit 0

    floor = rate_floor(CountHistory(steps=months(4), counts=counts))

    quiet = NEVER_ACTIVE_RATE
    np.testing.assert_array_equal(floor, [[0.5 / 4, quiet, quiet], [0.5 / 4, quiet, quiet]])


def test_dispersion_is_zero_for_counts_that_vary_less_than_poisson():
    assert fit_dispersion(np.full(50, 3.0), np.full(50, 3.0)) == 0.0


def test_dispersion_maximises_the_likelihood_written_out_by_scipy():
    rng = np.random.default_rng(3)
    mean = rng.gamma(2.0, 1.0, 3000)
    observed = rng.poisson(mean * rng.gamma(2.0, 0.5, 3000)).astype(float)
    grid = np.geomspace(0.3, 0.8, 300)
    likelihood = [frozen(1.0, a).dist.logpmf(observed, 1 / a, 1 / (1 + a * mean)) for a in grid]

    alpha = fit_dispersion(observed, mean)

    best_on_grid = grid[np.sum(likelihood, axis=1).argmax()]
    assert alpha == pytest.approx(best_on_grid, rel=0.005)  # the grid steps by 0.33 %


def test_dispersion_of_a_million_counts_comes_back():
    rng = np.random.default_rng(0)
    mean = rng.gamma(0.3, 1.0, 1_000_000)
    observed = rng.poisson(mean * rng.gamma(2.0, 0.5, mean.size)).astype(float)

    assert fit_dispersion(observed, mean) == pytest.approx(0.5, abs=0.01)  # gamma(2) has alpha 1/2


def test_dispersion_reads_a_zero_mean_without_incident():
    assert fit_dispersion(np.zeros(3), np.zeros(3)) == 0.0


def test_dispersion_refuses_no_cases():
    with pytest.raises(ValueError, match="at least one observed count"):
        fit_dispersion(np.zeros(0), np.zeros(0))


def test_dispersion_refuses_a_negative_count():
    with pytest.raises(ValueError, match="every observed count must be a finite number >= 0"):
        fit_dispersion(np.array([-1.0]), np.array([1.0]))


def test_dispersion_refuses_a_mean_that_is_not_a_number():
    with pytest.raises(ValueError, match="every expected count must be a finite number >= 0"):
        fit_dispersion(np.array([1.0]), np.array([np.nan]))


def test_geometric_quantiles_by_hand():
    # mean 1, alpha 1: P(k) = 2^-(k+1), cumulative 1/2, 3/4, 7/8, 15/16, ...
    found = quantiles(one(1), one(1), [0.4, 0.6, 0.8, 0.9])

    np.testing.assert_array_equal(found[:, 0], [0, 1, 2, 3])


def test_a_level_reached_exactly_is_that_count():
    assert quantile(one(1), one(1), 0.75)[0] == 1  # P(Y <= 1) = 3/4


def test_geometric_probabilities_by_hand():
    np.testing.assert_allclose(probability_none(one(1), one(1)), 1 / 2)
    np.testing.assert_allclose(probability_any(one(3), one(1)), 3 / 4)  # 1 - 1/(1 + 3)
    np.testing.assert_allclose(cdf(one(2), one(1), one(1)), 7 / 8)
    np.testing.assert_array_equal(cdf(one(-1), one(1), one(1)), 0.0)


def test_poisson_probabilities_by_hand():
    np.testing.assert_allclose(probability_none(one(2), one(0)), math.exp(-2))
    np.testing.assert_allclose(cdf(one(1), one(2), one(0)), 3 * math.exp(-2))  # 1 + 2


def test_geometric_crps_by_hand():
    # y = 0: sum of (1 - F(k))^2 = 1/4 + 1/16 + ... = 1/3
    # y = 3: (1/2)^2 + (3/4)^2 + (7/8)^2 = 101/64, then 1/256 + 1/1024 + ... = 1/192
    score = crps(np.array([0.0, 3.0]), np.ones(2), np.ones(2))

    np.testing.assert_allclose(score, [1 / 3, 101 / 64 + 1 / 192])


@given(means, alphas, st.integers(0, 500))
def test_crps_equals_its_definition_summed(mean, alpha, observed):
    k = np.arange(60_000)
    definition = ((frozen(mean, alpha).cdf(k) - (k >= observed)) ** 2).sum()

    score = crps(one(observed), one(mean), one(alpha))

    np.testing.assert_allclose(score, definition, rtol=2e-5, atol=1e-9)


@given(means, alphas, st.floats(0.001, 0.999))
def test_quantile_is_the_first_count_that_reaches_the_level(mean, alpha, level):
    found = float(quantile(one(mean), one(alpha), level)[0])

    assert frozen(mean, alpha).cdf(found) >= level - 1e-9
    assert frozen(mean, alpha).cdf(found - 1) < level + 1e-9


@given(means, alphas, st.integers(-1, 500))
def test_cdf_agrees_with_scipy(mean, alpha, count):
    probability = cdf(one(count), one(mean), one(alpha))

    np.testing.assert_allclose(probability, frozen(mean, alpha).cdf(count), rtol=1e-9, atol=1e-300)


def test_cases_mix_small_large_poisson_and_wide_in_any_shape():
    mean = np.array([[0.01, 900.0, 70.0], [0.0, 3.0, 1500.0]])
    alpha = np.array([[0.5, 0.2, 0.0], [0.3, 0.0, 0.0]])
    twin = np.vectorize(lambda m, a: frozen(m, a).ppf(0.9) if m else 0.0)

    found = quantile(mean, alpha, 0.9)

    np.testing.assert_array_equal(found, twin(mean, alpha))


def test_alpha_below_its_range_counts_as_poisson():
    tiny = one(ALPHA_RANGE[0] / 2)

    np.testing.assert_array_equal(crps(one(2), one(3), tiny), crps(one(2), one(3), one(0)))
    np.testing.assert_array_equal(cdf(one(2), one(3), tiny), cdf(one(2), one(3), one(0)))


@pytest.mark.parametrize("levels", [[], [0.0], [0.5, 0.5], [0.9, 0.1], [1.0]])
def test_quantiles_refuse_levels_that_do_not_rise_inside_0_and_1(levels):
    with pytest.raises(ValueError, match="must rise strictly inside"):
        quantiles(one(1), one(0), levels)
