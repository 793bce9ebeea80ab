"""Which forecasts of the past train a network and which ones judge it, for one origin."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from crime_platform.vocabulary.timesteps import IncompleteDataError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fold:
    """Earlier origins, and which of their leads describe a training or a validation step.

    An origin near the boundary can train with its first lead and validate with its second: the
    target decides. A target after the last step belongs to neither.
    """

    origins: Int[np.ndarray, " origin"]  # positions on the step axis, consecutive
    train: Bool[np.ndarray, "origin lead"]
    validation: Bool[np.ndarray, "origin lead"]


def chronological_fold(
    n_steps: int, *, first_origin: int, horizon: int, validation_steps: int
) -> Fold:
    """Targets in the last `validation_steps` steps judge, all earlier ones train.

    Args:
        n_steps: steps known at the origin for which the network is trained.
        first_origin: position of the first step with enough history for one sample.
        horizon: largest lead.
        validation_steps: how many of the last steps judge.

    Raises:
        ValueError: if the horizon or the number of validation steps is below 1.
        IncompleteDataError: if no step is left to train on.
    """
    if min(horizon, validation_steps) < 1:
        raise ValueError(
            f"a fold needs horizon >= 1 and validation_steps >= 1, got horizon {horizon} "
            f"and validation_steps {validation_steps}"
        )
    first_judged = n_steps - validation_steps
    if first_judged - 1 <= first_origin:
        raise IncompleteDataError(
            f"no step is left to train on: of {n_steps} steps the first {first_origin + 1} only "
            f"serve as lookback and the last {validation_steps} judge; take in earlier steps"
        )
    origins = np.arange(first_origin, n_steps - 1)
    targets = origins[:, None] + np.arange(1, horizon + 1)[None, :]
    return Fold(
        origins=origins,
        train=targets < first_judged,
        validation=(targets >= first_judged) & (targets < n_steps),
    )
