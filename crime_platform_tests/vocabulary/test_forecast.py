from dataclasses import replace

import numpy as np
import pytest

from crime_platform.vocabulary.forecast import CountHistory, ForecastArray
from crime_platform.vocabulary.timesteps import IncompleteDataError, month_range

MONTHS = month_range(np.datetime64("2021-01", "M"), np.datetime64("2021-06", "M"))


def history():
    counts = np.arange(6, dtype=float)[:, None, None, None] * np.ones((6, 1, 2, 2))
    return CountHistory(steps=MONTHS, counts=counts)


def forecast(expected=1.0, dispersion=0.0):
    shape = (3, 1, 2, 2)
    return ForecastArray(
        origin=MONTHS[-1],
        expected_count=np.full(shape, expected),
        dispersion=np.full(shape, dispersion),
    )


def test_through_ends_at_the_origin():
    known = history().through(MONTHS[2])
    assert known.steps.tolist() == MONTHS[:3].tolist()
    assert known.counts.max() == 2


def test_through_ends_the_counts_of_every_mark_too():
    known = replace(history(), marked={"premises_house": history().counts})

    assert known.through(MONTHS[2]).marked["premises_house"].max() == 2


def test_a_mark_on_other_axes_is_refused():
    with pytest.raises(ValueError, match=r"mark 'premises_house' have shape \(5, 1, 2, 2\), those"):
        replace(history(), marked={"premises_house": history().counts[:5]})


def test_a_step_outside_the_history_is_named():
    with pytest.raises(IncompleteDataError, match=r"2021-07 is not in the history 2021-01\.\.2021"):
        history().through(np.datetime64("2021-07", "M"))


def test_a_gap_names_both_sides():
    with pytest.raises(IncompleteDataError, match="after 2021-02 comes 2021-04"):
        CountHistory(steps=MONTHS[[0, 1, 3]], counts=np.zeros((3, 1, 2, 2)))


def test_steps_and_slices_must_pair_up():
    with pytest.raises(ValueError, match="got 5 steps for 6 slices"):
        CountHistory(steps=MONTHS[:5], counts=np.zeros((6, 1, 2, 2)))


def test_nan_is_not_a_count():
    with pytest.raises(ValueError, match="counts must be finite"):
        CountHistory(steps=MONTHS, counts=np.full((6, 1, 2, 2), np.nan))


def test_targets_follow_the_origin():
    assert forecast().targets.astype(str).tolist() == ["2021-07", "2021-08", "2021-09"]
    assert forecast().horizon == 3


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_an_impossible_forecast_is_refused(wrong):
    with pytest.raises(ValueError, match="every expected count must be a finite number >= 0"):
        forecast(expected=wrong)


def test_an_impossible_dispersion_is_refused():
    with pytest.raises(ValueError, match="every alpha must be a finite number >= 0"):
        forecast(dispersion=-0.1)


def test_dispersion_has_the_shape_of_the_forecast():
    with pytest.raises(ValueError, match="one dispersion per expected count"):
        ForecastArray(
            origin=MONTHS[0],
            expected_count=np.ones((3, 1, 2, 2)),
            dispersion=np.ones((2, 1, 2, 2)),
        )
