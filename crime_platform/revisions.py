"""What was known of an area when, from the vintages in the warehouse, and what follows from it.

Which months are too young to be used as they are, and which counts each origin of a back-test may
see. All of it comes from the files' own history: an area read once has none, and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from crime_platform.metrics.revisions import MIN_PAIRS, Development, by_age, development
from crime_platform.tensors.vintages import ALL_INCIDENTS, vintage_from
from crime_platform.vocabulary.forecast import Vintage
from crime_platform.vocabulary.study_area import StudyArea
from crime_platform.vocabulary.study_area_parts import LEAVE_OUT, SCALE
from crime_platform.vocabulary.timesteps import Month, last_whole_month
from crime_platform.warehouse import Warehouse
from crime_platform.warehouse_counts import (
    HELD_COUNTS,
    PREMISES,
    VINTAGE_DIFFERENCES,
    premises_marks,
)

if TYPE_CHECKING:
    import pandas as pd


OLD_MONTHS = 12  # after which nobody expects a month to grow much


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What the files at hand said from one moment on."""

    moment: object  # timestamp with time zone
    seen_in: Month  # calendar month of that moment
    last_whole: Month


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Maturity:
    """How complete the newest month is, and what is done about it."""

    last_whole: Month
    last_usable: Month
    completeness: Mapping[Month, float]  # of the months judged; NaN where not measured
    factor: float  # by which models see the last usable month multiplied
    notes: Mapping[Month, str]  # a sentence on each of them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RevisionRecord:
    """Every state of an area's files, and the revision triangle."""

    states: tuple[State, ...]
    triangle: "pd.DataFrame"  # month, offence_type, vintage_month, age_months, count

    def development(self, before: Month | None = None) -> Development:
        """How counts of all types together develop, by what was seen before a calendar month."""
        rows = self.triangle
        if before is not None:
            rows = rows[rows["vintage_month"].to_numpy().astype("datetime64[M]") < before]
        if rows.empty:
            return development(np.full((0, 1), np.nan))
        wide = rows.pivot_table(
            index="month", columns="vintage_month", values="count", aggfunc="sum"
        )
        months, vintages = (
            axis.to_numpy().astype("datetime64[M]") for axis in (wide.index, wide.columns)
        )
        counts = wide.to_numpy(dtype=np.float64)
        return development(by_age(counts, months=months, vintages=vintages))


def read_record(area: StudyArea, warehouse: Warehouse) -> RevisionRecord:
    """States and triangle of an area."""
    with warehouse.reader() as connection:
        states = _states(connection, area)
        triangle = _triangle(connection, area, states)
    return RevisionRecord(states=states, triangle=triangle)


def _states(connection: duckdb.DuckDBPyConnection, area: StudyArea) -> tuple[State, ...]:
    # Where the publisher gives months and no days, every incident is on the first of its month.
    ((months_only,),) = connection.execute(
        "select coalesce(bool_and(day(occurred_on) = 1), false) from incident where study_area = ?",
        [area.name],
    ).fetchall()
    rows = connection.execute(
        "with moments as (select known_from as moment from file_known where study_area = $area "
        "union select known_until from file_known where study_area = $area) "
        "select m.moment, cast(date_trunc('month', m.moment at time zone $zone) as date), "
        "max(f.last_day) from moments m join file_known f on f.study_area = $area "
        "and f.known_from <= m.moment and (f.known_until is null or f.known_until > m.moment) "
        "group by all order by m.moment",
        {"area": area.name, "zone": area.timezone},
    ).fetchall()
    return tuple(
        State(
            moment=moment,
            seen_in=np.datetime64(seen_in, "M"),
            last_whole=_capped(
                last_whole_month(np.datetime64(last_day, "D"), months_only=months_only), area
            ),
        )
        for moment, seen_in, last_day in rows
        if last_day is not None
    )


def _capped(month: Month, area: StudyArea) -> Month:
    return month if area.last_month is None else min(month, area.last_month)


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
    last_in_month = {state.seen_in: state for state in states}
    frames = []
    for seen_in, state in last_in_month.items():
        known = connection.sql(
            "select month, offence_type, sum(n)::bigint as count from held_total "
            "join month_known_at(?::timestamptz) k using (source, sha256, part, month) "
            "where k.study_area = ? and month <= ? group by all order by all",
            params=[state.moment, area.name, state.last_whole.astype("datetime64[D]").item()],
        ).to_arrow_table()
        frame = known.to_pandas(date_as_object=False)
        frame["vintage_month"] = seen_in.astype("datetime64[s]")
        frames.append(frame)
    names = ["month", "offence_type", "vintage_month", "age_months", "count"]
    if not frames:
        return pd.DataFrame(columns=names)
    triangle = pd.concat(frames, ignore_index=True)
    seen, counted = (
        triangle[name].to_numpy().astype("datetime64[M]") for name in ("vintage_month", "month")
    )
    triangle["age_months"] = (seen - counted).astype(np.int64)
    return triangle[names]


def judge_maturity(area: StudyArea, record: RevisionRecord, position: int = -1) -> Maturity:
    """What is done with the newest month of the last state, or of an earlier one.

    It is measured by what was seen in earlier calendar months, so that a past state is judged as
    it would have been then.
    """
    state, rule = record.states[position], area.revisions
    measured = record.development(before=state.seen_in)
    month, completeness = state.last_whole, {}
    while True:
        age = int((state.seen_in - month).astype(np.int64))
        share = completeness[month] = measured.completeness(age)
        is_young = share < rule.mature_share  # not so where it is not measured
        if not (is_young and rule.immature_month == LEAVE_OUT):
            break
        month -= 1
    scales = is_young and rule.immature_month == SCALE
    return Maturity(
        last_whole=state.last_whole,
        last_usable=month,
        completeness=completeness,
        factor=1 / share if scales else 1.0,
        notes=_notes(completeness, state.seen_in, rule.mature_share, scales=scales),
    )


def _notes(
    completeness: Mapping[Month, float], seen_in: Month, mature_share: float, *, scales: bool
) -> dict[Month, str]:
    *left_out, used = completeness
    share, age = completeness[used], int((seen_in - used).astype(np.int64))
    known = f"{share:.1%} of its final count is known"
    if np.isnan(share) and age >= OLD_MONTHS:
        told = f"{used} is used as recorded, as it was known {age} months later"
    elif np.isnan(share):
        told = (
            f"{used} is used as recorded; how complete it is cannot be told before {MIN_PAIRS} "
            "months were seen at its age and once more later"
        )
    elif scales:
        told = f"{used} is scaled by {1 / share:.3f} for the models: {known}"
    else:
        told = f"{used} is used as recorded: {known}"
    less = f"of its final count is known, less than {mature_share:.0%}"
    return {
        **{each: f"{each} is left out: {completeness[each]:.1%} {less}" for each in left_out},
        used: told,
    }


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
    """The first state of each calendar month and newest month: the others are judged alike."""
    first = {
        (state.seen_in, state.last_whole): position
        for position, state in reversed(list(enumerate(record.states)))
    }
    return [
        (record.states[position], judge_maturity(area, record, position))
        for position in sorted(first.values())
    ]


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
