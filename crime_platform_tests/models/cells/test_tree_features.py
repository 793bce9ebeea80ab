import math
from dataclasses import replace

import numpy as np
import pytest

from crime_platform.models.cells.tree_features import (
    CITY_FEATURES,
    FeatureSettings,
    feature_blocks,
    neighbourhood_mean,
)
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import IncompleteDataError

SETTINGS = FeatureSettings(
    cell_decay=0.5, decays=(0.5, 1.0), near_decays=(0.5,), bandwidths=(1.0,), n_lags=2
)
NAMES = feature_blocks(
    CountHistory(steps=np.datetime64("2019-01") + np.arange(12), counts=np.ones((12, 2, 1, 2))),
    SETTINGS,
    first=11,
    horizon=1,
)[0].names


def history(n_steps=30, seed=0):
    steps = np.datetime64("2018-01") + np.arange(n_steps)
    counts = np.random.default_rng(seed).poisson(0.4, (n_steps, 2, 4, 3)).astype(np.float64)
    return CountHistory(steps=steps, counts=counts)


def one_cell(counts):
    """A city of one cell and one offence type."""
    steps = np.datetime64("2019-01") + np.arange(len(counts))
    return CountHistory(steps=steps, counts=np.reshape(counts, (-1, 1, 1, 1)).astype(np.float64))


def last_row(known, name, *, settings=SETTINGS, lead=1):
    """One feature of the first cell and type at the last step."""
    (block,) = feature_blocks(known, settings, first=len(known.steps) - 1, horizon=lead)
    return block.rows(lead)[0, block.names.index(name)]


def city(known, name, *, lead=1):
    (block,) = feature_blocks(known, SETTINGS, first=len(known.steps) - 1, horizon=lead)
    return block.city[lead - 1, :, CITY_FEATURES.index(name)]


@pytest.mark.parametrize("name", NAMES)
def test_no_feature_knows_the_target_or_anything_after(name):
    known, tampered = history(), history()
    tampered.counts[20:] = 999.0

    left, right = (feature_blocks(h, SETTINGS, first=19, horizon=2)[0] for h in (known, tampered))

    column = left.names.index(name)
    np.testing.assert_array_equal(left.rows(1)[:, column], right.rows(1)[:, column])
    np.testing.assert_array_equal(left.rows(2)[:, column], right.rows(2)[:, column])


def test_no_mark_knows_the_target_or_anything_after():
    known = history()
    marked = {"premises_house": (known.counts > 0).astype(np.uint16)}
    late = {"premises_house": marked["premises_house"].copy()}
    late["premises_house"][20:] = 9

    left, right = (
        feature_blocks(replace(known, marked=each), SETTINGS, first=19, horizon=1)[0]
        for each in (marked, late)
    )

    assert {"premises_house", "any_premises_house"} <= set(left.names)
    np.testing.assert_array_equal(left.rows(1), right.rows(1))


def test_a_mark_is_the_log_of_its_slow_ewma_over_that_of_all_incidents():
    # Decay 0.5, two incidents of which one in a house, and a month before four, none in a house:
    # (2 + 0.5 * 4) / w against (1 + 0.5 * 0) / w, where w = 2 - 0.5**11.
    known = one_cell([0] * 10 + [4, 2])
    in_house = np.zeros(known.counts.shape, dtype=np.uint16)
    in_house[-1] = 1
    known = replace(known, marked={"premises_house": in_house})

    found = last_row(known, "premises_house"), last_row(known, "any_premises_house")

    weight = 2 - 0.5**11
    expected = math.log((1 / weight + 0.01) / (4 / weight + 0.01))
    assert found == pytest.approx((expected, expected), rel=1e-5)


def test_neither_base_nor_city_nor_cells_know_the_target():
    known, tampered = history(), history()
    tampered.counts[20:] = 999.0

    left, right = (feature_blocks(h, SETTINGS, first=19, horizon=2)[0] for h in (known, tampered))

    np.testing.assert_array_equal(left.base, right.base)
    np.testing.assert_array_equal(left.city, right.city)
    np.testing.assert_array_equal(left.cells, right.cells)


def test_rows_do_not_depend_on_the_origins_asked_for_beside_them():
    alone = feature_blocks(history(20), SETTINGS, first=19, horizon=2)[0]

    beside = feature_blocks(history(), SETTINGS, first=12, horizon=2)[19 - 12]

    assert beside.origin == 19
    np.testing.assert_array_equal(alone.rows(2), beside.rows(2))


