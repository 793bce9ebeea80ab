"""When so much of a source is rejected that none of it may be taken in, and how to cure it."""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from crime_platform.sources.label_spelling import label_meant
from crime_platform.sources.places import PlaceMatch
from crime_platform.sources.scan.long_rows import MAX_ROW_BYTES
from crime_platform.sources.scan.typed_values import MAX_COUNT
from crime_platform.sources.table_report import WITHOUT_PLACE, TableReport, together
from crime_platform.study_area.source import EPOCH, EPOCH_MS, ISO, PlaceTable
from crime_platform.study_area.study_area import Source, StudyArea, label_key
from crime_platform.vocabulary.incident import (
    BAD_COUNT,
    BROKEN_ROW,
    IN_THE_FUTURE,
    MISSING_OFFENCE,
    OUTSIDE_GRID,
    UNMAPPED_LABEL,
    UNPARSEABLE_DATE,
    CoordinateError,
    SourceFormatError,
)
from crime_platform.vocabulary.projection import WGS84, CellFinder, project

WRONG_ROW_REASONS = (
    BROKEN_ROW,
    MISSING_OFFENCE,
    UNMAPPED_LABEL,
    UNPARSEABLE_DATE,
    IN_THE_FUTURE,
    BAD_COUNT,
    OUTSIDE_GRID,
)
"""Reasons that speak against the file or its mapping; a late report or a duplicate does not."""

MAX_LABELS_SHOWN = 10

COMMON_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m",
    "%Y%m%d",
    "%Y%m",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%B %Y",
    "%b %Y",
    "%m/%d/%y",
    "%d/%m/%y",
)
"""Tried on a date that cannot be parsed, to suggest one."""

_NUMERIC_DAY = re.compile(r"%[dm][-/. ]%[dm]")
MIN_SWAPPED = 5  # dates of each kind: that all lie on their side of the 12th is no chance
_DIGITS = re.compile(r"\d+(\.0*)?")
COORDINATE_CURES = (
    (re.compile(r"(?i)\bpoint\b.*\("), "map the column as point in [source.columns]"),
    (
        re.compile(
            r"^[([]?\s*-?\d+[.,]\d+\s*[,;]\s*-?\d+[.,]\d+\s*[)\]]?$|\(-?[\d.]+, ?-?[\d.]+\)$"
        ),
        'map the column as point in [source.columns], with point_format = "lat_lon" or "lon_lat"',
    ),
    (re.compile(r"^0[01]0[1-7]0000[0-9A-Fa-f]+$"), "that is WKB; export the point as WKT"),
    (re.compile(r"\d,\d+$|\d,\d+ "), 'if its comma is a decimal mark, write decimal = ","'),
)
"""Ways to write coordinates by which the columns cannot be read as two plain numbers."""


def require_some_accepted(
    report: TableReport, source: Source, area: StudyArea, grid: CellFinder | None
) -> None:
    """Refuse a file without rows, or whose rows are all rejected for what they say.

    Raises:
        SourceFormatError: if it has no rows, or none is accepted.
        CoordinateError: if none is accepted and the place is the only reason.
    """
    if not report.n_rows:
        raise SourceFormatError(
            f"{report.file}: a header and no rows; fetch it again, or take it out of paths"
        )
    wrong = [reason for reason in WRONG_ROW_REASONS if report.n_rejected.get(reason)]
    if wrong and not report.n_accepted:
        complaints = {reason: _complaint(reason, report, source, area, grid) for reason in wrong}
        _refuse(f"{report.file}: no row can be used", complaints)


def require_quality(
    reports: Sequence[TableReport], source: Source, area: StudyArea, grid: CellFinder | None
) -> None:
    """Refuse a source that goes beyond the study area's quality limits, all files together.

    Raises:
        SourceFormatError: if any limit but the one for the place is passed, or no row is accepted.
        CoordinateError: if only the limit for the place is passed.
    """
    whole = together(reports, f"source {source.name!r}")
    n_geocoded = whole.n_geocoded + whole.n_rejected.get(OUTSIDE_GRID, 0)
    limits = area.quality
    allowed = {
        BROKEN_ROW: limits.max_broken_row_share * whole.n_in_scope,
        MISSING_OFFENCE: limits.max_missing_offence_share * whole.n_in_scope,
        UNMAPPED_LABEL: limits.max_unmapped_share * whole.n_in_scope,
        UNPARSEABLE_DATE: limits.max_bad_date_share * whole.n_in_scope,
        IN_THE_FUTURE: limits.max_bad_date_share * whole.n_in_scope,
        BAD_COUNT: limits.max_bad_count_share * whole.n_in_scope,
        OUTSIDE_GRID: limits.max_outside_share * n_geocoded,
    }
    complaints = {
        reason: _complaint(reason, whole, source, area, grid)
        for reason, n_allowed in allowed.items()
        if whole.n_rejected.get(reason, 0) > n_allowed
    }
    if whole.n_geocoded < limits.min_geocoded_share * whole.n_accepted:
        complaints["not geocoded"] = _geocoded_complaint(whole, source, limits.min_geocoded_share)
    match, places = whole.match, source.places
    if match is not None and places is not None and match.share < places.min_match_share:
        complaints["places not matched"] = _vintage_complaint(match, places)
    if not whole.n_accepted:
        complaints["nothing accepted"] = (
            f"no row falls in {area.first_month}..{area.last_month or 'now'}; rejected: "
            f"{whole.n_rejected}; correct first_month, last_month or paths"
        )
    if complaints:
        worst = max(reports, key=lambda report: sum(report.n_rejected.values()))
        more = f", most of it in {worst.file}" if len(reports) > 1 else f" in {worst.file}"
        _refuse(f"{whole.file}: more is wrong{more} than [quality] allows", complaints)


