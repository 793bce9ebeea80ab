"""A number for every day, days ahead included, from a table that may have gaps and end early."""

import numpy as np
from jaxtyping import Float, Int

from crime_platform.vocabulary.timesteps import Day, IncompleteDataError

LEAP_DAY, DAY_BEFORE_IT, AFTER_THE_LAST = 229, 228, 1232  # month * 100 + day


def filled_days(
    days: np.ndarray, values: Float[np.ndarray, " known"], *, first: Day, last: Day
) -> Float[np.ndarray, " day"]:
    """The value of each day from `first` to `last`; unknown days take their calendar day's mean.

    The mean is over all years of the table. A 29 February that no year knows takes the 28th's.

    Args:
        days: known days, datetime64[D], each once.
        values: of these days.
        first: first day wanted.
        last: last day wanted.

    Raises:
        IncompleteDataError: if a day has neither a value nor a calendar-day mean.
    """
    wanted = np.arange(first, last + 1, dtype="datetime64[D]")
    at = np.searchsorted(days, wanted)
    at[at == len(days)] = 0
    is_known = days[at] == wanted
    table, ahead = _calendar_day(days), _calendar_day(wanted)
    total = np.bincount(table, values, minlength=AFTER_THE_LAST)
    times = np.bincount(table, minlength=AFTER_THE_LAST)
    if not times[LEAP_DAY]:
        total[LEAP_DAY], times[LEAP_DAY] = total[DAY_BEFORE_IT], times[DAY_BEFORE_IT]
    lost = wanted[~is_known & (times[ahead] == 0)]
    if len(lost):
        raise IncompleteDataError(
            f"{len(lost)} of the days {first}..{last} have neither a value nor one on the same day "
            f"of another year, the first {lost[0]}; the table holds {days[0]}..{days[-1]}: add the "
            "days that are missing, a whole year at least"
        )
    usual = total[ahead] / np.maximum(times[ahead], 1)
    return np.where(is_known, values[at], usual)


def _calendar_day(days: np.ndarray) -> Int[np.ndarray, " day"]:
    """Month times 100 plus day of the month."""
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    return (months.astype(np.int64) % 12 + 1) * 100 + of_month
