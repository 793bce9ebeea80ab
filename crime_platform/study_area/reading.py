"""The parts of a study area read from their TOML tables; every mistake is noted, none raised."""

from collections.abc import Callable
from typing import Any, TypeVar

from crime_platform.study_area.parts import (
    BacktestSettings,
    GridSpec,
    HolidayCalendar,
    OffenceType,
    PremisesType,
    QualityLimits,
    RevisionRule,
    StudyAreaError,
)
from crime_platform.study_area.source import (
    EPOCH_WORDS,
    ColumnMapping,
    PlaceTable,
    RowFilter,
    Source,
)
from crime_platform.study_area.source_api import API_FORMATS, SourceApi
from crime_platform.study_area.source_formats import KNOWN_COLUMNS, KNOWN_SETTINGS
from crime_platform.study_area.toml_table import TomlTable

Part = TypeVar("Part")


def read_grid(table: TomlTable) -> GridSpec | None:
    """Cells and extent, from `[grid]`."""
    if not table.values:
        return None  # noted as missing already
    table.require("cell_size_m")
    extent = table.numbers("extent_m")
    if extent is not None and len(extent) != 4:
        table.note("extent_m", f"expected [xmin, ymin, xmax, ymax], found {len(extent)} numbers")
        extent = None
    fields = {
        "cell_size_m": table.number("cell_size_m"),
        "extent_m": extent,
        "boundary_file": table.text("boundary_file"),
        "trim_share": table.number("trim_share"),
    }
    table.finish()
    return build(GridSpec, table, **fields)


def read_offence(table: TomlTable) -> OffenceType | None:
    """One `[[offence_type]]`."""
    table.require("name")
    if "label_patterns" not in table.values:
        table.require("labels")
    fields = {
        "name": table.text("name"),
        "title": table.text("title") or table.values.get("name"),
        "labels": table.texts("labels"),
        "label_patterns": table.texts("label_patterns"),
        "police_discovered": table.flag("police_discovered"),
    }
    table.finish()
    return build(OffenceType, table, **fields)


def read_premises(table: TomlTable) -> PremisesType | None:
    """One `[[premises_type]]`."""
    table.require("name", "labels")
    fields = {"name": table.text("name"), "labels": table.texts("labels")}
    table.finish()
    return build(PremisesType, table, **fields)


SOURCE_TEXTS = (
    "name",
    "format",
    "publisher",
    "licence",
    "url",
    "duplicates",
    "revisions",
    "hour_format",
    "crs",
    "point_format",
    "offence_label",
    "sheet",
    "layer",
    "encoding",
    "members",
    "published_on",
)


def fetched_files(area: str, source: str) -> str:
    """Glob of the files that the rows of an API become, below the home folder."""
    return f"raw/{area}/{source}/months/*.csv"


def read_source(table: TomlTable, area: str) -> Source | None:
    """One `[[source]]` of the named area, with its `[source.columns]` and the tables beside it."""
    written_in = str(table.values.get("format", ""))
    is_fetched = written_in in API_FORMATS
    table.require("name", "api" if is_fetched else "paths")
    if written_in not in KNOWN_COLUMNS:
        table.require("columns")
    fields: dict[str, object] = {key: table.text(key) for key in SOURCE_TEXTS}
    fields |= {"decimal": table.character("decimal"), "thousands": _read_thousands(table)}
    fields["exclude"] = table.texts("exclude")
    fields["paths"] = table.texts("paths")
    if is_fetched:
        if "paths" in table.values:
            table.note("paths", "what an API gives has its own place below raw/; leave paths out")
        fields["paths"] = (fetched_files(area, str(fields["name"])),)
    formats = _text_or_texts(table, "datetime_format")
    fields |= {"datetime_formats": formats, "timestamps_are": _read_clock(table, formats or ())}
    columns = table.table("columns")
    fields["places"] = _read_places(table.table("places"))
    fields["only"] = _read_only(table.table("only"))
    fields["api"] = _read_api(table.table("api"))
    table.finish()
    known = KNOWN_COLUMNS.get(written_in, {})
    if columns.values or known:
        mapped = {key: columns.text(key) or known.get(key) for key in ColumnMapping.__slots__}
        if not known:
            columns.require("occurred_at")
            if "offence_label" not in table.values:
                columns.require("offence")
        fields["columns"] = build(ColumnMapping, columns, **mapped)
        columns.finish()
    given = {key: value for key, value in fields.items() if value is not None}
    return build(Source, table, **{**KNOWN_SETTINGS.get(written_in, {}), **given})


