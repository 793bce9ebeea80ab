from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from crime_platform.models.baseline_tuning import TUNING_BUDGET
from crime_platform.models.count_distribution import fit_dispersion
from crime_platform.models.streets.baselines import HALF_LIFE_DAYS, StreetBaseline, street_baselines
from crime_platform.models.streets.daily_rates import daily_rate_floor
from crime_platform.models.streets.rules import decayed_mean
from crime_platform.vocabulary.daily_forecast import FittedStreet, StreetForecaster
from crime_platform.vocabulary.day_split import chronological_split
from crime_platform.vocabulary.forecast import CountHistory

N_DAYS, N_NODES = 160, 6
DAYS = np.datetime64("2021-03-01") + np.arange(N_DAYS)
RATES = np.random.default_rng(8).gamma(0.5, 0.6, (2, N_NODES))
COUNTS = np.random.default_rng(9).poisson(RATES, (N_DAYS, 2, N_NODES)).astype(float)
COUNTS[:, :, 5] = 0.0  # node 5 wakes on the first test day
COUNTS[136:, 0, 5] = 1.0
HISTORY = CountHistory(steps=DAYS, counts=COUNTS)
SPLIT = chronological_split(DAYS[0], DAYS[-1], burn_in_days=14)
RING = sparse.csr_array(
    0.5 * (np.roll(np.eye(N_NODES), 1, axis=1) + np.roll(np.eye(N_NODES), -1, axis=1))
)
BASELINES = street_baselines(RING)
NAMES = list(BASELINES)
TEST_ORIGINS = SPLIT.test_days - 1


