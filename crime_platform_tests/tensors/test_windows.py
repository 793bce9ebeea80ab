import numpy as np
import pytest

from crime_platform.tensors.windows import (
    CONTEXT_FEATURES,
    Windows,
    city_context,
    closeness_stack,
    lookback_stack,
    period_stack,
    trend_stack,
)
from crime_platform.vocabulary.forecast import no_days
from crime_platform.vocabulary.timesteps import IncompleteDataError

WINDOWS = Windows(closeness=2, period=2, trend=1)
ORIGIN = 26


def counted_steps(n_steps=30):
    """Step number as the count of type 0, step number + 100 as the count of type 1."""
    steps = np.arange(n_steps, dtype=np.float64)
    maps = np.stack([steps, steps + 100], axis=1)[:, :, None, None]
    return np.broadcast_to(maps, (n_steps, 2, 3, 2)).copy()


def feature(context, name):
    return context[..., CONTEXT_FEATURES.index(name)]


def test_closeness_ends_at_the_origin():
    stack = closeness_stack(counted_steps(), ORIGIN, WINDOWS)

    assert stack[:, 0, 0].tolist() == [25, 125, 26, 126]


def test_period_shows_the_targets_months_of_earlier_years():
    stack = period_stack(counted_steps(), ORIGIN, WINDOWS, 2)

    # Targets 27 and 28: two years earlier 3 and 4, one year earlier 15 and 16.
    assert stack[:, 0, 0].tolist() == [3, 103, 4, 104, 15, 115, 16, 116]


def test_trend_is_the_mean_of_the_quarter_before_closeness():
    stack = trend_stack(counted_steps(), ORIGIN, WINDOWS)

    assert stack[:, 0, 0].tolist() == [23, 123]  # months 22, 23, 24; closeness is 25, 26


def test_lookback_stack_keeps_the_step_axis():
    stack = lookback_stack(counted_steps(), ORIGIN, 3)

    assert stack[:, :, 0, 0].tolist() == [[24, 124], [25, 125], [26, 126]]


@pytest.mark.parametrize(
    ("windows", "lookback"),
    [
        (Windows(closeness=3, period=2, trend=2), 24),  # two years
        (Windows(closeness=6, period=1, trend=4), 18),  # 6 months and 4 quarters
    ],
)
def test_lookback_is_what_the_longest_slice_reads(windows, lookback):
    assert windows.lookback == lookback


@pytest.mark.parametrize(
    "stack",
    [
        lambda counts: closeness_stack(counts, ORIGIN, WINDOWS),
        lambda counts: period_stack(counts, ORIGIN, WINDOWS, 3),
        lambda counts: trend_stack(counts, ORIGIN, WINDOWS),
        lambda counts: lookback_stack(counts, ORIGIN, 6),
    ],
)
def test_slices_ignore_everything_after_the_origin(stack):
    counts = np.random.default_rng(0).poisson(2.0, (30, 2, 3, 2)).astype(float)
    tampered = counts.copy()
    tampered[ORIGIN + 1 :] = 999.0

    np.testing.assert_array_equal(stack(counts), stack(tampered))


def test_slices_need_at_least_one_step():
    with pytest.raises(ValueError, match="every ST-ResNet slice needs at least 1 step"):
        Windows(trend=0)


def test_period_refuses_targets_more_than_a_year_ahead():
    with pytest.raises(ValueError, match="known only up to lead 12; got horizon 13"):
        period_stack(counted_steps(), ORIGIN, WINDOWS, 13)


def test_a_slice_that_starts_before_the_first_step_is_an_error():
    with pytest.raises(IncompleteDataError, match="reads 24 steps up to the origin, but only 23"):
        period_stack(counted_steps(), 22, WINDOWS, 1)


def test_context_knows_season_and_length_of_the_target():
    counts = np.ones((12, 2, 3, 2))

    context = city_context(counts, np.ones((2, 3, 2)), np.datetime64("2020-12"), 2, no_days())

    assert feature(context, "annual_cosine")[0].tolist() == [1, 1]  # January
    # February 2021 has 28 days, a mean month 30.436875: 10 ln(28 / 30.436875) = -0.834
    assert feature(context, "month_length")[1] == pytest.approx(-0.834, abs=1e-3)
    assert (feature(context, "always_one") == 1).all()


def test_context_knows_weekends_and_holidays_of_the_target():
    new_year_and_a_sunday = np.array(["2021-01-01", "2021-01-03"], dtype="datetime64[D]")

    context = city_context(
        np.ones((12, 2, 3, 2)),
        np.ones((2, 3, 2)),
        np.datetime64("2020-12"),
        2,
        new_year_and_a_sunday,
    )

    # January 2021 has 31 days and 10 of them on weekends; New Year's Day was a Friday.
    assert feature(context, "weekend_days")[0] == pytest.approx((10 - 31 * 2 / 7) / 2)
    assert feature(context, "holidays")[:, 0].tolist() == [0.5, 0.0]


def test_context_compares_recent_totals_with_the_base_rate():
    counts = np.ones((12, 2, 3, 2))
    counts[-1, 0] = 2.0  # 12 incidents in the last month, 6 in every other
    base = np.ones((2, 3, 2))

    context = city_context(counts, base, np.datetime64("2020-12"), 1, no_days())

    assert feature(context, "level_of_type_1")[0, 0] == pytest.approx(np.log(12.5 / 6.5))
    # Three months: (6 + 6 + 12) / 3 = 8
    assert feature(context, "level_of_type_3")[0, 0] == pytest.approx(np.log(8.5 / 6.5))
    assert feature(context, "level_of_type_1")[0, 1] == 0
    # Both types: 18 in the last month, 12 expected
    assert feature(context, "level_of_city_1")[0, 1] == pytest.approx(np.log(18.5 / 12.5))


def test_context_needs_the_longest_span_of_months():
    with pytest.raises(IncompleteDataError, match="reads 6 steps"):
        city_context(
            np.ones((5, 2, 3, 2)), np.ones((2, 3, 2)), np.datetime64("2020-12"), 1, no_days()
        )