def test_a_cell_takes_part_from_its_first_incident_on():
    counts = np.zeros((14, 1, 2, 2))
    counts[3, 0, 0, 1] = 1
    counts[13, 0, 1, 0] = 1
    known = CountHistory(steps=np.datetime64("2019-01") + np.arange(14), counts=counts)

    before, after = feature_blocks(known, SETTINGS, first=12, horizon=1)

    assert (before.cells.tolist(), after.cells.tolist()) == ([1], [1, 2])


def test_base_is_the_slow_share_times_the_fast_total_per_day():
    # Two cells, two months that matter: cell 0 has 4 and 2 incidents, cell 1 none and 6. Decay 0.5:
    # cell 0 (2 + 0.5 * 4) / w, cell 1 (6 + 0.5 * 0) / w: shares 4 / 10 and 6 / 10.
    counts = np.zeros((12, 1, 1, 2))
    counts[10, 0, 0], counts[11, 0, 0] = [4, 0], [2, 6]
    known = CountHistory(steps=np.datetime64("2019-01") + np.arange(12), counts=counts)
    settings = FeatureSettings(cell_decay=0.5, level_decay=0.5)

    (block,) = feature_blocks(known, settings, first=11, horizon=1)

    # Level: 8 in the 31 days of December, half of 4 in the 30 of November, over 1 + 1/2 + ... ~ 2
    per_day = (8 / 31 + 0.5 * 4 / 30) / (2 - 0.5**11)
    np.testing.assert_allclose(block.base[0], np.array([0.4, 0.6]) * per_day * 30.436875, rtol=1e-6)


def test_ewmas_are_log_ratios_to_the_slow_one():
    known = one_cell([0] * 10 + [3, 1])

    # Decay 0.5: (1 + 1.5) / (2 - 0.5**11) = 1.2503; the mean is 4 / 12.
    slow = 2.5 / (2 - 0.5**11)
    assert last_row(known, "log_slow") == pytest.approx(math.log(slow + 0.01))
    assert last_row(known, "ewma_0.5") == pytest.approx(0, abs=1e-6)
    expected = math.log((1 / 3 + 0.01) / (slow + 0.01))
    assert last_row(known, "ewma_1.0") == pytest.approx(expected, rel=1e-5)


def test_lags_count_back_from_the_origin():
    known = one_cell(range(1, 14))

    assert [last_row(known, f"lag_{lag}") for lag in (1, 2, 12)] == [13, 12, 2]


def test_months_since_the_last_incident():
    known = one_cell([0, 5] + [0] * 11)

    assert last_row(known, "months_since") == 11
    assert last_row(known, "months_since_any") == 11


def test_months_since_is_unknown_for_a_type_that_never_happened():
    counts = np.zeros((12, 2, 1, 1))
    counts[:, 1] = 1
    known = CountHistory(steps=np.datetime64("2019-01") + np.arange(12), counts=counts)

    assert np.isnan(last_row(known, "months_since"))
    assert last_row(known, "months_since_any") == 0


def test_the_targets_calendar_month_is_compared_with_all_months():
    # January 2020 is known: 6 incidents there, 6 in the 12 other months; the next target is
    # February (1 incident in 2019), the one after it March (none).
    known = one_cell([3, 1] + [0] * 9 + [2, 6])

    mean = 12 / 13
    february = math.log((1 + 0.1) / (mean + 0.1))
    assert last_row(known, "same_month") == pytest.approx(february, rel=1e-5)
    march = math.log(0.1 / (mean + 0.1))
    assert last_row(known, "same_month", lead=2) == pytest.approx(march, rel=1e-5)


def test_a_row_knows_the_other_types_of_its_cell():
    counts = np.zeros((12, 2, 1, 1))
    counts[:, 0], counts[:, 1] = 1, 3
    known = CountHistory(steps=np.datetime64("2019-01") + np.arange(12), counts=counts)

    assert last_row(known, "type_1_slow") == pytest.approx(math.log(3.01), rel=1e-5)
    assert last_row(known, "any_slow") == pytest.approx(math.log(4.01), rel=1e-5)
    assert last_row(known, "share_of_any") == pytest.approx(1.01 / 4.02, rel=1e-5)


