import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.metrics.turning_points import Turn, judge_turns, turning_points

# 3-step means at steps 1..7: 110, 143.3, 183.3, 213.3, 186.7, 146.7, 110
TOTALS = np.array([100.0, 110, 120, 200, 230, 210, 120, 110, 100])
PEAK = Turn(4, "peak")
NONE = np.full(9, np.nan)


def judged(expected: np.ndarray, turns=(PEAK,), **deviances: np.ndarray):
    flat = {"deviance": np.ones(9), "baseline_deviance": np.ones(9)}
    return judge_turns(expected, TOTALS, turns, **flat | deviances)


def shifted(lag: int) -> np.ndarray:
    return np.concatenate([np.full(lag, np.nan), TOTALS[: 9 - lag]])


def test_a_hill_has_one_peak_and_its_ends_are_no_turns():
    assert turning_points(TOTALS) == (PEAK,)


def test_a_valley_has_one_trough():
    assert turning_points(330 - TOTALS) == (Turn(4, "trough"),)


def test_a_wave_that_noise_could_make_does_not_turn():
    # means of 3: 100 to 110 and back, a rise of 10; noise of such a gap is
    # 2 sqrt((100 + 110) / 3) = 16.7
    totals = np.array([100.0, 100, 100, 110, 110, 110, 100, 100, 100])

    assert turning_points(totals) == ()


def test_the_same_wave_with_a_hundred_times_the_incidents_turns():
    # a rise of 1000 against 2 sqrt((10000 + 11000) / 3) = 167
    totals = 100 * np.array([100.0, 100, 100, 110, 110, 110, 100, 100, 100])

    assert turning_points(totals) == (Turn(4, "peak"),)


def test_a_single_odd_month_is_smoothed():
    # means of 3 rise by 40 / 3 = 13 only, below 2 sqrt(213 / 3) = 16.9
    assert turning_points(np.array([100.0, 100, 100, 140, 100, 100, 100])) == ()


def test_too_short_a_series_has_no_turn():
    assert turning_points(np.array([1.0, 900.0])) == ()


@given(st.lists(st.integers(0, 3000), max_size=40))
def test_peaks_and_troughs_alternate_in_order(totals):
    turns = turning_points(np.array(totals, dtype=float))

    steps = [turn.step for turn in turns]
    directions = [turn.direction for turn in turns]
    assert steps == sorted(set(steps))
    assert directions == [
        ("peak", "trough")[(i + (directions[:1] == ["trough"])) % 2] for i in range(len(directions))
    ]


def test_totals_that_are_not_numbers_are_refused():
    with pytest.raises(ValueError, match="every total must be a finite number >= 0"):
        turning_points(np.array([1.0, np.nan, 2.0]))


def test_scores_at_a_turn_by_hand():
    expected = NONE.copy()
    expected[3:7] = [200.0, 220, 240, 120]
    deviance, baseline = np.full(9, 100.0), np.full(9, 100.0)
    deviance[4:6], baseline[4:6] = (3.0, 5.0), (4.0, 12.0)

    scores = judged(expected, deviance=deviance, baseline_deviance=baseline)

    assert scores.n_turns == 1
    assert scores.deviance_skill == 1 - (3 + 5) / (4 + 12)
    # step 4: 220 after 200, it rose to 230, right; step 5: 240 after 230, it fell to 210, wrong
    assert scores.share_right_direction == 1 / 2
    # squared misses of steps 3..6: lag 0 has 0 + 100 + 900 + 0, lag 1 80^2 + 400 + 100 + 90^2
    assert scores.lag_months == 0


@pytest.mark.parametrize("lag", [0, 1, 2])
def test_a_forecast_that_repeats_an_earlier_month_lags_by_as_much(lag):
    assert judged(shifted(lag)).lag_months == lag


def test_a_forecast_that_knows_the_month_foresees_every_direction():
    assert judged(TOTALS).share_right_direction == 1.0


def test_repeating_last_month_foresees_no_direction():
    assert judged(shifted(1)).share_right_direction == 0.0


def test_two_neighbouring_turns_count_a_shared_step_once():
    expected = TOTALS.copy()
    expected[5] = 240.0  # wrong: after 230 it fell

    scores = judged(expected, turns=(PEAK, Turn(5, "trough")))

    assert scores.n_turns == 2
    assert scores.share_right_direction == 2 / 3  # steps 4, 5 and 6


def test_a_turn_that_was_not_forecast_does_not_count():
    scores = judged(NONE)

    assert scores.n_turns == 0
    assert math.isnan(scores.deviance_skill)
    assert math.isnan(scores.share_right_direction)
    assert scores.lag_months is None
