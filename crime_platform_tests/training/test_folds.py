import numpy as np
import pytest

from crime_platform.training.folds import chronological_fold
from crime_platform.vocabulary.timesteps import IncompleteDataError


def test_targets_decide_between_training_and_validation():
    fold = chronological_fold(8, first_origin=2, horizon=2, validation_steps=2)

    assert fold.origins.tolist() == [2, 3, 4, 5, 6]
    # Targets (3, 4), (4, 5), (5, 6), (6, 7), (7, 8): 6 and 7 judge, 8 is not known.
    assert fold.train.tolist() == [[1, 1], [1, 1], [1, 0], [0, 0], [0, 0]]
    assert fold.validation.tolist() == [[0, 0], [0, 0], [0, 1], [1, 1], [1, 0]]


@pytest.mark.parametrize("validation_steps", [1, 3, 7])
def test_every_training_target_lies_before_every_validation_target(validation_steps):
    fold = chronological_fold(30, first_origin=5, horizon=3, validation_steps=validation_steps)
    targets = fold.origins[:, None] + np.arange(1, 4)

    assert targets[fold.train].max() < targets[fold.validation].min()
    assert targets[fold.validation].max() == 29


def test_a_fold_without_training_steps_is_an_error():
    with pytest.raises(IncompleteDataError, match="of 8 steps the first 6 only serve as lookback"):
        chronological_fold(8, first_origin=5, horizon=2, validation_steps=2)


@pytest.mark.parametrize(("horizon", "validation_steps"), [(0, 2), (2, 0)])
def test_a_fold_needs_a_horizon_and_steps_that_judge(horizon, validation_steps):
    with pytest.raises(ValueError, match="horizon >= 1 and validation_steps >= 1"):
        chronological_fold(20, first_origin=5, horizon=horizon, validation_steps=validation_steps)
