"""A first TOML for a city, guessed from a file of its incidents; a person corrects the rest."""

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from crime_platform.geography.siting import suggested_extent, utm_crs
from crime_platform.onboarding.crs_check import (
    HOW_TO_FIND,
    code_problem,
    grid_misfit,
    metric_crs_near,
    misfit,
)
from crime_platform.onboarding.draft_toml import AreaPlan, slug, wording, zone_remarks
from crime_platform.onboarding.file_choice import choose_files, is_glob, written_path
from crime_platform.onboarding.guesses.column_guess import Guess, guess_columns
from crime_platform.onboarding.guesses.date_guess import LAST_YEAR, DateReading
from crime_platform.onboarding.guesses.label_guess import LabelPlan, plan_labels, stop_columns
from crime_platform.onboarding.guesses.month_span import month_span
from crime_platform.onboarding.guesses.place_guess import PlaceGuess, guess_places
from crime_platform.onboarding.guesses.raw_files import Opening, RawFiles, read_raw
from crime_platform.onboarding.guesses.raw_table import RawTable
from crime_platform.onboarding.guesses.time_zones import ZoneFinding, locate_zone, settled_zone
from crime_platform.onboarding.needs import Told, require_all
from crime_platform.onboarding.source_paths import SourcePaths, require_same_columns, source_paths
from crime_platform.onboarding.source_toml import SourcePlan, place_table, source_remarks
from crime_platform.sources.files.times import content_moment
from crime_platform.sources.scan.number_values import is_point
from crime_platform.study_area.parts import (
    HolidayCalendar,
    StudyAreaError,
    require_slug,
)
from crime_platform.study_area.source import NZ_POLICE, POLICE_UK, TABLE
from crime_platform.study_area.source_formats import KNOWN_COLUMNS, KNOWN_SETTINGS
from crime_platform.study_area.study_area import require_metric_crs, require_timezone
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.projection import WGS84, project
from crime_platform.vocabulary.timesteps import Day

