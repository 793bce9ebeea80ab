"""Whether months are missing from a part of the data, and whether the newest are there."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from crime_platform.data_checks.outcome import Outcome
from crime_platform.vocabulary.expiry import Expiry
from crime_platform.vocabulary.timesteps import Month, month_range

MIN_USUAL_ROWS = 5  # a part with fewer a month may have none by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMonth:
    """Rows of one month of a part, such as one of several forces, of a source."""

    source: str
    part: str  # blank where the source has no parts
    month: Month
    n: int


def judge_parts(counts: Sequence[PartMonth]) -> Outcome:
    """Tell months that a part lacks while the area has incidents.

    A gap in the middle and an end before the others' end are told; a later start is not. With one
    part only, `no_missing_months` says it all.
    """
    parts = sorted({(count.source, count.part) for count in counts})
    if not counts:
        return Outcome()
    newest = max(count.month for count in counts)
    problems, rows = [], []
    for source, part in parts:
        held = {c.month: c.n for c in counts if (c.source, c.part) == (source, part)}
        first, usual = min(held), median(held.values())
        gaps = [month for month in month_range(first, newest) if month not in held]
        name = f"{source}, {part}" if part else source
        rows.append(
            {
                "source": source,
                "part": part,
                "first month": str(first),
                "last month": str(max(held)),
                "rows a month": usual,
                "missing": ", ".join(map(str, gaps)),
            }
        )
        if len(parts) > 1 and gaps and usual >= MIN_USUAL_ROWS:
            problems.append(
                f"{name}: no incident in {spans(gaps)}, while the rest of the area has some and "
                f"it usually has {usual:,.0f} rows a month; add the missing files, or know that "
                "totals of these months are too low"
            )
    return Outcome(problems=tuple(problems), rows=rows, figures={"parts": len(parts)})


def spans(months: Sequence[Month]) -> str:
    """Months as runs, such as 2023-04..2023-06, 2024-01."""
    runs: list[list[Month]] = []
    for month in months:
        if runs and month == runs[-1][-1] + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs)


def judge_freshness(
    newest: dt.date | None,
    *,
    today: dt.date,
    max_age_days: int,
    is_closed: bool,
    expiry: Expiry | None = None,
    read_on: dt.date | None = None,
) -> Outcome:
    """Tell when the newest incident is older than publishing takes, or its forecast has expired.

    Args:
        newest: last day that the data cover; None without any.
        today: in the area.
        max_age_days: usual lag of the publisher, a month's length included.
        is_closed: the data set ends by declaration and gets no older.
        expiry: of the newest forecast that these data allow; None where they allow none.
        read_on: day in the future on which a file was read by the clock of that moment.
    """
    if newest is None:
        return Outcome()
    wrong_clock = ()
    if read_on is not None:
        wrong_clock = (
            f"a file was read on {read_on} by this machine's clock, which now shows {today}: one "
            "of the two is wrong. Correct the clock if it is today's; what was read under the "
            f"wrong one stays dated {read_on}, for known-at and on the release made of it",
        )
    age = (today - newest).days
    figures: dict[str, object] = {"newest day": newest, "age, days": age}
    expired = ()
    if expiry is not None and today >= expiry.day:
        expired = (f"the data end too early for a forecast of today. {expiry.expired}",)
    if is_closed or age <= max_age_days:
        return Outcome(problems=wrong_clock + expired, figures=figures)
    problem = (
        f"the newest incident is of {newest}, {age} days ago, at most {max_age_days} are usual: "
        "fetch the newest file, or raise max_age_days under [quality] if the publisher takes "
        "longer; a data set that is closed says so with last_month"
    )
    return Outcome(problems=(*wrong_clock, problem, *expired), figures=figures)
