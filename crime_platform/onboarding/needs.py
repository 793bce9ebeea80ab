"""What a drafted study area cannot do without, and the question for each part that is missing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crime_platform.onboarding.crs_check import HOW_TO_FIND, code_problem
from crime_platform.onboarding.guesses.column_guess import TELLING_RANK, Guess
from crime_platform.onboarding.guesses.column_names import name_rank
from crime_platform.onboarding.guesses.date_guess import DateReading, Rival
from crime_platform.onboarding.guesses.day_swap import swapped_by_a_spreadsheet
from crime_platform.onboarding.guesses.point_guess import odd_values
from crime_platform.onboarding.guesses.raw_table import Column, RawTable
from crime_platform.onboarding.guesses.time_zones import country_name, locate_zone
from crime_platform.onboarding.guesses.unread_values import (
    DATE_KINDS,
    PERIOD_KINDS,
    POINT_KINDS,
    unread_kind,
)
from crime_platform.onboarding.source_paths import mapped_names
from crime_platform.sources.scan.geojson import GEOMETRY_COLUMNS
from crime_platform.sources.scan.number_values import is_point
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.source import NZ_POLICE, template_columns

MONTH_FIRST = {"US", "PR", "VI", "GU", "AS", "MP", "FM", "PW", "MH"}
NEITHER = {"CA", "CN", "JP", "KR", "KP", "TW", "MN", "HU", "LT", "PH", "KE", "GH", "BZ", "PA"}
"""Countries where both orders are in use, or the year comes first."""

TEMPLATED = ("occurred_at", "place")  # keys of [source.columns] that take a template
SOME = 20  # values of a column, to tell what is written in it
MAX_UNREAD = 3  # columns told
MAX_SHOWN = 60  # characters of a value in a message
MILLION = 10**6
MONTH_NAME = re.compile(r"(19|20)\d\d[-_/ ]?(0[1-9]|1[0-2])")  # of a column
MANY_MONTHS = 6
ADDRESS = re.compile(
    r"address|street|block|adresse|direcci[oó]n|endere[cç]o|indirizzo|stra(ss|ß)e", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a person says, so that it need not be guessed."""

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)  # by key of [source.columns]
    timezone: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2, or with its part as in US-TX
    crs: str | None = None  # of x and y, and of the grid
    date_formats: Sequence[str] = ()
    offence_label: str | None = None  # of every row
    encoding: str | None = None
    sheet: str | None = None
    layer: str | None = None
    exclude: Sequence[str] = ()  # globs of files
    places: Path | None = None  # table of the points of coded places


def require_all(raw: RawTable, guess: Guess, form: str, told: Told) -> DateReading:
    """How dates are read, where everything is known that a study area needs.

    Raises:
        StudyAreaError: if something is not; the message asks for all of it at once.
    """
    missing = [*_about_dates(raw, guess, told), *_about_offence(guess, told)]
    if form != NZ_POLICE:
        missing += _about_place(raw, guess, told)
    missing += _about_names(raw, guess)
    if missing or guess.dates is None:
        listing = "\n".join(f"  {problem}" for problem in missing)
        found = ", ".join(map(repr, raw.names.values()))
        raise StudyAreaError(
            f"the file does not tell enough:\n{listing}\nColumns found: {found}{_never_read(raw)}"
        )
    return guess.dates


def _about_names(raw: RawTable, guess: Guess) -> list[str]:
    """Columns that a TOML cannot name, because of their braces or because another has the name."""
    found = list(raw.names.values())
    problems: dict[str, str] = {}
    for key, column in guess.columns.items():
        if key in TEMPLATED and column.name in found and template_columns(column.name):
            plain = column.name.replace("{", "(").replace("}", ")")
            problems[column.name] = (
                f"column {column.name!r} holds {key}, and there braces stand for other columns: "
                f"rename it in the file, e.g. {plain!r}"
            )
        for name in mapped_names(column.name, found):
            n_alike = found.count(name)
            if n_alike > 1:
                problems[name] = (
                    f"{n_alike} columns are called {name!r}, so it is not known which holds {key}: "
                    "rename one of them in the file"
                )
    return list(problems.values())


def _never_read(raw: RawTable) -> str:
    if not raw.left_out:
        return ""
    names = ", ".join(map(repr, raw.left_out))
    return f"\nNever read, as they speak of people, arrests or patrols: {names}"


