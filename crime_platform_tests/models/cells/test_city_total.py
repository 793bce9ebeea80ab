import numpy as np
import pytest
from scipy.optimize import minimize

from crime_platform.models.cells.city_total import (
    LARGEST_EFFECT,
    city_exposure,
    city_totals,
    fit_city_weights,
)
from crime_platform.models.cells.tree_features import CITY_FEATURES, FeatureSettings, feature_blocks
from crime_platform.vocabulary.forecast import CountHistory


def block():
    """Two types with 31 and 62 incidents every day-normalised month; the target is January."""
    steps = np.datetime64("2019-01") + np.arange(12)
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    counts = np.stack([days, 2 * days], axis=1)[:, :, None, None].astype(np.float64)
    known = CountHistory(steps=steps, counts=counts)
    return feature_blocks(known, FeatureSettings(), first=11, horizon=2)[0]


def test_exposure_follows_the_days_of_the_month():
    january, february = (city_exposure(block(), lead) for lead in (1, 2))

    np.testing.assert_allclose(january, [31, 62], rtol=1e-6)
    np.testing.assert_allclose(february, [29, 58], rtol=1e-6)  # 2020


def test_weights_multiply_the_exposure():
    weights = np.zeros((2, len(CITY_FEATURES) - 1))
    weights[1, CITY_FEATURES.index("annual_cosine")] = 0.3  # 1 in January

    totals = city_totals(block(), 1, weights)

    np.testing.assert_allclose(totals, [31, 62 * np.exp(0.3)], rtol=1e-6)


def test_the_effect_is_bounded():
    weights = np.full((2, len(CITY_FEATURES) - 1), 0.0)
    weights[:, CITY_FEATURES.index("annual_cosine")] = [9.0, -9.0]

    totals = city_totals(block(), 1, weights)

    bounds = np.exp([LARGEST_EFFECT, -LARGEST_EFFECT])
    np.testing.assert_allclose(totals, bounds * [31, 62], rtol=1e-6)


def test_one_regressor_by_hand():
    # Two months, one type, exposure 100, regressor +1 and -1, counts 120 and 80. With hardly any
    # penalty the weight solves 100 (e^w - e^-w) = 120 - 80: sinh(w) = 1/5, w = 0.1987. It is the
    # sum of a shared and an own part.
    weights = fit_city_weights(
        np.array([1.0, -1.0]).reshape(2, 1, 1),
        np.full((2, 1), 100.0),
        np.array([[120.0], [80.0]]),
        penalty=1e-6,
        type_penalty=1e-6,
    )

    assert weights == pytest.approx(np.array([[np.arcsinh(0.2)]]), rel=1e-6)


def test_weights_maximise_the_penalised_likelihood():
    random = np.random.default_rng(0)
    regressors = random.normal(0, 0.3, (40, 3, 2))
    exposure = random.uniform(20, 200, (40, 3))
    observed = random.poisson(exposure).astype(np.float64)

    def loss(flat):
        """The same written down plainly, for a general optimiser."""
        shared, own = flat[:2], flat[2:].reshape(3, 2)
        expected = exposure * np.exp((regressors * (shared + own)).sum(axis=2))
        fit = (expected - observed * np.log(expected)).sum()
        return fit + 5 * (shared**2).sum() + 25 * (own**2).sum()

    weights = fit_city_weights(regressors, exposure, observed, penalty=10.0, type_penalty=50.0)

    best = minimize(loss, np.zeros(8), tol=1e-10).x
    np.testing.assert_allclose(weights, best[:2] + best[2:].reshape(3, 2), atol=1e-4)


def test_a_strong_type_penalty_gives_all_types_the_same_weights():
    random = np.random.default_rng(0)
    regressors = random.normal(0, 0.3, (40, 3, 2))
    observed = random.poisson(50, (40, 3)).astype(np.float64)

    weights = fit_city_weights(
        regressors, np.full((40, 3), 50.0), observed, penalty=1.0, type_penalty=1e9
    )

    np.testing.assert_allclose(weights[0], weights[2], atol=1e-6)
    assert np.abs(weights[0]).max() > 1e-3


@pytest.mark.parametrize("penalties", [(0.0, 1.0), (1.0, -1.0)])
def test_a_penalty_of_nothing_is_an_error(penalties):
    with pytest.raises(ValueError, match="both penalties must be above 0"):
        fit_city_weights(
            np.ones((2, 1, 1)),
            np.ones((2, 1)),
            np.ones((2, 1)),
            penalty=penalties[0],
            type_penalty=penalties[1],
        )
