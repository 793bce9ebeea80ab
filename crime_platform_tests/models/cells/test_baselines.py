import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.models.baseline_tuning import TUNING_BUDGET
from crime_platform.models.cells.baselines import (
    BASELINES,
    SIMPLICITY,
    Baseline,
    seasonal_ratio,
    shrunk,
)
from crime_platform.models.count_distribution import NEVER_ACTIVE_RATE, rate_floor
from crime_platform.models.empirical_bayes import discounted
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import IncompleteDataError

every_baseline = pytest.mark.parametrize("baseline", BASELINES.values(), ids=list(BASELINES))
TUNED = {name: each for name, each in BASELINES.items() if name != "historical_average"}
every_tuned_baseline = pytest.mark.parametrize("baseline", TUNED.values(), ids=list(TUNED))


def history_of(counts: np.ndarray) -> CountHistory:
    """Months from January 2018 on."""
    return CountHistory(steps=np.datetime64("2018-01") + np.arange(len(counts)), counts=counts)


def random_counts(steps: int = 40) -> np.ndarray:
    return np.random.default_rng(0).poisson(0.7, (steps, 2, 3, 4)).astype(np.float32)


def ramp(steps: int) -> CountHistory:
    """One type in one cell: month i has i incidents."""
    return history_of(np.arange(float(steps)).reshape(-1, 1, 1, 1))


def forecast_of(name: str, history: CountHistory, position: int, horizon: int = 1) -> np.ndarray:
    origin = history.steps[position]
    return BASELINES[name].fit(history, origin).forecast(history, origin, horizon).expected_count


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("historical_average", 12.5),  # 0..25
        ("last_month", 25.0),
        ("same_month_last_year", 14.0),  # target 26, a year before is 14
        ("rolling_mean_3", 24.0),  # 23, 24, 25
        ("rolling_mean_6", 22.5),  # 20..25
        ("rolling_mean_12", 19.5),  # 14..25
        ("rolling_mean_24", 13.5),  # 2..25
    ],
)
def test_rules_by_hand_on_a_ramp(name, expected):
    assert forecast_of(name, ramp(30), 25)[0, 0, 0, 0] == pytest.approx(expected)


def test_same_month_last_year_follows_the_lead():
    leads = forecast_of("same_month_last_year", ramp(40), 25, horizon=14)[:, 0, 0, 0]

    np.testing.assert_array_equal(leads[:3], [14.0, 15.0, 16.0])
    np.testing.assert_array_equal(leads[11:], [25.0, 14.0, 15.0])  # lead 13 is one year further


def ewma_of(counts, decay):
    """The mean that the rule `ewma` takes, before it is shrunk."""
    sums, weights = discounted(counts, [decay])
    return sums[0] / weights[0]


def test_ewma_by_hand():
    counts = np.array([1.0, 2.0, 4.0]).reshape(3, 1)

    rate = ewma_of(counts, 0.5)

    np.testing.assert_allclose(rate, [3.0])  # (1/4 * 1 + 1/2 * 2 + 1 * 4) / (7/4) = 21/7


@given(st.floats(0.5, 1.0), st.integers(1, 30))
def test_ewma_of_a_constant_is_the_constant(decay, steps):
    np.testing.assert_allclose(ewma_of(np.full((steps, 2), 3.5), decay), [3.5, 3.5])


def test_ewma_without_decay_is_the_mean():
    counts = random_counts()

    np.testing.assert_allclose(ewma_of(counts, 1.0), counts.mean(axis=0), rtol=1e-5)


def test_seasonal_ratio_by_hand():
    # 1 a month but 13 in December, two cells: the 12 months before a December hold one December
    counts = np.ones((36, 1, 2))
    counts[11::12] = 13.0

    ratio = seasonal_ratio(history_of(counts), 11)

    np.testing.assert_allclose(ratio, [6.5])  # 13 / ((13 + 11 * 1) / 12) = 13 / 2


def test_seasonal_ratio_pools_years_and_reads_the_12_months_before():
    # ramp: Februaries 13 and 25; the 12 months before them are 1..12, mean 6.5, and 13..24, 18.5
    np.testing.assert_allclose(seasonal_ratio(ramp(26), 1), [(13 + 25) / (6.5 + 18.5)])


def test_mean12_seasonal_by_hand():
    counts = np.ones((37, 1, 2))
    counts[11::12] = 13.0

    november, december = (forecast_of("mean12_seasonal", history_of(counts), p) for p in (33, 34))

    # the last 12 months have mean (13 + 11) / 12 = 2, November has ratio 1/2, December 13/2
    np.testing.assert_allclose(november, np.ones((1, 1, 2)))
    np.testing.assert_allclose(december, np.full((1, 1, 2), 13.0))


