"""What was found in a file, so that every row is accounted for: accepted, ignored or rejected."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from crime_platform.sources.places import PlaceMatch, matched_together
from crime_platform.vocabulary.incident import (
    OUTSIDE_GRID,
    UNMAPPED_LABEL,
    UNPARSEABLE_DATE,
    FileHeader,
)

MAX_LABELS = 50
WITHOUT_PLACE = "accepted without a place"
MAX_POINTS = 200
MAX_BAD_DATES = 200
MAX_VALUE_CHARACTERS = 200  # kept of a value that was rejected: some fields hold a whole file


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReport:
    """Rows of one file, or of several together."""

    file: str
    n_rows: int  # of data, broken ones included; a header is none
    n_accepted: int = 0
    n_geocoded: int = 0  # accepted, with a place
    n_incidents: int = 0  # that the accepted rows stand for
    n_ignored: int = 0  # with a label that the area ignores
    n_elsewhere: int = 0  # of another area, by the column that [source.only] names
    n_repeated: int = 0  # accepted before the duplicate rule, equal to an earlier row
    first_day: dt.date | None = None  # accepted
    last_day: dt.date | None = None
    end_day: dt.date | None = None  # of its rows, counted or not: how far the file reaches
    days_of_month: tuple[int, int] | None = None  # smallest and largest, of dates that are read
    n_rejected: dict[str, int] = field(default_factory=dict)  # rows by reason
    examples: dict[str, str] = field(default_factory=dict)  # offending value by reason
    bad_dates: tuple[str, ...] = field(default=(), repr=False)  # some of them
    unmapped_labels: dict[str, int] = field(default_factory=dict)  # rows, most frequent first
    ignored_labels: dict[str, int] = field(default_factory=dict)  # rows, most frequent first
    # Some of them, in the source's CRS: enough to see what is wrong with them.
    outside_points: tuple[tuple[float, float], ...] = field(default=(), repr=False)
    match: PlaceMatch | None = None  # of coded places
    encoding: str | None = None  # that the text looks like, where rows of it are not UTF-8
    headers: tuple[FileHeader, ...] = field(default=(), repr=False)  # of one file's tables

    @property
    def n_in_scope(self) -> int:
        """Rows that are of this area and not ignored: what shares are taken of."""
        return self.n_rows - self.n_ignored - self.n_elsewhere

    @property
    def n_unaccounted(self) -> int:
        """Rows neither accepted nor left alone nor rejected: 0, or we lost or doubled some."""
        n_rejected = sum(self.n_rejected.values())
        return self.n_rows - self.n_accepted - self.n_ignored - self.n_elsewhere - n_rejected

    def require_accounted(self) -> None:
        """Refuse to go on with a file whose rows do not add up.

        Raises:
            RuntimeError: if a row was lost or doubled, which no file can be blamed for.
        """
        if self.n_unaccounted:
            raise RuntimeError(
                f"{self.file}: {self.n_rows:,} rows were read and {self.n_unaccounted:,} of them "
                f"are neither accepted ({self.n_accepted:,}), ignored ({self.n_ignored:,}), of "
                f"another area ({self.n_elsewhere:,}) nor rejected ({self.n_rejected}); this is a "
                "mistake of the platform, not of the file: please report it with the file"
            )

    @property
    def fates(self) -> dict[str, int]:
        """What became of the rows: every row once, so that the numbers add up to all of them."""
        return {
            "accepted": self.n_accepted,
            "ignored label": self.n_ignored,
            "of another area": self.n_elsewhere,
            **self.n_rejected,
        }

    def findings(self) -> list[tuple[str, int, float, str | None]]:
        """Finding, rows, share of all rows and one example, for the table data_quality."""
        counted = {
            "accepted": self.n_accepted,
            WITHOUT_PLACE: self.n_accepted - self.n_geocoded,
            "equal to an earlier row": self.n_repeated,
            "ignored label": self.n_ignored,
            "of another area": self.n_elsewhere,
            **self.n_rejected,
        }
        if self.match is not None:
            counted["place not in the table of places"] = self.match.n_known - self.match.n_matched
            counted["placed by district"] = self.match.n_by_district
        whole = max(self.n_rows, 1)
        return [(what, n, n / whole, self.examples.get(what)) for what, n in counted.items()]


def together(reports: Sequence[TableReport], file: str) -> TableReport:
    """One report over several files."""
    days = [day for report in reports for day in (report.first_day, report.last_day) if day]
    days_of_month = [day for report in reports for day in report.days_of_month or ()]
    examples: dict[str, str] = {}
    for report in reports:
        examples = {**report.examples, **examples}
    return TableReport(
        file=file,
        n_rows=sum(report.n_rows for report in reports),
        n_accepted=sum(report.n_accepted for report in reports),
        n_geocoded=sum(report.n_geocoded for report in reports),
        n_incidents=sum(report.n_incidents for report in reports),
        n_ignored=sum(report.n_ignored for report in reports),
        n_elsewhere=sum(report.n_elsewhere for report in reports),
        n_repeated=sum(report.n_repeated for report in reports),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        end_day=max((report.end_day for report in reports if report.end_day), default=None),
        days_of_month=(min(days_of_month), max(days_of_month)) if days_of_month else None,
        bad_dates=tuple(text for report in reports for text in report.bad_dates)[:MAX_BAD_DATES],
        n_rejected=_summed([report.n_rejected for report in reports]),
        examples=examples,
        unmapped_labels=_summed([report.unmapped_labels for report in reports]),
        ignored_labels=_summed([report.ignored_labels for report in reports]),
        outside_points=tuple(p for report in reports for p in report.outside_points)[:MAX_POINTS],
        encoding=next((report.encoding for report in reports if report.encoding), None),
        match=matched_together([report.match for report in reports if report.match is not None]),
    )


def report_of(
    connection: duckdb.DuckDBPyConnection,
    file: str,
    *,
    n_rows: int,
    n_repeated: int,
    as_of: dt.date,
    match: PlaceMatch | None = None,
) -> TableReport:
    """The report on what stands in the tables `judged` and `broken`.

    Args:
        connection: with both tables.
        file: how messages call the file.
        n_rows: that the file held, counted before any was judged.
        n_repeated: accepted rows that equal an earlier one.
        as_of: last day that can have happened.
        match: how many coded places were found.
    """
    totals = connection.execute(
        """
        select
            count(*) filter (is_accepted) as n_accepted,
            count(*) filter (is_accepted and x_m is not null) as n_geocoded,
            coalesce(sum(n_incidents) filter (is_accepted), 0) as n_incidents,
            count(*) filter (is_ignored) as n_ignored,
            count(*) filter (is_elsewhere) as n_elsewhere,
            min(occurred_on) filter (is_accepted) as first_day,
            max(occurred_on) filter (is_accepted) as last_day,
            max(occurred_on) filter (occurred_on <= $as_of and not is_elsewhere) as end_day,
            min(day(occurred_on)) as lowest, max(day(occurred_on)) as highest
        from judged
        """,
        {"as_of": as_of},
    ).fetchall()[0]
    rejected = connection.execute("""
        select reason, count(*), min_by(value, (source_file, source_row))
        from (select source_file, source_row, reason, value from rejected)
        group by reason order by reason
    """).fetchall()
    labels = connection.execute(f"""
        select value, count(*) as n from judged where reason = '{UNMAPPED_LABEL}'
        group by all order by n desc, value limit {MAX_LABELS}
    """).fetchall()
    ignored = connection.execute("""
        select source_offence, count(*) as n from judged where is_ignored
        group by all order by n desc, source_offence
    """).fetchall()
    unplaced = connection.execute(f"""
        select left(min_by(bad_place, (source_file, source_row)), {MAX_VALUE_CHARACTERS})
        from judged where is_accepted and x_m is null and bad_place is not null
    """).fetchall()
    bad_dates = connection.execute(f"""
        select distinct left(value, {MAX_VALUE_CHARACTERS}) from judged
        where reason = '{UNPARSEABLE_DATE}' and value is not null order by 1 limit {MAX_BAD_DATES}
    """).fetchall()
    points = connection.execute(f"""
        select east, north from judged where reason = '{OUTSIDE_GRID}'
        order by source_file, source_row limit {MAX_POINTS}
    """).fetchall()
    n_accepted, n_geocoded, n_incidents, n_ignored, n_elsewhere, first, last, end, *days = totals
    return TableReport(
        file=file,
        n_rows=n_rows,
        n_accepted=n_accepted,
        n_geocoded=n_geocoded,
        n_incidents=int(n_incidents),
        n_ignored=n_ignored,
        n_elsewhere=n_elsewhere,
        n_repeated=n_repeated,
        first_day=first,
        last_day=last,
        end_day=end,
        days_of_month=None if None in days else (days[0], days[1]),
        bad_dates=tuple(text for (text,) in bad_dates),
        n_rejected={reason: n for reason, n, _ in rejected},
        examples={
            reason: value
            for reason, value in (
                *((reason, value) for reason, _, value in rejected),
                *((WITHOUT_PLACE, value) for (value,) in unplaced),
            )
            if value is not None
        },
        unmapped_labels=dict(labels),
        ignored_labels=dict(ignored),
        outside_points=tuple(points),
        match=match,
    )


def _summed(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for key, n in one.items():
            total[key] = total.get(key, 0) + n
    return total
