"""Which columns hold the place of an incident, and which marks their numbers are written with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crime_platform.onboarding.guesses.column_names import name_rank, words_of
from crime_platform.onboarding.guesses.raw_table import Column, RawTable
from crime_platform.sources.scan.number_values import number_of, point_of
from crime_platform.study_area.source import LAT_LON, LON_LAT, WKT, ColumnMapping, Source

MIN_FIT = 0.95  # of filled values that must look like what the column is taken for
MOSTLY = 0.5  # of filled values, for the others to be exceptions
# South of 60 degrees nobody lives: what lies there is a longitude.
DEGREES = {"lon": (-180, 180), "lat": (-60, 90)}
PAIRS = (("lon", "lat"), ("x", "y"))
POINT_KEYS = ("lon", "lat", "x", "y", "point")
PLAIN = (".", None)
DEGREE_MARKS = (PLAIN, (",", None))
METRE_MARKS = (
    PLAIN,
    (".", ","),
    (",", "."),
    (",", " "),
    (".", " "),
    (".", "'"),
    (",", "'"),
    (",", None),
)
"""Decimal and thousands marks, in the order in which they are tried: 490,000 m are not 490 m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointGuess:
    """Where the place of an incident stands, and how."""

    columns: Mapping[str, Column]  # lon and lat, x and y, or point
    east: str  # SQL on the table `raw`
    north: str
    in_degrees: bool
    decimal: str = "."
    thousands: str | None = None
    point_format: str | None = None
    rival_format: str | None = None  # another point_format that fits as well


def draft_source(**changes: object) -> Source:
    """A source of which only what is said matters, to read values as a run would."""
    columns = ColumnMapping(occurred_at="-", offence="-", lon="-", lat="-")
    return Source(**{"name": "draft", "paths": ("-",), "columns": columns, **changes})  # pyright: ignore[reportArgumentType]


def guess_point(
    raw: RawTable, free: Sequence[Column], given: Mapping[str, Column]
) -> PointGuess | None:
    """The columns of the place; None where no two columns, and no one column, hold it.

    Args:
        raw: the file.
        free: columns that may be taken.
        given: columns that a person named, by key.
    """
    if "point" in given:
        return _in_one_column(raw, [given["point"]]) or _unread_point(given["point"])
    for east, north in PAIRS:
        if east in given and north in given:
            return _told_pair(raw, (east, north), given)
    if {"place", *POINT_KEYS} & given.keys():
        return None
    numbers = [column for column in free if column.n_filled and column.marked_share >= MIN_FIT]
    return (
        _pair(raw, PAIRS[0], numbers, DEGREE_MARKS)
        or _in_one_column(raw, [column for column in free if column.number_share < MIN_FIT])
        or _pair(raw, PAIRS[1], numbers, METRE_MARKS)
    )


def _pair(
    raw: RawTable,
    keys: tuple[str, str],
    numbers: Sequence[Column],
    all_marks: Sequence[tuple[str, str | None]],
) -> PointGuess | None:
    """The two columns of the most telling names that are numbers in the same marks."""
    for marks in all_marks:
        chosen = []
        for key in keys:
            ranked = [
                (rank, at)
                for at, column in enumerate(numbers)
                if (rank := name_rank(key, column.name)) is not None
                and _number_share(raw, column, marks, DEGREES.get(key)) >= MIN_FIT
            ]
            chosen.append(numbers[min(ranked)[1]] if ranked else None)
        east, north = chosen
        if east is not None and north is not None and east is not north:
            return _numbers(keys, (east, north), marks)
    return None


def _told_pair(raw: RawTable, keys: tuple[str, str], given: Mapping[str, Column]) -> PointGuess:
    """The two columns that a person named, in the marks in which both are most often numbers."""
    columns = (given[keys[0]], given[keys[1]])
    all_marks = DEGREE_MARKS if keys == PAIRS[0] else METRE_MARKS

    def share(marks: tuple[str, str | None]) -> float:
        return min(
            _number_share(raw, column, marks, DEGREES.get(key))
            for key, column in zip(keys, columns, strict=True)
        )

    best = next((marks for marks in all_marks if share(marks) >= MIN_FIT), None)
    return _numbers(keys, columns, best or max(all_marks, key=share))