def test_seasonal_ratio_is_one_where_nothing_was_recorded():
    np.testing.assert_array_equal(seasonal_ratio(history_of(np.zeros((25, 3, 2))), 0), np.ones(3))


def test_mean12_seasonal_tempers_its_ratio_with_an_exponent():
    counts = np.ones((35, 1, 2))
    counts[11::12] = 13.0
    history = history_of(counts)

    plain, tempered = BASELINES["mean12_seasonal"].rule(
        history, history.steps[-1] + 1, [(0.0, 1.0), (0.0, 0.5)]
    )

    # December: the mean of the last 12 months is 2, the ratio 13 / 2
    np.testing.assert_allclose(plain, np.full((1, 2), 13.0))
    np.testing.assert_allclose(tempered, np.full((1, 2), 2 * 6.5**0.5))


def test_shrinking_by_hand():
    rates = np.array([[[4.0, 0.0, 2.0, 0.0]]])
    is_active = np.array([True, True, True, False])

    half, none = shrunk(rates, np.array([0.5, 0.0]), is_active)

    # the mean of the three active units is 2: half way to it lie 3, 1 and 2
    np.testing.assert_allclose(half, [[3.0, 1.0, 2.0, 0.0]])
    np.testing.assert_array_equal(none, rates[0])


@given(st.lists(st.integers(0, 9), min_size=2, max_size=12), st.floats(0, 0.95))
def test_shrinking_keeps_the_order_of_units_and_the_total(counts, share):
    rates = np.reshape(np.array(counts, dtype=float), (1, 1, -1))

    moved = shrunk(rates, np.array([share]), np.ones(len(counts), dtype=bool))

    assert moved.sum() == pytest.approx(rates.sum())
    order = np.argsort(rates[0, 0], kind="stable")
    assert (np.diff(moved[0, 0, order]) >= -1e-12).all()


def test_last_month_still_orders_places_by_last_month():
    history = history_of(random_counts())

    expected = forecast_of("last_month", history, len(history.steps) - 1)[0]

    order = history.counts[-1].reshape(2, -1).argsort(axis=1, kind="stable")
    in_order = np.take_along_axis(expected.reshape(2, -1), order, axis=1)
    assert (np.diff(in_order, axis=1) >= -1e-12).all()


def test_the_historical_average_calls_a_place_without_incidents_next_to_impossible():
    counts = random_counts()
    counts[:, :, 0] = 0.0

    expected = forecast_of("historical_average", history_of(counts), 39)

    np.testing.assert_array_equal(expected[0, :, 0], np.full((2, 4), NEVER_ACTIVE_RATE))


def test_ewma_learns_a_long_memory_for_a_steady_type_and_a_short_one_for_a_moving_type():
    rng = np.random.default_rng(1)
    steady = rng.poisson(rng.gamma(2.0, 1.0, 200), (60, 1, 200))
    moving = rng.poisson(np.where(np.arange(60) < 40, 1.0, 6.0)[:, None, None], (60, 1, 200))
    history = history_of(np.concatenate([steady, moving], axis=1).astype(float))

    settings = BASELINES["ewma"].fit(history, history.steps[-1]).settings

    assert [decay for decay, _ in settings] == [0.99, 0.80]


def test_ewma_forecast_uses_the_setting_of_each_type():
    history = history_of(random_counts())
    fitted = BASELINES["ewma"].fit(history, history.steps[-1])

    expected = fitted.forecast(history, history.steps[-1], 1).expected_count[0]

    decay, share = fitted.settings[1]
    rate = ewma_of(history.counts, decay)[1]
    towards_mean = (1 - share) * rate + share * rate.mean()  # every place is active
    np.testing.assert_allclose(expected[1], np.maximum(towards_mean, rate_floor(history)[1]))


@every_tuned_baseline
def test_every_baseline_is_tuned_over_the_same_number_of_settings(baseline):
    assert len(set(baseline.grid)) == TUNING_BUDGET


def test_only_the_historical_average_has_nothing_to_tune():
    assert [each.name for each in BASELINES.values() if each.grid == ((),)] == [
        "historical_average"
    ]


@every_tuned_baseline
def test_every_setting_gives_another_forecast(baseline):
    counts = random_counts()
    counts[:, 1] *= np.arange(40)[:, None, None] % 12  # a season, and rare enough for any floor
    counts[:, 0, 1] = 0.0
    history = history_of(counts)

    rates = baseline.rule(history, history.steps[-1] + 1, baseline.grid)

    assert len(np.unique(rates.reshape(TUNING_BUDGET, -1), axis=0)) == TUNING_BUDGET


