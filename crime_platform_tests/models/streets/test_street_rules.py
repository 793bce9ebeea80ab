from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from crime_platform.models.streets import rules
from crime_platform.models.streets.daily_rates import known_days
from crime_platform.vocabulary.forecast import CountHistory

N_DAYS, HALF_LIFE = 30, 6.0
DAYS = np.arange("2024-01-01", "2024-01-31", dtype="datetime64[D]")  # a Monday first
COUNTS = np.random.default_rng(5).poisson(0.4, (N_DAYS, 2, 4)).astype(float)
COUNTS[:, :, 3] = 0.0  # node 3 never had an incident
HISTORY = CountHistory(steps=DAYS, counts=COUNTS)
MEAN = COUNTS.mean(axis=0)
FADE = 0.5 ** (np.arange(N_DAYS)[::-1] / HALF_LIFE)
# 0 - 1 - 2 in a row; 3 stands alone
LINE = sparse.csr_array(
    np.array([[0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=float)
)
WEIGHTS = rules.row_mean_weights(LINE)


def known(half_life):
    (at_end,) = known_days(HISTORY, range(N_DAYS - 1, N_DAYS), np.full((1, 1, 1), half_life))
    return at_end


def columns(*numbers):
    return tuple(np.full((1, 1, 1), number) for number in numbers)


def test_decayed_mean_is_that_of_a_slow_twin():
    rate = rules.decayed_mean(known(HALF_LIFE), DAYS[-1] + 1, ())[0]

    np.testing.assert_allclose(rate, np.tensordot(FADE, COUNTS, axes=1) / FADE.sum())


def test_ewma_is_a_recursion_from_the_long_run_mean():
    decay = 0.5 ** (1 / HALF_LIFE)
    slow = MEAN
    for day in COUNTS:
        slow = decay * slow + (1 - decay) * day

    rate = rules.ewma(known(HALF_LIFE), DAYS[-1] + 1, ())[0]

    np.testing.assert_allclose(rate, slow)


def test_rules_with_an_endless_half_life_are_the_long_run_mean():
    np.testing.assert_allclose(rules.ewma(known(np.inf), DAYS[-1] + 1, ())[0], MEAN)
    np.testing.assert_allclose(rules.decayed_mean(known(np.inf), DAYS[-1] + 1, ())[0], MEAN)


def test_last_day_moves_to_the_mean_of_the_area():
    in_area = MEAN.mean(axis=1, keepdims=True)

    rate = rules.last_day(known(np.inf), DAYS[-1] + 1, columns(np.inf, 0.75))[0]

    np.testing.assert_allclose(rate, 0.25 * COUNTS[-1] + 0.75 * in_area)


def test_constant_is_the_same_everywhere():
    rate = rules.constant(known(np.inf), DAYS[-1] + 1, ())[0]

    np.testing.assert_allclose(rate, np.repeat(MEAN.mean(axis=1, keepdims=True), 4, axis=1))


def test_weekday_factor_by_hand():
    # 14 days with one incident a day, but three on each of the two Mondays: 18 in all. A Monday has
    # 6 incidents where 2 * 18 / 14 are usual; 5 days of the mean are added to both.
    counts = np.ones((14, 1, 1))
    counts[[0, 7]] = 3
    history = CountHistory(steps=DAYS[:14], counts=counts)
    (at_end,) = known_days(history, range(13, 14), np.full((1, 1, 1), np.inf))

    monday = rules.day_of_week(at_end, DAYS[14], columns(np.inf, 5.0))[0, 0, 0]
    tuesday = rules.day_of_week(at_end, DAYS[15], columns(np.inf, 5.0))[0, 0, 0]

    usual = 18 / 14
    assert monday == pytest.approx(usual * (6 + 5 * usual) / (2 * usual + 5 * usual))
    assert tuesday == pytest.approx(usual * (2 + 5 * usual) / (2 * usual + 5 * usual))


def test_weekday_factors_of_an_empty_area_are_one():
    empty = CountHistory(steps=DAYS, counts=np.zeros((N_DAYS, 1, 2)))
    (at_end,) = known_days(empty, range(20, 21), np.full((1, 1, 1), np.inf))

    rate = rules.day_of_week(at_end, DAYS[21], columns(np.inf, 5.0))

    np.testing.assert_array_equal(rate, np.zeros((1, 1, 2)))


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_network_smoothing_is_that_of_a_matrix_power(hops):
    dense = np.linalg.matrix_power(WEIGHTS.toarray(), hops)

    rate = rules.network_smoothed(
        WEIGHTS, known(np.inf), DAYS[-1] + 1, columns(np.inf, 0.2, float(hops))
    )[0]

    np.testing.assert_allclose(rate, 0.8 * MEAN + 0.2 * MEAN @ dense.T)


def test_hops_may_differ_by_type():
    hops = np.array([[[1.0], [2.0]]])
    share = np.full((1, 1, 1), 0.3)

    rate = rules.network_smoothed(
        WEIGHTS, known(np.inf), DAYS[-1] + 1, (np.full((1, 1, 1), np.inf), share, hops)
    )[0]

    once = MEAN @ WEIGHTS.toarray().T
    twice = once @ WEIGHTS.toarray().T
    np.testing.assert_allclose(rate[0], 0.7 * MEAN[0] + 0.3 * once[0])
    np.testing.assert_allclose(rate[1], 0.7 * MEAN[1] + 0.3 * twice[1])


def test_a_node_without_neighbours_keeps_its_own_rate():
    alone = rules.row_mean_weights(sparse.csr_array((4, 4)))

    rate = rules.network_smoothed(alone, known(np.inf), DAYS[-1] + 1, columns(np.inf, 0.5, 2.0))

    np.testing.assert_allclose(rate[0], MEAN)


def test_posterior_mean_by_hand():
    # prior of node 0, 20 days of it: 0.6 of the mean of the three active nodes and 0.4 of node 1
    in_area = MEAN[0, :3].mean()
    prior = 0.6 * in_area + 0.4 * MEAN[0, 1]

    rate = rules.gamma_poisson(WEIGHTS, known(np.inf), DAYS[-1] + 1, columns(np.inf, 20.0, 0.4))[0]

    assert rate[0, 0] == pytest.approx((COUNTS[:, 0, 0].sum() + 20 * prior) / (30 + 20))
    np.testing.assert_array_equal(rate[:, 3], [0.0, 0.0])  # never active: left to the floor


def test_shrinkage_keeps_the_total_of_the_area():
    rate = rules.gamma_poisson(WEIGHTS, known(np.inf), DAYS[-1] + 1, columns(np.inf, 20.0, 0.0))

    np.testing.assert_allclose(rate[0].sum(axis=1), MEAN.sum(axis=1))


def test_the_order_of_nodes_never_matters():
    order = np.array([2, 0, 3, 1])
    shuffled = replace(HISTORY, counts=COUNTS[:, :, order])
    weights = sparse.csr_array(WEIGHTS[order][:, order])
    (other,) = known_days(shuffled, range(N_DAYS - 1, N_DAYS), np.full((1, 1, 1), HALF_LIFE))
    setting = columns(HALF_LIFE, 0.3, 2.0)

    here = rules.network_smoothed(WEIGHTS, known(HALF_LIFE), DAYS[-1] + 1, setting)[0]
    there = rules.network_smoothed(weights, other, DAYS[-1] + 1, setting)[0]

    np.testing.assert_allclose(here[:, order], there)


def test_a_matrix_that_is_not_square_is_refused():
    with pytest.raises(ValueError, match=r"node by node, got shape \(2, 3\)"):
        rules.row_mean_weights(sparse.csr_array((2, 3)))


def test_negative_weights_are_refused():
    with pytest.raises(ValueError, match="every diffusion weight must be a finite number >= 0"):
        rules.row_mean_weights(sparse.csr_array(np.array([[-1.0, 2.0], [1.0, 0.0]])))


def test_rows_that_are_no_mean_are_refused():
    with pytest.raises(ValueError, match="row 1 sums to 3: divide each row by its sum"):
        rules.row_mean_weights(sparse.csr_array(np.array([[0.0, 1.0], [3.0, 0.0]])))
