"""The incident table: its columns, the reasons for which a row is rejected, and its two errors.

One incident is one recorded event. A row is accepted or rejected with one reason; the reasons
stand here in the order in which they are tried. Beside them the header of the rows' file.
"""

from dataclasses import dataclass

INCIDENT_COLUMNS = {
    "source_file": "file the row came from; a member of an archive reads archive.zip/member.csv",
    "source_row": "row in that file as a spreadsheet numbers it: a CSV header is row 1",
    "source_id": "the publisher's identifier, if the source maps one",
    "occurred_on": "local calendar day; the first of the month where only months are published",
    "occurred_hour": "local hour 0..23; null when not published",
    "month": "first day of the month of occurred_on",
    "source_offence": "offence as the publisher writes it, blanks at the ends removed",
    "offence_type": "our category, from the study area's labels",
    "source_premises": "kind of place as the publisher writes it; null when not published",
    "lon": "longitude in degrees, EPSG:4326; null when not geocoded",
    "lat": "latitude in degrees, EPSG:4326; null when not geocoded",
    "x_m": "metres east in the study area's CRS; null when not geocoded",
    "y_m": "metres north in the study area's CRS; null when not geocoded",
    "row": "grid row, 0 in the south; null when not geocoded",
    "col": "grid column, 0 in the west; null when not geocoded",
    "n_incidents": "incidents the row stands for; 1 unless the source maps a count",
    "part": "what the publisher releases month by month by itself, such as a force; else null",
}
"""Columns of the accepted rows, in order, with what each means."""

HOUR_BANDS = {"night": (0, 5), "morning": (5, 11), "afternoon": (11, 17), "evening": (17, 24)}
"""Parts of the day by name: the first hour, and the hour that begins the next one."""

REJECTED_COLUMNS = {
    "source_file": "file the row came from",
    "source_row": "row in that file as a spreadsheet numbers it: a CSV header is row 1",
    "reason": "one of REASONS",
    "value": "what stood in the column that caused it; null for a row that could not be split",
}
"""Columns of the rejected rows, in order, with what each means."""

BROKEN_ROW = "broken row"  # wrong number of fields, an open quote, an undecodable byte
MISSING_OFFENCE = "missing offence"
UNMAPPED_LABEL = "unmapped label"
UNPARSEABLE_DATE = "unparseable date"
BEFORE_FIRST_MONTH = "before first month"
AFTER_LAST_MONTH = "after last month"
IN_THE_FUTURE = "in the future"
BAD_COUNT = "bad count"  # not a whole number of 1 or more
OUTSIDE_GRID = "outside the grid"
EXACT_DUPLICATE = "exact duplicate"
REPEATED_ID = "repeated id"

REASONS = (
    BROKEN_ROW,
    MISSING_OFFENCE,
    UNMAPPED_LABEL,
    UNPARSEABLE_DATE,
    BEFORE_FIRST_MONTH,
    AFTER_LAST_MONTH,
    IN_THE_FUTURE,
    BAD_COUNT,
    OUTSIDE_GRID,
    EXACT_DUPLICATE,
    REPEATED_ID,
)
"""Why a row is rejected. A row that qualifies for several gets the first."""

KEEP = "keep"  # equal rows are different incidents
DROP_EXACT = "drop_exact"  # of rows equal in every mapped column, the first stays
DROP_SAME_ID = "drop_same_id"  # of rows with the same id, the first stays; blank ids never match

DUPLICATE_RULES = (KEEP, DROP_EXACT, DROP_SAME_ID)


class SourceFormatError(ValueError):
    """A publisher's file is not laid out as the study area says."""


class CoordinateError(ValueError):
    """Coordinates are in another CRS, swapped, or outside the study area."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHeader:
    """The columns of one table, also those that are never read, to tell a changed layout."""

    member: str  # the file, or archive.zip/member.csv
    columns: tuple[str, ...]  # as the publisher writes them, in the order of the file
    types: tuple[str, ...] = ()  # of each column, where the format states them; text files do not
