"""The `[[source]]` of a drafted study area: guesses turned into lines, the reason beside each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from crime_platform.onboarding.guesses.column_guess import Guess
from crime_platform.onboarding.guesses.place_guess import PlaceGuess
from crime_platform.onboarding.source_paths import SourcePaths
from crime_platform.study_area.source import NZ_POLICE, TABLE, ColumnMapping
from crime_platform.study_area.toml_text import on_one_line, quoted

NZ_PLACES = [
    "# The export holds no coordinates: meshblocks of 2013 from https://datafinder.stats.govt.nz.",
    "# [source.only] keeps one city, see data/study_areas/auckland.toml.",
    "[source.places]",
    'file = "raw/places/mb2013_centroids_nztm.csv.gz"',
    'vintage = "meshblocks 2013 (Stats NZ)"',
    'code = "MB2013"',
    'x = "X"',
    'y = "Y"',
    'crs = "EPSG:2193"',
    'district = "AU2013_name"',
    'unknown = ["-118", "999999"]',
]
COLUMN_KEYS = tuple(ColumnMapping.__slots__)


FILL_IN_PLACES = [
    "# FILL IN the table with a point for each code: file, edition, columns and their CRS.",
    "[source.places]",
    'file = "raw/FILL_IN.csv"',
    'vintage = "FILL IN"',
    'code = "FILL_IN"',
    'x = "FILL_IN"',
    'y = "FILL_IN"',
    'crs = "EPSG:4326"',
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """Everything that the source of a drafted TOML says."""

    name: str
    paths: SourcePaths
    form: str  # TABLE, or a layout that is known
    guess: Guess
    told: Collection[str]  # keys of [source.columns] that a person named
    crs: str | None  # of x and y
    encoding: str | None
    is_encoding_told: bool
    offence_label: str | None
    sheet: str | None
    layer: str | None
    places: Sequence[str] | None  # lines of [source.places]
    left_out: Sequence[str]  # columns that are never loaded
    n_repeated_ids: int


def place_table(places: PlaceGuess, file: str, crs: str) -> list[str]:
    """`[source.places]` of a table that was found to hold the codes."""
    return [
        "[source.places]",
        f"file = {quoted(file)}",
        f"vintage = {quoted(places.file.name)} # say which edition of the areas it is",
        f"code = {quoted(places.code)} # knows the codes of {places.match_share:.1%} of the rows",
        f"x = {quoted(places.x)}",
        f"y = {quoted(places.y)}",
        f"crs = {quoted(crs)} # of x and y",
    ]


def source_sections(plan: SourcePlan) -> list[list[str]]:
    """`[[source]]` and the tables that belong to it."""
    places: Sequence[str] = plan.places or []
    if plan.form == NZ_POLICE:
        places = NZ_PLACES
    elif "place" in plan.guess.columns and not places:
        places = FILL_IN_PLACES
    return [_source(plan), _columns(plan), list(places)]


def source_remarks(plan: SourcePlan) -> list[str]:
    """Guesses about how the file is written that may be wrong."""
    remarks = []
    dates, place = plan.guess.dates, plan.guess.place
    if plan.encoding and not plan.is_encoding_told:
        remarks.append(
            f"the file is not UTF-8 and was read as {plan.encoding}: look at the accents in the "
            "labels, and if they are wrong, say the right one with --encoding"
        )
    if dates is not None and len(dates.forms) > 1:
        written = " or ".join(map(repr, dates.forms))
        remarks.append(f"dates are written in {len(dates.forms)} ways: {written}")
    if dates is not None and dates.is_mixed_utc:
        remarks.append(
            "some dates end in an offset such as Z and others do not: all are read as the local "
            "time they show"
        )
    if dates is not None and dates.is_epoch and not dates.is_epoch_of_days:
        remarks.append(
            "dates are counted from 1970, and such counts are in UTC; where the publisher counts "
            'local time, write timestamps_are = "local" in the TOML'
        )
    if place is not None and place.rival_format:
        remarks.append(
            f"the points in {plan.guess.columns['point'].name!r} fit {place.point_format} and "
            f"{place.rival_format}: {place.point_format} is written, so see on the map that they "
            "lie in the city"
        )
    if plan.form == TABLE and "place" in plan.guess.columns and plan.places is None:
        remarks.append(
            "the points of the places are not known: fill in crs, timezone and [source.places] in "
            "the TOML, or draft it again with --places FILE"
        )
    return remarks


def _source(plan: SourcePlan) -> list[str]:
    lines = [
        "[[source]]",
        f"name = {quoted(plan.name)}",
        f"format = {quoted(plan.form)}",
        f"paths = [{', '.join(map(quoted, plan.paths.patterns))}]",
    ]
    if plan.paths.exclude:
        lines.append(f"exclude = [{', '.join(map(quoted, plan.paths.exclude))}]")
    if plan.paths.members:
        lines.append(f"members = {quoted(plan.paths.members)}")
    if plan.form != TABLE:
        lines[2] += " # columns, dates and revisions follow from it"
        return [*lines, *_container(plan)]
    lines += ['# publisher = "", licence = "", url = "": say where the file comes from']
    lines += [*_container(plan), *_dates(plan), *_numbers(plan)]
    if plan.offence_label:
        lines.append(f"offence_label = {quoted(plan.offence_label)} # of every row")
    if plan.n_repeated_ids:
        lines += [
            f"# {plan.n_repeated_ids:,} rows repeat an id: where they are the same incident, write "
            '"drop_same_id"'
        ]
    return [*lines, 'duplicates = "keep"']


def _container(plan: SourcePlan) -> list[str]:
    """How to get at the table: encoding, sheet and layer."""
    lines = [f"encoding = {quoted(plan.encoding)} # the file is not UTF-8"] if plan.encoding else []
    lines += [f"sheet = {quoted(plan.sheet)}"] if plan.sheet else []
    lines += [f"layer = {quoted(plan.layer)}"] if plan.layer else []
    return lines


def _dates(plan: SourcePlan) -> list[str]:
    dates = plan.guess.dates
    lines: list[str] = []
    if dates is not None and len(dates.forms) == 1:
        lines.append(f"datetime_format = {quoted(dates.forms[0])}")
    elif dates is not None and dates.forms:
        lines.append(f"datetime_format = [{', '.join(map(quoted, dates.forms))}]")
    if dates is not None and dates.is_utc:
        lines.append('timestamps_are = "utc" # the values end in an offset')
    elif dates is not None and dates.is_epoch_of_days:
        lines.append('timestamps_are = "local" # always midnight: a day, and no instant')
    if plan.guess.hour_format:
        lines.append(f"hour_format = {quoted(plan.guess.hour_format)} # 2305: five past eleven")
    return lines


def _numbers(plan: SourcePlan) -> list[str]:
    place = plan.guess.place
    lines = [f"crs = {quoted(plan.crs)} # of the coordinates"] if plan.crs else []
    if place is None:
        return lines
    lines += [f"decimal = {quoted(place.decimal)}"] if place.decimal != "." else []
    lines += [f"thousands = {quoted(place.thousands)}"] if place.thousands else []
    lines += [f"point_format = {quoted(place.point_format)}"] if place.point_format else []
    return lines


def _columns(plan: SourcePlan) -> list[str]:
    """Every column that was guessed; of a known layout only what a person named."""
    is_table = plan.form == TABLE
    keys = [key for key in COLUMN_KEYS if key in plan.guess.columns]
    lines = []
    for key in keys if is_table else [key for key in keys if key in plan.told]:
        remark = plan.guess.remarks.get(key, "")
        said = f" # {on_one_line(remark)}" if remark else ""
        lines.append(f"{key} = {quoted(plan.guess.columns[key].name)}{said}")
    if is_table and plan.left_out:
        lines.append(f"# never loaded: {on_one_line(', '.join(plan.left_out))}")
    return ["[source.columns]", *lines] if lines else []
