import numpy as np
import pytest
from scipy import special

from crime_platform.models.baseline_tuning import (
    TUNING_BUDGET,
    KnownCase,
    choose_settings,
    known_cases,
    tuned_rate,
)
from crime_platform.models.cells.baselines import BASELINES
from crime_platform.models.count_distribution import rate_floor
from crime_platform.vocabulary.forecast import CountHistory


def history_of(counts: np.ndarray) -> CountHistory:
    """Months from January 2018 on."""
    return CountHistory(steps=np.datetime64("2018-01") + np.arange(len(counts)), counts=counts)


def random_history(steps: int = 30) -> CountHistory:
    counts = np.random.default_rng(6).poisson(0.6, (steps, 2, 3, 4)).astype(float)
    counts[:, :, 0] = 0.0
    return history_of(counts)


def times_the_month_before(known, _target, settings):
    """A rule for these tests: last month's counts times the one number of a setting."""
    return np.stack([factor * known.counts[-1] for (factor,) in settings])


def test_each_type_gets_the_setting_that_fits_it():
    # two places; the first type doubles every month, the second one stays
    doubling, staying = 2.0 ** np.arange(6), np.full(6, 5.0)
    counts = np.stack([doubling, staying], axis=1)[:, :, None].repeat(2, axis=2)
    cases = known_cases(history_of(counts), first=1)

    chosen = choose_settings(times_the_month_before, [(1.0,), (2.0,), (3.0,)], cases)

    assert chosen == ((2.0,), (1.0,))


@pytest.mark.parametrize("name", ["rolling_mean_3", "ewma", "empirical_bayes"])
def test_the_chosen_setting_has_the_lowest_deviance(name):
    history, baseline = random_history(), BASELINES[name]
    past = [history_of(history.counts[:month]) for month in range(6, 30)]  # the last 24 targets
    brute = sum(
        special.kl_div(
            history.counts[len(known.steps)],
            np.maximum(baseline.rule(known, known.steps[-1] + 1, baseline.grid), rate_floor(known)),
        ).sum(axis=(2, 3))
        for known in past
    )

    chosen = choose_settings(
        baseline.rule, baseline.grid, known_cases(history, first=baseline.rule_months)
    )

    assert chosen == tuple(baseline.grid[best] for best in np.argmin(brute, axis=0))


def test_a_tie_goes_to_the_first_setting():
    cases = known_cases(random_history(), first=1)

    chosen = choose_settings(times_the_month_before, [(0.7,), (0.7,)], cases)

    assert chosen == ((0.7,), (0.7,))


def test_a_single_setting_is_taken_without_trying_it():
    cases = known_cases(random_history(), first=1)

    chosen = choose_settings(lambda *_: np.full(3, np.nan), [(0.5,)], cases)

    assert chosen == ((0.5,), (0.5,))


def test_every_type_is_forecast_under_its_own_setting():
    history = random_history()

    rate = tuned_rate(times_the_month_before, ((3.0,), (1.0,)), history, history.steps[-1] + 1)

    np.testing.assert_array_equal(rate[0], 3 * history.counts[-1, 0])
    np.testing.assert_array_equal(rate[1], history.counts[-1, 1])


def test_known_cases_are_the_last_24_months_each_with_its_own_past_and_floor():
    history = random_history(steps=30)

    cases = known_cases(history, first=1)

    assert [case.month for case in cases] == list(history.steps[6:])
    assert [len(case.past.steps) for case in cases] == list(range(6, 30))
    np.testing.assert_array_equal(cases[0].observed, history.counts[6])
    np.testing.assert_array_equal(cases[0].floor, rate_floor(history.through(history.steps[5])))


def test_known_cases_begin_where_a_rule_has_enough_months():
    cases = known_cases(random_history(steps=8), first=5)

    assert [case.month for case in cases] == list(np.arange("2018-06", "2018-09", dtype="M8[M]"))
    assert isinstance(cases[0], KnownCase)


@pytest.mark.parametrize("settings", [[], [(1.0,)] * (TUNING_BUDGET + 1)])
def test_tuning_refuses_more_than_the_common_budget(settings):
    cases = known_cases(random_history(), first=1)

    with pytest.raises(ValueError, match=f"over 1 to {TUNING_BUDGET} settings"):
        choose_settings(times_the_month_before, settings, cases)


def test_tuning_refuses_to_choose_on_nothing():
    with pytest.raises(ValueError, match="months already known, got none"):
        choose_settings(times_the_month_before, [(1.0,)], [])
