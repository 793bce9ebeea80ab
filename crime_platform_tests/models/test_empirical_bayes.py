import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.models.empirical_bayes import (
    LARGEST_SEASON,
    city_level,
    discounted,
    empirical_bayes_rate,
    seasonal_index,
    smoothed,
)
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import month_of_year

SETTING = (0.97, 16.0, 2.0)


def history_of(counts: np.ndarray) -> CountHistory:
    """Months from January 2018 on."""
    return CountHistory(steps=np.datetime64("2018-01") + np.arange(len(counts)), counts=counts)


def random_history(steps: int = 30) -> CountHistory:
    rate = np.random.default_rng(1).gamma(0.7, 1.0, (3, 6, 7))
    return history_of(np.random.default_rng(2).poisson(rate, (steps, 3, 6, 7)).astype(float))


def rate_of(history: CountHistory, *setting: float) -> np.ndarray:
    return empirical_bayes_rate(history, history.steps[-1] + 1, [setting or SETTING])[0]


def test_two_cells_in_one_month_by_hand():
    # Neighbours weigh exp(-1/2) = 0.60653, so a cell keeps 1 / 1.60653 = 0.62246 and gets 0.37754.
    # Near rates 3 * 0.62246 + 1 * 0.37754 = 2.24492 and 4 - 2.24492 = 1.75508.
    # Levels (3 + 2 * 2.24492) / (1 + 2) = 2.49661 and (1 + 2 * 1.75508) / 3 = 1.50339.
    # Posteriors with strength 1: (3 + 2.49661) / 2 and (1 + 1.50339) / 2.
    # One month has no trend and no season, and the posteriors already sum to the city's 4.
    history = history_of(np.array([3.0, 1.0]).reshape(1, 1, 1, 2))

    rate = rate_of(history, 0.97, 1.0, 2.0)

    np.testing.assert_allclose(rate, [[[2.748305, 1.251695]]], atol=1e-5)


def test_a_stronger_prior_moves_a_cell_further_to_its_neighbours():
    history = history_of(np.array([3.0, 1.0]).reshape(1, 1, 1, 2))

    first_cell = [rate_of(history, 0.97, k, 2.0)[0, 0, 0] for k in (0.0, 1.0, 1e9)]

    # strength 0 is the cell's own count; a boundless one leaves the level of the test above
    np.testing.assert_allclose(first_cell, [3.0, 2.748305, 2.49661], atol=1e-5)


def test_a_trend_by_hand():
    # The reach is so short that each cell has a trend of its own, and the strength is 0, so the
    # posterior is the plain mean. Months (1, 1) and (1, 3), decay 1: slow rates 1 and 2; relative
    # to their mean 2/3 and 4/3.
    # Fast rates, decay 1/2: (0.5 + 1) / 1.5 = 1 and (0.5 + 3) / 1.5 = 7/3; relative 0.6 and 1.4.
    # Trends (0.6 + 0.5) / (2/3 + 0.5) = 6.6/7 and (1.4 + 0.5) / (4/3 + 0.5) = 11.4/11.
    # Rates 6.6/7 and 22.8/11 sum to 3.015584 and are scaled to the city's 10/3.
    history = history_of(np.array([[1.0, 1.0], [1.0, 3.0]]).reshape(2, 1, 1, 2))

    rate = rate_of(history, 1.0, 0.0, 0.01)

    np.testing.assert_allclose(rate.sum(), 10 / 3)
    np.testing.assert_allclose(rate[0, 0, 1] / rate[0, 0, 0], (22.8 / 11) / (6.6 / 7))


def test_a_recent_rise_is_shared_with_places_near_and_not_with_places_far():
    counts = np.ones((30, 1, 1, 21))
    counts[-3:, :, :, 0] = 20.0

    rate = rate_of(history_of(counts), 0.985, 16.0, 2.0)[0, 0]

    assert rate[2] > 1.1 * rate[20]


def test_the_mix_of_types_around_a_cell_is_its_prior():
    # cells 0 and 20 held one incident of the first type each; only the second type differs nearby
    counts = np.zeros((24, 2, 1, 21))
    counts[5, 0, 0, [0, 20]] = 1.0
    counts[:, 1, 0, 1] = 5.0

    rate = rate_of(history_of(counts))[1, 0]

    assert rate[0] > 100 * rate[20]


def test_incidents_of_other_types_raise_the_rate_of_a_type():
    # cells 3 and 17 held the same of the first type, and each lies in the same mix of the two
    counts = np.zeros((24, 2, 1, 21))
    counts[::6, 0, 0, :] = 1.0
    counts[::3, 1, 0, :] = 1.0
    counts[:, 1, 0, 3] = 2.0

    rate = rate_of(history_of(counts), 0.97, 64.0, 2.0)[0, 0]

    assert rate[3] > rate[17]


def test_cells_sum_to_the_level_of_the_city():
    history = random_history()
    target = history.steps[-1] + 2

    rates = empirical_bayes_rate(history, target, [SETTING, (0.9, 4.0, 1.0)])

    level = city_level(history, target)
    np.testing.assert_allclose(rates.sum(axis=(2, 3)), np.stack([level, level]))