def _refuse(what: str, complaints: dict[str, str]) -> None:
    listing = "\n".join(f"  {complaint}" for complaint in complaints.values())
    error = CoordinateError if complaints.keys() == {OUTSIDE_GRID} else SourceFormatError
    raise error(f"{what}\n{listing}")


def _complaint(
    reason: str, report: TableReport, source: Source, area: StudyArea, grid: CellFinder | None
) -> str:
    n_rows = report.n_rejected[reason]
    share = n_rows / max(report.n_in_scope, 1)
    columns = source.columns
    advice = {
        BROKEN_ROW: lambda: _broken_advice(report.encoding),
        MISSING_OFFENCE: lambda: f"column {columns.offence!r} is blank; check offence",
        UNMAPPED_LABEL: lambda: _label_advice(report, area),
        UNPARSEABLE_DATE: lambda: _date_advice(
            report.examples.get(UNPARSEABLE_DATE), report, source
        ),
        IN_THE_FUTURE: lambda: (
            f"e.g. {report.examples[IN_THE_FUTURE]}; check that day and month are not swapped in "
            f"datetime_format ({_written_formats(source)})"
        ),
        BAD_COUNT: lambda: (
            f"column {columns.count!r} holds {report.examples.get(BAD_COUNT, 'blanks')!r}; "
            f"expected a whole number of 1 or more, up to {MAX_COUNT:,}"
        ),
        OUTSIDE_GRID: lambda: _place_advice(report, source, area, grid),
    }
    return f"{reason}: {n_rows:,} rows ({share:.2%}): {advice[reason]()}"


def _broken_advice(encoding: str | None) -> str:
    if encoding is not None:
        return (
            f"the text is not UTF-8, and looks like {encoding}; look at its letters, and state "
            f'encoding = "{encoding}" under [[source]]'
        )
    return (
        "they have more or fewer fields than the header, an open quote, bytes that are not UTF-8, "
        f"or more than {MAX_ROW_BYTES // 1_000_000} MB in one row; fetch the file "
        "again, or compare a row with the header"
    )


def _label_advice(report: TableReport, area: StudyArea) -> str:
    known = [label for kind in area.offence_types for label in kind.labels]
    shown = []
    for label, n_rows in list(report.unmapped_labels.items())[:MAX_LABELS_SHOWN]:
        shown.append(f"{label!r} ({n_rows:,}{_alike(label, known)})")
    n_more = len(report.unmapped_labels) - len(shown)
    more = f" and {n_more} more" if n_more > 0 else ""
    return (
        f"{', '.join(shown)}{more}; add each in {area.toml_file or 'the TOML'} to the labels of an "
        "[[offence_type]], or to ignored_labels"
    )


def _alike(label: str, known: Sequence[str]) -> str:
    """The known label that is meant, if one is spelt nearly so."""
    meant = label_meant(label, known)
    if meant is None:
        return ""
    one, other = (unicodedata.normalize("NFC", label_key(each)) for each in (label, meant))
    told = ", but its accents are encoded in another way: copy it from here" if one == other else ""
    return f", like {meant!r}{told}"


def _date_advice(example: str | None, report: TableReport, source: Source) -> str:
    column = source.columns.occurred_at
    if example is None:
        return f"column {column!r} is blank; check occurred_at"
    if _are_days_swapped(report, source):
        return (
            f"a spreadsheet has swapped day and month in column {column!r}: dates such as "
            f"{example!r} and those that are {_written_formats(source)} lie on two sides of the "
            "12th. Take the file as the publisher gives it, or export it anew with the column as "
            "text"
        )
    fitting = [form for form in COMMON_FORMATS if _fits(example, form)]
    if _DIGITS.fullmatch(example) and len(example.partition(".")[0]) in (10, 13):
        fitting = [EPOCH if len(example.partition(".")[0]) == 10 else EPOCH_MS]
    suggestion = "correct datetime_format"
    if fitting and not report.n_accepted:
        suggestion = f'try datetime_format = "{fitting[0]}"'
    elif fitting:  # some rows are written as the source says, others in a second way
        both = ", ".join(f'"{each}"' for each in (*(source.datetime_formats or (ISO,)), fitting[0]))
        suggestion = f"try a list with both ways, datetime_format = [{both}]"
    return f"{example!r} in column {column!r} is not {_written_formats(source)}; {suggestion}"


