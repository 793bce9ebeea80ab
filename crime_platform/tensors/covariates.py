"""What the calendar says of a month, years ahead: its days, weekends and public holidays."""

import numpy as np
from jaxtyping import Float

from crime_platform.study_area.parts import HolidayCalendar
from crime_platform.vocabulary.forecast import no_days
from crime_platform.vocabulary.timesteps import Month

CALENDAR_FEATURES = ("days", "weekend_days", "holidays")
"""What the last axis of `month_calendar` holds: days, Saturdays and Sundays, weekday holidays."""


def holidays_of(calendar: HolidayCalendar | None, first: Month, last: Month) -> np.ndarray:
    """Public holidays from the first to the last month, rising; none without a calendar."""
    if calendar is None:
        return no_days()
    import holidays

    years = range(first.astype(object).year, last.astype(object).year + 1)
    named = holidays.country_holidays(calendar.country, subdiv=calendar.subdivision, years=years)
    days = np.array(sorted(named), dtype="datetime64[D]")
    return days[(days >= first) & (days < last + 1)]


def month_calendar(months: np.ndarray, holidays: np.ndarray) -> Float[np.ndarray, "month feature"]:
    """`CALENDAR_FEATURES` of each month; a holiday on a weekend counts as weekend only."""
    starts = months.astype("datetime64[M]").astype("datetime64[D]")
    ends = (months.astype("datetime64[M]") + 1).astype("datetime64[D]")
    days = (ends - starts).astype(np.int64)
    weekdays = np.busday_count(starts, ends)
    at_work = np.busday_count(starts, ends, holidays=holidays)
    return np.stack([days, days - weekdays, weekdays - at_work], axis=-1).astype(np.float64)
