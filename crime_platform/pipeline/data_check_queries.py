"""What each data check asks of the warehouse; `data_checks` has the rules that judge it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from crime_platform.data_checks.files import SharedIds, SharedMonth, judge_files
from crime_platform.data_checks.labels import LabelCount, judge_labels
from crime_platform.data_checks.levels import judge_levels
from crime_platform.data_checks.months import PartMonth, judge_freshness, judge_parts
from crime_platform.data_checks.outcome import Outcome, together
from crime_platform.data_checks.places import PlacedCount, judge_places
from crime_platform.data_checks.revisions import judge_revisions
from crime_platform.data_checks.schema import HeaderReading, judge_schema
from crime_platform.data_checks.taken_back import CountThenAndNow, judge_taken_back
from crime_platform.data_checks.thin_months import MonthRows, judge_thin_months
from crime_platform.pipeline.known_states import known_files, source_days
from crime_platform.study_area.source import ADD
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.expiry import expiry_of
from crime_platform.vocabulary.incident import DROP_SAME_ID, UNMAPPED_LABEL, FileHeader
from crime_platform.vocabulary.timesteps import Month

if TYPE_CHECKING:
    import duckdb

SEVERITY = "warn"  # none of these stops a run: the data are usable, and a person should look

LABEL_MONTH = """
create temp table if not exists label_month as
    select source, sha256, source_file, coalesce(part, '') as part, month, source_offence,
        offence_type, count(*) as n, count(lon) as n_placed, max(occurred_on) as last_day,
        bool_and(day(occurred_on) = 1) as is_month_only
    from incident where study_area = ? group by all
"""
"""Current incidents, counted once for all checks."""

FILES_OF_MONTHS = """
select count(distinct (sha256, source_file)) from label_month group by source, month
"""

SHARED_MONTHS = """
with held as (
    select source, month, sha256, source_file, sum(n_placed)::bigint as n
    from label_month where list_contains($sources, source) and n_placed > 0
    group by source, month, sha256, source_file
    qualify count(*) over (partition by source, month) > 1
),
alike as (
    select source, month, sha256, source_file, held.n as n_rows, count(*) as n,
        hash(occurred_on, occurred_hour, lon, lat, source_offence) as key
    from incident join held using (source, month, sha256, source_file)
    where study_area = $study_area and lon is not null
    group by all
)
select one.source, one.month, one.source_file, other.source_file, one.n_rows, other.n_rows,
    sum(least(one.n, other.n))
from alike one join alike other on one.source = other.source and one.month = other.month
    and one.key = other.key
    and (one.source_file, one.sha256) < (other.source_file, other.sha256)
group by one.source, one.month, one.source_file, one.sha256, one.n_rows, other.source_file,
    other.sha256, other.n_rows
order by all
"""
"""Months that two files hold, with the rows that are equal in both; rows without a place are
left out, since publishers who give months only write many of them alike."""


SHARED_IDS = """
with held as (
    select distinct source, source_id, sha256, source_file from incident
    where study_area = $study_area and list_contains($sources, source) and source_id is not null
    qualify count(*) over (partition by source, source_id) > 1
)
select one.source, one.source_file, other.source_file, count(*), min(source_id)
from held one join held other using (source, source_id)
where (one.source_file, one.sha256) < (other.source_file, other.sha256)
group by all order by all
"""

STATES = """
select distinct moment from (
    select known_from as moment from file_known where study_area = $study_area
    union all select known_until from file_known where study_area = $study_area
) where moment is not null order by moment desc limit $most
"""
N_STATES = 13  # the newest and twelve before: a loss is told for as long, or until it is undone

TYPE_MONTH = """
create temp table if not exists type_month as
    select source, sha256, reading_key, coalesce(part, '') as part, month, offence_type,
        sum(n_incidents)::bigint as n
    from incident_vintage join file_known using (study_area, source, sha256, reading_key)
    where study_area = ? group by all
