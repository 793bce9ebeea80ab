"""What was known of an area when, from the vintages in the warehouse, and what follows from it.

Which months are too young to be used as they are, and which counts each origin of a back-test may
see. All of it comes from the files' own history: an area read once has none, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from crime_platform.metrics.reporting_delay import MIN_MONTHS, Completeness, completeness
from crime_platform.pipeline.known_states import (
    State,
    known_files,
    source_days,
    states_of,
    unfinished_months,
)
from crime_platform.study_area.parts import LEAVE_OUT, SCALE
from crime_platform.study_area.study_area import StudyArea
from crime_platform.tensors.vintages import ALL_INCIDENTS, vintage_from
from crime_platform.vocabulary.forecast import Vintage
from crime_platform.vocabulary.timesteps import Day, Month, last_day_of
from crime_platform.warehouse.cell_counts import (
    HELD_COUNTS,
    KNOWN_TOTALS,
    PREMISES,
    VINTAGE_DIFFERENCES,
    premises_marks,
)
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd


OLD_DAYS = 365  # after which nobody expects a month to grow much
RECENT_DAYS = 400  # days with news before the last, all of them kept in the triangle
TRIANGLE = ["month", "offence_type", "known_on", "age_days", "count"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maturity:
    """How complete the newest month is, and what is done about it."""

    last_whole: Month
    last_usable: Month
    completeness: Mapping[Month, float]  # of the months judged; NaN where not measured
    factor: float  # by which models see the last usable month multiplied
    notes: Mapping[Month, str]  # a sentence on each of them, and on later months


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RevisionRecord:
    """Every state of an area's files, and the revision triangle."""

    states: tuple[State, ...]
    unfinished: Mapping[Month, str]  # why each month after the last whole one is not complete
    triangle: "pd.DataFrame"  # month, offence_type, known_on, age_days, count

    def completeness(self, through: Day) -> Completeness:
        """How complete months of all types together are, by what was seen through a day."""
        looks = self._looks[self._looks["known_on"].to_numpy().astype("datetime64[D]") <= through]
        return completeness(
            looks["month"].to_numpy().astype("datetime64[M]").astype(np.int64),
            looks["age_days"].to_numpy().astype(np.int64),
            looks["count"].to_numpy().astype(np.float64),
        )

    def age_days(self, month: Month, through: Day) -> int:
        """Days from a month's end to the newest look at it through a day; 0 without one."""
        looks = self._looks
        is_look = (looks["month"].to_numpy().astype("datetime64[M]") == month) & (
            looks["known_on"].to_numpy().astype("datetime64[D]") <= through
        )
        return int(looks["age_days"].to_numpy()[is_look].max(initial=0))

    @property
    def _looks(self) -> "pd.DataFrame":
        """The triangle of all types together."""
        keys = ["month", "known_on", "age_days"]
        return self.triangle.groupby(keys)[["count"]].sum().reset_index()


def read_record(area: StudyArea, warehouse: Warehouse) -> RevisionRecord:
    """States and triangle of an area."""
    with warehouse.reader() as connection:
        files, days = known_files(connection, area), source_days(connection, area)
        states = states_of(files, days, area)
        triangle = _triangle(connection, area, states)
    last = max((file.last_day for file in files), default=None)
    unfinished = (
        {}
        if last is None
        else unfinished_months(files, days, states[-1], last.astype("datetime64[M]"))
    )
    return RevisionRecord(states=states, unfinished=unfinished, triangle=triangle)


def _kept_states(states: tuple[State, ...]) -> list[State]:
    """The last state of each day of the newest days, and of each calendar month before them."""
    last_of_day = list({state.day: state for state in states}.values())
    older, recent = last_of_day[:-RECENT_DAYS], last_of_day[-RECENT_DAYS:]
    return [*{state.day.astype("datetime64[M]"): state for state in older}.values(), *recent]


