"""Dates of which a spreadsheet has turned some around: day and month swapped up to the 12th."""

from crime_platform.onboarding.guesses.date_guess import (
    DAY_FIRST,
    MONTH_FIRST,
    DateReading,
    moment_by,
)
from crime_platform.onboarding.guesses.raw_table import Column, RawTable

LAST_MONTH = 12
MIN_ROWS = 5  # of each kind: that all are at their side of the 12th by chance is improbable


def swapped_by_a_spreadsheet(
    raw: RawTable, column: Column, dates: DateReading
) -> tuple[str, str] | None:
    """A date that was turned around and one that was left a text; None where none was.

    A program that expects the month first reads 03/02/2022 as 2 March, and writes 2022-03-02. It
    leaves 13/02/2022 alone, as there is no such month.
    """
    texts = [form for form in dates.forms if form.startswith((*MONTH_FIRST, *DAY_FIRST))]
    others = [form for form in dates.forms if form not in texts]
    if not texts or not others:
        return None
    text, other = moment_by(column, texts), moment_by(column, others)
    place = column.position
    ((n_texts, first_day, left), (n_others, last_day, turned)) = raw.rows(
        f"select count({text}), min(day({text})), min({place}) filter ({text} is not null) from raw"
        f" union all select count({other}), max(day({other})), "
        f"min({place}) filter ({other} is not null) from raw"
    )
    if min(n_texts, n_others) < MIN_ROWS or first_day <= LAST_MONTH or last_day > LAST_MONTH:
        return None
    return turned, left
