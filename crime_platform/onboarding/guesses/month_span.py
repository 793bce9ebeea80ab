"""The months that a drafted study area covers, and what of the file lies outside them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from crime_platform.onboarding.guesses.date_guess import LAST_YEAR
from crime_platform.onboarding.guesses.raw_table import RawTable
from crime_platform.vocabulary.timesteps import Day, Month, is_whole, last_day_of

DENSE_SHARE = 0.1  # of a usual month; with less, a month holds late reports or typing errors
QUIET_DAYS = 3  # at the start of a month that is whole all the same
FAR_MONTHS = 12  # of a gap, beyond which a few months are no part of the series
FEW_MONTHS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSpan:
    """First and last whole month of a series, and why they are these."""

    first: Month
    last: Month
    first_reason: str
    last_reason: str
    remarks: tuple[str, ...]  # what a person should know


def month_span(raw: RawTable, moment: str, *, known_on: Day | None = None) -> MonthSpan:
    """The whole months of the file, without the few rows long before or after the others.

    A gap inside stays inside: what lies on its other side is not dropped, so that the check of the
    area can name the months that are missing.

    Args:
        raw: the file.
        moment: SQL for the moment of a row.
        known_on: day on which the newest file was written: a month that had not ended by then is
            still running, however near its end the rows reach.
    """
    counted = raw.rows(
        f"select date_trunc('month', {moment})::date::varchar, count(*), min(day({moment})), "
        f"max({moment})::date::varchar from raw where year({moment}) <= {LAST_YEAR} "
        "group by 1 order by 1"
    )
    months = np.array([row[0][:7] for row in counted], dtype="datetime64[M]")
    counts = np.array([row[1] for row in counted])
    kept = np.flatnonzero(_belongs(months, counts))
    begin, end = counted[kept[0]], counted[kept[-1]]
    months_only = all(row[3].endswith("-01") for row in counted)
    begins_late = begin[2] > 1 + QUIET_DAYS and not months_only
    first_month, last_month = (np.datetime64(counted[kept[at]][0][:7], "M") for at in (0, -1))
    last_day = np.datetime64(end[3], "D")
    is_last_whole = is_whole(last_month, last_day, known_on=known_on, months_only=months_only)
    first = first_month + int(begins_late)
    last = max(first, last_month - int(not is_last_whole))
    before, after = (
        int(counts[months < first_month].sum()),
        int(counts[months > last_month].sum()),
    )
    first_reason = (
        f"rows begin on {begin[0][:7]}-{begin[2]:02d}, so that month is not whole"
        if begins_late
        else "the first whole month of the file"
    )
    last_reason = (
        "the last one; drop the line to follow the publisher"
        if is_last_whole
        else f"{_end(last_month, last_day, known_on)}, so that month is not whole; drop the line "
        "to follow the publisher"
    )
    remarks = _remarks(months, counts, kept)
    first_reason += f"; rows before it: {before:,}" if before else ""
    last_reason += f"; rows after it: {after:,}" if after else ""
    return MonthSpan(
        first=first,
        last=last,
        first_reason=first_reason,
        last_reason=last_reason,
        remarks=remarks,
    )


def _end(month: Month, last_day: Day, known_on: Day | None) -> str:
    if known_on is not None and known_on <= last_day_of(month):
        return f"the file was written on {known_on}"
    return f"rows end on {last_day}"


def _belongs(months: np.ndarray, counts: Int[np.ndarray, " month"]) -> Bool[np.ndarray, " month"]:
    """Months between the first and the last that each hold a fair number of incidents.

    What is fair follows from the month of the median incident: late reports make many old months
    with one incident each. A few months far from all others hold a default such as 1900-01.
    """
    in_order = np.sort(counts)
    usual = in_order[np.searchsorted(np.cumsum(in_order), counts.sum() / 2)]
    dense = np.flatnonzero(counts >= DENSE_SHARE * usual)
    gaps = np.diff(months[dense].astype(int))
    runs = np.split(dense, np.flatnonzero(gaps > FAR_MONTHS) + 1)
    main = max(runs, key=len)
    kept = [run for run in runs if len(run) > FEW_MONTHS or run is main]
    belongs = np.zeros(len(months), dtype=bool)
    belongs[kept[0][0] : kept[-1][-1] + 1] = True
    return belongs


def _remarks(
    months: np.ndarray, counts: Int[np.ndarray, " month"], kept: Int[np.ndarray, " position"]
) -> tuple[str, ...]:
    """Months outside the span that hold as many rows as a month inside."""
    outside = np.setdiff1d(np.arange(len(months)), kept)
    usual = float(np.median(counts[kept]))
    many = [at for at in outside if counts[at] >= DENSE_SHARE * usual]
    return tuple(
        f"{counts[at]:,} rows of {months[at]} lie far from the other months ({months[kept[0]]} to "
        f"{months[kept[-1]]}) and are left out: a date that stands for 'not known'? If they are "
        f"incidents of that time, correct first_month and last_month"
        for at in many
    )
