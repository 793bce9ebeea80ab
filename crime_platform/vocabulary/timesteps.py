"""Time steps as types: months that add as months, ranges, and the error for a step that is missing.

Nothing here knows what is counted in a step.
"""

import numpy as np

Month = np.datetime64
"""A calendar month, `numpy.datetime64` with unit M; `month + 1` is the next month."""


Day = np.datetime64
"""A calendar day, `numpy.datetime64` with unit D."""

QUIET_DAYS_AT_MONTH_END = 3
"""A month counts as whole when its last incident is this close to its end: quiet days happen."""
MIN_HISTORY_MONTHS = 24  # complete months of an area, below which nothing of it is forecast


class IncompleteDataError(ValueError):
    """A time step that the work needs is missing from the data."""


def parse_month(text: str) -> Month:
    """Month written `YYYY-MM` (a day behind it is ignored: `2021-09-01` is September 2021).

    Raises:
        ValueError: if the text is not a calendar month.
    """
    try:
        month = np.datetime64(text[:10], "D").astype("datetime64[M]")
    except ValueError:
        month = np.datetime64("NaT")
    if len(text) < len("2021-09") or np.isnat(month):
        raise ValueError(f"expected a month written YYYY-MM, such as 2021-09; got {text!r}")
    return month


def month_range(first: Month, last: Month) -> np.ndarray:
    """Every month from `first` to `last`, both included, in order.

    Raises:
        ValueError: if `last` lies before `first`.
    """
    if last < first:
        raise ValueError(f"a month range runs forward; got first {first} after last {last}")
    return np.arange(first, last + 1, dtype="datetime64[M]")


def missing_months(months: np.ndarray) -> np.ndarray:
    """Calendar months absent between the first and the last one present."""
    return np.setdiff1d(month_range(months.min(), months.max()), months)


def target_step(origin: np.datetime64, lead: int) -> np.datetime64:
    """Step that a forecast made at `origin` describes; the unit follows `origin`.

    Raises:
        ValueError: if `lead` is below 1.
    """
    if lead < 1:
        raise ValueError(f"lead counts steps after the origin {origin}: need >= 1, got {lead}")
    return origin + lead


DAYS_PER_WEEK = 7


def weekday(days: np.ndarray) -> np.ndarray:
    """0 for Monday up to 6 for Sunday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % DAYS_PER_WEEK  # day 0: a Thursday


def month_of_year(months: np.ndarray) -> np.ndarray:
    """0 for January up to 11 for December."""
    return months.astype("datetime64[M]").astype(np.int64) % 12


def is_whole(month: Month, last_day: np.datetime64, *, months_only: bool = False) -> bool:
    """Whether the data reach the end of the month, a few quiet days allowed.

    Args:
        month: what is judged.
        last_day: day of the newest incident.
        months_only: the publisher gives months and no days, so every incident is on the first;
            then a month that is there is whole.
    """
    end = (month + 1).astype("datetime64[D]") - 1
    reached = month.astype("datetime64[D]") if months_only else end - QUIET_DAYS_AT_MONTH_END
    return bool(last_day >= reached)


def last_whole_month(last_day: np.datetime64, *, months_only: bool = False) -> Month:
    """Newest month that is whole when `last_day` is the day of the newest incident."""
    month = last_day.astype("datetime64[M]")
    return month if is_whole(month, last_day, months_only=months_only) else month - 1