def test_the_leaderboard_starts_with_the_simplest():
    assert NAMES == [
        "constant",
        "last_day",
        "long_run_frequency",
        "exponential_decay",
        "ewma",
        "network_smoothed",
        "day_of_week",
        "gamma_poisson",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_baseline_is_a_street_forecaster(name):
    fitted = BASELINES[name].fit(HISTORY, SPLIT)

    assert isinstance(BASELINES[name], StreetForecaster)
    assert isinstance(fitted, FittedStreet)
    assert fitted.name == BASELINES[name].name == name
    assert len(BASELINES[name].grid) <= TUNING_BUDGET


@pytest.mark.parametrize("name", NAMES)
def test_fitting_ignores_days_after_validation(name):
    tampered = COUNTS.copy()
    tampered[HISTORY.index_of(SPLIT.validation_end) + 1 :] = 999.0

    honest = BASELINES[name].fit(HISTORY, SPLIT)
    fooled = BASELINES[name].fit(replace(HISTORY, counts=tampered), SPLIT)

    assert honest.settings == fooled.settings
    assert honest.alpha == fooled.alpha


@pytest.mark.parametrize("name", NAMES)
def test_forecasts_ignore_days_after_their_origin(name):
    fitted = BASELINES[name].fit(HISTORY, SPLIT)
    origin = HISTORY.index_of(TEST_ORIGINS[5])
    tampered = COUNTS.copy()
    tampered[origin + 1 :] = 999.0

    honest = fitted.rolling(HISTORY, TEST_ORIGINS, 3).expected_count[:6]
    fooled = fitted.rolling(replace(HISTORY, counts=tampered), TEST_ORIGINS, 3).expected_count[:6]

    np.testing.assert_array_equal(honest, fooled)


@pytest.mark.parametrize("name", NAMES)
def test_origins_forecast_together_are_those_forecast_alone(name):
    fitted = BASELINES[name].fit(HISTORY, SPLIT)

    together = fitted.rolling(HISTORY, TEST_ORIGINS, 7).expected_count
    alone = fitted.rolling(HISTORY.through(TEST_ORIGINS[9]), TEST_ORIGINS[9:10], 7).expected_count

    assert together.shape == (TEST_ORIGINS.size, 7, 2, N_NODES)
    np.testing.assert_allclose(together[9], alone[0])


@pytest.mark.parametrize("name", NAMES)
def test_no_rate_lies_below_the_floor(name):
    forecasts = BASELINES[name].fit(HISTORY, SPLIT).rolling(HISTORY, TEST_ORIGINS, 1)

    floor = daily_rate_floor(COUNTS)
    least = np.stack([floor.at(HISTORY.index_of(origin)) for origin in TEST_ORIGINS])
    assert (forecasts.expected_count[:, 0] >= least).all()
    assert (least > 0).all()


def test_long_run_frequency_is_the_mean_of_all_days_known():
    forecasts = BASELINES["long_run_frequency"].fit(HISTORY, SPLIT).rolling(HISTORY, DAYS[99:], 1)

    for_day_130 = COUNTS[:130].mean(axis=0)
    np.testing.assert_allclose(
        forecasts.expected_count[30, 0],
        np.maximum(for_day_130, daily_rate_floor(COUNTS).at(129)),
    )


def slow_ewma_deviance(half_life, kind):
    decay, floor, loss = 0.5 ** (1 / half_life), daily_rate_floor(COUNTS), 0.0
    for day in range(112, 136):  # 70 % and 85 % of 160 days
        rate = COUNTS[:day, kind].mean(axis=0)
        for count in COUNTS[:day, kind]:
            rate = decay * rate + (1 - decay) * count
        rate = np.maximum(rate, floor.at(day - 1)[kind])
        loss += (rate - COUNTS[day, kind] * np.log(rate)).sum()
    return loss


def test_ewma_chooses_the_half_life_of_a_slow_twin_for_each_type():
    slow = [min(HALF_LIFE_DAYS, key=lambda h: slow_ewma_deviance(h, kind)) for kind in (0, 1)]

    chosen = BASELINES["ewma"].fit(HISTORY, SPLIT).settings

    assert chosen == ((slow[0],), (slow[1],))


def test_a_rate_that_changed_lately_asks_for_a_short_memory():
    moved = COUNTS.copy()
    moved[100:136, :, :5] = COUNTS[100:136, :, 4::-1] * 3

    (half_life,), _ = BASELINES["ewma"].fit(replace(HISTORY, counts=moved), SPLIT).settings

    assert half_life < 60


def test_spread_is_fitted_on_validation_days():
    fitted = BASELINES["long_run_frequency"].fit(HISTORY, SPLIT)

    expected = fitted.rolling(HISTORY, SPLIT.validation_days - 1, 1).expected_count[:, 0]
    observed = COUNTS[112:136]
    assert fitted.alpha[1] == fit_dispersion(observed[:, 1], expected[:, 1])
    forecasts = fitted.rolling(HISTORY, TEST_ORIGINS, 2)
    assert forecasts.dispersion.shape == forecasts.expected_count.shape
    assert (forecasts.dispersion[:, :, 1] == fitted.alpha[1]).all()


def test_leads_of_day_of_week_follow_the_calendar():
    fitted = BASELINES["day_of_week"].fit(HISTORY, SPLIT)

    (week,) = fitted.rolling(HISTORY, TEST_ORIGINS[:1], 8).expected_count

    np.testing.assert_array_equal(week[0], week[7])
    assert not np.allclose(week[0], week[1])


def test_leads_are_the_weekdays_after_the_origin():
    mondays = np.where(DAYS.astype(int) % 7 == 4, 5.0, 1.0)  # day 0 of time was a Thursday
    weekly = CountHistory(steps=DAYS, counts=np.broadcast_to(mondays[:, None, None], (160, 2, 6)))
    sunday = DAYS[DAYS.astype(int) % 7 == 3][-2:-1]

    (week,) = BASELINES["day_of_week"].fit(weekly, SPLIT).rolling(weekly, sunday, 7).expected_count

    assert week[:, 0, 0].argmax() == 0  # lead 1 is the Monday


def test_settings_are_tried_on_the_day_after_each_origin():
    asked = []

    def spy(known, target, columns):
        asked.append((known.origin, target))
        return decayed_mean(known, target, columns)

    StreetBaseline(name="spy", rule=spy, grid=((7.0,), (70.0,))).fit(HISTORY, SPLIT)

    tried = np.array(asked[: SPLIT.validation_days.size])
    np.testing.assert_array_equal(tried[:, 1], SPLIT.validation_days)
    np.testing.assert_array_equal(tried[:, 0], SPLIT.validation_days - 1)


def test_types_of_different_settings_do_not_mix():
    fitted = replace(BASELINES["ewma"].fit(HISTORY, SPLIT), settings=((7.0,), (2000.0,)))
    swapped = replace(fitted, settings=((2000.0,), (7.0,)))

    mixed = fitted.rolling(HISTORY, TEST_ORIGINS, 1).expected_count
    other = swapped.rolling(replace(HISTORY, counts=COUNTS[:, ::-1]), TEST_ORIGINS, 1)

    np.testing.assert_allclose(mixed, other.expected_count[:, :, ::-1])


def test_a_grid_beyond_the_budget_is_refused():
    with pytest.raises(ValueError, match="1 to 24 settings, like every other one; keen has 25"):
        StreetBaseline(name="keen", rule=decayed_mean, grid=((7.0,),) * 25)


def test_another_number_of_types_is_refused():
    fitted = BASELINES["ewma"].fit(HISTORY, SPLIT)

    with pytest.raises(ValueError, match="ewma was fitted on 2 offence types; the history has 1"):
        fitted.rolling(replace(HISTORY, counts=COUNTS[:, :1]), TEST_ORIGINS, 1)


def test_a_matrix_of_another_graph_is_refused():
    other = street_baselines(sparse.csr_array(np.eye(4)))

    with pytest.raises(ValueError, match="diffusion matrix has 4 nodes, the history has 6"):
        other["gamma_poisson"].fit(HISTORY, SPLIT)


def test_a_baseline_has_nothing_more_to_learn_from_validation_days():
    once = BASELINES["ewma"].fit(HISTORY, SPLIT)
    more = BASELINES["ewma"].fit(HISTORY, SPLIT, learn_from_validation=True)

    assert (once.settings, once.alpha) == (more.settings, more.alpha)


def test_a_saved_baseline_forecasts_as_before(tmp_path):
    fitted = BASELINES["network_smoothed"].fit(HISTORY, SPLIT)

    fitted.save(tmp_path / "fit")
    again = BASELINES["network_smoothed"].load(tmp_path / "fit")

    assert again == fitted
