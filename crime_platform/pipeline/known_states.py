"""States of an area's files over time: which months were whole at each, and why others were not."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from crime_platform.study_area.streets import DayRecord
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import (
    QUIET_DAYS_AT_MONTH_END,
    Day,
    Month,
    last_day_of,
    last_whole_month,
    month_range,
    quiet_days_allowed,
)
from crime_platform.warehouse.warehouse import Warehouse

NEVER = np.datetime64("0001-01", "M")
INCIDENT_DAYS = """
    select source, bool_and(day(occurred_on) = 1), list(distinct occurred_on)
    from incident where study_area = ? group by source
"""
KNOWN_FILES = """
    select source, file_path, last_day, published_on, content_at, known_from, known_until
    from file_known where study_area = ? order by known_from, file_path
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDays:
    """How the days of a source's incidents say that a month has ended."""

    months_only: bool = False  # the publisher gives months, and every incident is on the first
    quiet_days: int = QUIET_DAYS_AT_MONTH_END  # see `quiet_days_allowed`

    def last_whole(self, last_day: Day, known_on: Day | None = None) -> Month:
        """Newest whole month of a record that ends on a day and was known on another."""
        return last_whole_month(
            last_day, known_on=known_on, months_only=self.months_only, quiet_days=self.quiet_days
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """What the files at hand said from one moment on."""

    moment: dt.datetime
    day: Day  # of that moment, in the area
    last_whole: Month


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """One file's bytes: how far they reach, and when they were known."""

    source: str
    label: str
    last_day: Day
    named_on: Day | None  # the day in its name
    content_at: dt.datetime  # when its content was known; see `content_moment`
    content_day: Day  # of that moment, in the area
    known_from: dt.datetime
    known_until: dt.datetime | None

    @property
    def known_on(self) -> Day:
        """Day on which its content was known at the latest."""
        return self.content_day if self.named_on is None else min(self.named_on, self.content_day)

    def is_known(self, moment: dt.datetime) -> bool:
        """Whether it was at hand at a moment."""
        is_gone = self.known_until is not None and self.known_until <= moment
        return self.known_from <= moment and not is_gone


def source_days(connection: duckdb.DuckDBPyConnection, area: StudyArea) -> dict[str, SourceDays]:
    """How each source of an area says that a month has ended, by its current incidents."""
    return {
        source: SourceDays(
            months_only=months_only,
            quiet_days=quiet_days_allowed(np.array(days, dtype="datetime64[D]")),
        )
        for source, months_only, days in connection.execute(INCIDENT_DAYS, [area.name]).fetchall()
    }


def known_files(connection: duckdb.DuckDBPyConnection, area: StudyArea) -> list[KnownFile]:
    """Every file of an area that has a dated row and was ever known, the first known first."""
    zone = ZoneInfo(area.timezone)
    return [
        KnownFile(
            source=source,
            label=label,
            last_day=np.datetime64(last_day, "D"),
            named_on=None if named_on is None else np.datetime64(named_on, "D"),
            content_at=content_at,
            content_day=_day(content_at, zone),
            known_from=known_from,
            known_until=known_until,
        )
        for source, label, last_day, named_on, content_at, known_from, known_until in (
            connection.execute(KNOWN_FILES, [area.name]).fetchall()
        )
        if last_day is not None
    ]


def day_record(area: StudyArea, home: PlatformHome) -> DayRecord | None:
    """How far the days in an area's current files reach; None before the first ingest."""
    warehouse = Warehouse(home.warehouse)
    warehouse.add_missing_tables()  # a schedule may ask before the first ingest of this version
    with warehouse.reader() as connection:
        files = [file for file in known_files(connection, area) if file.known_until is None]
        # Only the end of a closed data set asks for it, and to find it is to go through everything.
        days = {} if area.last_month is None else source_days(connection, area)
    if not files:
        return None
    newest = max(files, key=lambda file: (file.last_day, file.known_on))
    of_source = days.get(newest.source, SourceDays())
    return DayRecord(
        newest=newest.last_day,
        last_ended=newest.known_on - 1,
        quiet_days=of_source.quiet_days,
    )


def states_of(
    files: Sequence[KnownFile], days: Mapping[str, SourceDays], area: StudyArea
) -> tuple[State, ...]:
    """Every state of the files, oldest first: it changes as files come, go or are confirmed."""
    if not files:
        return ()
    zone = ZoneInfo(area.timezone)
    day_of: dict[dt.datetime, Day] = {}
    for file in files:
        from_day = _day(file.known_from, zone)
        if file.named_on is not None and _midnight(file.named_on) == file.known_from:
            from_day = file.named_on
        day_of[file.known_from] = max(from_day, day_of.get(file.known_from, from_day))
        for later in (file.known_until, None if file.named_on is not None else file.content_at):
            if later is not None and later > file.known_from:
                day_of.setdefault(later, _day(later, zone))
    moments = sorted(day_of)
    state_day = np.array([day_of[moment] for moment in moments])
    reached = np.array(
        [days.get(file.source, SourceDays()).last_whole(file.last_day) for file in files]
    )
    known_on = np.array([file.known_on for file in files])
    known = np.array([[file.is_known(moment) for file in files] for moment in moments])
    ended = np.minimum(known_on[None, :], state_day[:, None]).astype("datetime64[M]") - 1
    whole = np.where(known, np.minimum(reached[None, :], ended), NEVER).max(axis=1)
    return tuple(
        State(moment=moment, day=day, last_whole=_capped(month, area))
        for moment, day, month in zip(moments, state_day, whole, strict=True)
        if month != NEVER
    )


def unfinished_months(
    files: Sequence[KnownFile],
    days: Mapping[str, SourceDays],
    state: State,
    newest: Month,
) -> dict[Month, str]:
    """Why each month after the last whole one, through the newest on record, is not complete."""
    if newest <= state.last_whole:
        return {}
    known = [file for file in files if file.is_known(state.moment)]
    reasons = {}
    for month in month_range(state.last_whole + 1, newest):
        reaching = [
            f for f in known if days.get(f.source, SourceDays()).last_whole(f.last_day) >= month
        ]
        if reaching:
            last = max(reaching, key=lambda file: (file.known_on, file.label))
            why = (
                f"{last.label} holds what was known on {last.known_on}, before the month had ended"
            )
        else:
            last_day = max(file.last_day for file in known)
            why = f"its newest row is of {last_day}, and it ends on {last_day_of(month)}"
        reasons[month] = f"{month} is not complete: {why}"
    return reasons


def _capped(month: Month, area: StudyArea) -> Month:
    return month if area.last_month is None else min(month, area.last_month)


def _midnight(day: Day) -> dt.datetime:
    return dt.datetime.fromisoformat(str(day)).replace(tzinfo=dt.UTC)


def _day(moment: dt.datetime, zone: ZoneInfo) -> Day:
    return np.datetime64(moment.astimezone(zone).date(), "D")
