"""Whether each offence type is recorded at the level of before."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from crime_platform.data_checks.outcome import MonthlySeries, Outcome
from crime_platform.metrics.level_shift import LevelShift, level_shifts
from crime_platform.vocabulary.timesteps import Month

TOLD_MONTHS = 24  # older breaks are listed: models have seen the new level for two years


def judge_levels(
    counts: Mapping[str, Int[np.ndarray, " month"]], *, first: Month, toml_file: str = ""
) -> Outcome:
    """Tell breaks of the last two years; older ones are listed.

    Args:
        counts: incidents of each offence type in consecutive whole months.
        first: month of the first count.
        toml_file: for the message.
    """
    problems, rows, series = [], [], []
    for offence_type, monthly in counts.items():
        shifts = level_shifts(monthly, first=first)
        recent = [s for s in shifts if s.month >= first + (monthly.size - TOLD_MONTHS)]
        problems += [_problem(offence_type, shift, toml_file or "the TOML") for shift in recent]
        rows += [_row(offence_type, shift, is_told=shift in recent) for shift in shifts]
        series.append(
            MonthlySeries(
                name=offence_type,
                first=first,
                counts=monthly,
                breaks=tuple(shift.month for shift in shifts),
            )
        )
    return Outcome(
        problems=tuple(problems),
        rows=rows,
        figures={"breaks": len(rows), "breaks in the last 24 months": len(problems)},
        series=tuple(series),
    )


def _problem(offence_type: str, shift: LevelShift, toml: str) -> str:
    return (
        f"{offence_type}: {change_words(shift)} since {shift.month} (was {_shown(shift.before)}, "
        f"now {_shown(shift.after)} a month, season removed): a change in recording or in the "
        f"city. Forecasts that learn from before it may mislead; if recording changed for good, "
        f"start later with first_month in {toml}"
    )


def change_words(shift: LevelShift) -> str:
    """How much more or less is recorded, as one would say it."""
    ratio = 1 + shift.change_share
    if ratio >= 2:
        return f"recorded {ratio:.1f} times as often"
    return f"recorded {abs(shift.change_share):.0%} {'more' if ratio > 1 else 'less'} per month"


def _shown(level: float) -> str:
    return f"{level:,.0f}" if level >= 10 else f"{level:.1f}"


def _row(offence_type: str, shift: LevelShift, *, is_told: bool) -> dict:
    return {
        "offence type": offence_type,
        "since": str(shift.month),
        "before, a month": shift.before,
        "after, a month": shift.after,
        "change": shift.change_share,
        "months after": shift.n_months_after,
        "standard errors": shift.strength,
        "recent": is_told,
    }