def _triangle(
    connection: duckdb.DuckDBPyConnection, area: StudyArea, states: tuple[State, ...]
) -> "pd.DataFrame":
    import pandas as pd

    connection.execute(
        "create temp table held_total as select source, sha256, coalesce(part, '') as part, month, "
        "offence_type, sum(n_incidents) as n from incident_vintage where study_area = ? "
        "and sha256 in (select sha256 from file_known) "
        "and (sha256, reading_key) in (select (sha256, reading_key) from file_known) group by all",
        [area.name],
    )
    frames = []
    for state in _kept_states(states):
        known = connection.sql(
            KNOWN_TOTALS,
            params={
                "moment": state.moment,
                "day": state.day.item(),
                "area": area.name,
                "zone": area.timezone,
                "last": state.last_whole.astype("datetime64[D]").item(),
            },
        ).to_arrow_table()
        frames.append(known.to_pandas(date_as_object=False))
    if not frames:
        return pd.DataFrame(columns=TRIANGLE)
    # A file that nobody replaced says at a later state what it said before: one look.
    looks = pd.concat(frames, ignore_index=True).drop_duplicates(
        ["month", "offence_type", "known_on"], keep="last"
    )
    known_on, month = looks["known_on"].to_numpy(), looks["month"].to_numpy()
    ends = (month.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    looks["age_days"] = (known_on.astype("datetime64[D]") - ends).astype(np.int64)
    return looks.loc[looks["age_days"] >= 1, TRIANGLE].reset_index(drop=True)


def judge_maturity(area: StudyArea, record: RevisionRecord, position: int = -1) -> Maturity:
    """What is done with the newest month of the last state, or of an earlier one.

    It is measured by what was known then, so that a past state is judged as it would have been.
    """
    state, rule = record.states[position], area.revisions
    measured = record.completeness(state.day)
    month, completeness, ages = state.last_whole, {}, {}
    while True:
        ages[month] = record.age_days(month, state.day)
        share = completeness[month] = measured.at(ages[month])
        is_young = share < rule.mature_share  # not so where it is not measured
        if not (is_young and rule.immature_month == LEAVE_OUT):
            break
        month -= 1
    scales = is_young and rule.immature_month == SCALE
    notes = _notes(completeness, ages, rule.mature_share, scales=scales)
    is_last = state is record.states[-1]
    return Maturity(
        last_whole=state.last_whole,
        last_usable=month,
        completeness=completeness,
        factor=1 / share if scales else 1.0,
        notes={**(record.unfinished if is_last else {}), **notes},
    )


def newest_mature(area: StudyArea, record: RevisionRecord, month: Month, day: Day) -> Month:
    """Newest month up to one that will not be left out for its age if it is read on a day."""
    if area.revisions.immature_month != LEAVE_OUT:
        return month
    measured = record.completeness(day)
    while (
        measured.at(int((day - last_day_of(month)).astype(np.int64))) < area.revisions.mature_share
    ):
        month -= 1
    return month


def _notes(
    completeness: Mapping[Month, float],
    ages: Mapping[Month, int],
    mature_share: float,
    *,
    scales: bool,
) -> dict[Month, str]:
    *left_out, used = completeness
    share, age = completeness[used], ages[used]
    known = f"{_days(age)} after its end, {share:.1%} of its final count is known"
    if np.isnan(share) and age >= OLD_DAYS:
        told = f"{used} is used as recorded, as it was known {_days(age)} after its end"
    elif np.isnan(share):
        told = (
            f"{used} is used as recorded; how complete it is {_days(age)} after its end cannot be "
            f"told before {MIN_MONTHS} months were seen at about that age and once more later"
        )
    elif scales:
        told = f"{used} is scaled by {1 / share:.3f} for the models: {known}"
    else:
        told = f"{used} is used as recorded: {known}"
    less = f"of its final count is known, less than {mature_share:.0%}"
    return {
        **{
            each: f"{each} is left out: {_days(ages[each])} after its end, "
            f"{completeness[each]:.1%} {less}"
            for each in left_out
        },
        used: told,
    }


def _days(age: int) -> str:
    return f"{age} day{'' if age == 1 else 's'}"


def origin_vintages(
    area: StudyArea, warehouse: Warehouse, record: RevisionRecord, *, last: Month
) -> dict[Month, Vintage]:
    """What each origin before `last` was known to hold when it first was the newest usable month.

    The scaling of a young month, where the area asks for it, is part of what was known; that of
    `last` itself is its only difference from the counts of today.
    """
    judged = _judged_states(area, record)
    first_judged = {maturity.last_usable: (state, maturity) for state, maturity in reversed(judged)}
    if judged:
        first_judged[judged[-1][1].last_usable] = judged[-1]  # the newest month as it is now
    wanted = {
        origin: found
        for origin, found in sorted(first_judged.items())
        if area.first_month <= origin < last or (origin == last and found[1].factor != 1)
    }
    if not wanted:
        return {}
    with warehouse.reader() as connection:
        connection.execute(PREMISES, premises_marks(area.premises_of_label))
        connection.execute(HELD_COUNTS, {"area": area.name})
        return {
            origin: _vintage(connection, area, origin, state, maturity.factor)
            for origin, (state, maturity) in wanted.items()
        }


def _judged_states(area: StudyArea, record: RevisionRecord) -> list[tuple[State, Maturity]]:
    """Every state in which the newest whole month is new, or was too young in those before."""
    judged: list[tuple[State, Maturity]] = []
    usable = None
    for position, state in enumerate(record.states):
        is_last = position == len(record.states) - 1
        if is_last or usable is None or state.last_whole > usable:
            maturity = judge_maturity(area, record, position)
            usable = maturity.last_usable
            judged.append((state, maturity))
    return judged


def _vintage(
    connection: duckdb.DuckDBPyConnection,
    area: StudyArea,
    origin: Month,
    state: State,
    factor: float,
) -> Vintage:
    rows = connection.sql(
        VINTAGE_DIFFERENCES,
        params={
            "moment": state.moment,
            "area": area.name,
            "origin": origin.astype("datetime64[D]").item(),
            "is_scaled": factor != 1,
        },
    ).to_arrow_table()
    frame = rows.to_pandas(date_as_object=False)
    is_young = frame["month"].to_numpy().astype("datetime64[M]") == origin
    scaled = np.where(is_young, frame["count"] * factor, frame["count"])
    is_mark = (frame["mark"] != ALL_INCIDENTS).to_numpy()
    frame["count"] = np.where(is_mark, np.rint(scaled), scaled)  # marks are whole incidents
    return vintage_from(frame, first=area.first_month, offence_types=area.offence_names)