def test_settings_tried_together_give_what_each_gives_alone():
    history, settings = random_history(), [(0.9, 4.0, 1.0), (0.97, 4.0, 2.0), (0.9, 8.0, 2.0)]

    together = empirical_bayes_rate(history, history.steps[-1] + 1, settings)

    np.testing.assert_allclose(together, np.stack([rate_of(history, *each) for each in settings]))


@pytest.mark.parametrize("other", [(0.9, 16.0, 2.0), (0.97, 4.0, 2.0), (0.97, 16.0, 1.0)])
def test_every_number_of_a_setting_matters(other):
    history = random_history()

    assert np.abs(rate_of(history, *other) - rate_of(history)).max() > 1e-3


def test_a_history_without_incidents_gives_rates_of_zero():
    np.testing.assert_array_equal(rate_of(history_of(np.zeros((15, 2, 3, 4)))), np.zeros((2, 3, 4)))


def test_a_type_without_incidents_stays_possible_for_the_floor_to_raise():
    counts = random_history().counts
    counts[:, 1] = 0.0

    rate = rate_of(history_of(counts))

    assert np.isfinite(rate).all()
    np.testing.assert_array_equal(rate[1], np.zeros((6, 7)))


def test_discounted_sums_by_hand():
    sums, months = discounted(np.array([[1.0], [2.0], [4.0]]), [0.5, 1.0])

    np.testing.assert_allclose(sums, [[5.25], [7.0]])  # 1/4 * 1 + 1/2 * 2 + 1 * 4
    np.testing.assert_allclose(months, [1.75, 3.0])


@given(st.floats(0.1, 50.0), st.integers(1, 5), st.integers(1, 5))
def test_smoothing_leaves_a_constant_as_it_is_up_to_the_border(bandwidth, rows, cols):
    np.testing.assert_allclose(smoothed(np.full((2, rows, cols), 1.5), bandwidth), 1.5)


def test_smoothing_by_hand():
    near, far = math.exp(-1 / 2), math.exp(-4 / 2)

    row = smoothed(np.array([[0.0, 0.0, 6.0]]), 1.0)

    # a border cell divides by the weights it has left
    expected = [6 * far / (1 + near + far), 6 * near / (1 + 2 * near), 6 / (1 + near + far)]
    np.testing.assert_allclose(row, [expected])


def test_the_city_level_by_hand():
    # 3, 1: the fast EWMA is (3 / 2 + 1) / (3 / 2) = 5/3, and two months know no season
    history = history_of(np.array([[1.0, 2.0], [1.0, 0.0]]).reshape(2, 1, 1, 2))

    np.testing.assert_allclose(city_level(history, history.steps[-1] + 1), [5 / 3])


def test_the_city_level_follows_the_season():
    # 11 a month but 22 in December
    counts = np.full((47, 1, 1, 1), 11.0)
    counts[11::12] = 22.0
    history = history_of(counts)
    index = seasonal_index(counts[:, :, 0, 0], month_of_year(history.steps))[:, 0]

    level = city_level(history, np.datetime64("2021-12"))

    # Freed of its season a month holds 11 / index, a December 22 / index; Decembers are 11, 23 and
    # 35 months old and all weights sum to 2.
    usual, december = 11 / index[0], 22 / index[11]
    mean = usual + (december - usual) * (2**-11 + 2**-23 + 2**-35) / 2
    np.testing.assert_allclose(level, [mean * index[11]], rtol=1e-6)


def test_the_seasonal_index_by_hand():
    # Two years of 10 a month, but 13 in the second December: the 12 months before it have mean 10.
    # One year tells of December, mixed with six years of 10: (13 + 60) / (10 + 60) = 73/70.
    totals = np.full((24, 1), 10.0)
    totals[23] = 13.0

    index = seasonal_index(totals, np.arange(24) % 12)

    np.testing.assert_allclose(index[:, 0], [1.0] * 11 + [73 / 70])


def test_a_break_in_the_records_is_no_season():
    totals = np.full((30, 1), 10.0)
    totals[20:] = 200.0  # from one month to the next, twenty times as many

    index = seasonal_index(totals, np.arange(30) % 12)

    assert index.max() == LARGEST_SEASON


@pytest.mark.parametrize("steps", [1, 11, 12, 13])
def test_the_seasonal_index_is_one_in_months_without_a_year_before_them(steps):
    totals = np.arange(1.0, steps + 1)[:, None]

    index = seasonal_index(totals, np.arange(steps) % 12)

    np.testing.assert_array_equal(index[1:], np.ones((11, 1)))


def test_only_a_grid_has_neighbours():
    with pytest.raises(ValueError, match=r"type, row and col; got an array of shape \(5, 2, 9\)"):
        rate_of(history_of(np.ones((5, 2, 9))))


def test_smoothing_refuses_a_bandwidth_of_nothing():
    with pytest.raises(ValueError, match="positive number of cells, got 0"):
        smoothed(np.ones((2, 2)), 0.0)
