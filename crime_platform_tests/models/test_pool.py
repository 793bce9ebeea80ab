import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from crime_platform.models.combination import (
    GeometricPool,
    LinearPool,
    fit_carry,
    fit_geometric_pool,
    fit_linear_pool,
    log_miss,
)

FITS = [fit_geometric_pool, fit_linear_pool]
FAINT = 1e-6  # nats: a prior that decides only where the cases say nothing
RANDOM = np.random.default_rng(5)
RATES = RANDOM.gamma(2.0, 1.0, 400)
MEMBERS = RATES * np.exp(RANDOM.normal(0, [[0.1], [0.4], [0.8]], (3, 400)))
COUNTS = RANDOM.poisson(RATES).astype(float)


def test_a_geometric_pool_by_hand():
    pool = GeometricPool((0.5, 0.5))

    pooled = pool.combine(np.array([[1.0, 2.0], [4.0, 2.0]]))

    assert pooled == pytest.approx([2.0, 2.0])  # sqrt(1 * 4), sqrt(2 * 2)


def test_a_linear_pool_by_hand():
    pool = LinearPool((0.25, 0.75))

    pooled = pool.combine(np.array([[1.0, 2.0], [5.0, 2.0]]))

    assert pooled == pytest.approx([4.0, 2.0])  # 0.25 + 3.75, 0.5 + 1.5


def test_linear_weights_by_hand():
    # mu = (3 - 2w, 1 + 2w) always sums to 4, so the best share of the first case is that of the
    # counts: (3 - 2w) / 4 = 6 / 16, w = 0.75
    members = np.array([[1.0, 3.0], [3.0, 1.0]])

    pool = fit_linear_pool(members, np.array([6.0, 10.0]), prior_strength=FAINT)

    assert pool.weights == pytest.approx((0.75, 0.25), abs=1e-4)


def test_geometric_weights_by_hand():
    # mu = (4^(1-w), 4^w); the slope of mu1 + mu2 - y1 log mu1 - y2 log mu2 is 0 where
    # 4^w - 4^(1-w) = y2 - y1. At w = 0.75 the left side is sqrt 8 - sqrt 2 = sqrt 2.
    members = np.array([[1.0, 4.0], [4.0, 1.0]])

    pool = fit_geometric_pool(members, np.array([1.0, 1 + math.sqrt(2)]), prior_strength=FAINT)

    assert pool.weights == pytest.approx((0.75, 0.25), abs=1e-4)


@pytest.mark.parametrize("fit", FITS)
def test_weights_agree_with_a_search_of_the_whole_range(fit):
    members, strength = MEMBERS[:2], 5.0
    kind = type(fit(members, COUNTS))
    grid = np.linspace(0.001, 0.999, 999)
    penalised = [
        special.kl_div(COUNTS, kind((w, 1 - w)).combine(members)).sum()
        - strength * 0.5 * (math.log(w) + math.log(1 - w))
        for w in grid.tolist()
    ]

    pool = fit(members, COUNTS, prior_strength=strength)

    assert pool.weights[0] == pytest.approx(grid[np.argmin(penalised)], abs=0.001)


@pytest.mark.parametrize("fit", FITS)
def test_the_member_nearest_the_truth_weighs_most(fit):
    weights = fit(MEMBERS, COUNTS).weights
    assert weights[0] > weights[1] > weights[2]


@pytest.mark.parametrize("fit", FITS)
def test_without_a_case_the_weights_are_the_prior(fit):
    nothing = (np.ones((3, 0)), np.zeros(0))
    assert fit(*nothing).weights == pytest.approx((1 / 3,) * 3)
    assert fit(*nothing, prior=(0.5, 0.3, 0.2)).weights == pytest.approx((0.5, 0.3, 0.2))


@pytest.mark.parametrize("fit", FITS)
def test_a_few_cases_move_the_weights_a_little(fit):
    few = fit(MEMBERS[:, :4], COUNTS[:4])
    assert few.weights == pytest.approx((1 / 3,) * 3, abs=0.1)


