import numpy as np
import pytest

from crime_platform.models.streets.daily_rates import daily_rate_floor, known_days, weekday
from crime_platform.vocabulary.forecast import CountHistory

N_DAYS, N_TYPES, N_NODES = 40, 2, 5
DAYS = np.arange("2021-01-01", "2021-02-10", dtype="datetime64[D]")  # a Friday first
COUNTS = np.random.default_rng(3).poisson(0.3, (N_DAYS, N_TYPES, N_NODES)).astype(float)
HISTORY = CountHistory(steps=DAYS, counts=COUNTS)
PER_TYPE = np.array([[[5.0], [np.inf]]])
PER_SETTING = np.array([5.0, np.inf, 5.0])[:, None, None]


def test_weekdays_start_on_monday():
    assert weekday(np.array(["2024-01-01", "2024-01-07"], dtype="datetime64[D]")).tolist() == [0, 6]


def test_sums_are_those_of_a_slow_twin_at_every_origin():
    known = list(known_days(HISTORY, range(10, N_DAYS), PER_TYPE))

    ages = [np.arange(n)[::-1] for n in range(11, N_DAYS + 1)]
    fading = [(0.5 ** (a / 5))[:, None] * COUNTS[: a.size, 0] for a in ages]
    np.testing.assert_allclose([k.discounted[0, 0] for k in known], [f.sum(0) for f in fading])
    np.testing.assert_allclose(
        [k.discounted[0, 1] for k in known], [COUNTS[: a.size, 1].sum(0) for a in ages]
    )
    np.testing.assert_allclose(
        [k.weight[0, 0, 0] for k in known], [(0.5 ** (a / 5)).sum() for a in ages]
    )
    np.testing.assert_allclose([k.weight[0, 1, 0] for k in known], [a.size for a in ages])
    np.testing.assert_allclose([k.mean for k in known], [COUNTS[: a.size].mean(0) for a in ages])


def test_days_far_back_are_summed_in_chunks():
    long = np.random.default_rng(4).poisson(0.2, (600, 1, 2)).astype(float)
    history = CountHistory(steps=DAYS[0] + np.arange(600), counts=long)

    (known,) = known_days(history, range(598, 599), np.array([[[90.0]]]))

    fade = 0.5 ** (np.arange(599)[::-1] / 90)
    np.testing.assert_allclose(known.discounted[0, 0], fade @ long[:599, 0])
    assert known.weight[0, 0, 0] == pytest.approx(fade.sum())


def test_settings_of_one_half_life_share_it():
    known = list(known_days(HISTORY, range(20, 25), PER_SETTING))

    np.testing.assert_array_equal(known[-1].discounted[0], known[-1].discounted[2])
    np.testing.assert_allclose(known[-1].discounted[1], COUNTS[:25].sum(axis=0))


def test_weekdays_are_summed_over_the_whole_area():
    known = list(known_days(HISTORY, range(10, 20), PER_TYPE))

    fridays = COUNTS[0:20:7]  # days 0, 7 and 14 are Fridays
    np.testing.assert_allclose(known[-1].weekday_total[4], fridays.sum(axis=(0, 2)))
    assert known[-1].weekday_days[4] == 3
    assert known[-1].weekday_days.sum() == 20


def test_sums_ignore_days_after_the_origin():
    tampered = COUNTS.copy()
    tampered[20:] = 999.0

    honest = list(known_days(HISTORY, range(15, 20), PER_TYPE))[-1]
    fooled = list(known_days(CountHistory(steps=DAYS, counts=tampered), range(15, 20), PER_TYPE))[
        -1
    ]

    np.testing.assert_array_equal(honest.discounted, fooled.discounted)
    np.testing.assert_array_equal(honest.total, fooled.total)
    np.testing.assert_array_equal(honest.weekday_total, fooled.weekday_total)


def test_floor_by_hand():
    # Three nodes, five days. Node 0 starts on day 1 with two incidents, node 1 on day 3 with one,
    # node 2 never. Nodes quiet as each day began: 3, 3, 2, 2, 1 = 11 days; 3 first incidents.
    # Node 0's incident of day 4 is no first one.
    counts = np.zeros((5, 1, 3))
    counts[1, 0, 0], counts[3, 0, 1], counts[4, 0, 0] = 2, 1, 4

    floor = daily_rate_floor(counts)

    np.testing.assert_allclose(floor.at(4), [[0.1, 0.1, 3 / 11]])  # 0.5 / 5 days
    np.testing.assert_allclose(floor.at(2), [[0.5 / 3, 2 / 8, 2 / 8]])
    np.testing.assert_allclose(floor.at(0), [[1e-7, 1e-7, 1e-7]])  # nothing measured yet


def test_floor_of_a_type_is_granted_where_another_type_was_seen():
    counts = np.zeros((10, 2, 2))
    counts[0, 0, 0] = 1

    np.testing.assert_allclose(daily_rate_floor(counts).at(9)[:, 0], [0.05, 0.05])


def test_quiet_rate_forgets_first_incidents_older_than_a_year():
    counts = np.zeros((500, 1, 2))
    counts[100, 0, 0] = 1

    floor = daily_rate_floor(counts)

    assert floor.at(464)[0, 1] == pytest.approx(1 / (1 + 365))  # days 100..464: 2 quiet, then 1
    assert floor.at(465)[0, 1] == 1e-7


def test_floor_ignores_days_after_the_origin():
    tampered = COUNTS.copy()
    tampered[20:] = 999.0

    np.testing.assert_array_equal(
        daily_rate_floor(COUNTS).at(19), daily_rate_floor(tampered).at(19)
    )


def test_a_floor_of_nodes_all_active_from_the_start():
    floor = daily_rate_floor(np.ones((4, 1, 3)))

    np.testing.assert_allclose(floor.at(3), np.full((1, 3), 0.125))
