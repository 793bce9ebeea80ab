"""What a street network is shown: by hand, against an obvious twin, and never from tomorrow."""

from dataclasses import replace

import numpy as np
import pytest

from crime_platform.tensors.street_counts import DayCovariates
from crime_platform.tensors.street_inputs import (
    LEAST_RATE,
    StreetInputs,
    day_covariates,
    feature_matrix,
    shown_at,
)
from crime_platform.vocabulary.forecast import CountHistory

FEW = StreetInputs(
    lookback=5,
    half_lives=(4.0,),
    base_half_lives=(8.0, 16.0),
    mark_half_lives=(2.0,),
    level_half_life=3.0,
)
NO_FEATURES = np.zeros((3, 0))


def history_of(counts, **more):
    first = np.datetime64("2021-03-01")  # a Monday
    steps = first + np.arange(len(counts))
    return CountHistory(steps=steps, counts=counts.astype(np.float32), **more)


@pytest.fixture
def busy():
    rng = np.random.default_rng(1)
    counts = rng.poisson(0.6, (40, 2, 3)).astype(np.float32)
    return history_of(counts, marked={"hours_night": (counts > 1).astype(np.float16)})


def only(history, position, inputs=FEW, features=NO_FEATURES, **more):
    return next(shown_at(history, [position], inputs, features, **more))


def test_windows_double_up_to_the_lookback():
    assert StreetInputs(lookback=28).windows == (1, 2, 4, 8, 16, 28)
    assert StreetInputs(lookback=1).windows == (1,)
    assert StreetInputs(lookback=8).windows == (1, 2, 4, 8)


def test_lookback_channels_by_hand():
    counts = np.zeros((8, 1, 3))
    counts[7, 0, 0] = 2  # today
    counts[4, 0, 0] = 1  # three days ago: within 4 and 5 days
    counts[2, 0, 0] = 9  # five days ago: before the lookback of 5 days

    shown = only(history_of(counts), 7)

    # channels: log base, one ratio, then the windows of 1, 2, 4 and 5 days
    np.testing.assert_allclose(shown.channels[0, 0, 2:6], np.log1p([2, 2, 3, 3]), rtol=1e-6)
    np.testing.assert_array_equal(shown.channels[0, 1, 2:6], 0)


def test_base_is_the_mean_of_its_weighted_means(busy):
    shown = only(busy, 20)

    age = 20 - np.arange(21)
    means = [
        np.tensordot(0.5 ** (age / half_life), busy.counts[:21], axes=1)
        / (0.5 ** (age / half_life)).sum()
        for half_life in FEW.base_half_lives
    ]
    np.testing.assert_allclose(shown.base[0], np.mean(means, axis=0), rtol=1e-5)


def test_ratio_and_mark_channels_follow_their_formulas(busy):
    shown = only(busy, 20)

    age = 20 - np.arange(21)
    of_ratio, of_mark = 0.5 ** (age / 4.0), 0.5 ** (age / 2.0)
    mean = np.tensordot(of_ratio, busy.counts[:21], axes=1) / of_ratio.sum()
    night = busy.marked["hours_night"][:21].astype(float)
    mark = np.tensordot(of_mark, night, axes=1) / of_mark.sum()
    ratio = np.log(mean + LEAST_RATE) - np.log(shown.base[0] + LEAST_RATE)
    np.testing.assert_allclose(shown.channels[0, :, 2:4], ratio.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        shown.channels[0, :, -2:], np.log(mark + LEAST_RATE).T, rtol=1e-4, atol=1e-5
    )


def test_nothing_recorded_has_a_base_above_zero():
    shown = only(history_of(np.zeros((10, 1, 3))), 9)

    np.testing.assert_allclose(shown.base, 0.5 / 10)
    np.testing.assert_allclose(shown.level, 0.5 / 10)


def test_level_of_a_steady_week_ignores_the_weekday():
    week = np.array([1, 1, 1, 1, 3, 5, 2.0])  # 14 a week
    counts = np.tile(week, 20)[:, None, None] * np.array([1.0, 0, 0])
    levels = [only(history_of(counts), day).level[0, 0] for day in (130, 133, 136)]

    np.testing.assert_allclose(levels, 2.0, rtol=1e-3)


