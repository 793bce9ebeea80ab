"""What stops a run, in the words that the run and `check-area` share; None where nothing does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crime_platform.data_checks.months import spans
from crime_platform.study_area.parts import MONTHS_BEFORE_SCORES
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.timesteps import Day, Month

if TYPE_CHECKING:
    from crime_platform.geography.snapping import SnapReport  # slow to import


def missing_months_problem(area_name: str, missing: Sequence[Month]) -> str | None:
    """Months without any incident, of all from the first month of the area to the newest."""
    if not missing:
        return None
    return (
        f"{area_name}: no incident at all in {spans(missing)}. Add the "
        f"{'file of that month' if len(missing) == 1 else 'files of those months'}, or start the "
        "series after the gap with first_month in the TOML, if enough months follow it."
    )


def short_history_problem(
    area: StudyArea,
    *,
    n_complete: int,
    first: Month,
    last_complete: Month | None,
    unfinished: Sequence[str] = (),
) -> str | None:
    """Too few complete months, by the platform's own minimum or by the area's back-test.

    Args:
        area: whose months they are.
        n_complete: complete months.
        first: month of the area.
        last_complete: the newest of them.
        unfinished: why each later month is not complete.
    """
    if n_complete >= area.min_months:
        return None
    span = f" ({first} to {last_complete})" if n_complete else f" from {first} on"
    n_origins = area.backtest.n_origins
    less = (
        f", or lower n_origins = {n_origins} under [backtest], before which "
        f"{MONTHS_BEFORE_SCORES} months are needed"
        if area.min_months == n_origins + MONTHS_BEFORE_SCORES
        else ""
    )
    reasons = "".join(f"{reason}. " for reason in unfinished)
    months = "month" if n_complete == 1 else "months"
    return (
        f"{area.name}: {n_complete} complete {months}{span}, at least {area.min_months} are "
        f"needed. {reasons}Add earlier files and set first_month in the TOML to the first month "
        f"they cover{less}."
    )


def street_days_problem(area: StudyArea, day: Day | None) -> str | None:
    """The day that streets would be forecast from, where there is none or it comes too early."""
    if day is not None and day >= area.first_street_day:
        return None
    until = "today" if area.last_month is None else str(area.last_month + 1) + ", exclusive"
    return (
        f"the streets of {area.name} cannot be forecast as of {day}; days with enough history: "
        f"{area.first_street_day} to {until}. Add files of later days, or files of earlier ones "
        "and set first_month in the TOML to the first month they cover."
    )


def unreached_streets_problem(area_name: str, snap: "SnapReport", limit: float) -> str | None:
    """Incidents of the groups in the street area that are beyond reach of every street.

    Args:
        area_name: for the message.
        snap: of these incidents.
        limit: share of them that may be, `max_beyond_share` of the TOML.
    """
    if snap.n_points == snap.n_beyond:
        problem = f"{area_name}: no incident of the offence groups is near a street of the area. "
    elif snap.beyond_share > limit:
        problem = (
            f"{area_name}: {snap.n_beyond:,} of {snap.n_points:,} incidents in the street area "
            f"({snap.beyond_share:.1%}) are beyond reach of every street, at most {limit:.1%} may "
            "be; table unsnapped_incident lists them. "
        )
    else:
        return None
    return problem + "Check file, max_snap_m and the area chosen under [streets] in the TOML."