"""
"""Incidents of every file that was ever known, counted once for all its states."""

COUNTS_AT = """
select source, month, offence_type, sum(n)::bigint as n, string_agg(distinct file_path, ', ')
from type_month t
join month_known_at($moment::timestamptz) k using (source, sha256, reading_key, part, month)
where k.study_area = $study_area and (source, reading_key) in (
    select (source, reading_key) from file_known
    where study_area = $study_area and known_until is null
) group by all
"""
"""Only of files that are read as the current ones are: another mapping gives other counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a check may ask: the area, its warehouse, and the day."""

    area: StudyArea
    connection: "duckdb.DuckDBPyConnection"
    today: dt.date

    def rows(self, query: str, values: Sequence[object] | Mapping[str, object]) -> list[tuple]:
        """Result of one parameterised query."""
        return self.connection.execute(query, values).fetchall()

    def counted(self, query: str) -> list[tuple]:
        """Result of a query on the table `label_month`, which is made for the first of them."""
        self.connection.execute(LABEL_MONTH, [self.area.name])
        return self.rows(query, [])


def schema(evidence: Evidence) -> Outcome:
    """Headers of the current and earlier files."""
    found = evidence.rows(
        "select h.source, h.member, h.columns, h.types, h.sha256, coalesce(f.last_day, '-infinity')"
        ", h.ingested_at, f.is_current from source_header h "
        "join source_file f using (study_area, source, file_path, sha256, reading_key) "
        "where study_area = ?",
        [evidence.area.name],
    )
    readings: dict[str, list[HeaderReading]] = {}
    for source, member, columns, types, sha256, last_day, read_at, is_current in found:
        header = FileHeader(member=member, columns=tuple(columns), types=tuple(types))
        readings.setdefault(source, []).append(
            HeaderReading(
                header=header,
                sha256=sha256,
                last_day=last_day,
                read_at=read_at,
                is_current=is_current,
            )
        )
    sources = evidence.area.sources
    return together(judge_schema(source, readings.get(source.name, [])) for source in sources)


def places(evidence: Evidence) -> Outcome:
    """Incidents with and without a place, by month."""
    found = evidence.counted(
        "select source, month, offence_type, sum(n)::bigint, sum(n_placed)::bigint "
        "from label_month group by all order by all"
    )
    newest = _newest_whole_month(evidence)
    counts: dict[str, list[PlacedCount]] = {}
    for source, day, offence_type, n, n_placed in found:
        month = _month(day)
        if month <= newest[source]:
            count = PlacedCount(month=month, offence_type=offence_type, n=n, n_placed=n_placed)
            counts.setdefault(source, []).append(count)
    return together(judge_places(source, counted) for source, counted in counts.items())


def labels(evidence: Evidence) -> Outcome:
    """Labels that were mapped, ignored or not known."""
    area = evidence.area
    newest = _newest_whole_month(evidence)
    unmapped = evidence.rows(
        "select value, count(*) as n from rejected_row "
        "join source_file using (study_area, source, sha256, reading_key) "
        "where study_area = ? and reason = ? and is_current group by value order by n desc, value",
        [area.name, UNMAPPED_LABEL],
    )
    used = evidence.counted(
        "select source, source_offence, offence_type, month, sum(n)::bigint from label_month "
        "group by all order by all"
    )
    premises = []
    if area.premises_types:
        premises = evidence.rows(
            "select source_premises, count(*) as n from incident "
            "where study_area = ? and source_premises is not null "
            "group by source_premises order by n desc, source_premises",
            [area.name],
        )
    counts = [
        LabelCount(label=label, offence_type=kind, month=_month(day), n=n)
        for source, label, kind, day, n in used
        if _month(day) <= newest[source]
    ]
    return judge_labels(area, unmapped=dict(unmapped), used=counts, premises=dict(premises))


def files(evidence: Evidence) -> Outcome:
    """Months that two files of a source hold."""
    sources = [source.name for source in evidence.area.sources if source.revisions == ADD]
    found = []
    if any(n_files > 1 for (n_files,) in evidence.counted(FILES_OF_MONTHS)):
        values = {"study_area": evidence.area.name, "sources": sources}
        found = evidence.rows(SHARED_MONTHS, values)
    shared: dict[str, list[SharedMonth]] = {name: [] for name in sources}
    for source, day, one, other, n_one, n_other, n_shared in found:
        month = SharedMonth(
            month=_month(day), files=(one, other), n_rows=(n_one, n_other), n_shared=int(n_shared)
        )
        shared[source].append(month)
    ids = _shared_ids(evidence)
    names = [source.name for source in evidence.area.sources]
    return together(judge_files(name, shared.get(name, []), ids.get(name, [])) for name in names)


def _shared_ids(evidence: Evidence) -> dict[str, list[SharedIds]]:
    """Ids that two files of a source hold, where an id stands for one incident."""
    sources = [one.name for one in evidence.area.sources if one.duplicates == DROP_SAME_ID]
    found: dict[str, list[SharedIds]] = {}
    if sources:
        values = {"study_area": evidence.area.name, "sources": sources}
        for source, one, other, n, example in evidence.rows(SHARED_IDS, values):
            shared = SharedIds(files=(one, other), n=n, example=example)
            found.setdefault(source, []).append(shared)
    return found


def parts(evidence: Evidence) -> Outcome:
    """Months of every force."""
    found = evidence.counted(
        "select source, part, month, sum(n)::bigint from label_month group by all order by all"
    )
    return judge_parts(
        [PartMonth(source=s, part=part, month=_month(day), n=n) for s, part, day, n in found]
    )


def thin_months(evidence: Evidence) -> Outcome:
    """Whole months of every part and offence type."""
    found = evidence.counted(
        "select source, part, offence_type, month, sum(n)::bigint from label_month "
        "group by all order by all"
    )
    newest = _newest_whole_month(evidence)
    return judge_thin_months(
        [
            MonthRows(source=source, part=part, offence_type=kind, month=_month(day), n=n)
            for source, part, kind, day, n in found
            if _month(day) <= newest[source]
        ]
    )


def freshness(evidence: Evidence) -> Outcome:
    """The newest incident, and the day on which files were read last."""
    area = evidence.area
    (found,) = evidence.counted("select max(last_day), bool_and(is_month_only) from label_month")
    newest, is_month_only = found
    if newest is not None and is_month_only:  # the day says only which month it was
        newest = ((_month(newest) + 1).astype("datetime64[D]") - 1).item()
    last = max(_newest_whole_month(evidence).values(), default=None)
    ((read_at,),) = evidence.rows(
        "select max(ingested_at) from source_file where study_area = ? and ingested_at > now()",
        [area.name],
    )
    return judge_freshness(
        newest,
        today=evidence.today,
        max_age_days=area.quality.max_age_days,
        is_closed=area.last_month is not None,
        expiry=None if last is None else expiry_of(last + area.backtest.horizon, area.timezone),
        read_on=None if read_at is None else read_at.astimezone(ZoneInfo(area.timezone)).date(),
    )


def levels(evidence: Evidence) -> Outcome:
    """Monthly counts by offence type."""
    found = evidence.rows(
        "select offence_type, min(month), list(count order by month) from month_count "
        "where study_area = ? and is_complete group by offence_type",
        [evidence.area.name],
    )
    by_type = {kind: (_month(first), np.array(counts)) for kind, first, counts in found}
    known = [kind for kind in evidence.area.offence_names if kind in by_type]
    first = min((first for first, _ in by_type.values()), default=evidence.area.first_month)
    return judge_levels(
        {kind: by_type[kind][1] for kind in known}, first=first, toml_file=evidence.area.toml_file
    )


def revisions(evidence: Evidence) -> Outcome:
    """What was known of each month when."""
    found = evidence.rows(
        # Of each calendar month the last look: what is usual is measured month by month.
        "with looks as (select month, known_on, sum(count)::double as n from month_revision "
        "where study_area = ? group by all) select month, date_trunc('month', known_on) as "
        "seen_in, arg_max(n, known_on) from looks group by all",
        [evidence.area.name],
    )
    months, vintages = (
        np.unique(np.array([row[place] for row in found], dtype="datetime64[M]"))
        for place in (0, 1)
    )
    counts = np.full((len(months), len(vintages)), np.nan)
    for day, seen_in, n in found:
        place = np.searchsorted(months, _month(day)), np.searchsorted(vintages, _month(seen_in))
        counts[place] = n
    return judge_revisions(counts, months=months, vintages=vintages)


def taken_back(evidence: Evidence) -> Outcome:
    """Counts by month and offence type, now and at the states before."""
    name = evidence.area.name
    moments = evidence.rows(STATES, {"study_area": name, "most": N_STATES})
    if len(moments) < 2:
        return Outcome()
    evidence.rows(TYPE_MONTH, [name])
    now = _counts_at(evidence, "infinity")
    before: dict[tuple[str, Month, str], tuple[int, str]] = {}
    for (moment,) in moments[1:]:
        for key, (n, files) in _counts_at(evidence, moment).items():
            before[key] = max(before.get(key, (0, "")), (n, files))
    held_now = {key[:2]: files for key, (_, files) in now.items()}
    return judge_taken_back(
        [
            CountThenAndNow(
                source=key[0],
                month=key[1],
                offence_type=key[2],
                before=n,
                now=now.get(key, (0, ""))[0],
                files=held_now.get(key[:2], files),
            )
            for key, (n, files) in before.items()
            if n
        ]
    )


def _counts_at(evidence: Evidence, moment: object) -> dict[tuple[str, Month, str], tuple[int, str]]:
    found = evidence.rows(COUNTS_AT, {"study_area": evidence.area.name, "moment": moment})
    return {(source, _month(day), kind): (n, files) for source, day, kind, n, files in found}


def _newest_whole_month(evidence: Evidence) -> dict[str, Month]:
    """The last whole month of each source, as its current files have it."""
    days = source_days(evidence.connection, evidence.area)
    whole: dict[str, Month] = {}
    for file in known_files(evidence.connection, evidence.area):
        if file.known_until is None and file.source in days:
            month = days[file.source].last_whole(file.last_day, file.known_on)
            whole[file.source] = max(month, whole.get(file.source, month))
    return whole


def _month(day: dt.date) -> Month:
    return np.datetime64(day, "M")