def test_a_row_knows_its_place_and_type():
    (block,) = feature_blocks(history(), SETTINGS, first=29, horizon=1)

    place = [block.names.index(name) for name in ("row", "col", "type")]
    cell = block.cells[5]
    assert block.rows(1)[len(block.cells) + 5, place].tolist() == [cell // 3, cell % 3, 1]


def test_a_neighbourhood_is_a_mean_over_the_cells_that_take_part():
    values = np.array([[2.0, 4.0, 0.0]])
    cells = np.array([[True, True, False]])

    mean = neighbourhood_mean(values, cells, 1.0)

    # Weights fall with exp(-d**2 / 2): 1 and 0.6065 for cells side by side.
    near = math.exp(-0.5)
    assert mean[0, 0] == pytest.approx((2 + near * 4) / (1 + near))
    assert mean[0, 1] == pytest.approx((near * 2 + 4) / (near + 1))


def test_a_constant_map_stays_constant_when_smoothed():
    values = np.full((2, 5, 6), 3.0)

    mean = neighbourhood_mean(values, np.ones((5, 6), dtype=bool), 2.0)

    np.testing.assert_allclose(mean, 3.0, rtol=1e-12)


def test_city_knows_season_and_calendar_of_the_target():
    known = one_cell([1] * 12)  # 2019, the target is January 2020

    assert city(known, "annual_cosine") == pytest.approx(1)
    assert city(known, "days_in_month") == 31
    # January 2020 has 8 Saturdays and Sundays, the usual share of 31 days is 8.857.
    assert city(known, "weekend_days") == pytest.approx((8 - 31 * 2 / 7) / 2)
    assert city(known, "holidays") == 0


def test_city_knows_holidays_to_come():
    holidays = np.array(["2020-01-01", "2020-01-04"], dtype="datetime64[D]")  # the 4th: a Saturday
    counts = np.ones((12, 1, 1, 1))
    steps = np.datetime64("2019-01") + np.arange(12)

    known = CountHistory(steps=steps, counts=counts, holidays=holidays)

    assert city(known, "holidays") == 0.5  # one weekday, in units of two


def test_city_levels_compare_recent_months_with_the_base():
    counts = np.zeros((12, 2, 1, 1))
    counts[:, 0] = 31
    counts[11, 1] = 62
    known = CountHistory(steps=np.datetime64("2019-01") + np.arange(12), counts=counts)

    (block,) = feature_blocks(known, SETTINGS, first=11, horizon=1)

    december = 2 * 30.436875  # 62 in 31 days
    base = block.base.sum(axis=1)
    of_type = math.log((december + 0.5) / (base[1] + 0.5))
    assert city(known, "level_of_type_1")[1] == pytest.approx(of_type)
    of_city = math.log((1.5 * december + 0.5) / (base.sum() + 0.5))  # 31 more of type 0
    assert city(known, "level_of_city_1").tolist() == pytest.approx([of_city, of_city])


def test_every_setting_changes_the_rows():
    known = history()
    changed = [
        FeatureSettings(cell_decay=0.9),
        FeatureSettings(level_decay=0.9),
        FeatureSettings(decays=(0.5, 0.7, 0.8, 0.9, 1.0)),
        FeatureSettings(near_decays=(0.5, 0.9, 1.0)),
        FeatureSettings(bandwidths=(0.7, 1.5, 3.0, 5.0)),
        FeatureSettings(n_lags=4),
    ]

    default, *others = (
        feature_blocks(known, settings, first=29, horizon=1)[0].rows(1)
        for settings in (FeatureSettings(), *changed)
    )

    same = [np.array_equal(default, rows, equal_nan=True) for rows in others]
    assert same == [False] * len(changed)


def test_a_first_origin_without_a_year_is_an_error():
    with pytest.raises(IncompleteDataError, match="reads 12 steps up to its origin, but only 11"):
        feature_blocks(history(), SETTINGS, first=10, horizon=1)


@pytest.mark.parametrize("wrong", [{"cell_decay": 0.0}, {"level_decay": 1.1}])
def test_a_decay_outside_its_range_is_an_error(wrong):
    with pytest.raises(ValueError, match=r"every decay must be in \(0, 1\]"):
        FeatureSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"decays": (0.5, 0.8)}, {"near_decays": (0.7,)}])
def test_a_decay_that_is_shown_but_not_kept_is_an_error(wrong):
    with pytest.raises(ValueError, match="decays must hold 1 and every one of near_decays"):
        FeatureSettings(**wrong)


def test_a_bandwidth_of_no_cells_is_an_error():
    with pytest.raises(ValueError, match="bandwidths are cells and must be above 0"):
        FeatureSettings(bandwidths=(0.0,))


def test_lags_within_a_year_only():
    with pytest.raises(ValueError, match=r"n_lags must be in 1\.\.11, got 12"):
        FeatureSettings(n_lags=12)