def test_weekday_channel_knows_the_busy_day_of_a_node():
    counts = np.zeros((70, 1, 3))
    counts[4::7, 0, 0] = 3  # node 0: Fridays only
    sunday = 69 - (69 - 6) % 7
    shown = only(history_of(counts), sunday, horizon=7)

    by_lead = shown.weekdays[0, :, 0, 0]
    assert by_lead.argmax() == 4  # from a Sunday the fifth day is a Friday
    np.testing.assert_array_equal(shown.weekdays[0, :, 1], 0)  # no incident, no pattern


def test_features_stand_last():
    counts = np.zeros((6, 1, 3))
    features = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])

    shown = only(history_of(counts), 5, features=features)

    np.testing.assert_array_equal(shown.channels[0, :, -2:], features)


def test_shown_ignores_every_day_after_the_origin(busy):
    counts, night = busy.counts.copy(), busy.marked["hours_night"].copy()
    counts[21:], night[21:] = 999, 999
    tampered = replace(busy, counts=counts, marked={"hours_night": night})

    before, after = only(busy, 20, horizon=3), only(tampered, 20, horizon=3)

    np.testing.assert_array_equal(before.channels, after.channels)
    np.testing.assert_array_equal(before.weekdays, after.weekdays)
    np.testing.assert_array_equal(before.base, after.base)
    np.testing.assert_array_equal(before.level, after.level)


def test_every_day_of_the_lookback_is_shown(busy):
    counts = busy.counts.copy()
    counts[16] += 1  # the oldest of the five days

    before, after = only(busy, 20), only(replace(busy, counts=counts), 20)

    assert (before.channels[..., 2:10] != after.channels[..., 2:10]).any()


def test_chunks_hold_what_single_origins_show(busy):
    together = list(shown_at(busy, [10, 11, 12, 30], FEW, NO_FEATURES, chunk=3))

    assert [len(part.base) for part in together] == [3, 1]
    np.testing.assert_array_equal(together[0].channels[2], only(busy, 12).channels[0])
    np.testing.assert_array_equal(together[1].channels[0], only(busy, 30).channels[0])


def test_day_covariates_by_hand():
    targets = np.array(["2021-03-01", "2021-01-01"], dtype="datetime64[D]")
    holidays = np.array(["2021-01-01"], dtype="datetime64[D]")
    ahead = DayCovariates(
        days=np.array(["2021-01-01", "2021-01-02"], dtype="datetime64[D]"),
        names=("temperature_c",),
        values=np.array([[-4.0], [1.0]]),
    )

    monday = day_covariates(targets[:1], holidays, None)
    new_year = day_covariates(targets[1:], holidays, ahead)

    assert monday[0, :8].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert new_year[0].tolist() == [0, 0, 0, 0, 1, 0, 0, 1, 0, 1, -4]  # a Friday, angle 0


def test_targets_beyond_the_users_table_are_refused():
    ahead = DayCovariates(
        days=np.array(["2021-01-01"], dtype="datetime64[D]"),
        names=("temperature_c",),
        values=np.array([[-4.0]]),
    )
    targets = np.array(["2021-01-02"], dtype="datetime64[D]")

    with pytest.raises(ValueError, match=r"reach beyond the covariates \['temperature_c'\]"):
        day_covariates(targets, np.array([], dtype="datetime64[D]"), ahead)


def test_feature_columns_follow_their_names():
    matrix = feature_matrix({"b": np.array([1.0, 2.0]), "a": np.array([3.0, 4.0])}, 2)

    assert matrix.tolist() == [[3, 1], [4, 2]]
    assert feature_matrix({}, 5).shape == (5, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lookback": 0}, "lookback: expected at least 1 day, got 0"),
        ({"half_lives": ()}, "every list of half-lives needs numbers above 0"),
        ({"base_half_lives": (0.0,)}, "every list of half-lives needs numbers above 0"),
        ({"level_half_life": -1.0}, "every list of half-lives needs numbers above 0"),
    ],
)
def test_impossible_inputs_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        StreetInputs(**settings)