def _read_thousands(table: TomlTable) -> str | None:
    """The mark between thousands; a hard or narrow blank and a typographic apostrophe are plain."""
    mark = table.character("thousands")
    return mark if mark is None else {"\u00a0": " ", "\u202f": " ", "\u2019": "'"}.get(mark, mark)


def _read_clock(table: TomlTable, formats: tuple[str, ...]) -> str | None:
    """Whose clock dates are written by: what is counted from 1970 is counted in UTC."""
    written = table.text("timestamps_are")
    if written is not None or not set(EPOCH_WORDS) & set(formats):
        return written
    if not set(formats) <= set(EPOCH_WORDS):
        table.note(
            "timestamps_are",
            f"{' and '.join(sorted(set(EPOCH_WORDS) & set(formats)))} count in UTC, and what the "
            'other formats of datetime_format mean is not known; add "utc", or "local" where even '
            "the count is of local time",
        )
    return "utc"


def _read_places(table: TomlTable) -> PlaceTable | None:
    if not table.values:
        return None
    required = ("file", "vintage", "code", "x", "y", "crs")
    table.require(*required)
    fields: dict[str, object] = {
        key: table.text(key) for key in (*required, "district", "repeated")
    }
    fields |= {
        "min_match_share": table.number("min_match_share"),
        "unknown": table.texts("unknown"),
    }
    table.finish()
    return build(PlaceTable, table, **fields)


def _read_only(table: TomlTable) -> RowFilter | None:
    if not table.values:
        return None
    table.require("column", "values")
    fields = {"column": table.text("column"), "values": table.texts("values")}
    table.finish()
    return build(RowFilter, table, **fields)


def _read_api(table: TomlTable) -> SourceApi | None:
    if not table.values:
        return None
    table.require("url")
    fields: dict[str, object] = {
        key: table.text(key) for key in ("where", "updated_at", "row_id", "token_variable")
    }
    fields["urls"] = _text_or_texts(table, "url")
    fields |= {key: table.integer(key) for key in ("page_rows", "full_every_days")}
    fields |= {key: table.number(key) for key in ("requests_per_second", "fresh_hours")}
    table.finish()
    return build(SourceApi, table, **fields)


def _text_or_texts(table: TomlTable, key: str) -> tuple[str, ...] | None:
    if isinstance(table.values.get(key), list):
        return table.texts(key)
    written = table.text(key)
    return None if written is None else (written,)


def read_quality(table: TomlTable) -> QualityLimits | None:
    """Limits, from `[quality]`."""
    fields: dict[str, object] = {key: table.number(key) for key in QualityLimits.shares()}
    fields["max_age_days"] = table.integer("max_age_days")
    table.finish()
    return build(QualityLimits, table, **fields)


def read_revisions(table: TomlTable) -> RevisionRule | None:
    """What to do with a young month, from `[revisions]`."""
    fields = {
        "immature_month": table.text("immature_month"),
        "mature_share": table.number("mature_share"),
    }
    table.finish()
    return build(RevisionRule, table, **fields)


def read_backtest(table: TomlTable) -> BacktestSettings | None:
    """Origins and refits, from `[backtest]`."""
    fields = {key: table.integer(key) for key in BacktestSettings.__slots__}
    table.finish()
    return build(BacktestSettings, table, **fields)


def read_calendar(table: TomlTable) -> HolidayCalendar | None:
    """Public holidays, from `[calendar]`; None without one."""
    if not table.values:
        return None
    table.require("country")
    fields = {key: table.text(key) for key in HolidayCalendar.__slots__}
    table.finish()
    return build(HolidayCalendar, table, **fields)


def all_or_none(parts: list[Part | None]) -> tuple[Part, ...] | None:
    """The parts, or nothing when one of them could not be read."""
    whole = tuple(part for part in parts if part is not None)
    return whole if len(whole) == len(parts) else None


def build(kind: Callable[..., Part], table: TomlTable, /, **fields: Any) -> Part | None:
    """The part, or nothing when the table it comes from is already known to be wrong."""
    given = {key: value for key, value in fields.items() if value is not None}
    try:
        return kind(**given)
    except StudyAreaError as error:
        table.problems.append(f"{table.where} {error}".lstrip())
    except TypeError:
        if not table.problems:
            raise
    return None