def _about_dates(raw: RawTable, guess: Guess, told: Told) -> list[str]:
    if "occurred_at" not in guess.columns and guess.unread_parts is not None:
        return [
            f"the date looks spread over several columns, and {guess.unread_parts} is written in "
            "no common way: months must be numbers or English names; name the columns with "
            "--column 'occurred_at={YEAR}-{MONTH}-{DAY}' once they are"
        ]
    if "occurred_at" not in guess.columns:
        return [
            "no column holds dates: name one with --column occurred_at=NAME, or several with "
            f"--column 'occurred_at={{YEAR}}-{{MONTH}}-{{DAY}}'{_unread_dates(raw)}"
        ]
    name = guess.columns["occurred_at"].name
    if guess.dates is None:
        place = guess.columns["occurred_at"].position
        found = raw.rows(f"select {place} from raw where {place} is not null limit 1")
        example = f", e.g. {found[0][0]!r}," if found else ""
        kind = unread_kind(_some(raw, guess.columns["occurred_at"]), DATE_KINDS)
        if kind is not None:
            return [f"the dates in column {name!r}{example} are {kind[0]}"]
        return [
            f"the dates in column {name!r}{example} are written in no common way: say how with "
            "--date-format, e.g. --date-format '%d/%m/%Y %H:%M', or name another column with "
            "--column occurred_at=NAME"
        ]
    swapped = swapped_by_a_spreadsheet(raw, guess.columns["occurred_at"], guess.dates)
    if swapped is not None and not told.date_formats:
        return [_turned_around(name, *swapped)]
    rival = guess.dates.rival
    return [] if rival is None else [_which_order(name, rival, _habit(raw, guess))]


def _turned_around(name: str, turned: str, left: str) -> str:
    return (
        f"a spreadsheet has swapped day and month in column {name!r}: no date written like "
        f"{turned!r} has a day above 12, and every one written like {left!r} has. Take the file as "
        "the publisher gives it, or export it anew with the column as text"
    )


def _which_order(name: str, rival: Rival, habit: str) -> str:
    first, second = rival.meanings
    if rival.both_occur:
        return (
            f"the dates in column {name!r} are written in two ways that cannot be told apart: some "
            f"fit only {rival.form} and some only {rival.other}, and {rival.example!r} fits both "
            f"({first} or {second}). Split the file, or say which holds for every row with "
            f"--date-format '{rival.form}' or --date-format '{rival.other}'"
        )
    if first == second:
        return (
            f"day and month cannot be told apart in column {name!r}: by {rival.form} and by "
            f"{rival.other} every date is the same day, e.g. {rival.example!r}, and those to come "
            f"are not.{habit} Say which it is: --date-format '{rival.form}' or --date-format "
            f"'{rival.other}'"
        )
    order = (
        f" The rows are in order of time if the dates are {rival.in_order}."
        if rival.in_order
        else ""
    )
    return (
        f"day and month cannot be told apart in column {name!r}: {rival.example!r} is {first} by "
        f"{rival.form} or {second} by {rival.other}, and every date fits both.{order}{habit} Say "
        f"which it is: --date-format '{rival.form}' or --date-format '{rival.other}'"
    )


def _habit(raw: RawTable, guess: Guess) -> str:
    """What is usual in the country of the points, where they are in degrees."""
    if guess.place is None or not guess.place.in_degrees:
        return ""
    east, north = guess.place.east, guess.place.north
    lon, lat = raw.arrays(
        f"select {east} as x, {north} as y from raw where {is_point(east, north)}"
    )
    zone = locate_zone(lon, lat)
    country = None if zone is None else zone.country
    if country is None or country in NEITHER:
        return ""
    first = "month" if country in MONTH_FIRST else "day"
    return f" In {country_name(country)} the {first} usually comes first."


def _unread_dates(raw: RawTable) -> str:
    """Columns that are called a date and hold something that is not read as one."""
    found = []
    for column in raw.columns():
        period = unread_kind(_some(raw, column), PERIOD_KINDS)
        if period is not None:
            found.append(f"column {column.name!r} holds {period[1]!r}: {period[0]}")
            continue
        rank, values = name_rank("occurred_at", column.name), _some(raw, column)
        if rank is None or rank > TELLING_RANK or not values:
            continue
        kind = unread_kind(values, DATE_KINDS)
        what = "in no way that is read; say how with --date-format" if kind is None else kind[0]
        found.append(f"column {column.name!r} holds {values[0][:MAX_SHOWN]!r}: {what}")
    return "".join(f". {each[0].upper()}{each[1:]}" for each in found[:MAX_UNREAD])


def _some(raw: RawTable, column: Column) -> list[str]:
    """A few different values of a column."""
    place = column.position
    query = f"select distinct {place} from raw where {place} is not null order by 1 limit {SOME}"
    return [str(value) for (value,) in raw.rows(query)]