def _numbers(
    keys: tuple[str, str], columns: tuple[Column, Column], marks: tuple[str, str | None]
) -> PointGuess:
    source = draft_source(decimal=marks[0], thousands=marks[1])
    east, north = (number_of(column.position, source) for column in columns)
    return PointGuess(
        columns=dict(zip(keys, columns, strict=True)),
        east=east,
        north=north,
        in_degrees=keys == PAIRS[0],
        decimal=marks[0],
        thousands=marks[1],
    )


def _number_share(
    raw: RawTable, column: Column, marks: tuple[str, str | None], within: tuple[int, int] | None
) -> float:
    """Share of filled values that are numbers in these marks, and within these limits."""
    number = number_of(column.position, draft_source(decimal=marks[0], thousands=marks[1]))
    fits = _is_within(number, within)
    ((share, n_distinct),) = raw.rows(
        f"select count(*) filter ({fits}) / greatest(count({column.position}), 1), "
        f"approx_count_distinct({number}) from raw"
    )
    return float(share) if n_distinct > 1 else 0.0


def odd_values(raw: RawTable, column: Column, key: str) -> tuple[float, str] | None:
    """Share of a column's values that are no coordinates while most are, and one of them.

    Args:
        raw: the file.
        column: coordinates of one axis.
        key: of the axis in `[source.columns]`.
    """
    all_marks = DEGREE_MARKS if key in DEGREES else METRE_MARKS
    shares = {marks: _number_share(raw, column, marks, DEGREES.get(key)) for marks in all_marks}
    (decimal, thousands), share = max(shares.items(), key=lambda pair: pair[1])
    number = number_of(column.position, draft_source(decimal=decimal, thousands=thousands))
    ((example,),) = raw.rows(
        f"select min({column.position}) filter (not coalesce("
        f"{_is_within(number, DEGREES.get(key))}, false)) from raw"
    )
    return None if share < MOSTLY or example is None else (1 - share, example)


def _is_within(number: str, limits: tuple[int, int] | None) -> str:
    if limits is None:
        return f"isfinite({number})"
    return f"{number} between {limits[0]} and {limits[1]}"


def _in_one_column(raw: RawTable, columns: Sequence[Column]) -> PointGuess | None:
    """The column with both coordinates in one text, the most telling name first."""
    ranked = sorted(columns, key=lambda column: name_rank("point", column.name) or 0)
    for column in ranked:
        if column.pair_share < MIN_FIT:
            continue
        for decimal in (".", ","):
            found = _point_formats(raw, column, decimal)
            if found:
                return _point(column, found, decimal)
    return None


def _point(column: Column, formats: Sequence[str], decimal: str) -> PointGuess:
    words = words_of(column.name).replace(" ", "")
    says_lon_first = words.startswith(("lon", "lng", "xy")) and LON_LAT in formats
    chosen = LON_LAT if says_lon_first else formats[0]
    east, north = point_of(column.position, draft_source(point_format=chosen, decimal=decimal))
    rivals = [form for form in formats if form not in (chosen, WKT)]
    return PointGuess(
        columns={"point": column},
        east=east,
        north=north,
        in_degrees=True,
        decimal=decimal,
        point_format=chosen,
        rival_format=rivals[0] if rivals else None,
    )


def _unread_point(column: Column) -> PointGuess:
    """A column that a person named and that holds no points in degrees, read as it would be."""
    east, north = point_of(column.position, draft_source(point_format=WKT))
    return PointGuess(
        columns={"point": column}, east=east, north=north, in_degrees=False, point_format=WKT
    )


def _point_formats(raw: RawTable, column: Column, decimal: str) -> list[str]:
    """The ways in which nearly all values are points on Earth."""
    fitting = []
    for form in (WKT, LAT_LON, LON_LAT):
        east, north = point_of(column.position, draft_source(point_format=form, decimal=decimal))
        ((share,),) = raw.rows(
            f"select count(*) filter ({_is_within(east, DEGREES['lon'])} and "
            f"{_is_within(north, DEGREES['lat'])}) / greatest(count({column.position}), 1) from raw"
        )
        if share >= MIN_FIT:
            fitting.append(form)
    return fitting[:1] if WKT in fitting else fitting