def _are_days_swapped(report: TableReport, source: Source) -> bool:
    """Whether the numeric dates are all after the 12th, and the others all up to it.

    A spreadsheet that expects the month first turns 03/02/2022 into a date, of 2 March, and leaves
    13/02/2022 a text.
    """
    written = {_NUMERIC_DAY.match(form) is not None for form in source.datetime_formats or (ISO,)}
    is_enough = min(len(report.bad_dates), report.n_accepted) >= MIN_SWAPPED
    if report.days_of_month is None or len(written) > 1 or not is_enough:
        return False
    first_read, last_read = report.days_of_month
    for form in COMMON_FORMATS:
        if (_NUMERIC_DAY.match(form) is not None) in written:
            continue
        days = [moment.day for text in report.bad_dates if (moment := _moment(text, form))]
        if len(days) < len(report.bad_dates):
            continue
        # Whichever of the two was read, the numeric dates are those that were left a text.
        is_beyond = first_read > 12 >= max(days) if True in written else min(days) > 12 >= last_read
        if is_beyond:
            return True
    return False


def _written_formats(source: Source) -> str:
    return " or ".join(source.datetime_formats) or "ISO 8601"


def _fits(example: str, form: str) -> bool:
    return _moment(example, form) is not None


def _moment(text: str, form: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, form)  # noqa: DTZ007  no instant is asked for
    except ValueError:
        return None


def _geocoded_complaint(report: TableReport, source: Source, wanted: float) -> str:
    east, north = source.coordinates
    share = report.n_geocoded / max(report.n_accepted, 1)
    if source.places is not None:
        return (
            f"not geocoded: only {share:.1%} of accepted rows have a place that "
            f"{source.places.file} knows, expected {wanted:.1%}; the publisher does not know the "
            "others, so lower min_geocoded_share and know that they count in totals only"
        )
    columns = repr(east) if east == north else f"{east!r} and {north!r}"
    return (
        f"not geocoded: only {share:.1%} of accepted rows have coordinates in {columns}, "
        f"expected {wanted:.1%}; {_coordinate_advice(report, source)}, "
        "or lower min_geocoded_share and know that the rest counts in totals only"
    )


def _coordinate_advice(report: TableReport, source: Source) -> str:
    """What to do about coordinates that are blank, or written in a way the TOML does not say."""
    example = report.examples.get(WITHOUT_PLACE)
    if example is None:
        return "the others are blank: check the columns"
    told = f"the first without is {example!r}"
    other = "," if source.decimal == "." else "."
    if report.n_geocoded and re.search(rf"\d[{other}]\d", example) and source.columns.point is None:
        return (
            f"{told}, with a {other!r} where other rows have the decimal mark {source.decimal!r}: "
            "write all of them alike in the file"
        )
    for pattern, cure in COORDINATE_CURES:
        if pattern.search(example):
            return f"{told}: {cure}"
    return f"{told}: check the columns, and decimal, thousands and point_format under [[source]]"


def _vintage_complaint(match: PlaceMatch, places: PlaceTable) -> str:
    cure = (
        f'column {match.better_column!r} of it knows more: write code = "{match.better_column}"'
        if match.better_column
        else "fetch the table of the edition that the publisher counts by"
    )
    return (
        f"places not matched: only {match.share:.1%} of incidents with a known place have a code "
        f"in {places.file} ({places.vintage}), expected {places.min_match_share:.0%}; missing are "
        f"e.g. {', '.join(match.unmatched)}; {cure}"
    )


def _place_advice(
    report: TableReport, source: Source, area: StudyArea, grid: CellFinder | None
) -> str:
    east, north = np.array(report.outside_points, dtype=float).T
    names = source.coordinates
    where = (
        f"e.g. {names[0]} {east.min():.8g}..{east.max():.8g}, {names[1]} {north.min():.8g}.."
        f"{north.max():.8g} ({source.point_crs})"
    )
    if grid is not None and _mostly_inside(north, east, source, area, grid):
        return f"{where}; {names[0]} and {names[1]} look swapped: exchange them in [source.columns]"
    if source.point_crs == WGS84 and (np.abs(east).max() > 180 or np.abs(north).max() > 90):
        return (
            f"{where}; these are no degrees: map the columns as x and y and state their CRS, e.g. "
            f'crs = "{area.crs}"'
        )
    return (
        f"{where}; check crs of the source and extent_m of the grid in "
        f"{area.toml_file or 'the TOML'}, or raise max_outside_share if they lie elsewhere indeed"
    )


def _mostly_inside(
    east: np.ndarray, north: np.ndarray, source: Source, area: StudyArea, grid: CellFinder
) -> bool:
    x_m, y_m = project(east, north, source=source.point_crs, target=area.crs)
    row, _ = grid.cell_of(x_m, y_m)
    return bool((row >= 0).mean() > 0.5)