CELL_SIZE_M = 500.0
MAX_SHOWN = 5  # labels of a kind, in a message
TRIM_SHARE = 0.001  # of the points, on each side of the extent
FILL_IN_CRS, FILL_IN_ZONE = "EPSG:FILL_IN", "FILL/IN"  # refused until a person has written them
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
class Draft:
    """A drafted TOML, and what a person should look at in it."""

    text: str
    remarks: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Points:
    """Where the rows with a place lie."""

    lon: np.ndarray
    lat: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was understood of the files."""

    raw: RawTable
    guess: Guess
    dates: DateReading
    files: tuple[Path, ...]
    form: str
    told: Told
    places: PlaceGuess | None
    place_lines: list[str] | None
    paths: SourcePaths


def draft_area(given: Sequence[Path], home: PlatformHome, told: Told) -> Draft:
    """A TOML that reads the files, with a comment on everything that was guessed.

    Args:
        given: files, folders or globs of incidents as any publisher may write them.
        home: below which paths are written without their root.
        told: what is not to be guessed.

    Raises:
        StudyAreaError: if a part that cannot be left out cannot be guessed; the message names
            the option that says it.
        SourceFormatError: if a file cannot be read.
    """
    choice = choose_files(given, told.exclude, home.root)
    with tempfile.TemporaryDirectory(prefix="new-area-") as folder, duckdb.connect() as connection:
        scratch = Path(folder)
        found = read_raw(
            connection,
            choice.files,
            scratch,
            layouts=tuple(LAYOUTS.values()),
            opening=Opening(encoding=told.encoding, sheet=told.sheet, layer=told.layer),
        )
        raw, form = found.raw, _layout(found.raw)
        _refuse_stops(raw)
        guess = guess_columns(
            raw,
            {**_known(raw, form), **told.columns},
            date_formats=told.date_formats,
            wants_offence=told.offence_label is None,
        )
        told = _with_stated_crs(told, guess, found)
        left_out = require_same_columns(found, guess)
        places = _places(raw, guess, told, scratch)
        dates = require_all(raw, guess, form, told)
        paths = source_paths(choice, found, left_out, told.exclude, form)
        plan = _plan(
            _Found(
                raw=raw,
                guess=guess,
                dates=dates,
                files=choice.files,
                form=form,
                told=told,
                places=places,
                place_lines=None if places is None else _place_lines(places, told, home),
                paths=paths,
            )
        )
        remarks = [
            *choice.remarks,
            *paths.remarks,
            *guess.worth_a_look,
            *source_remarks(plan.source),
        ]
        return Draft(
            text=wording(plan), remarks=[*remarks, *plan.span.remarks, *zone_remarks(plan)]
        )


def _with_stated_crs(told: Told, guess: Guess, files: RawFiles) -> Told:
    """What a person says, with the CRS that the files name where their points are no degrees."""
    stated = {file.crs for file in files.loaded}
    if told.crs is not None or not _has_own_crs(guess, None) or len(stated) != 1:
        return told
    return replace(told, crs=stated.pop())


def _layout(raw: RawTable) -> str:
    found = {name.strip().lower() for name in raw.names.values()}
    return next((form for form, layout in LAYOUTS.items() if layout <= found), TABLE)


def _known(raw: RawTable, form: str) -> dict[str, str]:
    found = {name.strip().lower() for name in raw.names.values()}
    known = KNOWN_COLUMNS.get(form, {})
    return {key: column for key, column in known.items() if column.lower() in found}


def _places(raw: RawTable, guess: Guess, told: Told, scratch: Path) -> PlaceGuess | None:
    """The table of places that a person names, matched with the codes of the file."""
    if told.places is None:
        return None
    known = guess.columns.get("place")
    taken = {column.position for column in guess.columns.values()}
    free = [column for column in raw.columns() if column.position not in taken]
    places = guess_places(raw, [known] if known else free, told.places, scratch)
    if guess.place is not None:
        names = " and ".join(repr(column.name) for column in guess.place.columns.values())
        raise StudyAreaError(
            f"--places is for files without coordinates, and this one has them in {names}: leave "
            "it out"
        )
    guess.columns["place"] = places.place
    if not places.in_degrees and told.crs is None:
        raise StudyAreaError(
            f"columns {places.x!r} and {places.y!r} of {told.places} are no degrees: say their "
            f"CRS, e.g. --crs EPSG:25833; {HOW_TO_FIND}"
        )
    if not places.in_degrees and (problem := code_problem(str(told.crs))):
        raise StudyAreaError(f"--crs: {problem}")
    return places


def _place_lines(places: PlaceGuess, told: Told, home: PlatformHome) -> list[str]:
    crs = WGS84 if places.in_degrees else str(told.crs)
    return place_table(places, written_path(places.file, home.root), crs)


def _known_on(found: _Found, timezone: str) -> Day:
    """Day in the area on which the newest file was written, as a run judges it."""
    moment = found.dates.moment
    # A typing error in a year says nothing, and Python has no day after the year 9999.
    ((last_day,),) = found.raw.rows(
        f"select max({moment}) filter (year({moment}) <= {LAST_YEAR})::date from raw"
    )
    written = max(file.stat().st_mtime_ns for file in found.files)
    known = content_moment(
        written, last_day, timezone=timezone, read_at=dt.datetime.now(dt.UTC)
    ).astimezone(ZoneInfo(timezone))
    return np.datetime64(known.date(), "D")


def _plan(found: _Found) -> AreaPlan:
    raw, guess, form, told, places = found.raw, found.guess, found.form, found.told, found.places
    points = _points(raw, guess, places, told)
    extent, zone = None, None
    if points is None:
        crs = told.crs or LAYOUT_CRS.get(form, FILL_IN_CRS)
    else:
        lon, lat = float(np.median(points.lon)), float(np.median(points.lat))
        crs = _grid_crs(form, told, lon, lat, has_own_crs=_has_own_crs(guess, places))
        x_m, y_m = project(points.lon, points.lat, source=WGS84, target=crs)
        known = np.isfinite(x_m) & np.isfinite(y_m)
        extent = suggested_extent(
            x_m[known], y_m[known], cell_size_m=CELL_SIZE_M, trim_share=TRIM_SHARE
        )
        zone = locate_zone(points.lon, points.lat)
    is_blank = points is None and form == TABLE and told.timezone is None
    settled = None if is_blank else _zone(form, zone, told)
    return AreaPlan(
        name=told.name,
        crs=crs,
        zone=settled or ZoneFinding(timezone=FILL_IN_ZONE, country=None),
        subdivision=_country(told)[1],
        span=month_span(
            raw,
            found.dates.moment,
            known_on=_known_on(found, "UTC" if settled is None else settled.timezone),
        ),
        extent=extent,
        cell_size_m=CELL_SIZE_M,
        labels=_label_plan(raw, guess, told),
        premises=_labels(raw, guess, "premises") if form == TABLE else [],
        placed_share=None if points is None or places else len(points.lon) / raw.n_rows,
        source=SourcePlan(
            name=told.name,
            paths=found.paths,
            form=form,
            guess=guess,
            told=told.columns.keys(),
            crs=told.crs if _has_own_crs(guess, None) else None,
            encoding=raw.encoding,
            is_encoding_told=told.encoding is not None,
            offence_label=told.offence_label,
            sheet=told.sheet,
            layer=told.layer,
            places=found.place_lines,
            left_out=raw.left_out,
            n_repeated_ids=_n_repeated_ids(raw, guess),
        ),
    )


def _has_own_crs(guess: Guess, places: PlaceGuess | None) -> bool:
    """Whether the points are written in the CRS that a person gives, which may be in feet."""
    if places is not None:
        return not places.in_degrees
    return guess.place is not None and not guess.place.in_degrees


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


def _grid_crs(form: str, told: Told, lon: float, lat: float, *, has_own_crs: bool) -> str:
    """The CRS asked for, the publisher's own, or the UTM zone of the middle."""
    if told.crs is not None:
        try:
            require_metric_crs(told.crs)
        except StudyAreaError as error:
            if not has_own_crs:
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


