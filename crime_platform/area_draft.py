"""A first TOML for a city, guessed from a file of its incidents; a person corrects the rest."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from jaxtyping import Int

from crime_platform.area_wording import AreaPlan, slug, wording, zone_remarks
from crime_platform.geography.crs_check import (
    HOW_TO_FIND,
    code_problem,
    grid_misfit,
    metric_crs_near,
    misfit,
)
from crime_platform.geography.siting import suggested_extent, utm_crs
from crime_platform.geography.time_zones import ZoneFinding, locate_zone, settled_zone
from crime_platform.source_wording import SourcePlan
from crime_platform.sources.column_guess import DateReading, Guess, guess_columns, moment_of
from crime_platform.sources.label_guess import LabelPlan, plan_labels, stop_columns
from crime_platform.sources.raw_table import RawTable, read_raw
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.projection import WGS84, project
from crime_platform.vocabulary.source import NZ_POLICE, POLICE_UK, TABLE
from crime_platform.vocabulary.source_formats import KNOWN_COLUMNS, KNOWN_SETTINGS
from crime_platform.vocabulary.study_area import require_metric_crs, require_timezone
from crime_platform.vocabulary.study_area_parts import (
    HolidayCalendar,
    StudyAreaError,
    require_slug,
)
from crime_platform.vocabulary.timesteps import Month, is_whole

CELL_SIZE_M = 500.0
MAX_SHOWN = 5  # labels of a kind, in a message
TRIM_SHARE = 0.001  # of the points, on each side of the extent
DENSE_SHARE = 0.1  # of a usual month; with less, a month holds late reports or typing errors
QUIET_DAYS = 3  # at the start of a month that is whole all the same
LAYOUT_CRS = {POLICE_UK: "EPSG:27700", NZ_POLICE: "EPSG:2193"}
LAYOUT_ZONE = {POLICE_UK: ("Europe/London", "GB"), NZ_POLICE: ("Pacific/Auckland", "NZ")}
LAYOUTS = {
    form: frozenset(
        column.lower()
        for key, column in columns.items()
        if key not in KNOWN_SETTINGS[form].get("optional", ())  # pyright: ignore[reportOperatorIssue]
    )
    for form, columns in KNOWN_COLUMNS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the person says, so that it need not be guessed."""

    name: str
    columns: Mapping[str, str]  # by key of [source.columns]
    timezone: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2, or with its part as in US-TX
    crs: str | None = None  # of x and y, and of the grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A drafted TOML, and what a person should look at in it."""

    text: str
    remarks: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Points:
    """Where the rows with a place lie."""

    lon: np.ndarray
    lat: np.ndarray


