"""The `[[source]]` of a drafted study area: guesses turned into lines, the reason beside each."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from crime_platform.sources.column_guess import Guess
from crime_platform.vocabulary.source import NZ_POLICE, TABLE, ColumnMapping
from crime_platform.vocabulary.toml_text import on_one_line, quoted

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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """Everything that the source of a drafted TOML says."""

    name: str
    paths: Sequence[str]
    form: str  # TABLE, or a layout that is known
    guess: Guess
    told: Collection[str]  # keys of [source.columns] that a person named
    crs: str | None  # of x and y
    encoding: str | None
    left_out: Sequence[str]  # columns that are never loaded
    n_repeated_ids: int


def source_sections(plan: SourcePlan) -> list[list[str]]:
    """`[[source]]` and the tables that belong to it."""
    places = NZ_PLACES if plan.form == NZ_POLICE else []
    return [_source(plan), _columns(plan), places]


def _source(plan: SourcePlan) -> list[str]:
    lines = [
        "[[source]]",
        f"name = {quoted(plan.name)}",
        f"format = {quoted(plan.form)}",
        f"paths = [{', '.join(map(quoted, plan.paths))}]",
    ]
    if plan.form != TABLE:
        lines[2] += " # columns, dates and revisions follow from it"
        return lines
    lines += ['# publisher = "", licence = "", url = "": say where the file comes from']
    if plan.encoding:
        lines.append(f"encoding = {quoted(plan.encoding)} # the file is not UTF-8")
    lines += _dates(plan)
    if plan.guess.hour_format:
        lines.append(f"hour_format = {quoted(plan.guess.hour_format)} # 2305: five past eleven")
    if plan.crs:
        lines.append(f"crs = {quoted(plan.crs)} # of x and y")
    if plan.n_repeated_ids:
        lines += [
            f"# {plan.n_repeated_ids:,} rows repeat an id: where they are the same incident, write "
            '"drop_same_id"'
        ]
    return [*lines, 'duplicates = "keep"']


def _dates(plan: SourcePlan) -> list[str]:
    dates = plan.guess.dates
    lines: list[str] = []
    if dates is None:
        return lines
    if dates.is_ambiguous:
        lines += [
            "# AMBIGUOUS: no date of the file tells whether day or month comes first. Ask the",
            "# publisher, or look for a day above 12 in a longer file.",
        ]
    if dates.form:
        lines.append(f"datetime_format = {quoted(dates.form)}")
    if dates.is_utc:
        lines.append('timestamps_are = "utc" # the values end in an offset')
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