def _points(raw: RawTable, guess: Guess, places: PlaceGuess | None, told: Told) -> _Points | None:
    """Degrees of every row that has a place; None where places are codes without a table."""
    if places is not None:
        x, y = (np.array(axis, dtype=float) for axis in zip(*places.points, strict=True))
        names, in_degrees = (places.x, places.y), places.in_degrees
    elif guess.place is not None:
        east, north = guess.place.east, guess.place.north
        names = tuple(column.name for column in guess.place.columns.values())
        in_degrees = guess.place.in_degrees
        x, y = raw.arrays(
            f"select {east} as x, {north} as y from raw where {is_point(east, north)}"
        )
    else:
        return None
    if not in_degrees and (problem := misfit(str(told.crs), x, y)):
        raise StudyAreaError(f"--crs: {problem}")
    lon, lat = (x, y) if in_degrees else project(x, y, source=str(told.crs), target=WGS84)
    known = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    if not known.any():
        what = " and ".join(map(repr, names))
        raise StudyAreaError(
            f"no row has {'numbers in both' if len(names) > 1 else 'a point in'} {what} that are a "
            "place; name other columns with --column"
        )
    return _Points(lon=lon[known], lat=lat[known])


def _refuse_stops(raw: RawTable) -> None:
    stops = stop_columns(raw.names.values())
    if stops:
        columns = "column" if len(stops) == 1 else "columns"
        raise StudyAreaError(
            f"the file holds stops and searches ({columns} {', '.join(map(repr, stops))}): they "
            "show where police look, not where incidents happen. Take the publisher's file of "
            "incidents"
        )


def _label_plan(raw: RawTable, guess: Guess, told: Told) -> LabelPlan:
    """What becomes of the labels; refused where nothing is left that somebody reports."""
    if told.offence_label:
        every_row = [(told.offence_label, raw.n_rows)]
        return LabelPlan(
            types=every_row, members={}, police_discovered=[], no_offence=[], rare=[], beyond=[]
        )
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
    given: Path, home: PlatformHome, *, name: str | None, output: Path | None
) -> tuple[str, Path]:
    """What the drafted area is called and where its TOML goes.

    Args:
        given: the first file, folder or glob; the area is called after it unless a name is given.
        home: whose study areas the TOML joins.
        name: of the area.
        output: path of the TOML.

    Raises:
        StudyAreaError: if the two do not agree, the name cannot be one, or the TOML exists.
    """
    plain = given.parent if is_glob(given) else given
    found = name or (output.stem if output else slug(plain.absolute().name.split(".")[0]))
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