def draft_area(file: Path, home: PlatformHome, told: Told) -> Draft:
    """A TOML that reads the file, with a comment on everything that was guessed.

    Args:
        file: incidents as any publisher may write them.
        home: below which paths are written without their root.
        told: what is not to be guessed.

    Raises:
        StudyAreaError: if a part that cannot be left out cannot be guessed; the message names
            the option that says it.
        SourceFormatError: if the file cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="new-area-") as scratch, duckdb.connect() as connection:
        raw = read_raw(connection, file, Path(scratch), layouts=tuple(LAYOUTS.values()))
        form = _layout(raw)
        _refuse_stops(raw)
        guess = guess_columns(raw, {**_known(raw, form), **told.columns})
        dates = _require_all(raw, guess, form, told)
        plan = _plan(raw, guess, dates, form, told, _written_path(file, home))
        return Draft(text=wording(plan), remarks=[*guess.worth_a_look, *zone_remarks(plan)])


def _layout(raw: RawTable) -> str:
    found = {name.strip().lower() for name in raw.names.values()}
    return next((form for form, layout in LAYOUTS.items() if layout <= found), TABLE)


def _known(raw: RawTable, form: str) -> dict[str, str]:
    found = {name.strip().lower() for name in raw.names.values()}
    known = KNOWN_COLUMNS.get(form, {})
    return {key: column for key, column in known.items() if column.lower() in found}


def _written_path(file: Path, home: PlatformHome) -> str:
    whole = file.absolute()
    return str(whole.relative_to(home.root) if whole.is_relative_to(home.root) else whole)


def _require_all(raw: RawTable, guess: Guess, form: str, told: Told) -> DateReading:
    """Refuse a file of which the least that a study area needs is not known; how dates are read."""
    columns, missing = guess.columns, []
    if "occurred_at" not in columns:
        missing.append("no column holds dates: name one with --column occurred_at=NAME")
    elif guess.dates is None:
        missing.append(
            f"the dates in column {columns['occurred_at'].name!r} are written in no common way: "
            "name another column with --column occurred_at=NAME, or rewrite them as 2024-01-31"
        )
    if "offence" not in columns:
        missing.append("no column looks like offences: name it with --column offence=NAME")
    has_metres = "x" in columns and "y" in columns
    if form != NZ_POLICE and not has_metres and not ("lon" in columns and "lat" in columns):
        missing.append(
            "no two columns hold coordinates: name them with --column lon=NAME --column lat=NAME. "
            "Where the places are codes or addresses with a table of their own, start from "
            "data/study_areas/charlottesville.toml"
        )
    if has_metres and told.crs is None:
        missing.append(
            f"columns {columns['x'].name!r} and {columns['y'].name!r} are no degrees: say their "
            f"CRS, e.g. --crs EPSG:26917; {HOW_TO_FIND}"
        )
    elif has_metres and (problem := code_problem(str(told.crs))):
        missing.append(f"--crs: {problem}")
    if missing or guess.dates is None:
        listing = "\n".join(f"  {problem}" for problem in missing)
        found = ", ".join(map(repr, raw.names.values()))
        raise StudyAreaError(f"the file does not tell enough:\n{listing}\nColumns found: {found}")
    return guess.dates


def _plan(
    raw: RawTable, guess: Guess, dates: DateReading, form: str, told: Told, path: str
) -> AreaPlan:
    points = _points(raw, guess, told)
    if points is None:
        crs = told.crs or LAYOUT_CRS[form]
        extent, found = None, None
    else:
        lon, lat = float(np.median(points.lon)), float(np.median(points.lat))
        crs = _grid_crs(guess, form, told, lon, lat)
        x_m, y_m = project(points.lon, points.lat, source=WGS84, target=crs)
        known = np.isfinite(x_m) & np.isfinite(y_m)
        extent = suggested_extent(
            x_m[known], y_m[known], cell_size_m=CELL_SIZE_M, trim_share=TRIM_SHARE
        )
        found = locate_zone(points.lon, points.lat)
    first, last = _span(raw, guess, dates)
    return AreaPlan(
        name=told.name,
        crs=crs,
        zone=_zone(form, found, told),
        subdivision=_country(told)[1],
        first_month=first,
        last_month=last,
        extent=extent,
        cell_size_m=CELL_SIZE_M,
        labels=_label_plan(raw, guess),
        premises=_labels(raw, guess, "premises") if form == TABLE else [],
        placed_share=None if points is None else len(points.lon) / raw.n_rows,
        source=_source_plan(raw, guess, form, told, path),
    )


def _source_plan(raw: RawTable, guess: Guess, form: str, told: Told, path: str) -> SourcePlan:
    return SourcePlan(
        name=told.name,
        paths=[path],
        form=form,
        guess=guess,
        told=told.columns.keys(),
        crs=told.crs if "x" in guess.columns else None,
        encoding=raw.encoding,
        left_out=raw.left_out,
        n_repeated_ids=_n_repeated_ids(raw, guess),
    )


def _zone(form: str, found: ZoneFinding | None, told: Told) -> ZoneFinding:
    """Zone and country: what a person gives, what the layout implies, or where the points lie."""
    if told.timezone is not None:
        require_timezone(told.timezone)
    if form in LAYOUT_ZONE:
        timezone, country = LAYOUT_ZONE[form]
        found = ZoneFinding(timezone=timezone, country=country)
    zone = settled_zone(found, timezone=told.timezone, country=_country(told)[0])
    if zone is None:
        raise StudyAreaError(
            "no time zone of a country holds the points: they lie far out at sea. Either longitude "
            "and latitude are swapped or wrong (--column lon=NAME --column lat=NAME), or say the "
            "zone, e.g. --timezone America/Toronto"
        )
    return zone


def _country(told: Told) -> tuple[str | None, str | None]:
    """Country and part of it that a person gives, e.g. of `US-TX`."""
    if told.country is None:
        return None, None
    country, _, part = told.country.upper().partition("-")
    try:
        HolidayCalendar(country=country, subdivision=part or None)
    except StudyAreaError as error:
        raise StudyAreaError(f"--country {told.country}: {error}") from error
    return country, part or None


def _grid_crs(guess: Guess, form: str, told: Told, lon: float, lat: float) -> str:
    """The CRS asked for, the publisher's own, or the UTM zone of the middle."""
    if told.crs is not None:
        try:
            require_metric_crs(told.crs)
        except StudyAreaError as error:
            if "x" not in guess.columns:
                here = ", ".join(metric_crs_near(lon, lat))
                raise StudyAreaError(f"--{error}. In metres there: {here}") from error
        else:
            problem = grid_misfit(told.crs, lon, lat)
            if problem is not None:
                raise StudyAreaError(f"--crs: {problem}")
            return told.crs  # else points may be in feet, and cells are cut in metres
    crs = LAYOUT_CRS.get(form) or utm_crs(lon, lat)
    if crs is None:
        raise StudyAreaError(
            f"no UTM zone holds longitude {lon:.6g}, latitude {lat:.6g}: say the CRS of the grid, "
            "e.g. --crs EPSG:3413"
        )
    return crs


