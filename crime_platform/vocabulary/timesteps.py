"""Time steps as types: months that add as months, ranges, and the error for a step that is missing.

Nothing here knows what is counted in a step.
"""

import numpy as np

Month = np.datetime64
"""A calendar month, `numpy.datetime64` with unit M; `month + 1` is the next month."""


Day = np.datetime64
"""A calendar day, `numpy.datetime64` with unit D."""

QUIET_DAYS_AT_MONTH_END = 3
"""The data may end this long before their month does, where days without an incident happen."""
DAYS_OF_A_YEAR = 365
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


def last_day_of(month: Month) -> Day:
    """The day on which a month ends."""
    return (month + 1).astype("datetime64[D]") - 1


def quiet_days_allowed(days: np.ndarray) -> int:
    """How long before the end of its month a record may end and still be whole.

    None where each of the last 365 days has an incident: there, a last day without one is missing.

    Args:
        days: with at least one incident, in any order, each once.
    """
    newest = days.max()
    recent = np.sort(days[days > newest - DAYS_OF_A_YEAR])
    is_gapless = recent.size == int((newest - recent[0]).astype(np.int64)) + 1
    return 0 if is_gapless and recent.size >= DAYS_OF_A_YEAR else QUIET_DAYS_AT_MONTH_END


def is_whole(
    month: Month,
    last_day: Day,
    *,
    known_on: Day | None = None,
    months_only: bool = False,
    quiet_days: int = QUIET_DAYS_AT_MONTH_END,
) -> bool:
    """Whether the data reach the end of the month, and were known after it.

    Args:
        month: what is judged.
        last_day: day of the newest incident.
        known_on: day in the area on which the data were known: a month that had not ended by then
            is never whole. None where that is not on record.
        months_only: the publisher gives months and no days, so every incident is on the first;
            then a month that is there reaches its end.
        quiet_days: how long before the end the newest incident may be, see `quiet_days_allowed`.
    """
    end = last_day_of(month)
    if known_on is not None and known_on <= end:
        return False
    return bool(last_day >= (month.astype("datetime64[D]") if months_only else end - quiet_days))


def last_whole_month(
    last_day: Day,
    *,
    known_on: Day | None = None,
    months_only: bool = False,
    quiet_days: int = QUIET_DAYS_AT_MONTH_END,
) -> Month:
    """Newest month that `is_whole` by its newest incident and the day it was known."""
    reached = last_day.astype("datetime64[M]")
    if not is_whole(reached, last_day, months_only=months_only, quiet_days=quiet_days):
        reached -= 1
    return reached if known_on is None else min(reached, known_on.astype("datetime64[M]") - 1)
