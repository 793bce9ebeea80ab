"""Clocks of twelve hours: the column that says morning or afternoon, and those that lack one."""

from collections.abc import Iterable

from crime_platform.onboarding.guesses.point_guess import draft_source
from crime_platform.onboarding.guesses.raw_table import Column, RawTable
from crime_platform.sources.scan.clock_values import clock_hour
from crime_platform.study_area.source import HOUR

MIN_FIT = 0.95  # of filled values that must be AM or PM
MIN_ROWS = 100  # with an hour, to miss those after noon
HALF_DAY = r"(?i)[ap](\.?\s*m\.?)?"


def half_day_column(raw: RawTable, columns: Iterable[Column]) -> Column | None:
    """The column of AM and PM, if there is one."""
    for column in columns:
        if not 1 <= column.n_distinct <= 8 or column.digit_share:
            continue
        ((share,),) = raw.rows(
            f"select avg(regexp_full_match({column.position}, '{HALF_DAY}')::int) from raw"
        )
        if (share or 0) >= MIN_FIT:
            return column
    return None


def hours_of(column: Column, hour_format: str | None) -> str:
    """Query for the hours in a column of hours or clocks, as a run reads them."""
    hour = clock_hour(draft_source(hour_format=hour_format or HOUR), has_hour=True)
    return f"select {hour} as hour from (select {column.position} as hour from raw)"


def is_half_a_day(raw: RawTable, hours: str, *, is_said_apart: bool) -> bool:
    """Whether hours run to twelve only.

    Args:
        raw: the file.
        hours: query for them.
        is_said_apart: another column says AM or PM. Without one, many hours are needed, from one
            to twelve.
    """
    ((least, most, n),) = raw.rows(
        f"select min(hour), max(hour), count(hour) from ({hours}) where hour between 0 and 23"
    )
    if not n or most > 12:
        return False
    return is_said_apart or (least >= 1 and most == 12 and n >= MIN_ROWS)
