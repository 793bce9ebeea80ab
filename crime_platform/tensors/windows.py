"""What a network sees of the past at one origin: slices of counts, and a few city-wide numbers.

Everything here reads steps up to and including the origin and nothing later. `origin` is the
position of the origin on the step axis, because a network walks over many origins of one array.
"""

import math
from dataclasses import dataclass

import numpy as np
from einops import rearrange, reduce
from jaxtyping import Float

from crime_platform.tensors.covariates import month_calendar
from crime_platform.vocabulary.timesteps import IncompleteDataError, month_of_year

MONTHS_PER_YEAR = 12
MONTHS_PER_QUARTER = 3
MEAN_DAYS_PER_MONTH = 365.2425 / MONTHS_PER_YEAR

RECENT_SPANS = (1, 3, 6)  # months over which the city-wide level is compared with the base rate
CONTEXT_FEATURES = (
    "annual_sine",
    "annual_cosine",
    "half_year_sine",
    "half_year_cosine",
    "month_length",
    "weekend_days",
    "holidays",
    *(f"level_of_type_{span}" for span in RECENT_SPANS),
    *(f"level_of_city_{span}" for span in RECENT_SPANS),
    "always_one",
)
"""What the last axis of `city_context` holds, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Months shown to ST-ResNet in its three slices."""

    closeness: int = 3  # months up to and including the origin
    period: int = 2  # earlier years, in each of which the targets' calendar months are shown
    trend: int = 2  # quarterly means, ending where closeness starts

    def __post_init__(self) -> None:
        if min(self.closeness, self.period, self.trend) < 1:
            raise ValueError(f"every ST-ResNet slice needs at least 1 step, got {self}")

    @property
    def lookback(self) -> int:
        """Months up to and including the origin that one sample reads."""
        recent = self.closeness + MONTHS_PER_QUARTER * self.trend
        return max(MONTHS_PER_YEAR * self.period, recent)


def closeness_stack(
    counts: Float[np.ndarray, "step type row col"], origin: int, windows: Windows
) -> Float[np.ndarray, "channel row col"]:
    """The latest months, oldest first, months outermost.

    Raises:
        IncompleteDataError: if the slice starts before the first step.
    """
    recent = lookback_stack(counts, origin, windows.closeness)
    return rearrange(recent, "month type row col -> (month type) row col")


def period_stack(
    counts: Float[np.ndarray, "step type row col"], origin: int, windows: Windows, horizon: int
) -> Float[np.ndarray, "channel row col"]:
    """The targets' calendar months in earlier years: oldest year first, then lead, then type.

    Raises:
        ValueError: if a target lies more than a year ahead: last year's month is then unknown.
        IncompleteDataError: if the slice starts before the first step.
    """
    if horizon > MONTHS_PER_YEAR:
        raise ValueError(
            f"the period slice shows each target's month one year earlier, which is known only "
            f"up to lead {MONTHS_PER_YEAR}; got horizon {horizon}"
        )
    _require_steps(origin, MONTHS_PER_YEAR * windows.period)
    years_back = np.arange(windows.period, 0, -1)[:, None]
    leads = np.arange(1, horizon + 1)[None, :]
    same_months = counts[origin + leads - MONTHS_PER_YEAR * years_back]
    return rearrange(same_months, "year lead type row col -> (year lead type) row col")


def trend_stack(
    counts: Float[np.ndarray, "step type row col"], origin: int, windows: Windows
) -> Float[np.ndarray, "channel row col"]:
    """Quarterly means that end where closeness starts, oldest first, quarters outermost.

    Raises:
        IncompleteDataError: if the slice starts before the first step.
    """
    newest = origin - windows.closeness
    older = lookback_stack(counts, newest, MONTHS_PER_QUARTER * windows.trend)
    pattern = "(quarter month) type row col -> (quarter type) row col"
    return reduce(older, pattern, "mean", month=MONTHS_PER_QUARTER)


def lookback_stack(
    counts: Float[np.ndarray, "step type row col"], origin: int, lookback: int
) -> Float[np.ndarray, "lookback type row col"]:
    """The last `lookback` steps up to and including the origin, oldest first.

    Raises:
        IncompleteDataError: if the slice starts before the first step.
    """
    _require_steps(origin, lookback)
    return counts[origin + 1 - lookback : origin + 1]


def city_context(
    counts: Float[np.ndarray, "step type row col"],
    base: Float[np.ndarray, "type row col"],
    origin_month: np.datetime64,
    horizon: int,
    holidays: np.ndarray,
) -> Float[np.ndarray, "lead type feature"]:
    """Season and calendar of each target month, and how far the city has left the base rate.

    Args:
        counts: what is known at the origin: its last step is the origin.
        base: expected count per month that the forecast starts from.
        origin_month: the month of the last step.
        horizon: largest lead.
        holidays: days off, past and future.

    Returns:
        `CONTEXT_FEATURES` per lead and offence type. A level is the log of the mean monthly total
        of the latest months over the total of the base rate, with half an incident added to both.

    Raises:
        IncompleteDataError: if there are fewer steps than the longest span in `RECENT_SPANS`.
    """
    _require_steps(len(counts) - 1, max(RECENT_SPANS))
    monthly = reduce(counts[-max(RECENT_SPANS) :], "step type row col -> step type", "sum")
    base_total = reduce(base, "type row col -> type", "sum")
    levels_of_type, levels_of_city = [], []
    for span in RECENT_SPANS:
        recent = monthly[-span:].mean(axis=0)
        levels_of_type.append(np.log((recent + 0.5) / (base_total + 0.5)))
        of_city = math.log((recent.sum() + 0.5) / (base_total.sum() + 0.5))
        levels_of_city.append(np.full_like(base_total, of_city))
    levels = np.stack([*levels_of_type, *levels_of_city], axis=-1)
    targets = origin_month + np.arange(1, horizon + 1)
    seasons = _season_features(targets, holidays)
    return np.concatenate(
        [
            np.broadcast_to(seasons[:, None], (horizon, len(base), seasons.shape[-1])),
            np.broadcast_to(levels, (horizon, *levels.shape)),
            np.ones((horizon, len(base), 1)),
        ],
        axis=-1,
    ).astype(np.float32)


def _season_features(months: np.ndarray, holidays: np.ndarray) -> Float[np.ndarray, "lead feature"]:
    angle = 2 * math.pi * month_of_year(months) / MONTHS_PER_YEAR
    days, weekend_days, days_off = month_calendar(months, holidays).T
    # Ten times the log, so that February is about -0.8: features of one size share a step size.
    length = 10 * np.log(days / MEAN_DAYS_PER_MONTH)
    weekends = (weekend_days - days * 2 / 7) / 2  # a long weekend more or less is about 1
    waves = [np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)]
    return np.stack([*waves, length, weekends, days_off / 2], axis=-1)


def _require_steps(origin: int, lookback: int) -> None:
    if origin + 1 < lookback:
        raise IncompleteDataError(
            f"this slice reads {lookback} steps up to the origin, but only {max(origin + 1, 0)} "
            "exist there: start from a later origin or take in earlier months"
        )