def _about_offence(guess: Guess, told: Told) -> list[str]:
    if "offence" in guess.columns and told.offence_label:
        return ["--offence-label and --column offence=NAME exclude each other: leave one out"]
    if "offence" in guess.columns or told.offence_label:
        return []
    return [
        "no column looks like offences: name it with --column offence=NAME; where every row is one "
        "offence, say which with --offence-label LABEL"
    ]


def _about_place(raw: RawTable, guess: Guess, told: Told) -> list[str]:
    columns = guess.columns
    if "place" in columns and {"lon", "lat", "x", "y", "point"} & columns.keys():
        return ["--column place=NAME is for files without coordinates: name one way to the place"]
    if "district" in columns and "place" not in columns:
        return ["--column district=NAME stands in where place is not known: name place=NAME too"]
    if "place" in columns:
        return []
    if guess.place is None:
        return [
            "no two columns hold coordinates: name them with --column lon=NAME --column lat=NAME, "
            "or one column with both with --column point=NAME. Where places are codes of areas, "
            "name their column with --column place=NAME, and the table with a point for each code "
            f"with --places FILE{_unread_points(raw)}{_mixed_marks(raw) or _odd_degrees(raw)}"
            f"{_other_places(raw)}"
        ]
    if guess.place.in_degrees:
        return []
    if told.crs is None:
        names = " and ".join(repr(column.name) for column in guess.place.columns.values())
        east = next(iter(guess.place.columns.values())).low
        if east is not None and east < -MILLION:
            return [
                f"columns {names} are no degrees, and look like those of web maps (Web Mercator): "
                "say --crs EPSG:3857 if they are"
            ]
        return [
            f"columns {names} are no degrees: say their CRS, e.g. --crs EPSG:26917; {HOW_TO_FIND}"
        ]
    problem = code_problem(told.crs)
    return [f"--crs: {problem}"] if problem else []


def _unread_points(raw: RawTable) -> str:
    """Columns with points in a writing that is not read."""
    found = ""
    for column in raw.columns():
        kind = unread_kind(_some(raw, column), POINT_KINDS)
        if kind is not None:
            what, example = kind
            found += f". Column {column.name!r} holds {example[:MAX_SHOWN]!r}, {what}"
    return found


def _other_places(raw: RawTable) -> str:
    """Features without points, months that stand in columns, and addresses."""
    columns = {name: place for place, name in raw.names.items()}
    if {*GEOMETRY_COLUMNS} <= columns.keys():
        return (
            ". No feature holds a point: they are areas, lines or nothing. Export their middles as "
            "points"
        )
    months = [name for name in columns if MONTH_NAME.fullmatch(name.strip())]
    if len(months) >= MANY_MONTHS:
        return (
            f". Months stand in columns, {months[0]!r} to {months[-1]!r}: these are counts of "
            "areas. Write one row for each area and month first, with columns for month and count"
        )
    addresses = [name for name in columns if ADDRESS.search(name)]
    if addresses:
        return (
            f". Column {addresses[0]!r} speaks of addresses, which are not looked up here: ask the "
            "publisher for coordinates, or have a geocoder add them"
        )
    return ""


def _mixed_marks(raw: RawTable) -> str:
    """Columns of which most values are coordinates, and too many are not."""
    told: dict[str, str] = {}
    for key in ("lon", "lat", "x", "y"):
        for column in raw.columns():
            if name_rank(key, column.name) not in (0, 1) or column.name in told:
                continue
            odd = odd_values(raw, column, key)
            if odd is not None:
                share, example = odd
                told[column.name] = (
                    f". Column {column.name!r} holds coordinates, but {share:.0%} of its values, "
                    f"e.g. {example[:MAX_SHOWN]!r}, are written in another way: write all alike, "
                    "with one decimal mark"
                )
    return "".join(told.values())


def _odd_degrees(raw: RawTable) -> str:
    """Columns that are called longitude or latitude and hold something else."""
    odd = [
        (column.name, column.low, column.high)
        for column in raw.columns()
        if column.low is not None
        and column.high is not None
        and any(name_rank(key, column.name) in (0, 1) for key in ("lon", "lat"))
    ]
    if not odd:
        return ""
    told = "; ".join(f"column {name!r} holds {low:.8g} to {high:.8g}" for name, low, high in odd)
    if all(MILLION <= max(abs(low), abs(high)) <= 180 * MILLION for _, low, high in odd):
        return f". {told}: millionths of a degree? Divide them by a million"
    lon = next((name for name, *_ in odd if name_rank("lon", name) in (0, 1)), None)
    lat = next((name for name, *_ in odd if name_rank("lat", name) in (0, 1)), None)
    if lon is None or lat is None:
        return f". {told}: no degrees?"
    return f". {told}: swapped (--column lon={lat} --column lat={lon}), or no degrees?"