@every_baseline
def test_forecasts_ignore_everything_after_the_origin(baseline):
    counts = random_counts()
    tampered = counts.copy()
    tampered[31:] = 999.0
    origin = history_of(counts).steps[30]

    clean, leaky = (baseline.fit(history_of(c), origin) for c in (counts, tampered))

    assert clean == leaky
    np.testing.assert_array_equal(
        clean.forecast(history_of(counts), origin, 3).expected_count,
        clean.forecast(history_of(tampered), origin, 3).expected_count,
    )


@every_baseline
def test_forecasts_read_months_after_the_fit(baseline):
    history = history_of(random_counts())
    fitted = baseline.fit(history, history.steps[30])

    early, late = (fitted.forecast(history, history.steps[i], 1) for i in (30, 36))

    assert (early.expected_count != late.expected_count).any()


@every_baseline
def test_forecasts_never_fall_below_the_floor(baseline):
    counts = random_counts()
    counts[:, :, 0] = 0.0
    history = history_of(counts)
    origin = history.steps[-1]

    expected = baseline.fit(history, origin).forecast(history, origin, 3).expected_count

    assert (expected >= rate_floor(history)).all()


@every_baseline
def test_dispersion_is_one_number_per_offence_type(baseline):
    wide = np.random.default_rng(2).negative_binomial(0.5, 0.2, (40, 1, 3, 4)) * 1.0  # alpha 2
    even = np.full((40, 1, 3, 4), 2.0)
    history = history_of(np.concatenate([wide, even], axis=1))
    origin = history.steps[-1]

    fitted = baseline.fit(history, origin)

    assert fitted.alpha[0] > 0.5
    assert fitted.alpha[1] == 0.0
    spread = fitted.forecast(history, origin, 2).dispersion
    np.testing.assert_array_equal(spread[1, 0], np.full((3, 4), fitted.alpha[0]))


@every_baseline
def test_a_fitted_baseline_is_plain_json(baseline):
    history = history_of(random_counts())

    fitted = asdict(baseline.fit(history, history.steps[-1]))

    assert json.loads(json.dumps(fitted))["name"] == baseline.name


@every_baseline
def test_the_order_of_units_never_matters(baseline):
    counts = random_counts()
    history, mirrored = history_of(counts), history_of(counts[..., ::-1].copy())
    origin = history.steps[-1]

    expected = baseline.fit(history, origin).forecast(history, origin, 2).expected_count
    mirror = baseline.fit(mirrored, origin).forecast(mirrored, origin, 2).expected_count

    np.testing.assert_allclose(mirror[..., ::-1], expected)


@every_baseline
def test_the_shortest_history_is_enough_and_one_month_less_is_not(baseline):
    history = history_of(random_counts(baseline.min_history_months))

    assert baseline.fit(history, history.steps[-1]).name == baseline.name
    with pytest.raises(IncompleteDataError) as refused:
        baseline.fit(history, history.steps[-2])
    assert f"needs {baseline.min_history_months} months" in str(refused.value)
    assert f"holds {baseline.min_history_months - 1}" in str(refused.value)


def test_a_forecast_from_too_early_an_origin_is_refused():
    history = history_of(random_counts())
    fitted = BASELINES["rolling_mean_12"].fit(history, history.steps[-1])

    with pytest.raises(IncompleteDataError, match="rolling_mean_12 needs 13 months"):
        fitted.forecast(history, history.steps[5], 1)


def test_baselines_refuse_days():
    days = CountHistory(steps=np.datetime64("2020-01-01") + np.arange(9), counts=np.ones((9, 1, 1)))

    with pytest.raises(ValueError, match="last_month reads months"):
        BASELINES["last_month"].fit(days, days.steps[-1])


def test_seasonal_ratio_refuses_a_month_without_a_year_before_it():
    with pytest.raises(IncompleteDataError, match="calendar month 12 needs that month"):
        seasonal_ratio(history_of(np.ones((12, 1, 1))), 11)


def test_baselines_are_keyed_by_their_own_name_and_the_opponent_comes_first():
    assert [baseline.name for baseline in BASELINES.values()] == list(BASELINES)
    assert sorted(SIMPLICITY) == sorted(BASELINES)
    assert SIMPLICITY[0] == "historical_average"
    assert SIMPLICITY[-1] == "empirical_bayes"
    assert isinstance(BASELINES["ewma"], Baseline)
