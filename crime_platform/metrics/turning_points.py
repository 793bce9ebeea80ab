"""Turning months of a city's total, and how a model's forecasts behave round them.

Turns are found in the recorded totals by one stated rule, so that no one picks the months that
suit a model.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

SMOOTHED_STEPS = 3
MIN_SWING_SD = 2.0  # rise and fall round a turn, in standard deviations of Poisson noise
JUDGED = (0, 1)  # steps after a turn whose deviance and direction are judged
AROUND = (-1, 0, 1, 2)  # steps round a turn in which the lag is measured
LAGS = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Turn:
    """A step at which the total stops rising (peak) or falling (trough)."""

    step: int  # position on the step axis
    direction: Literal["peak", "trough"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnScores:
    """One model at the turns it forecast, one step ahead; NaN where it forecast none."""

    n_turns: int
    deviance_skill: float  # over the baseline, pooled over the turns and the step after each
    share_right_direction: float  # of those steps, those whose rise or fall was foreseen
    lag_months: int | None  # steps by which the forecast totals run behind; None without a turn


def turning_points(totals: Float[np.ndarray, " step"]) -> tuple[Turn, ...]:
    """Peaks and troughs of the centred 3-step mean that noise alone would hardly make.

    The mean must have come from, and gone to, a level that differs from the turn's own by more
    than `MIN_SWING_SD` standard deviations of the difference of two such means of Poisson counts.
    Peaks and troughs alternate. The first and the last level of the series are no turns: what
    came before or follows is not known. The turn is the first step that holds the extreme.

    Raises:
        ValueError: if a total is negative or not finite.

    Source: the amplitude rule is that of zigzag turning points, a plain relative of Bry & Boschan
    (1971), Cyclical analysis of time series; the Poisson threshold is ours.
    """
    if not (np.isfinite(totals) & (totals >= 0)).all():
        raise ValueError("every total must be a finite number >= 0 to find where totals turn")
    if totals.size < SMOOTHED_STEPS:
        return ()
    weights = np.full(SMOOTHED_STEPS, 1 / SMOOTHED_STEPS)
    level: list[float] = np.convolve(totals, weights, mode="valid").tolist()
    margin = SMOOTHED_STEPS // 2
    turns: list[Turn] = []
    high = low = 0  # positions of the highest and lowest level since the last turn
    rising: bool | None = None
    for now in range(1, len(level)):
        high = now if level[now] > level[high] else high
        low = now if level[now] < level[low] else low
        if rising is not False and _differs(level[high], level[now]):
            if rising:
                turns.append(Turn(high + margin, "peak"))
            rising, low = False, now
        elif rising is not True and _differs(level[now], level[low]):
            if rising is False:
                turns.append(Turn(low + margin, "trough"))
            rising, high = True, now
    return tuple(turns)


def judge_turns(
    expected: Float[np.ndarray, " step"],
    totals: Float[np.ndarray, " step"],
    turns: Sequence[Turn],
    *,
    deviance: Float[np.ndarray, " step"],
    baseline_deviance: Float[np.ndarray, " step"],
) -> TurnScores:
    """How forecasts made one step ahead behave at the turns.

    Args:
        expected: total forecast for each step from the step before it; NaN where there is none.
        totals: total recorded in each step.
        turns: of the recorded totals; those whose own step was not forecast do not count.
        deviance: of the forecast for each step, over whatever cells are judged.
        baseline_deviance: the same of the named baseline.

    The direction is right when the forecast differs from the last known total with the sign of
    the change that was recorded. The lag is the shift l of `LAGS` at which the forecasts of the
    steps `AROUND` the turns lie closest to the totals l steps earlier (root mean squared
    difference; the smaller shift on a tie): 0 moves with the turn, 1 repeats last month.
    """
    known = [turn for turn in turns if np.isfinite(expected[turn.step])]
    judged = _steps(known, JUDGED, expected)
    around = _steps(known, AROUND, expected)
    around = around[around >= max(LAGS)]
    if judged.size == 0:
        return TurnScores(
            n_turns=0, deviance_skill=math.nan, share_right_direction=math.nan, lag_months=None
        )
    after_first = judged[judged > 0]
    foreseen = np.sign(expected[after_first] - totals[after_first - 1])
    recorded = np.sign(totals[after_first] - totals[after_first - 1])
    misses = [((expected[around] - totals[around - lag]) ** 2).mean() for lag in LAGS]
    baseline = float(baseline_deviance[judged].sum())
    return TurnScores(
        n_turns=len(known),
        deviance_skill=1 - float(deviance[judged].sum()) / baseline if baseline else math.nan,
        share_right_direction=float((foreseen == recorded).mean()),
        lag_months=LAGS[int(np.argmin(misses))],
    )


def _steps(turns: Sequence[Turn], offsets: Sequence[int], expected: np.ndarray) -> np.ndarray:
    """Steps at these offsets from any turn that were forecast, each once, in order."""
    near = {turn.step + offset for turn in turns for offset in offsets}
    return np.array(
        [
            step
            for step in sorted(near)
            if 0 <= step < expected.size and np.isfinite(expected[step])
        ],
        dtype=np.int64,
    )


def _differs(upper: float, lower: float) -> bool:
    """Whether two means of `SMOOTHED_STEPS` Poisson counts differ by more than noise."""
    return upper - lower > MIN_SWING_SD * math.sqrt((upper + lower) / SMOOTHED_STEPS)