def _points(raw: RawTable, guess: Guess, told: Told) -> _Points | None:
    """Degrees of every row that has a place; None where places are codes."""
    keys = ("lon", "lat") if "lon" in guess.columns else ("x", "y")
    if keys[0] not in guess.columns:
        return None
    east, north = (f"try_cast({guess.columns[key].position} as double)" for key in keys)
    x, y = raw.arrays(
        f"select {east} as x, {north} as y from raw "
        f"where isfinite({east}) and isfinite({north}) and ({east}, {north}) <> (0, 0)"
    )
    if keys[0] == "x" and (problem := misfit(str(told.crs), x, y)):
        raise StudyAreaError(f"--crs: {problem}")
    lon, lat = (x, y) if keys[0] == "lon" else project(x, y, source=str(told.crs), target=WGS84)
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        raise StudyAreaError(
            f"no row has numbers in both {guess.columns[keys[0]].name!r} and "
            f"{guess.columns[keys[1]].name!r} that are a place; name other columns with --column"
        )
    return _Points(lon=lon[known], lat=lat[known])


def _span(raw: RawTable, guess: Guess, dates: DateReading) -> tuple[Month, Month]:
    """The whole months of the file, without the few rows long before or after the others."""
    moment = moment_of(guess.columns["occurred_at"].position, dates.form)
    counted = raw.rows(
        f"select date_trunc('month', {moment})::date::varchar, count(*), min(day({moment})), "
        f"max({moment})::date::varchar from raw where {moment} is not null group by 1 order by 1"
    )
    months = np.array([row[0][:7] for row in counted], dtype="datetime64[M]")
    run = _dense_run(months, np.array([row[1] for row in counted]))
    months_only = all(row[3].endswith("-01") for row in counted)
    begins_late = counted[run[0]][2] > 1 + QUIET_DAYS
    begin, end = (np.datetime64(counted[run[at]][0][:7], "M") for at in (0, -1))
    first = begin + int(begins_late and not months_only)
    last_day = np.datetime64(counted[run[-1]][3], "D")
    is_last_whole = is_whole(end, last_day, months_only=months_only)
    return first, max(first, end - int(not is_last_whole))


def _dense_run(
    months: np.ndarray, counts: Int[np.ndarray, " month"]
) -> Int[np.ndarray, " position"]:
    """Positions of the most incidents in consecutive months that each hold a fair number.

    What is fair is told by the month of the median incident: late reports make many old months
    with one incident each.
    """
    in_order = np.sort(counts)
    usual = in_order[np.searchsorted(np.cumsum(in_order), counts.sum() / 2)]
    dense = np.flatnonzero(counts >= DENSE_SHARE * usual)
    breaks = np.flatnonzero(np.diff(months[dense].astype(int)) > 1) + 1
    return max(np.split(dense, breaks), key=lambda run: counts[run].sum())


def _refuse_stops(raw: RawTable) -> None:
    stops = stop_columns(raw.names.values())
    if stops:
        columns = "column" if len(stops) == 1 else "columns"
        raise StudyAreaError(
            f"the file holds stops and searches ({columns} {', '.join(map(repr, stops))}): they "
            "show where police look, not where incidents happen. Take the publisher's file of "
            "incidents"
        )


def _label_plan(raw: RawTable, guess: Guess) -> LabelPlan:
    """What becomes of the labels; refused where nothing is left that somebody reports."""
    plan = plan_labels(_labels(raw, guess, "offence"))
    if not plan.types and not plan.rare:
        police, none = plan.police_discovered, plan.no_offence
        raise StudyAreaError(
            f"no label in column {guess.columns['offence'].name!r} names harm that somebody "
            f"reports; found because police looked: {_few(police)}; no offences: {_few(none)}. "
            "Name another column with --column offence=NAME, or take the publisher's file of "
            "incidents. Where you do mean these labels, write the TOML by hand"
        )
    return plan


def _few(labels: Sequence[tuple[str, int]]) -> str:
    shown = ", ".join(f"{label} {n:,}" for label, n in labels[:MAX_SHOWN])
    return f"{shown or 'none'}{', ...' if len(labels) > MAX_SHOWN else ''}"


def _labels(raw: RawTable, guess: Guess, key: str) -> list[tuple[str, int]]:
    """Labels with their rows, most frequent first; capitals and outer blanks do not count."""
    if key not in guess.columns:
        return []
    place = guess.columns[key].position
    return raw.rows(
        f"select mode({place}), count(*) from raw where {place} is not null "
        f"group by lower({place}) order by 2 desc, 1"
    )


def _n_repeated_ids(raw: RawTable, guess: Guess) -> int:
    if "id" not in guess.columns:
        return 0
    place = guess.columns["id"].position
    return raw.rows(f"select count({place}) - count(distinct {place}) from raw")[0][0]


def name_and_path(
    file: Path, home: PlatformHome, *, name: str | None, output: Path | None
) -> tuple[str, Path]:
    """What the drafted area is called and where its TOML goes.

    Raises:
        StudyAreaError: if the two do not agree, the name cannot be one, or the TOML exists.
    """
    found = name or (output.stem if output else slug(file.name.split(".")[0]))
    require_slug("--name" if name or not output else "--output", found)
    path = output or home.study_areas / f"{found}.toml"
    if path.name != f"{found}.toml":
        raise StudyAreaError(
            f"--output: {path} must be called {found}.toml, after the area; rename one"
        )
    if path.exists():
        raise StudyAreaError(
            f"{path} exists and is not overwritten: choose another --name, or check it with "
            f"crime-platform check-area {path}"
        )
    return found, path