@pytest.mark.parametrize("fit", FITS)
def test_a_stronger_prior_holds_the_weights_closer(fit):
    strengths = [fit(MEMBERS, COUNTS, prior_strength=s).weights[0] for s in (0.1, 10.0, 1e3, 1e9)]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[-1] == pytest.approx(1 / 3, abs=1e-4)


@pytest.mark.parametrize("fit", FITS)
def test_equal_members_share_the_weight_and_are_their_own_pool(fit):
    members = np.stack([MEMBERS[0], MEMBERS[0]])

    pool = fit(members, COUNTS)

    assert pool.weights == pytest.approx((0.5, 0.5), abs=1e-6)
    np.testing.assert_allclose(pool.combine(members), MEMBERS[0])


@pytest.mark.parametrize("fit", FITS)
@settings(max_examples=6)
@given(order=st.permutations([0, 1, 2]))
def test_permuting_members_permutes_their_weights(fit, order):
    weights = np.array(fit(MEMBERS, COUNTS).weights)
    permuted = fit(MEMBERS[order], COUNTS).weights
    np.testing.assert_allclose(permuted, weights[order], atol=1e-5)


@pytest.mark.parametrize("fit", FITS)
@settings(max_examples=25)
@given(
    seed=st.integers(0, 1000),
    scale=st.floats(1e-3, 1e3),
    strength=st.sampled_from([FAINT, 10.0]),
)
def test_weights_are_shares(fit, seed, scale, strength):
    random = np.random.default_rng(seed)
    members = scale * random.gamma(0.5, 1.0, (4, 30)) + 1e-4
    observed = random.poisson(scale, 30).astype(float)

    weights = fit(members, observed, prior_strength=strength).weights

    assert min(weights) >= 0
    assert sum(weights) == pytest.approx(1)


@pytest.mark.parametrize("fit", FITS)
def test_axes_of_the_cases_do_not_matter(fit):
    folded = fit(MEMBERS.reshape(3, 20, 4, 5), COUNTS.reshape(20, 4, 5))
    assert folded.weights == pytest.approx(fit(MEMBERS, COUNTS).weights)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_member_that_calls_something_impossible_is_refused(fit, wrong):
    members = np.where(np.arange(400) == 7, wrong, MEMBERS)
    with pytest.raises(ValueError, match="expected count must be finite and above 0"):
        fit(members, COUNTS)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("wrong", [-1.0, np.nan])
def test_a_count_that_is_none_is_refused(fit, wrong):
    with pytest.raises(ValueError, match="observed count must be a finite number >= 0"):
        fit(MEMBERS, np.where(np.arange(400) == 7, wrong, COUNTS))


@pytest.mark.parametrize("prior", [(0.5, 0.5), (0.5, 0.5, 0.0), (0.5, 0.5, 0.5)])
def test_a_prior_that_is_no_set_of_shares_is_refused(prior):
    with pytest.raises(ValueError, match="one positive weight for each of 3 members"):
        fit_geometric_pool(MEMBERS, COUNTS, prior=prior)


def test_a_prior_without_strength_is_refused():
    with pytest.raises(ValueError, match="must be above 0 nats, got 0"):
        fit_linear_pool(MEMBERS, COUNTS, prior_strength=0.0)


def test_a_miss_by_hand():
    miss = log_miss(np.array([70.0, 30.0]), np.array([20.0, 30.0]))
    assert miss == pytest.approx([math.log(2), 0.0])  # (70 + 30) / (20 + 30)


def test_the_carried_share_by_hand():
    # (0.1 * 0.05 + 0.05 * 0.025) / (0.1^2 + 0.05^2 + 0.1) = 0.00625 / 0.1125
    assert fit_carry(np.array([[0.1], [0.05], [0.025]])) == pytest.approx(1 / 18)


@pytest.mark.parametrize(
    ("misses", "share"),
    [([[0.5], [-0.5], [0.5]], 0.0), ([[1.0], [2.0], [4.0]], 1.0), ([[0.3]], 0.0)],
    ids=["turns", "grows", "one month"],
)
def test_the_carried_share_stays_between_nothing_and_all(misses, share):
    assert fit_carry(np.array(misses)) == share
